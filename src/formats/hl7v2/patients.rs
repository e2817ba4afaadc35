//! The patients a message is about, as keys (P4): every identifier in PID-3 and, of a merge, in MRG-1, with its
//! authority. The NHS number, and identifiers whose authority is agreed for a system, have the keys that FHIR resources of
//! the same patient have; so the two kinds of messages keep one order.
//!
//! A key is `id|SYSTEM|VALUE`, `cx|AUTHORITY|VALUE` for an authority without a system, `local|SOURCE|VALUE` without one.
//! Messages about patients that name none have `nobody|SOURCE`: they keep their order among themselves.

use std::collections::{BTreeMap, BTreeSet};

use super::escape::unescape;
use super::fields::{Fields, Segment};
use super::uk;
use crate::formats::fhir_json::patients::identifier_key;

/// Message types about a patient, who stands in PID. Others, such as SIU, may do without.
const ABOUT_PATIENTS: [&[u8]; 18] = [
    b"ADT", b"BAR", b"DFT", b"MDM", b"OMG", b"OML", b"OMP", b"ORM", b"ORU", b"PPR", b"RAS", b"RDE", b"RDS", b"REF",
    b"RGV", b"RRI", b"VXU", b"OMI",
];

/// An identifier of a patient (CX) that has a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identifier {
    /// CX-1.
    pub value: String,
    /// CX-4, its namespace.
    pub authority: String,
    /// CX-5.
    pub kind: String,
}

impl Identifier {
    /// Whether it is called an NHS number.
    #[must_use]
    pub fn is_nhs_number(&self) -> bool {
        self.authority == uk::NHS_AUTHORITY || (self.authority.is_empty() && self.kind == uk::NHS_TYPE)
    }
}

/// Whether a message must say which patient it is about: by its type, or because it has a PID. A bed's status (ADT^A20)
/// is nobody's.
#[must_use]
pub fn is_about_a_patient(message: &Fields<'_>) -> bool {
    let header = message.header();
    let by_type = ABOUT_PATIENTS.contains(&header.component(9, 1)) && header.component(9, 2) != b"A20";
    by_type || message.segments().any(|segment| segment.name() == b"PID")
}

/// The identifiers in a PID (PID-3) or MRG (MRG-1); none of another segment.
#[must_use]
pub fn identifiers(message: &Fields<'_>, segment: &Segment<'_, '_>) -> Vec<Identifier> {
    let list = match segment.name() {
        // Up to v2.2 the number may stand in PID-2 alone.
        b"PID" if segment.field(3).is_empty() => segment.field(2),
        b"PID" => segment.field(3),
        b"MRG" => segment.field(1),
        _ => return Vec::new(),
    };
    let all = message.repetitions(list).map(|repetition| {
        let component = |number| {
            let bytes = message.subcomponent(message.component(repetition, number), 1);
            unescape(String::from_utf8_lossy(bytes).trim(), message.delimiters())
        };
        Identifier { value: component(1), authority: component(4), kind: component(5) }
    });
    all.filter(|identifier| !identifier.value.is_empty() && identifier.value != "\"\"").collect()
}

/// Every patient key of a message from `source`, sorted, each once. `authorities`: identifier system -> authority.
#[must_use]
pub fn identities(message: &Fields<'_>, source: &str, authorities: &BTreeMap<String, String>) -> Vec<String> {
    let identifiers = message.segments().flat_map(|segment| identifiers(message, &segment));
    let mut found: BTreeSet<String> = identifiers.map(|identifier| key(source, &identifier, authorities)).collect();
    if found.is_empty() && is_about_a_patient(message) {
        found.insert(format!("nobody|{source}"));
    }
    found.into_iter().collect()
}

fn key(source: &str, identifier: &Identifier, authorities: &BTreeMap<String, String>) -> String {
    if identifier.is_nhs_number() {
        return identifier_key(uk::NHS_NUMBER, &identifier.value);
    }
    let authority = &identifier.authority;
    let value = identifier.value.split_whitespace().collect::<String>();
    match authorities.iter().find(|(_, agreed)| *agreed == authority) {
        Some((system, _)) => identifier_key(system, &value),
        None if authority.is_empty() => format!("local|{source}|{value}"),
        None => format!("cx|{}|{value}", authority.replace('|', "%7C")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(message: &str) -> Vec<String> {
        let authorities = BTreeMap::from([("https://pas.example/number".to_owned(), "RXX".to_owned())]);
        identities(&Fields::read(message.as_bytes()).unwrap(), "pas", &authorities)
    }

    #[test]
    fn every_identifier_with_its_authority_is_a_key() {
        let message = "MSH|^~\\&|A|B\rPID|1||999 000 0018^^^NHS^NH~X1^^^RXX~Y2^^^RYY&1.2&ISO~Z 3~\"\"^^^RXX\rPV1|1|I";
        let keys = ["cx|RYY|Y2", "id|https://fhir.nhs.uk/Id/nhs-number|9990000018", "id|https://pas.example/number|X1"];
        assert_eq!(of(message), [keys[0], keys[1], keys[2], "local|pas|Z3"]);
    }

    #[test]
    fn a_merge_has_both_sides_and_several_groups_have_all() {
        let message = "MSH|^~\\&|A|B\rPID|||1^^^RXX\rMRG|2^^^RXX~7^^^NHS\nPID|||3^^^RXX\rMRG|4^^^RXX";
        let system = "id|https://pas.example/number|";
        let wanted = [format!("{system}1"), format!("{system}2"), format!("{system}3"), format!("{system}4")];
        assert_eq!(of(message)[1..], wanted);
        assert_eq!(of(message)[0], "id|https://fhir.nhs.uk/Id/nhs-number|7");
    }

    #[test]
    fn the_external_number_counts_where_the_list_is_empty_and_no_patient_is_no_key() {
        assert_eq!(of("MSH|^~\\&|A|B\rPID|1|77^^^RXX|"), ["id|https://pas.example/number|77"]);
        assert_eq!(of("MSH|^~\\&|A|B\rPID|1|77^^^RXX|8^^^RXX"), ["id|https://pas.example/number|8"]);
        assert!(of("MSH|^~\\&|A|B\rMFI|1").is_empty());
        assert!(of("MSH|^~\\&|A|B|||||ADT^A20\rNPU|1").is_empty());
        assert!(of("MSH|^~\\&|A|B|||||SIU^S12\rSCH|1").is_empty());
    }

    #[test]
    fn messages_about_nobody_named_share_a_key_of_their_source() {
        for message in ["MSH|^~\\&|A|B|||||ADT^A31\rPID|1||\"\"^^^NHS||X", "MSH|^~\\&|A|B|||||ORU^R01\rOBX|1"] {
            assert_eq!(of(message), ["nobody|pas"], "{message}");
        }
    }
}
