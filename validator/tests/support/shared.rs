//! The folder of published examples, packages and recorded cases, where it is present.
//!
//! `SIGNALBOX_REQUIRE=shared` makes its absence a failure.

use std::path::{Path, PathBuf};

/// The shared folder, or none when the test may be skipped.
pub(crate) fn folder(test: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    if folder.is_dir() {
        return Some(folder);
    }
    #[expect(clippy::disallowed_methods, reason = "the one place where tests read what the environment requires")]
    let required = std::env::var("SIGNALBOX_REQUIRE").unwrap_or_default();
    assert!(!required.split(',').any(|name| name.trim() == "shared"), "{test}: {} is required", folder.display());
    println!("skipped: {test}: there is no {}", folder.display());
    None
}
