//! A fake hospital system (PAS): takes HL7 v2 messages over MLLP and acknowledges them in original mode, recognising a
//! message that comes again by its MSH-10. With moods it is sometimes slow, refuses, hangs up or answers late.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::Ledger;
use crate::adapters::mllp::framing::{Deframer, frame};
use crate::chance::Chance;
use crate::clock::Clock;
use crate::exchange::ids::Id;

/// A hospital system.
#[derive(Clone)]
pub struct Pas {
    /// Whether it has moods.
    pub moody: bool,
    /// What it received.
    pub ledger: Ledger,
    /// Its moods.
    pub chance: Chance,
    /// Time of its acknowledgements.
    pub clock: Clock,
    seen: Arc<Mutex<HashMap<String, &'static str>>>,
}

enum Mood {
    Content,
    Slow,
    /// An error of its own, to be tried again.
    Busy,
    /// A refusal for good.
    Refusing,
    /// Gone before it took the message.
    Gone,
    /// Takes the message and is gone before it says so.
    Silent,
}

const LONGEST: usize = 16 << 20;

impl Pas {
    /// A hospital system that has received nothing yet.
    #[must_use]
    pub fn new(moody: bool, ledger: Ledger, chance: Chance, clock: Clock) -> Self {
        Self { moody, ledger, chance, clock, seen: Arc::default() }
    }

    /// Serves until `stop`.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(self, listener: TcpListener, stop: CancellationToken) -> io::Result<()> {
        let connections = TaskTracker::new();
        loop {
            let (stream, _) = tokio::select! {
                accepted = listener.accept() => accepted?,
                () = stop.cancelled() => return Ok(()),
            };
            let (pas, stop) = (self.clone(), stop.clone());
            connections.spawn(async move {
                tokio::select! {
                    // A partner that hangs up is nothing to tell of.
                    _ = pas.talk(stream) => {}
                    () = stop.cancelled() => {}
                }
            });
        }
    }

    async fn talk(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut deframer = Deframer::new(LONGEST);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = stream.read(&mut buffer).await?;
            if count == 0 {
                return Ok(());
            }
            deframer.push(&buffer[..count]).map_err(io::Error::other)?;
            while let Some(message) = deframer.pop() {
                match self.take(&String::from_utf8_lossy(&message)).await? {
                    Some(ack) => stream.write_all(&frame(ack.as_bytes())).await?,
                    None => return Ok(()),
                }
            }
        }
    }

    /// Takes one message; `None` hangs up.
    async fn take(&self, message: &str) -> io::Result<Option<String>> {
        let header = Header::read(message);
        let earlier = self.seen.lock().unwrap_or_else(PoisonError::into_inner).get(&header.control_id).copied();
        if let Some(code) = earlier {
            self.note(&header, message, code, true)?;
            return Ok(Some(self.acknowledgement(&header, code, "")));
        }
        let mood = self.mood();
        match mood {
            Mood::Gone => return Ok(None),
            Mood::Busy => return Ok(Some(self.acknowledgement(&header, "AE", "207"))),
            Mood::Slow => tokio::time::sleep(Duration::from_millis(300)).await,
            Mood::Content | Mood::Refusing | Mood::Silent => {}
        }
        let code = if matches!(mood, Mood::Refusing) { "AR" } else { "AA" };
        self.note(&header, message, code, false)?;
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).insert(header.control_id.clone(), code);
        let error = if code == "AR" { "101" } else { "" };
        Ok((!matches!(mood, Mood::Silent)).then(|| self.acknowledgement(&header, code, error)))
    }

    fn mood(&self) -> Mood {
        match self.chance.bits() % 200 {
            _ if !self.moody => Mood::Content,
            0..10 => Mood::Slow,
            10..18 => Mood::Busy,
            18..20 => Mood::Refusing,
            20..23 => Mood::Gone,
            23..26 => Mood::Silent,
            _ => Mood::Content,
        }
    }

    fn note(&self, header: &Header, message: &str, code: &str, again: bool) -> io::Result<()> {
        let pid = message.split(['\r', '\n']).find(|segment| segment.starts_with("PID|")).unwrap_or_default();
        let field = |number: usize| pid.split('|').nth(number).unwrap_or_default();
        self.ledger.note(&json!({
            "id": header.control_id, "event": header.event, "answer": code, "again": again,
            "patient": field(3).split(['^', '~']).next(), "name": field(5).split('~').next(),
        }))
    }

    fn acknowledgement(&self, header: &Header, code: &str, error: &str) -> String {
        let now = self.clock.now();
        let (id, time) = (Id::new(now, &self.chance), now.format("%Y%m%d%H%M%S"));
        let Header { from, to, event, processing, version, control_id } = header;
        format!(
            "MSH|^~\\&|{to}|{from}|{time}||ACK^{event}^ACK|{id}|{processing}|{version}\rMSA|{code}|{control_id}||||{error}\r"
        )
    }
}

/// What an acknowledgement takes over from the message.
struct Header {
    /// MSH-3 and -4.
    from: String,
    /// MSH-5 and -6.
    to: String,
    event: String,
    control_id: String,
    processing: String,
    version: String,
}

impl Header {
    fn read(message: &str) -> Self {
        let fields: Vec<&str> = message.split(['\r', '\n']).next().unwrap_or_default().split('|').collect();
        // MSH-1 is the separator itself, so MSH-n is at n - 1.
        let field = |number: usize| fields.get(number - 1).copied().unwrap_or_default().to_owned();
        Self {
            from: format!("{}|{}", field(3), field(4)),
            to: format!("{}|{}", field(5), field(6)),
            event: field(9).split('^').nth(1).unwrap_or_default().to_owned(),
            control_id: field(10),
            processing: field(11),
            version: field(12),
        }
    }
}
