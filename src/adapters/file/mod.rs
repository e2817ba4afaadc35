//! The file adapter: one file per delivery in a folder that somebody else empties. Written under another name, flushed to
//! the disk and renamed, so that a reader never sees half of one.

mod name;

use std::fs::{self, File as OpenFile};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Adapter, NoOptions, Outside};
use crate::config::Fault;
use crate::delivery::destination::{Acknowledgement, Delivery, DeliveryError, Destination};
use crate::exchange::{Conditions, Interaction};
use name::Template;

/// Settings of a folder.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The folder; relative to the configuration.
    pub folder: PathBuf,
    /// Name of a file, with `{exchange}`, `{delivery}`, `{type}`, `{received}` and `{extension}` (`json` or `hl7`).
    #[serde(default = "default_name")]
    pub name: String,
}

fn default_name() -> String {
    "{received}-{type}-{delivery}.{extension}".to_owned()
}

impl Adapter for File {
    const TYPE: &'static str = "file";
    const SENDS_JSON: bool = true;
    const EXAMPLE: &'static str = "folder = \"outbox\"\nname = \"{received}-{type}-{delivery}.{extension}\"";

    type Options = NoOptions;

    fn destination(self, outside: &Outside) -> Result<Arc<dyn Destination>, Vec<Fault>> {
        let name = Template::parse(&self.name).map_err(|sentence| vec![("name".to_owned(), sentence)])?;
        Ok(Arc::new(Folder { folder: outside.base.join(&self.folder), name }))
    }

    fn doubts(&self, base: &Path) -> Vec<Fault> {
        let absent = !base.join(&self.folder).is_dir();
        let sentence = "there is no such folder; deliveries wait until somebody makes it";
        absent.then(|| ("folder".to_owned(), sentence.to_owned())).into_iter().collect()
    }
}

struct Folder {
    folder: PathBuf,
    name: Template,
}

#[async_trait]
impl Destination for Folder {
    async fn deliver(&self, delivery: &Delivery) -> Result<Acknowledgement, DeliveryError> {
        let path = self.folder.join(self.name.render(delivery));
        let body = delivery.body.clone();
        let written = tokio::task::spawn_blocking(move || write(&path, &body)).await;
        written.unwrap_or_else(|_| Err(DeliveryError::unknown("writing the file was cut short")))
    }

    fn render(&self, delivery: &Delivery) -> Result<Vec<u8>, DeliveryError> {
        Ok(delivery.body.to_vec())
    }

    /// A transaction is a file like any other; preconditions mean nothing to a folder.
    fn carries(&self, _interaction: Interaction, conditions: &Conditions, _options: &serde_json::Value) -> bool {
        *conditions == Conditions::default()
    }

    async fn check(&self) -> Result<(), DeliveryError> {
        match tokio::fs::metadata(&self.folder).await {
            Ok(about) if about.is_dir() => Ok(()),
            Ok(_) => Err(DeliveryError::transient("settings.folder is not a folder")),
            Err(error) => Err(unwritable(&error)),
        }
    }
}

/// The second attempt of a delivery finds its own file: the same bytes under the same name count as delivered.
fn write(path: &Path, body: &[u8]) -> Result<Acknowledgement, DeliveryError> {
    match fs::read(path) {
        Ok(found) if found == body => return Ok(acknowledged("found written by an earlier attempt")),
        Ok(_) => {
            return Err(DeliveryError::refused(
                "another file of this name is there; settings.name must tell deliveries apart",
            ));
        }
        Err(error) if error.kind() == ErrorKind::NotFound => {}
        Err(error) => return Err(unwritable(&error)),
    }
    let mut draft = path.as_os_str().to_owned();
    draft.push(".tmp");
    let draft = PathBuf::from(draft);
    let put = || {
        let mut file = OpenFile::create(&draft)?;
        file.write_all(body)?;
        file.sync_all()?;
        fs::rename(&draft, path)?;
        // The name is only safe when the folder is on the disk too.
        path.parent().map_or(Ok(()), |folder| OpenFile::open(folder)?.sync_all())
    };
    put().map_err(|error: std::io::Error| unwritable(&error))?;
    Ok(acknowledged("written and flushed"))
}

fn acknowledged(note: &str) -> Acknowledgement {
    Acknowledgement { code: "written".to_owned(), note: note.to_owned() }
}

/// The kind of error only: a message might name a file, and a name might hold what it should not.
fn unwritable(error: &std::io::Error) -> DeliveryError {
    DeliveryError::transient(format!("settings.folder cannot be written to: {}", error.kind()))
}
