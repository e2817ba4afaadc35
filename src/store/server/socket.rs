//! The folder of the private socket: in the data folder, or, where that path is too long for a socket (108 bytes), in
//! the temporary folder. Nobody else may enter it; that is what guards the server.

use std::fs::{self, DirBuilder, Permissions};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::error::ServerError;
use super::user::{self, User};

/// Longest folder: `/.s.PGSQL.5432` and a zero byte must still fit.
const LONGEST: usize = 107 - "/.s.PGSQL.5432".len();

/// Where the socket of a data folder is.
pub(super) fn folder(data: &Path) -> PathBuf {
    let inside = data.join("run");
    if inside.as_os_str().as_bytes().len() <= LONGEST {
        return inside;
    }
    let mut hash = DefaultHasher::new();
    data.hash(&mut hash);
    std::env::temp_dir().join(format!("signalbox-{:016x}", hash.finish()))
}

/// Makes the folder for the user that Postgres runs as, and for nobody else.
pub(super) fn make(data: &Path, user: Option<&User>) -> Result<PathBuf, ServerError> {
    let folder = folder(data);
    let what = format!("making {}", folder.display());
    if let Ok(about) = fs::symlink_metadata(&folder) {
        // In a temporary folder anybody might have put something of this name.
        let ours = about.is_dir()
            && (rustix::process::geteuid().is_root() || about.uid() == rustix::process::geteuid().as_raw());
        if !ours {
            let error = std::io::Error::new(std::io::ErrorKind::AlreadyExists, "somebody else's is in the way");
            return Err(ServerError::io(what)(error));
        }
    } else {
        DirBuilder::new().mode(0o700).create(&folder).map_err(ServerError::io(&*what))?;
    }
    fs::set_permissions(&folder, Permissions::from_mode(0o700)).map_err(ServerError::io(what))?;
    user::give(&folder, user)?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_data_folder_gets_a_short_socket() {
        assert_eq!(folder(Path::new("/srv/data")), Path::new("/srv/data/run"));
        let long = PathBuf::from(format!("/srv/{}", "x".repeat(120)));
        assert!(folder(&long).as_os_str().len() <= LONGEST);
        assert_eq!(folder(&long), folder(&long));
    }
}
