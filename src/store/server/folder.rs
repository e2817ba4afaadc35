//! The data folder of a server of our own, and the lock that makes it ours. The lock belongs to the process and the
//! kernel drops it however the process ends, so it never goes stale.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::error::ServerError;

/// How often a lock that somebody holds is tried again, and after which pauses.
const TRIES: u32 = 8;
const PAUSE: Duration = Duration::from_millis(25);

/// A data folder that is locked for as long as this lives.
#[derive(Debug)]
pub(super) struct DataFolder {
    path: PathBuf,
    _lock: File,
}

impl DataFolder {
    /// Makes the folder if there is none, and locks it.
    pub(super) fn take(path: &Path) -> Result<Self, ServerError> {
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(ServerError::at(parent))?;
        }
        make_private(path)?;
        let path = path.canonicalize().map_err(ServerError::at(path))?;
        let lock = lock(&path)?;
        Ok(Self { path, _lock: lock })
    }

    /// Where it is, absolute and without symbolic links.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Postgres's own folder.
    pub(super) fn cluster(&self) -> PathBuf {
        self.path.join("postgres")
    }

    /// The server's log.
    pub(super) fn log(&self) -> PathBuf {
        self.path.join("postgres.log")
    }

    /// Where a fetched wheel is kept and unpacked.
    pub(super) fn wheel(&self) -> PathBuf {
        self.path.join("postgres-wheel")
    }
}

/// Makes a folder that only its owner may enter; one that is already there is left as it is.
pub(super) fn make_private(path: &Path) -> Result<(), ServerError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Err(error) if path.is_dir() => {
            drop(error);
            Ok(())
        }
        made => made.map_err(ServerError::at(path)),
    }
}

/// Tries for a moment: a process that was just started holds what its parent held until it runs its own program.
fn patiently(file: &File) -> Result<(), TryLockError> {
    for _ in 0..TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(PAUSE),
            other => return other,
        }
    }
    file.try_lock()
}

fn lock(folder: &Path) -> Result<File, ServerError> {
    // Not `signalbox.lock`: the data folder may be the configuration folder, where that pins packages.
    let path = folder.join("process.lock");
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(ServerError::at(&path))?;
    match patiently(&file) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            // The lock is what counts; the process id is only there to help.
            let _ = file.read_to_string(&mut holder);
            return Err(ServerError::Held { folder: folder.to_owned(), holder: holder.trim().parse().ok() });
        }
        Err(TryLockError::Error(source)) => return Err(ServerError::File { path, source }),
    }
    file.set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()))
        .map_err(ServerError::at(&path))?;
    Ok(file)
}
