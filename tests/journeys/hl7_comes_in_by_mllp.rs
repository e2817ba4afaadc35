//! A hospital system sends HL7 v2 by MLLP. Everything is acknowledged when it is committed and says what became of it;
//! nothing that comes in a frame is dropped, whatever the bytes around it.

use std::time::Duration;

use signalbox::adapters::mllp::framing::frame;
use tokio::io::AsyncWriteExt;

use crate::support::gateway::NOWHERE;
use crate::support::log::Log;
use crate::support::{ADA, DOOR, MllpSender, TestGateway, ack_of, adt};

async fn gateway(more: &str) -> TestGateway {
    // The keys of `[mllp.adt]` stand last in DOOR.
    TestGateway::with(&format!("{DOOR}{more}{NOWHERE}")).await
}

async fn sender(gateway: &TestGateway) -> MllpSender {
    MllpSender::connect(gateway.mllp["adt"]).await
}

/// What Prometheus is told.
async fn metrics(gateway: &TestGateway) -> String {
    gateway.client.get(gateway.base.replace("/fhir", "/metrics")).send().await.unwrap().text().await.unwrap()
}

/// Outcome, status, type and length of every exchange in the register, in order.
async fn register(gateway: &TestGateway) -> Vec<String> {
    let rows: Vec<(String, i16, Option<String>, bool)> = sqlx::query_as(
        "select outcome::text, status, resource_type, body_retention is not null from exchanges order by received_at, id",
    )
    .fetch_all(&mut gateway.connect().await)
    .await
    .unwrap();
    let row = |(outcome, status, kind, kept): (String, i16, Option<String>, bool)| {
        format!("{outcome} {status} {}{}", kind.unwrap_or_else(|| "-".to_owned()), if kept { "" } else { ", not kept" })
    };
    rows.into_iter().map(row).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_stored_as_it_came_and_acknowledged() {
    let gateway = gateway("").await;
    let mut sender = sender(&gateway).await;
    let message = adt("A31", "C0001", ADA, "Łukasz");
    let answer = sender.ask(&message).await;
    let lines: Vec<&str> = answer.lines().collect();
    assert_eq!(lines[1], "MSA|AA|C0001");
    let fields: Vec<&str> = lines[0].split('|').collect();
    assert_eq!(fields[..6], ["MSH", "^~\\&", "SIGNALBOX", "RXX", "PAS", "RX1"], "sender and receiver change over");
    assert_eq!((fields[8], fields[10], fields[11]), ("ACK^A31^ACK", "P", "2.4"));
    let exchange: signalbox::exchange::ExchangeId = fields[9].parse().unwrap();

    let mut db = gateway.connect().await;
    let stored: (Vec<u8>, String, String, String, String) = sqlx::query_as(
        "select b.content, e.source, e.endpoint, e.interaction, e.correlation_id from exchanges e join bodies b on \
         b.exchange = e.id where e.id = $1",
    )
    .bind(exchange.uuid())
    .fetch_one(&mut db)
    .await
    .unwrap();
    assert_eq!(stored.0, message.as_bytes(), "byte for byte");
    assert_eq!((stored.1.as_str(), stored.2.as_str()), ("pas", "mllp/adt"));
    assert_eq!((stored.3.as_str(), stored.4.as_str()), ("message", "C0001"), "its control id finds it again");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sender_that_lost_the_answer_gets_it_again_and_the_message_is_stored_once() {
    let gateway = gateway("").await;
    let message = adt("A28", "C0001", ADA, "First");
    let mut lost = sender(&gateway).await;
    lost.send(&message).await;
    let first = lost.answer().await.unwrap();
    drop(lost);
    let mut again = sender(&gateway).await;
    assert_eq!(again.ask(&message).await, first, "the very same answer");

    let other = again.ask(&adt("A28", "C0001", ADA, "Second")).await;
    assert_eq!(ack_of(&other), "AE C0001 205");
    assert!(other.contains("MSH-10") && !other.contains("Second"), "{other}");
    let elsewhere = message.replace("|PAS|RX1|", "|PAS|RX2|");
    assert_eq!(ack_of(&again.ask(&elsewhere).await), "AA C0001", "another sender's counter");
    assert_eq!(register(&gateway).await, ["accepted 202 ADT^A28", "refused 409 ADT^A28", "accepted 202 ADT^A28"]);
    let metrics = metrics(&gateway).await;
    assert!(metrics.contains("signalbox_message_ids_reused_total{source=\"pas\"} 1"), "{metrics}");
    assert!(metrics.contains("signalbox_mllp_connections{listener=\"adt\"} 1"), "{metrics}");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_control_ids_are_not_unique_every_message_is_a_new_one() {
    let gateway = gateway("duplicates = \"accept\"\n").await;
    let mut sender = sender(&gateway).await;
    for family in ["First", "First", "Second"] {
        assert_eq!(ack_of(&sender.ask(&adt("A28", "1", ADA, family)).await), "AA 1");
    }
    assert_eq!(register(&gateway).await.len(), 3);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_are_found_however_they_are_cut_and_whatever_stands_between_them() {
    let gateway = gateway("").await;
    let mut sender = sender(&gateway).await;
    // Two frames in one piece, a byte at a time, begun anew, doubled, ended by 1C alone or by a line feed.
    let message = |id: &str| adt("A31", id, ADA, "X");
    sender.write(&[frame(message("1").as_bytes()), frame(message("2").as_bytes())].concat()).await;
    for byte in frame(message("3").as_bytes()) {
        sender.write(&[byte]).await;
    }
    sender.write(b"\r\n\0\0").await;
    sender
        .write(format!("\u{b}MSH|^~\\&|half{}", String::from_utf8_lossy(&frame(message("4").as_bytes()))).as_bytes())
        .await;
    sender.write(format!("\u{b}\u{b}{}\u{1c}\r\u{1c}\r", message("5")).as_bytes()).await;
    sender.write(format!("\u{b}{}\u{1c}\n", message("6").replace('\r', "\r\n")).as_bytes()).await;
    sender.write(format!("\u{b}{}\u{1c}", message("7").trim_end()).as_bytes()).await;
    for id in ["1", "2", "3", "4", "5", "6", "7"] {
        assert_eq!(ack_of(&sender.answer().await.unwrap()), format!("AA {id}"));
    }
    let metrics = metrics(&gateway).await;
    assert!(metrics.contains("signalbox_mllp_events_total{listener=\"adt\",event=\"restart\"} 1"), "{metrics}");
    assert!(metrics.contains("signalbox_mllp_skipped_bytes_total{listener=\"adt\"} 7"), "{metrics}");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_taken_is_recorded_and_answered_with_the_reason() {
    let gateway = gateway("").await;
    let mut sender = sender(&gateway).await;
    let message = adt("A31", "C1", ADA, "Secret");
    let cases = [
        (String::new(), "AR  100"),
        ("Dear Mr Secret,".to_owned(), "AR  100"),
        (message.replace("|C1|P", "||P"), "AE  101"),
        (message.replace("|P|2.4", "|P|3"), "AR C1 203"),
        (message.replace("ADT^A31^ADT_A05", "Secret"), "AR C1 200"),
        (message.replace("ADT^A31^ADT_A05", "QBP^Q21^QBP_Q21"), "AR C1 200"),
        (message.replace("|P|2.4", "|P|3.0"), "AR C1 203"),
        (message.replace("19650102", "19651301"), "AE C1 102"),
        (message.replace("|P|2.4", "|T|2.4"), "AR C1 202"),
    ];
    for (bad, told) in &cases {
        let answer = sender.ask(bad).await;
        assert_eq!(ack_of(&answer), *told, "{bad}");
        let sentence = answer.lines().nth(1).unwrap().split('|').nth(3).unwrap();
        assert!(sentence.ends_with('.') && !answer.contains("Secret"), "{answer}");
    }
    let training = sender.ask(&message.replace("|P|2.4", "|T|2.4")).await;
    assert_eq!(training.lines().next().unwrap().split('|').nth(10), Some("T"), "never acknowledged as production");
    assert_eq!(ack_of(&sender.ask(&message).await), "AA C1", "the connection is as good as before");
    let register = register(&gateway).await;
    assert_eq!(register.len(), cases.len() + 2);
    assert!(register.iter().all(|row| !row.contains("not kept")), "{register:?}");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_id_that_is_too_long_is_told_so() {
    let gateway = gateway("").await;
    let mut sender = sender(&gateway).await;
    assert!(ack_of(&sender.ask(&adt("A31", &"X".repeat(199), ADA, "X")).await).starts_with("AA"));
    let answer = sender.ask(&adt("A31", &"X".repeat(200), ADA, "X")).await;
    assert!(ack_of(&answer).starts_with("AE") && ack_of(&answer).ends_with(" 102"), "{answer}");
    assert!(answer.contains("MSH-10 (message control id) is too long: at most 199 characters are taken."), "{answer}");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_charset_is_read_as_agreed_or_refused_and_never_guessed_away() {
    let message =
        |declared: &str| adt("A31", "C1", ADA, "Zo\u{1}").replace("UNICODE UTF-8", declared).replace('\u{1}', "\u{eb}");
    let bytes = |text: &str| text.chars().map(|letter| u8::try_from(u32::from(letter)).unwrap()).collect::<Vec<u8>>();
    let gateway = gateway("charset = \"refuse\"\nduplicates = \"accept\"\n").await;
    let mut sender = sender(&gateway).await;
    for (declared, told) in
        [("8859/1", "AA C1"), ("KLINGON", "AE C1 102"), ("", "AE C1 102"), ("UNICODE UTF-8", "AE C1 102")]
    {
        sender.write(&frame(&bytes(&message(declared)))).await;
        let mut buffer = vec![0; 4096];
        let count = tokio::io::AsyncReadExt::read(&mut sender.stream, &mut buffer).await.unwrap();
        let answer = String::from_utf8_lossy(&buffer[1..count - 2]).into_owned();
        assert_eq!(ack_of(&answer), told, "{declared}");
    }
    gateway.finish().await;
    let gateway = self::gateway("").await;
    let mut sender = self::sender(&gateway).await;
    sender.write(&frame(&bytes(&message("")))).await;
    assert_eq!(ack_of(&sender.answer().await.unwrap()), "AA C1", "read as Windows-1252, unless told otherwise");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn enhanced_mode_gets_what_it_asks_for_and_an_acknowledgement_gets_nothing() {
    let gateway = gateway("content_fault = \"AR\"\n").await;
    let mut sender = sender(&gateway).await;
    let message = |id: &str, modes: &str| adt("A31", id, ADA, "X").replace("|2.4|||||", &format!("|2.4|||{modes}|"));
    assert_eq!(ack_of(&sender.ask(&message("1", "AL|NE")).await), "CA 1");
    assert_eq!(ack_of(&sender.ask(&message("2", "AL|AL")).await), "CA 2");
    assert_eq!(ack_of(&sender.answer().await.unwrap()), "AA 2");
    sender.send(&message("3", "NE|NE")).await;
    sender.send("MSH|^~\\&|PAS|RX1|SB|RXX|2026||ACK^A31^ACK|4|P|2.4\rMSA|CA|1\r").await;
    let bad = message("1", "AL|NE").replace("Test", "Other");
    assert_eq!(ack_of(&sender.ask(&bad).await), "CR 1 205", "a content fault as agreed; 3 and 4 got no answer");
    let expected = [
        "accepted 202 ADT^A31",
        "accepted 202 ADT^A31",
        "accepted 202 ADT^A31",
        "refused 501 ACK^A31",
        "refused 409 ADT^A31",
    ];
    assert_eq!(register(&gateway).await, expected);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_numbers_are_counted_a_gap_is_refused_until_what_is_missing_has_come() {
    let gateway = gateway("sequence = \"check\"\n").await;
    let mut sender = sender(&gateway).await;
    let message = |id: &str, number: &str| adt("A31", id, ADA, "X").replace("|2.4||", &format!("|2.4|{number}|"));
    let msa_4 = |answer: &str| {
        let msa = answer.split(['\r', '\n']).find(|segment| segment.starts_with("MSA|")).unwrap();
        msa.split('|').nth(4).unwrap_or_default().to_owned()
    };
    for (id, number, ack, expected) in [
        ("C1", "5", "AA C1", "6"),
        ("C3", "8", "AE C3 100", "6"),
        ("C2", "6", "AA C2", "7"),
        ("C1", "5", "AA C1", "7"),
        ("C3", "7", "AA C3", "8"),
        ("C4", "0", "AA C4", "8"),
        ("C5", "", "AA C5", "8"),
        ("C6", "-1", "AA C6", ""),
        ("C7", "1", "AA C7", "2"),
    ] {
        let answer = sender.ask(&message(id, number)).await;
        assert_eq!((ack_of(&answer).as_str(), msa_4(&answer).as_str()), (ack, expected), "{id} {number}");
    }
    let stored = register(&gateway).await;
    assert_eq!(stored.iter().filter(|row| row.starts_with("accepted")).count(), 7, "{stored:?}");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_odd_is_taken_and_remarked_on_or_refused_where_the_source_is_held_to_it() {
    let odd = adt("A31", "C1", ADA, "C:\\DIR").replace("PID|1|", "ZZZ|1\rPID|1|").replacen("EVN|", "ZZ1|1\rEVN|", 1);
    let lenient = gateway("").await;
    assert_eq!(ack_of(&sender(&lenient).await.ask(&odd).await), "AA C1");
    let issues: serde_json::Value =
        sqlx::query_scalar("select issues from exchanges").fetch_one(&mut lenient.connect().await).await.unwrap();
    let told: Vec<_> =
        issues.as_array().unwrap().iter().map(|issue| (&issue["severity"], &issue["expression"])).collect();
    assert_eq!(serde_json::json!(told), serde_json::json!([["warning", "EVN"], ["warning", "PID-5"]]));
    assert!(!issues.to_string().contains("DIR"), "nothing of the message");
    lenient.finish().await;

    let door = DOOR.replace("[mllp.adt]\n", "on_warning = \"reject\"\n[mllp.adt]\n");
    let strict = TestGateway::with(&format!("{door}{NOWHERE}")).await;
    assert_eq!(ack_of(&sender(&strict).await.ask(&odd).await), "AR C1 100");
    assert_eq!(register(&strict).await, ["refused 501 ADT^A31"]);
    strict.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn commit_bytes_come_first_where_release_2_is_agreed() {
    let gateway = gateway("commit_bytes = true\n").await;
    let mut sender = sender(&gateway).await;
    assert_eq!(sender.ask(&adt("A31", "1", ADA, "X")).await, "\u{6}");
    assert_eq!(ack_of(&sender.answer().await.unwrap()), "AA 1");
    sender.write(b"\x0B\x06\x1C\x0D").await;
    assert_eq!(sender.ask("nonsense").await, "\u{6}", "what was refused is stored too");
    assert_eq!(ack_of(&sender.answer().await.unwrap()), "AR  100");
    assert_eq!(register(&gateway).await.len(), 2);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_answered_by_a_batch_and_one_with_a_wrong_count_is_refused_whole() {
    let gateway = gateway("several = \"split\"\n").await;
    let mut sender = sender(&gateway).await;
    let (one, two) = (adt("A31", "1", ADA, "X"), adt("ZZZ", "2", ADA, "X").replace("|P|", "|T|"));
    let batch = |count: u32| format!("BHS|^~\\&|PAS|RX1|SB|RXX|2026||name||B7\r{one}{two}BTS|{count}\r");
    let wrong = sender.ask(&batch(3)).await;
    assert_eq!(ack_of(&wrong), "AE B7 102");
    assert!(wrong.contains("BTS-1 says 3 and the batch holds 2 messages."), "{wrong}");
    let answer = sender.ask(&batch(2)).await;
    let kinds: Vec<&str> = answer.lines().map(|line| &line[..3]).collect();
    assert_eq!(kinds, ["BHS", "MSH", "MSA", "MSH", "MSA", "ERR", "BTS"]);
    assert!(answer.contains("\nMSA|AA|1\n") && answer.contains("\nMSA|AR|2|") && answer.contains("|B7\n"), "{answer}");

    let several = sender.ask(&format!("{one}{}", adt("A31", "3", ADA, "X"))).await;
    assert!(several.contains("MSA|AA|1") && several.contains("MSA|AA|3"), "{several}");
    let expected = ["refused 422 -", "accepted 202 ADT^A31", "refused 501 ADT^ZZZ", "accepted 202 ADT^A31"];
    assert_eq!(register(&gateway).await, expected, "the first came again in the third frame");
    gateway.finish().await;

    let gateway = self::gateway("").await;
    let mut sender = self::sender(&gateway).await;
    assert_eq!(ack_of(&sender.ask(&format!("{one}{one}")).await), "AR 1 100", "unless it was agreed");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn large_messages_are_taken_and_too_large_ones_answered_while_they_are_thrown_away() {
    let gateway = gateway("max_frame = \"2 MiB\"\n").await;
    let mut sender = sender(&gateway).await;
    let pdf = "JVBERi0xLjQK".repeat(1_600_000 / 12);
    let document = format!("{}OBX|1|ED|PDF||^AP^PDF^Base64^{pdf}||||||F\r", adt("A31", "1", ADA, "X"));
    assert_eq!(ack_of(&sender.ask(&document).await), "AA 1");
    let result = |number: u32| format!("OBX|{number}|NM|718-7^Hb^LN||{number}|g/L|||||F\r");
    let results = (1..=5_000).map(result).collect::<Vec<_>>().concat();
    let report = format!("{}{results}", adt("A31", "2", ADA, "X").replace("ADT^A31^ADT_A05", "ORU^R01^ORU_R01"));
    assert_eq!(ack_of(&sender.ask(&report).await), "AA 2");
    let endless = format!("{}OBX|1|ED|PDF||^AP^PDF^Base64^{pdf}{pdf}\r", adt("A31", "3", ADA, "X"));
    assert_eq!(ack_of(&sender.ask(&endless).await), "AR 3 207");
    assert_eq!(ack_of(&sender.ask(&adt("A31", "4", ADA, "X")).await), "AA 4", "the next one is found");
    let expected =
        ["accepted 202 ADT^A31", "accepted 202 ORU^R01", "refused 413 ADT^A31, not kept", "accepted 202 ADT^A31"];
    assert_eq!(register(&gateway).await, expected);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_connections_send_at_once() {
    let gateway = gateway("").await;
    let mut senders = tokio::task::JoinSet::new();
    for number in 0..200 {
        let address = gateway.mllp["adt"];
        senders.spawn(async move {
            let mut sender = MllpSender::connect(address).await;
            for message in 0..3 {
                let id = format!("{number}.{message}");
                let answer = sender.ask(&adt("A31", &id, &format!("RX{number}"), "X")).await;
                assert_eq!(ack_of(&answer), format!("AA {id}"));
            }
        });
    }
    while let Some(sent) = senders.join_next().await {
        sent.unwrap();
    }
    assert_eq!(register(&gateway).await.len(), 600);
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_past_the_limit_wait_and_slow_or_silent_ones_are_closed() {
    let gateway = gateway("connections = 1\nidle = \"1s\"\nframe_timeout = \"1s\"\n").await;
    let mut first = sender(&gateway).await;
    assert_eq!(ack_of(&first.ask(&adt("A31", "1", ADA, "X")).await), "AA 1");
    let mut second = sender(&gateway).await;
    second.send(&adt("A31", "2", ADA, "X")).await;
    assert_eq!(first.answer().await, None, "silent for too long");
    assert_eq!(ack_of(&second.answer().await.unwrap()), "AA 2", "its turn came");
    second.write(b"\x0BMSH|^~\\&|PAS").await;
    assert_eq!(second.answer().await, None, "a message that never ends");
    assert_eq!(register(&gateway).await.len(), 2, "and nothing of it was stored");
    gateway.finish().await;
}

#[tokio::test]
async fn senders_that_wait_for_a_connection_are_told_of_and_counted() {
    let (log, _listening) = Log::listen();
    let gateway = gateway("connections = 1\n").await;
    let until = async |figure: &str, count: usize| {
        let wanted = format!("signalbox_mllp_connections{figure}{{listener=\"adt\"}} {count}");
        for _ in 0..400 {
            let text = metrics(&gateway).await;
            assert!(text.contains("signalbox_mllp_connections_limit{listener=\"adt\"} 1"), "{text}");
            if text.lines().any(|line| line == wanted) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("never {wanted}");
    };
    let told = || log.text().matches("all connections of the listener are in use").count();
    for episode in 1..=2 {
        let mut first = sender(&gateway).await;
        let id = format!("{episode}.1");
        assert_eq!(ack_of(&first.ask(&adt("A31", &id, ADA, "X")).await), format!("AA {id}"));
        let mut waiting = Vec::new();
        for count in 1..=2 {
            waiting.push(sender(&gateway).await);
            until("_waiting", count).await;
        }
        assert_eq!(told(), episode, "once, however many wait");
        drop(first);
        for (number, sender) in waiting.iter_mut().enumerate() {
            let id = format!("{episode}.2.{number}");
            assert_eq!(ack_of(&sender.ask(&adt("A31", &id, ADA, "X")).await), format!("AA {id}"));
            sender.stream.shutdown().await.unwrap();
        }
        until("_waiting", 0).await;
        until("", 0).await;
    }
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_over_its_rate_waits_and_loses_nothing() {
    let door = DOOR.replace("[mllp.adt]", "limits = { rate = \"10/s\" }\n[mllp.adt]");
    let gateway = TestGateway::with(&format!("{door}{NOWHERE}")).await;
    let begun = tokio::time::Instant::now();
    let mut senders = [sender(&gateway).await, sender(&gateway).await];
    for (number, sender) in senders.iter_mut().enumerate() {
        for message in 0..3 {
            sender.send(&adt("A31", &format!("{number}.{message}"), ADA, "X")).await;
        }
    }
    for (number, sender) in senders.iter_mut().enumerate() {
        for message in 0..3 {
            assert_eq!(ack_of(&sender.answer().await.unwrap()), format!("AA {number}.{message}"));
        }
    }
    assert!(begun.elapsed() >= Duration::from_millis(500), "five after the first, at ten a second");
    gateway.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_answers_what_is_under_way_and_closes_the_door() {
    let mut gateway = gateway("").await;
    let address = gateway.mllp["adt"];
    let (mut idle, mut half) = (sender(&gateway).await, sender(&gateway).await);
    half.write(b"\x0BMSH|^~\\&|PAS").await;
    let mut senders = tokio::task::JoinSet::new();
    for number in 0..20 {
        senders.spawn(async move {
            let mut sender = MllpSender::connect(address).await;
            let mut acknowledged = 0;
            loop {
                let message = adt("A31", &format!("{number}.{acknowledged}"), ADA, "X");
                if sender.stream.write_all(&frame(message.as_bytes())).await.is_err() {
                    return acknowledged;
                }
                match sender.answer().await {
                    Some(answer) if ack_of(&answer).starts_with("AA") => acknowledged += 1,
                    Some(answer) => panic!("{answer}"),
                    None => return acknowledged,
                }
            }
        });
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    gateway.stop().await;
    assert_eq!((idle.answer().await, half.answer().await), (None, None));
    let mut acknowledged = 0;
    while let Some(sent) = senders.join_next().await {
        acknowledged += sent.unwrap();
    }
    assert!(acknowledged > 0);
    let stored: i64 =
        sqlx::query_scalar("select count(*) from exchanges").fetch_one(&mut gateway.connect().await).await.unwrap();
    assert!(stored >= acknowledged, "{stored} stored, {acknowledged} acknowledged");
    gateway.resume().await;
    gateway.finish().await;
}
