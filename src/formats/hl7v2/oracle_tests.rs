//! Two readers of HL7 v2 that others wrote, asked the same of messages made at random.

use proptest::prelude::*;

use super::fields::Fields;

/// A message of three segments, each with fields, repetitions, components and subcomponents.
fn message() -> impl Strategy<Value = String> {
    let value = "[A-Za-z0-9 .]{0,5}";
    let component = prop::collection::vec(value, 1..3).prop_map(|parts| parts.join("&"));
    let repetition = prop::collection::vec(component, 1..4).prop_map(|parts| parts.join("^"));
    let field = prop::collection::vec(repetition, 1..4).prop_map(|parts| parts.join("~"));
    let fields = prop::collection::vec(field, 1..7).prop_map(|parts| parts.join("|"));
    prop::collection::vec(fields, 3).prop_map(|segments| {
        let header = "MSH|^~\\&|PAS|RXX|TIE|RYY|20260102123600||ADT^A31^ADT_A05|C1|P|2.4";
        format!("{header}\rPID|{}\rOBX|{}\rOBX|{}\r", segments[0], segments[1], segments[2])
    })
}

fn ours(fields: &Fields<'_>, place: &str) -> Option<String> {
    fields.get(&place.parse().unwrap()).map(|value| String::from_utf8(value.to_vec()).unwrap())
}

proptest! {
    #[test]
    fn er7_finds_the_same_at_every_place(
        message in message(),
        (occurrence, field, repetition, component, sub) in (1_usize..4, 1_usize..8, 1_usize..5, 1_usize..5, 1_usize..4),
    ) {
        let fields = Fields::read(message.as_bytes()).unwrap();
        let other = er7::parse(&message).unwrap();
        for place in [
            format!("PID-{field}[{repetition}].{component}.{sub}"),
            format!("PID-{field}[{repetition}].{component}"),
            format!("PID-{field}[{repetition}]"),
            format!("OBX[{occurrence}]-{field}[{repetition}].{component}"),
            format!("MSH-{}", field + 2),
        ] {
            // It does not tell an empty place from one that is not written.
            let ours = ours(&fields, &place).filter(|value| !value.is_empty());
            prop_assert_eq!(ours, other.query(&place).unwrap().filter(|value| !value.is_empty()), "{}", place);
        }
    }

    #[test]
    fn hl7_parser_finds_the_same_at_every_place(
        message in message(),
        (field, repetition, component, sub) in (1_usize..8, 1_usize..5, 1_usize..5, 1_usize..4),
    ) {
        let fields = Fields::read(message.as_bytes()).unwrap();
        let other = hl7_parser::parse_message(&message).unwrap();
        let theirs = other.segment("PID").and_then(|pid| pid.field(field)).and_then(|field| field.repeat(repetition));
        let whole = theirs.map(|repetition| repetition.raw_value().to_owned());
        let part = theirs.and_then(|repetition| repetition.component(component));
        let deep = part.and_then(|component| component.subcomponent(sub)).map(|sub| sub.raw_value().to_owned());
        // It drops what is empty; where it finds something, that is what we find.
        let agree = |found: Option<String>, place: &str| {
            let ours = ours(&fields, place).filter(|value| !value.is_empty());
            found.filter(|value| !value.is_empty()) == ours
        };
        let place = format!("PID-{field}[{repetition}]");
        prop_assert!(agree(whole, &place), "{place}");
        let place = format!("PID-{field}[{repetition}].{component}");
        prop_assert!(agree(part.map(|part| part.raw_value().to_owned()), &place), "{place}");
        let place = format!("PID-{field}[{repetition}].{component}.{sub}");
        prop_assert!(agree(deep, &place), "{place}");
        prop_assert_eq!(other.segments().count(), fields.segments().count());
    }
}
