//! `signalbox.lock` in the configuration folder: which file `name@version` means here, what is in it (SHA-256), and which
//! packages it starts from. `signalbox package add` writes it; it belongs to the configuration and is kept with it.

use std::io::Write;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::reference::Reference;
use crate::config::{ConfigError, Place, Problem};

/// Name of the file.
pub const FILE: &str = "signalbox.lock";

const HEADER: &str = "\
# Which file each FHIR package name@version means here, and the SHA-256 of what is in it.
# Written by `signalbox package add`; keep it, and the files it names, with the configuration.
";

/// The packages of a configuration folder.
#[derive(Debug, Clone)]
pub struct Lock {
    folder: PathBuf,
    is_there: bool,
    /// Sorted by name and version; each once.
    packages: Vec<Locked>,
}

/// One package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Locked {
    /// Name and version.
    pub reference: Reference,
    /// SHA-256 of its file, in hex.
    pub sha256: String,
    /// The file, relative to the configuration folder.
    pub file: String,
    /// What it starts from, as its manifest says.
    pub dependencies: Vec<Reference>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    version: String,
    sha256: String,
    file: String,
    #[serde(default)]
    dependencies: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Read {
    #[serde(default)]
    package: Vec<Spanned<Written>>,
}

#[derive(Serialize)]
struct Whole {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    package: Vec<Written>,
}

impl Lock {
    /// No lock at all.
    #[must_use]
    pub fn none(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), is_there: false, packages: vec![] }
    }

    /// Reads the lock of a configuration folder; without one it holds nothing.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its place.
    pub fn read(folder: &Path) -> Result<Self, Vec<ConfigError>> {
        let mut lock = Self { is_there: true, ..Self::none(folder) };
        let text = match std::fs::read_to_string(folder.join(FILE)) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::none(folder)),
            Err(error) => {
                let problem = Problem::Other(format!("cannot be read: {error}"));
                return Err(vec![ConfigError { place: Place::file(FILE), key: String::new(), problem }]);
            }
        };
        let fault =
            |start: usize, key: String, problem| ConfigError { place: Place::within(FILE, &text, start), key, problem };
        let read: Read = toml::from_str(&text).map_err(|error| {
            let start = error.span().map_or(0, |span| span.start);
            let sentence = format!(
                "{}; put it back from where you keep the configuration, or delete it and add the packages again",
                error.message()
            );
            vec![fault(start, String::new(), Problem::Other(sentence))]
        })?;
        let mut faults = Vec::new();
        for (at, spanned) in read.package.into_iter().enumerate() {
            let start = spanned.span().start;
            match Locked::of(spanned.into_inner()) {
                Ok(package) if lock.get(&package.reference).is_some() => {
                    let sentence = format!("{} is there twice; one of the two has to go", package.reference);
                    faults.push(fault(start, format!("package[{at}]"), Problem::Other(sentence)));
                }
                Ok(package) => lock.packages.push(package),
                Err((key, problem)) => faults.push(fault(start, format!("package[{at}].{key}"), problem)),
            }
        }
        lock.packages.sort_by(|a, b| a.reference.cmp(&b.reference));
        if faults.is_empty() { Ok(lock) } else { Err(faults) }
    }

    /// Writes it: another that reads it meanwhile sees the old one or the new one, whole.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self) -> std::io::Result<()> {
        let package = self.packages.iter().map(Written::from).collect();
        let text = toml::to_string(&Whole { package }).map_err(std::io::Error::other)?;
        write_whole(&self.folder.join(FILE), format!("{HEADER}\n{text}").as_bytes())
    }

    /// Whether there is such a file.
    #[must_use]
    pub fn is_there(&self) -> bool {
        self.is_there
    }

    /// The configuration folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every package, sorted.
    #[must_use]
    pub fn packages(&self) -> &[Locked] {
        &self.packages
    }

    /// Adds a package, or replaces the one of the same name and version.
    pub fn insert(&mut self, package: Locked) {
        self.packages.retain(|known| known.reference != package.reference);
        self.packages.push(package);
        self.packages.sort_by(|a, b| a.reference.cmp(&b.reference));
    }

    /// Takes a package out.
    pub fn remove(&mut self, reference: &Reference) {
        self.packages.retain(|known| known.reference != *reference);
    }

    /// The package of exactly this name and version.
    #[must_use]
    pub fn get(&self, reference: &Reference) -> Option<&Locked> {
        self.packages.iter().find(|package| package.reference == *reference)
    }

    /// The newest package that is what a dependency asks for.
    #[must_use]
    pub fn answer(&self, wanted: &Reference) -> Option<&Locked> {
        self.packages.iter().rev().find(|package| package.reference.answers(wanted))
    }
}

impl Locked {
    fn of(written: Written) -> Result<Self, (&'static str, Problem)> {
        let reference = Reference::new(&written.name, &written.version).map_err(|why| ("name", Problem::Other(why)))?;
        let unexpected = |found: &str, expected: &str| Problem::Unexpected {
            found: format!("{found:?}"),
            expected: expected.to_owned(),
        };
        let is_hash = written.sha256.len() == 64 && written.sha256.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_hash {
            return Err(("sha256", unexpected(&written.sha256, "64 hexadecimal digits")));
        }
        if !stays_inside(&written.file) {
            return Err(("file", unexpected(&written.file, "a path below the configuration folder")));
        }
        let read = |text: &String| {
            let found = text.split_once('@').and_then(|(name, version)| Reference::new(name, version).ok());
            found.ok_or_else(|| ("dependencies", unexpected(text, "name@version")))
        };
        let dependencies = written.dependencies.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { reference, sha256: written.sha256.to_lowercase(), file: written.file, dependencies })
    }
}

impl From<&Locked> for Written {
    fn from(package: &Locked) -> Self {
        Self {
            name: package.reference.name.clone(),
            version: package.reference.version.clone(),
            sha256: package.sha256.clone(),
            file: package.file.clone(),
            dependencies: package.dependencies.iter().map(ToString::to_string).collect(),
        }
    }
}

/// Whether a path leads nowhere but below the folder it starts from.
#[must_use]
pub fn stays_inside(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

/// Writes a file beside its place and moves it there.
///
/// # Errors
/// When it cannot be written.
pub fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".new");
    let mut file = std::fs::File::create(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}
