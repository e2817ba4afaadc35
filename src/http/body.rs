//! The body of a request on its way in: read once, under a limit, before a deadline. What nobody read is drained after
//! the answer, because closing a connection on unread bytes can take the answer away from the sender.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;
use tokio::time::{Instant, timeout_at};
use tokio_util::task::TaskTracker;

use crate::outcome::Issue;
use crate::rejection::Rejection;

/// Longest time an unread body is drained.
const DRAIN: Duration = Duration::from_secs(5);
/// Most bytes made ready for a body before it has arrived.
const READY: usize = 64 * 1024;

/// What bounds the reading of a body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Most bytes.
    pub(super) size: u64,
    /// The time a request may take; said in the answer.
    pub(super) time: Duration,
    /// Longest silence between two pieces.
    pub(super) pause: Duration,
    /// When that time is over.
    pub(super) deadline: Instant,
}

impl Bounds {
    /// The time that the next piece has, and when it is over.
    fn next_piece(&self) -> (Duration, Instant) {
        let pause = Instant::now() + self.pause;
        if pause < self.deadline { (self.pause, pause) } else { (self.time, self.deadline) }
    }
}

/// A body that has not been read, or not to its end.
pub(super) struct Inbound {
    rest: Mutex<Option<BodyDataStream>>,
    /// `Content-Length`, when the sender told it.
    length: Option<u64>,
    /// The sender waits for permission (`Expect: 100-continue`): an answer alone keeps it from sending.
    waits: bool,
    read: AtomicU64,
}

impl Inbound {
    /// Takes the body of a request with these headers.
    pub(super) fn new(body: Body, headers: &HeaderMap) -> Self {
        let length = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        let rest = Mutex::new(Some(body.into_data_stream()));
        Self { rest, length, waits: headers.contains_key(header::EXPECT), read: AtomicU64::new(0) }
    }

    /// Bytes read so far.
    pub(super) fn bytes(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// The whole body. A second call finds it empty.
    ///
    /// # Errors
    /// `TooLarge` (at once when `Content-Length` says so), `Timeout`, `Unreadable` when it broke off.
    pub(super) async fn read(&self, bounds: Bounds) -> Result<Bytes, Rejection> {
        let too_large = Rejection::TooLarge { limit: bounds.size };
        if self.length.is_some_and(|length| length > bounds.size) {
            return Err(too_large);
        }
        let Some(mut stream) = self.take() else { return Ok(Bytes::new()) };
        let expected = self.length.and_then(|length| usize::try_from(length).ok()).unwrap_or(0);
        let mut body = BytesMut::with_capacity(expected.min(READY));
        loop {
            let (limit, until) = bounds.next_piece();
            match timeout_at(until, stream.next()).await {
                Ok(None) => return Ok(body.freeze()),
                Ok(Some(Ok(piece))) => {
                    let total = self.count(&piece);
                    if total > bounds.size {
                        self.put_back(stream);
                        return Err(too_large);
                    }
                    body.extend_from_slice(&piece);
                }
                Ok(Some(Err(_))) => return Err(broken_off()),
                Err(_) => return Err(Rejection::Timeout { limit }),
            }
        }
    }

    /// Lets the sender finish what nobody read, up to `limit` bytes and some seconds, and throws it away.
    pub(super) fn drain(&self, tasks: &TaskTracker, limit: u64) {
        if self.waits || self.length == Some(0) {
            return;
        }
        let Some(mut stream) = self.take() else { return };
        tasks.spawn(async move {
            let mut left = limit;
            let deadline = Instant::now() + DRAIN;
            while let Ok(Some(Ok(piece))) = timeout_at(deadline, stream.next()).await {
                left = left.saturating_sub(length(&piece));
                if left == 0 {
                    break;
                }
            }
        });
    }

    fn take(&self) -> Option<BodyDataStream> {
        self.rest.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn put_back(&self, stream: BodyDataStream) {
        *self.rest.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
    }

    fn count(&self, piece: &Bytes) -> u64 {
        self.read.fetch_add(length(piece), Ordering::Relaxed) + length(piece)
    }
}

fn length(piece: &Bytes) -> u64 {
    u64::try_from(piece.len()).unwrap_or(u64::MAX)
}

fn broken_off() -> Rejection {
    Rejection::Unreadable(vec![Issue::error("structure", "the body broke off before its end")])
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::stream;

    fn bounds(size: u64) -> Bounds {
        let time = Duration::from_secs(30);
        Bounds { size, time, pause: time, deadline: Instant::now() + time }
    }

    fn pieces(pieces: &'static [&'static str]) -> Body {
        Body::from_stream(stream::iter(
            pieces.iter().map(|piece| Ok::<_, std::io::Error>(Bytes::from_static(piece.as_bytes()))),
        ))
    }

    fn told(length: &str) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_LENGTH, length.parse().unwrap())])
    }

    #[tokio::test]
    async fn a_body_within_the_limit_arrives_whole() {
        let inbound = Inbound::new(pieces(&["{\"a\"", ":1}"]), &HeaderMap::new());
        assert_eq!(inbound.read(bounds(7)).await.unwrap(), "{\"a\":1}");
        assert_eq!(inbound.bytes(), 7);
    }

    #[tokio::test]
    async fn a_body_told_to_be_too_large_is_refused_unread() {
        let inbound = Inbound::new(pieces(&["12345678"]), &told("8"));
        assert!(matches!(inbound.read(bounds(7)).await, Err(Rejection::TooLarge { limit: 7 })));
        assert_eq!(inbound.bytes(), 0);
    }

    #[tokio::test]
    async fn a_body_that_grows_too_large_is_refused_and_its_rest_drained() {
        let inbound = Inbound::new(pieces(&["1234", "5678", "9"]), &HeaderMap::new());
        assert!(matches!(inbound.read(bounds(7)).await, Err(Rejection::TooLarge { .. })));
        let tasks = TaskTracker::new();
        inbound.drain(&tasks, 100);
        assert_eq!(tasks.len(), 1);
        tasks.close();
        tasks.wait().await;
        assert!(inbound.take().is_none());
    }

    #[tokio::test]
    async fn a_sender_that_waits_for_permission_is_not_given_it_by_draining() {
        let headers = HeaderMap::from_iter([(header::EXPECT, "100-continue".parse().unwrap())]);
        let tasks = TaskTracker::new();
        Inbound::new(pieces(&["1"]), &headers).drain(&tasks, 100);
        assert!(tasks.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_never_ends_times_out() {
        let endless = Body::from_stream(stream::pending::<Result<Bytes, std::io::Error>>());
        let refused = Inbound::new(endless, &HeaderMap::new()).read(bounds(7)).await;
        assert!(matches!(refused, Err(Rejection::Timeout { .. })));
    }

    #[tokio::test]
    async fn a_body_that_breaks_off_is_unreadable() {
        let broken = stream::iter([Ok(Bytes::from_static(b"{")), Err(std::io::Error::other("reset"))]);
        let refused = Inbound::new(Body::from_stream(broken), &HeaderMap::new()).read(bounds(7)).await;
        assert!(matches!(refused, Err(Rejection::Unreadable(_))));
    }
}
