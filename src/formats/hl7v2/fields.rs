//! A look into a message as it came: segments, fields, repetitions and components as slices of its bytes, by its own
//! delimiters (HL7 v2.4 §2.6). For whoever asks a few questions of a message; it judges nothing.

use super::escape::Delimiters;
use super::header::Header;

/// A message and its delimiters.
#[derive(Debug, Clone)]
pub struct Fields<'m> {
    message: &'m [u8],
    header: Header<'m>,
}

/// One segment.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'m> {
    line: &'m [u8],
    separator: u8,
}

impl<'m> Fields<'m> {
    /// Looks at a message; `None` when it does not begin with MSH.
    #[must_use]
    pub fn read(message: &'m [u8]) -> Option<Self> {
        let message = message.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(message);
        Some(Self { message, header: Header::read(message)? })
    }

    /// Its header.
    #[must_use]
    pub fn header(&self) -> &Header<'m> {
        &self.header
    }

    /// Its segments, in order.
    pub fn segments(&self) -> impl Iterator<Item = Segment<'m>> + use<'m> {
        let separator = self.header.separator;
        let lines = self.message.split(|byte| matches!(byte, b'\r' | b'\n'));
        lines.map(<[u8]>::trim_ascii_start).filter(|line| line.len() >= 3).map(move |line| Segment { line, separator })
    }

    /// The repetitions of a field.
    pub fn repetitions<'f>(&self, field: &'f [u8]) -> impl Iterator<Item = &'f [u8]> + use<'f> {
        let delimiter = self.encoding(1, b'~');
        field.split(move |byte| *byte == delimiter)
    }

    /// A component (from 1) of a repetition.
    #[must_use]
    pub fn component<'f>(&self, repetition: &'f [u8], number: usize) -> &'f [u8] {
        nth(repetition, self.encoding(0, b'^'), number)
    }

    /// A subcomponent (from 1) of a component.
    #[must_use]
    pub fn subcomponent<'f>(&self, component: &'f [u8], number: usize) -> &'f [u8] {
        nth(component, self.encoding(3, b'&'), number)
    }

    /// The delimiters, for text.
    #[must_use]
    pub fn delimiters(&self) -> Delimiters {
        Delimiters {
            field: self.header.separator.into(),
            component: self.encoding(0, b'^').into(),
            repetition: self.encoding(1, b'~').into(),
            escape: self.encoding(2, b'\\').into(),
            subcomponent: self.encoding(3, b'&').into(),
        }
    }

    /// Whether a field, such as `PV1-2` or `PID-3.4`, has one of these values, in any segment and any repetition.
    #[must_use]
    pub fn holds(&self, path: &str, values: &[String]) -> bool {
        let Some(path) = Path::read(path) else { return false };
        let mut segments = self.segments().filter(|segment| segment.name() == path.segment.as_bytes());
        segments.any(|segment| {
            let field = segment.field(path.field);
            self.repetitions(field).any(|repetition| {
                let component = self.component(repetition, path.component);
                let value = self.subcomponent(component, path.subcomponent);
                values.iter().any(|wanted| wanted.as_bytes() == value)
            })
        })
    }

    /// The place of the first field of which this holds, such as `PID-5`.
    pub fn first_field(&self, holds: impl Fn(&[u8]) -> bool) -> Option<String> {
        self.segments().find_map(|segment| {
            let number = segment.fields().position(&holds)?;
            let number = if segment.name() == b"MSH" { number + 1 } else { number };
            Some(format!("{}-{number}", String::from_utf8_lossy(segment.name())))
        })
    }

    fn encoding(&self, index: usize, standard: u8) -> u8 {
        self.header.encoding.get(index).copied().unwrap_or(standard)
    }
}

impl<'m> Segment<'m> {
    /// Its three letters.
    #[must_use]
    pub fn name(&self) -> &'m [u8] {
        &self.line[..3]
    }

    /// Its fields, its name first.
    fn fields(self) -> impl Iterator<Item = &'m [u8]> {
        self.line.split(move |byte| *byte == self.separator)
    }

    /// A field (from 1), with all its repetitions.
    #[must_use]
    pub fn field(&self, number: usize) -> &'m [u8] {
        // MSH-1 is the separator itself.
        let number = if self.name() == b"MSH" { number.saturating_sub(1) } else { number };
        self.fields().nth(number).unwrap_or_default()
    }
}

/// `PID-3.4.1` in its parts.
struct Path<'p> {
    segment: &'p str,
    field: usize,
    component: usize,
    subcomponent: usize,
}

impl<'p> Path<'p> {
    fn read(path: &'p str) -> Option<Self> {
        let (segment, rest) = path.split_once('-')?;
        let mut numbers = rest.split('.').map(|number| number.parse().ok().filter(|number| *number > 0));
        let field = numbers.next()??;
        let component = numbers.next().map_or(Some(1), |number| number)?;
        let subcomponent = numbers.next().map_or(Some(1), |number| number)?;
        numbers.next().is_none().then_some(Self { segment, field, component, subcomponent })
    }
}

fn nth(bytes: &[u8], delimiter: u8, number: usize) -> &[u8] {
    bytes.split(|byte| *byte == delimiter).nth(number.saturating_sub(1)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_found_in_any_repetition_of_any_segment() {
        let message = b"MSH|^~\\&|A|B|||||ADT^A31|1|P|2.4\rPID|1||1^^^NHS~2^^^RXX&x\nOBX|1\rOBX|2|NM\r";
        let fields = Fields::read(message).unwrap();
        let holds = |path: &str, value: &str| fields.holds(path, &["no".to_owned(), value.to_owned()]);
        for (path, value) in
            [("MSH-11", "P"), ("MSH-9.2", "A31"), ("PID-3.4", "RXX"), ("PID-3.4.2", "x"), ("OBX-2", "NM")]
        {
            assert!(holds(path, value), "{path}");
        }
        for (path, value) in [("PID-3.4", "RYY"), ("PID", "1"), ("PID-0", "PID"), ("PID-3.4.2.1", "x"), ("ZZZ-1", "1")]
        {
            assert!(!holds(path, value), "{path}");
        }
    }
}
