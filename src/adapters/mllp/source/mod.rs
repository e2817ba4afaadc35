//! The MLLP source: a listener that takes HL7 v2 messages and acknowledges each when it is committed, not before (P1).
//!
//! [`senders`] tells who is at the other end of a connection, [`session`] reads frames from it and writes answers to it,
//! [`desk`] is what happens to one frame. A connection has one message under way and is not read beyond it, so a sender
//! can never be ahead of the database by more than what the network holds.

mod desk;
mod reply;
mod senders;
mod sequence;
mod session;

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::chance::Chance;
use crate::clock::Clock;
use crate::config::Config;
use crate::config::mllp::Mllp;
use crate::exchange::Sender;
use crate::gateway::{Gateway, Meter};
use crate::rejection::Rejection;
use crate::telemetry::Metrics;
use crate::tls::names::ClientNames;
use crate::tls::server::Tls;
use desk::Desk;
use senders::Senders;
use session::Session;

/// Pause after a connection could not be accepted, as when there are no more file descriptors.
const BREATH: Duration = Duration::from_millis(100);
/// Longest time for a TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(5);
/// Most connections that are not served: of whom it is not known yet who they are, and known ones that wait. Beyond it the
/// system keeps them waiting.
const ARRIVING: usize = 256;
/// Silence after which the system asks whether the sender is still there.
const KEEP_ALIVE: Duration = Duration::from_mins(1);

/// What a listener needs of the world.
#[derive(Clone)]
pub struct World {
    /// Where messages go.
    pub gateway: Gateway,
    /// The clock.
    pub clock: Clock,
    /// Makes ids of answers to what has none.
    pub chance: Chance,
    /// What is counted.
    pub metrics: Metrics,
    /// Connections run here.
    pub tasks: TaskTracker,
}

/// One listener, bound and ready.
pub struct Source {
    name: String,
    listener: TcpListener,
    tls: Option<Tls>,
    settings: Mllp,
    config: Config,
}

impl Source {
    /// Binds the listener `[mllp.NAME]`; a connection made now waits until [`Source::serve`].
    ///
    /// # Errors
    /// When the address cannot be listened on.
    pub async fn bind(name: &str, settings: &Mllp, tls: Option<Tls>, config: &Config) -> io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        if !(listener.local_addr()?.ip().is_loopback() || tls.is_some() || settings.unencrypted) {
            let sentence = "without TLS or `unencrypted = true` an MLLP listener listens on loopback addresses only";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, sentence));
        }
        Ok(Self { name: name.to_owned(), listener, tls, settings: settings.clone(), config: config.clone() })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Takes connections until `stop`; then closes the listener and every connection without a message under way, and
    /// the others when that is answered.
    pub async fn serve(self, world: World, stop: CancellationToken) {
        let Self { name, listener, tls, settings, config } = self;
        let slots = Slots::of(&name, &settings, &world.metrics);
        let arriving = Arc::new(Semaphore::new(ARRIVING));
        let senders = Senders::of(&config, &settings);
        let meters = meters(&config, &settings);
        let sequences = sequence::counts(&settings);
        let door = Arc::new(Door { name, slots, senders, meters, sequences, tls, settings, config, world });
        loop {
            let next = async {
                let place = Arc::clone(&arriving).acquire_owned().await.map_err(io::Error::other)?;
                Ok::<_, io::Error>((place, listener.accept().await?))
            };
            let accepted = tokio::select! {
                accepted = next => accepted,
                () = stop.cancelled() => return,
            };
            match accepted {
                Ok((place, (stream, address))) => {
                    let tasks = door.world.tasks.clone();
                    tasks.spawn(Arc::clone(&door).connection(stream, address, place, stop.clone()));
                }
                Err(error) => {
                    tracing::warn!(listener = door.name, %error, "an MLLP connection could not be accepted");
                    tokio::time::sleep(BREATH).await;
                }
            }
        }
    }
}

/// The rates of the sources that have one.
fn meters(config: &Config, listener: &Mllp) -> HashMap<String, Arc<Meter>> {
    let limits = listener.sources.iter().filter_map(|name| Some((name, &config.sources.get(name)?.limits)));
    let rated = limits.filter_map(|(name, limits)| {
        let meter = Meter::new(limits.rate?, limits.burst.unwrap_or(1));
        Some((name.clone(), Arc::new(meter)))
    });
    rated.collect()
}

/// The connections that a listener may have at once. Only known senders take one.
struct Slots {
    free: Arc<Semaphore>,
    most: usize,
    /// Whether somebody had to wait, and nobody has come since who did not.
    full: AtomicBool,
}

impl Slots {
    fn of(listener: &str, settings: &Mllp, metrics: &Metrics) -> Self {
        let most = settings.connections.min(Semaphore::MAX_PERMITS);
        metrics.mllp_limit(listener, most);
        Self { free: Arc::new(Semaphore::new(most)), most, full: AtomicBool::new(false) }
    }

    /// One of them, when there is one; told once while there is none. `None` when the listener has closed.
    async fn take(&self, listener: &str, sender: &Sender, metrics: &Metrics) -> Option<OwnedSemaphorePermit> {
        if let Ok(slot) = Arc::clone(&self.free).try_acquire_owned() {
            self.full.store(false, Ordering::Relaxed);
            return Some(slot);
        }
        let _waiting = metrics.mllp_waiting(listener);
        if !self.full.swap(true, Ordering::Relaxed) {
            let (source, connections) = (&sender.source, self.most);
            tracing::warn!(
                listener,
                source,
                connections,
                "all connections of the listener are in use: further senders wait until one is closed"
            );
        }
        Arc::clone(&self.free).acquire_owned().await.ok()
    }
}

/// What the connections of one listener share.
struct Door {
    name: String,
    slots: Slots,
    senders: Senders,
    /// Of the sources that have a rate.
    meters: HashMap<String, Arc<Meter>>,
    /// Of the sources whose messages are counted.
    sequences: HashMap<String, sequence::Expected>,
    tls: Option<Tls>,
    settings: Mllp,
    config: Config,
    world: World,
}

impl Door {
    /// One connection, from its acceptance to its end. `place` is given up for one of the listener's connections when it
    /// is known who calls.
    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        address: SocketAddr,
        place: OwnedSemaphorePermit,
        stop: CancellationToken,
    ) {
        // Answers are small: they go at once.
        let _ = stream.set_nodelay(true);
        let _ = SockRef::from(&stream).set_tcp_keepalive(&TcpKeepalive::new().with_time(KEEP_ALIVE));
        let Some(tls) = &self.tls else {
            return self.serve(ClientNames::default(), stream, address, place, stop).await;
        };
        let handshake = TlsAcceptor::from(tls.current()).accept(stream);
        match timeout(HANDSHAKE, handshake).await {
            Ok(Ok(stream)) => {
                let certificates = stream.get_ref().1.peer_certificates();
                let names = certificates.and_then(<[_]>::first).map(ClientNames::of).unwrap_or_default();
                self.serve(names, stream, address, place, stop).await;
            }
            Ok(Err(error)) => {
                tracing::info!(listener = self.name, %address, %error, "no TLS connection came about");
                self.stranger(address);
            }
            Err(_) => {
                tracing::info!(listener = self.name, %address, "a TLS handshake took too long");
                self.world.metrics.mllp(&self.name, "handshake_too_slow");
            }
        }
    }

    /// Waits for one of the listener's connections and serves it, if the sender is known.
    async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        names: ClientNames,
        stream: S,
        address: SocketAddr,
        place: OwnedSemaphorePermit,
        stop: CancellationToken,
    ) {
        let Some(sender) = self.sender(&names, address) else { return };
        let slot = tokio::select! {
            slot = self.slots.take(&self.name, &sender, &self.world.metrics) => slot,
            () = stop.cancelled() => return,
        };
        drop(place);
        if let Some(slot) = slot {
            self.session(sender).run(stream, stop).await;
            drop(slot);
        }
    }

    /// Who is at the other end; somebody unknown is counted.
    fn sender(&self, names: &ClientNames, address: SocketAddr) -> Option<Sender> {
        let sender = self.senders.sender(names, address.ip());
        if sender.is_none() {
            tracing::info!(listener = self.name, %address, "a connection of nobody known was closed");
            self.stranger(address);
        }
        sender
    }

    fn stranger(&self, address: SocketAddr) {
        self.world.gateway.count_refusal(address.ip(), &Rejection::Unauthenticated);
        self.world.metrics.mllp(&self.name, "stranger");
    }

    fn session(&self, sender: Sender) -> Session {
        let source = self.config.sources.get(&sender.source);
        let max_body = source.and_then(|source| source.limits.max_body).map_or(u64::MAX, |size| size.0);
        let limit = usize::try_from(self.settings.max_frame.0.min(max_body)).unwrap_or(usize::MAX);
        let desk = Desk {
            endpoint: format!("mllp/{}", self.name),
            sequence: self.sequences.get(&sender.source).cloned(),
            sender,
            settings: self.settings.clone(),
            limit: limit as u64,
            gateway: self.world.gateway.clone(),
            clock: self.world.clock.clone(),
            chance: self.world.chance.clone(),
        };
        let meter = self.meters.get(&desk.sender.source).cloned();
        Session::new(&self.name, desk, meter, limit, &self.settings, self.world.metrics.clone())
    }
}
