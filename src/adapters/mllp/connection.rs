//! One connection to a partner: opened, looked at before each use, and used for one message at a time.

use std::io::{self, ErrorKind, Read};
use std::time::Duration;

use bytes::Bytes;
use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::framing::{Deframer, TooLong};

/// Silence after which the system asks whether the partner is still there.
const KEEP_ALIVE: Duration = Duration::from_mins(1);
/// How long a final `0D` may lag behind its `1C` before the answer is taken without it.
const FINAL_CR: Duration = Duration::from_millis(250);

/// An open connection.
pub(super) struct Connection {
    stream: TcpStream,
    deframer: Deframer,
    buffer: Box<[u8; 4096]>,
}

/// No answer came; the connection must not be used again.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
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
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Failed(error.kind())
    }
}

impl Connection {
    /// Opens a connection, with keep-alive and without delaying small writes.
    pub(super) async fn open(address: &str, max_frame: usize) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEP_ALIVE))?;
        Ok(Self { stream, deframer: Deframer::new(max_frame), buffer: Box::new([0; 4096]) })
    }

    /// Whether an idle connection can carry the next message: still open, and no frame begun by the partner, which
    /// could be a late acknowledgement. Junk between frames is harmless. Asks the system, not the runtime's memory of it.
    pub(super) fn is_usable(&mut self) -> bool {
        loop {
            match (&*SockRef::from(&self.stream)).read(&mut self.buffer[..]) {
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
    pub(super) async fn ask(&mut self, frame: &[u8]) -> Result<Bytes, Broken> {
        let written = self.stream.write(frame).await.map_err(|error| Broken::NotSent(error.kind()))?;
        self.stream.write_all(frame.get(written..).unwrap_or_default()).await?;
        loop {
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
            if let Some(message) = self.deframer.pop() {
                return Ok(message);
            }
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
