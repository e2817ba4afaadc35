//! What an acknowledgement means for the delivery (HL7 v2.4 §2.9.2 and table 0357). Notes carry codes only.

use crate::delivery::destination::{Acknowledgement, DeliveryError};
use crate::formats::hl7v2::ack::{Ack, Code};

/// Table 0357 from "segment sequence error" to "duplicate key identifier": the same message would fail again.
const FAULT_OF_THE_MESSAGE: std::ops::RangeInclusive<u16> = 100..=205;

/// Judges an acknowledgement of the message with this control id.
///
/// # Errors
/// Unknown when it answers another message; refused when it says the message is at fault; transient otherwise.
pub fn judge(ack: &Ack, control_id: &str) -> Result<Acknowledgement, DeliveryError> {
    if ack.control_id != control_id {
        return Err(DeliveryError::unknown("the acknowledgement names another message in MSA-2"));
    }
    let code = ack.code.as_str();
    let note = match &ack.errors[..] {
        [] => format!("MSA-1 {code}"),
        errors => format!("MSA-1 {code}, error {}", errors.iter().map(u16::to_string).collect::<Vec<_>>().join(", ")),
    };
    match ack.code {
        Code::AA | Code::CA => Ok(Acknowledgement { code: code.to_owned(), note }),
        Code::AR | Code::CR => Err(DeliveryError::refused(note)),
        Code::AE if ack.errors.iter().any(|error| FAULT_OF_THE_MESSAGE.contains(error)) => {
            Err(DeliveryError::refused(note))
        }
        Code::AE | Code::CE => Err(DeliveryError::transient(note)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(code: Code, errors: &[u16], control_id: &str) -> String {
        let ack = Ack { code, control_id: control_id.into(), errors: errors.to_vec() };
        match judge(&ack, "7") {
            Ok(acknowledged) => format!("acknowledged: {}", acknowledged.note),
            Err(DeliveryError::Refused { reason }) => format!("refused: {reason}"),
            Err(DeliveryError::Transient { reason, .. }) => format!("transient: {reason}"),
            Err(DeliveryError::Unknown { .. }) => "unknown".to_owned(),
        }
    }

    #[test]
    fn every_answer_has_one_meaning() {
        let table: [(Code, &[u16], &str); 14] = [
            (Code::AA, &[], "acknowledged: MSA-1 AA"),
            (Code::CA, &[], "acknowledged: MSA-1 CA"),
            (Code::AA, &[207], "acknowledged: MSA-1 AA, error 207"),
            (Code::AR, &[], "refused: MSA-1 AR"),
            (Code::AR, &[207], "refused: MSA-1 AR, error 207"),
            (Code::CR, &[], "refused: MSA-1 CR"),
            (Code::AE, &[100], "refused: MSA-1 AE, error 100"),
            (Code::AE, &[205], "refused: MSA-1 AE, error 205"),
            (Code::AE, &[207, 101], "refused: MSA-1 AE, error 207, 101"),
            (Code::AE, &[206], "transient: MSA-1 AE, error 206"),
            (Code::AE, &[207], "transient: MSA-1 AE, error 207"),
            (Code::AE, &[], "transient: MSA-1 AE"),
            (Code::CE, &[], "transient: MSA-1 CE"),
            (Code::CE, &[102], "transient: MSA-1 CE, error 102"),
        ];
        for (code, errors, meaning) in table {
            assert_eq!(judged(code, errors, "7"), meaning);
            assert_eq!(judged(code, errors, "8"), "unknown");
            assert_eq!(judged(code, errors, ""), "unknown");
        }
    }
}
