//! FHIRPath: what expressions give, laws that hold for all of them, and the official tests, where they are.

#[cfg(test)]
#[path = "support/shared.rs"]
mod shared;

use std::collections::BTreeMap;
use std::process::Command;

use proptest::prelude::*;
use serde_json::Value;
use signalbox_validator::ProfileSet;
use signalbox_validator::fhirpath::{Context, Expression, Limits};
use signalbox_validator::json::Document;

const R4: &[u8] = include_bytes!("../../fhir-profiles/hl7.fhir.r4.core.pack");

const PATIENT: &str = r##"{
  "resourceType": "Patient", "id": "p1", "active": true,
  "contained": [{"resourceType": "Organization", "id": "gp", "name": "Surgery"}],
  "name": [{"use": "official", "family": "Example", "given": ["Ada", "Bea"]}, {"use": "usual", "given": ["Addy"]}],
  "telecom": [{"system": "phone", "value": "01632 960123", "rank": 2}, {"system": "email", "value": "a@b.example", "rank": 1}],
  "gender": "female", "birthDate": "1980-02-29",
  "_birthDate": {"extension": [{"url": "http://example.org/time", "valueDateTime": "1980-02-29T10:20:30Z"}]},
  "multipleBirthInteger": 2,
  "generalPractitioner": [{"reference": "#gp"}]
}"##;

#[cfg(test)]
fn set() -> &'static ProfileSet {
    static SET: std::sync::OnceLock<ProfileSet> = std::sync::OnceLock::new();
    SET.get_or_init(|| ProfileSet::load(&[R4]).unwrap())
}

/// What an expression gives for the patient: types and values, or the error.
#[cfg(test)]
fn told(expression: &str) -> Result<Vec<String>, String> {
    let document = Document::read(PATIENT.as_bytes()).unwrap();
    let expression = Expression::parse(expression).map_err(|error| format!("{}: {error}", error.offset))?;
    expression.check(set(), &["Patient"]).map_err(|error| format!("{}: {error}", error.offset))?;
    let context = Context::new(set()).at(1_795_000_000_000);
    let found = expression.evaluate(&context, document.root()).map_err(|error| format!("{}: {error}", error.offset))?;
    Ok(found.iter().map(|item| format!("{} {}", item.type_name(), item.text())).collect())
}

fn gives(expression: &str, wanted: &[&str]) {
    assert_eq!(told(expression), Ok(wanted.iter().map(|text| (*text).to_owned()).collect()), "{expression}");
}

#[test]
fn elements_are_found_with_their_types() {
    gives("Patient.name.given", &["string Ada", "string Bea", "string Addy"]);
    gives("name[1].given | name.family", &["string Addy", "string Example"]);
    gives("gender", &["code female"]);
    gives("multipleBirth", &["integer 2"]);
    gives("multipleBirth.ofType(integer) + 1", &["integer 3"]);
    gives("birthDate.extension('http://example.org/time').value", &["dateTime @1980-02-29T10:20:30Z"]);
    gives("telecom.where(system = 'email').value", &["string a@b.example"]);
    gives("telecom.sort(rank).value.first()", &["string a@b.example"]);
    gives("generalPractitioner.resolve().ofType(Organization).name", &["string Surgery"]);
    gives("descendants().ofType(string).count()", &["integer 8"]);
    gives("Patient.type().name", &["string Patient"]);
}

#[test]
fn values_are_computed_exactly() {
    gives("0.1 + 0.2 = 0.3", &["boolean true"]);
    gives("1.10.toString()", &["string 1.10"]);
    gives("birthDate + 1 year", &["date @1981-02-28"]);
    gives("birthDate < @1980-03", &["boolean true"]);
    gives("birthDate = @1980-02-29T10:00", &[]);
    gives("2.0 'cm' * 2.0 'm'", &["Quantity 0.04 'm2'"]);
    gives("1.587.lowBoundary(2)", &["decimal 1.58"]);
    gives("'a,b'.split(',').join('-')", &["string a-b"]);
    gives("'abc'.replaceMatches('(b)', '<$1>')", &["string a<b>c"]);
    gives("(1|2|3).aggregate($this + $total, 0)", &["integer 6"]);
    gives("name.given.defineVariable('all').select(%all.count()).distinct()", &["integer 3"]);
}

#[test]
fn a_fault_says_where_it_is_and_what_was_expected() {
    let faults = [
        ("name.", "5: here is the end, and the name of an element or function was expected"),
        ("name.giben", "5: HumanName has no element 'giben'"),
        ("name.given.frist()", "11: there is no function 'frist'; did you mean 'first'?"),
        ("name.single()", "5: 'single' takes one item, and there are 2"),
        ("'a' < 1", "4: string and integer have no order"),
        ("gender is Gender", "7: there is no type 'Gender'"),
        ("@2014-13", "0: a date is written @2014-01-25, a time @T14:30:14, both @2014-01-25T14:30:14Z"),
        ("'abc", "0: the text that begins here has no closing '"),
        ("1 + ", "4: here is the end, and a value or a name was expected"),
        ("%nothing", "0: there is no variable '%nothing'"),
        ("active | %a.defineVariable('a')", "9: there is no variable '%a'"),
    ];
    for (expression, wanted) in faults {
        assert_eq!(told(expression), Err(wanted.to_owned()), "{expression}");
    }
}

#[test]
fn an_expression_that_would_take_for_ever_is_stopped() {
    let document = Document::read(PATIENT.as_bytes()).unwrap();
    let context = Context::new(set()).within(Limits { steps: 10_000, ..Limits::default() });
    let long = "(1|2|3|4|5|6|7|8|9).select((1|2|3|4|5|6|7|8|9).select((1|2|3|4|5|6|7|8|9).select($this + 1)))";
    let error = Expression::parse(long).unwrap().evaluate(&context, document.root()).unwrap_err();
    assert!(error.message.contains("too many steps"), "{error}");
    let deep = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(Expression::parse(&deep).unwrap_err().message.contains("too deeply"));
}

#[test]
fn a_chain_of_any_length_is_followed_or_refused() {
    let chains = [
        ("1", "+1"),
        ("true", " and true"),
        ("Patient", "[0]"),
        ("Patient", ".where(true)"),
        ("a", ".a"),
        ("1", " is X"),
    ];
    for (first, link) in chains {
        let chain = |links: usize| format!("{first}{}", link.repeat(links));
        assert!(!told(&chain(500)).is_err_and(|fault| fault.contains("too many")), "{link}");
        assert!(Expression::parse(&chain(500)).unwrap().to_string().len() > 1000);
        assert!(Expression::parse(&chain(1_000_000)).unwrap_err().message.contains("too many parts"), "{link}");
    }
}

#[test]
fn a_letter_by_its_number_has_four_digits() {
    assert_eq!(told(r"'\u0041'").unwrap(), told("'A'").unwrap());
    for short in [r"'\u41'", r"'\u+041'", r"'\u 041'"] {
        assert!(Expression::parse(short).unwrap_err().message.contains("four hexadecimal digits"), "{short}");
    }
}

#[test]
fn a_unit_is_printed_as_it_is_read() {
    for text in [r"1 '\''", r"1 '\\'", r"1 '\n'"] {
        assert_eq!(Expression::parse(text).unwrap().to_string(), text);
    }
}

/// Expressions that parse.
fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("name".to_owned()),
        Just("$this".to_owned()),
        Just("{}".to_owned()),
        Just("true".to_owned()),
        Just("'it''s'".replace("''", "\\'")),
        Just("1.50".to_owned()),
        Just("4 days".to_owned()),
        Just("2 'mg'".to_owned()),
        Just("@2014-01".to_owned()),
        Just("@2014T".to_owned()),
        Just("@T10:30".to_owned()),
        Just("%resource".to_owned()),
        Just("`div`".to_owned()),
        (0_u32..1000).prop_map(|number| number.to_string()),
    ];
    leaf.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (
                inner.clone(),
                inner.clone(),
                prop::sample::select(vec!["+", "and", "|", "=", "<", "in", "implies", "mod"])
            )
                .prop_map(|(left, right, operator)| format!("({left}) {operator} ({right})")),
            inner.clone().prop_map(|of| format!("-({of})")),
            inner.clone().prop_map(|of| format!("({of}).exists()")),
            (inner.clone(), inner.clone()).prop_map(|(of, by)| format!("({of}).where({by})")),
            (inner.clone(), inner.clone()).prop_map(|(of, at)| format!("({of})[{at}]")),
            inner.clone().prop_map(|of| format!("({of}) is FHIR.Patient")),
            inner.prop_map(|of| format!("({of}).given")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn what_is_printed_is_the_same_expression(text in expressions()) {
        let parsed = Expression::parse(&text).unwrap();
        let printed = parsed.to_string();
        prop_assert_eq!(Expression::parse(&printed).unwrap().to_string(), printed);
    }

    #[test]
    fn no_text_makes_it_panic(text in ".{0,60}") {
        let _ = told(&text);
    }

    #[test]
    fn no_expression_makes_it_panic(text in expressions()) {
        let _ = told(&text);
    }

    #[test]
    fn a_union_with_itself_is_itself(text in expressions()) {
        let once = told(&format!("({text}).distinct()"));
        let twice = told(&format!("({text}) | ({text})"));
        prop_assert_eq!(once.ok(), twice.ok());
    }

    #[test]
    fn not_of_not_is_the_truth_of_it(text in expressions()) {
        let truth = told(&format!("({text}) and true"));
        let twice = told(&format!("({text}).not().not()"));
        if let (Ok(truth), Ok(twice)) = (truth, twice) {
            prop_assert_eq!(truth, twice);
        }
    }
}

/// Official tests that this engine does not agree with, each with its reason.
const DISAGREED: &[(&str, &str)] = &[];

#[test]
fn the_official_tests_agree() {
    let Some(folder) = shared::folder("the official tests of FHIRPath") else { return };
    let path = folder.join("fhirpath-cases/cases.json");
    let cases: Vec<Value> = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    let output = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--package", "signalbox-validator", "--example", "fhirpath_cases", "--"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let lines: Vec<Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), cases.len());
    let mut wrong = BTreeMap::new();
    for (case, line) in cases.iter().zip(&lines) {
        if !agrees(case, line) {
            wrong.insert(case["name"].as_str().unwrap().to_owned(), format!("{case}\n  {line}"));
        }
    }
    let listed: Vec<&str> = DISAGREED.iter().map(|(name, _)| *name).collect();
    let unexpected: Vec<_> = wrong.iter().filter(|(name, _)| !listed.contains(&name.as_str())).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    let agreeing: Vec<_> = listed.iter().filter(|name| !wrong.contains_key(**name)).collect();
    assert!(agreeing.is_empty(), "these agree now: {agreeing:?}");
    println!("{} of {} official tests agree", cases.len() - wrong.len(), cases.len());
}

fn agrees(case: &Value, line: &Value) -> bool {
    if !case["invalid"].is_null() {
        return line["error"].is_string();
    }
    let (Some(wanted), Some(found)) = (case["outputs"].as_array(), line["outputs"].as_array()) else { return false };
    let same = |wanted: &Value, found: &Value| {
        wanted["value"] == found["value"] && (wanted["type"].is_null() || wanted["type"] == found["type"])
    };
    wanted.len() == found.len() && wanted.iter().zip(found).all(|(wanted, found)| same(wanted, found))
}
