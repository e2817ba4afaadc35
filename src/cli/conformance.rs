//! Conformance resources from files: FHIR packages (`.tgz`), folders, single resources in JSON or XML.

use std::collections::HashSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::validation::Validation;

/// Validation with these packages beside what the binary carries; what could not be used is told on standard error.
pub(super) fn load(packages: &[PathBuf]) -> anyhow::Result<Validation> {
    if packages.is_empty() {
        return Ok(Validation::built_in()?);
    }
    let plain = Validation::built_in()?;
    let mut resources = Vec::new();
    for package in packages {
        read(package, &plain, &mut resources).with_context(|| format!("{} cannot be used", package.display()))?;
    }
    let given: HashSet<String> = resources.iter().map(|(source, _)| source.clone()).collect();
    let (validation, warnings) = Validation::with(resources)?;
    // What the binary's own packs lack is nothing that the caller could mend.
    for warning in warnings.iter().filter(|warning| given.contains(&warning.source)) {
        writeln!(std::io::stderr(), "signalbox: {warning}")?;
    }
    Ok(validation)
}

/// Reads a package, a folder of resources, or one resource.
fn read(path: &Path, plain: &Validation, found: &mut Vec<(String, Vec<u8>)>) -> anyhow::Result<()> {
    if path.is_dir() {
        for file in files_below(path, &["json", "xml"])? {
            read(&file, plain, found)?;
        }
        return Ok(());
    }
    let bytes = std::fs::read(path)?;
    // A gzip stream, whatever it is called.
    if bytes.starts_with(&[0x1F, 0x8B]) {
        found.extend(signalbox_validator::read_package(&bytes)?);
        return Ok(());
    }
    let text = if is_xml(&bytes) { plain.json_of_xml(std::str::from_utf8(&bytes)?)?.into_bytes() } else { bytes };
    found.push((path.display().to_string(), text));
    Ok(())
}

/// Whether a file is XML rather than JSON.
pub(super) fn is_xml(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start().starts_with(b"<")
}

/// The files below a folder with one of these endings, in the order of their names.
pub(super) fn files_below(folder: &Path, endings: &[&str]) -> anyhow::Result<Vec<PathBuf>> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).with_context(|| format!("{} cannot be read", folder.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|end| endings.iter().any(|ending| end == *ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}
