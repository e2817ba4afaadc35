//! Any bytes: read or refused with a place; what is read can be asked for every value.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox_validator::json::{Document, Value};

fn visit(value: Value<'_>) {
    let _ = (value.key(), value.as_str(), value.position(), value.raw().len());
    value.children().for_each(visit);
}

fuzz_target!(|bytes: &[u8]| {
    if let Ok(document) = Document::read(bytes) {
        visit(document.root());
    }
});
