//! A wire to Postgres on which the answer to one commit is lost: the server has committed, and the client never hears of
//! it.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;

/// Listens in a folder of its own and passes everything on.
pub(crate) struct LostCommit {
    folder: tempfile::TempDir,
    lost: Arc<AtomicBool>,
    _tasks: JoinSet<()>,
}

const SOCKET: &str = ".s.PGSQL.5432";

impl LostCommit {
    /// Loses the answer to the first commit on a connection that has sent `statement`.
    pub(crate) fn of(server: &Path, statement: &'static str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let listener = UnixListener::bind(folder.path().join(SOCKET)).unwrap();
        let (server, lost) = (server.join(SOCKET), Arc::new(AtomicBool::new(false)));
        let flag = Arc::clone(&lost);
        let mut tasks = JoinSet::new();
        tasks.spawn(async move {
            let mut wires = JoinSet::new();
            while let Ok((client, _)) = listener.accept().await {
                let server = UnixStream::connect(&server).await.unwrap();
                wires.spawn(pass(client, server, statement, Arc::clone(&flag)));
            }
        });
        Self { folder, lost, _tasks: tasks }
    }

    /// Where to connect to instead of the server.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Whether it has happened.
    pub(crate) fn has_happened(&self) -> bool {
        self.lost.load(Ordering::SeqCst)
    }
}

fn holds(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

/// Whether the server has just committed: the tag of COMMIT, or of a statement that inserts and tells what waits, and no
/// transaction open
/// ([message formats](https://www.postgresql.org/docs/current/protocol-message-formats.html): `CommandComplete`,
/// `ReadyForQuery`).
fn is_commit(answer: &[u8]) -> bool {
    answer.ends_with(b"Z\0\0\0\x05I") && (holds(answer, "SELECT 0") || holds(answer, "COMMIT"))
}

async fn pass(mut client: UnixStream, mut server: UnixStream, statement: &str, lost: Arc<AtomicBool>) {
    let (mut asked, mut answered) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut sent = false;
    loop {
        tokio::select! {
            read = client.read(&mut asked) => {
                let Ok(count @ 1..) = read else { return };
                let bytes = &asked[..count];
                sent |= holds(bytes, statement);
                if server.write_all(bytes).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut answered) => {
                let Ok(count @ 1..) = read else { return };
                if sent && is_commit(&answered[..count]) && !lost.swap(true, Ordering::SeqCst) {
                    // Nobody is told.
                    return;
                }
                if client.write_all(&answered[..count]).await.is_err() {
                    return;
                }
            }
        }
    }
}
