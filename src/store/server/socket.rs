//! The folder of the server's socket. It is the only door (there is no TCP), and its password is the folder itself:
//! only we and the account that Postgres runs as may enter it.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::account::{Account, give};
use super::error::ServerError;

/// The port number in the socket's file name.
pub(super) const PORT: u16 = 5432;

/// `sun_path` of [unix(7)](https://man7.org/linux/man-pages/man7/unix.7.html) is 108 bytes (104 on a Mac) with the
/// closing zero and the file name `/.s.PGSQL.5432`.
const LONGEST: usize = 104 - 1 - "/.s.PGSQL.5432".len();

/// The socket folder for a data folder: inside it, or when that path is too long, a private one in `temporary` whose
/// path is written to `socket-folder` in the data folder.
pub(super) fn folder(data: &Path, temporary: &Path, account: Option<&Account>) -> Result<PathBuf, ServerError> {
    let owner = account.map_or_else(|| rustix::process::geteuid().as_raw(), Account::uid);
    let inside = data.join("socket");
    if inside.as_os_str().len() <= LONGEST {
        return if take(&inside, owner, account)? { Ok(inside) } else { Err(not_ours(&inside)) };
    }
    let name = hex::encode(&Sha256::digest(data.as_os_str().as_encoded_bytes())[..6]);
    for number in 0..100 {
        let short = temporary.join(format!("signalbox-{name}-{number}"));
        // One that somebody else has put there is passed over.
        if take(&short, owner, account)? {
            let record = data.join("socket-folder");
            fs::write(&record, format!("{}\n", short.display())).map_err(ServerError::at(&record))?;
            return Ok(short);
        }
    }
    Err(not_ours(temporary))
}

/// The socket folder that [`folder`] has made for a data folder, if it ever has.
pub(super) fn known(data: &Path) -> Option<PathBuf> {
    let recorded = fs::read_to_string(data.join("socket-folder")).ok().map(|text| PathBuf::from(text.trim_end()));
    recorded.or_else(|| Some(data.join("socket"))).filter(|folder| folder.is_dir())
}

/// Removes the socket of a server that is gone. Its lock names a process id, which Postgres would believe even when
/// another program has it by now; only the holder of the data folder's lock may call this.
pub(super) fn sweep(folder: &Path) -> Result<(), ServerError> {
    for name in [format!(".s.PGSQL.{PORT}"), format!(".s.PGSQL.{PORT}.lock")] {
        let path = folder.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(ServerError::at(&path)(error)),
            _ => {}
        }
    }
    Ok(())
}

/// Makes the folder, or finds that it is there and as private as we would make it.
fn take(path: &Path, owner: u32, account: Option<&Account>) -> Result<bool, ServerError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => give(account, path).map(|()| true),
        Err(error) => {
            // Not through a symbolic link: that could lead anywhere.
            let Ok(found) = fs::symlink_metadata(path) else { return Err(ServerError::at(path)(error)) };
            Ok(found.is_dir() && found.uid() == owner && found.mode() & 0o777 == 0o700)
        }
    }
}

fn not_ours(path: &Path) -> ServerError {
    let why = "is in use by somebody else, or is not private (mode 0700)";
    ServerError::File { path: path.to_owned(), source: std::io::Error::other(why) }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_long_data_path_gets_a_short_private_folder_that_nobody_else_prepared() {
        let temporary = tempfile::tempdir().unwrap();
        let data = temporary.path().join("a-long-name".repeat(12));
        fs::create_dir(&data).unwrap();
        let first = folder(&data, temporary.path(), None).unwrap();
        assert!(first.as_os_str().len() <= LONGEST);
        assert_eq!(fs::read_to_string(data.join("socket-folder")).unwrap().trim(), first.to_string_lossy());
        assert_eq!(folder(&data, temporary.path(), None).unwrap(), first, "the same data folder, the same socket");
        assert_eq!(known(&data).as_ref(), Some(&first));

        fs::set_permissions(&first, Permissions::from_mode(0o777)).unwrap();
        let second = folder(&data, temporary.path(), None).unwrap();
        assert_ne!(second, first, "a folder that others may enter is not used");
        fs::remove_dir(&second).unwrap();
        symlink(&data, &second).unwrap();
        assert_ne!(folder(&data, temporary.path(), None).unwrap(), second, "nor is a link");
    }
}
