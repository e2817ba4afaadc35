//! An HL7 v2 message on its whole way: in by MLLP, through a route, out to a hospital system or a folder, in the order of
//! its patients, whatever the partner does with it.

use signalbox::adapters::mllp::framing::frame;
use signalbox::exchange::state::DeliveryState;

use crate::support::{ADA, Answer, BEN, DOOR, MllpPeer, MllpSender, TestGateway, ack_of, adt};

async fn sender(gateway: &TestGateway) -> MllpSender {
    MllpSender::connect(gateway.mllp["adt"]).await
}

async fn send(sender: &mut MllpSender, message: &str) {
    assert!(ack_of(&sender.ask(message).await).starts_with("AA"));
}

/// State and note of every delivery, in order.
async fn deliveries(gateway: &TestGateway) -> Vec<(DeliveryState, String)> {
    sqlx::query_as("select state, coalesce(note, '') from deliveries order by seq")
        .fetch_all(&mut gateway.connect().await)
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_arrives_as_it_was_sent_under_its_own_control_id() {
    let peer = MllpPeer::start();
    let gateway = TestGateway::with(&format!("{DOOR}{}", peer.settings("concurrency = 4\n"))).await;
    let mut sender = sender(&gateway).await;
    send(&mut sender, &adt("A31", "C0001", ADA, "Łukasz")).await;
    gateway.settle().await;
    let received = peer.received();
    assert_eq!(received.len(), 1);
    assert_eq!((received[0].control_id.as_str(), received[0].event.as_str()), ("C0001", "A31"));
    assert_eq!((received[0].patient.as_str(), received[0].name.as_str()), (ADA, "Łukasz^Test"));
    assert_eq!(deliveries(&gateway).await, [(DeliveryState::Delivered, "MSA-1 AA".to_owned())]);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_is_delivered_once_and_everything_a_partner_may_answer_has_its_meaning() {
    let peer = MllpPeer::start();
    let more = "concurrency = 4\ntimeout = \"1s\"\non_reject = \"skip\"\n";
    let gateway = TestGateway::with(&format!("{DOOR}{}", peer.settings(more))).await;
    peer.will([
        Answer::Error(207),
        Answer::Silence,
        Answer::AnotherMessage,
        Answer::HangUpHalfway,
        Answer::HangUp,
        Answer::AcceptInPieces,
        Answer::Reject(101),
        Answer::Error(103),
    ]);
    let mut sender = sender(&gateway).await;
    let message = adt("A31", "C0001", ADA, "X");
    send(&mut sender, &message).await;
    gateway.settle().await;
    send(&mut sender, &message).await;
    assert_eq!(peer.control_ids(ADA), ["C0001"; 6], "the same message under the same id, until it is taken");
    send(&mut sender, &adt("A31", "C0002", ADA, "Y")).await;
    gateway.settle().await;
    send(&mut sender, &adt("A31", "C0003", ADA, "Z")).await;
    gateway.settle().await;
    let (delivered, refused) = (DeliveryState::Delivered, DeliveryState::Refused);
    let expected = [(delivered, "MSA-1 AA"), (refused, "MSA-1 AR, error 101"), (refused, "MSA-1 AE, error 103")];
    assert_eq!(deliveries(&gateway).await, expected.map(|(state, note)| (state, note.to_owned())));
    let attempts: Vec<String> = sqlx::query_scalar(
        "select outcome::text from attempts a join deliveries d on d.id = a.delivery order by d.seq, a.number",
    )
    .fetch_all(&mut gateway.connect().await)
    .await
    .unwrap();
    assert_eq!(
        attempts,
        ["transient", "unknown", "unknown", "unknown", "unknown", "acknowledged", "refused", "refused"]
    );
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_patients_messages_keep_their_order_by_every_number_and_with_fhir_among_them() {
    let mut peer = MllpPeer::down();
    let door = DOOR.replace("sources = [", "authorities = { \"https://pas.example/number\" = \"RX1\" }\nsources = [");
    let settings =
        peer.settings("concurrency = 8\n").replace("receiving_facility", "connections = 8\nreceiving_facility");
    let gateway = TestGateway::with(&format!("{door}{settings}")).await;
    let mut sender = sender(&gateway).await;
    peer.always(ADA, Answer::AfterRelease);
    // The first holds Ada's NHS number; the merge joins her to a local number; the others come by one of the two.
    send(&mut sender, &adt("A31", "C0001", ADA, "X")).await;
    let merge = adt("A40", "C0002", BEN, "X").replace("PV1|1|I", &format!("MRG|{ADA}^^^NHS~L7^^^RX1"));
    send(&mut sender, &merge).await;
    let local = adt("A31", "L7", "9", "X").replace("9^^^NHS^NH~", "");
    send(&mut sender, &local).await;
    let fhir = serde_json::json!({ "resourceType": "Patient", "id": "p",
        "identifier": [{ "system": "https://fhir.nhs.uk/Id/nhs-number", "value": BEN }], "name": [{ "family": "FHIR" }] });
    let answer = gateway.send(reqwest::Method::PUT, "Patient/p", fhir.to_string()).await;
    assert_eq!(answer.status(), 202);
    send(&mut sender, &adt("A31", "C0005", "9990000077", "Somebody else")).await;
    peer.open();
    for _ in 0..200 {
        if !peer.control_ids("9990000077").is_empty() && !peer.control_ids(ADA).is_empty() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert_eq!(peer.received().len(), 2, "everybody else flows, and Ada's first is under way");
    peer.release();
    gateway.settle().await;
    let arrived: Vec<String> = peer.received().into_iter().map(|message| message.control_id).collect();
    let place = |id: &str| arrived.iter().position(|one| one == id).unwrap();
    assert!(place("C0001") < place("C0002") && place("C0002") < place("L7"), "{arrived:?}");
    let of_fhir = peer.received().iter().position(|message| message.name.starts_with("FHIR")).unwrap();
    assert!(place("C0002") < of_fhir, "{arrived:?}");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_character_the_partner_lacks_is_refused_and_never_a_question_mark() {
    let peer = MllpPeer::start();
    let settings = peer
        .settings("on_reject = \"skip\"\n")
        .replace("receiving_facility", "charset = \"windows-1252\"\nreceiving_facility");
    let gateway = TestGateway::with(&format!("{DOOR}{settings}")).await;
    let mut sender = sender(&gateway).await;
    send(&mut sender, &adt("A31", "C0001", ADA, "Łukasz")).await;
    send(&mut sender, &adt("A31", "C0002", ADA, "Zoë")).await;
    gateway.settle().await;
    let told = deliveries(&gateway).await;
    let sentence = "PID-5 holds a character that the partner's charset (windows-1252) does not have";
    assert_eq!(told[0], (DeliveryState::Refused, sentence.to_owned()));
    assert_eq!(told[1].0, DeliveryState::Delivered);
    assert_eq!(peer.received()[0].name, "Zo\u{fffd}^Test", "one byte, that the peer reads as UTF-8");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_is_not_in_the_charset_it_names_is_refused_and_no_dose_is_garbled() {
    let peer = MllpPeer::start();
    let gateway = TestGateway::with(&format!("{DOOR}{}", peer.settings("concurrency = 4\n"))).await;
    let mut sender = sender(&gateway).await;
    // The byte stands where the family name has \u{1}: where it was cut, or a letter in a set of one byte a letter.
    let with_byte = |id: &str, declared: &str, family: &str, byte: u8| {
        let message = adt("A31", id, ADA, family).replace("UNICODE UTF-8", declared).into_bytes();
        let place = message.iter().position(|byte| *byte == 1).unwrap();
        let bytes = message.into_iter().map(|other| if other == 1 { byte } else { other });
        (place + 1, frame(&bytes.collect::<Vec<u8>>()))
    };
    let cases = [
        ("C0001", "UNICODE UTF-8", "MSH-18 says that the message is UTF-8, and it is not"),
        ("C0002", "BIG-5", "MSH-18 names a character set that is not known here, and the message is not UTF-8"),
    ];
    for (id, declared, told) in cases {
        let (place, bytes) = with_byte(id, declared, "62.5 µg, INR ≤ 3 \u{1}", 0xC5);
        sender.write(&bytes).await;
        let answer = sender.answer().await.unwrap();
        assert_eq!(ack_of(&answer), format!("AE {id} 102"));
        assert!(answer.contains(&format!("{told}: see byte {place}, in PID-5.")), "{answer}");
        assert!(!answer.contains("INR") && answer.contains("MSH^1^18"), "{answer}");
    }
    sender.write(&with_byte("C0003", "8859/2", "\u{1}ucja", 0xA3).1).await;
    assert_eq!(ack_of(&sender.answer().await.unwrap()), "AA C0003");
    send(&mut sender, &adt("A31", "C0004", ADA, "62.5 µg, INR ≤ 3")).await;
    gateway.settle().await;
    let names: Vec<String> = peer.received().into_iter().map(|message| message.name).collect();
    assert_eq!(names, ["Łucja^Test", "62.5 µg, INR ≤ 3^Test"], "the peer reads UTF-8");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_about_nobody_is_held_where_the_source_is_held_to_it_and_keeps_its_turn_elsewhere() {
    let nobody = |id: &str| adt("A31", id, ADA, "X").replace(&format!("{ADA}^^^NHS^NH~{id}^^^RX1"), "");
    let peer = MllpPeer::start();
    let wary = DOOR.replace("[mllp.adt]\n", "on_warning = \"quarantine\"\n[mllp.adt]\n");
    let gateway = TestGateway::with(&format!("{wary}{}", peer.settings(""))).await;
    let mut sender = sender(&gateway).await;
    send(&mut sender, &nobody("C0001")).await;
    send(&mut sender, &adt("A40", "C0002", ADA, "X")).await;
    send(&mut sender, &adt("A31", "C0003", "9990000019", "X")).await;
    send(&mut sender, &adt("A31", "C0004", BEN, "X")).await;
    gateway.settle().await;
    let held = (DeliveryState::Quarantined, "by the policy of its source: 1 warning was found".to_owned());
    let taken = (DeliveryState::Delivered, "MSA-1 AA".to_owned());
    assert_eq!(deliveries(&gateway).await, [held.clone(), held.clone(), held, taken]);
    let places: Vec<String> = sqlx::query_scalar(
        "select issues->0->>'expression' from exchanges where jsonb_array_length(issues) > 0 order by received_at, id",
    )
    .fetch_all(&mut gateway.connect().await)
    .await
    .unwrap();
    assert_eq!(places, ["PID-3", "MRG-1", "PID-3"]);
    gateway.finish().await;

    let mut peer = MllpPeer::down();
    let gateway = TestGateway::with(&format!("{DOOR}{}", peer.settings(""))).await;
    let mut sender = self::sender(&gateway).await;
    send(&mut sender, &nobody("C0001")).await;
    send(&mut sender, &nobody("C0002")).await;
    assert_eq!(deliveries(&gateway).await[1].0, DeliveryState::Waiting, "nobody knows whether they are one patient's");
    peer.open();
    gateway.settle().await;
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn routes_choose_by_type_and_field_and_what_nobody_can_take_is_refused_at_the_door() {
    let routes = r#"
[destinations.folder]
type = "file"
settings = { folder = "out" }
[destinations.server]
type = "fhir-rest"
settings = { base_url = "http://127.0.0.1:9/fhir" }
[[routes]]
name = "inpatients"
messages = ["ADT^A01"]
fields = { "PV1-2" = ["I"] }
to = ["folder"]
[[routes]]
name = "whatever is an A31"
types = ["Patient"]
messages = ["ADT^A31"]
to = [{ destination = "server", send = "update", by = "id" }]
"#;
    let gateway = TestGateway::with(&format!("{DOOR}{routes}")).await;
    std::fs::create_dir(gateway.folder.path().join("out")).unwrap();
    let mut sender = sender(&gateway).await;
    let message = adt("A01", "C1", ADA, "X");
    send(&mut sender, &message).await;
    let answer = sender.ask(&message.replace("|C1|", "|C2|").replace("PV1|1|I", "PV1|1|O")).await;
    assert_eq!(ack_of(&answer), "AR C2 201");
    assert!(answer.contains("No route of this gateway takes ADT\\S\\A01 from this source."), "{answer}");
    let answer = sender.ask(&adt("A31", "C3", ADA, "X")).await;
    assert_eq!(ack_of(&answer), "AR C3 201");
    assert!(answer.contains("The destination 'server' takes no HL7 v2 messages."), "{answer}");
    let answer = sender.ask(&message.replace("ADT^A01^ADT_A05", "ORU^R01")).await;
    assert_eq!(ack_of(&answer), "AR C1 200");
    gateway.settle().await;
    let files: Vec<_> = std::fs::read_dir(gateway.folder.path().join("out")).unwrap().flatten().collect();
    assert_eq!(files.len(), 1);
    let name = files[0].file_name().into_string().unwrap();
    assert!(name.contains("-ADT_A01-"), "{name}");
    assert!(files[0].path().extension().is_some_and(|extension| extension == "hl7"), "{name}");
    assert_eq!(std::fs::read(files[0].path()).unwrap(), message.as_bytes(), "byte for byte");
    gateway.finish().await;
}
