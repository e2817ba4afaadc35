//! The profiles that commands check against: what the binary carries, and packages that are named on the command line.

use std::io::Write;
use std::path::Path;

use anyhow::anyhow;

use crate::validation::Validation;
use crate::validation::library::{Gathered, Library};
use crate::validation::lock::Lock;

/// The lock of a configuration folder.
pub(super) fn lock(folder: &Path) -> anyhow::Result<Lock> {
    anyhow::ensure!(
        folder.is_dir(),
        "there is no folder {}; the configuration's folder is chosen with --config",
        folder.display()
    );
    Lock::read(folder).map_err(|faults| {
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow!("{}", told.join("\nsignalbox: "))
    })
}

/// Validation with these packages beside what the binary carries; what could not be used is told on standard error.
pub(super) fn load(names: &[String], config: &Path) -> anyhow::Result<Validation> {
    let plain = Validation::built_in()?;
    if names.is_empty() {
        return Ok(plain);
    }
    // Of files nobody needs a lock.
    let are_files = names.iter().all(|name| Path::new(name).exists());
    let lock = if are_files { Lock::none(config) } else { lock(config)? };
    let library = Library { lock: &lock, paths: Path::new(""), plain: &plain };
    let mut gathered = Gathered::all_carried();
    for name in names {
        library.gather(name, &mut gathered).map_err(|problem| anyhow!("--package: {problem}"))?;
    }
    let lacking = gathered.lacking();
    let (validation, warnings) = gathered.compile()?;
    for told in lacking.into_iter().chain(warnings.iter().map(ToString::to_string)) {
        writeln!(std::io::stderr(), "signalbox: {told}")?;
    }
    Ok(validation)
}
