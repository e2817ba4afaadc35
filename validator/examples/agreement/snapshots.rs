//! Snapshots of all UK Core definitions as both generate them.

use std::path::Path;

use signalbox_validator::ProfileSet;

use super::Failure;

pub(crate) fn compare(_: &ProfileSet, _: &Path) -> Result<(), Failure> {
    Err("not written yet".into())
}
