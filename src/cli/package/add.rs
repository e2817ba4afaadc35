//! `signalbox package add FILE…`: keeps packages beside the configuration and pins them in `signalbox.lock`. All of them
//! or, when one is refused, none.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use clap::Args;
use signalbox_validator::{PackError, Package};

use super::{ConfigFolder, conformance, counts, hold, in_words};
use crate::validation::Validation;
use crate::validation::library::{Library, sha256};
use crate::validation::lock::{self, FILE, Lock, Locked};
use crate::validation::packages::{self, Opened};
use crate::validation::reference::Reference;

/// What this gateway checks.
const R4: &str = "4.0";

#[derive(Args)]
pub(in crate::cli) struct Add {
    /// A FHIR package (.tgz), a pack made by `package reduce`, or an unpacked package (a folder with package.json)
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    /// Folder below the configuration folder that keeps the packages
    #[arg(long, value_name = "FOLDER", default_value = "packages")]
    folder: String,
    #[command(flatten)]
    config: ConfigFolder,
}

/// A package that may be added.
struct Candidate {
    entry: Locked,
    bytes: Vec<u8>,
    opened: Opened,
}

/// What becomes of a package.
enum Step {
    /// It is new.
    Add,
    /// It is in the lock, and its file is missing or damaged.
    Restore,
    /// All is as it should be.
    Nothing,
}

impl Add {
    pub(super) fn run(self) -> anyhow::Result<ExitCode> {
        let config = &self.config.config;
        anyhow::ensure!(
            lock::stays_inside(&self.folder),
            "--folder {:?} leads out of the configuration folder: name a folder below it, such as packages",
            self.folder
        );
        let _held = config.is_dir().then(|| hold(config)).transpose()?;
        let mut lock = conformance::lock(config)?;
        let (mut steps, mut refused) = (Vec::new(), Vec::new());
        for path in &self.files {
            let candidate = match self.read(path)? {
                Ok(candidate) => candidate,
                Err(why) => {
                    refused.push(format!("{} {why}", path.display()));
                    continue;
                }
            };
            match step(&lock, &candidate) {
                Ok((step, entry)) => {
                    // The next file may be the same package once more.
                    lock.insert(entry.clone());
                    steps.push((step, Candidate { entry, ..candidate }));
                }
                Err(why) => refused.push(format!("{}: {why}", path.display())),
            }
        }
        if !refused.is_empty() {
            for why in refused {
                writeln!(std::io::stderr(), "signalbox: {why}")?;
            }
            writeln!(std::io::stderr(), "signalbox: nothing was added")?;
            return Ok(ExitCode::from(1));
        }
        for (step, candidate) in &steps {
            if !matches!(step, Step::Nothing) {
                keep(config, candidate)?;
            }
        }
        if steps.iter().any(|(step, _)| matches!(step, Step::Add)) {
            lock.write().with_context(|| format!("{} cannot be written", config.join(FILE).display()))?;
        }
        tell(&steps, &lock)?;
        Ok(ExitCode::SUCCESS)
    }

    /// Reads what was named; the inner error says why it is refused.
    fn read(&self, path: &Path) -> anyhow::Result<Result<Candidate, String>> {
        let bytes = if path.is_dir() {
            match archive(path)? {
                Ok(bytes) => bytes,
                Err(why) => return Ok(Err(why)),
            }
        } else {
            std::fs::read(path).with_context(|| format!("{} cannot be read", path.display()))?
        };
        if !packages::is_package(&bytes) {
            return Ok(Err(what_else(&bytes)));
        }
        let opened = match Opened::package(&bytes, "package") {
            Ok(opened) => opened,
            Err(error) => return Ok(Err(format!("is not a FHIR package: {error}"))),
        };
        let ending = if signalbox_validator::is_pack(&bytes) { "pack" } else { "tgz" };
        Ok(reference(&opened).and_then(|reference| {
            let file = self.place_of(path).unwrap_or_else(|| format!("{}/{reference}.{ending}", self.folder));
            let needs = opened.info.iter().flat_map(|info| &info.dependencies);
            let needs = needs.map(|(name, version)| {
                Reference::new(name, version).map_err(|why| format!("starts from a package that cannot be: {why}"))
            });
            let mut dependencies = needs.collect::<Result<Vec<_>, _>>()?;
            dependencies.sort();
            let entry = Locked { reference, sha256: sha256(&bytes), file, dependencies };
            Ok(Candidate { entry, bytes, opened })
        }))
    }

    /// Where a file stands below the folder of packages, when that is where it stands already.
    fn place_of(&self, path: &Path) -> Option<String> {
        let folder = self.config.config.join(&self.folder).canonicalize().ok()?;
        let path = path.is_file().then(|| path.canonicalize())?.ok()?;
        Some(format!("{}/{}", self.folder, path.strip_prefix(folder).ok()?.to_str()?))
    }
}

/// Name and version, of what can be checked by.
fn reference(opened: &Opened) -> Result<Reference, String> {
    let info = opened.info.clone().unwrap_or_default();
    let reference = Reference::new(&info.name, &info.version).map_err(|why| format!("cannot be named: {why}"))?;
    if info.fhir_versions.is_empty() && opened.definitions.is_empty() {
        return Err(format!(
            "is no FHIR package: {reference} holds no definition, and its package.json names no version of FHIR"
        ));
    }
    if !info.fhir_versions.is_empty() && !info.fhir_versions.iter().any(|version| version.starts_with(R4)) {
        return Err(format!(
            "is for FHIR {}, and Signalbox checks FHIR R4 (4.0.1): look for the R4 version of {reference}",
            info.fhir_versions.join(", ")
        ));
    }
    Ok(reference)
}

/// The `.tgz` of an unpacked package.
fn archive(folder: &Path) -> anyhow::Result<Result<Vec<u8>, String>> {
    let Some(main) = packages::unpacked(folder) else {
        let example = r#"{"name": "example.ward", "version": "1.0.0", "fhirVersions": ["4.0.1"], "dependencies": {}}"#;
        return Ok(Err(format!("is no package: it has no package.json. Write one there, such as\n  {example}")));
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(&main).with_context(|| format!("{} cannot be read", main.display()))? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.is_file() && path.extension().is_some_and(|end| end == "json") && !name.starts_with('.') {
            files.push((name, std::fs::read(&path).with_context(|| format!("{} cannot be read", path.display()))?));
        }
    }
    Ok(Package::archive(files).map_err(|error: PackError| format!("is not a FHIR package: {error}")))
}

/// Why a file that is no package is none.
fn what_else(bytes: &[u8]) -> String {
    let instead = "is no FHIR package (.tgz), pack, or folder with a package.json";
    let document = signalbox_validator::json::Document::read(bytes).ok();
    match document.as_ref().and_then(|document| document.root().str_at(&["resourceType"])) {
        Some(kind) => format!(
            "{instead}: it is a single {kind}. Put it into a folder with a package.json and add that, or name the file \
             itself under packages"
        ),
        None if bytes.is_empty() => format!("{instead}: it is empty"),
        None if bytes.starts_with(b"PK") => format!("{instead}: it is a zip archive; unpack it first"),
        None => instead.to_owned(),
    }
}

/// What is to do, and the entry of the lock; an error says why it is refused.
fn step(lock: &Lock, candidate: &Candidate) -> Result<(Step, Locked), String> {
    let entry = &candidate.entry;
    let reference = &entry.reference;
    let on_disk = |file: &str| std::fs::read(lock.folder().join(file)).ok();
    if let Some(known) = lock.get(reference) {
        if known.sha256 != entry.sha256 {
            return Err(format!(
                "{reference} is in {FILE} already, with other content (SHA-256 {}…; of this {}…). What was published under \
                 a version does not change: give this one a version of its own, or take the other out by `signalbox \
                 package remove {reference}`",
                &known.sha256[..12],
                &entry.sha256[..12]
            ));
        }
        let is_whole = on_disk(&known.file).is_none_or(|bytes| bytes == candidate.bytes);
        let is_there = lock.folder().join(&known.file).is_file();
        return Ok((if is_whole && is_there { Step::Nothing } else { Step::Restore }, known.clone()));
    }
    if on_disk(&entry.file).is_some_and(|bytes| bytes != candidate.bytes) {
        return Err(format!(
            "{} is there with other content, and {FILE} does not know it: move it away first",
            entry.file
        ));
    }
    Ok((Step::Add, entry.clone()))
}

/// Copies it to where the lock says it is.
fn keep(config: &Path, candidate: &Candidate) -> anyhow::Result<()> {
    let path = config.join(&candidate.entry.file);
    if std::fs::read(&path).is_ok_and(|bytes| bytes == candidate.bytes) {
        return Ok(());
    }
    let folder = path.parent().unwrap_or(config);
    std::fs::create_dir_all(folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    lock::write_whole(&path, &candidate.bytes).with_context(|| format!("{} cannot be written", path.display()))
}

fn tell(steps: &[(Step, Candidate)], lock: &Lock) -> anyhow::Result<()> {
    let plain = Validation::built_in()?;
    let library = Library { lock, paths: lock.folder(), plain: &plain };
    let mut out = std::io::stdout().lock();
    for (step, Candidate { entry, opened, .. }) in steps {
        let (reference, file) = (&entry.reference, &entry.file);
        match step {
            Step::Add => writeln!(out, "{reference} is added: {}; kept as {file}", in_words(&counts(opened)))?,
            Step::Restore => writeln!(out, "{reference} was there; {file} is put back as it was")?,
            Step::Nothing => writeln!(out, "{reference} is there already")?,
        }
        for wanted in &entry.dependencies {
            match library.has(wanted) {
                Some(place) => writeln!(out, "  starts from {wanted}, {place}")?,
                None => writeln!(out, "  starts from {wanted}, which is not here: add it as well")?,
            }
        }
    }
    // What the binary carries of the same name is not needed beside it.
    let is_carried = |name: &str| steps.iter().any(|(_, candidate)| candidate.entry.reference.name == name);
    let carried = plain.packs().into_iter().skip(1).zip(packages::built_in());
    let kept = carried.filter(|((name, _), _)| !is_carried(name)).map(|(_, alias)| alias.to_owned());
    let names = kept.chain(steps.iter().map(|(_, candidate)| candidate.entry.reference.to_string()));
    let names: Vec<String> = names.map(|name| format!("{name:?}")).collect();
    writeln!(out, "To check a source by it: packages = [{}] in its section of signalbox.toml", names.join(", "))?;
    if !lock.folder().join("signalbox.toml").is_file() {
        let folder = lock.folder().display();
        writeln!(
            out,
            "There is no signalbox.toml in {folder}: a gateway looks for packages beside its own (--config DIR)."
        )?;
    }
    Ok(())
}
