//! What conditions mean, on synthetic resources: one test for each chapter of FHIRPath that we have.

use super::Condition;
use signalbox_validator::json::Document;

const PATIENT: &str = r#"{"resourceType":"Patient","active":true,"birthDate":"1970-03-30","gender":"female",
    "meta":{"profile":["https://example.org/a","https://example.org/b"]},
    "identifier":[{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9990000018"},{"value":"L1"}],
    "name":[{"use":"official","family":"Test","given":["Anna","Maria"]},{"use":"old","given":[null,"Annie"]}],
    "extension":[{"url":"https://example.org/e","valueCode":"x"},{"url":"https://example.org/f","valueBoolean":true}],
    "contained":[{"resourceType":"Organization","id":"o","active":false}],
    "multipleBirthInteger":2,"link":[]}"#;
const OBSERVATION: &str = r#"{"resourceType":"Observation","status":"final",
    "code":{"coding":[{"system":"http://loinc.org","code":"15074-8"}]},
    "effectiveDateTime":"2024-05-31T10:30:00+01:00","issued":"2024-05-31T09:31:00Z",
    "valueQuantity":{"value":6.30,"unit":"mmol/l"},"reasonCode":["x"]}"#;

/// `Some` of the answer, `None` when it cannot be decided.
fn holds(condition: &str, resource: &str) -> Option<bool> {
    let document = Document::read(resource.as_bytes()).unwrap();
    Condition::parse(condition).unwrap().holds(document.root()).ok()
}

fn all(resource: &str, expected: Option<bool>, conditions: &[&str]) {
    for condition in conditions {
        assert_eq!(holds(condition, resource), expected, "{condition}");
    }
}

#[test]
fn paths_find_elements_whatever_they_start_with() {
    all(
        PATIENT,
        Some(true),
        &[
            "active",
            "Patient.active",
            "Resource.active",
            "%resource.active",
            "$this.active",
            "`active`",
            "Patient.name.exists()",
            "name.given.count() = 3",
            "name[0].given[1] = 'Maria'",
            "name[1].given = 'Annie'",
            "name.first().family = 'Test'",
            "name.last().use = 'old'",
            "link.empty()",
            "name.where(use = 'old').given = 'Annie'",
            "name[7].empty()",
            "meta.profile contains 'https://example.org/b'",
            "'https://example.org/b' in meta.profile",
            "identifier.where(system = 'https://fhir.nhs.uk/Id/nhs-number').value.startsWith('999')",
            "identifier.exists(system.empty())",
            "name.all(use.exists())",
            "name.all(use = 'old').not()",
            "name.given[0].contains('nn')",
            "name.given[0].endsWith('na')",
            "extension('https://example.org/e').value = 'x'",
            "extension('https://example.org/f').value",
        ],
    );
    all(
        PATIENT,
        Some(false),
        &["Observation.status.exists()", "Observation.active", "deceased", "nothing.at.all", "{}", "nothing[0] = 1"],
    );
}

#[test]
fn choices_go_by_their_base_name_and_types_are_told() {
    all(
        OBSERVATION,
        Some(true),
        &[
            "value.value > 6",
            "Observation.value.unit = 'mmol/l'",
            "valueQuantity.exists()",
            "value.ofType(Quantity).exists()",
            "value.ofType(string).empty()",
            "$this is DomainResource",
            "value is Quantity",
            "effective.is(dateTime)",
            "$this is Observation",
            "reason.empty()",
            "effective.ofType(FHIR.dateTime).exists()",
        ],
    );
    all(
        PATIENT,
        Some(true),
        &[
            "multipleBirth = 2",
            "contained.ofType(Organization).active.not()",
            "Patient is Patient",
            "(Patient is Observation).not()",
            "multipleBirth is integer",
            "extension[0].value is string",
        ],
    );
}

#[test]
fn numbers_texts_and_times_are_compared_by_what_they_are() {
    all(
        OBSERVATION,
        Some(true),
        &[
            "value.value = 6.3",
            "value.value >= 6.300",
            "value.value < 6.30000000000000000001",
            "value.value != -6.3",
            "effective < issued",
            "issued > @2024-05-31T09:30:59Z",
            "effective = @2024-05-31T09:30:00Z",
            "effective < @2024-06",
            "status < 'z'",
            "1 < 2",
            "'a' != 'b'",
        ],
    );
    all(
        PATIENT,
        Some(true),
        &["birthDate < @1970-04-01", "birthDate = @1970-03-30", "birthDate >= @1969", "name.given != 'x'"],
    );
    all(
        PATIENT,
        Some(false),
        &["birthDate = @1970", "birthDate < @1970-03", "gender = @1970", "active = 'true'", "name = name.first()"],
    );
    all(OBSERVATION, None, &["value > 5", "status > 5", "value.value > '5'"]);
}

#[test]
fn logic_has_three_values() {
    all(
        PATIENT,
        Some(true),
        &[
            "active and gender = 'female'",
            "nothing or active",
            "active or nothing",
            "({} and false).not()",
            "(false and {}).not()",
            "nothing.exists() implies false",
            "({} implies true)",
            "false implies {}",
            "active xor false",
            "({} or false).empty()",
            "({} xor true).empty()",
            "(true implies {}).empty()",
            "(true and {}).empty()",
            "({} implies false).empty()",
            "{}.not().empty()",
            "(nothing = 1).empty()",
            "({} = {}).empty()",
            "true or false and false",
            "gender in ('male' | 'female')",
            "('a' | 'a' | 'b').count() = 2",
            "(1 | 2) = (1 | 2)",
            "(1 | 2) != (2 | 1)",
            "true or name",
            "gender",
        ],
    );
    all(PATIENT, Some(false), &["false and name", "active and {}", "active xor true", "false or {}"]);
}

#[test]
fn what_makes_no_sense_for_a_resource_is_undecided_not_false() {
    all(
        PATIENT,
        None,
        &[
            "name",
            "name and true",
            "name.given > 'A'",
            "name.given in ('A')",
            "name.given.startsWith('A')",
            "active.startsWith('t')",
            "name is HumanName",
            "active is boolean",
            "name.ofType(HumanName)",
            "1 is integer",
        ],
    );
}

#[test]
fn equal_objects_are_equal_in_any_order() {
    let resource =
        r#"{"a":{"x":1.0,"y":["1",null]},"b":{"y":["1",null],"x":1},"c":{"x":1,"y":[null,"1"]},"d":{"x":1}}"#;
    all(resource, Some(true), &["a = b", "a != c", "a != d", "(a | b | c).count() = 2"]);
}
