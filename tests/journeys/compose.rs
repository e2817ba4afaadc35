//! `docker-compose.yml` without Docker: each service that is the program of this repository is started with the command,
//! the environment and the mounted files of the compose file, until it is healthy by the check that stands there. In place
//! of the service `postgres` there is the tests' own server.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use sqlx::ConnectOptions;

use crate::support::database::TestDatabase;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The compose file, with these values for what it takes from its environment.
fn compose() -> Value {
    let text = std::fs::read_to_string(root().join("docker-compose.yml")).unwrap();
    let text = text
        .lines()
        .map(|line| line.replace("${SIGNALBOX_APP_PASSWORD}", "app").replace("${SIGNALBOX_OWNER_PASSWORD}", "owner"))
        .collect::<Vec<_>>()
        .join("\n");
    serde_saphyr::from_str(&text).unwrap()
}

/// The services whose image is this program.
fn own(compose: &Value) -> BTreeMap<String, Value> {
    let services = compose["services"].as_object().unwrap();
    let own = services.iter().filter(|(_, service)| service["image"] == "signalbox");
    own.map(|(name, service)| (name.clone(), service.clone())).collect()
}

fn words(list: &Value) -> Vec<String> {
    list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect()
}

/// Puts the repository's files where the service has them mounted.
fn mounted(service: &Value, word: &str, data: &Path) -> String {
    let mut word = word.to_owned();
    for mount in service["volumes"].as_array().into_iter().flatten() {
        let mut parts = mount.as_str().unwrap().split(':');
        let (from, to) = (parts.next().unwrap(), parts.next().unwrap());
        let place = from.strip_prefix("./").map_or_else(|| data.to_owned(), |path| root().join(path));
        word = word.replace(to, place.to_str().unwrap());
    }
    word
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A database URL of the compose file, which must name the service `postgres`, led to the tests' own server.
fn led_to(url: &str, role: &str, database: &sqlx::postgres::PgConnectOptions) -> String {
    let expected = format!("postgres://{role}:");
    assert!(url.starts_with(&expected) && url.ends_with("@postgres:5432/signalbox"), "{url}");
    database.to_url_lossy().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_service_of_ours_becomes_healthy_with_the_command_of_the_compose_file() {
    let compose = compose();
    let services = own(&compose);
    assert_eq!(services.keys().collect::<Vec<_>>(), ["central", "gateway", "pas"]);
    let database = TestDatabase::create().await;
    let data = crate::support::gateway_process::folder();
    let mut running = Vec::new();
    for (name, service) in &services {
        let mut command = Command::new(env!("CARGO_BIN_EXE_signalbox"));
        // The configuration names its data folder too: a copy leads it to the test's.
        let configured = data.path().join(format!("config-{name}"));
        for word in words(&service["command"]) {
            command.arg(in_copy(&mounted(service, &word, data.path()), &configured, service, data.path()));
        }
        for (key, value) in service["environment"].as_object().into_iter().flatten() {
            let value = value.as_str().unwrap();
            command.env(
                key,
                match key.as_str() {
                    "DATABASE_URL" => led_to(value, "signalbox_app", &database.app),
                    "DATABASE_OWNER_URL" => led_to(value, "signalbox_owner", &database.owner),
                    _ => value.to_owned(),
                },
            );
        }
        let log = std::fs::File::create(data.path().join(format!("{name}.log"))).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        running.push(Running(child));
        let log = || std::fs::read_to_string(data.path().join(format!("{name}.log"))).unwrap();
        assert!(line.starts_with("listening on "), "{name}: {line}{}", log());
        if service["healthcheck"].is_object() {
            healthy(name, service, data.path(), &configured).await;
        }
    }
}

/// A configuration folder of the repository, copied so that its data folder is the test's.
fn in_copy(word: &str, copy: &Path, service: &Value, data: &Path) -> String {
    if !Path::new(word).is_dir() {
        return word.to_owned();
    }
    std::fs::create_dir_all(copy).unwrap();
    let text = std::fs::read_to_string(Path::new(word).join("signalbox.toml")).unwrap();
    std::fs::write(copy.join("signalbox.toml"), mounted(service, &text, data)).unwrap();
    copy.to_str().unwrap().to_owned()
}

/// Runs the service's own health check until it is content.
async fn healthy(name: &str, service: &Value, data: &Path, configured: &Path) {
    let check = words(&service["healthcheck"]["test"]);
    assert_eq!(check[..2], ["CMD", "signalbox"], "{name}");
    let arguments: Vec<String> =
        check[2..].iter().map(|word| in_copy(&mounted(service, word, data), configured, service, data)).collect();
    for _ in 0..60 {
        if Command::new(env!("CARGO_BIN_EXE_signalbox")).args(&arguments).output().unwrap().status.success() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
    }
    panic!("{name} did not become healthy by {arguments:?}");
}

#[test]
fn what_is_published_is_for_this_machine_only_and_no_password_is_written_down() {
    let compose = compose();
    let services = compose["services"].as_object().unwrap();
    for (name, service) in services {
        for port in service["ports"].as_array().into_iter().flatten() {
            assert!(port.as_str().unwrap().starts_with("127.0.0.1:"), "{name}");
        }
    }
    let environment = &services["postgres"]["environment"];
    for key in ["POSTGRES_PASSWORD", "SIGNALBOX_APP_PASSWORD"] {
        assert!(environment[key].as_str().unwrap().starts_with("${"), "{key}");
    }
    for mount in services.values().flat_map(|service| service["volumes"].as_array().into_iter().flatten()) {
        if let Some(path) = mount.as_str().unwrap().split(':').next().unwrap().strip_prefix("./") {
            assert!(root().join(path).exists(), "{path}");
        }
    }
}
