//! Media types as headers write them: `application/fhir+json; fhirVersion=4.0; charset=utf-8`
//! ([RFC 9110 §8.3.1](https://www.rfc-editor.org/rfc/rfc9110#section-8.3.1)). Names compare without case.

/// A media type or media range with its parameters, borrowed from the header.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MediaType<'h> {
    /// `application/fhir+json`, `application/*` or `*/*`, in the sender's case.
    pub(super) name: &'h str,
    parameters: Vec<(&'h str, &'h str)>,
}

impl<'h> MediaType<'h> {
    /// Reads one media type; `None` when it is not written as one.
    pub(super) fn parse(text: &'h str) -> Option<Self> {
        let mut parts = split(text, ';');
        let name = parts.next()?;
        let (top, sub) = name.split_once('/')?;
        if !is_token(top) || !is_token(sub) {
            return None;
        }
        let parameters = parts.filter(|part| !part.is_empty()).map(parameter).collect::<Option<_>>()?;
        Some(Self { name, parameters })
    }

    /// Whether this is exactly `name`.
    pub(super) fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// A parameter's value, without its quotes.
    pub(super) fn parameter(&self, name: &str) -> Option<&'h str> {
        self.parameters.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| *value)
    }

    /// Whether it means FHIR R4: `fhirVersion` is absent or 4.0
    /// ([version parameter](https://hl7.org/fhir/R4/http.html#version-parameter)).
    pub(super) fn is_r4(&self) -> bool {
        self.parameter("fhirVersion").is_none_or(|version| version == "4.0")
    }

    /// Whether its text is UTF-8.
    pub(super) fn is_utf8(&self) -> bool {
        self.parameter("charset").is_none_or(|charset| charset.eq_ignore_ascii_case("utf-8"))
    }
}

fn parameter(text: &str) -> Option<(&str, &str)> {
    let (name, value) = text.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    let value = value.strip_prefix('"').map_or(Some(value), |rest| rest.strip_suffix('"'))?;
    is_token(name).then_some((name, value))
}

/// The parts of a header between `separator`s that do not stand in quotes, trimmed.
pub(super) fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    text.split(move |c| {
        quoted ^= c == '"';
        c == separator && !quoted
    })
    .map(str::trim)
}

/// [RFC 9110 §5.6.2](https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2)
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_may_be_quoted_and_in_any_case() {
        let read = MediaType::parse("Application/FHIR+json ; FHIRversion=\"4.0\"; Charset=\"UTF-8\";").unwrap();
        assert!(read.is("application/fhir+json") && read.is_r4() && read.is_utf8());
        let other = MediaType::parse("application/fhir+json;fhirVersion=3.0;charset=latin1").unwrap();
        assert!(!other.is_r4() && !other.is_utf8());
    }

    #[test]
    fn a_separator_in_quotes_separates_nothing() {
        assert_eq!(split("a;b=\"x;y\" ; c", ';').collect::<Vec<_>>(), ["a", "b=\"x;y\"", "c"]);
    }

    #[test]
    fn what_is_not_a_media_type_is_none() {
        for text in ["", "json", "/json", "application/", "a b/c", "application/json; charset", "a/b;c=\"d"] {
            assert_eq!(MediaType::parse(text), None, "{text}");
        }
    }
}
