//! What operators and sources look for is found without reading the register: it is never emptied, and what is asked for
//! most is a handful among millions.

use chrono::{DateTime, TimeDelta, Utc};
use signalbox::chance::Chance;
use signalbox::exchange::ExchangeId;
use signalbox::exchange::ids::Id;
use signalbox::exchange::rows::ExchangeOutcome;
use signalbox::exchange::state::DeliveryState;
use signalbox::store::stories::{self, Filter};
use signalbox::store::tasks::{self, Wanted};
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use uuid::Uuid;

use crate::support::database::TestDatabase;

/// Exchanges that were accepted and delivered to `pas` and `archive`, a second apart.
const CROWD: i64 = 20_000;
/// As many rows as a look may read.
const FEW: i64 = 200;

fn id_at(at: DateTime<Utc>) -> Uuid {
    ExchangeId::first_at(at).uuid()
}

/// Fills the register up to `end`; returns the ids, the latest first.
async fn fill(db: &mut PgConnection, end: DateTime<Utc>) -> Vec<Uuid> {
    let times: Vec<_> = (0..CROWD).map(|number| end - TimeDelta::seconds(number)).collect();
    let ids: Vec<_> = times.iter().map(|at| id_at(*at)).collect();
    for (statement, with_times) in [
        ("insert into destinations (name) values ('pas'), ('archive')", false),
        (
            "insert into exchanges
             select id, at, 'fhir', 'gp', 'A99001', null, gen_random_uuid(), gen_random_uuid()::text, 'create',
                    'Patient', 'accepted', 202, '[]', '[]', '', 0, null, null, '', ''
               from unnest($1::uuid[], $2::timestamptz[]) as t (id, at)",
            true,
        ),
        ("insert into exchange_keys select sha256(id::text::bytea), id, 1 from unnest($1::uuid[]) as t (id)", false),
        (
            "insert into deliveries (seq, id, exchange, destination, route, options, keys, key_id, state, due,
                                     give_up_at, created_at, updated_at)
             select nextval('delivery_seq'), gen_random_uuid(), t.id, d.id, 'all', '{}', '', 1, 'delivered',
                    'infinity', now(), now(), now()
               from unnest($1::uuid[]) as t (id), destinations d",
            false,
        ),
    ] {
        let query = sqlx::query(statement);
        let query = if statement.contains("$1") { query.bind(&ids) } else { query };
        let query = if with_times { query.bind(&times) } else { query };
        query.execute(&mut *db).await.unwrap();
    }
    ids
}

/// Changes one row of the crowd as owner; the register lets nobody else, and the owner only without its trigger.
async fn change(owner: &mut PgConnection, sql: &str, id: Uuid) {
    let sql = format!("set session_replication_role = replica; {sql} '{id}'; set session_replication_role = origin");
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(owner).await.unwrap();
}

/// The rows of `exchanges` that were read in this transaction, and lately.
async fn rows_read(db: &mut PgConnection) -> i64 {
    let query = "select seq_tup_read + idx_tup_fetch from pg_stat_xact_user_tables where relname = 'exchanges'";
    sqlx::query_scalar(query).fetch_one(db).await.unwrap()
}

async fn look(db: &mut PgConnection, filter: Filter) -> Vec<Uuid> {
    let mut tx = db.begin().await.unwrap();
    let before = rows_read(&mut tx).await;
    let found = stories::list(&mut tx, &filter, 51).await.unwrap();
    let read = rows_read(&mut tx).await - before;
    assert!(read <= FEW, "{read} rows read for {filter:?}");
    found.into_iter().map(|line| line.id).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_among_many_is_found_by_each_thing_that_is_known_of_it() {
    let database = TestDatabase::create().await;
    let mut db = database.connect().await;
    let end = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
    let ids = fill(&mut db, end).await;
    let mut owner = database.connect_as_owner().await;
    let [refused, dead, named] = [ids[9_000], ids[12_000], ids[15_000]];
    let request = Uuid::from_u128(7);
    change(&mut owner, "update exchanges set outcome = 'refused' where id =", refused).await;
    let to_pas = "update deliveries set state = 'dead' where destination = 
                  (select id from destinations where name = 'pas') and exchange =";
    change(&mut owner, to_pas, dead).await;
    let ours = format!("update exchanges set request_id = '{request}', correlation_id = 'MSG 7' where id =");
    change(&mut owner, &ours, named).await;
    // One that the gateway made, and that its sender used again for another.
    let made = Id::new(end - TimeDelta::seconds(120), &Chance::seeded(7)).uuid().to_string();
    for with_it in [ids[120], ids[70]] {
        change(&mut owner, &format!("update exchanges set correlation_id = '{made}' where id ="), with_it).await;
    }
    for table in ["exchanges", "exchange_keys", "deliveries"] {
        sqlx::raw_sql(AssertSqlSafe(format!("vacuum analyze {table}"))).execute(&mut owner).await.unwrap();
    }

    let key: Vec<u8> = sqlx::query_scalar("select key from exchange_keys where exchange = $1")
        .bind(named)
        .fetch_one(&mut db)
        .await
        .unwrap();
    let any = Filter::default;
    let text = |text: &str| Some(text.to_owned());
    let dead_at = |name| Filter { states: vec![DeliveryState::Dead], destination: text(name), ..any() };
    for (filter, expected) in [
        (Filter { key: Some(key.try_into().unwrap()), ..any() }, vec![named]),
        (Filter { request_id: Some(request), ..any() }, vec![named]),
        (Filter { correlation_id: text("MSG 7"), ..any() }, vec![named]),
        (Filter { correlation_id: text(&made), ..any() }, vec![ids[70], ids[120]]),
        (Filter { outcome: Some(ExchangeOutcome::Refused), ..any() }, vec![refused]),
        (Filter { states: vec![DeliveryState::Dead], ..any() }, vec![dead]),
        (dead_at("pas"), vec![dead]),
        (dead_at("archive"), vec![]),
        (Filter { source: text("nobody"), since: Some(end - TimeDelta::seconds(99)), ..any() }, vec![]),
        (Filter { destination: text("archive"), ..any() }, ids[..51].to_vec()),
        (Filter { before: Some(ids[50]), ..any() }, ids[51..102].to_vec()),
        (any(), ids[..51].to_vec()),
    ] {
        // Seven times: after five, Postgres may plan once for all values.
        for _ in 0..7 {
            assert_eq!(look(&mut db, filter.clone()).await, expected, "{filter:?}");
        }
    }

    let identifiers = [
        (request.to_string(), vec![named]),
        ("MSG 7".to_owned(), vec![named]),
        (named.to_string(), vec![named]),
        (made, vec![ids[70], ids[120]]),
    ];
    for (identifier, expected) in identifiers {
        let wanted = Wanted {
            identifier_uuid: identifier.parse().ok(),
            identifier: Some(identifier),
            count: 50,
            ..Wanted::default()
        };
        let mut tx = db.begin().await.unwrap();
        let before = rows_read(&mut tx).await;
        let found = tasks::search(&mut tx, "gp", &wanted).await.unwrap();
        assert_eq!(found.iter().map(|task| task.id.uuid()).collect::<Vec<_>>(), expected);
        let read = rows_read(&mut tx).await - before;
        assert!(read <= FEW, "{read} rows read for {wanted:?}");
    }
}
