//! HL7 v2 in TLS between two gateways: each proves itself by a certificate, and whoever cannot gets nothing in or out.

use crate::support::authority::Authority;
use crate::support::gateway::NOWHERE;
use crate::support::{ADA, DOOR, MllpSender, TestGateway, ack_of, adt};

const TLS_DOOR: &str = "[sources.trust]\nods = \"RX1\"\ncertificates = [\"Trust.example\"]\n\
                        [mllp.region]\nlisten = \"127.0.0.1:0\"\nsources = [\"trust\"]\n\
                        tls = { certificate = \"server.pem\", key = \"server.key\", client_authorities = \"ca.pem\" }\n";

/// The gateway of the region, which asks for certificates.
async fn region(authority: &Authority) -> TestGateway {
    region_with(authority, "").await
}

/// The same, with more settings of its listener.
async fn region_with(authority: &Authority, more: &str) -> TestGateway {
    let folder = tempfile::tempdir().unwrap();
    authority.issue("region.example").write(folder.path(), "server");
    std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
    TestGateway::in_folder(folder, "", &format!("{TLS_DOOR}{more}{NOWHERE}")).await
}

/// The gateway of a trust, which sends everything to the region by TLS with these settings.
async fn trust(region: &TestGateway, authority: &Authority, tls: &str) -> TestGateway {
    let folder = tempfile::tempdir().unwrap();
    authority.issue("trust.example").write(folder.path(), "own");
    Authority::new().issue("trust.example").write(folder.path(), "foreign");
    std::fs::write(folder.path().join("ca.pem"), authority.pem()).unwrap();
    let settings = format!(
        "{DOOR}[[routes]]\nname = \"everything\"\nto = [\"region\"]\n[destinations.region]\ntype = \"mllp\"\ntimeout = \"2s\"\n\
         retry = {{ first = \"50ms\", max = \"50ms\", give_up_after = \"1s\" }}\non_reject = \"skip\"\n\
         [destinations.region.settings]\naddress = \"{}\"\nsending_application = \"T\"\nsending_facility = \"RX1\"\n\
         receiving_application = \"R\"\nreceiving_facility = \"RYY\"\nreconnect = \"50ms\"\ntls = {{ {tls} }}\n",
        region.mllp["region"]
    );
    TestGateway::in_folder(folder, "", &settings).await
}

/// Sends one message through the trust's gateway; state and note of its delivery.
async fn through(trust: &TestGateway) -> (String, String) {
    let mut sender = MllpSender::connect(trust.mllp["adt"]).await;
    assert_eq!(ack_of(&sender.ask(&adt("A31", "C1", ADA, "X")).await), "AA C1");
    trust.settle().await;
    sqlx::query_as("select state::text, coalesce(note, '') from deliveries")
        .fetch_one(&mut trust.connect().await)
        .await
        .unwrap()
}

async fn received(region: &TestGateway) -> Vec<String> {
    sqlx::query_scalar("select source || ' ' || correlation_id from exchanges")
        .fetch_all(&mut region.connect().await)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_gateways_that_prove_themselves_exchange_messages() {
    let authority = Authority::new();
    let region = region(&authority).await;
    let tls = "authorities = \"ca.pem\", certificate = \"own.pem\", key = \"own.key\", name = \"region.example\"";
    let trust = trust(&region, &authority, tls).await;
    assert_eq!(through(&trust).await, ("delivered".to_owned(), "MSA-1 AA".to_owned()));
    assert_eq!(received(&region).await, ["trust C1"], "the source that the certificate names");
    trust.finish().await;
    region.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_certificate_or_with_a_foreign_one_nothing_gets_in() {
    let authority = Authority::new();
    let region = region(&authority).await;
    let named = "authorities = \"ca.pem\", name = \"region.example\"";
    let foreign = format!("{named}, certificate = \"foreign.pem\", key = \"foreign.key\"");
    for tls in [named, &foreign] {
        let trust = trust(&region, &authority, tls).await;
        assert_eq!(through(&trust).await.0, "dead", "{tls}");
        trust.finish().await;
    }
    let mut plain = MllpSender::connect(region.mllp["region"]).await;
    plain.send(&adt("A31", "C1", ADA, "X")).await;
    assert_eq!(plain.answer().await, None, "plain MLLP is no TLS");
    assert_eq!(received(&region).await, Vec::<String>::new());
    region.record_refusals().await;
    let strangers: i64 = sqlx::query_scalar("select sum(count) from audit where event = 'refusals' and status = 401")
        .fetch_one(&mut region.connect().await)
        .await
        .unwrap();
    assert!(strangers >= 3, "{strangers}");
    region.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_goes_out_to_a_partner_that_is_not_the_one_we_know() {
    let authority = Authority::new();
    let region = region(&authority).await;
    let tls = "authorities = \"ca.pem\", certificate = \"own.pem\", key = \"own.key\", name = \"another.example\"";
    let trust = trust(&region, &authority, tls).await;
    let (state, note) = through(&trust).await;
    assert_eq!(state, "dead");
    assert!(note.contains("cannot connect") || note.contains("could not be reached"), "{note}");
    assert_eq!(received(&region).await, Vec::<String>::new());
    trust.finish().await;
    region.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_that_say_nothing_keep_no_connection_from_a_sender() {
    let authority = Authority::new();
    let region = region_with(&authority, "connections = 1\n").await;
    let mut silent = Vec::new();
    for _ in 0..4 {
        silent.push(MllpSender::connect(region.mllp["region"]).await);
    }
    let tls = "authorities = \"ca.pem\", certificate = \"own.pem\", key = \"own.key\", name = \"region.example\"";
    let trust = trust(&region, &authority, tls).await;
    assert_eq!(through(&trust).await, ("delivered".to_owned(), "MSA-1 AA".to_owned()), "while the others are silent");
    for mut one in silent {
        assert_eq!(one.answer().await, None, "a handshake that never comes");
    }
    trust.finish().await;
    region.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_unknown_is_hung_up_on_and_counted() {
    let door = DOOR.replace("127.0.0.1\"]", "192.0.2.7\"]");
    let gateway = TestGateway::with(&format!("{door}{NOWHERE}")).await;
    let mut stranger = MllpSender::connect(gateway.mllp["adt"]).await;
    assert_eq!(stranger.answer().await, None);
    gateway.record_refusals().await;
    let strangers: i64 =
        sqlx::query_scalar("select sum(count) from audit where event = 'refusals' and address = '127.0.0.1'")
            .fetch_one(&mut gateway.connect().await)
            .await
            .unwrap();
    assert_eq!(strangers, 1);
    gateway.finish().await;
}
