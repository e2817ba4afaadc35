//! Those who watch the first page see it change by itself, and all of them see the same look at the database.

use reqwest::StatusCode;

use crate::support::people::Person;
use crate::support::{BEN, MllpPeer, TestGateway};

/// The next picture of the page that a stream brings.
async fn next_picture(stream: &mut reqwest::Response) -> String {
    let mut text = String::new();
    loop {
        text.push_str(std::str::from_utf8(&stream.chunk().await.unwrap().expect("the stream goes on")).unwrap());
        if let Some((_, rest)) = text.split_once("event: overview\ndata: ")
            && let Some((picture, _)) = rest.split_once("\n\n")
        {
            return picture.to_owned();
        }
    }
}

fn taken_at(picture: &str) -> &str {
    let (_, rest) = picture.split_once("datetime=\"").unwrap();
    rest.split_once('"').unwrap().0
}

#[tokio::test(flavor = "multi_thread")]
async fn all_who_watch_share_one_look_and_see_what_comes() {
    let peer = MllpPeer::start();
    let gateway = TestGateway::with(&peer.settings("")).await;
    let viewer = Person::signed_in(&gateway, "viewer").await;
    let operator = Person::signed_in(&gateway, "operator").await;
    let (mut one, mut other) = (viewer.get("/live").await, operator.get("/live").await);
    assert_eq!(one.status(), StatusCode::OK);
    assert_eq!(one.headers()["content-type"], "text/event-stream");
    let pictures = (next_picture(&mut one).await, next_picture(&mut other).await);
    assert_eq!(taken_at(&pictures.0), taken_at(&pictures.1), "one look serves both");
    assert!(pictures.1.contains("/destinations/pas/pause"), "each sees what the role allows");
    assert!(!pictures.0.contains("/destinations/pas/pause"), "each sees what the role allows");

    assert!(pictures.0.contains("through this gateway process"), "it says whose rates these are");

    let exchange = gateway.accept(BEN, "Seen").await.to_string();
    let mut seen = false;
    for _ in 0..5 {
        seen = seen || next_picture(&mut one).await.contains(&exchange);
    }
    assert!(seen, "what came is seen without asking");
    drop((one, other));
    gateway.finish().await;
}
