//! Whoever asks whether everything adds up (the demo does at its end) is told of each thing that does not: an exchange or
//! an attempt that is not in the register, a delivery that is still open, an accepted message that is not there.

use signalbox::store::reconciliation::{self, Reconciliation};
use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use crate::support::{ADA, TestGateway};

async fn books(db: &mut PgConnection) -> [i64; 3] {
    let Reconciliation { open, unaudited_exchanges, unaudited_attempts } = reconciliation::reconcile(db).await.unwrap();
    [open, unaudited_exchanges, unaudited_attempts]
}

async fn change(db: &mut PgConnection, statement: &'static str) {
    assert_eq!(sqlx::raw_sql(statement).execute(db).await.unwrap().rows_affected(), 1, "{statement}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_thing_that_is_missing_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let settings = format!(
        "[destinations.archive]\ntype = \"file\"\n[destinations.archive.settings]\nfolder = '{}'\n\
         [[routes]]\nname = \"all\"\nto = [\"archive\"]\n",
        folder.path().display()
    );
    let mut gateway = TestGateway::with(&settings).await;
    let exchange = gateway.accept(ADA, "Lovelace").await;
    gateway.settle().await;
    gateway.stop().await;

    let mut db = gateway.database.connect_as_owner().await;
    assert_eq!(books(&mut db).await, [0, 0, 0]);
    assert_eq!(reconciliation::stored(&mut db, &[exchange.uuid(), Uuid::nil()]).await.unwrap(), 1);

    let again = "insert into attempts select delivery, number + 1, started_at, ended_at, outcome, code, note, node from attempts";
    change(&mut db, again).await;
    assert_eq!(books(&mut db).await, [0, 0, 1], "an attempt that is not in the register");

    let again = "insert into exchanges select (jsonb_populate_record(e, jsonb_build_object('id', gen_random_uuid()))).*
        from exchanges e";
    change(&mut db, again).await;
    assert_eq!(books(&mut db).await, [0, 1, 1], "an exchange that is not in the register");

    for state in ["waiting", "ready", "leased", "unknown", "parked"] {
        let open = format!("update deliveries set state = '{state}'");
        sqlx::raw_sql(AssertSqlSafe(open)).execute(&mut db).await.unwrap();
        assert_eq!(books(&mut db).await, [1, 1, 1], "a delivery that is {state}");
    }
}
