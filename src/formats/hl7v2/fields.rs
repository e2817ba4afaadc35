//! A message as it came: a flat index of its delimiters over the original bytes (HL7 v2.4 §2.6), read in one pass. Segments,
//! fields, repetitions, components and subcomponents are slices of those bytes, by the message's own delimiters; nothing is
//! copied or decoded, and it judges nothing.

use super::escape::Delimiters;
use super::header::Header;
use super::path::Path;

/// A message and its index.
#[derive(Debug, Clone)]
pub struct Fields<'m> {
    message: &'m [u8],
    header: Header<'m>,
    segments: Vec<Line>,
    /// Where each field begins, those of all segments in a row; the name of a segment is its first.
    starts: Vec<usize>,
}

/// One segment in the index.
#[derive(Debug, Clone, Copy)]
struct Line {
    start: usize,
    end: usize,
    /// Its first field in the index.
    first: usize,
    /// How many it has, its name included.
    count: usize,
}

/// One segment.
#[derive(Debug, Clone, Copy)]
pub struct Segment<'i, 'm> {
    message: &'m [u8],
    line: Line,
    fields: &'i [usize],
}

impl<'m> Fields<'m> {
    /// Looks at a message; `None` when it does not begin with MSH. What stands after its first message, should there be
    /// several, belongs to it.
    #[must_use]
    pub fn read(message: &'m [u8]) -> Option<Self> {
        let message = message.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(message);
        let header = Header::read(message)?;
        let (segments, starts) = index(message, header.separator);
        Some(Self { message, header, segments, starts })
    }

    /// Its header.
    #[must_use]
    pub fn header(&self) -> &Header<'m> {
        &self.header
    }

    /// Its bytes, as they came but for a byte order mark.
    #[must_use]
    pub fn bytes(&self) -> &'m [u8] {
        self.message
    }

    /// Its segments, in order.
    pub fn segments<'i>(&'i self) -> impl Iterator<Item = Segment<'i, 'm>> {
        self.segments.iter().map(|line| self.segment(*line))
    }

    fn segment(&self, line: Line) -> Segment<'_, 'm> {
        Segment { message: self.message, line, fields: &self.starts[line.first..line.first + line.count] }
    }

    /// The value at a place, as it is written; `None` when there is no such place. What the path leaves open is the first,
    /// and a field without a component is its whole repetition.
    #[must_use]
    pub fn get(&self, path: &Path) -> Option<&'m [u8]> {
        let named = |line: &&Line| self.message.get(line.start..line.start + 3) == Some(&path.segment);
        let line = self.segments.iter().filter(named).nth(path.occurrence - 1)?;
        let field = self.segment(*line).field_at(path.field)?;
        // The delimiters themselves are no repetitions.
        if path.segment == *b"MSH" && path.field <= 2 {
            let whole =
                path.repetition.is_none_or(|number| number == 1) && path.component.is_none_or(|number| number == 1);
            return whole.then_some(field);
        }
        let repetition = at(field, self.encoding(1, b'~'), path.repetition.unwrap_or(1))?;
        let Some(component) = path.component else { return Some(repetition) };
        let component = at(repetition, self.encoding(0, b'^'), component)?;
        let Some(subcomponent) = path.subcomponent else { return Some(component) };
        at(component, self.encoding(3, b'&'), subcomponent)
    }

    /// The repetitions of a field.
    pub fn repetitions<'f>(&self, field: &'f [u8]) -> impl Iterator<Item = &'f [u8]> + use<'f> {
        let delimiter = self.encoding(1, b'~');
        field.split(move |byte| *byte == delimiter)
    }

    /// A component (from 1) of a repetition.
    #[must_use]
    pub fn component<'f>(&self, repetition: &'f [u8], number: usize) -> &'f [u8] {
        at(repetition, self.encoding(0, b'^'), number).unwrap_or_default()
    }

    /// A subcomponent (from 1) of a component.
    #[must_use]
    pub fn subcomponent<'f>(&self, component: &'f [u8], number: usize) -> &'f [u8] {
        at(component, self.encoding(3, b'&'), number).unwrap_or_default()
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

    /// Whether a field, such as `PV1-2` or `PID-3.4`, has one of these values, in any segment and, where the path names
    /// none, in any repetition.
    #[must_use]
    pub fn holds(&self, path: &str, values: &[String]) -> bool {
        let Ok(path) = path.parse::<Path>() else { return false };
        let mut segments = self.segments().filter(|segment| segment.name() == path.segment);
        segments.any(|segment| {
            let repetitions = self.repetitions(segment.field(path.field)).enumerate();
            let mut wanted = repetitions.filter(|(at, _)| path.repetition.is_none_or(|number| number == at + 1));
            wanted.any(|(_, repetition)| {
                let component = self.component(repetition, path.component.unwrap_or(1));
                let value = self.subcomponent(component, path.subcomponent.unwrap_or(1));
                values.iter().any(|wanted| wanted.as_bytes() == value)
            })
        })
    }

    /// The place of the first field of which this holds, such as `PID-5`.
    pub fn first_field(&self, holds: impl Fn(&[u8]) -> bool) -> Option<String> {
        self.segments().find_map(|segment| {
            let number = (0..segment.fields.len()).position(|index| holds(segment.slice(index)))?;
            let number = if segment.name() == b"MSH" { number + 1 } else { number };
            Some(format!("{}-{number}", String::from_utf8_lossy(segment.name())))
        })
    }

    /// The place of the field with the byte at this offset of [`Fields::bytes`], such as `OBX[2]-5`; `None` outside of
    /// segments, and of a segment whose name is none and may be anything.
    #[must_use]
    pub fn place_at(&self, offset: usize) -> Option<String> {
        let segment = self.segments().find(|segment| (segment.line.start..segment.line.end).contains(&offset))?;
        let name = segment.name();
        if !name.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()) {
            return None;
        }
        let before = self.segments().filter(|other| other.name() == name && other.start() <= segment.start()).count();
        let occurrence = if before > 1 { format!("[{before}]") } else { String::new() };
        let index = segment.fields.iter().rposition(|start| *start <= offset)?;
        let number = if name == b"MSH" { index + 1 } else { index };
        Some(format!("{}{occurrence}-{number}", String::from_utf8_lossy(name)))
    }

    fn encoding(&self, index: usize, standard: u8) -> u8 {
        self.header.encoding.get(index).copied().unwrap_or(standard)
    }
}

/// Segments and the beginnings of their fields, in one pass. A segment ends with CR, LF or both; white space before its
/// name is no part of it, and what is shorter than a name is no segment.
fn index(message: &[u8], separator: u8) -> (Vec<Line>, Vec<usize>) {
    let (mut segments, mut fields) = (Vec::with_capacity(16), Vec::with_capacity(message.len() / 8));
    let mut from = 0;
    while from < message.len() {
        let start = from + (message.len() - from - message[from..].trim_ascii_start().len());
        let first = fields.len();
        fields.push(start);
        let mut end = message.len();
        for at in memchr::memchr3_iter(separator, b'\r', b'\n', &message[start..]) {
            if message[start + at] != separator {
                end = start + at;
                break;
            }
            fields.push(start + at + 1);
        }
        if end.saturating_sub(start) >= 3 {
            segments.push(Line { start, end, first, count: fields.len() - first });
        } else {
            fields.truncate(first);
        }
        from = end + 1;
    }
    (segments, fields)
}

impl<'m> Segment<'_, 'm> {
    /// Its three letters.
    #[must_use]
    pub fn name(&self) -> &'m [u8] {
        &self.message[self.line.start..self.line.start + 3]
    }

    /// All of it, without its end.
    #[must_use]
    pub fn bytes(&self) -> &'m [u8] {
        &self.message[self.line.start..self.line.end]
    }

    /// Where it begins in the message.
    #[must_use]
    pub fn start(&self) -> usize {
        self.line.start
    }

    /// Number of the last field that is written.
    #[must_use]
    pub fn last_field(&self) -> usize {
        let count = self.line.count - 1;
        if self.name() == b"MSH" { count + 1 } else { count }
    }

    /// A field (from 1), with all its repetitions; empty when it is not written.
    #[must_use]
    pub fn field(&self, number: usize) -> &'m [u8] {
        self.field_at(number).unwrap_or_default()
    }

    fn field_at(&self, number: usize) -> Option<&'m [u8]> {
        match (self.name(), number) {
            (_, 0) => None,
            // MSH-1 is the separator itself.
            (b"MSH", 1) => self.message.get(self.line.start + 3..self.line.start + 4),
            (b"MSH", _) => self.slice_at(number - 1),
            _ => self.slice_at(number),
        }
    }

    fn slice_at(&self, index: usize) -> Option<&'m [u8]> {
        (index < self.fields.len()).then(|| self.slice(index))
    }

    /// A field by its place in the index; 0 is the name.
    fn slice(&self, index: usize) -> &'m [u8] {
        let end = self.fields.get(index + 1).map_or(self.line.end, |next| next - 1);
        &self.message[self.fields[index]..end]
    }
}

/// The part with this number, from 1.
fn at(bytes: &[u8], delimiter: u8, number: usize) -> Option<&[u8]> {
    bytes.split(|byte| *byte == delimiter).nth(number.checked_sub(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MESSAGE: &[u8] =
        b"\xEF\xBB\xBF\nMSH|^~\\&|A|B|||||ADT^A31|1|P|2.4\r\nPID|1||1^^^NHS~2^^^RXX&x|\n\rOBX|1\rX\rOBX|2|NM||||~7|";

    fn get(path: &str) -> Option<&'static [u8]> {
        Fields::read(MESSAGE).unwrap().get(&path.parse().unwrap())
    }

    #[test]
    fn every_value_has_a_place() {
        for (path, value) in [
            ("MSH-1", "|"),
            ("MSH-2", "^~\\&"),
            ("MSH-3", "A"),
            ("MSH-9.2", "A31"),
            ("MSH-12", "2.4"),
            ("PID-1", "1"),
            ("PID-3", "1^^^NHS"),
            ("PID-3[2]", "2^^^RXX&x"),
            ("PID-3[2].4", "RXX&x"),
            ("PID-3[2].4.2", "x"),
            ("PID-3.2", ""),
            ("PID-4", ""),
            ("OBX[2]-2", "NM"),
            ("OBX[2]-6[2]", "7"),
            ("OBX[2]-7", ""),
        ] {
            assert_eq!(get(path), Some(value.as_bytes()), "{path}");
        }
        for path in ["MSH-13", "PID-5", "PID-3[3]", "PID-3.5", "PID-3[2].4.3", "OBX[3]-1", "ZZZ-1", "MSH-2[2]"] {
            assert_eq!(get(path), None, "{path}");
        }
    }

    #[test]
    fn a_field_is_found_in_any_repetition_of_any_segment() {
        let message = b"MSH|^~\\&|A|B|||||ADT^A31|1|P|2.4\rPID|1||1^^^NHS~2^^^RXX&x\rOBX|1\rOBX|2|NM\r";
        let fields = Fields::read(message).unwrap();
        let holds = |path: &str, value: &str| fields.holds(path, &["no".to_owned(), value.to_owned()]);
        for (path, value) in
            [("MSH-11", "P"), ("MSH-9.2", "A31"), ("PID-3.4", "RXX"), ("PID-3[2].4.2", "x"), ("OBX-2", "NM")]
        {
            assert!(holds(path, value), "{path}");
        }
        for (path, value) in [("PID-3.4", "RYY"), ("PID", "1"), ("PID-0", "PID"), ("PID-3[1].4", "RXX"), ("ZZZ-1", "1")]
        {
            assert!(!holds(path, value), "{path}");
        }
    }

    #[test]
    fn a_byte_has_the_place_of_its_field() {
        let message = b"MSH|^~\\&|A|B\rOBX|1|ST\rOBX|2|NM||x\r\nSmith|x\r";
        let fields = Fields::read(message).unwrap();
        let place = |wanted: &[u8]| {
            let at = message.windows(wanted.len()).position(|part| part == wanted).unwrap();
            fields.place_at(at)
        };
        let places = [&b"B\r"[..], b"ST", b"NM", b"x\r\n", b"\nS", b"Smith"].map(place);
        assert_eq!(places.map(Option::unwrap_or_default), ["MSH-4", "OBX-2", "OBX[2]-2", "OBX[2]-4", "", ""]);
    }

    #[test]
    fn a_message_with_five_thousand_results_has_them_all() {
        let mut message = b"MSH|^~\\&|A\r".to_vec();
        for number in 1..=5_000 {
            message.extend(format!("OBX|{number}|NM|||{number}\r").bytes());
        }
        let fields = Fields::read(&message).unwrap();
        assert_eq!(fields.segments().count(), 5_001);
        assert_eq!(fields.get(&"OBX[5000]-5".parse().unwrap()), Some(&b"5000"[..]));
    }

    proptest! {
        #[test]
        fn no_bytes_stop_the_reader(
            rest in prop::collection::vec(prop::sample::select(b"|^~\\&\r\nMSHPIDX19\x0B\x1C\xC3\xFF \"".to_vec()), 0..200),
            field in 1_usize..9,
            part in 1_usize..4,
        ) {
            let mut message = b"MSH".to_vec();
            message.extend(rest);
            if let Some(fields) = Fields::read(&message) {
                for segment in fields.segments() {
                    prop_assert!(segment.bytes().starts_with(segment.name()));
                }
                for place in [format!("PID-{field}[{part}].{part}.{part}"), format!("MSH-{field}[{part}].{part}")] {
                    let _ = fields.get(&place.parse().unwrap());
                    let _ = fields.holds(&place, &[String::new()]);
                }
            }
        }

        /// Segments and what is between them are the message again.
        #[test]
        fn nothing_of_a_message_is_lost(rest in "([ -~\\r]|\\n|\u{e9}){0,200}") {
            let message = format!("MSH|^~\\&|A\r{rest}");
            let fields = Fields::read(message.as_bytes()).unwrap();
            let mut from = 0;
            for segment in fields.segments() {
                let start = message.as_bytes()[from..].windows(segment.bytes().len()).position(|part| part == segment.bytes());
                from += start.unwrap() + segment.bytes().len();
                let count = segment.bytes().split(|byte| *byte == b'|').count() - 1;
                prop_assert_eq!(segment.last_field(), count + usize::from(segment.name() == b"MSH"));
                let mut again = segment.name().to_vec();
                for number in 1..=segment.last_field() {
                    if segment.name() != b"MSH" || number > 1 {
                        if number == 1 {
                            again = segment.slice(0).to_vec();
                        }
                        again.push(b'|');
                        again.extend_from_slice(segment.field(number));
                    }
                }
                if segment.last_field() > 0 {
                    prop_assert_eq!(again, segment.bytes());
                }
            }
            prop_assert_eq!(fields.bytes(), message.as_bytes());
        }
    }
}
