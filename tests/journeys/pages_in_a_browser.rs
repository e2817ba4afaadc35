//! Operators at the pages, in a real browser: the eleven jobs they do most, by pointer and by keyboard, in light and dark,
//! on a telephone and on a wall, and while the line drops. The jobs are in `tests/browser/`.

use std::path::{Path, PathBuf};
use std::process::Command;

use reqwest::Method;
use serde_json::json;
use signalbox::exchange::state::DeliveryState;

use crate::support::guides::source;
use crate::support::people::{PASSWORD, add};
use crate::support::require::skip;
use crate::support::{ADA, Answer, BEN, MllpPeer, TestGateway, patient};

const ARCHIVE: &str = "
[[routes]]
name = \"wary\"
sources = [\"wary\"]
to = [\"archive\"]
[destinations.archive]
type = \"file\"
settings = { folder = \"archive\", name = \"{delivery}.json\" }
[[routes]]
name = \"archived\"
sources = [\"other\"]
to = [\"archive\"]
";

/// The source whose invalid messages are held.
const WARY: u64 = 51;
/// A third patient.
const CAT: &str = "9990000034";

/// What is missing, if anything is.
fn missing(folder: &Path) -> Option<&'static str> {
    let answers =
        |program: &str| Command::new(program).arg("--version").output().is_ok_and(|said| said.status.success());
    if !answers("node") {
        return Some("node is not installed");
    }
    if !answers("chromium") {
        return Some("chromium is not installed");
    }
    (!folder.join("node_modules/playwright-core").exists()).then_some("run `npm ci` in tests/browser")
}

#[tokio::test(flavor = "multi_thread")]
async fn operators_do_their_eleven_commonest_jobs() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/browser");
    if let Some(why) = missing(&folder) {
        return skip("peers", why);
    }
    let peer = MllpPeer::start();
    for number in [ADA, BEN, CAT] {
        peer.always(number, Answer::Error(207));
    }
    let retry = "retry = { first = \"50ms\", max = \"200ms\", give_up_after = \"1s\" }";
    let wary = source("wary", WARY, "on_error = \"quarantine\"");
    let everything = peer.settings(retry).replace("to = [\"pas\"]", "to = [\"pas\"]\nsources = [\"gp\"]");
    let gateway = TestGateway::with(&format!("{wary}{everything}{ARCHIVE}")).await;
    for role in ["viewer", "operator"] {
        add(&gateway, role).await;
    }

    let request = "3f1c9d2e-5a44-4c6b-9a1e-0c2f6a7b8c9d";
    let dead = gateway.accept(ADA, "Lovelace").await;
    gateway.until_it_is(dead, DeliveryState::Dead).await;
    for number in [BEN, CAT] {
        let another = gateway.accept(number, "Babbage").await;
        gateway.until_it_is(another, DeliveryState::Dead).await;
    }
    gateway.accept(ADA, "Byron").await;
    for number in 0..51 {
        gateway.accept(&format!("99901{number:05}"), "Other").await;
    }
    let refused = "{\"resourceType\": \"Patient\",\n  \"gender\": \"lady\"}";
    let send = gateway.client.post(format!("{}/Patient", gateway.base)).bearer_auth(&gateway.token);
    let send = send.header("x-request-id", request).header("content-type", "application/fhir+json");
    assert_eq!(send.body(refused).send().await.unwrap().status(), 422);
    let found: uuid::Uuid = sqlx::query_scalar("select id from exchanges where outcome = 'refused'")
        .fetch_one(&mut gateway.connect().await)
        .await
        .unwrap();
    let answer = gateway.send(Method::POST, "Patient/$validate", patient(ADA, "Asked")).await;
    assert_eq!(answer.status(), 200);

    let wrong = patient(BEN, "Held").replace("\"female\"", "\"woman\"");
    let held = TestGateway::exchange_of(&gateway.send_as(WARY, "Patient", wrong).await);

    let base = gateway.base.trim_end_matches("/fhir");
    let refused = signalbox::exchange::ExchangeId::from_uuid(found).unwrap();
    let person = |role: &str| json!({ "name": role, "password": PASSWORD });
    let given = json!({
        "base": base, "operator": person("operator"), "viewer": person("viewer"), "patient": ADA, "request": request,
        "dead": dead.to_string(), "refused": refused.to_string(),
        "held": held.to_string(),
    });
    let run = tokio::task::spawn_blocking(move || {
        Command::new("node").arg("run.mjs").current_dir(folder).env("SIGNALBOX_PAGES", given.to_string()).output()
    });
    let said = run.await.unwrap().unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&said.stdout), String::from_utf8_lossy(&said.stderr));
    println!("{told}");
    assert!(said.status.success(), "{told}");
    peer.always(ADA, Answer::Accept);
    gateway.finish().await;
}
