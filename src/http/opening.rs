//! The beginning of a connection. Which HTTP a client speaks shows in its first bytes; the limits of each version apply
//! from there on, and whoever sends nothing, or half of a preface, is held to the time here.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

/// How an HTTP/2 connection begins ([RFC 9113 §3.4](https://www.rfc-editor.org/rfc/rfc9113.html#section-3.4)).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A stream that fails to be read when its client has not shown in time which HTTP it speaks.
pub(super) struct Opening<S> {
    stream: S,
    /// Until the version is known: the end of the time, and how much of the preface has come.
    open: Option<(Pin<Box<Sleep>>, usize)>,
}

impl<S> Opening<S> {
    /// The time begins now.
    pub(super) fn new(stream: S, time: Duration) -> Self {
        Self { stream, open: Some((Box::pin(sleep(time)), 0)) }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Opening<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let Self { stream, open } = &mut *self;
        let before = buffer.filled().len();
        if let Poll::Ready(read) = Pin::new(stream).poll_read(context, buffer) {
            if let Some((_, seen)) = open {
                let new = &buffer.filled()[before..];
                let goes_on = !new.is_empty() && PREFACE[*seen..].starts_with(new) && *seen + new.len() < PREFACE.len();
                *seen += new.len();
                if !goes_on {
                    *open = None;
                }
            }
            return Poll::Ready(read);
        }
        if let Some((end, _)) = open {
            ready!(end.as_mut().poll(context));
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::TimedOut, "the client did not begin a request")));
        }
        Poll::Pending
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Opening<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    /// What is read of a client that sends these pieces and then nothing, within the time.
    async fn read(pieces: &[&[u8]]) -> io::Result<Vec<u8>> {
        let (mut client, server) = duplex(64);
        let mut opening = Opening::new(server, Duration::from_secs(5));
        let mut all = Vec::new();
        for piece in pieces {
            client.write_all(piece).await?;
            opening.read_buf(&mut all).await?;
        }
        match tokio::time::timeout(Duration::from_mins(1), opening.read_buf(&mut all)).await {
            Ok(read) => read.map(|_| all),
            Err(_) => Ok(all),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_say_what_it_speaks_is_held_to_the_time() {
        let all_but_the_end: [&[u8]; 2] = [&PREFACE[..5], &PREFACE[5..22]];
        for silent in [&[][..], &[&b"P"[..]], &[&b"PRI * HT"[..]], &all_but_the_end] {
            assert_eq!(read(silent).await.unwrap_err().kind(), io::ErrorKind::TimedOut, "{silent:?}");
        }
        for begun in
            [&[&b"G"[..]][..], &[b"P", b"O"], &[b"PRI * HT", b"X"], &[PREFACE], &[&PREFACE[..9], &PREFACE[9..]]]
        {
            assert_eq!(read(begun).await.unwrap(), begun.concat(), "its own limits apply from here");
        }
    }
}
