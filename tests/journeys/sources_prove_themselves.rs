//! Sources prove who they are: by a certificate of an authority we trust, or by a token that an identity provider has
//! signed for us. Whoever is foreign, late or a copy is turned away.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use rcgen::{KeyPair, PublicKeyData};
use serde_json::{Value, json};
use signalbox::clock::Clock;

use crate::support::authority::{Authority, Issued};
use crate::support::gateway::NOWHERE;
use crate::support::{ADA, TestGateway, patient};

const TLS: &str = "[http.tls]\ncertificate = \"server.pem\"\nkey = \"server.key\"\nclient_authorities = \"clients.pem\"\n\
                   [sources.pas]\nods = \"RX9\"\ncertificates = [\"pas.rx9.example\"]\n";

struct Hall {
    gateway: TestGateway,
    authority: Authority,
}

impl Hall {
    async fn open() -> Self {
        let (authority, folder) = (Authority::new(), tempfile::tempdir().unwrap());
        authority.issue("localhost").write(folder.path(), "server");
        std::fs::write(folder.path().join("clients.pem"), authority.pem()).unwrap();
        let gateway = TestGateway::in_folder(folder, "", &format!("{TLS}{NOWHERE}")).await;
        assert!(gateway.base.starts_with("https://127.0.0.1:"), "{}", gateway.base);
        Self { gateway, authority }
    }

    /// A request with this certificate and token; what comes of it, or why no connection came about.
    async fn ask(&self, certificate: Option<&Issued>, token: Option<&str>) -> reqwest::Result<(u16, reqwest::Version)> {
        let root = reqwest::Certificate::from_pem(self.authority.pem().as_bytes()).unwrap();
        let mut client = reqwest::Client::builder().no_proxy().tls_certs_only([root]);
        if let Some(certificate) = certificate {
            client = client.identity(certificate.identity());
        }
        let address = self.gateway.base.replace("127.0.0.1", "localhost");
        let mut request =
            client.build()?.post(format!("{address}/Patient")).header("content-type", "application/fhir+json");
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let answer = request.body(patient(ADA, "Example")).send().await?;
        Ok((answer.status().as_u16(), answer.version()))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_our_authority_proves_the_source_it_names() {
    let hall = Hall::open().await;
    let ours = hall.authority.issue("PAS.rx9.example");
    let (status, version) = hall.ask(Some(&ours), None).await.unwrap();
    assert_eq!((status, version), (202, reqwest::Version::HTTP_2));
    let source: String =
        sqlx::query_scalar("select source from exchanges").fetch_one(&mut hall.gateway.connect().await).await.unwrap();
    assert_eq!(source, "pas");

    let token = hall.gateway.token.clone();
    assert_eq!(hall.ask(None, Some(&token)).await.unwrap().0, 202, "a token does as well");
    assert_eq!(hall.ask(None, None).await.unwrap().0, 401);
    assert_eq!(hall.ask(Some(&hall.authority.issue("other.example")), None).await.unwrap().0, 401);
    assert_eq!(hall.ask(Some(&ours), Some(&token)).await.unwrap().0, 401, "two sources in one request are nobody");
    hall.gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_foreign_or_expired_certificate_gets_no_connection() {
    let hall = Hall::open().await;
    let foreign = Authority::new().issue("pas.rx9.example");
    assert!(hall.ask(Some(&foreign), None).await.is_err());
    let expired = hall.authority.issue_until("pas.rx9.example", 2021);
    assert!(hall.ask(Some(&expired), None).await.is_err());
    let plain = hall.gateway.base.replace("https", "http");
    assert!(hall.gateway.client.post(format!("{plain}/Patient")).send().await.is_err(), "plain HTTP is no TLS");
    let stored: i64 = sqlx::query_scalar("select count(*) from exchanges")
        .fetch_one(&mut hall.gateway.connect().await)
        .await
        .unwrap();
    assert_eq!(stored, 0);
    hall.gateway.finish().await;
}

const ISSUER: &str = "[issuers.login]\nissuer = \"https://login.example\"\naudience = \"https://gateway.example\"\n\
                      jwks = \"keys.json\"\n[issuers.strict]\nissuer = \"https://strict.example\"\n\
                      audience = \"https://gateway.example\"\njwks = \"keys.json\"\nonce = true\n\
                      [sources.screening]\nods = \"RX7\"\njwt = { issuer = \"login\", subject = \"screening\" }\n\
                      [sources.pathology]\nods = \"RX8\"\njwt = { issuer = \"strict\", subject = \"pathology\" }\n";

/// An identity provider's key.
struct Signer(KeyPair);

impl Signer {
    fn new() -> Self {
        Self(KeyPair::generate().unwrap())
    }

    fn publish(&self, folder: &Path) {
        let point = self.0.der_bytes();
        let part = |from: usize| BASE64_URL_SAFE_NO_PAD.encode(&point[from..from + 32]);
        let key = json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "one", "x": part(1), "y": part(33) });
        std::fs::write(folder.join("keys.json"), json!({ "keys": [key] }).to_string()).unwrap();
    }

    fn sign(&self, claims: &Value) -> String {
        let header = Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::ES256) };
        encode(&header, claims, &EncodingKey::from_ec_der(&self.0.serialize_der())).unwrap()
    }
}

fn claims() -> Value {
    let now = Clock::system().now().timestamp();
    json!({
        "iss": "https://login.example", "aud": "https://gateway.example", "sub": "screening", "jti": "1",
        "iat": now, "exp": now + 300,
    })
}

/// The claims with one of them changed; null takes it away.
fn with(name: &str, value: Value) -> Value {
    let mut claims = claims();
    if value.is_null() {
        claims.as_object_mut().unwrap().remove(name);
    } else {
        claims[name] = value;
    }
    claims
}

async fn status(gateway: &TestGateway, token: &str) -> u16 {
    let request = gateway.client.post(format!("{}/Patient", gateway.base)).bearer_auth(token);
    let request = request.header("content-type", "application/fhir+json").body(patient(ADA, "Example"));
    request.send().await.unwrap().status().as_u16()
}

async fn gateway_with(signer: &Signer) -> TestGateway {
    let folder = tempfile::tempdir().unwrap();
    signer.publish(folder.path());
    TestGateway::in_folder(folder, "", &format!("{ISSUER}{NOWHERE}")).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_signed_for_us_proves_its_subject() {
    let signer = Signer::new();
    let gateway = gateway_with(&signer).await;
    assert_eq!(status(&gateway, &signer.sign(&claims())).await, 202);
    let mut db = gateway.connect().await;
    let source: String = sqlx::query_scalar("select source from exchanges").fetch_one(&mut db).await.unwrap();
    assert_eq!(source, "screening");

    let now = claims()["iat"].as_i64().unwrap();
    for (what, wrong) in [
        ("expired", with("exp", json!(now - 60))),
        ("without an end", with("exp", Value::Null)),
        ("good for a day", with("exp", json!(now + 86_400))),
        ("not in force yet", with("nbf", json!(now + 120))),
        ("for somebody else", with("aud", json!("https://elsewhere.example"))),
        ("for nobody", with("aud", Value::Null)),
        ("of another issuer", with("iss", json!("https://elsewhere.example"))),
        ("of an unknown subject", with("sub", json!("somebody"))),
        ("without a subject", with("sub", Value::Null)),
    ] {
        assert_eq!(status(&gateway, &signer.sign(&wrong)).await, 401, "a token {what}");
    }
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_somebody_made_up_proves_nothing() {
    let signer = Signer::new();
    let gateway = gateway_with(&signer).await;
    assert_eq!(status(&gateway, &Signer::new().sign(&claims())).await, 401, "another key under the same name");

    let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let unsigned = |algorithm: &str| {
        format!("{}.{}.", part(&json!({ "alg": algorithm, "typ": "JWT", "kid": "one" })), part(&claims()))
    };
    for algorithm in ["none", "None", "NONE", "nOnE"] {
        assert_eq!(status(&gateway, &unsigned(algorithm)).await, 401, "alg: {algorithm}");
    }
    let header = Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::HS256) };
    let shared = encode(&header, &claims(), &EncodingKey::from_secret(signer.0.der_bytes())).unwrap();
    assert_eq!(status(&gateway, &shared).await, 401, "the public key as a shared secret");

    let must =
        Header { kid: Some("one".to_owned()), crit: Some(vec!["b64".to_owned()]), ..Header::new(Algorithm::ES256) };
    let must = encode(&must, &claims(), &EncodingKey::from_ec_der(&signer.0.serialize_der())).unwrap();
    assert_eq!(status(&gateway, &must).await, 401, "an extension that must be understood and is not");

    let good = signer.sign(&claims());
    let (head, rest) = good.split_once('.').unwrap();
    let (_, signature) = rest.split_once('.').unwrap();
    let altered = format!("{head}.{}.{signature}", part(&with("sub", json!("pathology"))));
    for broken in [altered.as_str(), &good[..good.len() - 4], &good[1..], "a.b.c", "..", &"a".repeat(12_000)] {
        assert_eq!(status(&gateway, broken).await, 401);
    }
    assert_eq!(status(&gateway, &good).await, 202);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_a_token_is_good_once_a_copy_of_it_is_refused() {
    let signer = Signer::new();
    let gateway = gateway_with(&signer).await;
    let strict = |id: &str| {
        let mut claims = with("jti", json!(id));
        claims["iss"] = "https://strict.example".into();
        claims["sub"] = "pathology".into();
        signer.sign(&claims)
    };
    let (first, second) = (strict("1"), strict("2"));
    assert_eq!(status(&gateway, &first).await, 202);
    assert_eq!(status(&gateway, &first).await, 401, "replayed");
    assert_eq!(status(&gateway, &second).await, 202);
    let mut nameless = with("jti", Value::Null);
    nameless["iss"] = "https://strict.example".into();
    nameless["sub"] = "pathology".into();
    assert_eq!(status(&gateway, &signer.sign(&nameless)).await, 401);
    gateway.finish().await;
}
