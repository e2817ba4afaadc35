//! Each source is held to the guides it names: two versions of one guide side by side, profiles by type of a source and of
//! a route, and what becomes of a message in which something was found.

use signalbox::store::stories;

use crate::support::gateway_process::{self, run};
use crate::support::guides::{WARD_PATIENT, issues, source, write_guide};
use crate::support::{ADA, BEN, MllpPeer, TestGateway, patient};

const OLD: u64 = 31;
const NEW: u64 = 32;

/// A folder with two versions of one guide, and a source for each.
fn two_versions() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    write_guide(folder.path(), "ward-1", "1.0.0", "name");
    write_guide(folder.path(), "ward-2", "2.0.0", "telecom");
    let profiles = format!("profiles = {{ Patient = [\"{WARD_PATIENT}\"] }}");
    let old = source("old", OLD, &format!("packages = [\"uk-core\", \"ward-1\"]\n{profiles}"));
    let new = source("new", NEW, &format!("packages = [\"uk-core\", \"ward-2\"]\n{profiles}"));
    (folder, format!("{old}{new}[[routes]]\nname = \"nowhere\"\nto = []\n"))
}

#[tokio::test]
async fn two_sources_have_two_versions_of_one_guide() {
    let (folder, settings) = two_versions();
    let gateway = TestGateway::in_folder(folder, "", &settings).await;
    let plain = gateway.accept(ADA, "Lovelace").await;
    let old = TestGateway::exchange_of(&gateway.send_as(OLD, "Patient", patient(ADA, "Lovelace")).await);
    let answer = gateway.send_as(NEW, "Patient", patient(ADA, "Lovelace")).await;
    assert_eq!(answer.status(), 422);
    let told = issues(answer).await;
    assert_eq!(told.iter().filter(|issue| issue.starts_with("error")).count(), 1, "{told:?}");
    assert!(told[0].contains("telecom"), "{told:?}");

    let mut db = gateway.connect().await;
    let packs = |exchange: signalbox::exchange::ExchangeId| {
        sqlx::query_as::<_, (String, String)>(
            "select e.packs, a.packs from exchanges e join audit a on a.exchange = e.id where e.id = $1",
        )
        .bind(exchange.uuid())
    };
    let (of_plain, in_plain_audit) = packs(plain).fetch_one(&mut db).await.unwrap();
    let (of_old, in_old_audit) = packs(old).fetch_one(&mut db).await.unwrap();
    assert_eq!((&of_plain, &of_old), (&in_plain_audit, &in_old_audit));
    let refused: String =
        sqlx::query_scalar("select packs from exchanges where source = 'new'").fetch_one(&mut db).await.unwrap();
    assert!(of_plain != of_old && of_old != refused && refused != of_plain, "each by packages of its own");
    gateway.finish().await;
}

#[tokio::test]
async fn entries_and_questions_are_held_to_them_too() {
    let (folder, settings) = two_versions();
    let gateway = TestGateway::in_folder(folder, "", &settings).await;
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{{"fullUrl":"urn:uuid:3c5b9f3e-2d0f-4bd7-8a4e-7d5ab8a1a001",
            "resource":{},"request":{{"method":"POST","url":"Patient"}}}}]}}"#,
        patient(BEN, "Whole")
    );
    let post = |number| gateway.send_as(number, "", bundle.clone());
    assert_eq!(post(OLD).await.status(), 202);
    let answer = post(NEW).await;
    assert_eq!(answer.status(), 422);
    let told = issues(answer).await;
    assert!(
        told.iter().any(|issue| issue.contains("telecom") && issue.contains("Bundle.entry[0].resource")),
        "{told:?}"
    );

    let answer = gateway.send_as(NEW, "Patient/$validate", patient(ADA, "Asked")).await;
    let told = issues(answer).await;
    assert!(told.iter().any(|issue| issue.starts_with("error") && issue.contains("telecom")), "{told:?}");
    gateway.finish().await;
}

#[tokio::test]
async fn a_route_asks_for_profiles_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    write_guide(folder.path(), "ward", "1.0.0", "telecom");
    let strict = source("strict", OLD, "packages = [\"uk-core\", \"ward\"]");
    let routes = format!(
        "{strict}[[routes]]\nname = \"known at the ward\"\nsources = [\"strict\"]\nwhen = \"name.family = 'Ward'\"\nto = []\n\
         profiles = {{ Patient = [\"{WARD_PATIENT}\"] }}\n[[routes]]\nname = \"others\"\nto = []\n"
    );
    let gateway = TestGateway::in_folder(folder, "", &routes).await;
    assert_eq!(gateway.send_as(OLD, "Patient", patient(ADA, "Lovelace")).await.status(), 202);
    assert_eq!(gateway.send_as(OLD, "Patient", patient(ADA, "Ward")).await.status(), 422);
    gateway.finish().await;
}

#[tokio::test]
async fn what_is_flagged_is_accepted_told_and_kept() {
    let peer = MllpPeer::start();
    let flagged = source("flagged", OLD, "on_error = \"accept-and-flag\"");
    let gateway = TestGateway::with(&format!("{flagged}{}", peer.settings(""))).await;
    let unwell = patient(ADA, "Lovelace").replace("\"female\"", "\"woman\"");
    let answer = gateway.send_as(OLD, "Patient", unwell.clone()).await;
    let exchange = TestGateway::exchange_of(&answer);
    let told = issues(answer).await;
    assert!(told[0].starts_with("information") && told[0].contains("not valid"), "{told:?}");
    assert!(told.iter().any(|issue| issue.starts_with("error") && issue.contains("Patient.gender")), "{told:?}");
    gateway.settle().await;
    assert_eq!(peer.received().len(), 1, "it is delivered as any other");
    let story = stories::tell(&mut gateway.connect().await, exchange.uuid()).await.unwrap().unwrap();
    assert!(story.exchange.issues.0.iter().any(signalbox::outcome::Issue::is_error), "{:?}", story.exchange.issues);
    assert_eq!(gateway.send(reqwest::Method::POST, "Patient", unwell).await.status(), 422, "others are held to it");
    gateway.finish().await;
}

#[tokio::test]
async fn a_source_may_be_held_to_warnings() {
    let strict = source("strict", OLD, "on_warning = \"reject\"");
    let gateway = TestGateway::with(&format!("{strict}[[routes]]\nname = \"all\"\nto = []\n")).await;
    let claims = |profile: &str| {
        let meta = format!("{{\"meta\":{{\"profile\":[\"{profile}\"]}},\"resourceType\"");
        patient(ADA, "Lovelace").replacen("{\"resourceType\"", &meta, 1)
    };
    let answer = gateway.send_as(OLD, "Patient", claims("https://guides.example.org/nobody-has-it")).await;
    assert_eq!(answer.status(), 422);
    let told = issues(answer).await;
    assert!(told[0].starts_with("error | business-rule"), "{told:?}");
    assert!(told.iter().any(|issue| issue.starts_with("warning") && issue.contains("nobody-has-it")), "{told:?}");
    gateway.finish().await;
}

#[test]
fn wrong_names_of_packages_and_profiles_are_told_with_the_right_ones() {
    let folder = gateway_process::folder();
    write_guide(folder.path(), "ward-2", "2.0.0", "name");
    std::fs::write(folder.path().join("broken.tgz"), [0x1F, 0x8B, 0, 1]).unwrap();
    let settings = format!(
        "data = \"data\"\n{}{}{}[[routes]]\nname = \"all\"\nto = []\n\
         profiles = {{ Patient = [\"https://fhir.hl7.org.uk/StructureDefinition/UKCore-Pateint\"] }}\n",
        source("a", OLD, "packages = [\"uk-cor\", \"ward-3\", \"broken.tgz\"]"),
        source(
            "b",
            NEW,
            "profiles = { Patients = [], Encounter = [\"https://fhir.hl7.org.uk/StructureDefinition/UKCore-Patient\"] }"
        ),
        source("c", 33, "on_error = \"quarantin\""),
    );
    std::fs::write(folder.path().join("signalbox.toml"), settings).unwrap();
    let said = run(&["check", "--config", folder.path().to_str().unwrap()]);
    assert_eq!(said.code, 1, "{}", said.errors);
    let told = said.out.replace(folder.path().to_str().unwrap(), "FOLDER");
    insta::assert_snapshot!(told);
}
