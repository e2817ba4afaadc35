//! The signals that stop the process: ctrl-C, and the one service managers send.

use tokio::signal::unix::{SignalKind, signal};

/// Waits for ctrl-C or a termination signal.
///
/// # Errors
/// When the system does not let us listen for signals.
pub async fn stop_signal() -> std::io::Result<()> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    Ok(())
}
