//! The destination against a partner that misbehaves on purpose: a thread with a listener and a script.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender as Channel, channel};
use std::thread;
use std::time::Duration;

use bytes::Bytes;
use chrono::DateTime;

use super::Mllp;
use super::framing::{Deframer, frame};
use crate::adapters::Adapter;
use crate::adapters::Outside;
use crate::chance::Chance;
use crate::clock::Clock;
use crate::delivery::destination::{Acknowledgement, Delivery, DeliveryError, Destination};
use crate::exchange::ids::Id;
use crate::exchange::{Conditions, Interaction, Sender};

const BODY: &str = r#"{"resourceType":"Patient","identifier":[{"system":"https://fhir.nhs.uk/Id/nhs-number","value":"9990000018"}],
    "name":[{"family":"Sample"}]}"#;
const PATIENCE: Duration = Duration::from_millis(400);

/// One connection as the partner sees it.
struct Caller {
    stream: TcpStream,
    deframer: Deframer,
}

impl Caller {
    /// MSH-10 of the next message; `None` when the gateway hung up.
    fn message(&mut self) -> Option<String> {
        let text = String::from_utf8(self.raw()?.to_vec()).unwrap();
        text.split('|').nth(9).map(str::to_owned)
    }

    /// The next message, whatever it is.
    fn raw(&mut self) -> Option<Bytes> {
        let mut buffer = [0; 1024];
        loop {
            if let Some(message) = self.deframer.pop() {
                return Some(message);
            }
            let count = self.stream.read(&mut buffer).unwrap_or(0);
            if count == 0 {
                return None;
            }
            self.deframer.push(&buffer[..count]).unwrap();
        }
    }

    fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).unwrap();
    }

    fn acknowledge(&mut self, id: &str) {
        self.send(&ack("AA", id));
    }
}

fn ack(code: &str, id: &str) -> Bytes {
    frame(format!("MSH|^~\\&|TIE|RYY|SB|RXX|20260702||ACK|1|P|2.4\rMSA|{code}|{id}\r").as_bytes())
}

/// A partner that handles its callers one after the other with `script` (which call it is, from 0; the caller), and
/// says the number of each call when the script is done with it.
fn partner(script: impl Fn(usize, &mut Caller) + Send + 'static) -> (SocketAddr, Receiver<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (done, calls): (Channel<usize>, _) = channel();
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            let mut caller = Caller { stream: stream.unwrap(), deframer: Deframer::new(1 << 16) };
            script(number, &mut caller);
            drop(caller);
            if done.send(number).is_err() {
                return;
            }
        }
    });
    (address, calls)
}

fn destination(address: SocketAddr, timeout: Duration) -> Arc<dyn Destination> {
    destination_with(address, timeout, "")
}

fn destination_with(address: SocketAddr, timeout: Duration, more: &str) -> Arc<dyn Destination> {
    let mut settings: toml::Table = Mllp::EXAMPLE.parse().unwrap();
    settings.extend(more.parse::<toml::Table>().unwrap());
    settings.insert("address".into(), address.to_string().into());
    let mllp: Mllp = settings.try_into().unwrap();
    let clock = Clock::set_to(DateTime::default());
    let http = reqwest::Client::builder().build().unwrap();
    mllp.destination(&Outside { http, clock, chance: Chance::seeded(1), timeout, base: "".into() }).unwrap()
}

fn delivery(seed: u64, body: &str) -> Delivery {
    let id = Id::new(DateTime::default(), &Chance::seeded(seed));
    Delivery {
        id,
        exchange: id,
        attempt: 1,
        interaction: Interaction::Create,
        resource_type: "Patient".into(),
        conditions: Conditions::default(),
        sender: Sender { source: "pas".into(), ods: "RXX".parse().unwrap() },
        correlation_id: "c".into(),
        received_at: DateTime::default(),
        options: serde_json::json!({}),
        body: Bytes::from(body.to_owned()),
        reply: None,
    }
}

async fn deliver(destination: &Arc<dyn Destination>, seed: u64) -> Result<Acknowledgement, DeliveryError> {
    destination.deliver(&delivery(seed, BODY)).await
}

/// An HL7 v2 message that came as one.
fn message(text: &str) -> Delivery {
    Delivery { interaction: Interaction::Message, resource_type: "ADT^A31".into(), ..delivery(1, text) }
}

fn is_unknown(result: &Result<Acknowledgement, DeliveryError>) -> bool {
    matches!(result, Err(DeliveryError::Unknown { .. }))
}

fn is_transient(result: &Result<Acknowledgement, DeliveryError>) -> bool {
    matches!(result, Err(DeliveryError::Transient { .. }))
}

#[tokio::test]
async fn many_messages_go_over_one_connection() {
    let (address, calls) = partner(|_, caller| {
        while let Some(id) = caller.message() {
            caller.acknowledge(&id);
            caller.send(b"\r\n\0");
        }
    });
    let destination = destination(address, Duration::from_secs(30));
    destination.check().await.unwrap();
    for seed in 0..20 {
        assert_eq!(deliver(&destination, seed).await.unwrap().code, "AA");
    }
    drop(destination);
    assert_eq!(calls.recv().unwrap(), 0);
    assert!(calls.try_recv().is_err(), "a second connection was opened");
}

#[tokio::test]
async fn an_acknowledgement_cut_in_two_is_one() {
    let (address, _calls) = partner(|_, caller| {
        let id = caller.message().unwrap();
        let answer = ack("CA", &id);
        let (first, second) = answer.split_at(answer.len() - 1);
        caller.stream.set_nodelay(true).unwrap();
        caller.send(first);
        thread::sleep(Duration::from_millis(20));
        caller.send(second);
        caller.message();
    });
    let destination = destination(address, Duration::from_secs(30));
    assert_eq!(deliver(&destination, 1).await.unwrap().code, "CA");
}

#[tokio::test]
async fn an_acknowledgement_without_the_final_carriage_return_is_taken() {
    let (address, _calls) = partner(|_, caller| {
        while let Some(id) = caller.message() {
            let answer = ack("AA", &id);
            caller.send(&answer[..answer.len() - 1]);
        }
    });
    let destination = destination(address, Duration::from_secs(30));
    assert_eq!(deliver(&destination, 1).await.unwrap().code, "AA");
    assert_eq!(deliver(&destination, 2).await.unwrap().code, "AA");
}

#[tokio::test]
async fn a_late_acknowledgement_is_never_taken_for_the_next_message() {
    let (address, calls) = partner(|number, caller| {
        let id = caller.message().unwrap();
        if number == 0 {
            // Answers only when the gateway has hung up.
            assert_eq!(caller.message(), None);
            let _ = caller.stream.write_all(&ack("AA", &id));
        } else {
            caller.send(&ack("AR", &id));
            caller.message();
        }
    });
    let destination = destination(address, PATIENCE);
    assert!(is_unknown(&deliver(&destination, 1).await));
    assert_eq!(calls.recv().unwrap(), 0);
    assert!(matches!(deliver(&destination, 2).await, Err(DeliveryError::Refused { .. })));
}

#[tokio::test]
async fn an_idle_connection_that_begins_to_speak_is_not_used_again() {
    let (said, heard) = channel();
    let (address, calls) = partner(move |number, caller| {
        while let Some(id) = caller.message() {
            caller.acknowledge(&id);
            if number == 0 {
                // A second answer nobody asked for, as a retransmitting engine would send.
                caller.send(&ack("AA", "01KE0000000000000000"));
            }
            said.send(number).unwrap();
        }
    });
    let destination = destination(address, Duration::from_secs(30));
    deliver(&destination, 1).await.unwrap();
    assert_eq!(heard.recv().unwrap(), 0);
    deliver(&destination, 2).await.unwrap();
    assert_eq!(heard.recv().unwrap(), 1);
    assert_eq!(calls.recv().unwrap(), 0);
}

#[tokio::test]
async fn an_idle_connection_the_partner_closed_is_replaced_before_anything_is_sent() {
    let (address, calls) = partner(|_, caller| {
        let id = caller.message().unwrap();
        caller.acknowledge(&id);
    });
    let destination = destination(address, Duration::from_secs(30));
    for seed in 0..3 {
        deliver(&destination, seed).await.unwrap();
        calls.recv().unwrap();
    }
}

#[tokio::test]
async fn an_answer_to_another_message_leaves_the_outcome_unknown() {
    let (address, calls) = partner(|_, caller| {
        caller.message().unwrap();
        caller.acknowledge("01KE0000000000000000");
        assert_eq!(caller.message(), None);
    });
    let destination = destination(address, Duration::from_secs(30));
    assert!(is_unknown(&deliver(&destination, 1).await));
    assert_eq!(calls.recv().unwrap(), 0);
}

#[tokio::test]
async fn hanging_up_or_talking_nonsense_before_the_answer_leaves_the_outcome_unknown() {
    let (address, _calls) = partner(|number, caller| {
        caller.message().unwrap();
        if number == 1 {
            caller.send(&frame(b"HTTP/1.1 400 Bad Request"));
        }
    });
    let destination = destination(address, Duration::from_secs(30));
    for seed in 0..2 {
        assert!(is_unknown(&deliver(&destination, seed).await), "{seed}");
    }
}

#[tokio::test]
async fn an_answer_without_end_is_not_read_without_end() {
    let (address, calls) = partner(|_, caller| {
        caller.message().unwrap();
        caller.send(&[0x0B]);
        while caller.stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let destination = destination(address, Duration::from_secs(30));
    assert!(is_unknown(&deliver(&destination, 1).await));
    assert_eq!(calls.recv().unwrap(), 0);
}

#[tokio::test]
async fn a_closed_port_is_worth_another_try() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let destination = destination(address, Duration::from_secs(30));
    assert!(is_transient(&deliver(&destination, 1).await));
    assert!(destination.check().await.is_err());
}

#[tokio::test]
async fn a_message_that_found_no_free_connection_was_not_sent() {
    let (address, calls) = partner(|_, caller| {
        assert!(caller.message().is_some());
        assert_eq!(caller.message(), None);
    });
    let destination = destination(address, PATIENCE);
    let (first, second) = tokio::join!(deliver(&destination, 1), deliver(&destination, 2));
    assert_eq!(calls.recv().unwrap(), 0);
    assert!(is_unknown(&first) && is_transient(&second), "{first:?} {second:?}");
}

#[tokio::test]
async fn what_hl7_cannot_say_is_refused_without_a_connection() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let destination = destination(address, PATIENCE);
    for body in ["", "{", r#"{"resourceType":"Observation"}"#, r#"{"resourceType":"Encounter","status":"planned"}"#] {
        let result = destination.deliver(&delivery(1, body)).await;
        assert!(matches!(result, Err(DeliveryError::Refused { .. })), "{body}: {result:?}");
    }
}

#[tokio::test]
async fn a_message_that_came_as_one_is_acknowledged_under_its_own_id() {
    let (address, _calls) = partner(|_, caller| {
        while let Some(id) = caller.message() {
            caller.acknowledge(&id);
        }
    });
    let destination = destination(address, Duration::from_secs(30));
    let sent = message("MSH|^~\\&|A|B|C|D|2026||ADT^A31|C0001|P|2.4\rPID|1\r");
    assert!(destination.carries(sent.interaction, &sent.conditions, &sent.options));
    assert_eq!(destination.deliver(&sent).await.unwrap().code, "AA");
    for wrong in ["MSH|^~\\&|A|B|C|D|2026||ADT^A31||P|2.4\r", "MSH|^~\\&|A|B|C|D|2026||ADT^A31|1|P|2.4\rPID|Ł\r"] {
        let result = destination.deliver(&message(wrong)).await;
        assert!(matches!(result, Err(DeliveryError::Refused { .. })), "{result:?}");
    }
}

#[tokio::test]
async fn where_the_application_decides_a_commit_is_not_enough() {
    let (said, heard) = channel();
    let (address, _calls) = partner(move |number, caller| {
        while let Some(id) = caller.message() {
            caller.send(&ack("CA", &id));
            match number {
                0 => {
                    let refusal = ack("AR", &id);
                    let asking = String::from_utf8_lossy(&refusal).replacen("|1|P|2.4", "|R1|P|2.4|||AL", 1);
                    caller.send(asking.as_bytes());
                    let heard = String::from_utf8(caller.raw().unwrap().to_vec()).unwrap();
                    said.send(heard.split("\rMSA|").nth(1).unwrap().to_owned()).unwrap();
                }
                _ => caller.send(&ack("AA", "01KE0000000000000000")),
            }
        }
    });
    let more = "acknowledgement = \"application\"";
    let asked = destination_with(address, Duration::from_secs(30), more);
    assert!(matches!(deliver(&asked, 1).await, Err(DeliveryError::Refused { .. })));
    assert_eq!(heard.recv().unwrap(), "CA|R1\r", "its answer is acknowledged where it asks for that");
    // The partner has one caller at a time.
    drop(asked);
    let other = destination_with(address, Duration::from_secs(30), more);
    assert!(is_unknown(&deliver(&other, 1).await), "the application's answer is to another message");
    let first = destination(address, Duration::from_secs(30));
    assert_eq!(deliver(&first, 1).await.unwrap().code, "CA");
}

#[tokio::test]
async fn by_release_2_the_partner_commits_first_and_hears_that_its_answer_came() {
    let (said, heard) = channel();
    let (address, _calls) = partner(move |number, caller| {
        let id = caller.message().unwrap();
        match number {
            0 => {
                caller.send(&frame(&[0x06]));
                caller.acknowledge(&id);
                said.send(caller.raw().unwrap()).unwrap();
            }
            1 => caller.send(&frame(&[0x15])),
            _ => caller.acknowledge(&id),
        }
    });
    let settings = "commit_bytes = true";
    let destination = destination_with(address, Duration::from_secs(30), settings);
    assert_eq!(deliver(&destination, 1).await.unwrap().code, "AA");
    assert_eq!(heard.recv().unwrap(), &[0x06][..]);
    assert!(is_transient(&destination_with(address, PATIENCE, settings).deliver(&delivery(2, BODY)).await));
    assert!(is_unknown(&destination_with(address, PATIENCE, settings).deliver(&delivery(3, BODY)).await));
}

#[tokio::test]
async fn a_partner_that_could_not_be_reached_is_left_alone_for_a_while() {
    let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let destination = destination(address, Duration::from_secs(30));
    let wait = |result: Result<Acknowledgement, DeliveryError>| match result {
        Err(DeliveryError::Transient { retry_after: Some(wait), reason }) => (wait, reason),
        other => panic!("{other:?}"),
    };
    let (first, reason) = wait(deliver(&destination, 1).await);
    assert!(reason.starts_with("cannot connect"), "{reason}");
    assert!(first <= Duration::from_secs(1) && first >= Duration::from_millis(750), "{first:?}");
    let (second, same) = wait(deliver(&destination, 2).await);
    assert_eq!(same, reason, "what comes meanwhile fails for the reason of the last call");
    assert!(second <= first, "and is no call of its own: {second:?}");
}
