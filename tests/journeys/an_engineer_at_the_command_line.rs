//! An integration engineer gives a source a token, starts the gateway, and looks for what came: every command of the real
//! binary, wrong arguments included.

use std::path::Path;

use reqwest::{Method, StatusCode};

use crate::support::gateway_process::{self, GatewayProcess, Said, run};
use crate::support::{ADA, BEN, MllpSender, adt, patient};

/// A configuration for one source, from what `source token` printed.
fn configure(folder: &Path) -> String {
    let Said { code, out, .. } = run(&["source", "token", "practice"]);
    assert_eq!(code, 0);
    let token = out.lines().find(|line| line.starts_with("    ")).unwrap().trim().to_owned();
    let hash = out.lines().find_map(|line| line.trim().strip_prefix("token_sha256 = ")).unwrap();
    assert!(!hash.contains(&token), "only the hash goes into the configuration");
    let text = format!(
        "data = \"data\"\n[http]\nlisten = \"127.0.0.1:0\"\n[sources.practice]\nods = \"A99001\"\ntoken_sha256 = {hash}\n\
         [[routes]]\nname = \"patients\"\ntypes = [\"Patient\"]\nto = []\n"
    );
    std::fs::write(folder.join("signalbox.toml"), text).unwrap();
    token
}

async fn post(base: &str, token: &str, body: String) -> reqwest::Response {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let request = client.request(Method::POST, format!("{base}/Patient")).bearer_auth(token);
    request.header("content-type", "application/fhir+json").body(body).send().await.unwrap()
}

#[tokio::test]
async fn what_a_source_sent_is_found_while_the_gateway_runs_and_after() {
    let folder = gateway_process::folder();
    let config = folder.path().to_str().unwrap();
    let token = configure(folder.path());

    let early = run(&["exchanges", "--config", config]);
    assert_eq!(early.code, 2);
    assert!(early.errors.contains("no database in") && early.errors.contains("signalbox serve"), "{}", early.errors);

    let gateway = GatewayProcess::start(folder.path());
    let accepted = post(&gateway.base, &token, patient(ADA, "Lovelace")).await;
    assert_eq!(accepted.status(), StatusCode::ACCEPTED);
    let task = accepted.headers()["content-location"].to_str().unwrap().rsplit('/').next().unwrap().to_owned();
    assert_eq!(post(&gateway.base, "wrong", patient(BEN, "Nobody")).await.status(), StatusCode::UNAUTHORIZED);

    let find = |arguments: &[&str]| run(&[&["exchanges", "--config", config], arguments].concat());
    let spaced = format!("{} {} {}", &ADA[..3], &ADA[3..6], &ADA[6..]);
    let system = format!("https://fhir.nhs.uk/Id/nhs-number|{ADA}");
    for filter in [
        &["--patient", ADA][..],
        &["--patient", &spaced],
        &["--patient", &system],
        &["--source", "practice"],
        &["--type", "Patient", "--outcome", "accepted"],
        &["--since", "1h"],
    ] {
        let found = find(filter);
        assert_eq!(found.code, 0, "{filter:?}: {}", found.errors);
        assert!(found.out.contains(&task) && found.out.contains("accepted 202"), "{filter:?}: {}", found.out);
        assert!(!found.out.contains(ADA) && !found.out.contains("Lovelace"), "{}", found.out);
    }
    for filter in [&["--patient", BEN][..], &["--type", "Encounter"], &["--outcome", "refused"]] {
        let found = find(filter);
        assert_eq!((found.code, &*found.out), (1, "No exchange matches.\n"), "{filter:?}");
    }
    assert!(run(&["exchanges", "--help"]).out.contains("quarantined"), "the help names every outcome");
    let story = run(&["show", &task, "--config", config]);
    assert_eq!(story.code, 0);
    for told in ["create of Patient, accepted", "practice (A99001)", "routed     by patients"] {
        assert!(story.out.contains(told), "{}", story.out);
    }
    let database = run(&["db", "--config", config]);
    assert!(database.out.contains("the gateway's own, which is running"), "{}", database.out);
    gateway.terminate();

    let database = run(&["db", "--config", config]);
    for told in ["version   ", "fsync     on", "append-only: roles and trigger"] {
        assert!(database.out.contains(told), "{}", database.out);
    }
    assert!(find(&["--patient", ADA]).out.contains(&task));
}

#[tokio::test]
async fn an_hl7_message_is_found_by_its_control_id_its_type_and_its_patient() {
    let folder = gateway_process::folder();
    let config = folder.path().to_str().unwrap();
    let door = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let text = format!(
        "data = \"data\"\nhttp.listen = \"127.0.0.1:0\"\n[sources.pas]\nods = \"RX1\"\naddresses = [\"127.0.0.1\"]\n\
         [mllp.adt]\nlisten = \"{door}\"\nsources = [\"pas\"]\n[[routes]]\nname = \"adt\"\nmessages = [\"ADT\"]\nto = []\n"
    );
    std::fs::write(folder.path().join("signalbox.toml"), text).unwrap();
    let gateway = GatewayProcess::start(folder.path());
    let mut sender = MllpSender::connect(door).await;
    let answer = sender.ask(&adt("A31", "C0001", ADA, "Lovelace")).await;
    let exchange = answer.split('|').nth(9).unwrap().to_owned();
    assert!(sender.ask(&adt("A31", "C0001", ADA, "Other")).await.contains("MSA|AE|C0001"));
    assert!(sender.ask(&adt("A31", "Lovelace^Ada", ADA, "Other")).await.contains("MSA|AA|Lovelace"));
    for filter in [
        &["--correlation-id", "C0001", "--outcome", "accepted"][..],
        &["--type", "ADT^A31", "--outcome", "accepted"],
        &["--patient", ADA],
    ] {
        let found = run(&[&["exchanges", "--config", config], filter].concat());
        assert!(found.out.contains(&exchange) && found.out.contains("message  ADT^A31"), "{filter:?}: {}", found.out);
        assert!(!found.out.contains("Lovelace") && !found.out.contains(ADA), "{}", found.out);
    }
    let story = run(&["show", &exchange, "--config", config]);
    for told in ["message of ADT^A31, accepted", "by mllp/adt from pas (RX1)", "control id C0001", "routed     by adt"]
    {
        assert!(story.out.contains(told), "{}", story.out);
    }
    let refused = run(&["exchanges", "--outcome", "refused", "--config", config]);
    let refused = refused.out.split_whitespace().next().unwrap().to_owned();
    let story = run(&["show", &refused, "--config", config]);
    assert!(story.out.contains("MSH-10") && story.out.contains("with a refusal (409"), "{}", story.out);
    gateway.terminate();
    let log = std::fs::read_to_string(folder.path().join("gateway.log")).unwrap();
    assert!(log.contains("used again") && !log.contains("Lovelace") && !log.contains(ADA), "{log}");
}

#[test]
fn a_resource_in_a_file_is_checked_and_the_exit_code_tells() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = write("good.json", &patient(ADA, "Lovelace"));
    let bad = write("bad.json", "{\"resourceType\": \"Patient\",\n  \"gender\": \"lady\"}");
    let cut = write("cut.json", "{\"resourceType\": \"Patient\",");
    assert_eq!(run(&["validate", &good]).code, 0);
    let said = run(&["validate", &good, &bad]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains(&format!("{bad}:2:")) && said.out.contains("Patient.gender"), "{}", said.out);
    let said = run(&["validate", &cut]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains(&format!("{cut}:1:")), "{}", said.out);
}

#[test]
fn resources_are_checked_against_uk_core_and_against_a_profile_from_a_file() {
    const UK_PATIENT: &str = "https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient";
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let good = patient(ADA, "Lovelace").replace('\n', " ");
    // UK Core demands a verification status of nobody, but an identifier of the NHS number's slice has a value.
    let nameless = good.replace("\"value\":", "\"id\":");
    write("in/a.json", &good);
    write("in/b.json", &nameless);
    write("in/c.xml", "<Patient xmlns=\"http://hl7.org/fhir\"><gender value=\"lady\"/></Patient>");
    write("in/d.ndjson", &format!("{good}\n{good}\n"));
    let input = folder.path().join("in");
    let said = run(&["validate", input.to_str().unwrap(), "--profile", UK_PATIENT, "--format", "outcome", "-j", "2"]);
    assert_eq!(said.code, 1, "{}", said.errors);
    let outcomes: Vec<serde_json::Value> = said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let errors = |outcome: &serde_json::Value| {
        let issues = outcome["issue"].as_array().unwrap().iter();
        issues
            .filter(|issue| issue["severity"] == "error")
            .map(|issue| issue["expression"][0].to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(outcomes.len(), 5, "one outcome for each resource, in the order of the files");
    assert_eq!(errors(&outcomes[0]), [""; 0]);
    assert_eq!(errors(&outcomes[1]), ["\"Patient.identifier[0]\""]);
    assert_eq!(errors(&outcomes[2]), ["\"Patient.gender\""]);
    assert!(errors(&outcomes[3]).is_empty() && errors(&outcomes[4]).is_empty());

    let profile = write(
        "p.json",
        r#"{"resourceType":"StructureDefinition","url":"http://example.org/Named","name":"Named","status":"draft",
            "kind":"resource","abstract":false,"type":"Patient","derivation":"constraint",
            "baseDefinition":"https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient",
            "differential":{"element":[{"id":"Patient.deceased[x]","path":"Patient.deceased[x]","min":1}]}}"#,
    );
    let file = input.join("a.json");
    let own = ["--profile", "http://example.org/Named", "--package", &profile];
    let said = run(&[&["validate", file.to_str().unwrap()][..], &own].concat());
    assert!(said.code == 1 && said.out.contains(":1:1 error structure Patient"), "{}", said.out);
    assert_eq!(said.errors, "", "nothing is said of what nobody asked about");
    let said = run(&["package", "snapshot", "http://example.org/Named", "--package", &profile]);
    assert!(said.code == 0 && said.out.contains("\"Patient.identifier:nhsNumber\""), "{}", said.out);
    let broken = folder.path().join("broken.json");
    let empty = folder.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    std::fs::write(&broken, "nonsense").unwrap();
    for (given, told) in [(&broken, "broken.json is no resource: "), (&empty, "empty holds no resources")] {
        let said = run(&["package", "snapshot", "http://example.org/Named", "--package", given.to_str().unwrap()]);
        assert!(said.code == 2 && said.errors.contains(told), "{}", said.errors);
    }
    let said = run(&["package", "snapshot", "http://example.org/Nobody"]);
    assert!(said.code == 1 && said.errors.contains("http://example.org/Nobody"), "{}", said.errors);
}

#[test]
fn an_expression_is_tried_on_a_resource() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("p.json");
    std::fs::write(&path, patient(ADA, "Lovelace")).unwrap();
    let file = path.to_str().unwrap();
    let said = run(&["fhirpath", "name.family | birthDate", file]);
    assert_eq!((said.code, said.out.as_str()), (0, "string       Lovelace\ndate         @1980-02-29\n"));
    assert_eq!(run(&["fhirpath", "deceased", file]).code, 1, "it gives nothing");
    let said = run(&["fhirpath", "name.giben", file]);
    assert_eq!(said.code, 1);
    assert!(said.errors.contains("has no element 'giben'\n  name.giben\n       ^"), "{}", said.errors);
    let said = run(&["fhirpath", "name.", file]);
    assert_eq!(said.code, 2);
    assert!(said.errors.contains("  name.\n       ^"), "{}", said.errors);
}

#[test]
fn nonsense_is_answered_with_what_would_be_right() {
    let empty = tempfile::tempdir().unwrap();
    let config = empty.path().to_str().unwrap();
    for (arguments, told) in [
        (&[][..], "Usage: signalbox"),
        (&["frobnicate"], "unrecognized subcommand 'frobnicate'"),
        (&["show", "nonsense"], "an id is 20 characters"),
        (&["demo", "--rate", "0"], "0 is not in 1..=10000"),
        (&["exchanges", "--state", "lost"], "expected one of waiting"),
        (&["exchanges", "--since", "yesterday"], "yesterday"),
        (&["deliveries", "skip", "00000000000000000000"], "--reason"),
        (&["serve", "--config", config], "the folder is chosen with --config"),
        (&["validate"], "<PATH>..."),
        (&["validate", "/nowhere/at-all.json"], "/nowhere/at-all.json cannot be read"),
        (&["package", "snapshot"], "<URL>"),
    ] {
        let said = run(arguments);
        assert_eq!(said.code, 2, "{arguments:?}");
        assert!(said.errors.contains(told), "{arguments:?}: {}", said.errors);
    }
}
