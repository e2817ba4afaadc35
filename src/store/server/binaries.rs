//! PostgreSQL binaries on this machine: on the PATH first, then where packages of Debian, Red Hat and Homebrew put
//! them. Distributions keep `postgres` and `initdb` off the PATH, side by side in a folder per version.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The oldest major version that the migrations are written for.
pub(super) const OLDEST: u32 = 14;

/// A folder that holds `postgres` and `initdb` of one version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    /// The folder.
    pub(super) folder: PathBuf,
    /// Major version, such as 15.
    pub(super) major: u32,
}

impl Binaries {
    /// Those in `folder`, if both programs are there and `postgres` tells its version.
    pub(super) fn in_folder(folder: &Path) -> Option<Self> {
        let postgres = folder.join("postgres");
        let folder = if folder.join("initdb").is_file() {
            folder.to_owned()
        } else {
            // `postgres` alone may be linked into the PATH; its fellows are where the link leads.
            postgres.canonicalize().ok()?.parent().filter(|real| real.join("initdb").is_file())?.to_owned()
        };
        let said = Command::new(postgres).arg("--version").env_clear().current_dir("/").output().ok()?;
        let major = major_of(&String::from_utf8_lossy(&said.stdout))?;
        Some(Self { folder, major })
    }
}

/// Every usable version in the folders of `path` and then in `folders`; the first is the one to take.
pub(super) fn find(path: Option<&OsStr>, folders: &[PathBuf]) -> Vec<Binaries> {
    let on_path = path.map(|path| std::env::split_paths(path).collect::<Vec<_>>()).unwrap_or_default();
    let mut found: Vec<Binaries> = Vec::new();
    for folder in on_path.iter().chain(folders).filter(|folder| folder.is_absolute()) {
        if let Some(binaries) = Binaries::in_folder(folder)
            && binaries.major >= OLDEST
            && !found.contains(&binaries)
        {
            found.push(binaries);
        }
    }
    // Stable: among equals the PATH has the say.
    found.sort_by_key(|binaries| std::cmp::Reverse(binaries.major));
    found
}

/// The folders where packages put PostgreSQL, as far as they are on this machine.
#[must_use]
pub fn package_folders() -> Vec<PathBuf> {
    let mut folders = Vec::new();
    for (parent, prefix, below) in [
        ("/usr/lib/postgresql", "", "bin"),
        ("/usr", "pgsql-", "bin"),
        ("/opt/homebrew/opt", "postgresql@", "bin"),
        ("/usr/local/opt", "postgresql@", "bin"),
    ] {
        let entries = fs::read_dir(parent).into_iter().flatten().flatten();
        folders.extend(
            entries
                .filter(|entry| entry.file_name().to_string_lossy().starts_with(prefix))
                .map(|entry| entry.path().join(below))
                .filter(|folder| folder.join("postgres").is_file()),
        );
    }
    folders
}

/// The major version in `postgres (PostgreSQL) 15.18 (Debian …)`.
fn major_of(said: &str) -> Option<u32> {
    let version = said.strip_prefix("postgres (PostgreSQL) ")?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_postgres_says() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major_of("postgres: command not found"), None);
    }
}
