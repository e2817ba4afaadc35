//! The writer: segments, fields, repetitions and components become bytes (HL7 v2.4 §2.6 to §2.10). Segments end with
//! a carriage return, empty ends are not written, values are escaped, and every character must exist in the charset.

use super::charset::Charset;
use super::escape::{Delimiters, escape};

/// The components of one repetition of a field, from 1; an empty text is an absent component.
pub type Components = Vec<String>;

/// Most characters of a control id (MSH-10) up to v2.6.
const CONTROL_ID: usize = 20;

/// A message cannot be written. Names the field, never a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unwritable {
    /// The partner's character set lacks a character.
    #[error("{field} holds a character that the partner's charset ({charset}) does not have")]
    Character {
        /// Such as `PID-5.1`.
        field: String,
        /// Name of the charset.
        charset: &'static str,
    },
    /// MSH-10 does not fit.
    #[error("MSH-10 must be 1 to 20 characters")]
    ControlId,
}

/// One segment being filled.
#[derive(Clone, PartialEq, Eq)]
pub struct Segment {
    name: &'static str,
    fields: Vec<Vec<Components>>,
}

impl Segment {
    /// An empty segment. Of `MSH`, fields 1 and 2 are the delimiters, written by the writer.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self { name, fields: Vec::new() }
    }

    /// Adds a repetition of one component to a field (from 1).
    pub fn text(&mut self, field: usize, text: impl Into<String>) {
        self.add(field, vec![text.into()]);
    }

    /// Adds a repetition to a field (from 1).
    pub fn add(&mut self, field: usize, components: Components) {
        if self.fields.len() < field {
            self.fields.resize(field, Vec::new());
        }
        if let Some(repetitions) = field.checked_sub(1).and_then(|index| self.fields.get_mut(index)) {
            repetitions.push(components);
        }
    }

    /// Whether nothing would be written after the name.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.iter().flatten().flatten().all(String::is_empty)
    }
}

/// Writes a message.
///
/// # Errors
/// When a character is not in the charset, or MSH-10 is missing or too long.
pub fn write(segments: &[Segment], charset: Charset) -> Result<Vec<u8>, Unwritable> {
    let mut out = Vec::with_capacity(1024);
    for segment in segments {
        out.extend_from_slice(segment.name.as_bytes());
        let mut first = 1;
        if segment.name == "MSH" {
            check_control_id(segment)?;
            out.push(b'|');
            out.extend_from_slice(Delimiters::STANDARD.encoding_characters().as_bytes());
            first = 3;
        }
        for (index, repetitions) in segment.fields.iter().enumerate().skip(first - 1) {
            out.push(b'|');
            let place = Place { segment: segment.name, field: index + 1, charset };
            write_field(&mut out, repetitions, &place)?;
        }
        trim(&mut out, b'|');
        out.push(b'\r');
    }
    Ok(out)
}

fn check_control_id(msh: &Segment) -> Result<(), Unwritable> {
    let length = msh.fields.get(9).and_then(|field| field.first()?.first()).map_or(0, |id| id.chars().count());
    if (1..=CONTROL_ID).contains(&length) { Ok(()) } else { Err(Unwritable::ControlId) }
}

struct Place {
    segment: &'static str,
    field: usize,
    charset: Charset,
}

fn write_field(out: &mut Vec<u8>, repetitions: &[Components], place: &Place) -> Result<(), Unwritable> {
    for (index, components) in repetitions.iter().enumerate() {
        if index > 0 {
            out.push(b'~');
        }
        for (index, component) in components.iter().enumerate() {
            if index > 0 {
                out.push(b'^');
            }
            let escaped = escape(component, Delimiters::STANDARD);
            let bytes = place.charset.encode(&escaped).ok_or_else(|| Unwritable::Character {
                field: format!("{}-{}.{}", place.segment, place.field, index + 1),
                charset: place.charset.name(),
            })?;
            out.extend_from_slice(&bytes);
        }
        trim(out, b'^');
    }
    trim(out, b'~');
    Ok(())
}

/// Drops delimiters at the end. Values never end with one: they are escaped.
fn trim(out: &mut Vec<u8>, delimiter: u8) {
    while out.last() == Some(&delimiter) {
        out.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::super::escape::unescape;
    use super::*;
    use proptest::prelude::*;

    fn msh(control_id: &str) -> Segment {
        let mut msh = Segment::new("MSH");
        msh.text(9, "ADT");
        msh.text(10, control_id);
        msh
    }

    /// The fields as any receiver would split them: field, repetition, component.
    fn split(segment: &str) -> Vec<Vec<Components>> {
        let component = |text: &str| unescape(text, Delimiters::STANDARD);
        let repetition = |text: &str| text.split('^').map(component).collect();
        segment.split('|').skip(1).map(|field| field.split('~').map(repetition).collect()).collect()
    }

    /// Empty ends mean nothing.
    fn trimmed(mut fields: Vec<Vec<Components>>) -> Vec<Vec<Components>> {
        for field in &mut fields {
            for repetition in field.iter_mut() {
                repetition.truncate(repetition.iter().rposition(|text| !text.is_empty()).map_or(0, |at| at + 1));
            }
            field.truncate(field.iter().rposition(|repetition| !repetition.is_empty()).map_or(0, |at| at + 1));
        }
        fields.truncate(fields.iter().rposition(|field| !field.is_empty()).map_or(0, |at| at + 1));
        fields
    }

    proptest! {
        #[test]
        fn a_receiver_splits_out_what_was_put_in(
            fields in prop::collection::vec(
                prop::collection::vec(prop::collection::vec("([|^~\\\\&]|[^\\pC]){0,6}", 0..4), 0..4), 0..5)
        ) {
            let mut segment = Segment::new("ZZZ");
            for (index, field) in fields.iter().enumerate() {
                for repetition in field {
                    segment.add(index + 1, repetition.clone());
                }
            }
            let bytes = write(&[msh("1"), segment], Charset::Utf8).unwrap();
            let text = String::from_utf8(bytes).unwrap();
            let (_, second) = text.strip_suffix('\r').unwrap().split_once('\r').unwrap();
            prop_assert_eq!(trimmed(split(second)), trimmed(fields));
        }
    }

    #[test]
    fn the_header_counts_its_own_separator_as_field_one() {
        let bytes = write(&[msh("7")], Charset::Ascii).unwrap();
        assert_eq!(bytes, b"MSH|^~\\&|||||||ADT|7\r");
    }

    #[test]
    fn a_character_the_partner_lacks_names_the_field_and_not_the_value() {
        let mut pid = Segment::new("PID");
        pid.add(5, vec!["SMITH".into(), "Łucja".into()]);
        let error = write(&[msh("1"), pid], Charset::Windows1252).unwrap_err();
        assert_eq!(
            error.to_string(),
            "PID-5.2 holds a character that the partner's charset (windows-1252) does not have"
        );
    }

    #[test]
    fn a_control_id_over_twenty_characters_is_not_written() {
        assert_eq!(write(&[msh("123456789012345678901")], Charset::Ascii), Err(Unwritable::ControlId));
        assert_eq!(write(&[msh("")], Charset::Ascii), Err(Unwritable::ControlId));
    }
}
