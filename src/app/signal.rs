//! What stops the process: ctrl-C, the signal that service managers send, and, for a child, the end of its standard input.

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::oneshot;

/// Listens for the signals from when it is made: one that comes before anybody waits is not lost.
#[derive(Debug)]
pub struct StopSignal {
    interrupt: Signal,
    terminate: Signal,
    input: Option<oneshot::Receiver<()>>,
}

impl StopSignal {
    /// Begins to listen.
    ///
    /// # Errors
    /// When the system does not let us listen for signals.
    pub fn listen() -> std::io::Result<Self> {
        let (interrupt, terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate, input: None })
    }

    /// As [`StopSignal::listen`], and where `leashed`, for the end of standard input too: it comes with the end of whoever
    /// started us, however that ends.
    ///
    /// # Errors
    /// When the system does not let us listen for signals.
    pub fn listen_as_child(leashed: bool) -> std::io::Result<Self> {
        Ok(Self { input: leashed.then(end_of_input), ..Self::listen()? })
    }

    /// Waits until it is time to stop.
    pub async fn wait(&mut self) {
        let ended = async {
            match &mut self.input {
                // Whether it was told or the thread is gone: there is no more input.
                Some(input) => drop(input.await),
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = ended => {}
        }
    }
}

/// Told once there is no more input. On a thread of its own, which nobody waits for at the end: it may read for ever.
fn end_of_input() -> oneshot::Receiver<()> {
    let (told, ended) = oneshot::channel();
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut std::io::stdin().lock(), &mut std::io::sink());
        let _ = told.send(());
    });
    ended
}
