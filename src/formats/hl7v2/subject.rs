//! Whether a message says whom it is about: a patient without an identifier, a merge without the number that ends (HL7 v2.4
//! §3.3.18 and further), an [NHS number](https://www.datadictionary.nhs.uk/attributes/nhs_number.html) that is none. Nobody
//! can file such a message, or it is filed to somebody else.

use super::fields::Fields;
use super::patients::{identifiers, is_about_a_patient};
use super::remarks::Remark;
use super::uk;

/// Events that end an identifier, which stands in MRG-1.
const MERGES: [&[u8]; 13] =
    [b"A18", b"A30", b"A34", b"A35", b"A36", b"A39", b"A40", b"A41", b"A42", b"A43", b"A44", b"A47", b"A49"];

/// What is missing or wrong about those whom a message is about.
pub(super) fn remarks(message: &Fields<'_>) -> Vec<Remark> {
    let mut remarks = Vec::new();
    let (mut patients, mut merged) = (0_usize, 0_usize);
    let (mut nobody, mut unmerged) = (Vec::new(), None);
    for segment in message.segments() {
        let (name, count) = match segment.name() {
            b"PID" => ("PID", &mut patients),
            b"MRG" => ("MRG", &mut merged),
            _ => continue,
        };
        *count += 1;
        let occurrence = if *count > 1 { format!("[{count}]") } else { String::new() };
        let place = format!("{name}{occurrence}-{}", if name == "PID" { 3 } else { 1 });
        let found = identifiers(message, &segment);
        if found.iter().any(|one| one.is_nhs_number() && !is_right(&one.value)) {
            let sentence = "An NHS number is not ten digits with the right check digit; it is kept as it stands.";
            remarks.push(Remark { place: place.clone(), code: 102, sentence });
        }
        match (name, found.is_empty()) {
            (_, false) => {}
            ("PID", true) => nobody.push(place),
            (_, true) => unmerged = unmerged.or(Some(place)),
        }
    }
    if patients == 0 && is_about_a_patient(message) {
        nobody.push("PID-3".to_owned());
    }
    let sentence = "No identifier of the patient came: the message says of nobody what it says.";
    remarks.extend(nobody.into_iter().map(|place| Remark { place, code: 101, sentence }));
    if MERGES.contains(&message.header().component(9, 2)) && message.header().component(9, 1) == b"ADT" {
        let missing = (merged < patients.max(1)).then(|| "MRG-1".to_owned());
        let sentence = "A merge or move without the identifier that ends, or that is moved (MRG-1).";
        remarks.extend(unmerged.or(missing).map(|place| Remark { place, code: 101, sentence }));
    }
    remarks
}

/// Whether it is an NHS number, in one piece or in groups.
fn is_right(value: &str) -> bool {
    uk::is_nhs_number(&value.split_whitespace().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(event: &str, rest: &str) -> Vec<String> {
        let message = format!("MSH|^~\\&|A|B|C|D|2026||{event}|1|P|2.4\r{rest}");
        let remarks = remarks(&Fields::read(message.as_bytes()).unwrap());
        remarks.into_iter().map(|remark| format!("{} {}", remark.place, remark.code)).collect()
    }

    #[test]
    fn a_message_about_a_patient_names_one() {
        for (event, rest) in [
            ("ADT^A31", "PID|1||9990000018^^^NHS"),
            ("ADT^A31", "PID|1||999 000 0018^^^NHS~X1"),
            ("ADT^A31", "PID|1|X1|"),
            ("ADT^A20", "NPU|1"),
            ("SIU^S12", "SCH|1"),
            ("MFN^M02", "MFI|1"),
        ] {
            assert_eq!(told(event, rest), [""; 0], "{event} {rest}");
        }
        for (event, rest) in [
            ("ADT^A31", "PID|1||^^^NHS||Test"),
            ("ADT^A31", "PID|1||\"\"~||Test"),
            ("ADT^A31", "EVN|A31"),
            ("ORU^R01", "OBX|1"),
            ("SIU^S12", "SCH|1\rPID|1||"),
        ] {
            assert_eq!(told(event, rest), ["PID-3 101"], "{event} {rest}");
        }
        assert_eq!(told("ORU^R01", "PID|1||X1\rOBX|1\rPID|2||\rOBX|1"), ["PID[2]-3 101"]);
    }

    #[test]
    fn a_merge_names_the_number_that_ends() {
        for (event, rest) in [
            ("ADT^A40", "PID|1||X1\rMRG|X2"),
            ("ADT^A40", "PID|1||X1\rMRG|X2\rPID|2||X3\rMRG|X4"),
            ("ADT^A31", "PID|1||X1"),
            ("ADT^A24", "PID|1||X1\rPID|2||X2"),
        ] {
            assert_eq!(told(event, rest), [""; 0], "{event} {rest}");
        }
        for event in ["A18", "A30", "A34", "A35", "A36", "A39", "A40", "A41", "A42"] {
            let event = format!("ADT^{event}");
            for rest in ["PID|1||X1", "PID|1||X1\rMRG|", "PID|1||X1\rMRG|^^^NHS", "PID|1||X1\rMRG|X2\rPID|2||X3"] {
                assert_eq!(told(&event, rest), ["MRG-1 101"], "{event} {rest}");
            }
        }
        assert_eq!(told("ADT^A40", "PID|1||X1\rMRG|X2\rPID|2||X3\rMRG|"), ["MRG[2]-1 101"]);
    }

    #[test]
    fn an_nhs_number_has_its_check_digit() {
        for number in ["9990000019^^^NHS", "999000001^^^NHS", "99900000180^^^NHS", "X1^^^NHS", "9990000019^^^^NH"] {
            assert_eq!(told("ADT^A31", &format!("PID|1||X1~{number}")), ["PID-3 102"], "{number}");
        }
        assert_eq!(told("ADT^A40", "PID|1||9990000018^^^NHS\rMRG|9990000019^^^NHS"), ["MRG-1 102"]);
        assert_eq!(told("ADT^A31", "PID|1||9990000019^^^RX1"), [""; 0], "of a trust");
    }
}
