//! XAD, address (HL7 v2.4 §2.9.48), as ITK fills it: `line 1^line 2^town^county^postcode^country^type^further lines`.

use signalbox_validator::json::Value;

use super::element::{is_old, items, text, texts};
use super::message::Components;

/// PID-11: current addresses, home first.
pub(super) fn addresses(patient: Value<'_>) -> Vec<Components> {
    let current = items(patient, "address").filter(|address| !is_old(*address));
    let mut addresses: Vec<Components> = current.map(xad).collect();
    addresses.sort_by_key(|address| address.get(6).is_none_or(|code| code != "H"));
    addresses
}

/// One address. One given only as text becomes its first line.
pub(super) fn xad(address: Value<'_>) -> Components {
    let lines = texts(address, "line");
    let line = |index: usize| lines.get(index).map(ToString::to_string).unwrap_or_default();
    let parts = ["city", "district", "postalCode"].map(|part| text(address, &[part]));
    let unstructured = lines.is_empty() && parts.iter().all(String::is_empty);
    let [city, district, postcode] = parts;
    vec![
        if unstructured { text(address, &["text"]) } else { line(0) },
        line(1),
        city,
        district,
        postcode,
        text(address, &["country"]),
        type_code(address).to_owned(),
        lines.get(2..).unwrap_or_default().join(", "),
    ]
}

fn type_code(address: Value<'_>) -> &'static str {
    let postal = text(address, &["type"]) == "postal";
    match text(address, &["use"]).as_str() {
        "temp" => "TMP",
        "work" => "B",
        _ if postal => "PST",
        "home" => "H",
        _ => "",
    }
}
