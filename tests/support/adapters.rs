//! An adapter by itself, as the application makes it, and a delivery to give it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use signalbox::adapters::{Kind, Outside, kind_of};
use signalbox::chance::Chance;
use signalbox::clock::Clock;
use signalbox::delivery::destination::{Delivery, Destination};
use signalbox::exchange::ids::Id;
use signalbox::exchange::{Conditions, Interaction, Sender};

/// A new Patient of the source `gp`, for the first time.
pub(crate) fn delivery(body: &str) -> Delivery {
    let (clock, chance) = (Clock::system(), Chance::from_system());
    let id = || Id::new(clock.now(), &chance);
    Delivery {
        id: id(),
        exchange: id(),
        attempt: 1,
        interaction: Interaction::Create,
        resource_type: "Patient".to_owned(),
        conditions: Conditions::default(),
        sender: Sender { source: "gp".to_owned(), ods: "A99001".parse().unwrap() },
        correlation_id: "c-1".to_owned(),
        received_at: clock.now(),
        options: Value::Null,
        body: body.to_owned().into(),
        reply: None,
    }
}

/// The adapter with this `type`.
pub(crate) fn kind(name: &str) -> &'static Kind {
    kind_of(name).unwrap()
}

/// A destination with these settings and one route with these options.
pub(crate) fn destination(kind: &Kind, settings: &str, options: &Value, timeout: Duration) -> Arc<dyn Destination> {
    let http = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build().unwrap();
    let outside = Outside { http, clock: Clock::system(), chance: Chance::seeded(1), timeout, base: PathBuf::new() };
    let settings = toml::from_str(settings).unwrap();
    (kind.check_options)(options).unwrap_or_else(|error| panic!("{error}"));
    (kind.build)(settings, &outside).unwrap_or_else(|faults| panic!("{faults:?}"))
}
