//! `signalbox hl7 send FILE --to HOST:PORT`: sends each message of a file in a frame of its own over one connection, waits
//! for its acknowledgement and tells it. Exit codes: 0 all were accepted, 1 some were not, 2 one was not answered.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use clap::Args;

use crate::adapters::mllp::connection::Connection;
use crate::adapters::mllp::framing;
use crate::config::tls::PartnerTls;
use crate::config::units::Period;
use crate::formats::hl7v2::ack::{self, Code};
use crate::formats::hl7v2::fields::Fields;
use crate::formats::hl7v2::header::Header;
use crate::tls::client::Client;

#[derive(Args)]
pub(in crate::cli) struct Send {
    /// A file with messages, framed or not; - is standard input
    file: PathBuf,
    /// Where to
    #[arg(long, value_name = "HOST:PORT")]
    to: String,
    /// How long to wait for the connection and for each acknowledgement
    #[arg(long, default_value = "30s")]
    timeout: Period,
    /// Send the whole file in one frame, as it is: a batch, or something broken on purpose
    #[arg(long)]
    whole: bool,
    /// Speak TLS, and trust the authorities in this PEM file
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// PEM file with a certificate to prove ourselves with
    #[arg(long, value_name = "FILE", requires_all = ["ca", "key"])]
    certificate: Option<PathBuf>,
    /// PEM file with its private key
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
}

impl Send {
    pub(super) async fn run(self) -> anyhow::Result<ExitCode> {
        let bytes = super::read(&self.file)?;
        let messages = if self.whole { vec![bytes] } else { super::messages(&bytes, &self.file)? };
        let (host, port) = self.to.rsplit_once(':').unwrap_or_default();
        let is_address = !host.is_empty() && port.parse::<u16>().is_ok();
        ensure!(is_address, "--to {}: expected host and port, such as tie.example.nhs.uk:2575", self.to);
        let tls = self.tls(host.trim_start_matches('[').trim_end_matches(']'))?;
        let patience = self.timeout.0;
        let opened = tokio::time::timeout(patience, Connection::open(&self.to, tls.as_ref(), super::LONGEST));
        let opened = opened.await.with_context(|| format!("{}: no connection within {}", self.to, self.timeout))?;
        let mut connection = opened.with_context(|| format!("{}: no connection", self.to))?;
        let mut all = true;
        for message in &messages {
            all &= self.send(&mut connection, message, patience).await?;
        }
        Ok(ExitCode::from(u8::from(!all)))
    }

    fn tls(&self, host: &str) -> anyhow::Result<Option<Client>> {
        let Some(authorities) = self.ca.clone() else { return Ok(None) };
        let (certificate, key) = (self.certificate.clone().unwrap_or_default(), self.key.clone().unwrap_or_default());
        let settings = PartnerTls { authorities, certificate, key, name: String::new() };
        Client::load(&settings, host, std::path::Path::new(""))
            .map(Some)
            .map_err(|(setting, sentence)| anyhow::anyhow!("{setting}: {sentence}"))
    }

    /// Sends one message and tells its answer; whether it was accepted.
    async fn send(&self, connection: &mut Connection, message: &[u8], patience: Duration) -> anyhow::Result<bool> {
        let header = Header::read(message);
        let field = |number| header.as_ref().map(|header| header.field(number)).unwrap_or_default();
        let control_id = String::from_utf8_lossy(field(10)).into_owned();
        let kind = header.as_ref().map(Header::kind).unwrap_or_default();
        let mut out = std::io::stdout().lock();
        write!(out, "{control_id}  {kind}  ")?;
        let frame = framing::frame(message);
        if (field(15), field(16)) == (b"NE", b"NE") {
            connection.tell(message).await.context("the message could not be sent")?;
            writeln!(out, "sent; no acknowledgement is asked for (MSH-15 and MSH-16 are NE)")?;
            return Ok(true);
        }
        let begun = Instant::now();
        let answer = tokio::time::timeout(patience, connection.ask(&frame)).await;
        let answer = match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => anyhow::bail!("message {control_id} was not acknowledged: {error}"),
            Err(_) => anyhow::bail!("message {control_id} was not acknowledged within {}", self.timeout),
        };
        let took = begun.elapsed().as_secs_f64() * 1000.0;
        let ack = match ack::read(&answer) {
            Ok(ack) => ack,
            Err(error) => {
                writeln!(out, "{error} ({took:.1} ms)\n  {}", String::from_utf8_lossy(&answer).escape_debug())?;
                return Ok(false);
            }
        };
        let errors: Vec<String> = ack.errors.iter().map(|code| format!(" error {code}")).collect();
        writeln!(out, "{}{} ({took:.1} ms){}", ack.code.as_str(), errors.concat(), said(&answer))?;
        let ours = ack.control_id == control_id;
        if !ours {
            writeln!(out, "  this acknowledges another message: MSA-2 is '{}'", ack.control_id.escape_debug())?;
        }
        Ok(ours && matches!(ack.code, Code::AA | Code::CA))
    }
}

/// MSA-3, or ERR-8: what the partner says to people.
fn said(answer: &[u8]) -> String {
    let Some(fields) = Fields::read(answer) else { return String::new() };
    let places = ["MSA-3", "ERR-8"].into_iter().filter_map(|place| place.parse().ok());
    let text = places.filter_map(|place| fields.get(&place)).find(|text| !text.is_empty());
    text.map(|text| format!("  {}", String::from_utf8_lossy(text).escape_debug())).unwrap_or_default()
}
