//! Any bytes in any pieces: the same messages, whatever the pieces, and never more held than the limit.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox::adapters::mllp::framing::{Deframer, Found};

fn found(pieces: &[&[u8]]) -> Vec<Found> {
    let mut deframer = Deframer::new(64);
    let mut found = Vec::new();
    for piece in pieces {
        let _ = deframer.push(piece);
        while let Some(next) = deframer.found() {
            found.push(next);
        }
    }
    found
}

fuzz_target!(|input: (Vec<u8>, u8)| {
    let (bytes, size) = input;
    let pieces: Vec<&[u8]> = bytes.chunks(usize::from(size).max(1)).collect();
    assert_eq!(found(&pieces), found(&bytes.chunks(1).collect::<Vec<_>>()));
});
