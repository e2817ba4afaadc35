//! A [SearchParameter](https://hl7.org/fhir/R4/searchparameter.html) is read from the resource by an expression, and one that
//! is made of others names at least two.

use super::{Judge, Subject, numbered};
use crate::fhirpath::Expression;
use crate::issue::IssueCode;
use crate::location::Segment;

pub(super) fn judge(judge: &mut Judge<'_>, subject: Subject<'_, '_>) {
    let text = |key| subject.value.str_at(&[key]);
    if let Some(expression) = text("expression") {
        let problem = match Expression::parse(&expression) {
            Err(error) => Some(error.to_string()),
            Ok(parsed) => {
                let bases = numbered(subject.value, "base").filter_map(|(_, base)| base.as_str());
                let problems = bases.filter_map(|base| parsed.check(judge.set, &[&*base]).err());
                problems.map(|error| error.to_string()).next()
            }
        };
        if let Some(problem) = problem {
            let step = subject.location.step(Segment::Child("expression"));
            let value = subject.value.get("expression").unwrap_or(subject.value);
            judge.error((value, &step), IssueCode::Invalid, format!("The expression cannot be used: {problem}."));
        }
    }
    if text("type").as_deref() == Some("composite") && numbered(subject.value, "component").count() < 2 {
        let message = "A composite parameter is made of at least two others.";
        judge.error((subject.value, subject.location), IssueCode::BusinessRule, message);
    }
}
