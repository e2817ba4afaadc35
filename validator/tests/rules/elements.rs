//! Structure, cardinality, JSON types, choices and empty content.

use signalbox_validator::{IssueCode, Rule, Severity};

use super::{accepts, issues, patient, refuses};

#[test]
fn a_document_is_a_resource_of_a_known_type() {
    for (text, expression) in [
        (r"[]", "Resource"),
        (r"{}", "Resource"),
        (r#"{"id":"a"}"#, "Resource"),
        (r#"{"resourceType":"Patent"}"#, "Resource"),
        (r#"{"resourceType":"DomainResource"}"#, "Resource"),
        (r#"{"resourceType":1}"#, "Resource"),
    ] {
        let found = issues(text);
        assert_eq!(found.len(), 1, "{text} {found:#?}");
        assert_eq!((found[0].severity, found[0].rule), (Severity::Fatal, Rule::Structure), "{text}");
        assert_eq!(found[0].expression, expression);
    }
    let message = &issues(r#"{"resourceType":"Patent"}"#)[0].message;
    assert!(message.contains("did you mean 'Patient'"), "{message}");
}

#[test]
fn a_property_is_defined_for_its_element() {
    refuses(&patient(r#""nmae":[]"#), Rule::Structure, IssueCode::Structure, "Patient");
    refuses(
        &patient(r#""name":[{"family":"A","birthDate":"x"}]"#),
        Rule::Structure,
        IssueCode::Structure,
        "Patient.name[0]",
    );
    // Only a resource says its type, and only a primitive has a `_` property.
    let nested = patient(r#""name":[{"resourceType":"HumanName","family":"A"}]"#);
    refuses(&nested, Rule::Structure, IssueCode::Structure, "Patient.name[0]");
    refuses(&patient(r#""_name":[{"id":"a"}]"#), Rule::Structure, IssueCode::Structure, "Patient");
    let message = &issues(&patient(r#""birthdate":"2000""#))[0].message;
    assert_eq!(message, "Patient has no property 'birthdate'; did you mean 'birthDate'?");
}

#[test]
fn an_element_that_must_be_there_is_missed_at_its_parent() {
    let observation = r#"{"resourceType":"Observation","code":{"text":"a"}}"#;
    refuses(observation, Rule::Cardinality, IssueCode::Structure, "Observation");
    refuses(&patient(r#""link":[{"type":"refer"}]"#), Rule::Cardinality, IssueCode::Structure, "Patient.link[0]");
    // A value that is absent for a stated reason is there.
    accepts(
        r#"{"resourceType":"Observation","code":{"text":"a"},"_status":{"extension":[
            {"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]}}"#,
    );
}

#[test]
fn an_array_stands_where_an_element_repeats_and_only_there() {
    refuses(&patient(r#""name":{"family":"A"}"#), Rule::Cardinality, IssueCode::Invalid, "Patient.name");
    refuses(&patient(r#""birthDate":["2000"]"#), Rule::Cardinality, IssueCode::Invalid, "Patient.birthDate");
    let sibling = r#""name":[{"_given":{"id":"a"}}]"#;
    refuses(&patient(sibling), Rule::Cardinality, IssueCode::Invalid, "Patient.name[0].given");
    refuses(&patient(r#""_birthDate":[{"id":"a"}]"#), Rule::Cardinality, IssueCode::Invalid, "Patient.birthDate");
}

#[test]
fn a_value_has_the_json_type_of_its_fhir_type() {
    for (members, expression) in [
        (r#""active":"true""#, "Patient.active"),
        (r#""birthDate":2000"#, "Patient.birthDate"),
        (r#""multipleBirthInteger":"2""#, "Patient.multipleBirth.ofType(integer)"),
        (r#""maritalStatus":"M""#, "Patient.maritalStatus"),
        (r#""name":["A"]"#, "Patient.name[0]"),
        (r#""birthDate":{"value":"2000"}"#, "Patient.birthDate"),
        (r#""_birthDate":"x""#, "Patient.birthDate"),
        (r#""contained":["x"]"#, "Patient.contained[0]"),
        (r#""name":[["A"]]"#, "Patient.name[0]"),
    ] {
        let found: Vec<_> = issues(&patient(members)).into_iter().filter(|i| i.rule == Rule::Type).collect();
        assert_eq!(found.len(), 1, "{members}");
        assert_eq!((found[0].code, found[0].expression.as_str()), (IssueCode::Invalid, expression));
    }
}

#[test]
fn a_choice_has_one_type() {
    let both = r#""deceasedBoolean":true,"deceasedDateTime":"2020""#;
    refuses(&patient(both), Rule::Choice, IssueCode::Structure, "Patient");
    let sibling =
        r#""deceasedBoolean":true,"_deceasedDateTime":{"id":"a","extension":[{"url":"u:a","valueCode":"b"}]}"#;
    refuses(&patient(sibling), Rule::Choice, IssueCode::Structure, "Patient");
    accepts(&patient(r#""deceasedDateTime":"2020","_deceasedDateTime":{"extension":[{"url":"u:a","valueCode":"b"}]}"#));
    refuses(&patient(r#""deceasedString":"no""#), Rule::Structure, IssueCode::Structure, "Patient");
}

#[test]
fn nothing_is_empty() {
    refuses(&patient(r#""name":[]"#), Rule::Content, IssueCode::Invalid, "Patient.name");
    refuses(&patient(r#""name":[{}]"#), Rule::Content, IssueCode::Invalid, "Patient.name[0]");
    refuses(&patient(r#""name":[{"id":"a"}]"#), Rule::Content, IssueCode::Invariant, "Patient.name[0]");
    refuses(&patient(r#""maritalStatus":null"#), Rule::Content, IssueCode::Invalid, "Patient.maritalStatus");
    refuses(&patient(r#""name":[null]"#), Rule::Content, IssueCode::Invalid, "Patient.name[0]");
    refuses(&patient(r#""birthDate":"""#), Rule::PrimitiveFormat, IssueCode::Invalid, "Patient.birthDate");
    accepts(&patient(r#""id":"a""#));
}

#[test]
fn the_arrays_of_a_primitive_and_its_extensions_match() {
    let beside = |value: &str, sibling: &str| patient(&format!(r#""name":[{{"given":{value},"_given":{sibling}}}]"#));
    let extension = r#"{"extension":[{"url":"http://example.org/x","valueCode":"b"}]}"#;
    accepts(&beside(r#"["A",null]"#, &format!("[null,{extension}]")));
    accepts(&patient(&format!(r#""name":[{{"_given":[{extension}]}}]"#)));
    let place = "Patient.name[0].given";
    // An id is enough beside a value, and not without one.
    accepts(&beside(r#"["A","B"]"#, r#"[{"id":"a"},null]"#));
    accepts(&patient(r#""birthDate":"2000","_birthDate":{"id":"a"}"#));
    refuses(&patient(r#""_birthDate":{"id":"a"}"#), Rule::Content, IssueCode::Invariant, "Patient.birthDate");
    let short = beside(r#"["A","B"]"#, &format!("[{extension}]"));
    refuses(&short, Rule::PrimitiveExtension, IssueCode::Invalid, place);
    refuses(
        &beside(r#"["A",null]"#, &format!("[{extension},null]")),
        Rule::Content,
        IssueCode::Invalid,
        "Patient.name[0].given[1]",
    );
    let alone = patient(&format!(r#""name":[{{"_given":[null,{extension}]}}]"#));
    refuses(&alone, Rule::Content, IssueCode::Invalid, "Patient.name[0].given[0]");
    let unpadded = patient(r#""name":[{"given":["A",null]}]"#);
    refuses(&unpadded, Rule::Content, IssueCode::Invalid, "Patient.name[0].given[1]");
}

#[test]
fn an_extension_has_a_value_or_extensions() {
    let extension = |members: &str| patient(&format!(r#""extension":[{{"url":"http://example.org/x",{members}}}]"#));
    let nested = r#""extension":[{"url":"part","valueString":"a"}]"#;
    accepts(&extension(r#""valueString":"a""#));
    accepts(&extension(nested));
    let both = format!(r#"{nested},"valueString":"a""#);
    refuses(&extension(&both), Rule::Extension, IssueCode::Invariant, "Patient.extension[0]");
    let neither = patient(r#""extension":[{"url":"http://example.org/x"}]"#);
    refuses(&neither, Rule::Extension, IssueCode::Invariant, "Patient.extension[0]");
    let nameless = patient(r#""extension":[{"valueString":"a"}]"#);
    refuses(&nameless, Rule::Cardinality, IssueCode::Structure, "Patient.extension[0]");
    let relative = patient(r#""extension":[{"url":"part","valueString":"a"}]"#);
    refuses(&relative, Rule::Extension, IssueCode::Invalid, "Patient.extension[0]");
    let modifier = patient(r#""modifierExtension":[{"url":"part","valueString":"a"}]"#);
    refuses(&modifier, Rule::Extension, IssueCode::Invalid, "Patient.modifierExtension[0]");
}

#[test]
fn a_content_reference_leads_back_to_the_element_it_names() {
    let item = r#"{"linkId":"2","type":"string","item":[{"type":"string"}]}"#;
    let questionnaire = format!(
        r#"{{"resourceType":"Questionnaire","status":"draft","item":[{{"linkId":"1","type":"group","item":[{item}]}}]}}"#
    );
    refuses(&questionnaire, Rule::Cardinality, IssueCode::Structure, "Questionnaire.item[0].item[0].item[0]");
}

#[test]
fn ids_of_elements_are_unique_in_their_resource() {
    accepts(&patient(r#""name":[{"id":"a","text":"A"},{"id":"b","text":"B"}]"#));
    let twice = patient(r#""name":[{"id":"a","text":"A"}],"telecom":[{"id":"a","system":"phone","value":"1"}]"#);
    refuses(&twice, Rule::Content, IssueCode::BusinessRule, "Patient.telecom[0]");
}
