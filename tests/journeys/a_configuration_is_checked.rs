//! An engineer checks a configuration before anybody starts it: everything that is wrong comes at once, with its place
//! and what would be right; machines get the same as JSON.

use crate::support::authority::Authority;
use crate::support::gateway::NOWHERE;
use crate::support::gateway_process::{self, run};
use crate::support::{ADA, TestGateway, patient};

const MASTER: &str = r#"[http]
max_bdy = "1 MiB"
[sources.pas]
ods = "RX1"
token_sha256 = ["6d0ba8d1c94b9ce8b6e3f0d2f6c0a8b7a3d2c5f4e1908172635445362718090a"]
[destinations.ward]
type = "mllp"
[destinations.ward.settings]
adress = "ward:2575"
charset = "latin1"
sending_application = "SIGNALBOX"
[destinations.lonely]
type = "file"
settings.folder = "outbox"
[destinations.server]
type = "fhir-rest"
settings.base_url = "secret:env:NOBODY_SETS_THIS"
"#;

const ROUTES: &str = r#"[[routes]]
name = "admissions"
types = ["Patients"]
when = "name.exist()"
to = ["wrad", "server"]
[[routes]]
name = "patients of the practice"
types = ["Patient"]
sources = ["pas"]
to = ["ward"]
[[routes]]
name = "active patients of the practice"
types = ["Patient"]
sources = ["pas"]
when = "active"
to = ["ward"]
"#;

fn write(master: &str, routes: &str) -> tempfile::TempDir {
    let folder = gateway_process::folder();
    std::fs::create_dir(folder.path().join("routes")).unwrap();
    std::fs::write(folder.path().join("signalbox.toml"), master).unwrap();
    std::fs::write(folder.path().join("routes/patients.toml"), routes).unwrap();
    folder
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let folder = write(MASTER, ROUTES);
    let said = run(&["check", "--config", folder.path().to_str().unwrap()]);
    assert_eq!(said.code, 1, "{}", said.errors);
    insta::assert_snapshot!(said.out);

    let said = run(&["check", "--format", "json", "--config", folder.path().to_str().unwrap()]);
    assert_eq!(said.code, 1);
    let told: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    let misspelt = told["problems"].as_array().unwrap().iter().find(|problem| problem["setting"] == "http.max_bdy");
    let misspelt = misspelt.unwrap();
    assert_eq!((misspelt["line"].as_u64(), misspelt["nearest"].as_str()), (Some(2), Some("max_body")));
    assert_eq!(told["good"], false);
}

#[test]
fn a_good_configuration_is_called_good_and_what_is_odd_is_mentioned() {
    let master = "[destinations.archive]\ntype = \"file\"\nsettings.folder = \"outbox\"\n";
    let folder = write(master, "");
    std::fs::create_dir(folder.path().join("outbox")).unwrap();
    let said = run(&["check", "--config", folder.path().to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}", said.out);
    assert!(said.out.contains("signalbox.toml:1:15: warning: destinations.archive: no route names"), "{}", said.out);
    assert!(said.out.ends_with("the configuration is good; 1 warning\n"), "{}", said.out);

    let said = run(&["check", "--config", "no/such/folder"]);
    assert_eq!(said.code, 2);
    assert!(said.errors.contains("there is no folder no/such/folder"), "{}", said.errors);
}

#[test]
fn what_check_calls_wrong_does_not_start() {
    let folder = write(MASTER, ROUTES);
    let said = run(&["serve", "--config", folder.path().to_str().unwrap()]);
    assert_eq!(said.code, 2);
    assert!(said.errors.contains("signalbox.toml:2:1: http.max_bdy: unknown setting"), "{}", said.errors);
}

/// What `check` says of a `signalbox.toml`.
fn said_of(master: &str) -> gateway_process::Said {
    let folder = write(master, "");
    run(&["check", "--config", folder.path().to_str().unwrap()])
}

#[test]
fn a_credential_in_clear_is_refused_and_not_repeated() {
    let server = "[destinations.server]\ntype = \"fhir-rest\"\nsettings.base_url = \"https://x.example/fhir\"\n";
    for (line, setting) in [
        ("settings.token = \"hunter2\"", "destinations.server.settings.token"),
        (
            "settings.headers = { Authorization = \"Bearer hunter2\" }",
            "destinations.server.settings.headers.Authorization",
        ),
        ("settings.headers = { X-Api-Key = \"hunter2\" }", "destinations.server.settings.headers.X-Api-Key"),
    ] {
        let said = said_of(&format!("{server}{line}\n"));
        assert_eq!(said.code, 1, "{line}: {}", said.out);
        assert!(
            said.out.contains("signalbox.toml:4:") && said.out.contains(&format!("{setting}: found a ")),
            "{}",
            said.out
        );
        assert!(said.out.contains("expected \"secret:env:NAME\" or \"secret:file:PATH\""), "{}", said.out);
        assert!(!said.out.contains("hunter2"), "{}", said.out);
    }
    let said = said_of(&format!("{server}settings.headers = {{ X-Sender = \"RX1\" }}\n"));
    assert_eq!(said.code, 0, "{}", said.out);
}

#[test]
fn all_that_is_wrong_with_a_destination_and_its_routes_is_told_at_once_in_its_place() {
    let said = said_of(
        r#"[destinations.ward]
type = "mllp"
[destinations.ward.settings]
address = "ward"
sending_application = "SIGNALBOX"
sending_facility = "RXX"
receiving_application = ""
receiving_facility = "RXX"
processing_id = "Q"
reconnect = "1m"
charset = "latin1"
max_frame = "1 B"
connections = 0
[destinations.server]
type = "fhir-rest"
settings.base_url = "x.example/fhir"
settings.headers = { "Bad Header" = "x", X-Key = "secret:env:NOBODY_SETS_THIS" }
[destinations.archive]
type = "file"
schema = "none.json"
settings = { folder = ".", name = "{exchang}.json" }
[[routes]]
name = "patients"
types = ["Patient"]
to = [
  { destination = "ward", send = "update" },
  { destination = "server", send = "updat", by = "idd", identifer = "x" },
  "archive",
]
[[routes]]
name = "beds"
types = ["Location"]
to = ["server"]
"#,
    );
    for told in [
        "4:1: error: destinations.ward.settings.address: expected host:port",
        "7:1: error: destinations.ward.settings.receiving_application: expected the name of the partner's system",
        "9:1: error: destinations.ward.settings.processing_id: expected \"P\"",
        "10:1: error: destinations.ward.settings.reconnect: expected more than nothing",
        "11:1: error: destinations.ward.settings.charset: found \"latin1\", expected one of",
        "12:1: error: destinations.ward.settings.max_frame: expected at least 1 KiB",
        "13:1: error: destinations.ward.settings.connections: expected at least 1",
        "16:10: error: destinations.server.settings.base_url: expected a URL such as",
        "17:22: error: destinations.server.settings.headers.Bad Header: 'Bad Header' is not a header's name",
        "17:42: error: destinations.server.settings.headers.X-Key: the environment variable NOBODY_SETS_THIS is not set",
        "20:1: error: destinations.archive.schema: ",
        "21:28: error: destinations.archive.settings.name: found '{exchang}', expected one of {exchange}",
        "26:27: error: routes[0].to[0].send: unknown setting, expected one of destination, reply",
        "27:29: error: routes[0].to[1].send: found \"updat\", expected one of create, update, transaction",
        "27:45: error: routes[0].to[1].by: found \"idd\", expected one of id",
        "27:57: error: routes[0].to[1].identifer: unknown setting, did you mean identifier?",
        "33:7: error: routes[1].to[0]: a route to a fhir-rest destination says how to send",
    ] {
        assert!(said.out.contains(&format!("signalbox.toml:{told}")), "{told}\n{}", said.out);
    }
    assert!(said.out.contains("17 errors: the gateway would not start"), "{}", said.out);
}

const LAPSED: &str = r#"[http]
listen = "0.0.0.0:8443"
[http.tls]
certificate = "old.pem"
key = "old.key"
[issuers.login]
issuer = "https://login.example"
audience = "us"
jwks = "none.json"
[sources.practice]
ods = "A99001"
jwt = { issuer = "login", subject = "practice" }
[destinations.region]
type = "mllp"
[destinations.region.settings]
address = "region.example:2575"
sending_application = "SIGNALBOX"
sending_facility = "RXX"
receiving_application = "REGION"
receiving_facility = "RYY"
tls = { authorities = "ca.pem", certificate = "old.pem", key = "old.key" }
[destinations.archive]
type = "file"
settings.folder = "outbox"
[[routes]]
name = "everything"
to = ["region", "archive"]
"#;

#[test]
fn what_has_ended_or_is_not_there_is_told_before_anybody_misses_it() {
    let folder = write(LAPSED, "");
    let authority = Authority::new();
    authority.issue_until("gateway.example", 2021).write(folder.path(), "old");
    authority.issue("gateway.example").write(folder.path(), "new");
    std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
    let check = || run(&["check", "--config", folder.path().to_str().unwrap()]);
    let said = check();
    assert_eq!(said.code, 1, "{}", said.out);
    for (place, told) in [
        ("4:1: error: http.tls.certificate: ", "old.pem has not been in force since 2021-01-01"),
        ("9:1: error: issuers.login.jwks: ", "none.json: No such file or directory"),
        (
            "21:33: error: destinations.region.settings.tls.certificate: ",
            "old.pem has not been in force since 2021-01-01",
        ),
        ("1:2: warning: http.base_url: ", "http.listen names no address that anybody could call"),
        ("24:10: warning: destinations.archive.settings.folder: ", "there is no such folder"),
    ] {
        let line = said.out.lines().find(|line| line.starts_with(&format!("signalbox.toml:{place}")));
        assert!(line.is_some_and(|line| line.contains(told)), "{place}{told}\n{}", said.out);
    }
    let verdict = "3 errors: the gateway would start, and part of it could not work; 2 warnings\n";
    assert!(said.out.ends_with(verdict), "{}", said.out);
    let said = run(&["check", "--format", "json", "--config", folder.path().to_str().unwrap()]);
    let told: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &told["good"], &told["starts"]), (1, &false.into(), &true.into()));

    let mended = LAPSED.replacen("\"old.key\"", "\"new.key\"", 1);
    std::fs::write(folder.path().join("signalbox.toml"), mended).unwrap();
    let said = check();
    let told = "signalbox.toml:5:1: error: http.tls.key: this private key is not that of the certificate beside it";
    assert!(said.out.contains(told) && said.out.contains(": the gateway would not start;"), "{}", said.out);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_has_ended_does_not_keep_the_other_doors_closed() {
    let folder = tempfile::tempdir().unwrap();
    Authority::new().issue_until("gateway.example", 2021).write(folder.path(), "old");
    let region = "[sources.region]\nods = \"RX1\"\naddresses = [\"127.0.0.1\"]\n[mllp.region]\nlisten = \"127.0.0.1:0\"\n\
                  sources = [\"region\"]\ntls = { certificate = \"old.pem\", key = \"old.key\" }\n";
    let gateway = TestGateway::in_folder(folder, "", &format!("{region}{NOWHERE}")).await;
    let answer = gateway.send(reqwest::Method::POST, "Patient", patient(ADA, "Lovelace")).await;
    assert_eq!(answer.status(), 202);
    gateway.finish().await;
}
