//! `signalbox hl7 show FILE [--path PID-3[2].4]`: segments and fields by name, or the values at one place. Exit codes: 0
//! shown, 1 no message has the place, 2 there is no message.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Args;
use encoding_rs::WINDOWS_1252;

use crate::formats::hl7v2::fields::Fields;
use crate::formats::hl7v2::path::Path;
use crate::formats::hl7v2::{charset, escape, names};

#[derive(Args)]
pub(in crate::cli) struct Show {
    /// A file with messages, framed or not; - is standard input
    file: PathBuf,
    /// Only the value at this place, such as PID-3[2].4.1 or OBX[3]-5, as a person reads it
    #[arg(long, value_name = "PLACE")]
    path: Option<Path>,
}

impl Show {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let messages = super::messages(&super::read(&self.file)?, &self.file)?;
        let mut out = std::io::stdout().lock();
        let mut found = false;
        for (number, message) in (1..).zip(&messages) {
            let Some(fields) = Fields::read(message) else { continue };
            let Some(path) = &self.path else {
                found = true;
                if messages.len() > 1 {
                    writeln!(out, "{}message {number} of {}", if number > 1 { "\n" } else { "" }, messages.len())?;
                }
                tell(&mut out, &fields)?;
                continue;
            };
            if let Some(value) = fields.get(path) {
                found = true;
                writeln!(out, "{}", escape::plain(&text(&fields, value), fields.delimiters()).0)?;
            }
        }
        Ok(ExitCode::from(u8::from(!found)))
    }
}

/// Writes the segments of a message, a line for each repetition of each field that says something.
pub(super) fn tell(out: &mut impl Write, fields: &Fields<'_>) -> std::io::Result<()> {
    for segment in fields.segments() {
        let letters = segment.name();
        writeln!(out, "{}  {}", text(fields, letters), names::segment(letters).unwrap_or("(no name is known here)"))?;
        // MSH-1 and MSH-2 are what the rest is written with.
        let first = if letters == b"MSH" { 3 } else { 1 };
        for number in first..=segment.last_field() {
            let repetitions: Vec<&[u8]> = fields.repetitions(segment.field(number)).collect();
            for (at, repetition) in repetitions.iter().enumerate().filter(|(_, value)| !value.is_empty()) {
                let which = if repetitions.len() > 1 { format!("[{}]", at + 1) } else { String::new() };
                let place = format!("{}-{number}{which}", text(fields, letters));
                let name = names::field(letters, number).unwrap_or_default();
                writeln!(out, "  {place:<11} {name:<32} {}", printable(&text(fields, repetition)))?;
            }
        }
    }
    Ok(())
}

/// Bytes of a message as text, by what it says of its character set; what it does not say is Western European.
fn text(fields: &Fields<'_>, bytes: &[u8]) -> String {
    let declared = fields.header().component(18, 1);
    let read = charset::read(bytes, declared, Some(WINDOWS_1252));
    read.map_or_else(|_| String::from_utf8_lossy(bytes).into_owned(), std::borrow::Cow::into_owned)
}

/// Without control characters: a message must not steer a terminal.
fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|letter| if letter.is_control() { letter.escape_default().collect() } else { vec![letter] })
        .collect()
}
