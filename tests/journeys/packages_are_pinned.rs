//! An integration engineer keeps FHIR packages beside the configuration: adds them, names them as `name@version`, and is
//! told when one is not what was added.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::gateway_process::{self, Said, run};
use crate::support::guides::{issues, source};
use crate::support::packages::{GUIDES, archive, element, package, profile};
use crate::support::{ADA, TestGateway, patient};

const PATIENT: &str = "http://hl7.org/fhir/StructureDefinition/Patient";
const OLD: u64 = 31;
const NEW: u64 = 32;

/// Two versions of the ward's guide, and the trust's, from which they start.
fn guides(folder: &Path) -> [String; 3] {
    let need = |path: &str| element(path, json!({ "min": 1 }));
    let trust = profile("trust-patient", "1.0.0", ("Patient", PATIENT), &[need("Patient.birthDate")]);
    let base = format!("{GUIDES}/StructureDefinition/trust-patient");
    let ward = |version: &str, path: &str| {
        let of_ward = profile("ward-patient", version, ("Patient", &base), &[need(path)]);
        package(
            folder,
            ("example.ward", version),
            &[("hl7.fhir.r4.core", "4.0.1"), ("example.trust", "1.0.x")],
            &[of_ward],
        )
    };
    let trust = package(folder, ("example.trust", "1.0.0"), &[("hl7.fhir.r4.core", "4.0.1")], &[trust]);
    [trust, ward("1.0.0", "Patient.name"), ward("2.0.0", "Patient.telecom")].map(|path| path.display().to_string())
}

/// A configuration folder with a source for each version of the ward's guide.
fn settings(folder: &Path) -> String {
    let profiles = format!("profiles = {{ Patient = [\"{GUIDES}/StructureDefinition/ward-patient\"] }}");
    let named = |version: &str| format!("packages = [\"uk-core\", \"example.ward@{version}\"]\n{profiles}");
    let settings = format!(
        "{}{}[[routes]]\nname = \"nowhere\"\nto = []\n",
        source("old", OLD, &named("1.0.0")),
        source("new", NEW, &named("2.0.0"))
    );
    std::fs::write(folder.join("signalbox.toml"), format!("data = \"data\"\n{settings}")).unwrap();
    settings
}

/// `signalbox package VERB …` on this configuration folder.
fn package_at(folder: &Path, arguments: &[&str]) -> Said {
    run(&[&["package"][..], arguments, &["--config", folder.to_str().unwrap()]].concat())
}

fn check(folder: &Path) -> Said {
    run(&["check", "--config", folder.to_str().unwrap()])
}

fn lock_of(folder: &Path) -> String {
    std::fs::read_to_string(folder.join("signalbox.lock")).unwrap_or_default()
}

#[tokio::test]
async fn two_versions_are_added_and_each_source_is_checked_by_its_own() {
    let (folder, downloads) = (gateway_process::folder(), tempfile::tempdir().unwrap());
    let [trust, ward_1, ward_2] = guides(downloads.path());
    let settings = settings(folder.path());

    let said = package_at(folder.path(), &["add", &ward_2, &ward_1]);
    assert_eq!(said.code, 0, "{}", said.errors);
    assert!(said.out.contains("example.ward@2.0.0 is added: 1 profile; kept as packages/"), "{}", said.out);
    assert!(said.out.contains("starts from hl7.fhir.r4.core@4.0.1, built in"), "{}", said.out);
    assert!(said.out.contains("starts from example.trust@1.0.x, which is not here: add it as well"), "{}", said.out);
    assert!(said.out.contains("packages = [\"uk-core\", \"example.ward@2.0.0\""), "{}", said.out);
    let said = check(folder.path());
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(
        said.out.contains("sources.new.packages[1]: example.ward@2.0.0 starts from example.trust@1.0.x"),
        "{}",
        said.out
    );

    let said = package_at(folder.path(), &["add", &trust]);
    assert_eq!(said.code, 0, "{}", said.errors);
    let hash = |line: &str| if line.starts_with("sha256 = ") { "sha256 = HASH".to_owned() } else { line.to_owned() };
    insta::assert_snapshot!(lock_of(folder.path()).lines().map(hash).collect::<Vec<_>>().join("\n"));
    let said = check(folder.path());
    assert!(said.code == 0 && !said.out.contains("starts from"), "{}", said.out);
    assert_eq!(package_at(folder.path(), &["verify"]).code, 0);

    let gateway = TestGateway::in_folder(folder, "", &settings).await;
    let whole = patient(ADA, "Lovelace");
    assert_eq!(gateway.send_as(OLD, "Patient", whole.clone()).await.status(), 202);
    let answer = gateway.send_as(NEW, "Patient", whole.clone()).await;
    assert_eq!(answer.status(), 422);
    let told = issues(answer).await;
    assert!(told.iter().any(|issue| issue.starts_with("error") && issue.contains("telecom")), "{told:?}");
    let unborn = whole.replace("\"birthDate\":\"1980-02-29\"", "\"active\":true");
    assert_ne!(whole, unborn);
    let answer = gateway.send_as(OLD, "Patient", unborn).await;
    assert_eq!(answer.status(), 422, "what the guide starts from is loaded along");
    let told = issues(answer).await;
    assert!(told.iter().any(|issue| issue.starts_with("error") && issue.contains("birthDate")), "{told:?}");
    gateway.finish().await;
}

#[test]
fn what_is_not_what_was_added_is_never_checked_by() {
    let (folder, downloads) = (gateway_process::folder(), tempfile::tempdir().unwrap());
    let [trust, ward_1, ward_2] = guides(downloads.path());
    settings(folder.path());
    assert_eq!(package_at(folder.path(), &["add", &trust, &ward_1, &ward_2]).code, 0);
    let kept = folder.path().join("packages");
    let file = |name: &str| kept.join(format!("{name}.tgz"));

    // The old guide under the new one's name, a guide that is gone, and one that nobody added.
    std::fs::copy(file("example.ward@1.0.0"), file("example.ward@2.0.0")).unwrap();
    std::fs::remove_file(file("example.trust@1.0.0")).unwrap();
    std::fs::write(kept.join("stray.tgz"), "stray").unwrap();
    std::fs::write(kept.join("README.md"), "notes").unwrap();
    let said = package_at(folder.path(), &["verify"]);
    assert_eq!(said.code, 1, "{}", said.errors);
    let problems: Vec<&str> = said.out.lines().collect();
    for (at, start) in [
        "missing: packages/example.trust@1.0.0.tgz of example.trust@1.0.0 is not there: ",
        "changed: packages/example.ward@2.0.0.tgz of example.ward@2.0.0 has the SHA-256 ",
        "extra: packages/stray.tgz is not in signalbox.lock: ",
        "3 packages, 3 problems",
    ]
    .iter()
    .enumerate()
    {
        assert!(problems[at].starts_with(start), "{}", said.out);
    }
    let said = package_at(folder.path(), &["verify", "--format", "json"]);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &told["good"], &told["problems"][1]["problem"]), (1, &json!(false), &json!("changed")));
    let said = package_at(folder.path(), &["list"]);
    assert!(said.code == 0 && said.out.contains("has other content than was added"), "{}", said.out);

    let said = check(folder.path());
    assert_eq!(said.code, 1);
    assert!(
        said.out.contains("sources.new.packages[1]: packages/example.trust@1.0.0.tgz, which signalbox.lock names for"),
        "{}",
        said.out
    );
    let said = run(&["serve", "--config", folder.path().to_str().unwrap()]);
    assert!(said.code == 2 && said.errors.contains("cannot be read"), "{}", said.errors);
    let name = "example.ward@2.0.0";
    let said = run(&["package", "snapshot", "x", "--package", name, "--config", folder.path().to_str().unwrap()]);
    assert!(said.code == 2 && said.errors.contains("--package: "), "{}", said.errors);

    // Adding the same again puts it back.
    assert_eq!(package_at(folder.path(), &["add", &trust]).code, 0);
    let said = check(folder.path());
    let changed = "sources.new.packages[1]: packages/example.ward@2.0.0.tgz, which signalbox.lock names for \
                   example.ward@2.0.0, has other content than was added";
    assert!(said.code == 1 && said.out.contains(changed), "{}", said.out);
    assert!(!said.out.contains("sources.old.packages"), "the other version is as it was: {}", said.out);
    let said = package_at(folder.path(), &["add", &ward_2]);
    assert!(said.out.contains("packages/example.ward@2.0.0.tgz is put back as it was"), "{}", said.out);
    std::fs::remove_file(kept.join("stray.tgz")).unwrap();
    let said = package_at(folder.path(), &["verify"]);
    assert_eq!((said.code, said.out.as_str()), (0, "3 packages: every file is as signalbox.lock says\n"));
    assert_eq!(check(folder.path()).code, 0);
}

#[test]
fn what_is_no_package_is_refused_and_nothing_is_added() {
    let (folder, downloads) = (gateway_process::folder(), tempfile::tempdir().unwrap());
    let [_, ward, _] = guides(downloads.path());
    let write = |name: &str, bytes: &[u8]| {
        std::fs::write(downloads.path().join(name), bytes).unwrap();
        downloads.path().join(name).display().to_string()
    };
    let made = |name: &str, manifest: Value| archive(downloads.path(), name, &manifest, &[]).display().to_string();
    let empty = downloads.path().join("empty");
    std::fs::create_dir(&empty).unwrap();
    let whole = std::fs::read(&ward).unwrap();
    for (file, told) in [
        (write("text.tgz", b"no package"), "is no FHIR package (.tgz), pack, or folder with a package.json"),
        (write("none", b""), "it is empty"),
        (write("a.zip", b"PK\x03\x04"), "it is a zip archive; unpack it first"),
        (write("cut.tgz", &whole[..whole.len() / 2]), "is not a FHIR package: the package is damaged"),
        (
            write("p.json", br#"{"resourceType":"ValueSet"}"#),
            "it is a single ValueSet. Put it into a folder with a package.json",
        ),
        (empty.display().to_string(), "it has no package.json. Write one there, such as"),
        (made("npm.tgz", json!({"name": "left-pad", "version": "1.0.0"})), "names no version of FHIR"),
        (
            made("r5.tgz", json!({"name": "a", "version": "1.0.0", "fhirVersions": ["5.0.0"]})),
            "is for FHIR 5.0.0, and Signalbox checks FHIR R4",
        ),
        (
            made("out.tgz", json!({"name": "../../a", "version": "1.0.0", "fhirVersions": ["4.0.1"]})),
            "its name \"../../a\" is not made of letters",
        ),
        (
            made("v.tgz", json!({"name": "a", "version": "1/../..", "fhirVersions": ["4.0.1"]})),
            "its version \"1/../..\"",
        ),
    ] {
        let said = package_at(folder.path(), &["add", &ward, &file]);
        assert_eq!(said.code, 1, "{file}: {}", said.errors);
        assert!(
            said.errors.starts_with(&format!("signalbox: {file} ")) && said.errors.contains(told),
            "{}",
            said.errors
        );
        assert!(said.errors.ends_with("nothing was added\n"), "{}", said.errors);
        assert!(!folder.path().join("packages").exists() && lock_of(folder.path()).is_empty());
    }
    for (arguments, told) in [
        (&["add"][..], "<FILE|DIR>"),
        (&["add", "/nowhere/a.tgz"], "/nowhere/a.tgz cannot be read"),
        (&["add", &ward, "--folder", "../elsewhere"], "leads out of the configuration folder"),
        (&["verify"], "there is no signalbox.lock in "),
        (&["remove"], "<NAME@VERSION>"),
        (&["diff", "a.tgz"], "<B>"),
        (&["diff", "a.tgz", "b.tgz"], "\"a.tgz\", which is not there"),
    ] {
        let said = package_at(folder.path(), arguments);
        assert!(said.code == 2 && said.errors.contains(told), "{arguments:?}: {}", said.errors);
    }
    let said = run(&["package", "list", "--config", "/nowhere/at-all"]);
    assert!(
        said.code == 2 && said.errors.contains("the configuration's folder is chosen with --config"),
        "{}",
        said.errors
    );
}

#[test]
fn a_version_keeps_its_content() {
    let (folder, downloads, later) =
        (gateway_process::folder(), tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let [_, ward, _] = guides(downloads.path());
    assert_eq!(package_at(folder.path(), &["add", &ward]).code, 0);
    let before = lock_of(folder.path());
    let said = package_at(folder.path(), &["add", &ward]);
    assert!(said.code == 0 && said.out.starts_with("example.ward@1.0.0 is there already\n"), "{}", said.out);

    let other = profile("ward-patient", "1.0.0", ("Patient", PATIENT), &[]);
    let other = package(later.path(), ("example.ward", "1.0.0"), &[], &[other]).display().to_string();
    let said = package_at(folder.path(), &["add", &other]);
    assert_eq!(said.code, 1);
    for told in
        ["example.ward@1.0.0 is in signalbox.lock already, with other content", "package remove example.ward@1.0.0"]
    {
        assert!(said.errors.contains(told), "{}", said.errors);
    }
    assert_eq!(lock_of(folder.path()), before);

    // The two in one go, too.
    let fresh = gateway_process::folder();
    assert_eq!(package_at(fresh.path(), &["add", &ward, &other]).code, 1);
    assert!(!fresh.path().join("packages").exists());

    // A package of the lock that is needed stays.
    let said = package_at(folder.path(), &["remove", "example.wrd@1.0.0"]);
    assert!(
        said.code == 1 && said.errors.contains("is not in signalbox.lock, perhaps example.ward@1.0.0"),
        "{}",
        said.errors
    );
    settings(folder.path());
    let said = package_at(folder.path(), &["remove", "example.ward@1.0.0"]);
    assert!(said.code == 1 && said.errors.contains("named by the packages of old"), "{}", said.errors);
    std::fs::remove_file(folder.path().join("signalbox.toml")).unwrap();
    let said = package_at(folder.path(), &["remove", "example.ward@1.0.0"]);
    assert_eq!(said.code, 0, "{}", said.errors);
    assert_eq!(std::fs::read_dir(folder.path().join("packages")).unwrap().count(), 0);
    assert_eq!(package_at(folder.path(), &["add", &other]).code, 0);
    assert_eq!(package_at(folder.path(), &["verify"]).code, 0);
}

#[test]
fn what_another_package_starts_from_is_not_taken_out() {
    let (folder, downloads) = (gateway_process::folder(), tempfile::tempdir().unwrap());
    let [trust, ward, _] = guides(downloads.path());
    assert_eq!(package_at(folder.path(), &["add", &trust, &ward]).code, 0);
    let said = package_at(folder.path(), &["remove", "example.trust@1.0.0"]);
    assert!(
        said.code == 1 && said.errors.contains("example.ward@1.0.0 starts from example.trust@1.0.0"),
        "{}",
        said.errors
    );
    assert_eq!(package_at(folder.path(), &["verify"]).code, 0);
    assert_eq!(package_at(folder.path(), &["remove", "example.ward@1.0.0"]).code, 0);
    assert_eq!(package_at(folder.path(), &["remove", "example.trust@1.0.0"]).code, 0);
}

#[test]
fn a_folder_and_a_pack_are_packages_too() {
    let (folder, downloads) = (gateway_process::folder(), tempfile::tempdir().unwrap());
    let [trust, ward, next] = guides(downloads.path());
    // As a person unpacks one and changes something.
    let unpacked = downloads.path().join("unpacked");
    std::fs::create_dir(&unpacked).unwrap();
    let done = std::process::Command::new("tar").arg("xzf").arg(&ward).arg("-C").arg(&unpacked).status().unwrap();
    assert!(done.success());
    let unpacked = unpacked.display().to_string();
    let said = package_at(folder.path(), &["add", &unpacked]);
    assert!(
        said.code == 0 && said.out.contains("kept as packages/example.ward@1.0.0.tgz"),
        "{} {}",
        said.out,
        said.errors
    );
    let said = package_at(folder.path(), &["add", &ward, &unpacked]);
    assert_eq!(
        said.out.matches("example.ward@1.0.0 is there already").count(),
        2,
        "the same files are the same package: {}",
        said.errors
    );

    // A pack keeps what it starts from, and may stand where it is.
    std::fs::create_dir_all(folder.path().join("packages")).unwrap();
    let pack = folder.path().join("packages/trust.pack").display().to_string();
    assert_eq!(run(&["package", "reduce", &trust, "--output", &pack]).code, 0);
    let said = package_at(folder.path(), &["add", &pack]);
    assert!(said.out.contains("example.trust@1.0.0 is added: 1 profile; kept as packages/trust.pack"), "{}", said.out);
    let next_pack = downloads.path().join("next.pack").display().to_string();
    assert_eq!(run(&["package", "reduce", &next, "--output", &next_pack]).code, 0);
    let said = package_at(folder.path(), &["add", &next_pack]);
    assert!(said.out.contains("kept as packages/example.ward@2.0.0.pack"), "{}", said.out);
    assert!(said.out.contains("starts from example.trust@1.0.x, in the lock"), "{}", said.out);
    let said = package_at(folder.path(), &["verify"]);
    assert_eq!((said.code, said.out.as_str()), (0, "3 packages: every file is as signalbox.lock says\n"));
    let snapshot = |more: &[&str]| {
        let config = folder.path().to_str().unwrap();
        let canonical = format!("{GUIDES}/StructureDefinition/ward-patient");
        run(&[&["package", "snapshot", &canonical, "--config", config][..], more].concat())
    };
    let said = snapshot(&["--package", "example.ward@1.0.0"]);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    let elements = told["snapshot"]["element"].as_array().unwrap();
    let least = |path: &str| elements.iter().find(|element| element["path"] == path).unwrap()["min"].clone();
    assert_eq!((least("Patient.birthDate"), least("Patient.name"), said.errors.as_str()), (json!(1), json!(1), ""));
    let said = snapshot(&["--package", "example.wrad@1.0.0"]);
    assert_eq!(said.code, 2);
    assert!(
        said.errors.contains("--package: found \"example.wrad@1.0.0\", which signalbox.lock does not have"),
        "{}",
        said.errors
    );
    assert!(said.errors.contains("perhaps \"example.ward@1.0.0\""), "{}", said.errors);
    assert_eq!(snapshot(&["--package", &pack]).code, 1, "the profile is not in the pack of the trust");
}

#[test]
fn the_list_tells_what_there_is() {
    let (folder, downloads) = (gateway_process::folder(), tempfile::tempdir().unwrap());
    let [_, ward, _] = guides(downloads.path());
    let said = package_at(folder.path(), &["list"]);
    assert_eq!(said.code, 0);
    assert!(
        said.out.contains("hl7.fhir.r4.core@4.0.1") && said.out.contains("There is no signalbox.lock in"),
        "{}",
        said.out
    );
    assert_eq!(package_at(folder.path(), &["add", &ward]).code, 0);
    let said = package_at(folder.path(), &["list", "--format", "json"]);
    let told: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(told["builtIn"][1]["place"], "uk-core");
    assert!(told["builtIn"][1]["definitions"]["profile"].as_u64().unwrap() > 50, "{}", said.out);
    assert_eq!(
        told["lock"],
        json!([{
            "name": "example.ward@1.0.0", "place": "packages/example.ward@1.0.0.tgz", "definitions": { "profile": 1 },
            "startsFrom": [
                { "name": "example.trust@1.0.x", "place": null },
                { "name": "hl7.fhir.r4.core@4.0.1", "place": "built in" },
            ],
        }])
    );
    let said = package_at(folder.path(), &["list"]);
    assert!(said.out.contains("starts from example.trust@1.0.x, which is not here"), "{}", said.out);
    let said = package_at(folder.path(), &["verify"]);
    assert_eq!(said.code, 1);
    assert!(
        said.out.starts_with("missing dependency: example.ward@1.0.0 starts from example.trust@1.0.x"),
        "{}",
        said.out
    );
}

#[test]
fn names_that_the_lock_does_not_have_are_told_with_the_nearest() {
    let (folder, downloads) = (gateway_process::folder(), tempfile::tempdir().unwrap());
    let [trust, ward, _] = guides(downloads.path());
    assert_eq!(package_at(folder.path(), &["add", &trust, &ward]).code, 0);
    let names = "packages = [\n  \"example.ward@1.0.1\",\n  \"exmaple.ward@1.0.0\",\n  \"example.ward\",\n  \
                 \"example.ward#1.0.0\",\n  \"hl7.fhir.r4.core@4.0.2\",\n  \"something.else@1.0.0\",\n  \"own@1\",\n]";
    std::fs::create_dir(folder.path().join("own@1")).unwrap();
    let settings = format!("data = \"data\"\n{}[[routes]]\nname = \"all\"\nto = []\n", source("a", OLD, names));
    std::fs::write(folder.path().join("signalbox.toml"), settings).unwrap();
    let said = check(folder.path());
    assert_eq!(said.code, 1, "{}", said.errors);
    insta::assert_snapshot!(said.out);

    let lock = lock_of(folder.path());
    let spoil = |from: &str, to: &str| {
        std::fs::write(folder.path().join("signalbox.lock"), lock.replacen(from, to, 1)).unwrap();
        let said = check(folder.path());
        assert_eq!(said.code, 1, "{}", said.errors);
        assert_eq!(package_at(folder.path(), &["verify"]).code, 2);
        said.out.lines().find(|line| line.starts_with("signalbox.lock:")).unwrap_or_default().to_owned()
    };
    for (from, to, told) in [
        ("[[package]]\n", "<<<<<<< HEAD\n[[package]]\n", "signalbox.lock:4:9: error: key with no value"),
        (
            "packages/",
            "../",
            "signalbox.lock:4:1: error: package[0].file: found \"../example.trust@1.0.0.tgz\", expected a path below",
        ),
        ("version = \"1.0.0\"", "version = \"../1\"", "package[0].name: its version \"../1\""),
        ("example.ward", "example.trust", "package[1]: example.trust@1.0.0 is there twice"),
        ("sha256 = \"", "sha256 = \"z", "package[0].sha256: found \"z"),
        ("sha256", "sha265", "unknown field `sha265`"),
        ("@4.0.1\"", "\"", "package[0].dependencies: found \"hl7.fhir.r4.core\", expected name@version"),
    ] {
        let line = spoil(from, to);
        assert!(line.contains(told), "{told}: {line}");
    }
}

#[test]
fn packages_that_are_added_at_once_are_all_there() {
    let (folder, downloads) = (gateway_process::folder(), tempfile::tempdir().unwrap());
    let made: Vec<String> = (0..6)
        .map(|number| {
            let of = profile("some", "1.0.0", ("Patient", PATIENT), &[]);
            package(downloads.path(), (&format!("example.p{number}"), "1.0.0"), &[], &[of]).display().to_string()
        })
        .collect();
    std::thread::scope(|scope| {
        let adding: Vec<_> =
            made.iter().map(|file| scope.spawn(|| package_at(folder.path(), &["add", file]).code)).collect();
        assert!(adding.into_iter().all(|added| added.join().unwrap() == 0));
    });
    let said = package_at(folder.path(), &["verify"]);
    assert_eq!((said.code, said.out.as_str()), (0, "6 packages: every file is as signalbox.lock says\n"));
}

#[test]
fn a_gateway_whose_data_is_beside_its_configuration_leaves_the_lock_alone() {
    let (folder, downloads) = (gateway_process::folder(), tempfile::tempdir().unwrap());
    let [trust, ..] = guides(downloads.path());
    assert_eq!(package_at(folder.path(), &["add", &trust]).code, 0);
    std::fs::write(folder.path().join("signalbox.toml"), "data = \".\"\nhttp.listen = \"127.0.0.1:0\"\n").unwrap();
    let lock = lock_of(folder.path());
    let gateway = gateway_process::GatewayProcess::start(folder.path());
    let said = run(&["db", "--config", folder.path().to_str().unwrap()]);
    assert!(said.out.contains("the gateway's own, which is running"), "{} {}", said.out, said.errors);
    gateway.terminate();
    assert_eq!(lock_of(folder.path()), lock);
    assert_eq!(package_at(folder.path(), &["verify"]).code, 0);
}
