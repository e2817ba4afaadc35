//! An exchange: one message on its way through the gateway, from the moment a partner hands it over. It never changes
//! once stored. Vocabulary of everything above; imports nothing but the configuration's neighbours.

pub mod ids;
pub mod keys;
pub mod rows;
pub mod sender;
pub mod state;

use std::borrow::Cow;

use bytes::Bytes;
use chrono::{DateTime, Utc};

pub use ids::{DeliveryId, ExchangeId};
pub use sender::{OdsCode, Sender};

/// What the sender asks to be done with the resource ([RESTful API](https://hl7.org/fhir/R4/http.html)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Interaction {
    /// `POST [base]/{type}`
    Create,
    /// `PUT [base]/{type}/{id}`
    Update,
    /// `POST [base]` with a Bundle that is taken whole or not at all.
    Transaction,
    /// An HL7 v2 message; its type says what is asked.
    Message,
}

impl Interaction {
    /// The FHIR code of the interaction; also how it is stored.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Create => "create",
            Self::Update => "update",
            Self::Transaction => "transaction",
            Self::Message => "message",
        }
    }

    /// The interaction with this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        let all = [Self::Create, Self::Update, Self::Transaction, Self::Message];
        all.into_iter().find(|interaction| interaction.as_str() == code)
    }
}

/// The preconditions a sender puts on an interaction, carried to the destination unread.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// `If-None-Exist`: the search that must find nothing for a create to happen.
    pub if_none_exist: Option<String>,
    /// `If-Match`: the version an update must start from.
    pub if_match: Option<String>,
}

/// The ids a sender gives a request, and those we give it when it does not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestIds {
    /// `X-Request-ID` as the sender wrote it: the key by which a repeat is recognised. Of an HL7 v2 message made from
    /// MSH-3, MSH-4 and MSH-10. `None`: no repeat can be.
    pub request: Option<uuid::Uuid>,
    /// `X-Correlation-ID`, the sender's or ours; of an HL7 v2 message MSH-10.
    pub correlation: String,
}

/// A message as it arrived: known sender, unread body.
#[derive(Clone)]
pub struct Arrival {
    /// Which door it came in by: `fhir`, or `mllp/NAME`.
    pub endpoint: Cow<'static, str>,
    /// Who sent it.
    pub sender: Sender,
    /// The organisation on whose behalf (`NHSD-End-User-Organisation-ODS`).
    pub end_user_ods: Option<OdsCode>,
    /// What is asked.
    pub interaction: Interaction,
    /// Resource type in the URL; of an HL7 v2 message its type and trigger event, `ADT^A31`, empty when it has none.
    pub resource_type: String,
    /// Logical id in the URL of an update.
    pub resource_id: Option<String>,
    /// Preconditions.
    pub conditions: Conditions,
    /// Ids of the request.
    pub ids: RequestIds,
    /// Whether the sender waits for destinations that reply.
    pub reply: bool,
    /// When the request's head was read.
    pub received_at: DateTime<Utc>,
    /// The body, exactly as sent.
    pub body: Bytes,
}
