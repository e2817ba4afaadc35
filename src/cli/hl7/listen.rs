//! `signalbox hl7 listen --port N`: shows every message that comes by MLLP and acknowledges it, until ctrl-C. It keeps
//! nothing.

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::ExitCode;

use anyhow::Context;
use bytes::Bytes;
use clap::{Args, ValueEnum};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_util::task::TaskTracker;

use crate::adapters::mllp::framing::{Deframer, frame};
use crate::app::StopSignal;
use crate::chance::Chance;
use crate::cli::World;
use crate::clock::Clock;
use crate::exchange::ids::Id;
use crate::formats::hl7v2::ack::Code;
use crate::formats::hl7v2::acknowledge::{self, Acknowledgement, Error};
use crate::formats::hl7v2::fields::Fields;
use crate::formats::hl7v2::header::Header;

#[derive(Args)]
pub(in crate::cli) struct Listen {
    /// Port to listen on; 0 takes a free one
    #[arg(long)]
    port: u16,
    /// Address to listen on, loopback unless --exposed
    #[arg(long, default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    host: IpAddr,
    /// Listen on other addresses too
    #[arg(long)]
    exposed: bool,
    /// What to answer
    #[arg(long, value_enum, default_value_t = Answer::Aa)]
    answer: Answer,
    /// Code of table 0357 in a negative answer
    #[arg(long, default_value_t = 207)]
    error: u16,
    /// Stop after so many messages
    #[arg(long, value_name = "N")]
    count: Option<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Answer {
    /// Accepted
    Aa,
    /// An error: the sender may try again
    Ae,
    /// Refused
    Ar,
    /// Nothing at all
    None,
}

impl Listen {
    pub(super) async fn run(self, world: World) -> anyhow::Result<ExitCode> {
        let address = SocketAddr::new(self.host, self.port);
        let sentence =
            "a listener for tests takes whatever comes: it listens on loopback addresses only, unless --exposed";
        anyhow::ensure!(self.exposed || self.host.is_loopback(), "{address}: {sentence}");
        let listener = TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))?;
        let mut signal = StopSignal::listen()?;
        writeln!(std::io::stdout(), "listening on {}", listener.local_addr()?)?;
        let (told, mut messages) = mpsc::channel::<Told>(1);
        let (answer, error) = (self.answer, self.error);
        let desk = Desk { answer, error, clock: world.clock, chance: world.chance, told };
        let (senders, connections) = (TaskTracker::new(), TaskTracker::new());
        senders.spawn(async move {
            while let Ok((stream, peer)) = listener.accept().await {
                let desk = desk.clone();
                // A sender that hangs up is nothing to tell of.
                connections.spawn(async move { desk.talk(stream, peer).await });
            }
        });
        let mut left = self.count;
        while left != Some(0) {
            tokio::select! {
                () = signal.wait() => break,
                told = messages.recv() => match told {
                    Some(told) => {
                        show(&told)?;
                        let _ = told.shown.send(());
                        left = left.map(|left| left - 1);
                    }
                    None => break,
                },
            }
        }
        // The last answer is on its way.
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        Ok(ExitCode::SUCCESS)
    }
}

/// A message that came, and who waits until it has been shown.
struct Told {
    peer: SocketAddr,
    message: Bytes,
    shown: tokio::sync::oneshot::Sender<()>,
}

fn show(told: &Told) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "\nfrom {}, {} bytes", told.peer, told.message.len())?;
    match Fields::read(&told.message) {
        Some(fields) => super::show::tell(&mut out, &fields),
        None => writeln!(out, "this is no HL7 v2 message: it does not begin with MSH"),
    }
}

#[derive(Clone)]
struct Desk {
    answer: Answer,
    error: u16,
    clock: Clock,
    chance: Chance,
    told: mpsc::Sender<Told>,
}

impl Desk {
    async fn talk(&self, mut stream: TcpStream, peer: SocketAddr) -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut deframer = Deframer::new(super::LONGEST);
        let mut buffer = vec![0; 64 * 1024];
        loop {
            let count = stream.read(&mut buffer).await?;
            if count == 0 {
                return Ok(());
            }
            deframer.push(&buffer[..count]).map_err(std::io::Error::other)?;
            while let Some(message) = deframer.pop() {
                let answer = self.acknowledgement(&message);
                let (shown, seen) = tokio::sync::oneshot::channel();
                if self.told.send(Told { peer, message, shown }).await.is_err() || seen.await.is_err() {
                    return Ok(());
                }
                if self.answer != Answer::None {
                    stream.write_all(&frame(&answer)).await?;
                }
            }
        }
    }

    fn acknowledgement(&self, message: &[u8]) -> Vec<u8> {
        let header = Header::read(message);
        let at = self.clock.now();
        let code = match (self.answer, &header) {
            (Answer::Ae, _) => Code::AE,
            (Answer::Ar, _) | (_, None) => Code::AR,
            _ => Code::AA,
        };
        let error = (code != Code::AA).then_some(Error { code: self.error, place: "" });
        let control_id = Id::new(at, &self.chance).to_string();
        let text = if code == Code::AA { "" } else { "The listener was told to answer so." };
        acknowledge::write(
            header.as_ref(),
            &Acknowledgement { code, control_id: &control_id, at, text, expected: None, error },
        )
    }
}
