//! Profiles that a message, or a resource in an entry of it, claims in `meta.profile`
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
    let severity = match policy {
        UnknownProfile::Warn => "warning",
        UnknownProfile::Refuse => "error",
    };
    let mut found = Vec::new();
    claims(root, resource_type, &mut |profile, expression| {
        let Some(url) = profile.as_str().filter(|url| !known(url)) else { return };
        let place = profile.position();
        let message = format!("The profile {} is not known here: nothing was checked against it.", quoted(&url));
        found.push(Issue {
            severity: severity.to_owned(),
            expression: Some(expression),
            ..Issue::error("not-found", message).at(place.line, place.column)
        });
    });
    found
}

/// Every claim of a resource and of those in its entries, with its place.
fn claims<'b>(resource: Value<'b>, path: &str, told: &mut impl FnMut(Value<'b>, String)) {
    let claimed = resource.get("meta").and_then(|meta| meta.get("profile"));
    for (number, profile) in claimed.into_iter().flat_map(Value::items).enumerate() {
        told(profile, format!("{path}.meta.profile[{number}]"));
    }
    for (number, entry) in resource.get("entry").into_iter().flat_map(Value::items).enumerate() {
        if let Some(inner) = entry.get("resource") {
            claims(inner, &format!("{path}.entry[{number}].resource"), told);
        }
    }
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

    #[test]
    fn entries_are_asked_too() {
        let text = r#"{"resourceType":"Bundle","entry":[{},{"resource":{"meta":{"profile":["http://other"]}}}]}"#;
        let document = Document::read(text.as_bytes()).unwrap();
        let issues = unknown(document.root(), "Bundle", UnknownProfile::Refuse, |_| false);
        let told: Vec<_> = issues.iter().filter_map(|issue| issue.expression.as_deref()).collect();
        assert_eq!(told, ["Bundle.entry[1].resource.meta.profile[0]"]);
    }
}
