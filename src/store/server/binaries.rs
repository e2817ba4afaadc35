//! Finds the Postgres of this machine: on the path, then where Debian, Red Hat and Homebrew put versions side by side.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The programs of one Postgres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) folder: PathBuf,
    pub(super) major: u32,
}

/// The oldest that has everything the schema uses.
const OLDEST: u32 = 14;

/// Folders with one folder per version, and what lies between version and programs.
const VERSIONED: [(&str, &str); 4] =
    [("/usr/lib/postgresql", "bin"), ("/usr", "bin"), ("/opt/homebrew/opt", "bin"), ("/usr/local/opt", "bin")];

/// The newest Postgres here; the one on the path wins over the others.
pub(super) fn find(path: Option<&OsStr>) -> Option<Binaries> {
    let on_path = path.into_iter().flat_map(std::env::split_paths).filter_map(|folder| inspect(&folder));
    on_path.max_by_key(|found| found.major).or_else(|| {
        let versioned = VERSIONED.iter().flat_map(|(root, inside)| versions(Path::new(root), inside));
        versioned.filter_map(|folder| inspect(&folder)).max_by_key(|found| found.major)
    })
}

fn versions(root: &Path, inside: &str) -> Vec<PathBuf> {
    let named =
        |name: &str| name.parse::<u32>().is_ok() || name.starts_with("pgsql-") || name.starts_with("postgresql@");
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| entry.file_name().to_str().is_some_and(named));
    folders.map(|entry| entry.path().join(inside)).collect()
}

/// The Postgres in this folder, when both programs are there and new enough.
pub(super) fn inspect(folder: &Path) -> Option<Binaries> {
    // Links lead to the real folder: `initdb` looks for its files beside itself.
    let program = fs::canonicalize(folder.join("postgres")).ok()?;
    let folder = program.parent()?.to_path_buf();
    if !folder.join("initdb").is_file() {
        return None;
    }
    let said = Command::new(&program).arg("--version").output().ok()?;
    let major = major(&String::from_utf8_lossy(&said.stdout))?;
    (major >= OLDEST).then_some(Binaries { folder, major })
}

/// `postgres (PostgreSQL) 15.18 (Debian …)`
fn major(said: &str) -> Option<u32> {
    let version = said.split_once(") ")?.1;
    let digits = version.split(|letter: char| !letter.is_ascii_digit()).next()?;
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read() {
        assert_eq!(major("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major("postgres (PostgreSQL) 18beta1\n"), Some(18));
        assert_eq!(major("something else"), None);
    }

    #[test]
    fn a_folder_without_postgres_has_none() {
        assert_eq!(inspect(Path::new("/nowhere")), None);
    }
}
