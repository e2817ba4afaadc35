//! Time, passed in. Production reads the system clock; tests set their own.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use chrono::{DateTime, Duration, Utc};

/// The time of day, as everything but `main` sees it.
#[derive(Clone)]
pub struct Clock(Arc<Kind>);

enum Kind {
    System,
    Set(AtomicI64),
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn system() -> Self {
        Self(Arc::new(Kind::System))
    }

    /// A clock that stands at `time` until [`Clock::advance`] moves it.
    #[must_use]
    pub fn set_to(time: DateTime<Utc>) -> Self {
        Self(Arc::new(Kind::Set(AtomicI64::new(time.timestamp_micros()))))
    }

    /// Moves a set clock forward; a system clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Kind::Set(micros) = &*self.0 {
            micros.fetch_add(by.num_microseconds().unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }

    /// Now, to the microsecond that Postgres keeps.
    #[must_use]
    pub fn now(&self) -> DateTime<Utc> {
        let micros = match &*self.0 {
            Kind::Set(micros) => micros.load(Ordering::SeqCst),
            Kind::System => system_now().timestamp_micros(),
        };
        DateTime::from_timestamp_micros(micros).unwrap_or_default()
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that reads the system clock")]
fn system_now() -> DateTime<Utc> {
    Utc::now()
}
