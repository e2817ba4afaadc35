//! [capabilities](https://hl7.org/fhir/R4/http.html#capabilities): `GET [base]/metadata`, a
//! [CapabilityStatement](https://hl7.org/fhir/R4/capabilitystatement.html) made from what is served: the types that a
//! route takes, Task, `$validate`, and the profile packs that are loaded.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::visit::Visit;
use super::{Desk, answer, conditions, query};
use crate::rejection::Rejection;

const VALIDATE: &str = "http://hl7.org/fhir/OperationDefinition/Resource-validate";

/// Answers with the statement.
pub(super) async fn read(
    State(desk): State<Arc<Desk>>,
    Extension(visit): Extension<Arc<Visit>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    match check(&visit, &uri, &headers) {
        Ok(()) => answer::resource(
            StatusCode::OK,
            &statement(&Served {
                base_url: &desk.base_url,
                since: desk.since,
                types: &desk.gateway.routed_types(),
                packs: &desk.gateway.packs(),
            }),
        ),
        Err(rejection) => desk.turn_away(&visit, &desk.place(&uri), rejection).await,
    }
}

fn check(visit: &Visit, uri: &Uri, headers: &HeaderMap) -> Result<(), Rejection> {
    // We have one statement: the full one, which `normative` may be answered with.
    query::check_with(uri, headers, &[("mode", "full"), ("mode", "normative")])?;
    visit.named.check()?;
    conditions::read(headers, None).map(drop)
}

/// What this gateway serves.
struct Served<'s> {
    base_url: &'s str,
    since: DateTime<Utc>,
    types: &'s [String],
    packs: &'s [(String, String)],
}

fn statement(served: &Served) -> Value {
    let mut statement = json!({
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": served.since.to_rfc3339_opts(SecondsFormat::Secs, true),
        "kind": "instance",
        "software": { "name": "Signalbox", "version": env!("CARGO_PKG_VERSION") },
        "implementation": { "description": description(served.packs), "url": served.base_url },
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [{
            "mode": "server",
            "documentation": "A resource that is sent here is stored, answered 202 Accepted and delivered to the \
                destinations of its routes. The Task named in Content-Location tells what became of it; only the \
                source that sent the resource can read it.",
            "security": {
                "service": [{
                    "coding": [{
                        "system": "http://terminology.hl7.org/CodeSystem/restful-security-service",
                        "code": "Certificates",
                        "display": "Certificates",
                    }],
                }],
                "description": "Every request needs the bearer token or the client certificate of a configured source.",
            },
            "resource": resources(served.types),
            "operation": [validate()],
        }],
    });
    let system = system(served.types);
    if !system.is_empty() {
        statement["rest"][0]["interaction"] = Value::Array(system);
    }
    statement
}

fn description(packs: &[(String, String)]) -> String {
    if packs.is_empty() {
        return "FHIR gateway without profile packs".to_owned();
    }
    let packs: Vec<String> = packs.iter().map(|(name, version)| format!("{name} {version}")).collect();
    format!("FHIR gateway that validates against {}", packs.join(", "))
}

/// One entry per type, sorted, Task among them.
fn resources(types: &[String]) -> Vec<Value> {
    let mut interactions: BTreeMap<&str, Vec<&str>> =
        types.iter().map(|name| (name.as_str(), vec!["create", "update"])).collect();
    interactions.entry("Task").or_default().extend(["read", "search-type"]);
    let entry = |(name, codes): (&str, Vec<&str>)| {
        let interaction: Vec<Value> = codes.iter().map(|code| json!({ "code": code })).collect();
        let mut entry = json!({ "type": name, "interaction": interaction, "operation": [validate()] });
        if name == "Task" {
            let parameters = [("_id", "token"), ("identifier", "token"), ("status", "token"), ("authored-on", "date")];
            entry["searchParam"] =
                parameters.iter().map(|(name, kind)| json!({ "name": name, "type": kind })).collect();
        }
        entry
    };
    interactions.into_iter().map(entry).collect()
}

/// A transaction is routed as a Bundle; a batch is routed entry by entry.
fn system(types: &[String]) -> Vec<Value> {
    let transaction = types.iter().any(|name| name == "Bundle").then(|| json!({ "code": "transaction" }));
    let batch = (!types.is_empty()).then(|| json!({ "code": "batch" }));
    batch.into_iter().chain(transaction).collect()
}

fn validate() -> Value {
    json!({ "name": "validate", "definition": VALIDATE })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_types(types: &[&str]) -> Value {
        let types: Vec<String> = types.iter().map(|&name| name.to_owned()).collect();
        statement(&Served {
            base_url: "http://127.0.0.1:8080/fhir",
            since: "2026-07-01T09:30:00Z".parse().unwrap(),
            types: &types,
            packs: &[("hl7.fhir.r4.core".to_owned(), "4.0.1".to_owned()), ("uk.core".to_owned(), "2.0.1".to_owned())],
        })
    }

    #[test]
    fn the_statement_names_what_is_served_and_nothing_else() {
        let mut statement = with_types(&["Encounter", "Patient"]);
        statement["software"]["version"] = json!("[version]");
        insta::assert_snapshot!(serde_json::to_string_pretty(&statement).unwrap());
    }

    #[test]
    fn a_task_that_is_routed_is_listed_once() {
        let statement = with_types(&["Task"]);
        let resources = statement["rest"][0]["resource"].as_array().unwrap();
        assert_eq!(resources.len(), 1);
        assert_eq!(
            resources[0]["interaction"],
            json!([{ "code": "create" }, { "code": "update" }, { "code": "read" }, { "code": "search-type" }])
        );
    }
}
