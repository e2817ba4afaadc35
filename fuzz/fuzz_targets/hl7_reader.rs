//! Any bytes: the reader finds segments or none, the editor changes a value or says why not, an answer can be written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use signalbox::formats::hl7v2::charset::Charset;
use signalbox::formats::hl7v2::fields::Fields;
use signalbox::formats::hl7v2::{ack, batch, content, edit, escape};

fuzz_target!(|bytes: &[u8]| {
    let _ = batch::content(bytes);
    let _ = ack::read(bytes);
    let Some(fields) = Fields::read(bytes) else { return };
    let _ = content::fault(&fields);
    for segment in fields.segments() {
        for number in 0..=segment.last_field() {
            let text = String::from_utf8_lossy(segment.field(number)).into_owned();
            let _ = escape::plain(&text, fields.delimiters());
        }
    }
    let path = "PID-3[2].4.1".parse().expect("a path");
    if let Ok(edited) = edit::set(bytes, &path, "X|Y", Charset::Utf8) {
        assert!(Fields::read(&edited).is_some());
    }
});
