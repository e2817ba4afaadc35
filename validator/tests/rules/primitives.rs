//! Each primitive type through an element that has it; the scanners' own tests hold the many forms.

use signalbox_validator::{IssueCode, Rule};

use super::{accepts, refuses};

/// A Parameters resource with one value of this type.
fn parameter(type_name: &str, value: &str) -> String {
    format!(r#"{{"resourceType":"Parameters","parameter":[{{"name":"p","value{type_name}":{value}}}]}}"#)
}

#[test]
fn each_type_has_its_format() {
    for (suffix, type_name, good, bad) in [
        ("Boolean", "boolean", "true", ""),
        ("Integer", "integer", "-1", "1.5"),
        ("UnsignedInt", "unsignedInt", "0", "-1"),
        ("PositiveInt", "positiveInt", "1", "0"),
        ("Decimal", "decimal", "1.50", ""),
        ("String", "string", r#""a b""#, r#""a\u0000""#),
        ("Markdown", "markdown", r#""*a*""#, r#""""#),
        ("Code", "code", r#""a b""#, r#""a  b""#),
        ("Id", "id", r#""a.b-C""#, r#""a_b""#),
        ("Uri", "uri", r#""http://example.org""#, r#""a b""#),
        ("Url", "url", r#""http://example.org""#, r#""a b""#),
        ("Canonical", "canonical", r#""http://example.org|1""#, r#""a b""#),
        ("Oid", "oid", r#""urn:oid:1.2""#, r#""1.2""#),
        ("Uuid", "uuid", r#""urn:uuid:c757873d-ec9a-4326-a141-556f43239520""#, r#""urn:uuid:1""#),
        ("Date", "date", r#""2024-02-29""#, r#""2023-02-29""#),
        ("DateTime", "dateTime", r#""2024-02-29T10:00:00Z""#, r#""2024-02-29T10:00:00""#),
        ("Instant", "instant", r#""2024-02-29T10:00:00Z""#, r#""2024-02-29""#),
        ("Time", "time", r#""10:00:00""#, r#""10:00""#),
        ("Base64Binary", "base64Binary", r#""QUJD""#, r#""QUJ""#),
    ] {
        accepts(&parameter(suffix, good));
        if !bad.is_empty() {
            let place = format!("Parameters.parameter[0].value.ofType({type_name})");
            refuses(&parameter(suffix, bad), Rule::PrimitiveFormat, IssueCode::Invalid, &place);
        }
    }
}

#[test]
fn escapes_are_read_before_a_format_is_judged() {
    accepts(&parameter("Date", r#""\u0032024""#));
    refuses(
        &parameter("Code", r#""a\tb""#),
        Rule::PrimitiveFormat,
        IssueCode::Invalid,
        "Parameters.parameter[0].value.ofType(code)",
    );
}

#[test]
fn the_id_of_a_resource_is_an_id_and_the_id_of_an_element_a_string() {
    let patient = r#"{"resourceType":"Patient","id":"a_b"}"#;
    refuses(patient, Rule::PrimitiveFormat, IssueCode::Invalid, "Patient.id");
    accepts(r#"{"resourceType":"Patient","name":[{"id":"a_b","family":"A"}]}"#);
}

#[test]
fn a_narrative_is_a_div() {
    let text = |div: &str| format!(r#"{{"resourceType":"Patient","text":{{"status":"empty","div":"{div}"}}}}"#);
    accepts(&text(r"<div xmlns='http://www.w3.org/1999/xhtml'>a</div>"));
    refuses(&text("a"), Rule::PrimitiveFormat, IssueCode::Invalid, "Patient.text.div");
}
