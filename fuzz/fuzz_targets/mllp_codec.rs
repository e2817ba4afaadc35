//! Any bytes in any pieces: the same messages, whatever the pieces, and never more held than the limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox::adapters::mllp::framing::{Deframer, Found};

const LIMIT: usize = 64;

fn found(pieces: &[&[u8]]) -> Vec<Found> {
    let mut deframer = Deframer::new(LIMIT);
    let mut found = Vec::new();
    for piece in pieces {
        let _ = deframer.push(piece);
        while let Some(next) = deframer.found() {
            let (Found::Message(held) | Found::TooLong(held)) = &next;
            assert!(held.len() <= LIMIT);
            found.push(next);
        }
    }
    found
}

// The last byte says how long the pieces are, so that a captured stream is an input as it stands.
fuzz_target!(|input: &[u8]| {
    let Some((size, bytes)) = input.split_last() else { return };
    let pieces: Vec<&[u8]> = bytes.chunks(usize::from(*size).max(1)).collect();
    assert_eq!(found(&pieces), found(&bytes.chunks(1).collect::<Vec<_>>()));
});
