//! The gateway's own Postgres is killed under it, as a system that is out of memory does: the gateway starts it again, and
//! what was acknowledged is there.

use std::time::Duration;

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
    let before = send(ADA).await.unwrap();
    assert_eq!(before.status(), 202);

    for round in 0..2 {
        let pid_file = folder.path().join("data/postgres/postmaster.pid");
        let pid = std::fs::read_to_string(pid_file).unwrap().lines().next().unwrap().parse().unwrap();
        let postmaster = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(postmaster, rustix::process::Signal::KILL).unwrap();
        let mut tries = 0;
        let after = loop {
            let answer = send(BEN).await.unwrap();
            match answer.status().as_u16() {
                202 => break answer,
                503 if tries < 300 => tries += 1,
                other => panic!("round {round}, try {tries}: {other}: {}", answer.text().await.unwrap()),
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        };
        let ids = [&before, &after].map(|answer| TestGateway::exchange_of(answer).uuid());
        let (app, _) = server::own_connection(&folder.path().join("data")).unwrap();
        let mut db = app.connect().await.unwrap();
        assert_eq!(reconciliation::stored(&mut db, &ids).await.unwrap(), 2);
    }
    gateway.terminate();
}
