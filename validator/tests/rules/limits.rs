//! Very broken documents: the walk ends, and says that it left something out.

use signalbox_validator::{IssueCode, Rule};

use super::{issues, patient};

#[test]
fn issues_stop_at_five_hundred_and_one_that_says_so() {
    let members: Vec<String> = (0..2000).map(|number| format!(r#""unknown{number}":1"#)).collect();
    let found = issues(&patient(&members.join(",")));
    assert_eq!(found.len(), 501);
    let last = found.last().unwrap();
    assert_eq!((last.rule, last.code), (Rule::Limit, IssueCode::TooCostly));
    assert!(found.iter().filter(|issue| issue.rule == Rule::Limit).count() == 1);
}

/// Each of these once took the square of its length.
#[test]
fn a_hostile_document_costs_no_more_than_its_length() {
    let many = |count: usize, item: &dyn Fn(usize) -> String| (0..count).map(item).collect::<Vec<_>>().join(",");
    let contained = many(50_000, &|n| format!(r#"{{"resourceType":"Basic","id":"c{n}"}}"#));
    let references = many(50_000, &|n| format!(r##"{{"reference":"#r{n}"}}"##));
    let nulls = many(200_000, &|_| "null".to_owned());
    let objects = many(200_000, &|_| r#"{"id":"a"}"#.to_owned());
    let begun = std::time::Instant::now();
    for members in [
        format!(r#""contained":[{contained}],"generalPractitioner":[{references}]"#),
        format!(r#""name":[{{"given":[{nulls}],"_given":[{objects}]}}]"#),
        format!(r#""name":[{{"given":[{nulls}]}}]"#),
        format!(r#""{}":1"#, "é".repeat(1_000_000)),
    ] {
        assert!(!issues(&patient(&members)).is_empty());
    }
    assert!(begun.elapsed().as_secs() < 20, "{:?}", begun.elapsed());
}

#[test]
fn the_deepest_document_the_reader_accepts_is_walked() {
    let deep = format!("{}{}", r#"{"extension":["#.repeat(60), "]}".repeat(60));
    let found = issues(&patient(&format!(r#""extension":[{deep}]"#)));
    assert!(!found.is_empty());
}

#[test]
fn a_message_never_quotes_a_value() {
    let secret = "Zebulon-9434765919";
    for members in [
        format!(r#""birthDate":"{secret}""#),
        format!(r#""active":"{secret}""#),
        format!(r#""id":"{secret}_""#),
        format!(r#""name":"{secret}""#),
        format!(r#""name":[{{"family":["{secret}"]}}]"#),
        format!(r#""managingOrganization":{{"reference":"{secret}/ 1"}}"#),
        format!(r#""maritalStatus":{{"coding":[{{"system":"{secret}","code":"{secret}"}}]}}"#),
        r#""managingOrganization":{"reference":"Zebulon/1"}"#.to_owned(),
        format!(r#""extension":[{{"url":"{secret}","valueString":"{secret}"}}]"#),
    ] {
        let found = issues(&patient(&members));
        assert!(!found.is_empty(), "{members}");
        for issue in found {
            assert!(!issue.to_string().contains("Zebulon"), "{issue}");
        }
    }
}
