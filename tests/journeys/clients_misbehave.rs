//! Clients that hang up, dawdle, hurry or come in crowds: each costs itself an answer and nobody else theirs, and what
//! was not received whole is not stored.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::gateway::NOWHERE;
use crate::support::gateway_process::{self, GatewayProcess};
use crate::support::{ADA, BEN, TestGateway, patient};

const PATIENCE: Duration = Duration::from_secs(20);

fn head(token: &str, length: usize, more: &str) -> String {
    format!(
        "POST /fhir/Patient HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\n{more}\
         content-type: application/fhir+json\r\ncontent-length: {length}\r\n"
    )
}

fn request(token: &str, body: &str) -> String {
    format!("{}\r\n{body}", head(token, body.len(), ""))
}

async fn connect(gateway: &TestGateway) -> TcpStream {
    let address = gateway.base.strip_prefix("http://").unwrap().split('/').next().unwrap();
    TcpStream::connect(address).await.unwrap()
}

async fn stored(gateway: &TestGateway) -> i64 {
    let query = "select count(*) from exchanges where outcome = 'accepted'";
    sqlx::query_scalar(query).fetch_one(&mut gateway.connect().await).await.unwrap()
}

/// Everything until the other side closes.
async fn rest(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    timeout(PATIENCE, stream.read_to_end(&mut text)).await.expect("the gateway closes").unwrap_or_default();
    String::from_utf8_lossy(&text).into_owned()
}

/// Reads until the heads of `count` answers have come.
async fn answers(stream: &mut TcpStream, count: usize) -> String {
    let mut text = String::new();
    let mut piece = [0; 4096];
    while text.matches("\r\n\r\n").count() < count {
        let read = timeout(PATIENCE, stream.read(&mut piece)).await.unwrap().unwrap();
        assert!(read > 0, "closed after {text}");
        text.push_str(&String::from_utf8_lossy(&piece[..read]));
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_hangs_up_in_the_middle_has_sent_nothing() {
    let gateway = TestGateway::start().await;
    let whole = request(&gateway.token, &patient(ADA, "Example"));
    for cut in [10, whole.len() / 2, whole.len() - 1] {
        let mut stream = connect(&gateway).await;
        stream.write_all(&whole.as_bytes()[..cut]).await.unwrap();
        stream.shutdown().await.unwrap();
        rest(&mut stream).await;
    }
    assert_eq!(stored(&gateway).await, 0);

    // Hanging up after the last byte leaves it open whether it is stored; sent again under its id it is, and once.
    let body = patient(ADA, "Example");
    let named = head(&gateway.token, body.len(), "x-request-id: 4b2d0c4e-6f1d-4c84-9a39-0a2ce1f0a7c1\r\n");
    let whole = format!("{named}\r\n{body}");
    for _ in 0..5 {
        let mut stream = connect(&gateway).await;
        stream.write_all(whole.as_bytes()).await.unwrap();
    }
    let mut stream = connect(&gateway).await;
    stream.write_all(whole.as_bytes()).await.unwrap();
    assert!(answers(&mut stream, 1).await.starts_with("HTTP/1.1 202 "));
    assert_eq!(stored(&gateway).await, 1);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_sent_one_behind_the_other_are_answered_in_order() {
    let gateway = TestGateway::start().await;
    let mut stream = connect(&gateway).await;
    let named = |id: &str, body: &str| {
        format!("{}\r\n{body}", head(&gateway.token, body.len(), &format!("x-correlation-id: {id}\r\n")))
    };
    let three = [named("one", &patient(ADA, "A")), named("two", "{}"), named("three", &patient(BEN, "B"))].concat();
    stream.write_all(three.as_bytes()).await.unwrap();
    let text = answers(&mut stream, 3).await;
    let told = text.split("HTTP/1.1 ").skip(1).map(|answer| {
        let named = answer.lines().find_map(|line| line.strip_prefix("x-correlation-id: ")).unwrap();
        (&answer[..3], named)
    });
    assert_eq!(told.collect::<Vec<_>>(), [("202", "one"), ("400", "two"), ("202", "three")], "{text}");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn http_2_carries_many_requests_on_one_connection() {
    let gateway = TestGateway::start().await;
    let client = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let sends = (0..100).map(|number| {
        let request = client.post(format!("{}/Patient", gateway.base)).bearer_auth(&gateway.token);
        let request = request.header("content-type", "application/fhir+json");
        request.body(patient(if number % 2 == 0 { ADA } else { BEN }, "Example")).send()
    });
    for answer in futures_util::future::join_all(sends).await {
        let answer = answer.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (202, reqwest::Version::HTTP_2));
    }
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_dawdles_is_let_go_and_keeps_nobody_waiting() {
    let http = "head_timeout = \"1s\"\nbody_pause = \"1s\"\nconnections = 40\n";
    let gateway = TestGateway::in_folder(tempfile::tempdir().unwrap(), http, NOWHERE).await;
    let body = patient(ADA, "Example");
    let mut slow = Vec::new();
    for number in 0..30 {
        let mut stream = connect(&gateway).await;
        let begun = if number % 2 == 0 {
            "POST /fhir/Patient HTTP/1.1\r\nhost: x\r\nx-slow: ".to_owned()
        } else {
            format!("{}\r\n{}", head(&gateway.token, body.len(), ""), &body[..10])
        };
        stream.write_all(begun.as_bytes()).await.unwrap();
        slow.push(stream);
    }
    let answer = timeout(PATIENCE, gateway.send(reqwest::Method::POST, "Patient", body.clone())).await.unwrap();
    assert_eq!(answer.status(), 202, "the others are served meanwhile");
    for (number, mut stream) in slow.into_iter().enumerate() {
        let said = rest(&mut stream).await;
        if number % 2 == 1 {
            assert!(said.starts_with("HTTP/1.1 408 "), "{said}");
            assert!(said.contains("did not arrive whole within 1 seconds"), "{said}");
        }
    }
    assert_eq!(stored(&gateway).await, 1);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_says_nothing_keeps_the_door_to_nobody_else() {
    let http = "head_timeout = \"1s\"\nconnections = 5\n";
    let gateway = TestGateway::in_folder(tempfile::tempdir().unwrap(), http, NOWHERE).await;
    // One that has asked once, by HTTP/2, and keeps its connection.
    let settled = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let asked = settled.get(format!("{}/metadata", gateway.base)).bearer_auth(&gateway.token).send().await.unwrap();
    assert_eq!(asked.status(), 200);
    let mut silent = Vec::new();
    for begun in ["", "P", "PRI * HTTP/2.0", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"] {
        let mut stream = connect(&gateway).await;
        stream.write_all(begun.as_bytes()).await.unwrap();
        silent.push(stream);
    }
    let body = patient(ADA, "Example");
    let answer = timeout(PATIENCE, gateway.send(reqwest::Method::POST, "Patient", body)).await;
    assert_eq!(answer.expect("there is room again").status(), 202);
    for mut stream in silent {
        rest(&mut stream).await;
    }
    let again = settled.get(format!("{}/metadata", gateway.base)).bearer_auth(&gateway.token).send().await.unwrap();
    assert_eq!(again.status(), 200, "whose connection was ended makes another");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn past_the_limit_connections_wait_their_turn() {
    let gateway = TestGateway::in_folder(tempfile::tempdir().unwrap(), "connections = 2\n", NOWHERE).await;
    let (first, second) = (connect(&gateway).await, connect(&gateway).await);
    let mut third = connect(&gateway).await;
    third.write_all(request(&gateway.token, &patient(ADA, "Example")).as_bytes()).await.unwrap();
    let early = timeout(Duration::from_millis(500), answers(&mut third, 1)).await;
    assert!(early.is_err(), "nobody looks at it yet: {early:?}");
    drop(first);
    assert!(answers(&mut third, 1).await.starts_with("HTTP/1.1 202 "));
    drop(second);
    drop(third);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_long_is_refused() {
    let gateway = TestGateway::start().await;
    for (length, expected) in [(4_000, "HTTP/1.1 202 "), (40_000, "HTTP/1.1 431 ")] {
        let mut stream = connect(&gateway).await;
        let body = patient(ADA, "Example");
        let more = format!("connection: close\r\nx-long: {}\r\n", "a".repeat(length));
        let text = format!("{}\r\n{body}", head(&gateway.token, body.len(), &more));
        // The answer may come, and the connection be closed, before everything is written.
        let _ = stream.write_all(text.as_bytes()).await;
        let said = answers(&mut stream, 1).await;
        assert!(said.starts_with(expected), "{said}");
    }
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_connections_leave_room_for_a_request() {
    const CROWD: usize = 10_000;
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let enough = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, enough).unwrap();
    let room = limit.maximum.unwrap_or(u64::MAX);
    assert!(room > 12_000, "this machine allows {room} open files, which is too few for this test");

    let folder = gateway_process::folder();
    let hash = signalbox::config::token::hash_of("secret");
    let text = format!(
        "data = \"data\"\n[http]\nlisten = \"127.0.0.1:0\"\nconnections = 10100\nhead_timeout = \"5m\"\n\
         [sources.gp]\nods = \"A99001\"\ntoken_sha256 = [\"{hash}\"]\n{NOWHERE}"
    );
    std::fs::write(folder.path().join("signalbox.toml"), text).unwrap();
    let gateway = GatewayProcess::start(folder.path());
    let address = gateway.base.strip_prefix("http://").unwrap().split('/').next().unwrap().to_owned();
    let mut crowd = Vec::with_capacity(CROWD);
    for _ in 0..CROWD {
        crowd.push(timeout(PATIENCE, TcpStream::connect(&address)).await.unwrap().unwrap());
    }
    let mut last = TcpStream::connect(&address).await.unwrap();
    last.write_all(request("secret", &patient(ADA, "Example")).as_bytes()).await.unwrap();
    assert!(answers(&mut last, 1).await.starts_with("HTTP/1.1 202 "));
    let early = &mut crowd[0];
    early.write_all(request("secret", &patient(BEN, "Example")).as_bytes()).await.unwrap();
    assert!(answers(early, 1).await.starts_with("HTTP/1.1 202 "), "and each of them may speak");
    drop((crowd, last));
    gateway.terminate();
}
