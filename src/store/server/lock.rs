//! One gateway per data folder: a lock on a file in it, held for the life of the process and gone with it, however it
//! ends.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use super::error::ServerError;

/// The lock on a data folder.
#[derive(Debug)]
pub(super) struct FolderLock(#[expect(dead_code, reason = "held for its lock")] File);

/// Takes the lock.
pub(super) fn take(data: &Path) -> Result<FolderLock, ServerError> {
    let path = data.join("gateway.lock");
    let what = || format!("locking {}", path.display());
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(ServerError::io(what()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut holder = String::new();
            let _ = file.read_to_string(&mut holder);
            let holder = if holder.trim().is_empty() { "?".to_owned() } else { holder.trim().to_owned() };
            return Err(ServerError::Locked { folder: data.to_owned(), holder });
        }
        Err(TryLockError::Error(error)) => return Err(ServerError::io(what())(error)),
    }
    let write = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    write(&mut file).map_err(ServerError::io(what()))?;
    Ok(FolderLock(file))
}
