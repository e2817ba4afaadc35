//! Profiles that a message claims in `meta.profile`
//! ([Resource.meta](https://hl7.org/fhir/R4/resource.html#Meta)) and that we do not have: nothing was checked against
//! them, which is said, or is why the message is refused.

use signalbox_validator::json::Value;

use crate::config::source::UnknownProfile;
use crate::outcome::Issue;

/// Longest URL that is quoted.
const LONGEST: usize = 255;

/// One issue for each profile that `known` does not know.
pub(super) fn unknown(
    root: Value<'_>,
    resource_type: &str,
    policy: UnknownProfile,
    known: impl Fn(&str) -> bool,
) -> Vec<Issue> {
    let Some(claimed) = root.get("meta").and_then(|meta| meta.get("profile")) else { return Vec::new() };
    let severity = match policy {
        UnknownProfile::Warn => "warning",
        UnknownProfile::Refuse => "error",
    };
    let issue = |(number, profile): (usize, Value<'_>)| {
        let url = profile.as_str()?;
        if known(&url) {
            return None;
        }
        let place = profile.position();
        let message = format!("The profile {} is not known here: nothing was checked against it.", quoted(&url));
        Some(Issue {
            severity: severity.to_owned(),
            expression: Some(format!("{resource_type}.meta.profile[{number}]")),
            ..Issue::error("not-found", message).at(place.line, place.column)
        })
    };
    claimed.items().enumerate().filter_map(issue).collect()
}

/// Only what looks like a URL: anything else may be about a patient.
fn quoted(url: &str) -> &str {
    let plain = url.len() <= LONGEST && !url.contains(char::is_whitespace);
    if plain && (url.starts_with("http://") || url.starts_with("https://") || url.starts_with("urn:")) {
        url
    } else {
        "named here"
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use signalbox_validator::json::Document;

    #[test]
    fn each_profile_we_do_not_have_is_told_with_its_place() {
        let text =
            "{\"resourceType\":\"Patient\",\"meta\":{\"profile\":[\"http://known\",\n\"http://other\",\"Ada L\"]}}";
        let document = Document::read(text.as_bytes()).unwrap();
        let issues = unknown(document.root(), "Patient", UnknownProfile::Warn, |url| url == "http://known");
        let told: Vec<_> =
            issues.iter().map(|issue| (issue.severity.as_str(), issue.line, issue.expression.as_deref())).collect();
        assert_eq!(
            told,
            [
                ("warning", Some(2), Some("Patient.meta.profile[1]")),
                ("warning", Some(2), Some("Patient.meta.profile[2]"))
            ]
        );
        assert!(issues[0].message.contains("http://other"));
        assert!(!issues[1].message.contains("Ada"), "{}", issues[1].message);
        let refused = unknown(document.root(), "Patient", UnknownProfile::Refuse, |_| false);
        assert!(refused.len() == 3 && refused.iter().all(Issue::is_error));
    }
}
