//! `signalbox hl7 …`: what an interface analyst does all day: read a message, send one, listen for what comes.

mod listen;
mod send;
mod show;

use std::io::Read;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;

use super::World;
use crate::adapters::mllp::framing::{Deframer, Found};
use crate::formats::hl7v2::batch::{self, Content};
use crate::formats::hl7v2::fields::Fields;

#[derive(Subcommand)]
pub(super) enum Hl7 {
    /// Show the messages of a file, segments and fields by name
    Show(show::Show),
    /// Send the messages of a file by MLLP, one after the other, and tell what is answered
    Send(send::Send),
    /// Listen by MLLP, show what comes and acknowledge it
    Listen(listen::Listen),
}

impl Hl7 {
    pub(super) async fn run(self, world: World) -> anyhow::Result<ExitCode> {
        match self {
            Self::Show(show) => show.run(),
            Self::Send(send) => send.run().await,
            Self::Listen(listen) => listen.run(world).await,
        }
    }
}

/// Longest message that is read.
const LONGEST: usize = 256 << 20;

/// The bytes of a file; `-` is standard input.
fn read(file: &Path) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    if file.as_os_str() == "-" {
        std::io::stdin().lock().read_to_end(&mut bytes).context("standard input cannot be read")?;
    } else {
        bytes = std::fs::read(file).with_context(|| format!("{} cannot be read", file.display()))?;
    }
    Ok(bytes)
}

/// The messages of a file: framed or not, one, several or a batch.
///
/// # Errors
/// When there is none, or a batch is not whole.
fn messages(bytes: &[u8], name: &Path) -> anyhow::Result<Vec<Vec<u8>>> {
    let name = name.display();
    let framed = bytes.contains(&0x0B);
    let pieces = if framed { unframed(bytes) } else { vec![bytes.to_vec()] };
    let mut messages = Vec::new();
    for piece in &pieces {
        match batch::content(piece) {
            Content::One(one) => messages.push(one.to_vec()),
            Content::Several(several) | Content::Batch { messages: several, .. } => {
                messages.extend(several.into_iter().map(<[u8]>::to_vec));
            }
            Content::Broken { place, sentence, .. } => anyhow::bail!("{name}: {place}: {sentence}"),
        }
    }
    anyhow::ensure!(!messages.is_empty(), "{name}: there is no whole frame in it (0B … 1C 0D)");
    for (number, message) in (1..).zip(&messages) {
        let which = if messages.len() == 1 { String::new() } else { format!("message {number}: ") };
        anyhow::ensure!(
            Fields::read(message).is_some(),
            "{name}: {which}this is no HL7 v2 message: it does not begin with MSH"
        );
    }
    Ok(messages)
}

fn unframed(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut deframer = Deframer::new(LONGEST);
    // A frame that is too long is found as such, and passed over.
    let _ = deframer.push(bytes);
    let mut found = Vec::new();
    while let Some(next) = deframer.found() {
        if let Found::Message(message) = next {
            found.push(message.to_vec());
        }
    }
    found.extend(deframer.pop_unterminated().map(|message| message.to_vec()));
    found
}
