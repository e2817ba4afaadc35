//! A hospital system that sends HL7 v2 by MLLP: one connection, on which a test says exactly which bytes go when.

use std::net::SocketAddr;
use std::time::Duration;

use signalbox::adapters::mllp::framing::{Deframer, frame};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Settings of a source that calls from this machine, and of a door for it.
pub(crate) const DOOR: &str = "[sources.pas]\nods = \"RX1\"\naddresses = [\"127.0.0.1\"]\n\
                               [mllp.adt]\nlisten = \"127.0.0.1:0\"\nsources = [\"pas\"]\n";

/// Longer than any answer takes, and not for ever.
const PATIENCE: Duration = Duration::from_secs(20);

/// An open connection.
pub(crate) struct MllpSender {
    pub stream: TcpStream,
    deframer: Deframer,
}

impl MllpSender {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self { stream, deframer: Deframer::new(16 << 20) }
    }

    /// Writes these bytes as they are.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// Sends a message in its frame.
    pub(crate) async fn send(&mut self, message: &str) {
        self.write(&frame(message.as_bytes())).await;
    }

    /// The next answer, its segments in lines; `None` when the connection is closed.
    pub(crate) async fn answer(&mut self) -> Option<String> {
        let mut buffer = [0; 4096];
        loop {
            if let Some(message) = self.deframer.pop() {
                return Some(String::from_utf8(message.to_vec()).unwrap().replace('\r', "\n"));
            }
            match timeout(PATIENCE, self.stream.read(&mut buffer)).await.expect("no answer came") {
                Ok(0) | Err(_) => return None,
                Ok(count) => self.deframer.push(&buffer[..count]).unwrap(),
            }
        }
    }

    /// Sends a message and waits for its answer.
    pub(crate) async fn ask(&mut self, message: &str) -> String {
        self.send(message).await;
        self.answer().await.expect("the connection was closed")
    }
}

/// MSA-1, MSA-2 and the error codes of an answer, in words.
pub(crate) fn ack_of(answer: &str) -> String {
    let ack = signalbox::formats::hl7v2::ack::read(answer.as_bytes()).unwrap();
    let mut words = vec![ack.code.as_str().to_owned(), ack.control_id];
    words.extend(ack.errors.iter().map(u16::to_string));
    words.join(" ")
}

/// An ADT message about a patient with this NHS number.
pub(crate) fn adt(event: &str, control_id: &str, number: &str, family: &str) -> String {
    format!(
        "MSH|^~\\&|PAS|RX1|SIGNALBOX|RXX|20260701120000||ADT^{event}^ADT_A05|{control_id}|P|2.4|||||GBR|UNICODE UTF-8\r\
         EVN|{event}|20260701120000\rPID|1||{number}^^^NHS^NH~{control_id}^^^RX1||{family}^Test||19650102|2\rPV1|1|I\r"
    )
}
