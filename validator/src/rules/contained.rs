//! [Contained resources](https://hl7.org/fhir/R4/references.html#contained): none inside another (dom-2), each
//! referred to (dom-3), no version of their own (dom-4) and no security label (dom-5).

use super::{Finding, Rule};
use crate::issue::IssueCode;
use crate::json::{Kind, Value};

/// The element that contains resources.
pub(crate) const ELEMENT: &str = "contained";

/// dom-2, dom-4 and dom-5, for one contained resource.
pub(crate) fn resource(contained: Value<'_>) -> impl Iterator<Item = Finding> {
    let meta = |key| contained.at(&["meta", key]).is_some();
    let broken = [
        (contained.get(ELEMENT).is_some(), "A contained resource may not contain another (dom-2)."),
        (meta("versionId") || meta("lastUpdated"), "A contained resource has no version or time of update (dom-4)."),
        (meta("security"), "A contained resource has no security label of its own (dom-5)."),
    ];
    let error = |message| Finding::error(Rule::Contained, IssueCode::Invariant, message);
    broken.into_iter().filter(|(broken, _)| *broken).map(move |(_, message)| error(message))
}

/// dom-3: something in the container refers to it, or it refers to its container.
pub(crate) fn is_referred_to(resource: Value<'_>, around: Value<'_>) -> Option<Finding> {
    // Without an id the invariant as it is written says nothing.
    let id = resource.str_at(&["id"])?;
    let referred = mentions(around, |text| text.strip_prefix('#') == Some(&*id));
    let message = "Nothing in the resource around it refers to this contained resource (dom-3).";
    let error = || Finding::error(Rule::Contained, IssueCode::Invariant, message);
    (!referred && !mentions(resource, |text| text == "#")).then(error)
}

/// Whether some string in the tree satisfies `test`. The tree is no deeper than the reader allows.
fn mentions(value: Value<'_>, test: impl Fn(&str) -> bool + Copy) -> bool {
    match value.kind() {
        Kind::String => value.as_str().is_some_and(|text| test(&text)),
        Kind::Array | Kind::Object => value.children().any(|child| mentions(child, test)),
        _ => false,
    }
}
