//! XPN, person name (HL7 v2.4 §2.9.50): `family^given^further given^suffix^prefix^^type`.

use signalbox_validator::json::Value;

use super::element::{items, text, texts};
use super::message::Components;
use super::uk;

/// PID-5: all names, the current legal one first; a patient without a name gets the agreed word.
pub(super) fn patient_names(patient: Value<'_>) -> Vec<Components> {
    let official = items(patient, "name").any(|name| text(name, &["use"]) == "official");
    let mut names: Vec<Components> =
        items(patient, "name").map(|name| xpn(name, type_code(&text(name, &["use"]), official))).collect();
    names.sort_by_key(|name| name.get(6).is_none_or(|code| code != "L"));
    if names.is_empty() {
        names.push(vec![uk::NO_FAMILY_NAME.into()]);
    }
    names
}

/// One name. Without a family name, the name as text stands in its place.
pub(super) fn xpn(name: Value<'_>, type_code: &str) -> Components {
    let given = texts(name, "given");
    let (first, further) = given.split_first().map_or(("", &[][..]), |(first, further)| (&**first, further));
    let family = [text(name, &["family"]), text(name, &["text"]), uk::NO_FAMILY_NAME.to_owned()];
    let use_text = given.is_empty();
    let family = family.into_iter().enumerate().find(|(index, text)| !text.is_empty() && (*index != 1 || use_text));
    vec![
        family.map(|(_, text)| text).unwrap_or_default(),
        first.to_owned(),
        further.join(" "),
        texts(name, "suffix").join(" "),
        texts(name, "prefix").join(" "),
        String::new(),
        type_code.to_owned(),
    ]
}

/// XPN-7. `usual` is the legal name unless another one is marked official.
fn type_code(name_use: &str, official: bool) -> &'static str {
    match name_use {
        "usual" if official => "PREFERRED",
        "" if official => "",
        "official" | "usual" | "" => "L",
        "nickname" => "A",
        "maiden" => "PREVIOUS-MAIDEN",
        "old" => "PREVIOUS",
        "anonymous" => "S",
        _ => "",
    }
}
