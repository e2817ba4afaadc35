//! Reading FHIR elements: extensions, codes, and what is no longer in use.

use std::borrow::Cow;

use signalbox_validator::json::Value;

/// The extension with this URL.
pub(super) fn extension<'d>(element: Value<'d>, url: &str) -> Option<Value<'d>> {
    element.get("extension")?.items().find(|extension| extension.str_at(&["url"]).as_deref() == Some(url))
}

/// The items of a member; nothing when it is absent.
pub(super) fn items<'d>(element: Value<'d>, key: &str) -> impl Iterator<Item = Value<'d>> {
    element.get(key).into_iter().flat_map(Value::items)
}

/// The codes of a `CodeableConcept`, in order.
pub(super) fn codes(concept: Option<Value<'_>>) -> impl Iterator<Item = Cow<'_, str>> {
    concept.into_iter().flat_map(|concept| items(concept, "coding")).filter_map(|coding| coding.str_at(&["code"]))
}

/// The first code of a `CodeableConcept`.
pub(super) fn code(concept: Option<Value<'_>>) -> Option<Cow<'_, str>> {
    codes(concept).next()
}

/// The first code of an extension whose value is a `CodeableConcept`.
pub(super) fn extension_code<'d>(element: Value<'d>, url: &str) -> Option<Cow<'d, str>> {
    code(extension(element, url)?.get("valueCodeableConcept"))
}

/// Whether a name, address, number or identifier is a former one: it must not be sent as if it were in use.
pub(super) fn is_old(element: Value<'_>) -> bool {
    element.str_at(&["use"]).as_deref() == Some("old")
}

/// The text at `path`, or nothing.
pub(super) fn text(element: Value<'_>, path: &[&str]) -> String {
    element.str_at(path).map(Cow::into_owned).unwrap_or_default()
}

/// The strings of an array, in order.
pub(super) fn texts<'d>(element: Value<'d>, key: &str) -> Vec<Cow<'d, str>> {
    items(element, key).filter_map(Value::as_str).collect()
}
