//! The secret behind key columns: configured, or made once and kept in the data folder for the owner's eyes only.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::StartError;
use crate::chance::Chance;
use crate::config::Config;
use crate::exchange::keys::SearchKey;

pub(crate) fn load(config: &Config, chance: &Chance) -> Result<SearchKey, StartError> {
    let secret = match config.identity.search_key.expose() {
        "" => kept(&config.base.join(&config.data), chance)?,
        configured => configured.as_bytes().to_vec(),
    };
    SearchKey::new(&secret).map_err(|error| StartError::SearchKey(format!("identity.search_key: {error}")))
}

fn kept(data: &Path, chance: &Chance) -> Result<Vec<u8>, StartError> {
    let path = data.join("search.key");
    let fail = |error: std::io::Error| {
        StartError::SearchKey(format!("the search key cannot be kept in {}: {error}", path.display()))
    };
    match fs::read(&path) {
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        read => return read.map_err(fail),
    }
    fs::create_dir_all(data).map_err(fail)?;
    let secret = hex::encode(chance.bytes::<32>()).into_bytes();
    // Written whole under another name first: a crash must not leave half a key behind.
    let draft = data.join("search.key.new");
    let mut file =
        fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft).map_err(fail)?;
    file.write_all(&secret).and_then(|()| file.sync_all()).map_err(fail)?;
    fs::rename(&draft, &path).map_err(fail)?;
    Ok(secret)
}
