//! Bodies are dropped by the day when their retention is over; a day that an unsettled delivery needs stays. What was
//! exchanged, and the hash of it, stays for ever (P6).

use chrono::{Days, NaiveDate};
use signalbox::exchange::ExchangeId;
use signalbox::exchange::state::DeliveryState;
use signalbox::store::bodies::{self, DAYS_AHEAD, RETENTION_CLASSES};
use sqlx::{AssertSqlSafe, PgConnection};

use crate::support::database::TestDatabase;
use crate::support::{ADA, Answer, BEN, MllpPeer, TestGateway};

async fn day_of(db: &mut PgConnection, exchange: ExchangeId) -> NaiveDate {
    let day = sqlx::query_scalar("select body_day from exchanges where id = $1").bind(exchange.uuid());
    day.fetch_one(db).await.unwrap()
}

async fn count(db: &mut PgConnection, what: &'static str) -> i64 {
    sqlx::query_scalar(what).fetch_one(db).await.unwrap()
}

fn partition(class: &str, day: NaiveDate) -> String {
    format!("bodies_{class}_{}", day.format("%Y%m%d"))
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_room_for_a_week_ahead() {
    let gateway = TestGateway::start().await;
    let exchange = gateway.accept(ADA, "Example").await;
    let mut db = gateway.database.connect_as_owner().await;
    let today = day_of(&mut db, exchange).await;
    for class in RETENTION_CLASSES {
        for ahead in 0..=DAYS_AHEAD {
            let name = partition(class, today + Days::new(ahead));
            let there: bool =
                sqlx::query_scalar("select to_regclass($1) is not null").bind(&name).fetch_one(&mut db).await.unwrap();
            assert!(there, "{name}");
        }
    }
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn gateways_that_start_together_make_it_together() {
    let database = TestDatabase::create().await;
    let mut owner = database.connect_as_owner().await;
    let far = chrono::DateTime::UNIX_EPOCH + Days::new(40_000);
    for day in 0..5 {
        let later = far + Days::new(10 * day);
        let all = (0..6).map(|_| async {
            let mut db = database.connect_as_owner().await;
            bodies::make_partitions(&mut db, later).await
        });
        for made in futures_util::future::join_all(all).await {
            made.unwrap();
        }
        let last = partition("refused", later.date_naive() + Days::new(DAYS_AHEAD));
        let there: bool =
            sqlx::query_scalar("select to_regclass($1) is not null").bind(&last).fetch_one(&mut owner).await.unwrap();
        assert!(there, "{last}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_day_that_is_still_needed_stays_and_the_others_go() {
    let peer = MllpPeer::start();
    peer.always(ADA, Answer::Reject(101));
    let gateway = TestGateway::with(&peer.settings("")).await;
    let held = gateway.accept(ADA, "Example").await;
    gateway.accept(BEN, "Example").await;
    gateway.settle().await;
    let mut owner = gateway.database.connect_as_owner().await;
    let day = day_of(&mut owner, held).await;
    let (before, after) = (day - Days::new(40), day + Days::new(1));
    let old = partition("accepted", before);
    let next = before + Days::new(1);
    let make = format!("create table {old} partition of bodies_accepted for values from ('{before}') to ('{next}')");
    sqlx::raw_sql(AssertSqlSafe(make)).execute(&mut owner).await.unwrap();

    assert_eq!(bodies::drop_partitions(&mut owner, "accepted", after).await.unwrap(), [old]);
    assert_eq!(count(&mut owner, "select count(*) from bodies").await, 2);

    gateway.skip(gateway.delivery(held).await.id, "too old to matter").await.unwrap();
    let dropped = bodies::drop_partitions(&mut owner, "accepted", after).await.unwrap();
    assert_eq!(dropped, [partition("accepted", day)]);
    assert_eq!(count(&mut owner, "select count(*) from bodies").await, 0);
    assert_eq!(count(&mut owner, "select count(*) from exchanges where length(body_hash) = 32").await, 2);
    assert_eq!(count(&mut owner, "select count(*) from audit where length(body_hash) = 32").await, 2);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_lost_its_body_cannot_be_sent_and_says_so() {
    let peer = MllpPeer::start();
    peer.will([Answer::Reject(101)]);
    let gateway = TestGateway::with(&peer.settings("on_reject = \"skip\"")).await;
    let exchange = gateway.accept(ADA, "Example").await;
    let refused = gateway.until_it_is(exchange, DeliveryState::Refused).await;
    let mut owner = gateway.database.connect_as_owner().await;
    let after = day_of(&mut owner, exchange).await + Days::new(1);
    assert_eq!(bodies::drop_partitions(&mut owner, "accepted", after).await.unwrap().len(), 1);

    gateway.retry(refused.id, "the partner knows the patient now").await.unwrap();
    let ended = gateway.until(exchange, |delivery| delivery.attempts == 2 && delivery.state.is_ended()).await;
    assert_eq!(ended.state, DeliveryState::Refused);
    assert_eq!(ended.note.as_deref(), Some("its body has been purged by the retention policy"));
    assert_eq!(peer.received().len(), 1);
    gateway.finish().await;
}
