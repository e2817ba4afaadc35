//! Messages of many systems, most of them bent in some way: each is sent through a socket as it is, and each is answered
//! as it asks to be, and in the register. The collection is not part of this repository.

use std::path::PathBuf;

use signalbox::adapters::mllp::framing::frame;
use signalbox::formats::hl7v2::header::Header;
use tokio::io::AsyncWriteExt;

use crate::support::gateway::NOWHERE;
use crate::support::{DOOR, MllpSender, TestGateway, ack_of, require};

/// Every file of the collection below this folder, in order.
fn collection(folder: &str) -> Option<Vec<PathBuf>> {
    let root = PathBuf::from("../shared/hl7v2/messages").join(folder);
    if !root.is_dir() {
        require::skip("shared", "the collection of HL7 v2 messages is not beside this repository");
        return None;
    }
    let (mut files, mut open) = (Vec::new(), vec![root]);
    while let Some(folder) = open.pop() {
        for path in std::fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()) {
            if path.is_dir() { open.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    Some(files)
}

/// What a file is answered with: sent as it is where it has frames of its own, in one frame otherwise; then the sender
/// says that it has no more.
async fn answers(gateway: &TestGateway, bytes: &[u8]) -> Vec<String> {
    let mut sender = MllpSender::connect(gateway.mllp["adt"]).await;
    if bytes.contains(&0x0B) {
        sender.write(bytes).await;
    } else {
        sender.write(&frame(bytes)).await;
    }
    sender.stream.shutdown().await.unwrap();
    let mut answers = Vec::new();
    while let Some(answer) = sender.answer().await {
        answers.push(if answer.starts_with("BHS") { "AA, in a batch".to_owned() } else { ack_of(&answer) });
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn every_message_of_the_collection_is_answered_as_it_asks_to_be_and_recorded() {
    let Some(files) = collection("") else { return };
    assert_eq!(files.len(), 625);
    let more = "duplicates = \"accept\"\nseveral = \"split\"\nprocessing_ids = [\"P\", \"T\", \"D\"]\n";
    let gateway = TestGateway::with(&format!("{DOOR}{more}{NOWHERE}")).await;
    let mut accepted = 0;
    for file in files.iter().filter(|file| !std::fs::read(file).unwrap().contains(&0x0B)) {
        let bytes = std::fs::read(file).unwrap();
        let answers = answers(&gateway, &bytes).await;
        let asks = Header::read(&bytes).is_some_and(|header| {
            !header.field(15).is_empty() || !header.field(16).is_empty() || header.component(9, 1) == b"ACK"
        });
        assert!(asks || answers.len() == 1, "{}: {answers:?}", file.display());
        accepted += usize::from(answers.iter().any(|answer| answer.starts_with("AA") || answer.starts_with("CA")));
    }
    let (stored, refused): (i64, i64) = sqlx::query_as(
        "select count(*) filter (where outcome = 'accepted'), count(*) filter (where outcome = 'refused') from exchanges",
    )
    .fetch_one(&mut gateway.connect().await)
    .await
    .unwrap();
    println!("{} files: {accepted} acknowledged; {stored} messages stored, {refused} refused", files.len());
    assert!(accepted > 450 && usize::try_from(stored).unwrap() >= accepted, "{accepted} {stored} {refused}");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_edges_of_the_protocol_are_where_they_are_agreed_to_be() {
    let Some(files) = collection("synthetic-uk-edge") else { return };
    let routes = "[[routes]]\nname = \"itk\"\nto = []\nmessages = [\"ADT^A01\", \"ADT^A03\", \"ADT^A31\", \"ADT^A40\", \"ORU\"]\n";
    let gateway = TestGateway::with(&format!("{DOOR}duplicates = \"accept\"\n{routes}")).await;
    let cases: [(&str, &[&str]); 25] = [
        ("00-", &["AA C0001"]),
        ("08-", &["AE C0009 102"]),
        ("09-", &["AA C0010"]),
        ("10-", &["AA C0011"]),
        ("11-", &["AA C0012"]),
        ("12-", &["AE C0013 102"]),
        ("24-", &["AA C0025"]),
        ("25-", &["AA C0001"]),
        ("27-", &["AA C0001"]),
        ("30-", &["AA C0030"]),
        ("31-", &["AA C0031"]),
        ("32-", &["AA C0001"]),
        ("40-", &["AA C0001", "AA C0040"]),
        ("41-", &["AA C0001", "AA C0041"]),
        ("43-", &[]),
        ("45-", &["AA C0045"]),
        ("47-", &["AR  100"]),
        ("50-", &["AA C0001", "AA C0001"]),
        ("53-", &["AR C0053 203"]),
        ("54-", &["AR C0054 201"]),
        ("55-", &["AR C0055 202"]),
        ("57-", &["CA C0057"]),
        ("58-", &[]),
        ("72-", &["AR C0001 100"]),
        ("uk-qbp", &["AR UKQ21 200"]),
    ];
    for (name, expected) in cases {
        let file = files.iter().find(|file| file.file_name().unwrap().to_string_lossy().starts_with(name));
        let bytes = std::fs::read(file.unwrap_or_else(|| panic!("no file {name}"))).unwrap();
        assert_eq!(answers(&gateway, &bytes).await, expected, "{name}");
    }
    let batch = files.iter().find(|file| file.file_name().unwrap().to_string_lossy().starts_with("71-")).unwrap();
    let answers = answers(&gateway, &std::fs::read(batch).unwrap()).await;
    assert!(answers.len() == 1 && answers[0].starts_with("AE ") && answers[0].ends_with(" 102"), "{answers:?}");
    gateway.finish().await;
}
