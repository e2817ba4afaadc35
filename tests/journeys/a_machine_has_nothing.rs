//! A newcomer types the demo on a machine with neither Postgres nor pip: one line says what to install, and the exit code
//! is 2. The machine is this one, with its PostgreSQL hidden in a mount namespace.

use std::process::Command;

use crate::support::{gateway_process, require};

const HIDDEN: &str = r#"
[ ! -d /usr/lib/postgresql ] || mount -t tmpfs none /usr/lib/postgresql
PATH=/nowhere exec "$0" "$@""#;

#[test]
fn the_demo_says_what_to_install() {
    if !Command::new("unshare").args(["--mount", "true"]).status().is_ok_and(|status| status.success()) {
        require::skip("namespaces", "this user may not hide a folder from a command");
        return;
    }
    let folder = gateway_process::folder();
    let output = Command::new("unshare")
        .args(["--mount", "sh", "-c", HIDDEN, env!("CARGO_BIN_EXE_signalbox"), "demo", "--data"])
        .arg(folder.path().join("demo"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{said}");
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.contains("there is no Postgres to use") && said.contains("apt-get install postgresql"), "{said}");
}
