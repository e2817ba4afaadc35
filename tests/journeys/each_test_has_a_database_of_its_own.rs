//! The laws the test databases hold: what one test writes no other sees, and the app role is not the owner.

use sqlx::{Connection, PgConnection};

use crate::support::database::TestDatabase;

#[tokio::test]
async fn what_one_test_writes_another_does_not_see() {
    let (one, other) = tokio::join!(TestDatabase::create(), TestDatabase::create());
    let mut connection = PgConnection::connect_with(&one.owner).await.unwrap();
    sqlx::raw_sql("create table marks (mark text)").execute(&mut connection).await.unwrap();
    let mut connection = PgConnection::connect_with(&other.owner).await.unwrap();
    let found: bool =
        sqlx::query_scalar("select to_regclass('marks') is not null").fetch_one(&mut connection).await.unwrap();
    assert!(!found);
}

#[tokio::test]
async fn the_app_role_makes_no_tables() {
    let database = TestDatabase::create().await;
    let mut connection = PgConnection::connect_with(&database.app).await.unwrap();
    let refused = sqlx::raw_sql("create table marks (mark text)").execute(&mut connection).await.unwrap_err();
    assert!(refused.to_string().contains("permission denied"), "{refused}");
}
