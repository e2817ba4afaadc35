//! Codes of systems that are not loaded are asked of a terminology server, which confirms or refuses them, or is not
//! there: then the message is flagged or held, and nobody waits for long.

use std::time::{Duration, Instant};

use reqwest::{Method, Response};
use serde_json::{Value, json};
use signalbox::clock::Clock;
use signalbox::delivery::operator::Act;
use signalbox::delivery::quarantine::{Decision, decide};
use signalbox::exchange::state::DeliveryState;

use crate::support::guides::{issues, source};
use crate::support::terminology::{Mood, PROBLEMS, SEVERITIES, SNOMED, TerminologyServer};
use crate::support::{ADA, TestGateway};

const CLINIC: u64 = 51;
const PROFILE: &str = "https://guides.example.org/StructureDefinition/problem";

const ARCHIVE: &str = "
[[routes]]
name = \"problems\"
to = [\"archive\"]
[destinations.archive]
type = \"file\"
settings = { folder = \"archive\" }
";

/// A gateway whose source `clinic` has a guide that binds Condition.code (required) and Condition.severity (extensible).
async fn gateway(terminology: &str) -> TestGateway {
    let folder = tempfile::tempdir().unwrap();
    let bound = |element: &str, strength: &str, set: &str| {
        json!({ "id": format!("Condition.{element}"), "path": format!("Condition.{element}"),
                "binding": { "strength": strength, "valueSet": set } })
    };
    let profile = json!({
        "resourceType": "StructureDefinition", "url": PROFILE, "version": "1", "name": "Problem", "status": "active",
        "fhirVersion": "4.0.1", "kind": "resource", "abstract": false, "type": "Condition",
        "baseDefinition": "http://hl7.org/fhir/StructureDefinition/Condition", "derivation": "constraint",
        "differential": { "element": [
            { "id": "Condition", "path": "Condition" },
            bound("code", "required", PROBLEMS),
            bound("severity", "extensible", SEVERITIES),
        ] },
    });
    for name in ["guide", "archive"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    std::fs::write(folder.path().join("guide/problem.json"), profile.to_string()).unwrap();
    std::fs::write(folder.path().join("tx-token"), "t0ken-of-the-server\n").unwrap();
    let clinic = source("clinic", CLINIC, "packages = [\"guide\"]");
    TestGateway::in_folder(folder, "", &format!("{terminology}{clinic}{ARCHIVE}")).await
}

fn coding(code: &str) -> Value {
    json!({ "system": SNOMED, "code": code })
}

/// A Condition of a patient with this code, and further members.
fn condition(code: &Value, further: &Value) -> String {
    let mut condition = json!({
        "resourceType": "Condition", "meta": { "profile": [PROFILE] },
        "subject": { "display": "Ada Lovelace",
                     "identifier": { "system": "https://fhir.nhs.uk/Id/nhs-number", "value": ADA } },
        "code": { "coding": [code], "text": "of Ada Lovelace" },
    });
    let members = further.as_object().unwrap().clone();
    condition.as_object_mut().unwrap().extend(members);
    condition.to_string()
}

async fn send(gateway: &TestGateway, code: &Value, further: Value) -> Response {
    gateway.send_as(CLINIC, "Condition", condition(code, &further)).await
}

/// The issues of an answer that are about codes; and that they are those of a message with this status.
async fn found(answer: Response, status: u16) -> Vec<String> {
    assert_eq!(answer.status(), status);
    let mut issues = issues(answer).await;
    issues.retain(|issue| !issue.starts_with("information | informational"));
    issues
}

async fn metrics(gateway: &TestGateway) -> String {
    let root = gateway.base.trim_end_matches("/fhir");
    gateway.client.get(format!("{root}/metrics")).send().await.unwrap().text().await.unwrap()
}

async fn counted(gateway: &TestGateway, outcome: &str) -> u64 {
    let name = format!("signalbox_terminology_questions_total{{outcome=\"{outcome}\"}} ");
    let told = metrics(gateway).await;
    told.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |count| count.parse().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_confirmed_once_and_then_known() {
    let server = TerminologyServer::start().await;
    let gateway = gateway(
        &server
            .settings("token = \"secret:file:tx-token\"\nheaders = { x-client = \"signalbox\" }\nwhen_down = \"hold\""),
    )
    .await;
    let further = json!({ "severity": { "coding": [coding("2001")] }, "bodySite": [{ "coding": [coding("3001")] }] });
    assert_eq!(found(send(&gateway, &coding("1001"), further.clone()).await, 202).await, Vec::<String>::new());
    let expected = ["CodeSystem/$validate-code 3001", "ValueSet/$validate-code 1001", "ValueSet/$validate-code 2001"];
    assert_eq!(server.operations(), expected);
    for asked in server.asked() {
        assert_eq!(asked.headers["authorization"], "Bearer t0ken-of-the-server");
        assert_eq!(asked.headers["x-client"], "signalbox");
        assert!(!asked.text.contains("Ada") && !asked.text.contains(ADA), "{}", asked.text);
    }
    assert_eq!(found(send(&gateway, &coding("1001"), further).await, 202).await, Vec::<String>::new());
    assert_eq!(server.asked().len(), 3, "nothing is asked twice");
    assert_eq!((counted(&gateway, "right").await, counted(&gateway, "cached").await), (3, 3));
    assert!(!metrics(&gateway).await.contains("1001"), "figures hold no codes");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_code_is_as_bad_as_its_binding() {
    let server = TerminologyServer::start().await;
    let gateway = gateway(&server.settings("")).await;
    let told = found(send(&gateway, &coding("2001"), json!({})).await, 422).await;
    assert_eq!(told.len(), 1, "{told:?}");
    let (required, place) =
        ("error | code-invalid | None of the codings is in the required value set", "Condition.code");
    assert!(told[0].starts_with(required) && told[0].contains(PROBLEMS) && told[0].ends_with(place), "{told:?}");

    let severity = json!({ "severity": { "coding": [coding("1002")] } });
    let told = found(send(&gateway, &coding("1001"), severity).await, 202).await;
    assert!(
        told.len() == 1 && told[0].starts_with("warning | code-invalid") && told[0].contains(SEVERITIES),
        "{told:?}"
    );

    let site = json!({ "bodySite": [{ "coding": [coding("9999")] }] });
    let told = found(send(&gateway, &coding("1001"), site).await, 422).await;
    assert!(told[0].starts_with("error | code-invalid | The code '9999' is not in the code system"), "{told:?}");
    assert!(told[0].ends_with("Condition.bodySite[0].coding[0].code"), "{told:?}");

    // That it is wrong is known from then on too.
    let before = server.asked().len();
    assert_eq!(send(&gateway, &coding("2001"), json!({})).await.status(), 422);
    assert_eq!(server.asked().len(), before);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_display_is_compared_here_with_all_that_the_server_has() {
    let server = TerminologyServer::start().await;
    let gateway = gateway(&server.settings("")).await;
    let shown = |display: &str| json!({ "system": SNOMED, "code": "1001", "display": display });
    assert_eq!(found(send(&gateway, &shown("example DISORDER"), json!({})).await, 202).await, Vec::<String>::new());
    assert_eq!(server.operations(), ["ValueSet/$validate-code 1001"]);
    let synonym = send(&gateway, &shown("Disorder of the examples"), json!({})).await;
    assert_eq!(found(synonym, 202).await, Vec::<String>::new());
    assert_eq!(server.operations(), ["CodeSystem/$lookup 1001", "ValueSet/$validate-code 1001"]);
    let told = found(send(&gateway, &shown("Dear Ada"), json!({})).await, 202).await;
    assert!(told.len() == 1 && told[0].starts_with("warning | invalid | The display 'Dear Ada'"), "{told:?}");
    assert!(told[0].contains("expected 'Example disorder'"), "{told:?}");
    assert!(told[0].ends_with("Condition.code.coding[0].display"), "{told:?}");
    assert_eq!(server.asked().len(), 2, "what is known is not asked");
    assert!(server.asked().iter().all(|asked| !asked.text.contains("Ada")), "a display is never sent");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_flags_the_message() {
    let server = TerminologyServer::start().await;
    let settings = server.settings("");
    drop(server);
    let gateway = gateway(&settings).await;
    let severity = json!({ "severity": { "coding": [coding("2001")] } });
    let told = found(send(&gateway, &coding("1001"), severity).await, 202).await;
    let [codes, remark] = told.as_slice() else { panic!("{told:?}") };
    let (codes, remark) = if codes.contains("incomplete") { (codes, remark) } else { (remark, codes) };
    assert!(remark.starts_with("information | not-supported | Codes of") && remark.contains(PROBLEMS), "{told:?}");
    let (beginning, end) = (
        "information | incomplete | 2 codes were not checked, the first at Condition",
        "server does not answer. | Condition",
    );
    assert!(codes.starts_with(beginning) && codes.contains(end), "{told:?}");
    assert_eq!(counted(&gateway, "failed").await, 2);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_is_down_holds_the_message_until_an_operator_decides() {
    let server = TerminologyServer::start().await;
    let gateway = gateway(&server.settings("when_down = \"hold\"")).await;
    server.is(Mood::Says(503, "{}"));
    let answer = send(&gateway, &coding("1001"), json!({})).await;
    let exchange = TestGateway::exchange_of(&answer);
    let told = found(answer, 202).await;
    assert!(told[0].contains("held in quarantine"), "{told:?}");
    let delivery = gateway.delivery(exchange).await;
    let why = "1 code was not checked: the terminology server does not answer";
    assert_eq!((delivery.state, delivery.note.as_deref()), (DeliveryState::Quarantined, Some(why)));

    // The next of the patient waits behind it, though its code is fine.
    server.is(Mood::Well);
    let next = TestGateway::exchange_of(&send(&gateway, &coding("1002"), json!({})).await);
    assert_eq!(gateway.delivery(next).await.state, DeliveryState::Waiting);
    let act = Act {
        actor: "sam".to_owned(),
        reason: "the code is in our list".to_owned(),
        now: Clock::system().now(),
        config_hash: "of a test".to_owned(),
        packs: "of a test".to_owned(),
    };
    decide(&mut gateway.connect().await, exchange, Decision::Release, &act).await.unwrap();
    gateway.until_it_is(exchange, DeliveryState::Delivered).await;
    gateway.until_it_is(next, DeliveryState::Delivered).await;

    // What the server does not have is no reason to hold: it has answered.
    let other = json!({ "bodySite": [{ "coding": [{ "system": "http://loinc.org", "code": "1-1" }] }] });
    let elsewhere = TestGateway::exchange_of(&send(&gateway, &coding("1001"), other).await);
    assert_eq!(counted(&gateway, "cannot_say").await, 1);
    gateway.until_it_is(elsewhere, DeliveryState::Delivered).await;
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_server_is_not_waited_for() {
    let server = TerminologyServer::start().await;
    let gateway = gateway(&server.settings("timeout = \"200ms\"\nbudget = { time = \"400ms\", at_once = 1 }")).await;
    server.is(Mood::Slow(Duration::from_secs(20)));
    let sites: Vec<Value> = (0..8).map(|number| json!({ "coding": [coding(&format!("30{number}"))] })).collect();
    let started = Instant::now();
    let told = found(send(&gateway, &coding("1001"), json!({ "bodySite": sites })).await, 202).await;
    assert!(started.elapsed() < Duration::from_secs(10), "twenty seconds are not waited for, eight times");
    assert!(told.iter().any(|issue| issue.contains("9 codes were not checked")), "{told:?}");
    assert!(counted(&gateway, "slow").await >= 1);
    assert!(counted(&gateway, "over_budget").await >= 6);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nonsense_is_no_answer() {
    let server = TerminologyServer::start().await;
    let gateway = gateway(&server.settings("breaker = { failures = 100 }")).await;
    let outcome = "{\"resourceType\":\"OperationOutcome\",\"issue\":[]}";
    let answers = [
        (200, "<html>welcome</html>"),
        (200, "{\"resourceType\":\"Parameters\",\"parameter\":[{\"name\":\"result\",\"valueBoolean\":\"yes\"}]}"),
        (200, "{\"resourceType\":\"Bundle\"}"),
        (200, ""),
        (404, "{\"error\":\"no such page\"}"),
        (302, outcome),
        (401, outcome),
        (429, outcome),
    ];
    for (number, (status, body)) in (1..).zip(answers) {
        server.is(Mood::Says(status, body));
        let told = found(send(&gateway, &coding("1001"), json!({})).await, 202).await;
        assert!(told.iter().any(|issue| issue.contains("1 code was not checked")), "{status} {body}: {told:?}");
        assert_eq!(counted(&gateway, "failed").await, number, "{status} {body}");
    }
    server.is(Mood::Says(422, outcome));
    let told = found(send(&gateway, &coding("1001"), json!({})).await, 202).await;
    assert!(told.len() == 1 && told[0].starts_with("information | not-supported"), "it cannot say: {told:?}");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_fails_is_left_alone_and_tried_again() {
    let server = TerminologyServer::start().await;
    let gateway = gateway(&server.settings("breaker = { failures = 2, pause = \"600ms\" }")).await;
    server.is(Mood::Says(500, ""));
    for _ in 0..5 {
        let told = found(send(&gateway, &coding("1001"), json!({})).await, 202).await;
        assert!(told.iter().any(|issue| issue.contains("does not answer")), "{told:?}");
    }
    assert_eq!(server.asked().len(), 2, "three messages did not wait for it");
    assert_eq!(counted(&gateway, "left_alone").await, 3);
    tokio::time::sleep(Duration::from_millis(700)).await;
    send(&gateway, &coding("1001"), json!({})).await;
    send(&gateway, &coding("1001"), json!({})).await;
    assert_eq!(server.asked().len(), 3, "one tried, and it is left alone again");
    server.is(Mood::Well);
    tokio::time::sleep(Duration::from_millis(700)).await;
    for code in ["1001", "1002"] {
        assert_eq!(found(send(&gateway, &coding(code), json!({})).await, 202).await, Vec::<String>::new());
    }
    assert_eq!(server.asked().len(), 5);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_asks_no_more_than_its_budget_and_only_about_systems_that_are_named() {
    let server = TerminologyServer::start().await;
    let gateway = gateway(&server.settings("budget = { questions = 3 }\nsystems = [\"http://snomed.info/sct\"]")).await;
    let site = |system: &str, code: String| json!({ "coding": [{ "system": system, "code": code }] });
    let others = (0..4).map(|number| site("http://loinc.org", format!("{number}-1")));
    let sites: Vec<Value> = (0..4).map(|number| site(SNOMED, format!("40{number}"))).chain(others).collect();
    let told = found(send(&gateway, &coding("1001"), json!({ "bodySite": sites })).await, 422).await;
    assert_eq!(told.iter().filter(|issue| issue.starts_with("error")).count(), 2, "{told:?}");
    let over = told.iter().find(|issue| issue.contains("2 codes were not checked")).unwrap();
    assert!(over.contains("terminology.budget.questions"), "{told:?}");
    let asked = server.operations();
    assert!(asked.len() == 3 && asked.contains(&"ValueSet/$validate-code 1001".to_owned()), "what decides comes first");
    assert!(server.asked().iter().all(|asked| !asked.text.contains("loinc")));
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_resource_that_is_only_validated_is_asked_about_too() {
    let server = TerminologyServer::start().await;
    let gateway = gateway(&server.settings("when_down = \"hold\"")).await;
    let ask = async |code: &str| {
        let answer = gateway.send_as(CLINIC, "Condition/$validate", condition(&coding(code), &json!({}))).await;
        found(answer, 200).await
    };
    let told = ask("2001").await;
    assert!(told.len() == 1 && told[0].starts_with("error | code-invalid"), "{told:?}");
    server.is(Mood::Says(500, ""));
    assert!(ask("1002").await.iter().any(|issue| issue.starts_with("information | incomplete")));
    // And who sends no codes is not concerned.
    let patient = gateway.send(Method::POST, "Patient", crate::support::patient(ADA, "Lovelace")).await;
    assert_eq!(patient.status(), 202);
    gateway.finish().await;
}
