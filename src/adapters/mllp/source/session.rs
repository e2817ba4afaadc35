//! One connection: frames in, answers out, one after the other. It ends when the sender hangs up, is silent for too long
//! or too slow, or when the gateway stops; a message that is being committed then is answered first.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::desk::Desk;
use crate::adapters::mllp::framing::Deframer;
use crate::config::mllp::Mllp;
use crate::gateway::Meter;
use crate::telemetry::Metrics;

/// How long a final `0D` may lag behind its `1C` before the message is taken without it.
const FINAL_CR: Duration = Duration::from_millis(250);
/// Bytes read at once.
const CHUNK: usize = 16 * 1024;

/// A connection of a known source.
pub(super) struct Session {
    listener: String,
    desk: Desk,
    /// The source's rate, shared by its connections.
    meter: Option<Arc<Meter>>,
    deframer: Deframer,
    idle: Duration,
    frame_timeout: Duration,
    metrics: Metrics,
    /// When the frame that is open was begun.
    begun: Option<Instant>,
    told: Told,
}

/// What of the deframer's counts has been told already.
#[derive(Default)]
struct Told {
    skipped: u64,
    restarts: u64,
}

/// Why no more is read.
enum Ended {
    HungUp,
    Idle,
    TooSlow,
    Failed(io::ErrorKind),
}

impl Session {
    pub(super) fn new(
        listener: &str,
        desk: Desk,
        meter: Option<Arc<Meter>>,
        limit: usize,
        settings: &Mllp,
        metrics: Metrics,
    ) -> Self {
        Self {
            listener: listener.to_owned(),
            desk,
            meter,
            deframer: Deframer::new(limit),
            idle: settings.idle.0,
            frame_timeout: settings.frame_timeout.0,
            metrics,
            begun: None,
            told: Told::default(),
        }
    }

    pub(super) async fn run<S: AsyncRead + AsyncWrite + Unpin>(mut self, mut stream: S, stop: CancellationToken) {
        let _open = self.metrics.mllp_connection(&self.listener);
        let mut buffer = vec![0; CHUNK];
        loop {
            while let Some(found) = self.deframer.found() {
                tokio::select! {
                    () = self.take_turn() => {}
                    () = stop.cancelled() => return self.close(&mut stream).await,
                }
                let answer = self.desk.answer(found).await;
                if !answer.is_empty() && self.write(&mut stream, &answer).await.is_err() {
                    self.metrics.mllp(&self.listener, "unanswered");
                    return;
                }
                if stop.is_cancelled() {
                    return self.close(&mut stream).await;
                }
            }
            let read = tokio::select! {
                read = self.read(&mut stream, &mut buffer) => read,
                () = stop.cancelled() => return self.close(&mut stream).await,
            };
            self.tell();
            if let Err(ended) = read {
                self.end(&ended);
                return self.close(&mut stream).await;
            }
        }
    }

    /// A source over its rate is not refused, it waits: what it sends is not read meanwhile.
    async fn take_turn(&self) {
        let Some(meter) = &self.meter else { return };
        while let Err(wait) = meter.admit(Instant::now()) {
            tokio::time::sleep(wait).await;
        }
    }

    /// Reads a piece and looks for frames in it.
    async fn read<S: AsyncRead + Unpin>(&mut self, stream: &mut S, buffer: &mut [u8]) -> Result<(), Ended> {
        let read = stream.read(buffer);
        let count = if self.deframer.awaits_final_cr() {
            let Ok(count) = timeout(FINAL_CR, read).await else {
                self.deframer.end_unterminated();
                return Ok(());
            };
            count
        } else if self.deframer.is_inside() {
            let begun = *self.begun.get_or_insert_with(Instant::now);
            timeout_at(begun + self.frame_timeout, read).await.map_err(|_| Ended::TooSlow)?
        } else {
            timeout(self.idle, read).await.map_err(|_| Ended::Idle)?
        };
        match count {
            Ok(0) => {
                let waiting = self.deframer.awaits_final_cr();
                self.deframer.end_unterminated();
                if waiting { Ok(()) } else { Err(Ended::HungUp) }
            }
            Ok(count) => {
                // What is too long is found in its turn.
                let _ = self.deframer.push(&buffer[..count]);
                let fresh = !self.deframer.is_inside() || self.deframer.has_found();
                if fresh {
                    self.begun = None;
                }
                Ok(())
            }
            Err(error) => Err(Ended::Failed(error.kind())),
        }
    }

    async fn write<S: AsyncWrite + Unpin>(&self, stream: &mut S, answer: &[u8]) -> io::Result<()> {
        let written = async {
            stream.write_all(answer).await?;
            stream.flush().await
        };
        timeout(self.frame_timeout, written).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    async fn close<S: AsyncWrite + Unpin>(&self, stream: &mut S) {
        // The sender may be gone already.
        let _ = timeout(FINAL_CR, stream.shutdown()).await;
    }

    /// Counts what the sender did between and inside frames.
    fn tell(&mut self) {
        let (skipped, restarts) = (self.deframer.skipped(), self.deframer.restarts());
        if skipped > self.told.skipped {
            self.metrics.mllp_skipped(&self.listener, skipped - self.told.skipped);
        }
        for _ in self.told.restarts..restarts {
            self.metrics.mllp(&self.listener, "restart");
            let source = &self.desk.sender.source;
            tracing::warn!(
                listener = self.listener,
                source,
                "a frame was begun anew before it had ended (0B inside a frame)"
            );
        }
        self.told = Told { skipped, restarts };
    }

    fn end(&self, ended: &Ended) {
        let (listener, source) = (&self.listener, &self.desk.sender.source);
        let event = match ended {
            Ended::HungUp | Ended::Failed(_) if self.deframer.is_inside() => {
                tracing::warn!(listener, source, "the sender hung up in the middle of a message; nothing was accepted");
                "cut_short"
            }
            Ended::HungUp => "hung_up",
            Ended::Failed(kind) => {
                tracing::info!(listener, source, %kind, "an MLLP connection failed");
                "failed"
            }
            Ended::TooSlow => {
                tracing::warn!(
                    listener,
                    source,
                    "a message did not arrive whole within frame_timeout; nothing was accepted"
                );
                "too_slow"
            }
            Ended::Idle => {
                tracing::info!(listener, source, "an idle MLLP connection was closed");
                "idle"
            }
        };
        self.metrics.mllp(listener, event);
    }
}
