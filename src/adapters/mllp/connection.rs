//! One connection to a partner: opened, looked at before each use, and used for one message at a time.

use std::io::{self, ErrorKind};
use std::time::Duration;

use bytes::Bytes;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::framing::{self, Deframer, TooLong};
use super::stream::Stream;
use crate::tls::client::Client;

/// How long a final `0D` may lag behind its `1C` before the answer is taken without it.
const FINAL_CR: Duration = Duration::from_millis(250);

/// An open connection.
pub struct Connection {
    stream: Stream,
    deframer: Deframer,
    buffer: Box<[u8; 4096]>,
}

/// No answer came; the connection must not be used again.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// Nothing was written.
    #[error("the connection failed before anything was sent ({0})")]
    NotSent(ErrorKind),
    /// The partner hung up.
    #[error("the partner closed the connection before it acknowledged")]
    Closed,
    /// The network failed.
    #[error("the connection failed before the acknowledgement came ({0})")]
    Failed(ErrorKind),
    /// Too much came.
    #[error("the answer is too long: {0}")]
    TooLong(#[from] TooLong),
    /// The partner's MLLP could not store it.
    #[error("the partner answered that it could not commit the message (MLLP release 2)")]
    NotCommitted,
    /// Neither of the two commit answers.
    #[error("the partner sent no commit bytes (MLLP release 2)")]
    NoCommitBytes,
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.kind())
    }
}

impl Connection {
    /// Opens a connection.
    ///
    /// # Errors
    /// When there is nobody, or TLS cannot be agreed on.
    pub async fn open(address: &str, tls: Option<&Client>, max_frame: usize) -> io::Result<Self> {
        let stream = Stream::open(address, tls).await?;
        Ok(Self { stream, deframer: Deframer::new(max_frame), buffer: Box::new([0; 4096]) })
    }

    /// Whether an idle connection can carry the next message: still open, and no frame begun by the partner, which
    /// could be a late acknowledgement. Junk between frames is harmless.
    pub(super) fn is_usable(&mut self) -> bool {
        loop {
            match self.stream.read_now(&mut self.buffer[..]) {
                Ok(0) => return false,
                Ok(count) => {
                    let fits = self.deframer.push(&self.buffer[..count]);
                    if fits.is_err() || !self.deframer.is_between_frames() {
                        return false;
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return self.deframer.is_between_frames(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return false,
            }
        }
    }

    /// Writes a whole frame, in one piece unless the system takes less, and reads the next message.
    ///
    /// # Errors
    /// Why no answer came.
    pub async fn ask(&mut self, frame: &[u8]) -> Result<Bytes, Broken> {
        self.send(frame).await?;
        self.hear().await
    }

    /// As [`Connection::ask`], by MLLP release 2: the partner says first whether it has committed the message, and is
    /// told that its answer has come.
    pub(super) async fn ask_committing(&mut self, frame: &[u8]) -> Result<Bytes, Broken> {
        match self.ask(frame).await?.as_ref() {
            [framing::COMMITTED] => {}
            [framing::NOT_COMMITTED] => return Err(Broken::NotCommitted),
            _ => return Err(Broken::NoCommitBytes),
        }
        let answer = self.hear().await?;
        self.tell(&[framing::COMMITTED]).await?;
        Ok(answer)
    }

    /// Writes a frame that no answer is awaited for.
    ///
    /// # Errors
    /// When it could not be written.
    pub async fn tell(&mut self, message: &[u8]) -> Result<(), Broken> {
        self.send(&framing::frame(message)).await
    }

    async fn send(&mut self, frame: &[u8]) -> Result<(), Broken> {
        let written = self.stream.write(frame).await.map_err(|error| Broken::NotSent(error.kind()))?;
        self.stream.write_all(frame.get(written..).unwrap_or_default()).await?;
        Ok(self.stream.flush().await?)
    }

    /// Reads the next message.
    pub(super) async fn hear(&mut self) -> Result<Bytes, Broken> {
        loop {
            if let Some(message) = self.deframer.pop() {
                return Ok(message);
            }
            let read = self.stream.read(&mut self.buffer[..]);
            let count = if self.deframer.awaits_final_cr() {
                timeout(FINAL_CR, read).await.unwrap_or(Ok(0))?
            } else {
                read.await?
            };
            if count == 0 {
                return self.deframer.pop_unterminated().ok_or(Broken::Closed);
            }
            self.deframer.push(&self.buffer[..count])?;
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let (skipped, restarts) = (self.deframer.skipped(), self.deframer.restarts());
        tracing::debug!(
            skipped,
            restarts,
            "an MLLP connection closes; bytes skipped between frames, frames begun anew"
        );
    }
}
