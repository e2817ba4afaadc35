//! From files to a [`Config`]: the compiled-in defaults, the operator's `signalbox.toml` laid over them, then the
//! routes of `routes/*.toml` in the order of the file names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::Config;
use super::check::{self, Report};
use super::error::{ConfigError, ConfigErrors, Place, Problem};
use super::recover;
use super::resolve::resolve_secrets;
use super::schema;
use super::secret::Environment;
use super::tree::{self, Content, Node, Step, render};

/// Every setting with its default, as a file.
pub const DEFAULTS: &str = include_str!("../../signalbox.toml");

/// How places in [`DEFAULTS`] are named: nobody can mend anything there.
pub(super) const BUILT_IN: &str = "built-in signalbox.toml";

const MASTER: &str = "signalbox.toml";

impl Config {
    /// Reads the configuration folder; `None`: the defaults alone. Secrets come from the process's environment.
    ///
    /// # Errors
    /// Every problem that can be found.
    pub fn load(dir: Option<&Path>) -> Result<Self, ConfigErrors> {
        Self::load_with(dir, &Environment::of_process())
    }

    /// Reads the configuration folder with the secrets of this environment.
    ///
    /// # Errors
    /// Every problem that can be found.
    pub fn load_with(dir: Option<&Path>, environment: &Environment) -> Result<Self, ConfigErrors> {
        Self::inspect(dir, environment).into_result()
    }

    /// Reads the configuration folder and goes on where something is wrong, for those who have more to check.
    #[must_use]
    pub fn inspect(dir: Option<&Path>, environment: &Environment) -> Inspection {
        let Some(dir) = dir else { return assemble(&[], Path::new("."), environment) };
        match files_of(dir) {
            Ok(files) => assemble(&files, dir, environment),
            Err(errors) => Inspection { config: None, errors },
        }
    }

    /// Reads one text as if it were the operator's `signalbox.toml` in the folder `base`, without any environment.
    ///
    /// # Errors
    /// Every problem that can be found.
    pub fn from_toml(text: &str, base: &Path) -> Result<Self, ConfigErrors> {
        Self::from_toml_with(text, base, &Environment::of([]))
    }

    /// As [`Config::from_toml`], with the secrets of this environment.
    ///
    /// # Errors
    /// Every problem that can be found.
    pub fn from_toml_with(text: &str, base: &Path, environment: &Environment) -> Result<Self, ConfigErrors> {
        assemble(&[File { name: MASTER.to_owned(), text: Ok(text.to_owned()) }], base, environment).into_result()
    }
}

/// Reads the text of a TOML file beside the configuration, such as a golden case; `name` is told with every place.
///
/// # Errors
/// Every problem that can be found.
pub fn read_toml<T: DeserializeOwned + JsonSchema>(name: &str, text: &str) -> Result<T, ConfigErrors> {
    let (tree, mut errors) = tree::parse(name, text);
    if errors.is_empty() {
        errors.extend(schema::faults_under(&[], &tree, &schema::of::<T>()));
    }
    let outcome = recover::read::<T>(tree, &Node::default(), &errors);
    errors.extend(outcome.errors);
    match outcome.value {
        Some(value) if errors.is_empty() => Ok(value),
        _ => Err(ConfigErrors::new(errors)),
    }
}

/// A configuration, and what is wrong with it.
pub struct Inspection {
    /// The settings, with something harmless in place of what is wrong: to be checked further, never to be run. Absent
    /// when too little could be read.
    pub config: Option<Config>,
    /// What is wrong.
    pub errors: ConfigErrors,
}

impl Inspection {
    fn into_result(self) -> Result<Config, ConfigErrors> {
        match self.config {
            Some(config) if self.errors.is_empty() => Ok(config),
            _ => Err(self.errors),
        }
    }
}

struct File {
    name: String,
    /// Or why it is none.
    text: Result<String, ConfigError>,
}

fn files_of(dir: &Path) -> Result<Vec<File>, ConfigErrors> {
    let mut files = vec![read(dir, MASTER)?];
    let routes = dir.join("routes");
    if routes.is_dir() {
        let entries = std::fs::read_dir(&routes).map_err(|error| unreadable(dir, "routes", &error))?;
        let mut paths: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            files.push(read(dir, &format!("routes/{name}"))?);
        }
    }
    Ok(files)
}

fn read(dir: &Path, name: &str) -> Result<File, ConfigError> {
    let bytes = std::fs::read(dir.join(name)).map_err(|error| unreadable(dir, name, &error))?;
    Ok(File { name: name.to_owned(), text: decoded(name, bytes) })
}

/// The text of a file, which must be UTF-8.
fn decoded(name: &str, bytes: Vec<u8>) -> Result<String, ConfigError> {
    String::from_utf8(bytes).map_err(|error| {
        let (bytes, good) = (error.as_bytes(), error.utf8_error().valid_up_to());
        let sentence = match bytes {
            [0xFF, 0xFE, ..] | [0xFE, 0xFF, ..] => "the file is UTF-16: save it as UTF-8".to_owned(),
            _ => format!(
                "the byte {:02X} here is not UTF-8, but perhaps Windows-1252: save the file as UTF-8",
                bytes[good]
            ),
        };
        let place = Place::within(name, &String::from_utf8_lossy(&bytes[..good]), good);
        ConfigError { place, key: String::new(), problem: Problem::Other(sentence) }
    })
}

fn unreadable(dir: &Path, name: &str, error: &std::io::Error) -> ConfigError {
    let problem = Problem::Other(format!(
        "cannot be read from the configuration folder {}: {error}; the folder is chosen with --config",
        dir.display()
    ));
    ConfigError { place: Place::file(name), key: String::new(), problem }
}

fn assemble(files: &[File], base: &Path, environment: &Environment) -> Inspection {
    let (defaults, mut errors) = tree::parse(BUILT_IN, DEFAULTS);
    let mut tree = defaults.clone();
    for file in files {
        let (node, faults) = match &file.text {
            Ok(text) => tree::parse(&file.name, text),
            Err(error) => (Node::default(), vec![error.clone()]),
        };
        if faults.is_empty() {
            lay_over(&mut tree, node, &file.name, &mut errors);
        }
        errors.extend(faults);
    }
    // A file that is not TOML may hold what the others name.
    let complete = errors.iter().all(|error| !error.key.is_empty());
    complete_retries(&mut tree);
    let hash = hex::encode(Sha256::digest(tree.canonical()));
    errors.extend(schema::faults(&tree));
    let written = Arc::new(tree.clone());
    resolve_secrets(&mut tree, base, environment, &mut errors);

    let places = Arc::new(places_of(&tree));
    let outcome = recover::read::<Config>(tree, &defaults, &errors);
    errors.extend(outcome.errors);
    if let Some(config) = &outcome.value
        && complete
    {
        let mut report = Report::new(&places, errors.iter().map(|error| error.key.clone()).collect());
        check::check(config, &mut report);
        errors.extend(report.errors);
    }
    if outcome.value.is_none() && errors.is_empty() {
        let problem = Problem::Other("the settings cannot be read".to_owned());
        errors.push(ConfigError { place: Place::file(MASTER), key: String::new(), problem });
    }
    let config = outcome.value.map(|config| Config { hash, base: base.to_owned(), places, written, ..config });
    Inspection { config: config.filter(|_| complete), errors: ConfigErrors::new(errors) }
}

/// Lays a file over the tree; routes are added to those that are there, and a file of `routes/` holds nothing else.
fn lay_over(tree: &mut Node, mut file: Node, name: &str, errors: &mut Vec<ConfigError>) {
    let Content::Table(members) = &mut file.content else { return };
    if name != MASTER {
        for (key, node) in members.iter().filter(|(key, _)| *key != "routes") {
            let problem = Problem::Other("a file in routes/ holds [[routes]] only".to_owned());
            errors.push(ConfigError { place: node.place.clone(), key: key.clone(), problem });
        }
        members.retain(|key, _| key == "routes");
    }
    let routes = Step::Key("routes".to_owned());
    if let (Some(Content::List(before)), Some(Content::List(added))) =
        (tree.get(&routes).map(|node| &node.content), members.get_mut("routes").map(|node| &mut node.content))
    {
        added.splice(..0, before.iter().cloned());
    }
    tree.overlay(file);
}

/// A destination's `retry` says only what differs from `[delivery.retry]`.
fn complete_retries(tree: &mut Node) {
    let key = |key: &str| Step::Key(key.to_owned());
    let Some(general) = tree.find(&[key("delivery"), key("retry")]).cloned() else { return };
    let names: Vec<String> = tree.members("destinations").map(|(name, _)| name.clone()).collect();
    for name in names {
        if let Some(retry) = tree.find_mut(&[key("destinations"), key(&name), key("retry")])
            && let Content::Table(_) = retry.content
        {
            let mut inherited = general.clone();
            if let Content::Table(members) = &mut inherited.content {
                for member in members.values_mut() {
                    member.place = retry.place.clone();
                }
            }
            let own = std::mem::replace(retry, inherited);
            retry.overlay(own);
        }
    }
}

fn places_of(tree: &Node) -> BTreeMap<String, Place> {
    let mut places = BTreeMap::new();
    tree.walk(&mut Vec::new(), &mut |path, node| {
        places.insert(render(path), node.place.clone());
    });
    places
}
