//! `signalbox package verify`: holds the files of packages to `signalbox.lock`. Exit codes: 0 all is as it says, 1 a
//! problem, 2 it could not be found out.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use serde::Serialize;
use serde_json::json;

use super::{ConfigFolder, Format, conformance, count};
use crate::validation::Validation;
use crate::validation::library::{Library, sha256};
use crate::validation::lock::{FILE, Lock, Locked};
use crate::validation::packages::Opened;
use crate::validation::reference::Reference;

/// Where packages are kept unless `package add --folder` says something else.
const FOLDER: &str = "packages";
/// Files that may lie beside packages.
const NOTES: [&str; 2] = ["md", "txt"];

#[derive(Args)]
pub(in crate::cli) struct Verify {
    /// How to tell
    #[arg(long, value_enum, default_value_t = Format::Human)]
    format: Format,
    #[command(flatten)]
    config: ConfigFolder,
}

/// Something that is not as the lock says.
#[derive(Serialize)]
struct Fault {
    /// Its name.
    problem: &'static str,
    /// The package or file.
    subject: String,
    /// What to do about it.
    message: String,
}

impl Verify {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let lock = conformance::lock(&self.config.config)?;
        let folder = lock.folder().display();
        anyhow::ensure!(
            lock.is_there(),
            "there is no {FILE} in {folder}: `signalbox package add FILE` writes it, and --config DIR chooses the folder"
        );
        let plain = Validation::built_in()?;
        let library = Library { lock: &lock, paths: lock.folder(), plain: &plain };
        let mut faults = Vec::new();
        for package in lock.packages() {
            faults.extend(of_file(&lock, package)?);
            let missing = package.dependencies.iter().filter(|wanted| library.has(wanted).is_none());
            faults.extend(missing.map(|wanted| Fault {
                problem: "missing dependency",
                subject: package.reference.to_string(),
                message: format!(
                    "starts from {wanted}, which is neither in {FILE} nor built in: add it by `signalbox package add`"
                ),
            }));
        }
        faults.extend(extra(&lock)?);
        let mut out = std::io::stdout().lock();
        let packages = count(lock.packages().len(), "package");
        if self.format == Format::Json {
            writeln!(
                out,
                "{:#}",
                json!({ "good": faults.is_empty(), "packages": lock.packages().len(), "problems": faults })
            )?;
        } else {
            for Fault { problem, subject, message } in &faults {
                writeln!(out, "{problem}: {subject} {message}")?;
            }
            match faults.len() {
                0 => writeln!(out, "{packages}: every file is as {FILE} says")?,
                number => writeln!(out, "{packages}, {}", count(number, "problem"))?,
            }
        }
        Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) })
    }
}

/// Whether the file of a package is there, and is what was added.
fn of_file(lock: &Lock, package: &Locked) -> anyhow::Result<Option<Fault>> {
    let Locked { reference, file, .. } = package;
    let fault = |problem, message| Ok(Some(Fault { problem, subject: file.clone(), message }));
    let bytes = match std::fs::read(lock.folder().join(file)) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return fault(
                "missing",
                format!("of {reference} is not there: add the same package again by `signalbox package add`"),
            );
        }
        Err(error) => {
            return Err(error).with_context(|| format!("{} cannot be read", lock.folder().join(file).display()));
        }
    };
    let found = sha256(&bytes);
    if found != package.sha256 {
        return fault(
            "changed",
            format!("of {reference} has the SHA-256 {found}, expected {}: put the file back as it was", package.sha256),
        );
    }
    let info = match Opened::package(&bytes, file) {
        Ok(opened) => opened.info.unwrap_or_default(),
        Err(error) => return fault("unreadable", format!("of {reference} is not a FHIR package: {error}")),
    };
    // Somebody may have written the lock by hand.
    let needs = info.dependencies.iter().filter_map(|(name, version)| Reference::new(name, version).ok());
    let (needs, told): (BTreeSet<_>, BTreeSet<_>) = (needs.collect(), package.dependencies.iter().cloned().collect());
    if (&info.name, &info.version) != (&reference.name, &reference.version) || needs != told {
        let message = format!(
            "is {}@{} and is in {FILE} as {reference}, or starts from others than that says: take it out by `signalbox package remove` and add it again",
            info.name, info.version
        );
        return fault("mismatch", message);
    }
    Ok(None)
}

/// What lies where packages are kept and is none of the lock's.
fn extra(lock: &Lock) -> anyhow::Result<Vec<Fault>> {
    let files = lock.packages().iter().map(|package| Path::new(&package.file));
    let mut folders: BTreeSet<&Path> = files.clone().filter_map(Path::parent).collect();
    // The configuration folder itself holds much else.
    folders.remove(Path::new(""));
    folders.insert(Path::new(FOLDER));
    let mut faults = Vec::new();
    for folder in folders.into_iter().filter(|folder| lock.folder().join(folder).is_dir()) {
        let unreadable = || format!("{} cannot be read", lock.folder().join(folder).display());
        for entry in std::fs::read_dir(lock.folder().join(folder)).with_context(unreadable)? {
            let name = entry.with_context(unreadable)?.file_name();
            let path = folder.join(&name);
            let is_note = path.extension().is_some_and(|ending| NOTES.iter().any(|note| ending == *note));
            let is_known = files.clone().any(|file| file.starts_with(&path));
            if !is_known && !is_note && !name.to_string_lossy().starts_with('.') {
                let message = format!("is not in {FILE}: add it by `signalbox package add`, or move it away");
                faults.push(Fault { problem: "extra", subject: path.display().to_string(), message });
            }
        }
    }
    faults.sort_by(|a, b| a.subject.cmp(&b.subject));
    Ok(faults)
}
