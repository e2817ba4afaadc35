//! What an address under `/fhir` names: a resource type, and perhaps a
//! [logical id](https://hl7.org/fhir/R4/datatypes.html#id).

use axum::http::Uri;

use crate::rejection::Rejection;

/// Longest logical id.
const LONGEST: usize = 64;

/// The parts of an address; `resource_type` only when FHIR has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    resource_type: Option<String>,
    id: Option<String>,
}

impl Place {
    /// Reads `/fhir/{type}/{id}` and shorter; anything that is not a type FHIR has, by `known`, is not kept.
    pub(super) fn of(uri: &Uri, known: impl Fn(&str) -> bool) -> Self {
        let mut segments = uri.path().trim_start_matches('/').split('/').skip(1);
        let resource_type = segments.next().filter(|name| known(name)).map(str::to_owned);
        Self { resource_type, id: segments.next().map(str::to_owned) }
    }

    /// The resource type, when it is one.
    pub(super) fn known_type(&self) -> Option<&str> {
        self.resource_type.as_deref()
    }

    /// The resource type.
    ///
    /// # Errors
    /// `NotFound`
    pub(super) fn resource_type(&self) -> Result<String, Rejection> {
        self.resource_type.clone().ok_or_else(|| {
            Rejection::NotFound(
                "the address names neither a resource type of FHIR R4 nor an operation we serve".to_owned(),
            )
        })
    }

    /// The second part as it stands in the address.
    pub(super) fn written_id(&self) -> &str {
        self.id.as_deref().unwrap_or_default()
    }

    /// The logical id.
    ///
    /// # Errors
    /// `InvalidValue`; the message does not quote it.
    pub(super) fn logical_id(&self) -> Result<String, Rejection> {
        let id = self.written_id();
        let shape = (1..=LONGEST).contains(&id.len())
            && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'.');
        if shape {
            return Ok(id.to_owned());
        }
        Err(Rejection::InvalidValue("the id in the address must be 1 to 64 letters, digits, '-' and '.'".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(path: &str) -> Place {
        Place::of(&path.parse().unwrap(), |name| name == "Patient")
    }

    #[test]
    fn type_and_id_are_read_from_the_path_alone() {
        let place = place("/fhir/Patient/9-a.B?x=y");
        assert_eq!(place.resource_type().unwrap(), "Patient");
        assert_eq!(place.logical_id().unwrap(), "9-a.B");
    }

    #[test]
    fn an_unknown_type_is_not_found() {
        for path in ["/fhir/patient", "/fhir/$process-message", "/fhir", "/fhir/Pat%69ent"] {
            assert_eq!(place(path).resource_type().unwrap_err().rendering().status, 404, "{path}");
        }
    }

    #[test]
    fn an_id_out_of_shape_is_refused_without_quoting_it() {
        let long = "a".repeat(65);
        for id in ["", "a_b", "a%20b", long.as_str()] {
            let rejection = place(&format!("/fhir/Patient/{id}")).logical_id().unwrap_err();
            assert_eq!(rejection.rendering().status, 400);
            assert!(id.is_empty() || !rejection.to_string().contains(id));
        }
    }
}
