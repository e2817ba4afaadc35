//! Implementation guides of our own, in files, and sources with a policy of theirs.

use std::path::Path;

use reqwest::Method;
use signalbox::chance::Chance;
use signalbox::config::token;

use super::TestGateway;

/// A profile of Patient.
pub(crate) const WARD_PATIENT: &str = "https://guides.example.org/StructureDefinition/ward-patient";

/// Writes a version of the ward's guide: a folder `NAME` with one profile, by which a patient has this element.
pub(crate) fn write_guide(folder: &Path, name: &str, version: &str, needed: &str) {
    let profile = serde_json::json!({
        "resourceType": "StructureDefinition", "url": WARD_PATIENT, "version": version, "name": "WardPatient",
        "status": "active", "fhirVersion": "4.0.1", "kind": "resource", "abstract": false, "type": "Patient",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Patient", "derivation": "constraint",
        "differential": { "element": [
            { "id": "Patient", "path": "Patient" },
            { "id": format!("Patient.{needed}"), "path": format!("Patient.{needed}"), "min": 1 },
        ] },
    });
    std::fs::create_dir_all(folder.join(name)).unwrap();
    std::fs::write(folder.join(name).join("ward-patient.json"), profile.to_string()).unwrap();
}

/// `[sources.NAME]` with the token of this number.
pub(crate) fn source(name: &str, number: u64, rest: &str) -> String {
    let hash = token::new_token(&Chance::seeded(number)).1;
    format!("[sources.{name}]\nods = \"RX1\"\ntoken_sha256 = [\"{hash}\"]\n{rest}\n")
}

impl TestGateway {
    /// Sends a resource as the source with the token of this number.
    pub(crate) async fn send_as(&self, number: u64, path: &str, body: impl Into<reqwest::Body>) -> reqwest::Response {
        let (token, _) = token::new_token(&Chance::seeded(number));
        let request = self.client.request(Method::POST, format!("{}/{path}", self.base)).bearer_auth(token.expose());
        request.header("content-type", "application/fhir+json").body(body).send().await.unwrap()
    }
}

/// The issues of an OperationOutcome: severity, code, text, expression.
pub(crate) async fn issues(answer: reqwest::Response) -> Vec<String> {
    let outcome: serde_json::Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    let text = |value: &serde_json::Value| value.as_str().unwrap_or("-").to_owned();
    let told = |issue: &serde_json::Value| {
        let parts = [&issue["severity"], &issue["code"], &issue["diagnostics"], &issue["expression"][0]];
        parts.map(text).join(" | ")
    };
    outcome["issue"].as_array().unwrap().iter().map(told).collect()
}
