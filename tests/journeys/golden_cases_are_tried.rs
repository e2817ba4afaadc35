//! An engineer keeps examples beside the routes: what comes in, where it goes and what exactly is sent. A change that
//! breaks one is seen before it runs.

use std::path::Path;

use crate::support::gateway_process::{self, Said, run};
use crate::support::{ADA, patient};

const MASTER: &str = r#"[sources.pas]
ods = "RX1"
token_sha256 = ["6d0ba8d1c94b9ce8b6e3f0d2f6c0a8b7a3d2c5f4e1908172635445362718090a"]
[destinations.ward]
type = "mllp"
[destinations.ward.settings]
address = "127.0.0.1:2575"
sending_application = "SIGNALBOX"
sending_facility = "RX1"
receiving_application = "WARD"
receiving_facility = "RX1"
[destinations.record]
type = "fhir-rest"
settings.base_url = "http://127.0.0.1:9/fhir"
[destinations.archive]
type = "file"
settings.folder = "outbox"
schema = "archive.schema.json"
"#;

const ROUTES: &str = r#"[[routes]]
name = "patients"
types = ["Patient"]
to = ["ward", { destination = "record", send = "create", resend = true }, "archive"]
"#;

const CASE: &str = r#"source = "pas"
[expected]
ward = "ward.hl7"
record = "record.http"
archive = "in.json"
"#;

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn prepare(schema: &str) -> tempfile::TempDir {
    let folder = gateway_process::folder();
    write(folder.path(), "signalbox.toml", MASTER);
    write(folder.path(), "archive.schema.json", schema);
    write(folder.path(), "routes/patients.toml", ROUTES);
    write(folder.path(), "routes/patients.cases/ada/case.toml", CASE);
    write(folder.path(), "routes/patients.cases/ada/in.json", &patient(ADA, "active"));
    folder
}

fn test(folder: &Path, more: &[&str]) -> Said {
    run(&[&["test", "--config", folder.to_str().unwrap()], more].concat())
}

#[test]
fn a_case_is_written_once_and_then_holds() {
    let folder = prepare("{ \"required\": [\"resourceType\"] }");
    let first = test(folder.path(), &[]);
    assert_eq!(first.code, 1, "{}{}", first.out, first.errors);
    assert!(first.out.contains("ward.hl7 cannot be read") && first.out.contains("--write"), "{}", first.out);

    let written = test(folder.path(), &["--write"]);
    assert!(written.out.contains("ward: the payload was written into the case"), "{}", written.out);
    let case = folder.path().join("routes/patients.cases/ada");
    let message = std::fs::read_to_string(case.join("ward.hl7")).unwrap();
    assert!(message.starts_with("MSH|^~\\&|SIGNALBOX|RX1|WARD|RX1|20260101120000"), "{message}");
    assert!(message.contains("\nPID|"), "one segment a line: {message}");
    let request = std::fs::read_to_string(case.join("record.http")).unwrap();
    assert!(request.starts_with("POST /Patient\n"), "{request}");

    let held = test(folder.path(), &[]);
    assert_eq!(held.code, 0, "{}", held.out);
    assert!(held.out.contains("ok    routes/patients.cases/ada: sent to ward, record, archive"), "{}", held.out);
    assert!(held.out.ends_with("1 passed, 0 failed\n"), "{}", held.out);
}

#[test]
fn what_a_change_breaks_is_shown() {
    let folder = prepare("{}");
    test(folder.path(), &["--write"]);
    let ward = folder.path().join("routes/patients.cases/ada/ward.hl7");
    let message = std::fs::read_to_string(&ward).unwrap().replace("|WARD|", "|WARDS|");
    std::fs::write(&ward, message).unwrap();
    write(
        folder.path(),
        "routes/patients.toml",
        &ROUTES.replace("{ destination = \"record\", send = \"create\", resend = true }, ", ""),
    );
    write(folder.path(), "routes/patients.cases/nobody/case.toml", "source = \"pas\"\nrefused = 422\n");
    write(folder.path(), "routes/patients.cases/nobody/in.json", "{\"resourceType\":\"Patient\",\"gender\":\"x\"}");
    write(folder.path(), "routes/patients.cases/other/case.toml", "source = \"lab\"\n");
    let broken = test(folder.path(), &[]);
    assert_eq!(broken.code, 1);
    for expected in [
        "wrong routes/patients.cases/ada\n",
        "record: expected a payload, it gets nothing",
        "ward: the payload is not that of ward.hl7",
        "- MSH|^~\\&|SIGNALBOX|RX1|WARDS|",
        "+ MSH|^~\\&|SIGNALBOX|RX1|WARD|",
        "ok    routes/patients.cases/nobody: sent to nobody",
        "case.toml: source: there is no [sources.lab]",
        "1 passed, 2 failed",
    ] {
        assert!(broken.out.contains(expected), "{expected}\n{}", broken.out);
    }
}

#[test]
fn a_body_that_does_not_fit_the_schema_of_a_destination_is_not_sent_there() {
    let folder = prepare("{ \"properties\": { \"birthDate\": { \"maxLength\": 4 } } }");
    let said = test(folder.path(), &["--write"]);
    let expected = "archive: the body does not fit the destination's schema at /birthDate (maxLength)";
    assert!(said.out.contains(expected), "{}", said.out);

    write(folder.path(), "archive.schema.json", "{ \"required\": [\"managingOrganization\"] }");
    let said = test(folder.path(), &["--write"]);
    let expected = "schema at the document's root (managingOrganization is required)";
    assert!(said.out.contains(expected), "{}", said.out);

    write(folder.path(), "archive.schema.json", "{ \"type\": 5 }");
    let said = run(&["check", "--config", folder.path().to_str().unwrap()]);
    assert!(
        said.out.contains("destinations.archive.schema:") && said.out.contains("is no JSON Schema"),
        "{}",
        said.out
    );
}

#[test]
fn a_folder_without_cases_is_said_to_have_none() {
    let folder = gateway_process::folder();
    write(folder.path(), "signalbox.toml", "");
    let said = test(folder.path(), &[]);
    assert_eq!(said.code, 2);
    assert!(said.errors.contains("there are no cases in"), "{}", said.errors);
}

#[test]
fn a_case_may_be_an_hl7_message_by_the_door_of_its_source() {
    let folder = prepare("{}");
    let door = "[sources.adt]\nods = \"RX1\"\naddresses = [\"127.0.0.1\"]\n\
                [mllp.adt]\nlisten = \"127.0.0.1:2575\"\nsources = [\"adt\"]\nprocessing_ids = [\"T\"]\n";
    write(folder.path(), "signalbox.toml", &format!("{MASTER}{door}"));
    write(folder.path(), "routes/messages.toml", "[[routes]]\nname = \"adt\"\nmessages = [\"ADT\"]\nto = [\"ward\"]\n");
    let case = "source = \"adt\"\ninteraction = \"message\"\nresource = \"in.hl7\"\n";
    let message = |id: &str| format!("MSH|^~\\&|PAS|RX1|WARD|RX1|20260701||ADT^A31|7|{id}|2.4\nPID|1||1^^^RX1\n");
    write(folder.path(), "routes/messages.cases/good/case.toml", &format!("{case}[expected]\nward = \"in.hl7\"\n"));
    write(folder.path(), "routes/messages.cases/good/in.hl7", &message("T"));
    write(folder.path(), "routes/messages.cases/bad/case.toml", &format!("{case}refused = 501\n"));
    write(folder.path(), "routes/messages.cases/bad/in.hl7", &message("P"));
    let tried = test(folder.path(), &[]);
    for expected in
        ["ok    routes/messages.cases/good: sent to ward", "ok    routes/messages.cases/bad: sent to nobody"]
    {
        assert!(tried.out.contains(expected), "{expected}\n{}", tried.out);
    }
}

#[test]
fn a_case_says_that_its_message_is_held() {
    let folder = gateway_process::folder();
    let held = MASTER.replacen("ods = \"RX1\"", "ods = \"RX1\"\non_error = \"quarantine\"", 1);
    write(folder.path(), "signalbox.toml", &held.replace("schema = \"archive.schema.json\"\n", ""));
    let routes = "[[routes]]\nname = \"patients\"\ntypes = [\"Patient\"]\nto = [\"archive\"]\n";
    write(folder.path(), "routes/patients.toml", routes);
    let invalid = patient(ADA, "active").replace("\"female\"", "\"woman\"");
    write(folder.path(), "routes/patients.cases/held/in.json", &invalid);
    let case = "source = \"pas\"\n[expected]\narchive = \"in.json\"\n";
    write(folder.path(), "routes/patients.cases/held/case.toml", case);
    let said = test(folder.path(), &[]);
    assert!(said.code == 1 && said.out.contains("it is held in quarantine"), "{}{}", said.out, said.errors);
    write(folder.path(), "routes/patients.cases/held/case.toml", &format!("quarantined = true\n{case}"));
    let said = test(folder.path(), &[]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.errors);
}
