//! The listening end: connections with their limits, TLS, HTTP/1.1 and HTTP/2. A slow or silent client costs a
//! connection for a while and nobody else's time; past the limit of connections, more wait in the kernel's queue.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::HeaderMap;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower_service::Service;

use super::opening::Opening;
use crate::config::http::Http;
use crate::tls::names::ClientNames;
use crate::tls::server::Tls;

/// Requests of one HTTP/2 connection under way at once.
const STREAMS: u32 = 256;
/// How often a silent HTTP/2 connection is asked whether somebody is there.
const PING_EVERY: Duration = Duration::from_secs(30);
/// Pause after a connection could not be accepted, as when there are no more file descriptors.
const BREATH: Duration = Duration::from_millis(100);

/// What the listening end needs.
pub struct Listening {
    /// Where connections come in.
    pub listener: TcpListener,
    /// TLS, when the front door speaks it.
    pub tls: Option<Tls>,
    /// The `[http]` section.
    pub settings: Http,
    /// What answers.
    pub router: Router,
    /// Connections run here.
    pub tasks: TaskTracker,
}

/// Serves until `shutdown`, then lets the requests under way end.
///
/// # Errors
/// When the listener is not on loopback and the settings have neither TLS nor a proxy.
pub async fn serve(listening: Listening, shutdown: CancellationToken) -> io::Result<()> {
    let Listening { listener, tls, settings, router, tasks } = listening;
    if !(listener.local_addr()?.ip().is_loopback() || tls.is_some() || settings.behind_proxy) {
        let sentence = "without TLS or a proxy the front door listens on loopback addresses only";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, sentence));
    }
    let slots = Arc::new(Semaphore::new(settings.connections.min(Semaphore::MAX_PERMITS)));
    let (head_timeout, behind_proxy) = (settings.head_timeout.0, settings.behind_proxy);
    let server = Arc::new(Server { builder: builder(&settings), router, tls, head_timeout, behind_proxy });
    let (connections, closing) = (TaskTracker::new(), CancellationToken::new());
    loop {
        let next = async {
            let slot = Arc::clone(&slots).acquire_owned().await.map_err(io::Error::other)?;
            Ok::<_, io::Error>((slot, listener.accept().await?))
        };
        let accepted = tokio::select! {
            accepted = next => accepted,
            () = shutdown.cancelled() => break,
        };
        match accepted {
            Ok((slot, (stream, address))) => {
                let connection = Arc::clone(&server).connection(stream, address, slot, closing.clone());
                tasks.spawn(connections.track_future(connection));
            }
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
    drop(listener);
    closing.cancel();
    connections.close();
    connections.wait().await;
    Ok(())
}

fn builder(settings: &Http) -> Builder<TokioExecutor> {
    let head = usize::try_from(settings.max_header.0).unwrap_or(usize::MAX);
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(settings.head_timeout.0).max_buf_size(head);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .keep_alive_timeout(settings.head_timeout.0)
        .max_concurrent_streams(STREAMS)
        .max_header_list_size(u32::try_from(head).unwrap_or(u32::MAX));
    builder
}

struct Server {
    builder: Builder<TokioExecutor>,
    router: Router,
    tls: Option<Tls>,
    head_timeout: Duration,
    behind_proxy: bool,
}

impl Server {
    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        address: SocketAddr,
        slot: OwnedSemaphorePermit,
        closing: CancellationToken,
    ) {
        // Answers are small: they go at once.
        let _ = stream.set_nodelay(true);
        let Some(tls) = &self.tls else {
            return self.requests(stream, address, ClientNames::default(), slot, closing).await;
        };
        match timeout(self.head_timeout, TlsAcceptor::from(tls.current()).accept(stream)).await {
            Ok(Ok(stream)) => {
                let certificates = stream.get_ref().1.peer_certificates();
                let names = certificates.and_then(<[_]>::first).map(ClientNames::of).unwrap_or_default();
                self.requests(stream, address, names, slot, closing).await;
            }
            Ok(Err(error)) => tracing::info!(%address, %error, "no TLS connection came about"),
            Err(_) => tracing::info!(%address, "a TLS handshake took too long"),
        }
    }

    async fn requests<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(
        &self,
        stream: S,
        address: SocketAddr,
        names: ClientNames,
        slot: OwnedSemaphorePermit,
        closing: CancellationToken,
    ) {
        let begun = Arc::new(AtomicU64::new(0));
        let (router, behind_proxy) = (self.router.clone(), self.behind_proxy);
        let attended = Attended { router, address, names, behind_proxy, begun: Arc::clone(&begun) };
        let service = hyper_util::service::TowerToHyperService::new(attended);
        let stream = TokioIo::new(Opening::new(stream, self.head_timeout));
        let mut connection = pin!(self.builder.serve_connection(stream, service).into_owned());
        let ended = tokio::select! {
            ended = connection.as_mut() => Some(ended),
            () = closing.cancelled() => None,
            // Nothing is under way where nothing was asked.
            () = self.idle(&begun) => (begun.load(Ordering::Relaxed) == 0).then_some(Ok(())),
        };
        let ended = if let Some(ended) = ended {
            ended
        } else {
            connection.as_mut().graceful_shutdown();
            connection.await
        };
        if let Err(error) = ended {
            tracing::debug!(%address, %error, "a connection ended badly");
        }
        drop(slot);
    }

    /// Waits until no request has begun for a while, which for the first one is the time to begin its head and the time
    /// for the head. HTTP/1.1 has such limits itself; of HTTP/2 nothing else ends a connection whose client asks for
    /// nothing and answers pings.
    async fn idle(&self, begun: &AtomicU64) {
        let mut before = None;
        loop {
            tokio::time::sleep(self.head_timeout).await;
            let now = begun.load(Ordering::Relaxed);
            if before.replace(now) == Some(now) {
                return;
            }
        }
    }
}

/// Tells each request who is at the other end of its connection, or of the one to our proxy.
#[derive(Clone)]
struct Attended {
    router: Router,
    address: SocketAddr,
    names: ClientNames,
    behind_proxy: bool,
    /// Requests so far.
    begun: Arc<AtomicU64>,
}

impl<B> Service<axum::http::Request<B>> for Attended
where
    B: axum::body::HttpBody<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<axum::BoxError>,
{
    type Response = axum::response::Response;
    type Error = std::convert::Infallible;
    type Future = axum::routing::future::RouteFuture<std::convert::Infallible>;

    fn poll_ready(&mut self, context: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Self::Error>> {
        Service::<axum::http::Request<Body>>::poll_ready(&mut self.router, context)
    }

    fn call(&mut self, request: axum::http::Request<B>) -> Self::Future {
        self.begun.fetch_add(1, Ordering::Relaxed);
        let mut request = request.map(Body::new);
        let told = self.behind_proxy.then(|| forwarded_for(request.headers())).flatten();
        request.extensions_mut().insert(ConnectInfo(told.unwrap_or(self.address)));
        request.extensions_mut().insert(self.names.clone());
        self.router.call(request)
    }
}

/// The address our own proxy saw: the last one, because those before it are anybody's claim. Port 0 where it names none.
fn forwarded_for(headers: &HeaderMap) -> Option<SocketAddr> {
    let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
    let last = last.rsplit(',').next()?.trim();
    last.parse().or_else(|_| last.parse().map(|ip: IpAddr| SocketAddr::new(ip, 0))).ok()
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn only_what_our_own_proxy_added_is_believed() {
        let seen = |lines: &[&'static str]| {
            let lines = lines.iter().map(|line| ("x-forwarded-for".parse().unwrap(), HeaderValue::from_static(line)));
            forwarded_for(&lines.collect::<HeaderMap>()).map(|address| address.to_string())
        };
        assert_eq!(seen(&["10.0.0.1, 192.0.2.7"]).as_deref(), Some("192.0.2.7:0"));
        assert_eq!(seen(&["192.0.2.7", "2001:db8::1"]).as_deref(), Some("[2001:db8::1]:0"));
        assert_eq!(seen(&["192.0.2.7:4711"]).as_deref(), Some("192.0.2.7:4711"));
        assert_eq!(seen(&["192.0.2.7, unknown"]), None, "not the one before it");
        assert_eq!(seen(&[]), None);
    }
}
