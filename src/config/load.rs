//! From files to a [`Config`]: the compiled-in defaults, the operator's `signalbox.toml` laid over them, then the
//! routes of `routes/*.toml` in the order of the file names.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::Config;
use super::check::{self, Report};
use super::error::{ConfigError, ConfigErrors, Place, Problem};
use super::recover;
use super::secret::{self, Environment};
use super::tree::{self, Content, Node, Step, render};

/// Every setting with its default, as a file.
pub const DEFAULTS: &str = include_str!("../../signalbox.toml");

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
        let Some(dir) = dir else { return assemble(&[], Path::new("."), environment) };
        assemble(&files_of(dir)?, dir, environment)
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
        assemble(&[File { name: MASTER.to_owned(), text: text.to_owned() }], base, environment)
    }
}

struct File {
    name: String,
    text: String,
}

fn files_of(dir: &Path) -> Result<Vec<File>, ConfigErrors> {
    let mut files = vec![read(dir, MASTER)?];
    let routes = dir.join("routes");
    if routes.is_dir() {
        let entries = std::fs::read_dir(&routes).map_err(|error| unreadable("routes", &error))?;
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
    let text = std::fs::read_to_string(dir.join(name)).map_err(|error| unreadable(name, &error))?;
    Ok(File { name: name.to_owned(), text })
}

fn unreadable(name: &str, error: &std::io::Error) -> ConfigError {
    let problem = Problem::Other(format!("cannot be read from the configuration folder: {error}"));
    ConfigError { place: Place::file(name), key: String::new(), problem }
}

fn assemble(files: &[File], base: &Path, environment: &Environment) -> Result<Config, ConfigErrors> {
    let (defaults, mut errors) = tree::parse("built-in signalbox.toml", DEFAULTS);
    let mut tree = defaults.clone();
    for file in files {
        let (node, faults) = tree::parse(&file.name, &file.text);
        if faults.is_empty() {
            lay_over(&mut tree, node, &file.name, &mut errors);
        }
        errors.extend(faults);
    }
    // A file that is not TOML may hold what the others name.
    let complete = errors.iter().all(|error| !error.key.is_empty());
    complete_retries(&mut tree);
    let hash = hex::encode(Sha256::digest(tree.canonical()));
    resolve_secrets(&mut tree, base, environment, &mut errors);

    let places = Arc::new(places_of(&tree));
    let outcome = recover::read::<Config>(tree, &defaults);
    errors.extend(outcome.errors);
    if let Some(config) = &outcome.value
        && complete
    {
        let mut report = Report::new(&places, errors.iter().map(|error| error.key.clone()).collect());
        check::check(config, &mut report);
        errors.extend(report.errors);
    }
    match outcome.value {
        Some(config) if errors.is_empty() => Ok(Config { hash, base: base.to_owned(), places, ..config }),
        None if errors.is_empty() => {
            let problem = Problem::Other("the settings cannot be read".to_owned());
            Err(ConfigError { place: Place::file(MASTER), key: String::new(), problem }.into())
        }
        _ => Err(ConfigErrors::new(errors)),
    }
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
                members.values_mut().for_each(|member| member.place = retry.place.clone());
            }
            let own = std::mem::replace(retry, inherited);
            retry.overlay(own);
        }
    }
}

/// What a setting may hold.
enum Role {
    /// A secret, by reference only.
    Secret,
    /// A plain value, or a secret by reference.
    Either,
    /// An expression that may mention URLs.
    Expression,
    /// A plain value.
    Plain,
}

fn role_of(path: &[Step]) -> Role {
    let steps: Vec<&str> = path.iter().map(|step| if let Step::Key(key) = step { key } else { "" }).collect();
    match steps.as_slice() {
        ["identity", "search_key"] => Role::Secret,
        ["database", "url" | "owner_url"] | ["destinations", _, "settings", ..] => Role::Either,
        ["routes", ..] => Role::Expression,
        _ => Role::Plain,
    }
}

/// Puts in place of every reference what it stands for, and complains of secrets in clear and of references where
/// none is read.
fn resolve_secrets(tree: &mut Node, base: &Path, environment: &Environment, errors: &mut Vec<ConfigError>) {
    let mut resolved = Vec::new();
    tree.walk(&mut Vec::new(), &mut |path, node| {
        let Content::Text(text) = &node.content else { return };
        let mut report = |problem| errors.push(ConfigError { place: node.place.clone(), key: render(path), problem });
        let unexpected = |found: &str, expected: String| Problem::Unexpected { found: found.to_owned(), expected };
        match (role_of(path), text.starts_with(secret::PREFIX)) {
            (Role::Secret | Role::Either, true) => match secret::resolve(text, base, environment) {
                Ok(value) => resolved.push((path.to_vec(), value)),
                Err(sentence) => report(Problem::Other(sentence)),
            },
            (Role::Plain, true) => {
                report(unexpected("a reference to a secret", "a plain value: this setting is no secret".to_owned()));
            }
            (Role::Secret, false) if !text.is_empty() => report(unexpected("a secret in clear", secret::FORM.into())),
            (Role::Either | Role::Plain, false) if secret::holds_password(text) => {
                report(unexpected("a URL with a password in clear", format!("the whole URL as {}", secret::FORM)));
            }
            _ => {}
        }
    });
    for (path, value) in resolved {
        if let Some(node) = tree.find_mut(&path) {
            node.content = Content::Text(value);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::destination::OnUnknown;
    use proptest::prelude::*;

    const KEY: &str = "0123456789abcdef0123456789abcdef";

    fn load(text: &str) -> Result<Config, ConfigErrors> {
        let environment = Environment::of([("KEY", KEY), ("SHARED_RECORD_TOKEN", "t0ken")]);
        Config::from_toml_with(text, Path::new("."), &environment)
    }

    fn complaints(text: &str) -> Vec<String> {
        load(text).err().map_or(Vec::new(), |errors| errors.iter().map(ToString::to_string).collect())
    }

    /// The file's examples with their `#` taken away.
    fn examples() -> String {
        let example =
            |line: &&str| line.strip_prefix('#').is_some_and(|rest| !rest.is_empty() && !rest.starts_with(' '));
        DEFAULTS.lines().filter(example).map(|line| format!("{}\n", &line[1..])).collect()
    }

    #[test]
    fn the_defaults_start_a_gateway_that_accepts_from_nobody() {
        let config = Config::load_with(None, &Environment::of([])).unwrap();
        assert_eq!(config.http.listen.to_string(), "127.0.0.1:8080");
        assert_eq!(config.http.max_body.0, 10 << 20);
        assert_eq!((config.database.writers, config.database.batch, config.database.connections), (2, 500, 8));
        assert_eq!(config.delivery.retry.max.to_string(), "15m");
        assert!(config.sources.is_empty() && config.destinations.is_empty() && config.routes.is_empty());
        assert!(config.database.url.is_empty() && config.identity.search_key.is_empty());
    }

    #[test]
    fn the_examples_in_the_defaults_work() {
        let config = load(&examples()).unwrap();
        assert_eq!((config.sources.len(), config.destinations.len(), config.routes.len()), (2, 3, 3));
        let ward = &config.destinations["ward-system"];
        assert_eq!(ward.on_unknown, OnUnknown::Hold);
        let retry = ward.retry.as_ref().unwrap();
        assert_eq!((retry.first.to_string(), retry.max.to_string()), ("10s".to_owned(), "15m".to_owned()));
        assert_eq!(config.destinations["shared-record"].settings["token"].as_str(), Some("t0ken"));
    }

    #[test]
    fn a_folder_is_laid_over_the_defaults_and_its_routes_follow_by_file_name() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        std::fs::create_dir(folder.path().join("routes")).unwrap();
        write("signalbox.toml", "http.max_depth = 9\n[[routes]]\nname = \"one\"\nto = []\n");
        write("routes/b.toml", "[[routes]]\nname = \"three\"\nto = []\n");
        write("routes/a.toml", "[[routes]]\nname = \"two\"\nto = []\n");
        write("routes/notes.txt", "not read");
        let config = Config::load_with(Some(folder.path()), &Environment::of([])).unwrap();
        let names: Vec<&str> = config.routes.iter().map(|route| route.name.as_str()).collect();
        assert_eq!(names, ["one", "two", "three"]);
        assert_eq!((config.http.max_depth, config.http.timeout.to_string()), (9, "30s".to_owned()));
        assert_eq!(config.place("routes[2].name").to_string(), "routes/b.toml:2:1");
        assert_eq!(config.base, folder.path());

        write("routes/a.toml", "[http]\nmax_depth = 3\n");
        let errors = Config::load_with(Some(folder.path()), &Environment::of([])).unwrap_err();
        assert_eq!(errors.to_string(), "routes/a.toml:1:2: http: a file in routes/ holds [[routes]] only");
        std::fs::remove_file(folder.path().join("signalbox.toml")).unwrap();
        let errors = Config::load_with(Some(folder.path()), &Environment::of([])).unwrap_err();
        assert!(errors.to_string().starts_with("signalbox.toml: cannot be read"), "{errors}");
    }

    #[test]
    fn all_problems_come_at_once_each_with_its_place() {
        let text = r#"
[http]
listen = "0.0.0.0:80"
max_bdy = "1 MiB"
timeout = 30
[database]
writers = -1
[sources.pas]
odds = "RX1"
[sources.lab]
ods = "rx 1"
token_sha256 = ["12", 3]
[destinations.ward]
type = "mllp"
on_reject = "hold"
concurrency = 0
timeout = "5 minutes"
retry = { first = "1h" }
[[routes]]
name = "a"
to = ["wrad", 5]
[[routes]]
types = ["patient"]
to = "ward"
[[routes]]
name = "b"
sources = ["pass"]
to = [{ priority = 1 }, { destination = "ward" }, "ward", "nowhere"]
[[routes]]
name = "b"
types = ["patient"]
to = ["wrad"]
"#;
        insta::assert_snapshot!(complaints(text).join("\n"));
    }

    #[test]
    fn files_that_are_not_toml_are_reported_with_the_faults_of_the_others() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("routes")).unwrap();
        std::fs::write(folder.path().join("signalbox.toml"), "[destinations.a\ntype = \n").unwrap();
        std::fs::write(folder.path().join("routes/r.toml"), "[[routes]]\nnme = \"x\"\nto = [\"a\"]\n").unwrap();
        let errors = Config::load_with(Some(folder.path()), &Environment::of([])).unwrap_err().to_string();
        assert!(errors.contains("routes/r.toml:2:1: routes[0].nme: unknown setting, did you mean name?"), "{errors}");
        assert!(errors.contains("signalbox.toml:1:16: not TOML: unclosed table"), "{errors}");
        assert!(!errors.contains("routes[0].name"), "the misspelt one was meant: {errors}");
        assert!(!errors.contains("[destinations.NAME]"), "nobody knows whether it is missing: {errors}");
    }

    #[test]
    fn secrets_stand_in_no_file_and_no_message() {
        let config = load("identity.search_key = \"secret:env:KEY\"\n[destinations.a]\ntype = \"x\"\n[destinations.a.settings]\nheaders = [{ value = \"secret:env:KEY\" }]").unwrap();
        assert_eq!(config.identity.search_key.expose(), KEY);
        assert_eq!(config.destinations["a"].settings["headers"][0]["value"].as_str(), Some(KEY));
        assert!(!format!("{config:?}").contains(KEY));

        let clear = [
            "identity.search_key = \"hunter2hunter2hunter2hunter2hunter2\"",
            "identity.search_key = 74279\n",
            "database.url = \"postgres://me:hunter2@localhost/db\"",
            "database.owner_url = [\"hunter2\"]",
            "destinations.a = { type = \"x\", settings = { url = \"https://me:hunter2@host\" } }",
            "data = \"secret:env:KEY\"",
            "database.url = \"secret:env:NOT_SET\"",
            "database.url = \"secret:env:KEY\"",
        ];
        for text in clear {
            let complaints = complaints(text);
            assert_eq!(complaints.len(), 1, "{text}: {complaints:?}");
            let told = ["hunter2", "74279", KEY].iter().any(|secret| complaints[0].contains(secret));
            assert!(!told, "{complaints:?}");
        }
    }

    #[test]
    fn the_hash_tells_configurations_apart_by_what_they_say_not_how_or_where() {
        let hash = |text: &str| load(text).unwrap().hash;
        let one = hash("[http]\nmax_depth = 9\nbase_url = \"\"\n");
        assert_eq!(one, hash("# a remark\nhttp.max_depth = 9"));
        assert_ne!(one, hash("http.max_depth = 10"));
        let with_key = |value| {
            let environment = Environment::of([("KEY", value)]);
            let text = "identity.search_key = \"secret:env:KEY\"";
            Config::from_toml_with(text, Path::new("."), &environment).unwrap().hash
        };
        assert_eq!(with_key(KEY), with_key(&KEY.repeat(2)), "a secret is not part of it");
    }

    #[test]
    fn later_problems_can_be_placed_too() {
        let config = load("[destinations.a]\ntype = \"x\"\n[destinations.a.settings]\nport = 1\n").unwrap();
        let problem = Problem::Other("taken".to_owned());
        let error = config.error("destinations.a.settings.port", problem.clone());
        assert_eq!(error.to_string(), "signalbox.toml:4:1: destinations.a.settings.port: taken");
        assert_eq!(config.error("destinations.a.settings.host.name", problem).place.line, 3);
    }

    proptest! {
        #[test]
        fn whatever_a_setting_is_changed_to_loading_ends_and_says_why(line in 0_usize..200, value in r#"(-?[0-9]{1,3}|"[a-zA-Z0-9:./ ]{0,12}"|true|\[\]|\[1\]|\{\}|\{ a = 1 \})"#) {
            let whole = format!("{DEFAULTS}{}", examples());
            let mut lines: Vec<String> = whole.lines().filter(|line| !line.starts_with('#')).map(str::to_owned).collect();
            let at = line % lines.len();
            if let Some((key, _)) = lines[at].clone().split_once('=') {
                lines[at] = format!("{key}= {value}");
                let text = lines.join("\n");
                match load(&text) {
                    Ok(config) => prop_assert_eq!(config.hash.len(), 64),
                    Err(errors) => prop_assert!(errors.iter().next().is_some(), "{}", text),
                }
            }
        }
    }
}
