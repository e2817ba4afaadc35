//! MSH of a message that has come in, as bytes (HL7 v2.4 §2.16.9): all that is needed to say whose it is and to answer
//! it, even when the rest cannot be read. Nothing is copied and nothing decoded.

/// The header of a message.
#[derive(Debug, Clone)]
pub struct Header<'m> {
    /// MSH-1.
    pub separator: u8,
    /// MSH-2: the encoding characters.
    pub encoding: &'m [u8],
    /// From MSH-3.
    fields: Vec<&'m [u8]>,
}

impl<'m> Header<'m> {
    /// Reads the first segment; `None` when it is no MSH.
    #[must_use]
    pub fn read(message: &'m [u8]) -> Option<Self> {
        let message = message.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(message).trim_ascii_start();
        let rest = message.strip_prefix(b"MSH")?;
        let (&separator, rest) = rest.split_first()?;
        if separator.is_ascii_alphanumeric() || separator.is_ascii_control() || !separator.is_ascii() {
            return None;
        }
        let end = rest.iter().position(|byte| matches!(byte, b'\r' | b'\n')).unwrap_or(rest.len());
        let mut fields = rest[..end].split(|byte| *byte == separator);
        let encoding = fields.next().unwrap_or_default();
        Some(Self { separator, encoding, fields: fields.collect() })
    }

    /// MSH-3 and following, as they are written; empty when there is none.
    #[must_use]
    pub fn field(&self, number: usize) -> &'m [u8] {
        number.checked_sub(3).and_then(|index| self.fields.get(index)).copied().unwrap_or_default()
    }

    /// A component (from 1) of a field's first repetition.
    #[must_use]
    pub fn component(&self, field: usize, number: usize) -> &'m [u8] {
        let repetition = self.field(field).split(|byte| *byte == self.repetition()).next().unwrap_or_default();
        repetition.split(|byte| *byte == self.component_separator()).nth(number.saturating_sub(1)).unwrap_or_default()
    }

    /// Message type and trigger event, `ADT^A31`, of upper-case letters and digits only; empty when there is none. What
    /// stands in the field otherwise may be anything, and is not passed on.
    #[must_use]
    pub fn kind(&self) -> String {
        let code = |bytes: &[u8]| {
            let fits = bytes.len() == 3 && bytes.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
            fits.then(|| String::from_utf8_lossy(bytes).into_owned())
        };
        match (code(self.component(9, 1)), code(self.component(9, 2))) {
            (Some(kind), Some(event)) => format!("{kind}^{event}"),
            (Some(kind), None) => kind,
            _ => String::new(),
        }
    }

    /// Major and minor number of MSH-12; 2.4 when it is empty, and 0 for a number that is not there or none.
    #[must_use]
    pub fn version(&self) -> (u32, u32) {
        let text = String::from_utf8_lossy(self.component(12, 1));
        let text = text.trim();
        if text.is_empty() {
            return (2, 4);
        }
        let mut parts = text.split('.').map(|part| part.parse().unwrap_or_default());
        (parts.next().unwrap_or_default(), parts.next().unwrap_or_default())
    }

    /// The component separator.
    #[must_use]
    pub fn component_separator(&self) -> u8 {
        self.encoding.first().copied().unwrap_or(b'^')
    }

    fn repetition(&self) -> u8 {
        self.encoding.get(1).copied().unwrap_or(b'~')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_read_whatever_its_delimiters_and_whatever_follows() {
        let header =
            Header::read(b"\xEF\xBB\xBF\r\nMSH#*~!&#APP*X#RXX#TO#RYY#2026##ADT*A31*ADT_A05#1#P#2.5.1\rPID|\xFF")
                .unwrap();
        assert_eq!((header.field(3), header.component(3, 2)), (&b"APP*X"[..], &b"X"[..]));
        assert_eq!((header.kind().as_str(), header.field(10), header.version()), ("ADT^A31", &b"1"[..], (2, 5)));
        assert_eq!(header.field(99), b"");
    }

    #[test]
    fn what_is_no_header_is_none_and_no_field_is_trusted() {
        for wrong in [&b""[..], b"MSH", b"PID|1", b"HTTP/1.1 200", b"MSHX^~\\&X"] {
            assert!(Header::read(wrong).is_none());
        }
        assert_eq!(Header::read(b"MSH|^~\\&|||||||Smith^Ada").unwrap().kind(), "");
        assert_eq!(Header::read(b"MSH|").unwrap().version(), (2, 4));
        for (version, numbers) in [("", (2, 4)), (" 2.3.1 ", (2, 3)), ("3", (3, 0)), ("2", (2, 0)), ("P", (0, 0))] {
            let message = format!("MSH|^~\\&|||||||ADT^A31|1|P|{version}\r");
            assert_eq!(Header::read(message.as_bytes()).unwrap().version(), numbers, "{version}");
        }
    }
}
