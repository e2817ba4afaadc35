//! What a journey asks of a gateway with destinations: send a patient, see where its delivery stands and how each attempt
//! ended, act on it as an operator.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use signalbox::clock::Clock;
use signalbox::delivery::operator::{self, Act, ActError};
use signalbox::exchange::state::{DeliveryState, DeliveryStatus};
use signalbox::exchange::{DeliveryId, ExchangeId};
use signalbox::store::reports;
use signalbox::store::stories::{self, Story};

use super::TestGateway;

/// NHS numbers of the range that is given to nobody.
pub(crate) const ADA: &str = "9990000018";
/// Another.
pub(crate) const BEN: &str = "9990000026";

/// A patient with this NHS number.
pub(crate) fn patient(number: &str, family: &str) -> String {
    format!(
        r#"{{"resourceType":"Patient","identifier":[{{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"{number}"}}],
            "name":[{{"family":"{family}","given":["Test"]}}],"gender":"female","birthDate":"1980-02-29"}}"#
    )
}

impl TestGateway {
    /// Posts a patient, who must be accepted.
    pub(crate) async fn accept(&self, number: &str, family: &str) -> ExchangeId {
        Self::exchange_of(&self.send(Method::POST, "Patient", patient(number, family)).await)
    }

    /// The one delivery of an exchange.
    pub(crate) async fn delivery(&self, exchange: ExchangeId) -> DeliveryStatus {
        let mut deliveries = reports::deliveries(&mut self.connect().await, exchange).await.unwrap();
        assert_eq!(deliveries.len(), 1);
        deliveries.remove(0)
    }

    /// The one delivery of an exchange, when it is as wanted.
    pub(crate) async fn until(&self, exchange: ExchangeId, wanted: impl Fn(&DeliveryStatus) -> bool) -> DeliveryStatus {
        for _ in 0..600 {
            let delivery = self.delivery(exchange).await;
            if wanted(&delivery) {
                return delivery;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("it did not come to that: {:?}", self.delivery(exchange).await);
    }

    /// The one delivery of an exchange, when it is in this state.
    pub(crate) async fn until_it_is(&self, exchange: ExchangeId, state: DeliveryState) -> DeliveryStatus {
        self.until(exchange, |delivery| delivery.state == state).await
    }

    /// The Task a sender reads.
    pub(crate) async fn task(&self, exchange: ExchangeId) -> Value {
        let answer = self.send(Method::GET, &format!("Task/{exchange}"), "").await;
        assert_eq!(answer.status(), 200);
        serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap()
    }

    /// The whole story of an exchange.
    pub(crate) async fn story(&self, exchange: ExchangeId) -> Story {
        stories::tell(&mut self.connect().await, exchange.uuid()).await.unwrap().unwrap()
    }

    /// How each attempt of the one delivery ended, and why.
    pub(crate) async fn attempts(&self, exchange: ExchangeId) -> Vec<(&'static str, String)> {
        let (_, attempts, _) = self.story(exchange).await.deliveries.remove(0);
        attempts.into_iter().map(|attempt| (attempt.outcome.as_str(), attempt.note)).collect()
    }

    /// An operator says: try it again.
    pub(crate) async fn retry(&self, delivery: DeliveryId, reason: &str) -> Result<(), ActError> {
        operator::retry(&mut self.connect().await, delivery, &act(reason)).await
    }

    /// An operator says: leave it out.
    pub(crate) async fn skip(&self, delivery: DeliveryId, reason: &str) -> Result<(), ActError> {
        operator::skip(&mut self.connect().await, delivery, &act(reason)).await
    }
}

fn act(reason: &str) -> Act {
    Act {
        actor: "sam".to_owned(),
        reason: reason.to_owned(),
        now: Clock::system().now(),
        config_hash: "of a test".to_owned(),
        packs: "of a test".to_owned(),
    }
}
