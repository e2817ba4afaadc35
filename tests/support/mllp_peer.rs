//! A hospital system that speaks MLLP and answers by a script: a queue of answers for whatever comes next, and standing
//! answers for single patients. Everything else is acknowledged. It remembers every message it read.

use std::collections::{HashMap, VecDeque};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};

use signalbox::adapters::mllp::framing::{Deframer, frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// What the peer does with one message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Answer {
    /// AA.
    Accept,
    /// AE with this code of table 0357.
    Error(u16),
    /// AR with this code of table 0357.
    Reject(u16),
    /// Closes the connection without a word.
    HangUp,
    /// Closes it in the middle of the acknowledgement.
    HangUpHalfway,
    /// Reads on and says nothing.
    Silence,
    /// AA in two pieces, cut before its last byte.
    AcceptInPieces,
    /// AA, but for another message.
    AnotherMessage,
    /// AA, as soon as [`MllpPeer::release`] allows one.
    AfterRelease,
}

/// One message as it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Received {
    /// MSH-10.
    pub control_id: String,
    /// MSH-9.2.
    pub event: String,
    /// PID-3.1.
    pub patient: String,
    /// PID-5.
    pub name: String,
}

pub(crate) struct MllpPeer {
    address: SocketAddr,
    /// The port is taken from the start, so that it is closed and nobody else's until [`MllpPeer::open`].
    closed: Option<TcpSocket>,
    desk: Arc<Desk>,
    tasks: JoinSet<()>,
}

struct Desk {
    next: Mutex<VecDeque<Answer>>,
    standing: Mutex<HashMap<String, Answer>>,
    received: Mutex<Vec<Received>>,
    gate: Semaphore,
}

impl MllpPeer {
    /// A peer whose port refuses connections.
    pub(crate) fn down() -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
        let desk = Desk {
            next: Mutex::default(),
            standing: Mutex::default(),
            received: Mutex::default(),
            gate: Semaphore::new(0),
        };
        Self {
            address: socket.local_addr().unwrap(),
            closed: Some(socket),
            desk: Arc::new(desk),
            tasks: JoinSet::new(),
        }
    }

    /// A peer that listens.
    pub(crate) fn start() -> Self {
        let mut peer = Self::down();
        peer.open();
        peer
    }

    /// Comes up.
    pub(crate) fn open(&mut self) {
        let listener = self.closed.take().unwrap().listen(64).unwrap();
        let desk = Arc::clone(&self.desk);
        self.tasks.spawn(async move {
            let mut callers = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                let desk = Arc::clone(&desk);
                callers.spawn(async move { desk.serve(stream).await });
            }
        });
    }

    /// Answers the next messages like this, one after the other.
    pub(crate) fn will(&self, answers: impl IntoIterator<Item = Answer>) {
        self.desk.next.lock().unwrap().extend(answers);
    }

    /// Answers every message of this patient like this, from now on.
    pub(crate) fn always(&self, patient: &str, answer: Answer) {
        self.desk.standing.lock().unwrap().insert(patient.to_owned(), answer);
    }

    /// Lets one [`Answer::AfterRelease`] go.
    pub(crate) fn release(&self) {
        self.desk.gate.add_permits(1);
    }

    /// Every message so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.desk.received.lock().unwrap().clone()
    }

    /// MSH-10 of every message of this patient so far.
    pub(crate) fn control_ids(&self, patient: &str) -> Vec<String> {
        let received = self.received().into_iter().filter(|message| message.patient == patient);
        received.map(|message| message.control_id).collect()
    }

    /// Settings with this peer as the one destination, `pas`, of every message; `more` is added to the destination.
    pub(crate) fn settings(&self, more: &str) -> String {
        format!(
            r#"
[[routes]]
name = "everything"
to = ["pas"]
[destinations.pas]
type = "mllp"
{more}
[destinations.pas.settings]
address = "{}"
sending_application = "SIGNALBOX"
sending_facility = "RXX"
receiving_application = "PAS"
receiving_facility = "RYY"
"#,
            self.address
        )
    }
}

impl Desk {
    async fn serve(&self, mut stream: TcpStream) {
        let (mut deframer, mut buffer) = (Deframer::new(1 << 20), [0; 4096]);
        loop {
            let Some(message) = deframer.pop() else {
                match stream.read(&mut buffer).await {
                    Ok(count) if count > 0 => deframer.push(&buffer[..count]).unwrap(),
                    _ => return,
                }
                continue;
            };
            let received = read(&String::from_utf8_lossy(&message));
            let (answer, id) = (self.answer_to(&received), received.control_id.clone());
            self.received.lock().unwrap().push(received);
            let reply = match answer {
                Answer::Accept => acknowledgement("AA", &id, ""),
                Answer::AcceptInPieces => {
                    let whole = acknowledgement("AA", &id, "");
                    let (first, second) = whole.split_at(whole.len() - 1);
                    stream.set_nodelay(true).unwrap();
                    if stream.write_all(first).await.is_err() {
                        return;
                    }
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                    bytes::Bytes::copy_from_slice(second)
                }
                Answer::Error(code) => acknowledgement("AE", &id, &error(code)),
                Answer::Reject(code) => acknowledgement("AR", &id, &error(code)),
                Answer::AnotherMessage => acknowledgement("AA", "00000000000000000000", ""),
                Answer::AfterRelease => {
                    self.gate.acquire().await.unwrap().forget();
                    acknowledgement("AA", &id, "")
                }
                Answer::Silence => continue,
                Answer::HangUp => return,
                Answer::HangUpHalfway => {
                    let whole = acknowledgement("AA", &id, "");
                    let _ = stream.write_all(&whole[..whole.len() / 2]).await;
                    return;
                }
            };
            if stream.write_all(&reply).await.is_err() {
                return;
            }
        }
    }

    fn answer_to(&self, message: &Received) -> Answer {
        let standing = self.standing.lock().unwrap().get(&message.patient).copied();
        standing.or_else(|| self.next.lock().unwrap().pop_front()).unwrap_or(Answer::Accept)
    }
}

fn read(message: &str) -> Received {
    let field = |segment: &str, number: usize| {
        let line = message.split('\r').find(|line| line.starts_with(segment)).unwrap_or_default();
        line.split('|').nth(number).unwrap_or_default().to_owned()
    };
    let component = |field: &str, number: usize| field.split('^').nth(number).unwrap_or_default().to_owned();
    Received {
        // MSH-1 is the separator itself, so the count is one less.
        control_id: field("MSH", 9),
        event: component(&field("MSH", 8), 1),
        patient: component(&field("PID", 3), 0),
        name: field("PID", 5),
    }
}

fn error(code: u16) -> String {
    format!("ERR|^^^{code}\r")
}

fn acknowledgement(code: &str, id: &str, error: &str) -> bytes::Bytes {
    let text = format!("MSH|^~\\&|PAS|RYY|SIGNALBOX|RXX|20260702||ACK|1|P|2.4\rMSA|{code}|{id}\r{error}");
    frame(text.as_bytes())
}
