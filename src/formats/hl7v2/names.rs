//! What segments and fields are called, of the messages that trusts exchange (HL7 v2.4 chapters 2 to 10, v2.5 where it
//! renamed or added; ITK for the `Z` segments). For people who read messages; nothing is decided by it.

/// A line for each segment: its letters, its name, and the names of its fields from 1, an empty one for a field that
/// nobody uses.
const NAMES: &str = include_str!("names.txt");

/// What a segment is called.
#[must_use]
pub fn segment(letters: &[u8]) -> Option<&'static str> {
    line(letters)?.split('|').nth(1)
}

/// What a field (from 1) of a segment is called.
#[must_use]
pub fn field(letters: &[u8], number: usize) -> Option<&'static str> {
    let number = number.checked_sub(1)?;
    line(letters)?.split('|').nth(number + 2).filter(|name| !name.is_empty())
}

fn line(letters: &[u8]) -> Option<&'static str> {
    NAMES.lines().find(|line| line.as_bytes().get(..3) == Some(letters))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_counted_from_one() {
        assert_eq!(segment(b"PID"), Some("Patient identification"));
        for (letters, number, name) in [
            ("MSH", 10, "Message control ID"),
            ("MSH", 18, "Character set"),
            ("PID", 3, "Patient identifier list"),
            ("PID", 32, "Identity reliability code"),
            ("PV1", 19, "Visit number"),
            ("PV1", 44, "Admit date/time"),
            ("PV1", 50, "Alternate visit ID"),
            ("OBR", 25, "Result status"),
            ("OBX", 11, "Result status"),
            ("TXA", 17, "Completion status"),
            ("SCH", 25, "Filler status code"),
        ] {
            assert_eq!(field(letters.as_bytes(), number), Some(name), "{letters}-{number}");
        }
        assert_eq!((segment(b"ZZZ"), field(b"PID", 0), field(b"MSA", 5), field(b"BTS", 9)), (None, None, None, None));
    }
}
