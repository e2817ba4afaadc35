//! The profiles that commands check against: what the binary carries, and packages that are named on the command line.

use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;

use anyhow::anyhow;

use crate::validation::{Validation, packages};

/// Validation with these packages beside what the binary carries; what could not be used is told on standard error.
pub(super) fn load(paths: &[PathBuf]) -> anyhow::Result<Validation> {
    let plain = Validation::built_in()?;
    if paths.is_empty() {
        return Ok(plain);
    }
    let mut resources = Vec::new();
    for path in paths {
        resources.extend(packages::read(path, &plain).map_err(|sentence| anyhow!(sentence))?.definitions);
    }
    let given: HashSet<String> = resources.iter().map(|(source, _)| source.clone()).collect();
    let (validation, warnings) = Validation::with(resources)?;
    // What the binary's own packs lack is nothing that the caller could mend.
    for warning in warnings.iter().filter(|warning| given.contains(&warning.source)) {
        writeln!(std::io::stderr(), "signalbox: {warning}")?;
    }
    Ok(validation)
}
