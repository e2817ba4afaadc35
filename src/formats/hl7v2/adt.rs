//! ADT messages (HL7 v2.4 §3.3): which event a delivery is, and the segments of its structure in their order.

use chrono::{DateTime, Utc};
use signalbox_validator::json::Value;

use super::element::text;
use super::message::{self, Segment};
use super::partner::Partner;
use super::references::{Resources, resource_type};
use super::{Unmapped, evn, msh, nk1, pd1, pid, pv1, visit};
use crate::exchange::Interaction;

/// What a message says of the delivery rather than of the patient.
#[derive(Debug, Clone)]
pub struct Occasion {
    /// MSH-10, the same on every attempt.
    pub control_id: String,
    /// MSH-7 and EVN-2.
    pub received_at: DateTime<Utc>,
    /// What the sender asked.
    pub interaction: Interaction,
}

/// A message ready to be framed.
#[derive(Clone, PartialEq, Eq)]
pub struct Encoded {
    /// Which event it is.
    pub event: Event,
    /// The message in the partner's character set.
    pub bytes: Vec<u8>,
}

/// The events we send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// Admit.
    A01,
    /// Discharge.
    A03,
    /// Update of a visit.
    A08,
    /// Cancel of an admission.
    A11,
    /// Add a person.
    A28,
    /// Update of a person.
    A31,
}

impl Event {
    /// MSH-9.2.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::A01 => "A01",
            Self::A03 => "A03",
            Self::A08 => "A08",
            Self::A11 => "A11",
            Self::A28 => "A28",
            Self::A31 => "A31",
        }
    }

    /// MSH-9.3.
    #[must_use]
    pub fn structure(self) -> &'static str {
        match self {
            Self::A01 | Self::A08 => "ADT_A01",
            Self::A03 => "ADT_A03",
            Self::A11 => "ADT_A09",
            Self::A28 | Self::A31 => "ADT_A05",
        }
    }

    /// Whether the structure has NK1: in v2.4 a discharge and a cancellation do not.
    fn has_contacts(self) -> bool {
        !matches!(self, Self::A03 | Self::A11)
    }
}

/// Says a Patient, or an Encounter with its Patient, in HL7 v2.4.
///
/// # Errors
/// What the delivery lacks or HL7 v2 cannot say; names elements, never values.
pub fn encode(body: Value<'_>, occasion: &Occasion, partner: &Partner) -> Result<Encoded, Unmapped> {
    let (event, segments) = match resource_type(body).as_str() {
        "Patient" => person(body, occasion, partner)?,
        "Encounter" | "Bundle" => encounter(body, occasion, partner)?,
        _ => return Err(Unmapped::new("resourceType: HL7 v2 destinations take Patient, Encounter and Bundle only")),
    };
    let bytes = message::write(&segments, partner.charset).map_err(|error| Unmapped(error.to_string()))?;
    Ok(Encoded { event, bytes })
}

type Message = (Event, Vec<Segment>);

fn person(patient: Value<'_>, occasion: &Occasion, partner: &Partner) -> Result<Message, Unmapped> {
    let event = match occasion.interaction {
        Interaction::Create | Interaction::Transaction | Interaction::Message => Event::A28,
        Interaction::Update => Event::A31,
    };
    let evn = evn::evn(event, patient, occasion)?;
    let mut segments = vec![msh::msh(event, occasion, partner), evn, pid::pid(patient, partner)?];
    segments.extend(pd1::pd1(patient, patient, &Resources::of(patient), partner));
    segments.extend(nk1::nk1(patient, partner));
    segments.push(pv1::none());
    Ok((event, segments))
}

fn encounter(body: Value<'_>, occasion: &Occasion, partner: &Partner) -> Result<Message, Unmapped> {
    let visit = visit::find(body)?;
    let update = visit.update || occasion.interaction == Interaction::Update;
    let event = event_of(&text(visit.encounter, &["status"]), update)?;
    let evn = evn::evn(event, visit.encounter, occasion)?;
    let mut segments = vec![msh::msh(event, occasion, partner), evn, pid::pid(visit.patient, partner)?];
    segments.extend(pd1::pd1(visit.patient, visit.patient_container, &visit.resources, partner));
    if event.has_contacts() {
        segments.extend(nk1::nk1(visit.patient, partner));
    }
    segments.push(pv1::pv1(&visit, partner)?);
    Ok((event, segments))
}

fn event_of(status: &str, update: bool) -> Result<Event, Unmapped> {
    match status {
        "in-progress" if update => Ok(Event::A08),
        "in-progress" => Ok(Event::A01),
        "finished" => Ok(Event::A03),
        "cancelled" => Ok(Event::A11),
        _ => Err(Unmapped::new(
            "Encounter.status: HL7 v2 destinations take in-progress (A01, A08), finished (A03) and cancelled (A11) only",
        )),
    }
}
