//! The condition of a route: [FHIRPath](https://hl7.org/fhir/R4/fhirpath.html), read once and asked of every resource.
//! `now()` and `today()` are when the message came, so the same message always gets the same answer.

use chrono::{DateTime, Utc};
use signalbox_validator::ProfileSet;
use signalbox_validator::fhirpath::{Context, Expression, Limits};
use signalbox_validator::json::Value;

/// What one answer may cost: a condition that needs more is no condition for every message.
const LIMITS: Limits = Limits { steps: 100_000, items: 100_000, text: 1_000_000 };

/// A condition on a resource.
pub(super) struct Condition {
    text: Box<str>,
    expression: Expression,
}

/// Why a text is not a condition we can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub(super) struct ConditionError {
    /// In characters, from 1.
    pub(super) column: usize,
    pub(super) message: String,
}

/// Why a condition is neither true nor false for a resource; says nothing of the resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column} of `when`: {reason}")]
pub(super) struct Undecidable {
    /// In characters, from 1.
    pub(super) column: usize,
    pub(super) reason: String,
}

impl Condition {
    /// Reads a condition on resources of these types; of any when there are none.
    ///
    /// # Errors
    /// Where it is no FHIRPath, or names what no resource of these types can have.
    pub(super) fn parse(text: &str, definitions: &ProfileSet, types: &[String]) -> Result<Self, ConditionError> {
        let error = |offset, message| ConditionError { column: column(text, offset), message };
        let expression = Expression::parse(text).map_err(|fault| error(fault.offset, fault.message))?;
        let types: Vec<&str> = types.iter().map(String::as_str).collect();
        expression.check(definitions, &types).map_err(|fault| error(fault.offset, fault.message))?;
        Ok(Self { text: text.into(), expression })
    }

    /// Whether the condition is true for a resource that came then. Nothing is not true; one value that is no boolean is
    /// ([singleton evaluation](https://hl7.org/fhirpath/N1/#singleton-evaluation-of-collections)).
    ///
    /// # Errors
    /// Where it has no answer.
    pub(super) fn holds(
        &self,
        definitions: &ProfileSet,
        resource: Value<'_>,
        came: DateTime<Utc>,
    ) -> Result<bool, Undecidable> {
        let context = Context::new(definitions).at(came.timestamp_millis()).within(LIMITS);
        let found = self.expression.evaluate(&context, resource);
        let undecidable = |offset, reason| Undecidable { column: column(&self.text, offset), reason };
        match found.map_err(|fault| undecidable(fault.offset, fault.message))?.as_slice() {
            [] => Ok(false),
            [one] => Ok(one.as_bool().unwrap_or(true)),
            _ => Err(undecidable(
                0,
                "several values where one condition is needed; write .exists() behind the path".to_owned(),
            )),
        }
    }
}

/// The column of a byte of a text.
fn column(text: &str, offset: usize) -> usize {
    text.char_indices().take_while(|(at, _)| *at < offset).count() + 1
}

/// The types of R4, read once.
#[cfg(test)]
pub(super) fn r4() -> std::sync::Arc<ProfileSet> {
    use std::sync::{Arc, OnceLock};
    static R4: OnceLock<Arc<ProfileSet>> = OnceLock::new();
    let pack = include_bytes!("../../fhir-profiles/hl7.fhir.r4.core.pack");
    Arc::clone(R4.get_or_init(|| Arc::new(ProfileSet::load(&[pack]).unwrap())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use signalbox_validator::json::Document;

    const PATIENT: &str = r##"{"resourceType":"Patient","active":true,"birthDate":"2008-11-27","gender":"female",
        "identifier":[{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9990000018"},{"value":"L1"}],
        "name":[{"use":"official","family":"Test","given":["Anna","Maria"]},{"use":"old","given":[null,"Annie"]}],
        "contained":[{"resourceType":"Organization","id":"o","active":false}],
        "managingOrganization":{"reference":"#o"},"multipleBirthInteger":2}"##;

    fn parse(text: &str, types: &[&str]) -> Result<Condition, ConditionError> {
        let types: Vec<String> = types.iter().map(|name| (*name).to_owned()).collect();
        Condition::parse(text, &r4(), &types)
    }

    fn ask(text: &str) -> Result<bool, Undecidable> {
        let document = Document::read(PATIENT.as_bytes()).unwrap();
        let came = "2026-11-27T10:00:00Z".parse().unwrap();
        parse(text, &["Patient"]).unwrap().holds(&r4(), document.root(), came)
    }

    #[test]
    fn a_condition_is_true_false_or_has_no_answer() {
        for text in [
            "active",
            "Patient.active and gender = 'female'",
            "name.where(use = 'old').given = 'Annie'",
            "identifier.exists(system.empty())",
            "multipleBirth = 2",
            "multipleBirth is integer",
            "managingOrganization.resolve().active.not()",
            "gender",
            "name.given.count() > 2 and name.family.matches('^T')",
        ] {
            assert_eq!(ask(text), Ok(true), "{text}");
        }
        for text in ["active.not()", "deceased", "{}", "name[7].family = 'Test'", "gender = @1970"] {
            assert_eq!(ask(text), Ok(false), "{text}");
        }
        for text in ["name", "name and true", "name.given > 'A'", "name.given.startsWith('A')"] {
            assert!(ask(text).is_err(), "{text}");
        }
    }

    #[test]
    fn today_is_the_day_on_which_the_message_came() {
        assert_eq!(ask("birthDate + 18 years <= today()"), Ok(true));
        assert_eq!(ask("birthDate + 18 years < today()"), Ok(false));
        assert_eq!(ask("now() = @2026-11-27T10:00:00Z"), Ok(true));
    }

    #[test]
    fn a_condition_without_end_is_stopped() {
        let told = ask("'a'.repeat($this & 'a')").unwrap_err();
        assert!(told.reason.contains("too"), "{told}");
    }

    #[test]
    fn what_no_resource_of_the_types_can_have_is_told_at_its_column() {
        let told = |text, types: &[&str]| parse(text, types).err().map(|error| (error.column, error.message));
        let wrong = |column, message: &str| Some((column, message.to_owned()));
        assert_eq!(told("'é' = activ", &["Patient"]), wrong(7, "Patient has no element 'activ'"));
        assert_eq!(told("active or status = 'final'", &["Patient", "Observation"]), None);
        assert_eq!(told("Patient.active or Observation.status.exists()", &["Patient", "Observation"]), None);
        let both = "Patient or Observation has no element 'activ'";
        assert_eq!(told("activ", &["Patient", "Observation"]), wrong(1, both));
        assert_eq!(told("whatever", &[]), None);
        assert_eq!(told("Patient.activ", &[]), wrong(9, "Patient has no element 'activ'"));
        assert_eq!(told("Resource.active or Patient.active or Whatever.active", &[]), None);
        assert_eq!(told("active and", &[]).map(|(column, _)| column), Some(11));
    }
}
