//! Every rule, broken once in a small resource: exactly that rule must speak, at that place. The resources are
//! written for the test; nobody in them exists. See [validation](https://hl7.org/fhir/R4/validation.html).
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a helper that fails is a test that fails")]

#[path = "../support/mod.rs"]
mod support;

mod codes;
mod elements;
mod invariants;
mod limits;
mod mutations;
mod outcomes;
mod primitives;
mod questions;
mod references;
mod responses;
mod twins;

use signalbox_validator::{Issue, IssueCode, Rule, Severity};

fn issues(text: &str) -> Vec<Issue> {
    support::validate(text.as_bytes()).expect("the test's JSON is well formed")
}

/// The document has no issue at all.
#[track_caller]
fn accepts(text: &str) {
    let issues = issues(text);
    assert!(issues.is_empty(), "{text}\n{issues:#?}");
}

/// The document breaks one rule, in one place.
#[track_caller]
fn refuses(text: &str, rule: Rule, code: IssueCode, expression: &str) {
    let issues = issues(text);
    let [issue] = issues.as_slice() else { panic!("expected one issue: {text}\n{issues:#?}") };
    let expected = (Severity::Error, rule, code, expression);
    assert_eq!((issue.severity, issue.rule, issue.code, issue.expression.as_str()), expected, "{text}\n{issue:#?}");
}

/// The document is valid, and this is remarked.
#[track_caller]
fn remarks(text: &str, severity: Severity, rule: Rule, expression: &str) {
    let issues = issues(text);
    let [issue] = issues.as_slice() else { panic!("expected one issue: {text}\n{issues:#?}") };
    assert_eq!((issue.severity, issue.rule, issue.expression.as_str()), (severity, rule, expression), "{issue:#?}");
}

/// A Patient with these members.
fn patient(members: &str) -> String {
    format!(r#"{{"resourceType":"Patient",{members}}}"#)
}
