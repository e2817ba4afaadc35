//! The database drops every connection in the middle of the work. Whoever got a 202 has a stored message (P1), nobody is
//! told anything but 202 or "come again", and the gateway goes on by itself when the database is back (P2).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use signalbox::exchange::state::DeliveryState;
use signalbox::store::{reconciliation, reports};
use tokio::task::JoinSet;

use crate::support::{ADA, MllpPeer, TestGateway, patient};

const SENDERS: usize = 8;
const EACH: usize = 40;
const DROP_EVERY_CONNECTION: &str = "select count(pg_terminate_backend(pid)) from pg_stat_activity
     where datname = current_database() and usename = 'signalbox_app'";

#[tokio::test(flavor = "multi_thread")]
async fn every_202_is_stored_and_the_work_goes_on() {
    let peer = MllpPeer::start();
    let gateway = TestGateway::with(&peer.settings("concurrency = 4\ntimeout = \"2s\"")).await;
    let answered = Arc::new(AtomicUsize::new(0));
    let mut sending = JoinSet::new();
    for sender in 0..SENDERS {
        let (client, base, token) = (gateway.client.clone(), gateway.base.clone(), gateway.token.clone());
        let answered = Arc::clone(&answered);
        sending.spawn(async move {
            let mut accepted = Vec::new();
            for number in 0..EACH {
                let request = client.post(format!("{base}/Patient")).bearer_auth(&token);
                let request = request.header("content-type", "application/fhir+json");
                let answer = request.body(patient(&format!("H{sender}-{number}"), "Example")).send().await.unwrap();
                match answer.status().as_u16() {
                    202 => accepted.push(TestGateway::exchange_of(&answer)),
                    503 => assert!(answer.headers().contains_key("retry-after")),
                    other => panic!("{other}: {}", answer.text().await.unwrap()),
                }
                answered.fetch_add(1, Ordering::Relaxed);
            }
            accepted
        });
    }
    let mut owner = gateway.database.connect_as_owner().await;
    for part in 1..=4 {
        while answered.load(Ordering::Relaxed) < SENDERS * EACH * part / 5 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let dropped: i64 = sqlx::query_scalar(DROP_EVERY_CONNECTION).fetch_one(&mut owner).await.unwrap();
        assert!(dropped > 0);
    }
    let mut accepted = sending.join_all().await.concat();
    accepted.push(gateway.accept(ADA, "Afterwards").await);

    gateway.settle().await;
    let mut db = gateway.connect().await;
    let ids: Vec<_> = accepted.iter().map(|exchange| exchange.uuid()).collect();
    assert_eq!(reconciliation::stored(&mut db, &ids).await.unwrap(), i64::try_from(ids.len()).unwrap());
    let sent = peer.received();
    for exchange in accepted {
        let delivery = reports::deliveries(&mut db, exchange).await.unwrap().remove(0);
        assert_eq!(delivery.state, DeliveryState::Delivered);
        assert!(sent.iter().any(|message| message.control_id == delivery.id.to_string()));
    }
    gateway.finish().await;
}
