//! [References](https://hl7.org/fhir/R4/references.html) to patients: what a reference's text says about whom it means.

/// Whom a reference's text means.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A patient by its id at the source.
    Id(String),
    /// A patient by an absolute URL, without version.
    Url(String),
    /// A patient by an identifier (a [conditional reference](https://hl7.org/fhir/R4/http.html#trules)).
    Identifier { system: Option<String>, value: String },
    /// Something that is known not to be a patient.
    Other,
    /// It does not say: a fragment, a UUID of this message, nothing.
    Untold,
}

/// Reads `Patient/1`, `https://host/fhir/Patient/1/_history/2`, `Patient?identifier=system|value` and their like.
pub(super) fn read(reference: &str) -> Target {
    let reference = reference.trim();
    if reference.is_empty() || reference.starts_with('#') || reference.starts_with("urn:") {
        return Target::Untold;
    }
    if let Some((path, query)) = reference.split_once('?') {
        return if last_segment(path) == "Patient" { conditional(query) } else { Target::Other };
    }
    let unversioned = reference.split_once("/_history/").map_or(reference, |(resource, _)| resource);
    let unversioned = unversioned.trim_end_matches('/');
    let (before, id) = unversioned.rsplit_once('/').unwrap_or(("", unversioned));
    match last_segment(before) {
        "Patient" if unversioned.contains("://") => Target::Url(unversioned.to_owned()),
        "Patient" => Target::Id(id.to_owned()),
        _ => Target::Other,
    }
}

fn last_segment(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The identifier a search asks for; `identifier` is the one search that names one patient.
pub(super) fn conditional(query: &str) -> Target {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let Some((_, token)) = pairs.find(|(name, _)| name == "identifier") else { return Target::Untold };
    let (system, value) = match token.split_once('|') {
        Some((system, value)) => (Some(system.trim()), value.trim()),
        None => (None, token.trim()),
    };
    let system = system.filter(|system| !system.is_empty()).map(str::to_owned);
    if value.is_empty() { Target::Untold } else { Target::Identifier { system, value: value.to_owned() } }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_tells_its_patient() {
        let id = |id: &str| Target::Id(id.to_owned());
        let url = |url: &str| Target::Url(url.to_owned());
        let identifier = |system: Option<&str>, value: &str| Target::Identifier {
            system: system.map(str::to_owned),
            value: value.to_owned(),
        };
        let cases = [
            ("Patient/1", id("1")),
            ("Patient/1/_history/7", id("1")),
            ("/Patient/1", id("1")),
            ("https://pas.example.org/fhir/Patient/1", url("https://pas.example.org/fhir/Patient/1")),
            ("https://pas.example.org/fhir/Patient/1/_history/2", url("https://pas.example.org/fhir/Patient/1")),
            (
                "Patient?identifier=https%3A%2F%2Fexample.org%2Fmrn%7C7",
                identifier(Some("https://example.org/mrn"), "7"),
            ),
            ("Patient?active=true&identifier=s|7", identifier(Some("s"), "7")),
            ("Patient?identifier=7", identifier(None, "7")),
            ("Patient?birthdate=1970", Target::Untold),
            ("Practitioner/1", Target::Other),
            ("https://pas.example.org/fhir/Group/1", Target::Other),
            ("Organization?identifier=s|7", Target::Other),
            ("#p", Target::Untold),
            ("urn:uuid:0190c2a0-0000-7000-8000-000000000000", Target::Untold),
            ("", Target::Untold),
            ("Patient", Target::Other),
        ];
        for (reference, expected) in cases {
            assert_eq!(read(reference), expected, "{reference}");
        }
    }
}
