//! The file adapter: one file per delivery in a folder that somebody else empties. Written under another name, flushed to
//! the disk and renamed, so that a reader never sees half of one.

mod name;

use std::fs::{self, File as OpenFile};
use std::io::{self, ErrorKind, Write};
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
    /// Name of a file that must be in the folder before anything is written: put it onto the share, so that nothing is
    /// written into the empty mount point while the share is away. Empty: none is asked for.
    #[serde(default)]
    pub marker: String,
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
        let name = Template::parse(&self.name).map_err(|sentence| ("name".to_owned(), sentence));
        let marker = marker(&self.marker).map_err(|sentence| ("marker".to_owned(), sentence));
        let (name, marker) = match (name, marker) {
            (Ok(name), Ok(marker)) => (name, marker),
            (name, marker) => return Err([name.err(), marker.err()].into_iter().flatten().collect()),
        };
        let folder = outside.base.join(&self.folder);
        let marker = marker.map(|marker| folder.join(marker));
        Ok(Arc::new(Folder { path: folder, name, marker }))
    }

    fn doubts(&self, base: &Path) -> Vec<Fault> {
        let folder = base.join(&self.folder);
        let (setting, sentence) = if !folder.is_dir() {
            ("folder", "there is no such folder; deliveries wait until somebody makes it")
        } else if !self.marker.is_empty() && !folder.join(&self.marker).is_file() {
            ("marker", "it is not in the folder; deliveries wait until it is: is the share mounted?")
        } else {
            return Vec::new();
        };
        vec![(setting.to_owned(), sentence.to_owned())]
    }
}

struct Folder {
    path: PathBuf,
    name: Template,
    /// What says that the folder is the right one.
    marker: Option<PathBuf>,
}

/// The name of a file in the folder; `None` when none is asked for.
fn marker(name: &str) -> Result<Option<&str>, String> {
    let is_name = !name.contains(['/', '\\', '\0']) && !matches!(name, "." | "..");
    let expected = || "expected the name of a file in the folder, without '/'".to_owned();
    if is_name { Ok((!name.is_empty()).then_some(name)) } else { Err(expected()) }
}

#[async_trait]
impl Destination for Folder {
    async fn deliver(&self, delivery: &Delivery) -> Result<Acknowledgement, DeliveryError> {
        let path = self.path.join(self.name.render(delivery));
        let (body, marker) = (delivery.body.clone(), self.marker.clone());
        let written = tokio::task::spawn_blocking(move || {
            is_marked(marker.as_deref())?;
            write(&path, &body)
        })
        .await;
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
        match tokio::fs::metadata(&self.path).await {
            Ok(about) if about.is_dir() => is_marked(self.marker.as_deref()),
            Ok(_) => Err(DeliveryError::transient("settings.folder is not a folder")),
            Err(error) => Err(unwritable(&error)),
        }
    }
}

fn is_marked(marker: Option<&Path>) -> Result<(), DeliveryError> {
    if marker.is_none_or(Path::is_file) {
        return Ok(());
    }
    Err(DeliveryError::transient("settings.marker is not in settings.folder: the share may not be mounted"))
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
    put(&draft, path, |file| file.write_all(body)).map_err(|error| unwritable(&error))?;
    Ok(acknowledged("written and flushed"))
}

/// Fills a draft and gives it its name. Half a record must not lie there until an attempt that may never come.
fn put(draft: &Path, path: &Path, write: impl FnOnce(&mut OpenFile) -> io::Result<()>) -> io::Result<()> {
    let put = || {
        let mut file = OpenFile::create(draft)?;
        write(&mut file)?;
        file.sync_all()?;
        fs::rename(draft, path)?;
        // The name is only safe when the folder is on the disk too.
        path.parent().map_or(Ok(()), |folder| OpenFile::open(folder)?.sync_all())
    };
    put().inspect_err(|_| {
        // It failed already; a draft that stays is written over by the next attempt.
        let _ = fs::remove_file(draft);
    })
}

fn acknowledged(note: &str) -> Acknowledgement {
    Acknowledgement { code: "written".to_owned(), note: note.to_owned() }
}

/// The kind of error only: a message might name a file, and a name might hold what it should not.
fn unwritable(error: &io::Error) -> DeliveryError {
    DeliveryError::transient(format!("settings.folder cannot be written to: {}", error.kind()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_that_could_not_be_finished_is_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let [draft, path] = ["a.json.tmp", "a.json"].map(|name| folder.path().join(name));
        let full = put(&draft, &path, |file| {
            file.write_all(b"half of an earl")?;
            Err(ErrorKind::StorageFull.into())
        });
        assert_eq!(full.unwrap_err().kind(), ErrorKind::StorageFull);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_marker_is_a_name_and_its_absence_is_told() {
        for name in ["a/b", "..", ".", "a\\b"] {
            assert!(marker(name).is_err(), "{name}");
        }
        assert_eq!((marker(""), marker(".mounted")), (Ok(None), Ok(Some(".mounted"))));
        let folder = tempfile::tempdir().unwrap();
        let file = File { folder: PathBuf::from("out"), name: default_name(), marker: ".mounted".to_owned() };
        let told = || file.doubts(folder.path()).into_iter().map(|(setting, _)| setting).collect::<Vec<_>>();
        assert_eq!(told(), ["folder"]);
        fs::create_dir(folder.path().join("out")).unwrap();
        assert_eq!(told(), ["marker"]);
        fs::write(folder.path().join("out/.mounted"), "").unwrap();
        assert_eq!(told(), Vec::<String>::new());
    }
}
