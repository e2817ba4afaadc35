//! One message that the database refuses must not take down those that share its commit: its sender is told that we
//! failed, all the others are stored.

use signalbox::store::reconciliation;
use tokio::task::JoinSet;

use crate::support::{MllpPeer, TestGateway, patient};

const POISON: &str = "
create function poison() returns trigger language plpgsql as $$
begin
    if new.correlation_id = 'poison' then raise exception 'poisoned'; end if;
    return new;
end
$$;
create trigger poison before insert on exchanges for each row execute function poison();";

const MESSAGES: u32 = 60;

#[tokio::test(flavor = "multi_thread")]
async fn one_sender_is_told_that_we_failed_and_all_others_are_served() {
    let peer = MllpPeer::start();
    let gateway = TestGateway::with(&peer.settings("")).await;
    sqlx::raw_sql(POISON).execute(&mut gateway.database.connect_as_owner().await).await.unwrap();
    let mut sending = JoinSet::new();
    for number in 0..MESSAGES {
        let correlation = if number == MESSAGES / 2 { "poison".to_owned() } else { format!("c{number}") };
        let request = gateway.client.post(format!("{}/Patient", gateway.base)).bearer_auth(&gateway.token);
        let request = request.header("content-type", "application/fhir+json").header("x-correlation-id", &correlation);
        let request = request.body(patient(&format!("H{number}"), "Example"));
        sending.spawn(async move { (correlation, request.send().await.unwrap()) });
    }
    let mut accepted = Vec::new();
    for (correlation, answer) in sending.join_all().await {
        if correlation == "poison" {
            assert_eq!(answer.status(), 500);
            let text = answer.text().await.unwrap();
            assert!(text.contains("X-Correlation-ID") && !text.contains("poisoned"), "{text}");
        } else {
            accepted.push(TestGateway::exchange_of(&answer).uuid());
        }
    }
    let mut db = gateway.connect().await;
    assert_eq!(reconciliation::stored(&mut db, &accepted).await.unwrap(), i64::from(MESSAGES) - 1);
    let all: i64 = sqlx::query_scalar("select count(*) from exchanges").fetch_one(&mut db).await.unwrap();
    assert_eq!(all, i64::from(MESSAGES) - 1);
    gateway.settle().await;
    assert_eq!(peer.received().len(), accepted.len());
    gateway.finish().await;
}
