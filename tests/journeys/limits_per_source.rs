//! Each source has limits of its own, and a profile that a message claims and nobody has is told, or refused where the
//! source's policy says so.

use reqwest::{Method, StatusCode};
use serde_json::Value;

use crate::support::gateway::NOWHERE;
use crate::support::{ADA, BEN, TestGateway, patient};

async fn issue(answer: reqwest::Response) -> Value {
    serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap()["issue"][0].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_over_its_rate_is_told_when_to_come_again_and_others_go_on() {
    let limits = "[sources.gp.limits]\nrate = \"2/m\"\nburst = 2\n";
    let gateway = TestGateway::with(&format!("{limits}{NOWHERE}")).await;
    for _ in 0..2 {
        assert_eq!(gateway.send(Method::POST, "Patient", patient(ADA, "A")).await.status(), StatusCode::ACCEPTED);
    }
    let late = gateway.send(Method::POST, "Patient", patient(ADA, "A")).await;
    assert_eq!(late.status(), StatusCode::TOO_MANY_REQUESTS);
    let wait: u64 = late.headers()["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((20..=30).contains(&wait), "{wait}");
    assert_eq!(issue(late).await["code"], "throttled");

    let other = gateway.client.post(format!("{}/Patient", gateway.base)).bearer_auth(&gateway.other_token);
    let other = other.header("content-type", "application/fhir+json").body(patient(BEN, "B")).send().await.unwrap();
    assert_eq!(other.status(), StatusCode::ACCEPTED);
    gateway.record_refusals().await;
    let counted: Vec<(Option<i16>, Option<i32>)> =
        sqlx::query_as("select status, count from audit where event = 'refusals'")
            .fetch_all(&mut gateway.connect().await)
            .await
            .unwrap();
    assert_eq!(counted, [(Some(429), Some(1))], "refusals by the rate are counted, not written one by one");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_has_its_own_longest_body_largest_batch_and_deepest_nesting() {
    let limits = "[sources.gp.limits]\nmax_body = \"2 KiB\"\nmax_entries = 1\nmax_depth = 6\n";
    let gateway = TestGateway::with(&format!("{limits}{NOWHERE}")).await;
    let long = patient(ADA, &"A".repeat(3_000));
    let answer = gateway.send(Method::POST, "Patient", long.clone()).await;
    assert_eq!(answer.status(), StatusCode::PAYLOAD_TOO_LARGE);
    assert!(issue(answer).await["diagnostics"].as_str().unwrap().contains("2048 bytes"));
    let other = gateway.client.post(format!("{}/Patient", gateway.base)).bearer_auth(&gateway.other_token);
    let other = other.header("content-type", "application/fhir+json").body(long).send().await.unwrap();
    assert_eq!(other.status(), StatusCode::ACCEPTED);

    let entry =
        format!("{{\"request\":{{\"method\":\"POST\",\"url\":\"Patient\"}},\"resource\":{}}}", patient(ADA, "A"));
    let batch = |entries: &[&str]| {
        format!("{{\"resourceType\":\"Bundle\",\"type\":\"batch\",\"entry\":[{}]}}", entries.join(","))
    };
    assert_eq!(gateway.send(Method::POST, "", batch(&[&entry])).await.status(), StatusCode::OK);
    let answer = gateway.send(Method::POST, "", batch(&[&entry, &entry])).await;
    assert_eq!(
        (answer.status(), issue(answer).await["code"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("too-long"))
    );

    for (path, kind) in [("", "transaction"), ("Bundle", "collection")] {
        let whole = batch(&[&entry, &entry]).replace("\"batch\"", &format!("\"{kind}\""));
        let answer = gateway.send(Method::POST, path, whole).await;
        let told = (answer.status(), issue(answer).await["code"].clone());
        assert_eq!(told, (StatusCode::UNPROCESSABLE_ENTITY, "too-long".into()), "{kind}");
    }

    let deep = format!("{{\"resourceType\":\"Patient\",\"name\":{}{}}}", "[".repeat(8), "]".repeat(8));
    let answer = gateway.send(Method::POST, "Patient", deep).await;
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_nobody_has_is_told_or_refused_as_the_source_is_configured() {
    let claims = patient(ADA, "A").replacen(
        "\"Patient\",",
        "\"Patient\",\"meta\":{\"profile\":[\"http://hl7.org/fhir/StructureDefinition/Patient\",\"https://nobody.example/P\"]},",
        1,
    );
    let gateway = TestGateway::start().await;
    let answer = gateway.send(Method::POST, "Patient", claims.clone()).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let issues = serde_json::from_str::<Value>(&answer.text().await.unwrap()).unwrap()["issue"].clone();
    let warnings: Vec<&Value> =
        issues.as_array().unwrap().iter().filter(|issue| issue["severity"] == "warning").collect();
    assert_eq!(warnings.len(), 1, "{issues:#}");
    assert!(warnings[0]["diagnostics"].as_str().unwrap().contains("https://nobody.example/P is not known here"));
    assert_eq!(warnings[0]["expression"][0], "Patient.meta.profile[1]");

    let strict = gateway.client.post(format!("{}/Patient", gateway.base)).bearer_auth(&gateway.other_token);
    let answer = strict.header("content-type", "application/fhir+json").body(claims).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(issue(answer).await["expression"][0], "Patient.meta.profile[1]");
    gateway.finish().await;
}
