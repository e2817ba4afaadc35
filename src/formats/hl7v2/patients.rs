//! The patients a message is about, as keys (P4): every identifier in PID-3 and, of a merge, in MRG-1, with its
//! authority. The NHS number, and identifiers whose authority is agreed for a system, have the keys that FHIR resources of
//! the same patient have; so the two kinds of messages keep one order.
//!
//! A key is `id|SYSTEM|VALUE`, `cx|AUTHORITY|VALUE` for an authority without a system, `local|SOURCE|VALUE` without one.

use std::collections::{BTreeMap, BTreeSet};

use super::escape::unescape;
use super::fields::Fields;
use super::uk;
use crate::formats::fhir_json::patients::identifier_key;

/// Every patient key of a message from `source`, sorted, each once. `authorities`: identifier system -> authority.
#[must_use]
pub fn identities(message: &Fields<'_>, source: &str, authorities: &BTreeMap<String, String>) -> Vec<String> {
    let mut found = BTreeSet::new();
    for segment in message.segments() {
        let identifiers = match segment.name() {
            // Up to v2.2 the number may stand in PID-2 alone.
            b"PID" if segment.field(3).is_empty() => segment.field(2),
            b"PID" => segment.field(3),
            b"MRG" => segment.field(1),
            _ => continue,
        };
        for repetition in message.repetitions(identifiers) {
            let component = |number| {
                let bytes = message.subcomponent(message.component(repetition, number), 1);
                unescape(String::from_utf8_lossy(bytes).trim(), message.delimiters())
            };
            let (value, authority, kind) = (component(1), component(4), component(5));
            if !value.is_empty() && value != "\"\"" {
                found.insert(key(source, &value, &authority, &kind, authorities));
            }
        }
    }
    found.into_iter().collect()
}

fn key(source: &str, value: &str, authority: &str, kind: &str, authorities: &BTreeMap<String, String>) -> String {
    if authority == uk::NHS_AUTHORITY || (authority.is_empty() && kind == uk::NHS_TYPE) {
        return identifier_key(uk::NHS_NUMBER, value);
    }
    let value = value.split_whitespace().collect::<String>();
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
    }
}
