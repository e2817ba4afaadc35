//! Those who run the gateway watch it: a load balancer asks whether it is ready, Prometheus reads its figures, and the
//! boards and alerts in `docs/` ask for figures that exist.

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use signalbox::exchange::state::DeliveryState;

use crate::support::authority::Authority;
use crate::support::terminology::{SNOMED, TerminologyServer};
use crate::support::{ADA, Answer, BEN, DOOR, MllpPeer, MllpSender, TestGateway, adt, patient};

async fn ask(gateway: &TestGateway, path: &str) -> (StatusCode, String) {
    let root = gateway.base.trim_end_matches("/fhir");
    let answer = gateway.client.get(format!("{root}{path}")).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

async fn readiness(gateway: &TestGateway) -> (StatusCode, Value) {
    let (status, text) = ask(gateway, "/readyz").await;
    (status, serde_json::from_str::<Value>(&text).unwrap()["checks"].clone())
}

async fn told(gateway: &TestGateway, line: &str) {
    let (status, text) = ask(gateway, "/metrics").await;
    assert_eq!(status, StatusCode::OK);
    assert!(text.lines().any(|told| told == line), "{line}\n{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_load_balancer_is_told_when_messages_cannot_be_accepted() {
    let gateway = TestGateway::start().await;
    let well = json!({ "database": true, "migrations": true, "partitions": true, "commits": true, "running": true });
    assert_eq!(ask(&gateway, "/livez").await, (StatusCode::OK, json!({ "status": "alive" }).to_string()));
    assert_eq!(readiness(&gateway).await, (StatusCode::OK, well));

    let mut owner = gateway.database.connect_as_owner().await;
    let newer = "insert into _sqlx_migrations (version, description, installed_on, success, checksum, execution_time)
                 values (9999, 'of a later version', now(), true, '', 0)";
    sqlx::raw_sql(newer).execute(&mut owner).await.unwrap();
    let (status, checks) = readiness(&gateway).await;
    assert_eq!(
        (status, &checks["migrations"], &checks["database"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!(false), &json!(true))
    );
    sqlx::raw_sql("delete from _sqlx_migrations where version = 9999").execute(&mut owner).await.unwrap();

    let full = "create function full_disk() returns trigger language plpgsql as
                $$ begin raise exception 'could not extend file' using errcode = 'disk_full'; end $$;
                create trigger full_disk before insert on exchanges execute function full_disk()";
    sqlx::raw_sql(full).execute(&mut owner).await.unwrap();
    let send = async || gateway.send(Method::POST, "Patient", patient(ADA, "Example")).await.status();
    assert_eq!(send().await, StatusCode::SERVICE_UNAVAILABLE);
    let (status, checks) = readiness(&gateway).await;
    assert_eq!(
        (status, &checks["commits"], &checks["database"]),
        (StatusCode::SERVICE_UNAVAILABLE, &json!(false), &json!(true)),
        "the database answers and takes nothing"
    );
    sqlx::raw_sql("drop trigger full_disk on exchanges").execute(&mut owner).await.unwrap();
    assert_eq!(send().await, StatusCode::ACCEPTED);
    assert_eq!(readiness(&gateway).await.0, StatusCode::OK);

    let drop_tomorrow = "do $$ begin execute format('drop table bodies_refused_%s',
                         to_char((now() at time zone 'UTC')::date + 1, 'YYYYMMDD')); end $$";
    sqlx::raw_sql(drop_tomorrow).execute(&mut owner).await.unwrap();
    let (status, checks) = readiness(&gateway).await;
    assert_eq!((status, &checks["partitions"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(false)));

    let away = "do $$ begin execute format('alter database %I connection limit 0', current_database()); end $$;
                select pg_terminate_backend(pid) from pg_stat_activity
                 where datname = current_database() and usename = 'signalbox_app'";
    sqlx::raw_sql(away).execute(&mut owner).await.unwrap();
    let (status, checks) = readiness(&gateway).await;
    assert_eq!((status, &checks["database"]), (StatusCode::SERVICE_UNAVAILABLE, &json!(false)));
    assert_eq!(ask(&gateway, "/metrics").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ask(&gateway, "/livez").await.0, StatusCode::OK, "restarting it would not help");
}

#[tokio::test(flavor = "multi_thread")]
async fn prometheus_reads_what_passed_and_what_waits() {
    let peer = MllpPeer::start();
    peer.always(ADA, Answer::Error(207));
    let gateway =
        TestGateway::with(&peer.settings("retry = { first = \"20ms\", max = \"50ms\", give_up_after = \"300ms\" }"))
            .await;
    let dead = gateway.accept(ADA, "Lovelace").await;
    gateway.accept(ADA, "Lovelace").await;
    gateway.accept(BEN, "Babbage").await;
    gateway.until_it_is(dead, DeliveryState::Dead).await;
    gateway.settle().await;
    gateway.send(Method::POST, "Patient", "{").await;
    gateway.send(Method::POST, "Patient/$validate", patient(ADA, "Lovelace")).await;
    gateway.client.get(format!("{}/metadata", gateway.base)).send().await.unwrap();

    for line in [
        "signalbox_messages_total{source=\"gp\",outcome=\"accepted\"} 3",
        "signalbox_messages_total{source=\"gp\",outcome=\"refused\"} 1",
        "signalbox_messages_total{source=\"gp\",outcome=\"validated\"} 1",
        "signalbox_strangers_total 1",
        "signalbox_attempts_total{destination=\"pas\",outcome=\"acknowledged\"} 1",
        "signalbox_deliveries{destination=\"pas\",state=\"dead\"} 1",
        "signalbox_deliveries{destination=\"pas\",state=\"waiting\"} 1",
        "signalbox_deliveries{destination=\"pas\",state=\"ready\"} 0",
    ] {
        told(&gateway, line).await;
    }
    let (_, text) = ask(&gateway, "/metrics").await;
    assert!(!text.contains(ADA) && !text.contains("Lovelace"), "{text}");
    gateway.finish().await;
}

/// Every word of a text that starts as our metrics do.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
    words.filter(|word| word.starts_with("signalbox_")).map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn boards_and_alerts_ask_for_figures_that_exist() {
    let peer = MllpPeer::start();
    let terminology = TerminologyServer::start().await.settings("");
    let folder = tempfile::tempdir().unwrap();
    Authority::new().issue("gateway.example").write(folder.path(), "own");
    let region = "[mllp.region]\nlisten = \"127.0.0.1:0\"\nsources = [\"pas\"]\n\
                  tls = { certificate = \"own.pem\", key = \"own.key\" }\n";
    let settings = format!("{terminology}{DOOR}{region}{}", peer.settings(""));
    let gateway = TestGateway::in_folder(folder, "", &settings).await;
    let coded = format!("{{\"maritalStatus\":{{\"coding\":[{{\"system\":\"{SNOMED}\",\"code\":\"1\"}}]}},");
    gateway.send(Method::POST, "Patient", patient(ADA, "Lovelace").replacen('{', &coded, 1)).await;
    let mut sender = MllpSender::connect(gateway.mllp["adt"]).await;
    sender.write(b"\x0Bhalf\x0B").await;
    for family in ["First", "Second"] {
        sender.ask(&adt("A31", "1", ADA, family)).await;
    }
    gateway.settle().await;
    let (_, text) = ask(&gateway, "/metrics").await;
    let ends = "signalbox_certificate_ends_seconds{setting=\"mllp.region.tls.certificate\"} 4070908800";
    assert!(text.lines().any(|line| line == ends), "{text}");
    let told = names(&text);
    for file in ["docs/grafana/signalbox.json", "docs/prometheus/alerts.yml"] {
        let asked = names(&std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap());
        assert!(asked.len() >= 4, "{file}: {asked:?}");
        let unknown: Vec<_> = asked.iter().filter(|name| !told.contains(*name)).collect();
        assert_eq!(unknown, Vec::<&String>::new(), "{file}");
    }
    gateway.finish().await;
}
