//! The house rules that a machine can hold: who may import whom, where SQL and transactions live, how long files are,
//! that links lead somewhere and that settings are documented. Each rule is a function from a file to complaints, and
//! has a test of its own with a sample that breaks it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use signalbox::adapters::{ADAPTERS, Outside};
use signalbox::chance::Chance;
use signalbox::clock::Clock;
use signalbox::config::{Config, DEFAULTS, Environment, Problem};

/// A module imports only what stands to its right; the last ones are the common vocabulary and know each other.
const ORDER: [&str; 21] = [
    "cli",
    "demo",
    "app",
    "http",
    "dashboard",
    "adapters",
    "gateway",
    "delivery",
    "validation",
    "routing",
    "formats",
    "audit",
    "store",
    "rejection",
    "outcome",
    "telemetry",
    "tls",
    "exchange",
    "clock",
    "chance",
    "config",
];
const VOCABULARY: usize = 17;

// The files.

struct File {
    /// Relative to the repository, with `/`.
    path: String,
    text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every file of the repository with one of these extensions.
fn files(extensions: &[&str]) -> Vec<File> {
    let (mut found, mut open) = (Vec::new(), vec![root()]);
    while let Some(folder) = open.pop() {
        let Ok(entries) = fs::read_dir(&folder) else { panic!("{} cannot be read", folder.display()) };
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !name.starts_with('.') && !matches!(&*name, "target" | "signalbox-data" | "node_modules") {
                    open.push(path);
                }
            } else if extensions.iter().any(|wanted| path.extension().is_some_and(|extension| extension == *wanted))
                && let Ok(text) = fs::read_to_string(&path)
            {
                let path = path.strip_prefix(root()).unwrap_or(&path).to_string_lossy().replace('\\', "/");
                found.push(File { path, text });
            }
        }
    }
    found
}

fn file(path: &str, text: &str) -> File {
    File { path: path.to_owned(), text: text.to_owned() }
}

fn hold(files: &[File], rule: fn(&File) -> Vec<String>) {
    let complaints: Vec<String> = files.iter().flat_map(rule).collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

impl File {
    /// Path of the module: `src/adapters/file/mod.rs` is `[adapters, file]`; nothing for `lib.rs`, `main.rs` and others.
    fn module(&self) -> Vec<&str> {
        let path = self.path.strip_prefix("src/").and_then(|path| path.strip_suffix(".rs")).unwrap_or_default();
        let path = path.strip_suffix("/mod").unwrap_or(path);
        if matches!(path, "" | "lib" | "main") { vec![] } else { path.split('/').collect() }
    }

    /// The code without its tests.
    fn production(&self) -> &str {
        if self.path.ends_with("/tests.rs") {
            return "";
        }
        self.text.split_once("#[cfg(test)]\nmod tests {").map_or(&self.text, |(code, _)| code)
    }
}

// Imports.

/// The modules of this crate that a file names, from the root: what follows `crate::` and `super::`, lists opened.
fn imports(file: &File) -> Vec<String> {
    let (own, mut found, mut inner, mut offset) = (file.module(), Vec::new(), 0, 0);
    for line in file.text.split_inclusive('\n') {
        let start = offset;
        offset += line.len();
        if line.trim_start().starts_with("//") {
            continue;
        }
        inner += usize::from(line.starts_with("mod tests {"));
        for (at, word) in line.match_indices("crate::") {
            if !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_' || before == '$') {
                found.extend(named(&file.text[start + at + word.len()..]));
            }
        }
        let Some(at) = line.find("super::") else { continue };
        let above = line[at..].split("::").take_while(|part| *part == "super").count();
        let around = own.get(..(own.len() + inner).saturating_sub(above)).unwrap_or(&own).join("::");
        let names = named(&file.text[start + at + above * "super::".len()..]);
        found.extend(names.iter().map(|name| format!("{around}::{name}").trim_start_matches("::").to_owned()));
    }
    found
}

/// `a::b`, or each path of `a::{b, c::{d, e}}`.
fn named(rest: &str) -> Vec<String> {
    let end = rest.find(|char: char| !(char.is_alphanumeric() || matches!(char, '_' | ':'))).unwrap_or(rest.len());
    let (path, after) = rest.split_at(end);
    let Some(list) = after.strip_prefix('{').filter(|_| path.is_empty() || path.ends_with("::")) else {
        return vec![path.trim_end_matches(':').to_owned()];
    };
    let (mut depth, mut members, mut start) = (0_usize, Vec::new(), 0);
    for (at, char) in list.char_indices() {
        match char {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' | ',' if depth == 0 => {
                members.extend(named(list[start..at].trim()).into_iter().filter(|member| !member.is_empty()));
                start = at + 1;
                if char == '}' {
                    break;
                }
            }
            _ => {}
        }
    }
    members.into_iter().map(|member| format!("{path}{member}")).collect()
}

fn import_order(file: &File) -> Vec<String> {
    let module = file.module();
    let Some(own) = module.first() else { return vec![] };
    let place = |name: &str| ORDER.iter().position(|module| *module == name);
    let Some(from) = place(own) else { return vec![format!("{}: {own} has no place in the import order", file.path)] };
    let wrong = |path: &String| {
        let to = place(path.split("::").next().unwrap_or_default())?;
        let allowed = to >= from || (from >= VOCABULARY && to >= VOCABULARY);
        (!allowed).then(|| format!("{}: {own} must not import {path}", file.path))
    };
    imports(file).iter().filter_map(wrong).collect()
}

fn adapters_stand_alone(file: &File) -> Vec<String> {
    let module = file.module();
    let ["adapters", own, ..] = module.as_slice() else { return vec![] };
    let is_adapter = |name: &str| root().join("src/adapters").join(name).is_dir() || name.starts_with("sample_");
    let wrong = |path: &String| {
        let parts: Vec<&str> = path.split("::").collect();
        let another = matches!(parts.as_slice(), ["adapters", other, ..] if other != own && is_adapter(other));
        (another || parts[0] == "store").then(|| format!("{}: an adapter must not import {path}", file.path))
    };
    imports(file).iter().filter_map(wrong).collect()
}

#[test]
fn modules_import_only_what_stands_to_their_right() {
    hold(&files(&["rs"]), import_order);
}

#[test]
fn adapters_import_neither_each_other_nor_the_store() {
    hold(&files(&["rs"]), adapters_stand_alone);
}

#[test]
fn a_wrong_import_is_found_however_it_is_written() {
    let wrong = [
        file("src/store/mod.rs", "use crate::gateway::Gateway;"),
        file("src/config/route.rs", "fn f() { crate::routing::x(); }"),
        file("src/audit/record.rs", "use crate::{\n    clock::Clock,\n    delivery::{a, b},\n};"),
        file("src/exchange/ids.rs", "use super::super::http::Front;"),
        file("src/clock.rs", "mod tests {\n    use super::super::app::App;\n}"),
        file("src/basement/mod.rs", ""),
    ];
    for sample in wrong {
        assert!(!import_order(&sample).is_empty(), "{}", sample.text);
    }
    let fine =
        "//! See crate::app.\nuse crate::store;\nuse super::config;\nuse mycrate::app;\nuse crate::{store::{app}};";
    assert_eq!(import_order(&file("src/gateway/mod.rs", fine)), Vec::<String>::new());
    assert_eq!(import_order(&file("src/main.rs", "use crate::app;")), Vec::<String>::new());

    let wrong = [
        file("src/adapters/file/mod.rs", "use crate::store::pool;"),
        file("src/adapters/file/mod.rs", "use super::sample_mllp::Frame;"),
        file("src/adapters/file/write.rs", "use super::super::sample_mllp;"),
        file("src/adapters/file/mod.rs", "use crate::adapters::{Outside, sample_mllp::Frame};"),
    ];
    for sample in wrong {
        assert_eq!(adapters_stand_alone(&sample).len(), 1, "{}", sample.text);
    }
    let fine =
        file("src/adapters/file/mod.rs", "use super::{Adapter, Outside};\nuse crate::adapters::{Kind, file::x};");
    assert_eq!(adapters_stand_alone(&fine), Vec::<String>::new());
}

// Code.

fn sql_lives_in_the_store(file: &File) -> Vec<String> {
    let elsewhere = file.path.starts_with("src/") && !file.path.starts_with("src/store/");
    let words = ["sqlx::query", "sqlx::raw_sql", "query_as(", "query_as::", "query_scalar", "QueryBuilder"];
    let found = words.iter().filter(|word| elsewhere && file.production().contains(**word));
    found.map(|word| format!("{}: {word} belongs to src/store", file.path)).collect()
}

fn callers_own_the_transaction(file: &File) -> Vec<String> {
    let may = ["src/gateway/", "src/delivery/", "src/cli/", "src/cli.rs", "src/dashboard/"];
    let elsewhere = file.path.starts_with("src/") && !may.iter().any(|folder| file.path.starts_with(folder));
    let words = [".begin()", ".begin_with(", "::begin("];
    let found = words.iter().filter(|word| elsewhere && file.production().contains(**word));
    found.map(|word| format!("{}: {word} belongs to the gateway and to delivery", file.path)).collect()
}

fn files_are_short_and_say_what_they_are(file: &File) -> Vec<String> {
    let mut complaints = Vec::new();
    let lines = file.text.lines().count();
    if lines > 500 {
        complaints.push(format!("{}: {lines} lines; 500 is the limit", file.path));
    }
    if !file.text.starts_with("//! ") {
        complaints.push(format!("{}: opens without //! and what it is", file.path));
    }
    complaints
}

fn nothing_is_switched_off(file: &File) -> Vec<String> {
    // Written in two halves, or this file would hold them.
    let words = [["#[", "allow("], ["#![", "allow("], ["#[", "ignore"], ["TO", "DO"], ["FIX", "ME"]];
    let found = words.map(|halves| halves.concat()).into_iter().filter(|word| file.text.contains(word.as_str()));
    found.map(|word| format!("{}: holds {word}", file.path)).collect()
}

fn no_machine_is_named(file: &File) -> Vec<String> {
    let homes = [["/ho", "me/"], ["/ro", "ot/"], ["/Us", "ers/"], ["/wo", "rk/"], [r"C:\Us", "ers"]];
    let is_root = |before: &str| !before.ends_with(|char: char| char.is_alphanumeric() || "/.)_-}>".contains(char));
    let named = |home: &String| file.text.match_indices(home.as_str()).any(|(at, _)| is_root(&file.text[..at]));
    let found = homes.map(|halves| halves.concat()).into_iter().filter(named);
    found.map(|home| format!("{}: names a path of one machine, {home}…", file.path)).collect()
}

#[test]
fn sql_is_written_in_the_store_only() {
    hold(&files(&["rs"]), sql_lives_in_the_store);
    assert_eq!(sql_lives_in_the_store(&file("src/gateway/accept.rs", "sqlx::query(\"select 1\")")).len(), 1);
    assert_eq!(sql_lives_in_the_store(&file("src/store/deliveries.rs", "sqlx::query(\"select 1\")")).len(), 0);
}

#[test]
fn transactions_begin_where_the_work_is_known() {
    hold(&files(&["rs"]), callers_own_the_transaction);
    assert_eq!(callers_own_the_transaction(&file("src/store/deliveries.rs", "pool.begin().await")).len(), 1);
    let tested = "#[cfg(test)]\nmod tests {\n pool.begin() }";
    assert_eq!(callers_own_the_transaction(&file("src/store/deliveries.rs", tested)).len(), 0);
}

#[test]
fn every_file_is_short_and_says_what_it_is() {
    let files = files(&["rs"]);
    hold(&files, files_are_short_and_say_what_they_are);
    let mut lengths: Vec<usize> = files.iter().map(|file| file.text.lines().count()).collect();
    lengths.sort_unstable();
    let (median, p90) = (lengths[lengths.len() / 2], lengths[lengths.len() * 9 / 10]);
    assert!(median <= 150 && p90 <= 350, "half have {median} lines or more, a tenth {p90} or more");

    assert_eq!(files_are_short_and_say_what_they_are(&file("src/a.rs", &"x\n".repeat(501))).len(), 2);
}

#[test]
fn no_lint_is_allowed_and_no_test_skipped() {
    hold(&files(&["rs"]), nothing_is_switched_off);
    let sample = format!("#[{}(dead_code)]\n// {}: later", "allow", ["TO", "DO"].concat());
    assert_eq!(nothing_is_switched_off(&file("src/a.rs", &sample)).len(), 2);
}

#[test]
fn nothing_names_a_path_of_one_machine() {
    hold(&files(&["rs", "md", "toml", "yml", "yaml", "json", "sql", "sh", "snap"]), no_machine_is_named);
    assert_eq!(no_machine_is_named(&file("docs/a.md", &format!("see {}me/x", "/ho"))).len(), 1);
    assert_eq!(no_machine_is_named(&file("docs/a.md", "https://example.org/home/x")).len(), 0);
}

// Texts.

fn migrations_say_why(file: &File) -> Vec<String> {
    let silent = file.path.starts_with("migrations/") && !file.text.starts_with("-- ");
    if silent { vec![format!("{}: opens without a comment that says why", file.path)] } else { vec![] }
}

fn links_lead_somewhere(file: &File) -> Vec<String> {
    let folder = root().join(&file.path).parent().map_or_else(root, Path::to_path_buf);
    let prose: String = file.text.split("```").step_by(2).collect();
    let targets = prose.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let outside =
        |target: &str| target.contains("://") || target.starts_with(['#', '/']) || target.starts_with("mailto:");
    let broken = targets
        .filter(|target| !outside(target) && !folder.join(target.split('#').next().unwrap_or_default()).exists());
    broken.map(|target| format!("{}: {target} leads nowhere", file.path)).collect()
}

#[test]
fn every_migration_says_why() {
    hold(&files(&["sql"]), migrations_say_why);
    assert_eq!(migrations_say_why(&file("migrations/1.sql", "create table a ();")).len(), 1);
}

#[test]
fn links_in_documents_lead_somewhere() {
    hold(&files(&["md"]), links_lead_somewhere);
    let sample = "[a](nowhere.md#x) [b](https://example.org) [c](#here) [d](Cargo.toml#x)\n```\n[e](no)\n```";
    assert_eq!(links_lead_somewhere(&file("a.md", sample)), ["a.md: nowhere.md#x leads nowhere"]);
}

#[test]
fn the_readme_can_be_read_in_five_minutes() {
    let readme = files(&["md"]).into_iter().find(|file| file.path == "README.md");
    assert!(readme.is_none_or(|readme| readme.text.lines().count() <= 150));
}

// Settings and adapters.

/// `signalbox.toml` with its examples only: lines whose # is not followed by a space.
fn examples() -> String {
    let example = |line: &&str| line.strip_prefix('#').is_some_and(|rest| !rest.is_empty() && !rest.starts_with(' '));
    DEFAULTS.lines().filter(example).map(|line| &line[1..]).collect::<Vec<_>>().join("\n")
}

/// Those of `known` that no setting or example of `text` writes.
fn unwritten<'k>(known: &'k [String], text: &str) -> Vec<&'k String> {
    let settings = text.lines().filter(|line| !line.starts_with("# "));
    let words: BTreeSet<&str> =
        settings.flat_map(|line| line.split(|char: char| !char.is_alphanumeric() && char != '_')).collect();
    known.iter().filter(|key| !words.contains(key.as_str())).collect()
}

#[test]
fn every_setting_is_written_in_signalbox_toml() {
    let tables = [
        "http",
        "database",
        "identity",
        "delivery",
        "delivery.retry",
        "terminology",
        "terminology.budget",
        "terminology.cache",
        "terminology.breaker",
        "sources.x",
        "mllp.x",
        "destinations.x",
        "[routes]",
    ];
    for table in tables {
        let errors = Config::from_toml(&format!("[{table}]\nno_such_setting = 1\n"), Path::new(".")).unwrap_err();
        let known = errors.iter().find_map(|error| match &error.problem {
            Problem::Unknown { known, .. } => Some(known.clone()),
            _ => None,
        });
        let known = known.expect("the table says what it knows");
        assert!(unwritten(&known, DEFAULTS).is_empty(), "[{table}] lacks {:?}", unwritten(&known, DEFAULTS));
    }
    assert_eq!(unwritten(&["a".to_owned(), "b".to_owned()], "#a = 1\n# b = 1"), ["b"]);
}

/// Folders of adapters that the list leaves out.
fn unlisted<'f>(folders: &'f [String], list: &str) -> Vec<&'f String> {
    folders.iter().filter(|folder| !list.contains(&format!("kind::<{folder}::"))).collect()
}

#[test]
fn every_adapter_is_in_the_list() {
    let entries = fs::read_dir(root().join("src/adapters")).unwrap().flatten();
    let folders: Vec<String> = entries
        .filter(|entry| entry.path().is_dir() && entry.file_name() != "snapshots")
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect();
    let list = fs::read_to_string(root().join("src/adapters/mod.rs")).unwrap();
    assert_eq!(unlisted(&folders, &list), Vec::<&String>::new());
    assert_eq!(folders.len(), ADAPTERS.len(), "one folder and one line for each adapter");
    assert_eq!(unlisted(&["file".to_owned(), "mllp".to_owned()], "&[kind::<file::File>()]"), ["mllp"]);
}

#[tokio::test]
async fn the_example_of_every_adapter_starts() {
    let base = tempfile::tempdir().unwrap();
    let environment = Environment::of([("SHARED_RECORD_TOKEN", "t0ken")]);
    let config = Config::from_toml_with(&examples(), base.path(), &environment).unwrap();
    let http = reqwest::Client::builder().timeout(Duration::from_secs(1)).build().unwrap();
    let base = base.path().to_owned();
    let outside =
        Outside { http, clock: Clock::system(), chance: Chance::seeded(1), timeout: Duration::from_secs(1), base };
    for kind in ADAPTERS {
        let example = config.destinations.values().find(|destination| destination.adapter == kind.name);
        let settings =
            example.unwrap_or_else(|| panic!("signalbox.toml has no example of {}", kind.name)).settings.clone();
        let built = (kind.build)(settings, &outside);
        assert!(built.is_ok(), "the example of {} in signalbox.toml: {:?}", kind.name, built.err());
    }
}

#[test]
fn every_statement_of_the_store_is_prepared_by_a_test() {
    let mut written = Vec::new();
    for file in
        files(&["rs"]).iter().filter(|file| file.path.starts_with("src/store/") && !file.path.contains("/server/"))
    {
        let module = file.path.trim_start_matches("src/store/").trim_end_matches(".rs").to_owned();
        let constants =
            file.text.lines().filter_map(|line| line.strip_prefix("pub(super) const ")?.split_once(": &str"));
        written.extend(constants.map(|(name, _)| format!("{module}::{name},")));
    }
    let listed = fs::read_to_string(root().join("src/store/mod.rs")).unwrap();
    assert!(written.len() > 20, "the statements are no longer found: {written:?}");
    let missing: Vec<&String> = written.iter().filter(|name| !listed.contains(name.as_str())).collect();
    assert_eq!(missing, Vec::<&String>::new(), "statements that store::statements() leaves out");
}

#[test]
fn every_script_can_be_read_by_its_shell() {
    let folders = [".ci", "scripts", "packaging/compose"].map(|folder| root().join(folder));
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).into_iter().flatten().flatten());
    let scripts: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| {
            fs::read(path).is_ok_and(|text| text.starts_with(b"#!") && text.windows(4).any(|at| at == b"bash"))
        })
        .collect();
    assert!(scripts.len() >= 4, "{scripts:?}");
    for script in scripts {
        let read = std::process::Command::new("bash").arg("-n").arg(&script).output().unwrap();
        assert!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    }
}
