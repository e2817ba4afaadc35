//! What is counted and timed, in [OpenMetrics](https://prometheus.io/docs/specs/om/open_metrics_spec/) text. Labels hold
//! names of the configuration and words of our own only: nothing of a patient, and no more series than there are sources
//! and destinations.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;

use crate::exchange::rows::AttemptOutcome;

/// Upper bounds in seconds, from a fast commit to a partner's timeout.
const SECONDS: [f64; 14] = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0];
/// Upper bounds of messages in one commit.
const MESSAGES: [f64; 9] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0];

/// How long a message that could not be stored speaks against another try.
const UNSTORED: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Message {
    source: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfSource {
    source: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Attempt {
    destination: String,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct InState {
    destination: String,
    state: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Listener {
    listener: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OfListener {
    listener: String,
    event: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Destination {
    destination: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Certificate {
    setting: String,
}

/// One destination's deliveries in one state, as the database has them now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backlog {
    /// The destination's name.
    pub destination: String,
    /// The state.
    pub state: &'static str,
    /// How many.
    pub count: i64,
    /// Since when the oldest waits.
    pub oldest: Duration,
}

/// An open connection, counted until it is dropped.
#[derive(Debug)]
pub struct Open(Gauge);

impl Drop for Open {
    fn drop(&mut self) {
        self.0.dec();
    }
}

/// The counters of one process; cheap to clone.
#[derive(Clone)]
pub struct Metrics {
    registry: Arc<Registry>,
    messages: Family<Message, Counter>,
    accepting: Histogram,
    strangers: Counter,
    reused: Family<OfSource, Counter>,
    mllp: Family<OfListener, Counter>,
    mllp_skipped: Family<Listener, Counter>,
    mllp_connections: Family<Listener, Gauge>,
    mllp_waiting: Family<Listener, Gauge>,
    mllp_limit: Family<Listener, Gauge>,
    batch: Histogram,
    committing: Histogram,
    /// When a message last could not be stored, unless one was since.
    unstored: Arc<Mutex<Option<Instant>>>,
    routed: Family<Destination, Counter>,
    attempts: Family<Attempt, Counter>,
    sending: Family<Destination, Histogram, fn() -> Histogram>,
    deliveries: Family<InState, Gauge>,
    oldest: Family<Destination, Gauge>,
    terminology: Family<Answered, Counter>,
    asking: Histogram,
    certificates: Family<Certificate, Gauge>,
    spaced: Family<Destination, Gauge>,
    untaken: Arc<Mutex<HashMap<String, usize>>>,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let seconds = || Histogram::new(SECONDS);
        let (messages, strangers, attempts) = (Family::default(), Counter::default(), Family::default());
        let routed = Family::default();
        let (accepting, committing, batch) = (seconds(), seconds(), Histogram::new(MESSAGES));
        let sending = Family::new_with_constructor(seconds as fn() -> Histogram);
        let (deliveries, oldest) = (Family::default(), Family::default());
        let (reused, mllp) = (Family::default(), Family::default());
        let (mllp_skipped, mllp_connections) = (Family::default(), Family::default());
        let (mllp_waiting, mllp_limit) = (Family::default(), Family::default());
        let mut registry = Registry::with_prefix("signalbox");
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "This program", version);
        registry.register("messages", "Messages of known sources, by how they ended at the door", messages.clone());
        let help = "From a message being read to its commit";
        registry.register_with_unit("accepting", help, Unit::Seconds, accepting.clone());
        registry.register("strangers", "Requests without a known credential", strangers.clone());
        let help = "Messages refused because their id came before with another content";
        registry.register("message_ids_reused", help, reused.clone());
        let help = "What happened on connections of an MLLP listener besides messages";
        registry.register("mllp_events", help, mllp.clone());
        registry.register("mllp_skipped_bytes", "Bytes between MLLP frames that belong to none", mllp_skipped.clone());
        registry.register("mllp_connections", "Open connections of an MLLP listener, now", mllp_connections.clone());
        let help = "Connections of known senders that wait because an MLLP listener has all it may have, now";
        registry.register("mllp_connections_waiting", help, mllp_waiting.clone());
        registry.register("mllp_connections_limit", "Most connections of an MLLP listener", mllp_limit.clone());
        registry.register("commit_messages", "Messages in one commit", batch.clone());
        registry.register_with_unit("committing", "One commit of the writers", Unit::Seconds, committing.clone());
        registry.register("routed", "Deliveries accepted for a destination", routed.clone());
        registry.register("attempts", "Ended attempts to deliver", attempts.clone());
        registry.register_with_unit("sending", "One attempt to deliver", Unit::Seconds, sending.clone());
        registry.register("deliveries", "Deliveries that have not been delivered, now", deliveries.clone());
        let help = "Age of the oldest delivery that waits to be sent, now";
        registry.register_with_unit("oldest_delivery", help, Unit::Seconds, oldest.clone());
        let (terminology, asking) = (Family::default(), seconds());
        let help = "Questions to the terminology server, by what became of them";
        registry.register("terminology_questions", help, terminology.clone());
        let help = "One question to the terminology server";
        registry.register_with_unit("terminology_asking", help, Unit::Seconds, asking.clone());
        let certificates = Family::default();
        let help = "When a certificate of ours ends, in Unix time";
        registry.register_with_unit("certificate_ends", help, Unit::Seconds, certificates.clone());
        let spaced = Family::default();
        let help = "Whether calls are spaced because nothing is taken: 1, or 0";
        registry.register("destination_breaker_open", help, spaced.clone());
        let registry = Arc::new(registry);
        Self {
            registry,
            messages,
            accepting,
            strangers,
            reused,
            mllp,
            mllp_skipped,
            mllp_connections,
            mllp_waiting,
            mllp_limit,
            batch,
            committing,
            unstored: Arc::default(),
            routed,
            attempts,
            sending,
            deliveries,
            oldest,
            terminology,
            asking,
            certificates,
            spaced,
            untaken: Arc::default(),
        }
    }
}

impl Metrics {
    /// A message of a known source ended at the door, `time` after it had been read.
    pub fn message(&self, source: &str, outcome: &'static str, time: Duration) {
        self.messages.get_or_create(&Message { source: source.to_owned(), outcome }).inc();
        self.accepting.observe(time.as_secs_f64());
    }

    /// Somebody came without a known credential.
    pub fn stranger(&self) {
        self.strangers.inc();
    }

    /// A message id came again with another content.
    pub fn reused(&self, source: &str) {
        self.reused.get_or_create(&OfSource { source: source.to_owned() }).inc();
    }

    /// Something happened on a connection of an MLLP listener.
    pub fn mllp(&self, listener: &str, event: &'static str) {
        self.mllp.get_or_create(&OfListener { listener: listener.to_owned(), event }).inc();
    }

    /// Bytes between frames were skipped.
    pub fn mllp_skipped(&self, listener: &str, bytes: u64) {
        self.mllp_skipped.get_or_create(&Listener { listener: listener.to_owned() }).inc_by(bytes);
    }

    /// A connection of an MLLP listener is open until the guard is dropped.
    #[must_use]
    pub fn mllp_connection(&self, listener: &str) -> Open {
        let gauge = self.mllp_connections.get_or_create_owned(&Listener { listener: listener.to_owned() });
        gauge.inc();
        Open(gauge)
    }

    /// A known sender waits for one of the connections of an MLLP listener until the guard is dropped.
    #[must_use]
    pub fn mllp_waiting(&self, listener: &str) -> Open {
        let gauge = self.mllp_waiting.get_or_create_owned(&Listener { listener: listener.to_owned() });
        gauge.inc();
        Open(gauge)
    }

    /// An MLLP listener has at most this many connections at once; nobody waits for one yet.
    pub fn mllp_limit(&self, listener: &str, most: usize) {
        let labels = Listener { listener: listener.to_owned() };
        self.mllp_limit.get_or_create(&labels).set(i64::try_from(most).unwrap_or(i64::MAX));
        self.mllp_waiting.get_or_create(&labels).set(0);
    }

    /// A batch of messages was committed.
    pub fn commit(&self, messages: usize, time: Duration) {
        self.batch.observe(f64::from(u32::try_from(messages).unwrap_or(u32::MAX)));
        self.committing.observe(time.as_secs_f64());
        *self.unstored.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// The database did not take a message in time.
    pub fn not_stored(&self) {
        *self.unstored.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether messages can be stored, for all we know: after a failure it is worth a try again some time later.
    #[must_use]
    pub fn can_store(&self) -> bool {
        let failed = *self.unstored.lock().unwrap_or_else(PoisonError::into_inner);
        failed.is_none_or(|failed| failed.elapsed() > UNSTORED)
    }

    /// A delivery to this destination was accepted.
    pub fn routed(&self, destination: &str) {
        self.routed.get_or_create(&Destination { destination: destination.to_owned() }).inc();
    }

    /// Deliveries accepted for this destination so far.
    #[must_use]
    pub fn came(&self, destination: &str) -> u64 {
        self.routed.get(&Destination { destination: destination.to_owned() }).map_or(0, |counter| counter.get())
    }

    /// Deliveries this destination has acknowledged so far.
    #[must_use]
    pub fn went(&self, destination: &str) -> u64 {
        let wanted = Attempt { destination: destination.to_owned(), outcome: AttemptOutcome::Acknowledged.as_str() };
        self.attempts.get(&wanted).map_or(0, |counter| counter.get())
    }

    /// An attempt to deliver ended.
    pub fn attempt(&self, destination: &str, outcome: &'static str, time: Duration) {
        let destination = destination.to_owned();
        self.attempts.get_or_create(&Attempt { destination: destination.clone(), outcome }).inc();
        self.sending.get_or_create(&Destination { destination }).observe(time.as_secs_f64());
    }

    /// Calls of this destination are spaced after so many in a row that were not taken, or are not.
    pub fn spaced(&self, destination: &str, after: Option<usize>) {
        let mut untaken = self.untaken.lock().unwrap_or_else(PoisonError::into_inner);
        match after {
            Some(count) => untaken.insert(destination.to_owned(), count),
            None => untaken.remove(destination),
        };
        let gauge = self.spaced.get_or_create_owned(&Destination { destination: destination.to_owned() });
        gauge.set(i64::from(after.is_some()));
    }

    /// After how many in a row that were not taken calls of this destination are spaced; `None` while they are not.
    #[must_use]
    pub fn untaken(&self, destination: &str) -> Option<usize> {
        self.untaken.lock().unwrap_or_else(PoisonError::into_inner).get(destination).copied()
    }

    /// A question to the terminology server was answered, from there or from memory, or was not.
    pub fn terminology(&self, outcome: &'static str) {
        self.terminology.get_or_create(&Answered { outcome }).inc();
    }

    /// The terminology server answered, or failed, after this time.
    pub fn terminology_answered(&self, time: Duration) {
        self.asking.observe(time.as_secs_f64());
    }

    /// The certificate of this setting ends then, in seconds since 1970.
    pub fn certificate_ends(&self, setting: &str, time: i64) {
        self.certificates.get_or_create(&Certificate { setting: setting.to_owned() }).set(time);
    }

    /// All of it as text, with the backlog of now; a destination that is not in it has none. `waits`: whether deliveries
    /// in a state wait to be sent, rather than for an operator.
    ///
    /// # Errors
    /// When the text cannot be written, which no input causes.
    pub fn text(&self, backlog: &[Backlog], waits: impl Fn(&str) -> bool) -> Result<String, fmt::Error> {
        // What was there at the last look and is gone must not stay at its last value.
        self.deliveries.clear();
        self.oldest.clear();
        for Backlog { destination, state, count, oldest } in backlog {
            self.deliveries.get_or_create(&InState { destination: destination.clone(), state }).set(*count);
            let age = i64::try_from(oldest.as_secs()).unwrap_or(i64::MAX);
            let gauge = self.oldest.get_or_create(&Destination { destination: destination.clone() });
            if waits(state) && age > gauge.get() {
                gauge.set(age);
            }
        }
        let mut text = String::new();
        text::encode(&mut text, &self.registry)?;
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_counted_is_told_and_a_backlog_that_is_gone_is_gone() {
        let metrics = Metrics::default();
        metrics.message("gp", "accepted", Duration::from_millis(3));
        metrics.message("gp", "accepted", Duration::from_millis(3));
        metrics.attempt("pas", "acknowledged", Duration::from_secs(3));
        metrics.certificate_ends("http.tls.certificate", 1_893_456_000);
        let of = |destination: &str, state, count, seconds| Backlog {
            destination: destination.to_owned(),
            state,
            count,
            oldest: Duration::from_secs(seconds),
        };
        let backlog = [of("pas", "ready", 2, 30), of("pas", "waiting", 7, 90), of("pas", "dead", 1, 9_000)];
        let told = metrics.text(&backlog, |state| state != "dead").unwrap();
        for line in [
            "signalbox_messages_total{source=\"gp\",outcome=\"accepted\"} 2",
            "signalbox_accepting_seconds_bucket{le=\"0.002\"} 0",
            "signalbox_accepting_seconds_bucket{le=\"0.005\"} 2",
            "signalbox_sending_seconds_count{destination=\"pas\"} 1",
            "signalbox_deliveries{destination=\"pas\",state=\"dead\"} 1",
            "signalbox_oldest_delivery_seconds{destination=\"pas\"} 90",
            "signalbox_certificate_ends_seconds{setting=\"http.tls.certificate\"} 1893456000",
        ] {
            assert!(told.lines().any(|told| told == line), "{line}\n{told}");
        }
        let told = metrics.text(&[], |_| true).unwrap();
        assert!(!told.contains("signalbox_deliveries{") && !told.contains("oldest_delivery_seconds{"), "{told}");
    }
}
