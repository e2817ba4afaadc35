//! The gateway's own Postgres is killed under it, as a system that is out of memory does: the gateway starts it again, and
//! what was acknowledged is there.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal};
use signalbox::config::token;
use signalbox::store::{reconciliation, server};
use sqlx::ConnectOptions;

use crate::support::gateway_process::{self, GatewayProcess};
use crate::support::{ADA, BEN, TestGateway, patient};

#[tokio::test(flavor = "multi_thread")]
async fn it_is_started_again_and_nothing_that_was_acknowledged_is_lost() {
    let folder = gateway_process::folder();
    let text = format!(
        "data = \"data\"\n[http]\nlisten = \"127.0.0.1:0\"\n[sources.gp]\nods = \"A99001\"\n\
         token_sha256 = [\"{}\"]\n[[routes]]\nname = \"nowhere\"\nto = []\n",
        token::hash_of("secret")
    );
    std::fs::write(folder.path().join("signalbox.toml"), text).unwrap();
    let gateway = GatewayProcess::start(folder.path());
    let client = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(30)).build().unwrap();
    let send = |number: &'static str| {
        let request = client.post(format!("{}/Patient", gateway.base)).bearer_auth("secret");
        request.header("content-type", "application/fhir+json").body(patient(number, "Example")).send()
    };
    let first = send(ADA).await.unwrap();
    assert_eq!(first.status(), 202);
    let mut acknowledged = BTreeSet::from([TestGateway::exchange_of(&first).uuid()]);

    let cluster = folder.path().join("data/postgres");
    let pid_file = cluster.join("postmaster.pid");
    for round in 0..3 {
        let killed = process_of(&pid_file).unwrap();
        if round == 2 {
            // Postgres does not start without this file: it is tried again until it is back.
            let (there, away) = (cluster.join("global/pg_control"), cluster.join("global/away"));
            std::fs::rename(&there, &away).unwrap();
            rustix::process::kill_process(killed, Signal::KILL).unwrap();
            let told = || std::fs::read_to_string(folder.path().join("gateway.log")).unwrap();
            while told().matches("could not be started").count() < 2 {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            std::fs::rename(away, there).unwrap();
        } else {
            rustix::process::kill_process(killed, Signal::KILL).unwrap();
        }
        let mut tries = 0;
        loop {
            // A killed server's sessions may finish what they are at: only a new server shows that there is one.
            let is_new = process_of(&pid_file).is_some_and(|pid| pid != killed);
            let answer = send(BEN).await.unwrap();
            match answer.status().as_u16() {
                202 => acknowledged.insert(TestGateway::exchange_of(&answer).uuid()),
                503 if tries < 300 => false,
                other => panic!("round {round}, try {tries}: {other}: {}", answer.text().await.unwrap()),
            };
            if is_new && answer.status() == 202 {
                break;
            }
            tries += 1;
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let (app, _) = server::own_connection(&folder.path().join("data")).unwrap();
        let mut db = app.connect().await.unwrap();
        let ids: Vec<_> = acknowledged.iter().copied().collect();
        assert_eq!(reconciliation::stored(&mut db, &ids).await.unwrap(), i64::try_from(ids.len()).unwrap());
    }
    gateway.terminate();
}

/// The postmaster that the file names; `None` while the file is being written.
fn process_of(pid_file: &Path) -> Option<Pid> {
    let text = std::fs::read_to_string(pid_file).ok()?;
    Pid::from_raw(text.lines().next()?.parse().ok()?)
}
