//! A sender that says "only if there is none yet" or "only over version 3" gets that or a refusal: a condition that a
//! destination cannot carry is never dropped on the way
//! ([conditional create](https://hl7.org/fhir/R4/http.html#ccreate)).

use reqwest::{RequestBuilder, StatusCode};

use crate::support::{ADA, MllpPeer, TestGateway, patient};

async fn refused(gateway: &TestGateway, named: &str, request: RequestBuilder) -> String {
    let request = request.bearer_auth(&gateway.token).header("content-type", "application/fhir+json");
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::NOT_IMPLEMENTED);
    assert!(!answer.headers().contains_key("content-location"));
    let text = answer.text().await.unwrap();
    assert!(text.contains("not-supported") && text.contains(named), "{text}");
    text
}

async fn both(gateway: &TestGateway) -> [String; 2] {
    let create = gateway.client.post(format!("{}/Patient", gateway.base)).body(patient(ADA, "Example"));
    let create = create.header("if-none-exist", format!("identifier=https://fhir.nhs.uk/Id/nhs-number|{ADA}"));
    let update = patient(ADA, "Example").replace("\"Patient\",", "\"Patient\",\"id\":\"ada\",");
    let update = gateway.client.put(format!("{}/Patient/ada", gateway.base)).body(update).header("if-match", "W/\"3\"");
    [refused(gateway, "If-None-Exist", create).await, refused(gateway, "If-Match", update).await]
}

async fn nothing_was_accepted(gateway: &TestGateway) {
    let stored: Vec<(String, i64)> =
        sqlx::query_as("select outcome::text, count(*) from exchanges where status = 501 group by 1")
            .fetch_all(&mut gateway.connect().await)
            .await
            .unwrap();
    assert_eq!(stored, [("refused".to_owned(), 2)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destination_that_cannot_carry_them_is_named() {
    let peer = MllpPeer::start();
    let gateway = TestGateway::with(&peer.settings("")).await;
    for text in both(&gateway).await {
        assert!(text.contains("'pas'") && !text.contains(ADA), "{text}");
    }
    nothing_was_accepted(&gateway).await;
    gateway.settle().await;
    assert_eq!(peer.received(), []);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn they_mean_nothing_where_nothing_is_sent() {
    let gateway = TestGateway::start().await;
    both(&gateway).await;
    nothing_was_accepted(&gateway).await;
    gateway.finish().await;
}
