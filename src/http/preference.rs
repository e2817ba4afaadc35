//! `Prefer` ([RFC 7240](https://www.rfc-editor.org/rfc/rfc7240), as
//! [FHIR uses it](https://hl7.org/fhir/R4/http.html#return)): what to answer with, and whether to wait for it. A
//! preference that is not known or badly written is not an error: it is left out.

use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use super::media_type::split;

/// What the answer to a stored message holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Return {
    /// Nothing.
    Minimal,
    /// The resource.
    Representation,
    /// What there is to say of it.
    OperationOutcome,
}

/// What a sender prefers.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Preference {
    /// What the answer holds.
    pub(super) returned: Option<Return>,
    /// Do not wait.
    pub(super) respond_async: bool,
    /// Wait this long.
    pub(super) wait: Option<Duration>,
}

impl Preference {
    /// Reads the headers. Of a preference that comes twice the first counts.
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let mut read = Self::default();
        let values = headers.get_all("prefer").iter().filter_map(|value| value.to_str().ok());
        for preference in values.flat_map(|value| split(value, ',')) {
            // Parameters of a preference follow a semicolon; none has a meaning here.
            let word = split(preference, ';').next().unwrap_or_default();
            let (name, value) = word.split_once('=').unwrap_or((word, ""));
            let value = value.trim().trim_matches('"');
            match name.trim().to_ascii_lowercase().as_str() {
                "return" => read.returned = read.returned.or(Return::of(value)),
                "respond-async" => read.respond_async = true,
                "wait" => read.wait = read.wait.or(value.parse().ok().map(Duration::from_secs)),
                _ => {}
            }
        }
        read
    }

    /// How long to wait, when the configuration says `usual` and a request has `most`.
    pub(super) fn patience(&self, usual: Duration, most: Duration) -> Duration {
        if self.respond_async { Duration::ZERO } else { self.wait.unwrap_or(usual).min(most) }
    }

    /// Tells in the answer what was honoured.
    pub(super) fn tell(&self, headers: &mut HeaderMap) {
        let returned = match self.returned {
            Some(Return::Minimal) => Some("return=minimal"),
            Some(Return::Representation) => Some("return=representation"),
            Some(Return::OperationOutcome) => Some("return=OperationOutcome"),
            None => None,
        };
        let wait = self.wait.filter(|_| !self.respond_async).map(|wait| format!("wait={}", wait.as_secs()));
        let respond_async = self.respond_async.then_some("respond-async");
        let applied: Vec<&str> = [returned, respond_async, wait.as_deref()].into_iter().flatten().collect();
        if let Ok(value) = HeaderValue::from_str(&applied.join(", "))
            && !applied.is_empty()
        {
            headers.insert(HeaderName::from_static("preference-applied"), value);
        }
    }
}

impl Return {
    fn of(value: &str) -> Option<Self> {
        match value.to_ascii_lowercase().as_str() {
            "minimal" => Some(Self::Minimal),
            "representation" => Some(Self::Representation),
            "operationoutcome" => Some(Self::OperationOutcome),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(values: &[&'static str]) -> Preference {
        let pairs = values.iter().map(|value| (HeaderName::from_static("prefer"), HeaderValue::from_static(value)));
        Preference::read(&pairs.collect())
    }

    fn told(preference: Preference) -> String {
        let mut headers = HeaderMap::new();
        preference.tell(&mut headers);
        headers.get("preference-applied").map_or(String::new(), |value| value.to_str().unwrap().to_owned())
    }

    #[test]
    fn preferences_come_in_one_header_or_several() {
        let read = of(&["return=minimal; x=1, wait=5", "Respond-Async, return=representation"]);
        assert_eq!(read.returned, Some(Return::Minimal));
        assert!(read.respond_async);
        assert_eq!(told(read), "return=minimal, respond-async");
        assert_eq!(told(of(&["return=\"OperationOutcome\",wait=5"])), "return=OperationOutcome, wait=5");
        assert_eq!(of(&["handling=strict, return=everything, wait=soon"]), Preference::default());
        assert_eq!(told(of(&[])), "");
    }

    #[test]
    fn nobody_waits_longer_than_a_request_may_take() {
        let (usual, most) = (Duration::from_secs(2), Duration::from_secs(30));
        assert_eq!(of(&[]).patience(usual, most), usual);
        assert_eq!(of(&["wait=7"]).patience(usual, most), Duration::from_secs(7));
        assert_eq!(of(&["wait=700"]).patience(usual, most), most);
        assert_eq!(of(&["wait=7, respond-async"]).patience(usual, most), Duration::ZERO);
    }
}
