//! The MLLP destination: encodes, takes a connection, asks, and judges the answer within the timeout.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use signalbox_validator::json::Document;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, timeout_at};

use super::connection::{Broken, Connection};
use super::reconnect::Reconnect;
use super::settings::Acknowledgement as Decides;
use super::{Mllp, answer, framing};
use crate::adapters::Outside;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::delivery::destination::{Acknowledgement, Delivery, DeliveryError, Destination};
use crate::exchange::ids::Id;
use crate::exchange::{Conditions, Interaction};
use crate::formats::hl7v2::forward::Forwarded;
use crate::formats::hl7v2::header::Header;
use crate::formats::hl7v2::{self, Occasion, Partner, Unmapped, ack, acknowledge};
use crate::tls::client::Client;

/// A partner reached by MLLP.
pub(super) struct MllpDestination {
    address: String,
    partner: Partner,
    max_frame: usize,
    timeout: Duration,
    /// One permit for each connection that may be open.
    free: Semaphore,
    idle: Mutex<Vec<Connection>>,
    tls: Option<Client>,
    reconnect: Reconnect,
    decides: Decides,
    commit_bytes: bool,
    clock: Clock,
    chance: Chance,
}

impl MllpDestination {
    /// Connects when the first message comes.
    pub(super) fn new(settings: Mllp, tls: Option<Client>, outside: &Outside) -> Self {
        let (first, longest) = (settings.reconnect.0, settings.reconnect_max.0);
        Self {
            tls,
            reconnect: Reconnect::new(first, longest, outside.chance.clone()),
            clock: outside.clock.clone(),
            chance: outside.chance.clone(),
            decides: settings.acknowledgement,
            commit_bytes: settings.commit_bytes,
            partner: settings.partner(),
            max_frame: usize::try_from(settings.max_frame.0).unwrap_or(usize::MAX),
            free: Semaphore::new(settings.connections.min(Semaphore::MAX_PERMITS)),
            idle: Mutex::default(),
            address: settings.address,
            timeout: outside.timeout,
        }
    }

    /// A message that came as one is passed on, with its own control id; what came as FHIR is put into HL7 v2.
    fn encode(&self, delivery: &Delivery) -> Result<Forwarded, DeliveryError> {
        let encoded = match delivery.interaction {
            Interaction::Message => {
                let asks = if self.decides == Decides::Application { ["AL", "AL"] } else { ["AL", "NE"] };
                hl7v2::forward::forward(&delivery.body, self.partner.charset, asks)
            }
            _ => self.map(delivery).map(|bytes| Forwarded { bytes, control_id: delivery.id.to_string() }),
        };
        let encoded = encoded.map_err(|unmapped| DeliveryError::refused(unmapped.to_string()))?;
        if encoded.bytes.len() > self.max_frame {
            return Err(DeliveryError::refused(format!(
                "the message is longer than max_frame ({} bytes)",
                self.max_frame
            )));
        }
        Ok(encoded)
    }

    fn map(&self, delivery: &Delivery) -> Result<Vec<u8>, Unmapped> {
        let document = Document::read(&delivery.body).map_err(|error| Unmapped(error.to_string()))?;
        let occasion = Occasion {
            control_id: delivery.id.to_string(),
            received_at: delivery.received_at,
            interaction: delivery.interaction,
        };
        Ok(hl7v2::encode(document.root(), &occasion, &self.partner)?.bytes)
    }

    /// A connection and the right to use it, in half of the timeout: what is sent late would be given up unanswered.
    async fn ready(&self) -> Result<(SemaphorePermit<'_>, Connection), DeliveryError> {
        let deadline = Instant::now() + self.timeout / 2;
        let late = || format!("no connection to {} within half of the timeout", self.address);
        let permit = timeout_at(deadline, self.free.acquire()).await.map_err(|_| DeliveryError::transient(late()))?;
        let permit = permit.map_err(|_| DeliveryError::transient("the destination has been closed"))?;
        let connection = timeout_at(deadline, self.connection()).await.map_err(|_| {
            self.reconnect.failed(Instant::now(), &late());
            DeliveryError::transient(late())
        })??;
        Ok((permit, connection))
    }

    /// The partner's judgement; the connection is kept when the partner has answered properly, else closed.
    async fn ask(
        &self,
        mut connection: Connection,
        message: &[u8],
        id: &str,
    ) -> Result<Acknowledgement, DeliveryError> {
        let frame = framing::frame(message);
        let answered =
            if self.commit_bytes { connection.ask_committing(&frame).await } else { connection.ask(&frame).await };
        let mut judged = judge(&answered.map_err(|broken| lost(&broken))?, id);
        if self.decides == Decides::Application && judged.as_ref().is_ok_and(|taken| taken.code == "CA") {
            let answer = connection.hear().await.map_err(|broken| lost(&broken))?;
            judged = judge(&answer, id);
            self.accept(&mut connection, &answer).await;
        }
        if !matches!(judged, Err(DeliveryError::Unknown { .. })) {
            self.keep(connection);
        }
        judged
    }

    /// An application's acknowledgement is a message of its own, and may ask to be acknowledged by a CA.
    async fn accept(&self, connection: &mut Connection, answer: &[u8]) {
        let Some(header) = Header::read(answer).filter(|header| matches!(header.component(15, 1), b"AL" | b"SU"))
        else {
            return;
        };
        let at = self.clock.now();
        let control_id = Id::new(at, &self.chance).to_string();
        let taken = acknowledge::Acknowledgement {
            code: ack::Code::CA,
            control_id: &control_id,
            at,
            text: "",
            expected: None,
            error: None,
        };
        // The message is settled, whether the partner hears this or not.
        let _ = connection.tell(&acknowledge::write(Some(&header), &taken)).await;
    }

    /// An idle connection that is still good, else a new one.
    async fn connection(&self) -> Result<Connection, DeliveryError> {
        while let Some(mut connection) = self.take_idle() {
            if connection.is_usable() {
                return Ok(connection);
            }
        }
        // A partner that is left alone fails for the reason of the last call: both are one group of dead letters.
        if let Some((wait, reason)) = self.reconnect.wait(Instant::now()) {
            return Err(DeliveryError::Transient { reason, retry_after: Some(wait) });
        }
        match Connection::open(&self.address, self.tls.as_ref(), self.max_frame).await {
            Ok(connection) => {
                self.reconnect.succeeded();
                Ok(connection)
            }
            Err(error) => {
                let reason = format!("cannot connect to {}: {}", self.address, error.kind());
                let retry_after = Some(self.reconnect.failed(Instant::now(), &reason));
                Err(DeliveryError::Transient { reason, retry_after })
            }
        }
    }

    fn take_idle(&self) -> Option<Connection> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }

    fn keep(&self, connection: Connection) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
    }
}

fn judge(answered: &[u8], id: &str) -> Result<Acknowledgement, DeliveryError> {
    let ack = ack::read(answered).map_err(|error| DeliveryError::unknown(error.to_string()))?;
    answer::judge(&ack, id)
}

/// What a broken connection means for the message.
fn lost(broken: &Broken) -> DeliveryError {
    match broken {
        Broken::NotSent(_) | Broken::NotCommitted => DeliveryError::transient(broken.to_string()),
        _ => DeliveryError::unknown(broken.to_string()),
    }
}

#[async_trait]
impl Destination for MllpDestination {
    async fn deliver(&self, delivery: &Delivery) -> Result<Acknowledgement, DeliveryError> {
        let message = self.encode(delivery)?;
        let deadline = Instant::now() + self.timeout;
        let (_permit, connection) = self.ready().await?;
        let answered = timeout_at(deadline, self.ask(connection, &message.bytes, &message.control_id)).await;
        answered.unwrap_or_else(|_| {
            Err(DeliveryError::unknown("no acknowledgement within the timeout; the connection was closed"))
        })
    }

    fn render(&self, delivery: &Delivery) -> Result<Vec<u8>, DeliveryError> {
        self.encode(delivery).map(|message| message.bytes)
    }

    /// Messages, and what can be put into them.
    fn carries(&self, interaction: Interaction, conditions: &Conditions, _options: &serde_json::Value) -> bool {
        interaction != Interaction::Transaction && *conditions == Conditions::default()
    }

    /// Connects unless every connection is in use; the one it opens is kept, because some partners take only one.
    async fn check(&self) -> Result<(), DeliveryError> {
        if self.free.available_permits() == 0 {
            return Ok(());
        }
        let (_permit, connection) = self.ready().await?;
        self.keep(connection);
        Ok(())
    }
}
