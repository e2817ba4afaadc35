//! What is asked: [`ValueSet/$validate-code`](https://hl7.org/fhir/R4/valueset-operation-validate-code.html),
//! [`CodeSystem/$validate-code`](https://hl7.org/fhir/R4/codesystem-operation-validate-code.html) where there is no value
//! set, and [`CodeSystem/$lookup`](https://hl7.org/fhir/R4/codesystem-operation-lookup.html) for all displays of a code.

use serde_json::{Value, json};
use signalbox_validator::{CodeAnswer, CodeQuestion};

/// Longest display that is kept, and most of them.
const LONGEST: usize = 300;
const MOST: usize = 64;

/// One question as it is sent; also what its answer is kept under.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Request {
    /// Is this code right?
    Validate(CodeQuestion),
    /// How may it be displayed? (Without a value set.)
    Lookup(CodeQuestion),
}

impl Request {
    pub(super) fn lookup(question: &CodeQuestion) -> Self {
        Self::Lookup(CodeQuestion { value_set: None, ..question.clone() })
    }

    /// Below the base URL of the server.
    pub(super) fn path(&self) -> &'static str {
        match self {
            Self::Validate(CodeQuestion { value_set: Some(_), .. }) => "ValueSet/$validate-code",
            Self::Validate(_) => "CodeSystem/$validate-code",
            Self::Lookup(_) => "CodeSystem/$lookup",
        }
    }

    /// The Parameters.
    pub(super) fn body(&self) -> String {
        let (Self::Validate(question) | Self::Lookup(question)) = self;
        let CodeQuestion { system, version, code, value_set } = question;
        let uri = |name: &str, uri: &str| json!({ "name": name, "valueUri": uri });
        let mut parameters = match (self, value_set) {
            (Self::Validate(_), Some(value_set)) => vec![uri("url", value_set), uri("system", system)],
            (Self::Validate(_), None) => vec![uri("url", system)],
            (Self::Lookup(_), _) => {
                vec![uri("system", system), json!({ "name": "property", "valueCode": "designation" })]
            }
        };
        parameters.push(json!({ "name": "code", "valueCode": code }));
        if let Some(version) = version {
            let name = if value_set.is_some() { "systemVersion" } else { "version" };
            parameters.push(json!({ "name": name, "valueString": version }));
        }
        json!({ "resourceType": "Parameters", "parameter": parameters }).to_string()
    }

    /// What a resource says to the question; nothing when it is no answer to it.
    pub(super) fn answer(&self, resource: &Value) -> Option<CodeAnswer> {
        if resource["resourceType"] != "Parameters" {
            return None;
        }
        let all = resource["parameter"].as_array()?;
        let named = |name: &'static str| all.iter().filter(move |parameter| parameter["name"] == name);
        let mut displays: Vec<String> = named("display").filter_map(|found| display(&found["valueString"])).collect();
        if let Self::Lookup(_) = self {
            let parts = named("designation").filter_map(|found| found["part"].as_array()).flatten();
            displays
                .extend(parts.filter(|part| part["name"] == "value").filter_map(|part| display(&part["valueString"])));
            displays.truncate(MOST);
            return (!displays.is_empty()).then_some(CodeAnswer::Right(displays));
        }
        match named("result").find_map(|found| found["valueBoolean"].as_bool())? {
            true => Some(CodeAnswer::Right(displays.into_iter().take(1).collect())),
            false if all.iter().any(is_of_the_unknown) => Some(CodeAnswer::CannotSay),
            false => Some(CodeAnswer::Wrong),
        }
    }
}

fn display(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty() && text.len() <= LONGEST).map(str::to_owned)
}

/// Whether a parameter says that the server does not have the system or the value set, so that its `false` means nothing:
/// as [HL7's own servers](https://hl7.org/fhir/tools/CodeSystem-tx-issue-type.html) do.
fn is_of_the_unknown(parameter: &Value) -> bool {
    match parameter["name"].as_str() {
        Some("x-caused-by-unknown-system" | "x-unknown-system") => true,
        Some("issues") => {
            let issues = parameter["resource"]["issue"].as_array().into_iter().flatten();
            let codings = issues.filter_map(|issue| issue["details"]["coding"].as_array()).flatten();
            codings.into_iter().any(|coding| {
                coding["system"] == "http://hl7.org/fhir/tools/CodeSystem/tx-issue-type"
                    && (coding["code"] == "not-found" || coding["code"] == "vs-invalid")
            })
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(value_set: Option<&str>, version: Option<&str>) -> CodeQuestion {
        CodeQuestion {
            system: "http://snomed.info/sct".to_owned(),
            version: version.map(str::to_owned),
            code: "1001".to_owned(),
            value_set: value_set.map(str::to_owned),
        }
    }

    /// The parameters of a request: `name=value`.
    fn told(request: &Request) -> Vec<String> {
        let body: Value = serde_json::from_str(&request.body()).unwrap();
        let told = |parameter: &Value| {
            let value = parameter.as_object().unwrap().values().nth(1).unwrap().as_str().unwrap().to_owned();
            format!("{}={value}", parameter["name"].as_str().unwrap())
        };
        body["parameter"].as_array().unwrap().iter().map(told).collect()
    }

    #[test]
    fn each_operation_names_its_parameters_in_its_own_way() {
        let in_set = Request::Validate(question(Some("http://example.org/vs"), Some("1")));
        assert_eq!(in_set.path(), "ValueSet/$validate-code");
        let expected = ["url=http://example.org/vs", "system=http://snomed.info/sct", "code=1001", "systemVersion=1"];
        assert_eq!(told(&in_set), expected);
        let in_system = Request::Validate(question(None, Some("1")));
        assert_eq!(in_system.path(), "CodeSystem/$validate-code");
        assert_eq!(told(&in_system), ["url=http://snomed.info/sct", "code=1001", "version=1"]);
        let lookup = Request::lookup(&question(Some("http://example.org/vs"), None));
        assert_eq!(lookup.path(), "CodeSystem/$lookup");
        assert_eq!(told(&lookup), ["system=http://snomed.info/sct", "property=designation", "code=1001"]);
    }

    #[test]
    fn an_answer_is_right_wrong_or_that_it_cannot_be_said() {
        let validate = Request::Validate(question(None, None));
        let read = |request: &Request, parameters: Value| {
            request.answer(&json!({ "resourceType": "Parameters", "parameter": parameters }))
        };
        let result = |value: bool| json!({ "name": "result", "valueBoolean": value });
        let display = json!({ "name": "display", "valueString": "Example" });
        let right = read(&validate, json!([result(true), display]));
        assert_eq!(right, Some(CodeAnswer::Right(vec!["Example".to_owned()])));
        assert_eq!(read(&validate, json!([result(false), display])), Some(CodeAnswer::Wrong));
        let unknown = json!({ "name": "x-caused-by-unknown-system", "valueCanonical": "http://snomed.info/sct" });
        assert_eq!(read(&validate, json!([result(false), unknown])), Some(CodeAnswer::CannotSay));
        let issue = |code: &str| {
            let coding = json!({ "system": "http://hl7.org/fhir/tools/CodeSystem/tx-issue-type", "code": code });
            json!({ "name": "issues", "resource": { "issue": [{ "details": { "coding": [coding] } }] } })
        };
        assert_eq!(read(&validate, json!([result(false), issue("not-found")])), Some(CodeAnswer::CannotSay));
        assert_eq!(read(&validate, json!([result(false), issue("not-in-vs")])), Some(CodeAnswer::Wrong));
        let designation = json!({ "name": "designation", "part": [
            { "name": "language", "valueCode": "en" }, { "name": "value", "valueString": "Example disorder" } ] });
        let all = read(&Request::lookup(&question(None, None)), json!([display, designation]));
        assert_eq!(all, Some(CodeAnswer::Right(vec!["Example".to_owned(), "Example disorder".to_owned()])));
        for nonsense in [json!([]), json!([{ "name": "result", "valueString": "true" }]), json!({}), json!(null)] {
            assert_eq!(read(&validate, nonsense.clone()), None, "{nonsense}");
        }
        assert_eq!(validate.answer(&json!({ "resourceType": "Bundle", "parameter": [result(true)] })), None);
    }
}
