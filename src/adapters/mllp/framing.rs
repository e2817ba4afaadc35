//! MLLP framing, for both ends of a connection: `0B` message `1C 0D`
//! ([MLLP release 1](https://www.hl7.org/documentcenter/public/wg/inm/mllp_transport_specification.PDF)).
//!
//! Bytes may arrive cut anywhere. What stands between frames (line feeds, NULs, the second half of a doubled frame) is
//! skipped and counted; a new `0B` inside a frame means the sender started again; a frame may be ended by `1C` alone or
//! by `1C 0A`. Of a frame over the limit the beginning is kept, so that it can be answered.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

const START: u8 = 0x0B;
const END: u8 = 0x1C;
const CR: u8 = 0x0D;
const LF: u8 = 0x0A;

/// Commit answer of MLLP release 2: the message is stored.
pub const COMMITTED: u8 = 0x06;
/// Commit answer of MLLP release 2: it could not be stored.
pub const NOT_COMMITTED: u8 = 0x15;

/// Of a frame over the limit: as much as tells whose it is.
const HEAD: usize = 1024;

/// A message in its frame, to be written in one piece.
#[must_use]
pub fn frame(message: &[u8]) -> Bytes {
    let mut framed = Vec::with_capacity(message.len() + 3);
    framed.push(START);
    framed.extend_from_slice(message);
    framed.extend_from_slice(&[END, CR]);
    framed.into()
}

/// What was found in the stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// A message, without its frame.
    Message(Bytes),
    /// The beginning of one that was longer than the limit; the rest was dropped.
    TooLong(Bytes),
}

/// A frame grew past the limit; its content is dropped and the reader looks for the next `0B`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a frame is longer than the limit of {limit} bytes")]
pub struct TooLong {
    /// The limit in bytes.
    pub limit: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Between,
    Inside,
    AfterEnd,
}

/// Takes messages out of a stream of bytes.
pub struct Deframer {
    place: Place,
    open: BytesMut,
    complete: VecDeque<Found>,
    limit: usize,
    skipped: u64,
    restarts: u64,
}

impl Deframer {
    /// A reader that holds at most `limit` bytes of one message.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        let (open, complete) = (BytesMut::new(), VecDeque::new());
        Self { place: Place::Between, open, complete, limit, skipped: 0, restarts: 0 }
    }

    /// Reads on. Complete messages wait for [`Deframer::pop`], also those before the fault.
    ///
    /// # Errors
    /// When a frame is longer than the limit; what follows it is still read.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), TooLong> {
        let mut result = Ok(());
        let mut rest = bytes;
        while !rest.is_empty() {
            let used = match self.place {
                Place::Between => self.between(rest),
                Place::Inside => self.inside(rest),
                Place::AfterEnd => self.after_end(rest[0]),
            };
            rest = &rest[used..];
            if self.open.len() > self.limit {
                let head = Bytes::copy_from_slice(&self.open[..self.limit.min(HEAD)]);
                self.complete.push_back(Found::TooLong(head));
                self.open = BytesMut::new();
                self.place = Place::Between;
                result = Err(TooLong { limit: self.limit });
            }
        }
        result
    }

    /// The next complete message, without its frame; those that were too long are passed over.
    pub fn pop(&mut self) -> Option<Bytes> {
        loop {
            if let Found::Message(message) = self.found()? {
                return Some(message);
            }
        }
    }

    /// What was found next, in the order of the stream.
    pub fn found(&mut self) -> Option<Found> {
        self.complete.pop_front()
    }

    /// The message that `1C` ended when the `0D` does not come: for a reader that has waited, or has met the end.
    pub fn pop_unterminated(&mut self) -> Option<Bytes> {
        self.end_unterminated();
        self.pop()
    }

    /// Takes the `1C` for the end of the frame when the `0D` does not come.
    pub fn end_unterminated(&mut self) {
        if self.awaits_final_cr() {
            self.complete_frame(Place::Between);
        }
    }

    /// Whether something waits for [`Deframer::found`].
    #[must_use]
    pub fn has_found(&self) -> bool {
        !self.complete.is_empty()
    }

    /// Whether a frame has begun and not ended.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.place != Place::Between
    }

    /// Whether the last byte was the `1C` of a frame, so that only `0D` is missing.
    #[must_use]
    pub fn awaits_final_cr(&self) -> bool {
        self.place == Place::AfterEnd
    }

    /// Whether no frame is open and no message waits.
    #[must_use]
    pub fn is_between_frames(&self) -> bool {
        self.place == Place::Between && self.complete.is_empty()
    }

    /// Bytes skipped between frames so far.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Frames given up so far because a new one began inside them.
    #[must_use]
    pub fn restarts(&self) -> u64 {
        self.restarts
    }

    fn between(&mut self, bytes: &[u8]) -> usize {
        let junk = bytes.iter().position(|&byte| byte == START);
        self.skipped += junk.unwrap_or(bytes.len()) as u64;
        junk.map_or(bytes.len(), |junk| {
            self.place = Place::Inside;
            junk + 1
        })
    }

    fn inside(&mut self, bytes: &[u8]) -> usize {
        let text = bytes.iter().position(|&byte| byte == START || byte == END).unwrap_or(bytes.len());
        // One byte over the limit is enough to know; a longer piece is never copied.
        let kept = text.min(self.limit.saturating_sub(self.open.len()).saturating_add(1));
        self.open.extend_from_slice(&bytes[..kept]);
        if self.open.len() > self.limit || text == bytes.len() {
            return text;
        }
        if bytes[text] == END {
            self.place = Place::AfterEnd;
        } else {
            self.restart();
        }
        text + 1
    }

    /// `1C` is no character of HL7 v2, but a message cut short would be worse than one that holds it: only `0D`, or
    /// the beginning of the next frame, makes it the end.
    fn after_end(&mut self, byte: u8) -> usize {
        match byte {
            CR | LF => self.complete_frame(Place::Between),
            START => self.complete_frame(Place::Inside),
            END => self.open.extend_from_slice(&[END]),
            other => {
                self.open.extend_from_slice(&[END, other]);
                self.place = Place::Inside;
            }
        }
        1
    }

    /// A doubled `0B` opens the same frame twice; after text it gives up what was there.
    fn restart(&mut self) {
        if self.open.is_empty() {
            self.skipped += 1;
        } else {
            self.restarts += 1;
            self.open.clear();
        }
    }

    fn complete_frame(&mut self, next: Place) {
        self.complete.push_back(Found::Message(self.open.split().freeze()));
        self.place = next;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(chunks: &[&[u8]]) -> (Vec<Bytes>, Deframer) {
        let mut deframer = Deframer::new(1000);
        for chunk in chunks {
            deframer.push(chunk).unwrap();
        }
        let messages = std::iter::from_fn(|| deframer.pop()).collect();
        (messages, deframer)
    }

    proptest! {
        #[test]
        fn messages_survive_any_cut_and_any_junk_between_frames(
            parts in prop::collection::vec(("[^\u{b}\u{1c}]{0,40}", "[\u{0}\n\r\u{1c} a-z]{0,5}"), 0..6),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        ) {
            let mut stream = Vec::new();
            let mut junk_bytes = 0;
            for (message, junk) in &parts {
                stream.extend_from_slice(&frame(message.as_bytes()));
                stream.extend_from_slice(junk.as_bytes());
                junk_bytes += junk.len() as u64;
            }
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]).collect();
            let (messages, deframer) = read(&chunks);
            let sent: Vec<&[u8]> = parts.iter().map(|(message, _)| message.as_bytes()).collect();
            prop_assert_eq!(messages, sent);
            prop_assert_eq!(deframer.skipped(), junk_bytes);
            prop_assert!(deframer.is_between_frames());
        }

        #[test]
        fn what_is_found_does_not_depend_on_where_the_stream_is_cut(
            stream in prop::collection::vec(prop::sample::select(vec![START, END, CR, LF, 0, b'a', b'b']), 0..80),
            cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
            limit in 1_usize..8,
        ) {
            let found = |chunks: &[&[u8]]| {
                let mut deframer = Deframer::new(limit);
                for chunk in chunks {
                    let _ = deframer.push(chunk);
                }
                let found: Vec<Found> = std::iter::from_fn(|| deframer.found()).collect();
                (found, deframer.restarts(), deframer.place, deframer.open.clone())
            };
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len() + 1)).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let chunks: Vec<&[u8]> = cuts.windows(2).map(|cut| &stream[cut[0]..cut[1]]).collect();
            prop_assert_eq!(found(&chunks), found(&[&stream]));
        }

        #[test]
        fn no_bytes_make_it_hold_more_than_the_limit(stream: Vec<u8>, limit in 0_usize..20) {
            let mut deframer = Deframer::new(limit);
            for chunk in stream.chunks(7) {
                let _ = deframer.push(chunk);
                prop_assert!(deframer.open.len() <= limit);
            }
            prop_assert!(std::iter::from_fn(|| deframer.pop_unterminated()).all(|message| message.len() <= limit));
        }
    }

    #[test]
    fn a_doubled_frame_is_one_message() {
        let (messages, deframer) = read(&[b"\x0B\x0BMSH\x1C\x0D\x1C\x0D"]);
        assert_eq!(messages, ["MSH"]);
        assert_eq!((deframer.skipped(), deframer.restarts()), (3, 0));
    }

    #[test]
    fn a_start_inside_a_frame_gives_up_what_was_there() {
        let (messages, deframer) = read(&[b"\x0BMSH|half", b"\x0BMSH|whole\x1C\x0D"]);
        assert_eq!(messages, ["MSH|whole"]);
        assert_eq!(deframer.restarts(), 1);
    }

    #[test]
    fn an_end_without_carriage_return_is_enough_when_nothing_or_a_new_frame_follows() {
        let (messages, mut deframer) = read(&[b"\x0Bone\x1C\x0Btwo\x1C"]);
        assert_eq!(messages, ["one"]);
        assert!(deframer.awaits_final_cr());
        assert_eq!(deframer.pop_unterminated().unwrap(), "two");
        assert!(deframer.is_between_frames());
    }

    #[test]
    fn an_end_byte_followed_by_text_does_not_cut_the_message() {
        assert_eq!(read(&[b"\x0Ba\x1Cb\x1C\x1C\x0D"]).0, ["a\x1Cb\x1C"]);
    }

    #[test]
    fn a_line_feed_ends_a_frame_like_a_carriage_return() {
        let (messages, deframer) = read(&[b"\x0Bone\x1C\n\x0Btwo\x1C\r\n"]);
        assert_eq!(messages, ["one", "two"]);
        assert_eq!(deframer.skipped(), 1);
    }

    #[test]
    fn the_beginning_of_a_frame_over_the_limit_comes_in_its_turn() {
        let mut deframer = Deframer::new(4);
        for chunk in b"\x0Bone\x1C\x0D\x0Bfives and more\x1C\x0D\x0Btwo\x1C\x0D".chunks(3) {
            let _ = deframer.push(chunk);
        }
        let found: Vec<Found> = std::iter::from_fn(|| deframer.found()).collect();
        assert_eq!(found, [Found::Message("one".into()), Found::TooLong("five".into()), Found::Message("two".into())]);
    }

    #[test]
    fn a_frame_over_the_limit_is_dropped_and_the_next_one_read() {
        let mut deframer = Deframer::new(4);
        assert_eq!(deframer.push(b"\x0Bfour\x1C\x0D\x0Bfives\x1C\x0D\x0Bsix\x1C\x0D"), Err(TooLong { limit: 4 }));
        assert_eq!(deframer.pop().unwrap(), "four");
        assert_eq!(deframer.pop().unwrap(), "six");
        assert_eq!(deframer.pop(), None);
    }
}
