//! A flood of requests from somebody who has not proved who they are is seen in the register, as a count with their
//! address, and cannot fill it: one row a minute, not one a request.

use crate::support::{ADA, TestGateway, patient};

/// Address, status, outcome, count and source.
type Row = (Option<String>, Option<i16>, String, Option<i32>, Option<String>);

#[tokio::test(flavor = "multi_thread")]
async fn fifty_requests_without_a_credential_are_one_row_with_a_count() {
    let gateway = TestGateway::start().await;
    for number in 0..50 {
        let request = gateway.client.post(format!("{}/Patient", gateway.base));
        let request = request.header("content-type", "application/fhir+json").body(patient(ADA, "Example"));
        let request = if number % 2 == 0 { request } else { request.bearer_auth("a-guess") };
        assert_eq!(request.send().await.unwrap().status(), 401);
    }
    let rows = "select host(address), status, outcome, count, source from audit where event = 'refusals'";
    let mut db = gateway.connect().await;
    gateway.record_refusals().await;
    let found: Vec<Row> = sqlx::query_as(rows).fetch_all(&mut db).await.unwrap();
    assert_eq!(found, [(Some("127.0.0.1".to_owned()), Some(401), "refused".to_owned(), Some(50), None)]);

    gateway.record_refusals().await;
    let again: Vec<Row> = sqlx::query_as(rows).fetch_all(&mut db).await.unwrap();
    assert_eq!(again.len(), 1, "what was written is not written again");
    let stored: i64 = sqlx::query_scalar("select count(*) from exchanges").fetch_one(&mut db).await.unwrap();
    assert_eq!(stored, 0);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_last_minute_is_written_when_the_gateway_stops() {
    let mut gateway = TestGateway::start().await;
    let answer = gateway.client.get(format!("{}/Task/01KE0000000000000000", gateway.base)).send().await.unwrap();
    assert_eq!(answer.status(), 401);
    gateway.stop().await;
    let counted: Option<i64> = sqlx::query_scalar("select sum(count) from audit where event = 'refusals'")
        .fetch_one(&mut gateway.connect().await)
        .await
        .unwrap();
    assert_eq!(counted, Some(1));
}
