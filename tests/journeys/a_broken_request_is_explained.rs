//! A supplier's engineer gets it wrong in every way there is, and each answer says what is wrong and where: bodies that
//! cannot be read as FHIR are a 400 (P7), headers and addresses have a status of their own.

use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::support::TestGateway;

const PATIENT: &str = r#"{"resourceType":"Patient","active":true}"#;
const EXTENSION: &str = "http://hl7.org/fhir/StructureDefinition/operationoutcome-issue-";

fn ask(gateway: &TestGateway, method: &str, path: &str) -> RequestBuilder {
    let method = Method::from_bytes(method.as_bytes()).unwrap();
    gateway.client.request(method, format!("{}{path}", gateway.base)).bearer_auth(&gateway.token)
}

fn submit(gateway: &TestGateway, body: impl Into<reqwest::Body>) -> RequestBuilder {
    ask(gateway, "POST", "/Patient").header("content-type", "application/fhir+json").body(body)
}

/// The first issue of an answer, which must be an OperationOutcome with the ids of its request.
async fn issue(answer: Response) -> Value {
    assert_eq!(answer.headers()["content-type"], "application/fhir+json; charset=utf-8");
    assert!(answer.headers().contains_key("x-correlation-id"));
    let outcome: Value = serde_json::from_slice(&answer.bytes().await.unwrap()).unwrap();
    assert_eq!(outcome["resourceType"], "OperationOutcome");
    let issue = outcome["issue"][0].clone();
    assert!(["fatal", "error"].contains(&issue["severity"].as_str().unwrap()));
    assert!(issue["diagnostics"].as_str().unwrap().len() > 10, "{issue}");
    issue
}

/// Line and column, where they are told.
type Place = Option<(u64, u64)>;

fn place(issue: &Value) -> Place {
    let number = |name: &str| {
        let extensions = issue["extension"].as_array()?;
        extensions.iter().find(|extension| extension["url"] == format!("{EXTENSION}{name}"))?["valueInteger"].as_u64()
    };
    Some((number("line")?, number("col")?))
}

#[tokio::test]
async fn a_body_that_is_not_fhir_is_explained_with_line_and_column() {
    let gateway = TestGateway::start().await;
    let deep = format!("{{\"resourceType\":\"Patient\",\"x\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let bodies: [(&str, Vec<u8>, Place); 11] = [
        ("empty", b"".to_vec(), None),
        ("white space", b" \n ".to_vec(), None),
        ("not JSON", b"MSH|^~\\&|PAS".to_vec(), Some((1, 1))),
        ("truncated", b"{\"resourceType\":\"Patient\",\n\"active\":tr".to_vec(), Some((2, 12))),
        (
            "duplicate key",
            b"{\"resourceType\":\"Patient\",\n \"active\":true,\n \"active\":false}".to_vec(),
            Some((3, 2)),
        ),
        ("10,000 deep", deep.into_bytes(), None),
        ("array", b"[{\"resourceType\":\"Patient\"}]".to_vec(), None),
        ("invalid UTF-8", b"{\"resourceType\":\"Patient\",\"language\":\"\xff\"}".to_vec(), Some((1, 39))),
        ("no resourceType", b"{\"active\":true}".to_vec(), None),
        ("unknown resourceType", b"{\"resourceType\":\"Sheep\"}".to_vec(), None),
        ("another resourceType", b"{\"resourceType\":\"Encounter\"}".to_vec(), None),
    ];
    let mut told = Vec::new();
    for (name, body, expected) in bodies {
        let answer = submit(&gateway, body).send().await.unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{name}");
        let issue = issue(answer).await;
        if expected.is_some() {
            assert_eq!(place(&issue), expected, "{name}");
        }
        let sentence = issue["diagnostics"].as_str().unwrap();
        told.push(format!("{name}: {} at {:?}: {sentence}", issue["code"], place(&issue)));
    }
    insta::assert_snapshot!(told.join("\n"));
}

#[tokio::test]
async fn an_unreadable_body_cannot_be_validated_either() {
    let gateway = TestGateway::start().await;
    let request = ask(&gateway, "POST", "/Patient/$validate").header("content-type", "application/fhir+json");
    assert_eq!(request.body("{").send().await.unwrap().status(), StatusCode::BAD_REQUEST);
    let request = ask(&gateway, "POST", "/Sheep/$validate").header("content-type", "application/fhir+json");
    assert_eq!(request.body(PATIENT).send().await.unwrap().status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_body_over_the_limit_is_refused_told_or_untold() {
    let gateway = TestGateway::start().await;
    let body = vec![b' '; gateway.max_body + 1];
    let told = submit(&gateway, body.clone()).send().await.unwrap();
    assert_eq!((told.status(), issue(told).await["code"].clone()), (StatusCode::PAYLOAD_TOO_LARGE, "too-long".into()));
    let mut socket = connect(&gateway).await;
    let head = format!(
        "{}Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        head(&gateway, "POST", "/Patient")
    );
    socket.write_all(head.as_bytes()).await.unwrap();
    let chunk = format!("{:x}\r\n{}\r\n0\r\n\r\n", body.len(), " ".repeat(body.len()));
    socket.write_all(chunk.as_bytes()).await.unwrap();
    assert_eq!(statuses(&mut socket, 1).await, ["413"]);
}

#[tokio::test]
async fn each_wrong_header_has_its_status() {
    let gateway = TestGateway::start().await;
    let long = "a".repeat(129);
    let wrong = [
        (415, "content-type", "text/plain"),
        (415, "content-type", "application/fhir+xml"),
        (415, "content-type", "application/fhir+json; charset=utf-16"),
        (415, "content-type", "application/fhir+json; fhirVersion=3.0"),
        (415, "content-encoding", "gzip"),
        (406, "accept", "application/fhir+xml"),
        (406, "accept", "application/fhir+json; fhirVersion=5.0"),
        (400, "x-request-id", "1"),
        (400, "x-correlation-id", &long),
        (400, "nhsd-end-user-organisation-ods", "rx809"),
        (400, "if-match", "W/\"1\""),
        (400, "if-none-exist", " "),
        (501, "if-none-match", "*"),
    ];
    for (status, name, value) in wrong {
        let mut request = submit(&gateway, PATIENT).build().unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
        let answer = gateway.client.execute(request).await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{name}: {value}");
        let sentence = issue(answer).await["diagnostics"].as_str().unwrap().to_ascii_lowercase();
        assert!(status != 400 || sentence.contains(name), "{sentence}");
        assert!(!sentence.contains(&long));
    }
    let missing = ask(&gateway, "POST", "/Patient").body(PATIENT).send().await.unwrap();
    assert_eq!(missing.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    let twice = submit(&gateway, PATIENT).header("x-correlation-id", "a").header("x-correlation-id", "a");
    assert_eq!(twice.send().await.unwrap().status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn each_address_and_method_we_lack_has_its_status() {
    let gateway = TestGateway::start().await;
    let lacking = [
        ("POST", "/Sheep", 404, None),
        ("GET", "/Sheep", 404, None),
        ("PUT", "/Sheep/1", 404, None),
        ("POST", "/$process-message", 404, None),
        ("GET", "/Patient/$everything", 404, None),
        ("GET", "/Patient/1/_history", 404, None),
        ("POST", "/", 400, None),
        ("POST", "", 400, None),
        ("GET", "", 501, None),
        ("GET", "/?_lastUpdated=gt2026", 501, None),
        ("PUT", "/Patient?identifier=a%7Cb", 501, None),
        ("PUT", "/Patient", 405, Some("POST")),
        ("GET", "/Patient?name=x", 405, Some("POST")),
        ("DELETE", "/Patient", 405, Some("POST")),
        ("GET", "/Patient/1", 405, Some("PUT")),
        ("PATCH", "/Patient/1", 405, Some("PUT")),
        ("DELETE", "/Patient/1", 405, Some("PUT")),
        ("DELETE", "/Task/1", 405, Some("GET, HEAD, PUT")),
        ("GET", "/$validate", 405, Some("POST")),
        ("GET", "/Task/$validate", 405, Some("POST")),
        ("POST", "/metadata", 405, Some("GET, HEAD")),
        ("POST", "/Patient?identifier=1", 400, None),
        ("GET", "/metadata?mode=terminology", 400, None),
        ("PUT", "/Patient/a_b", 400, None),
        ("POST", "/Patient?_format=xml", 406, None),
    ];
    for (method, path, status, allow) in lacking {
        let request = ask(&gateway, method, path).header("content-type", "application/fhir+json").body(PATIENT);
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status, "{method} {path}");
        if let Some(allow) = allow {
            assert_eq!(answer.headers()["allow"], allow, "{method} {path}");
        }
        issue(answer).await;
    }
}

#[tokio::test]
async fn without_a_credential_no_address_answers_anything_else() {
    let gateway = TestGateway::start().await;
    for (method, path) in [("POST", "/Patient"), ("GET", "/metadata"), ("GET", "/Task/1"), ("DELETE", "/nowhere")] {
        for credential in [None, Some("Bearer wrong"), Some("Basic d3Jvbmc=")] {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let request = gateway.client.request(method, format!("{}{path}", gateway.base));
            let request = credential.into_iter().fold(request, |request, value| request.header("authorization", value));
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{path}");
            assert_eq!(answer.headers()["www-authenticate"], "Bearer");
            assert_eq!(issue(answer).await["code"], "login");
        }
    }
}

#[tokio::test]
async fn a_refused_request_does_not_spoil_the_next_one_on_its_connection() {
    let gateway = TestGateway::start().await;
    let mut socket = connect(&gateway).await;
    let type_and_length = format!("Content-Type: application/fhir+json\r\nContent-Length: {}\r\n", PATIENT.len());
    let refused = format!("{}X-Request-ID: 1\r\n{type_and_length}\r\n{PATIENT}", head(&gateway, "POST", "/Patient"));
    let good = format!("{}Connection: close\r\n\r\n", head(&gateway, "GET", "/metadata"));
    socket.write_all(format!("{refused}{refused}{good}").as_bytes()).await.unwrap();
    assert_eq!(statuses(&mut socket, 3).await, ["400", "400", "200"]);
}

async fn connect(gateway: &TestGateway) -> TcpStream {
    let url = reqwest::Url::parse(&gateway.base).unwrap();
    TcpStream::connect((url.host_str().unwrap(), url.port().unwrap())).await.unwrap()
}

fn head(gateway: &TestGateway, method: &str, path: &str) -> String {
    format!("{method} /fhir{path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n", gateway.token)
}

/// The status codes of the next `count` answers.
async fn statuses(socket: &mut TcpStream, count: usize) -> Vec<String> {
    let mut text = String::new();
    let mut piece = [0; 4096];
    loop {
        let found: Vec<String> =
            text.split("HTTP/1.1 ").skip(1).map(|answer| answer.chars().take(3).collect()).collect();
        let size = if found.len() < count { socket.read(&mut piece).await.unwrap() } else { 0 };
        if size == 0 {
            return found;
        }
        text += &String::from_utf8_lossy(&piece[..size]);
    }
}
