//! An [ImplementationGuide](https://hl7.org/fhir/R4/implementationguide.html) depends on others by their canonicals.

use super::{Judge, Subject, numbered};
use crate::issue::IssueCode;
use crate::location::Segment;

pub(super) fn judge(judge: &mut Judge<'_>, subject: Subject<'_, '_>) {
    let list = subject.location.step(Segment::Child("dependsOn"));
    for (index, dependency) in numbered(subject.value, "dependsOn") {
        let step = list.step(Segment::Item(index));
        let at = (dependency, &step);
        let Some(uri) = dependency.str_at(&["uri"]) else { continue };
        let (url, version) = uri.split_once('|').map_or((&*uri, None), |(url, version)| (url, Some(version)));
        let stated = dependency.str_at(&["version"]);
        match version {
            Some("") => {
                judge.error(at, IssueCode::BusinessRule, "The canonical ends in '|' with no version behind it.");
            }
            Some(version) if stated.as_deref().is_some_and(|stated| !stated.starts_with(version)) => {
                judge.error(at, IssueCode::BusinessRule, "The canonical names another version than 'version' does.");
            }
            Some(_) if stated.is_none() => {
                judge.warning(at, IssueCode::BusinessRule, "The version of a dependency stands in 'version'.");
            }
            _ => {}
        }
        if !url.contains("/ImplementationGuide/") && !url.starts_with("urn:") {
            judge.error(
                at,
                IssueCode::BusinessRule,
                "A dependency is named by the canonical of its ImplementationGuide.",
            );
        }
    }
}
