//! The sequence number protocol (MSH-13 and MSA-4, HL7 v2.4 §2.10.1), where a door has agreed on it: a number that is not
//! the next one means that a message is missing, and is refused until the missing one has come. Numbers are counted for
//! each source of a door, in memory: the first one after a start is taken as it is.

use std::collections::HashMap;
use std::sync::Arc;

use tokio::sync::Mutex;

use crate::config::mllp::{Mllp, Sequence};
use crate::formats::hl7v2::header::Header;

/// The number that is expected next from one source; `None` before the first.
pub(super) type Expected = Arc<Mutex<Option<i64>>>;

/// What a number means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// It is taken; afterwards this is expected.
    Next(Option<i64>),
    /// Something is missing, or came before; this is expected.
    Wrong(i64),
}

/// The counts of a door that has agreed on the protocol.
pub(super) fn counts(settings: &Mllp) -> HashMap<String, Expected> {
    let sources = settings.sources.iter().filter(|_| settings.sequence == Sequence::Check);
    sources.map(|source| (source.clone(), Expected::default())).collect()
}

/// Where a message stands.
pub(super) fn place(header: &Header<'_>, expected: Option<i64>) -> Place {
    let number = std::str::from_utf8(header.component(13, 1)).ok().and_then(|text| text.trim().parse::<i64>().ok());
    match (number, expected) {
        // Nothing is said, or the sender asks where we are.
        (None | Some(0), _) => Place::Next(expected),
        // It begins anew.
        (Some(-1), _) => Place::Next(None),
        (Some(number), Some(expected)) if number != expected => Place::Wrong(expected),
        (Some(number), _) => Place::Next(number.checked_add(1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_number_is_taken_and_another_is_not() {
        let place = |number: &str, expected| {
            let message = format!("MSH|^~\\&|A|B|C|D|2026||ADT^A31|1|P|2.4|{number}");
            super::place(&Header::read(message.as_bytes()).unwrap(), expected)
        };
        assert_eq!(place("5", None), Place::Next(Some(6)), "the first sets the count");
        assert_eq!(place("6", Some(6)), Place::Next(Some(7)));
        assert_eq!(place("8", Some(6)), Place::Wrong(6));
        assert_eq!(place("5", Some(6)), Place::Wrong(6));
        assert_eq!(place("0", Some(6)), Place::Next(Some(6)), "where are we?");
        assert_eq!(place("-1", Some(6)), Place::Next(None));
        assert_eq!(place("", Some(6)), Place::Next(Some(6)));
        assert_eq!(place("x", Some(6)), Place::Next(Some(6)));
    }
}
