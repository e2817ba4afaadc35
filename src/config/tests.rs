//! Loading a configuration: what an operator writes, and what is told when it is wrong.

use std::path::Path;

use super::{Config, ConfigErrors, DEFAULTS, Environment, Problem};
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
    let example = |line: &&str| line.strip_prefix('#').is_some_and(|rest| !rest.is_empty() && !rest.starts_with(' '));
    DEFAULTS.lines().filter(example).map(|line| &line[1..]).collect::<Vec<_>>().join("\n")
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
    assert_eq!((config.sources.len(), config.destinations.len(), config.routes.len()), (4, 3, 5));
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
fn a_problem_is_placed_in_the_operators_file_and_never_in_ours() {
    let told = complaints("[http]\nlisten = \"127.0.0.1:80\"\n[http.tls]\ncertificate = \"a.pem\"\n");
    assert_eq!(
        told,
        ["signalbox.toml:3:7: http.tls.key: found nothing, expected the file with the certificate's private key"]
    );
    let told =
        complaints("http.tls = { client_certificate_needed = true, certificate = \"a.pem\", key = \"a.key\" }\n");
    assert!(told.len() == 1 && told[0].starts_with("signalbox.toml:1:6: http.tls.client_authorities: "), "{told:?}");
}

#[test]
fn a_number_that_is_not_written_as_a_whole_one_is_told_so() {
    let told = complaints("http.max_entries = 1e3\n");
    let expected = "found 1000.0, with a point or an exponent, expected a whole number, 1 or more";
    assert_eq!(told, [format!("signalbox.toml:1:6: http.max_entries: {expected}")]);
    assert!(complaints("http.max_depth = 1.5\n")[0].ends_with("found 1.5, expected a whole number, 1 or more"));
}

#[test]
fn a_file_that_is_not_utf_8_is_told_by_its_line_with_the_faults_of_the_others() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("routes")).unwrap();
    std::fs::write(folder.path().join("routes/r.toml"), "[[routes]]\nnme = \"x\"\nto = []\n").unwrap();
    let told = |master: &[u8]| {
        std::fs::write(folder.path().join("signalbox.toml"), master).unwrap();
        Config::load_with(Some(folder.path()), &Environment::of([])).unwrap_err().to_string()
    };
    let latin = told(b"[http]\nmax_depth = 9 # caf\xE9\n");
    assert!(latin.contains("signalbox.toml:2:20: the byte E9 here is not UTF-8"), "{latin}");
    assert!(latin.contains("routes/r.toml:2:1: routes[0].nme: unknown setting"), "{latin}");
    assert!(told(b"\xFF\xFE[\0h\0").contains("signalbox.toml:1:1: the file is UTF-16"));
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

#[test]
fn a_door_for_hl7_is_closed_to_networks_and_to_sources_that_cannot_prove_themselves() {
    let sources = "[sources.a]\nods = \"RX1\"\naddresses = [\"10.0.0.1\"]\n[sources.b]\nods = \"RX1\"\n\
                   certificates = [\"b.example\"]\n";
    let door = |rest: &str| complaints(&format!("{sources}[mllp.adt]\n{rest}\n"));
    let told = |rest: &str, part: &str| {
        let told = door(rest);
        assert!(told.len() == 1 && told[0].contains(part), "{rest}: {told:?}");
    };
    assert_eq!(door("listen = \"127.0.0.1:2575\"\nsources = [\"a\"]"), Vec::<String>::new());
    assert_eq!(door("listen = \"0.0.0.0:2575\"\nunencrypted = true\nsources = [\"a\"]"), Vec::<String>::new());
    let tls = "tls = { certificate = \"c\", key = \"k\", client_authorities = \"ca\" }";
    assert_eq!(door(&format!("listen = \"0.0.0.0:2575\"\n{tls}\nsources = [\"a\", \"b\"]")), Vec::<String>::new());
    told("listen = \"0.0.0.0:2575\"\nsources = [\"a\"]", "unencrypted = true");
    told("listen = \"127.0.0.1:2575\"\nsources = [\"b\"]", "cannot prove itself here");
    told("listen = \"127.0.0.1:2575\"\nsources = [\"aa\"]", "perhaps \"a\"");
    told("listen = \"127.0.0.1:2575\"\nsources = []", "none, expected the names of the sources");
    told("listen = \"127.0.0.1:2575\"\nsources = [\"a\"]\nmax_frame = \"1 B\"", "1 KiB or more");
    told("listen = \"127.0.0.1:2575\"\nsources = [\"a\"]\ncontent_fault = \"AA\"", "content_fault");
    told("listen = \"127.0.0.1:2575\"\nsources = [\"a\"]\ntls = { certificate = \"c\" }", "mllp.adt.tls.key");
    let twice = "[sources.c]\nods = \"RX1\"\naddresses = [\"10.0.0.1/32\"]";
    told(&format!("listen = \"127.0.0.1:2575\"\nsources = [\"a\", \"c\"]\n{twice}"), "not the source a's");
}

#[test]
fn a_route_for_hl7_says_so_with_what_hl7_has() {
    let route = |rest: &str| complaints(&format!("[[routes]]\nname = \"r\"\nto = []\n{rest}\n"));
    for good in ["messages = [\"ADT\", \"ADT^A31\"]", "messages = [\"ADT\"]\nfields = { \"PV1-2\" = [\"I\"] }"] {
        assert_eq!(route(good), Vec::<String>::new(), "{good}");
    }
    for (wrong, part) in [
        ("messages = [\"adt\"]", "ADT^A31"),
        ("messages = [\"ADT\"]\nwhen = \"active\"", "use `fields`"),
        ("types = [\"Patient\"]\nfields = { \"PV1-2\" = [\"I\"] }", "FHIR resources only"),
        ("fields = { \"PV1\" = [\"I\"] }", "PV1-2 or PID-3.4"),
        ("fields = { \"PV1-2\" = [] }", "no value"),
    ] {
        let told = route(wrong);
        assert!(told.len() == 1 && told[0].contains(part), "{wrong}: {told:?}");
    }
}
