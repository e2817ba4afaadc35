//! The register is history (P6): neither the app role nor the owner can change it, and the app role has no right to try.
//! Also: the schema is migrated once, a newer one is refused, and every statement fits it.

use signalbox::app;
use signalbox::clock::Clock;
use signalbox::store;
use signalbox::store::schema::{self, SchemaError};
use sqlx::{AssertSqlSafe, Executor, SqlSafeStr};

use crate::support::TestGateway;
use crate::support::database::{APP_ROLE, TestDatabase};

const PATIENT: &str =
    r#"{"resourceType":"Patient","identifier":[{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9990000018"}]}"#;

#[tokio::test(flavor = "multi_thread")]
async fn nobody_updates_deletes_or_truncates_it() {
    let gateway = TestGateway::start().await;
    assert_eq!(gateway.send(reqwest::Method::POST, "Patient", PATIENT).await.status(), 202);
    for (mut db, who) in
        [(gateway.database.connect().await, "app"), (gateway.database.connect_as_owner().await, "owner")]
    {
        for table in ["audit", "exchanges", "exchange_keys", "attempts"] {
            for change in [format!("delete from {table}"), format!("truncate {table}"), change_of(table)] {
                let refused = db.execute(AssertSqlSafe(change.clone()).into_sql_str()).await;
                let error = refused.expect_err(&change).into_database_error().unwrap();
                assert_eq!(error.code().as_deref(), Some("42501"), "{who}: {change}: {error}");
            }
        }
    }
    gateway.finish().await;
}

fn change_of(table: &str) -> String {
    let column = match table {
        "audit" => "outcome = 'x'",
        "exchanges" => "status = 200",
        "exchange_keys" => "key_id = 1",
        _ => "note = 'x'",
    };
    format!("update {table} set {column}")
}

#[tokio::test(flavor = "multi_thread")]
async fn no_number_of_a_patient_stands_in_clear_outside_the_bodies() {
    let gateway = TestGateway::start().await;
    let answer = gateway.send(reqwest::Method::POST, "Patient", PATIENT).await;
    assert_eq!(answer.status(), 202);
    let put = PATIENT.replace("{\"resourceType\":\"Patient\"", "{\"resourceType\":\"Patient\",\"id\":\"9990000018\"");
    assert_eq!(gateway.send(reqwest::Method::PUT, "Patient/9990000018", put).await.status(), 202);
    let mut db = gateway.database.connect_as_owner().await;
    for table in ["exchanges", "exchange_keys", "deliveries", "delivery_keys", "attempts", "message_keys", "audit"] {
        let sql = format!("select count(*) from {table} t where t::text like '%9990000018%'");
        let found: i64 = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut db).await.unwrap();
        assert_eq!(found, 0, "{table}");
    }
    let kept: i64 =
        sqlx::query_scalar("select count(*) from bodies where convert_from(content, 'UTF8') like '%9990000018%'")
            .fetch_one(&mut db)
            .await
            .unwrap();
    assert_eq!(kept, 2);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_binary_refuses_a_newer_schema_and_migrating_twice_changes_nothing() {
    let database = TestDatabase::create().await;
    let mut owner = database.connect_as_owner().await;
    app::prepare(&mut owner, Some(APP_ROLE), &Clock::system()).await.unwrap();
    sqlx::query(
        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
         values (9999, 'from the future', true, '', 0)",
    )
    .execute(&mut owner)
    .await
    .unwrap();
    let refused = schema::migrate(&mut owner).await;
    assert!(matches!(refused, Err(SchemaError::Newer(9999))), "{refused:?}");
    assert!(refused.unwrap_err().to_string().contains("newer version"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_statement_fits_the_migrated_schema_under_the_role_that_runs_it() {
    let database = TestDatabase::create().await;
    let mut db = database.connect().await;
    for statement in store::statements() {
        let prepared = db.prepare(statement.into_sql_str()).await;
        assert!(prepared.is_ok(), "{statement}: {}", prepared.err().unwrap());
    }
}
