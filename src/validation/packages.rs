//! Conformance resources from files: [FHIR packages](https://hl7.org/fhir/packages.html) (`.tgz`, or the packs made from
//! them), folders of resources, single resources in JSON or XML; and the packs that the binary carries, by their names.

use std::path::{Path, PathBuf};

use signalbox_validator::json::Document;
use signalbox_validator::{PackError, PackInfo, Package};

use super::Validation;

/// What a package says of itself.
const MANIFEST: &str = "package.json";

/// The base definitions of R4, below every set.
pub(super) const BASE: &[u8] = include_bytes!("../../fhir-profiles/hl7.fhir.r4.core.pack");

/// The packs that the binary carries beside the base, facts only, each made from a published package by
/// `signalbox package reduce`.
pub(super) const BUILT_IN: [(&str, &[u8]); 1] =
    [("uk-core", include_bytes!("../../fhir-profiles/fhir.r4.ukcore.pack"))];

/// Names of the packs that the binary carries.
#[must_use]
pub fn built_in() -> Vec<&'static str> {
    BUILT_IN.iter().map(|(name, _)| *name).collect()
}

/// The packs that the binary carries, the base first.
pub(super) fn carried() -> impl Iterator<Item = &'static [u8]> {
    std::iter::once(BASE).chain(BUILT_IN.map(|(_, pack)| pack))
}

/// The packs that the binary carries, read: the base first, the others with their names.
///
/// # Errors
/// When one cannot be read.
pub fn read_carried() -> Result<Vec<(Option<&'static str>, Opened)>, PackError> {
    let names = std::iter::once(None).chain(built_in().into_iter().map(Some));
    carried().zip(names).map(|(pack, name)| Ok((name, Opened::package(pack, name.unwrap_or("base"))?))).collect()
}

/// What was read from one place.
#[derive(Debug, Clone, Default)]
pub struct Opened {
    /// What its `package.json` says, where it is a package.
    pub info: Option<PackInfo>,
    /// The text of each resource, after the name of where it is from.
    pub definitions: Vec<(String, Vec<u8>)>,
}

impl Opened {
    /// The definitions of a package (`.tgz` or pack); messages name it as `shown`.
    ///
    /// # Errors
    /// When it is none.
    pub fn package(bytes: &[u8], shown: &str) -> Result<Self, PackError> {
        let Package { info, definitions } = Package::read(bytes)?;
        let definitions = definitions.into_iter().map(|(file, text)| (format!("{shown}: {file}"), text)).collect();
        Ok(Self { info: Some(info), definitions })
    }
}

/// Reads a package, a folder of resources, or a single resource. `plain` reads XML.
///
/// # Errors
/// A sentence that says why it cannot be used.
pub fn read(path: &Path, plain: &Validation) -> Result<Opened, String> {
    let mut found = Opened::default();
    read_into(path, plain, &mut found)?;
    if path.is_dir() {
        let manifest = unpacked(path).and_then(|main| std::fs::read(main.join(MANIFEST)).ok());
        found.info = manifest.and_then(|bytes| PackInfo::of_manifest(&bytes).ok());
    }
    let shown = path.display();
    match found.definitions.as_slice() {
        [] => {
            Err(format!("{shown} holds no resources: expected a FHIR package, a folder of resources or one resource"))
        }
        // What is named by itself is meant; in a package or folder other files may stand beside.
        [(_, text)] if !path.is_dir() => {
            is_resource(text).map_err(|why| format!("{shown} is no resource: {why}")).map(|()| found)
        }
        _ => Ok(found),
    }
}

/// The folder, of an unpacked package, that its manifest stands in.
#[must_use]
pub fn unpacked(folder: &Path) -> Option<PathBuf> {
    [folder.to_owned(), folder.join("package")].into_iter().find(|main| main.join(MANIFEST).is_file())
}

fn is_resource(text: &[u8]) -> Result<(), String> {
    let document = Document::read(text).map_err(|error| {
        let place = error.position;
        format!("{} (line {}, column {})", error.kind, place.line, place.column)
    })?;
    let named = document.root().str_at(&["resourceType"]).is_some();
    if named { Ok(()) } else { Err("it has no resourceType".to_owned()) }
}

fn read_into(path: &Path, plain: &Validation, found: &mut Opened) -> Result<(), String> {
    let shown = path.display();
    if path.is_dir() {
        for file in files_below(path, &["json", "xml"])? {
            // What an unpacked package has beside its resources.
            if file.file_name().is_none_or(|name| name != MANIFEST && name != ".index.json") {
                read_into(&file, plain, found)?;
            }
        }
        return Ok(());
    }
    let bytes = std::fs::read(path).map_err(|error| format!("{shown} cannot be read: {error}"))?;
    if is_package(&bytes) {
        *found = Opened::package(&bytes, &shown.to_string())
            .map_err(|error| format!("{shown} is not a FHIR package: {error}"))?;
        return Ok(());
    }
    let text = if is_xml(&bytes) {
        let text = std::str::from_utf8(&bytes).map_err(|error| format!("{shown} is not UTF-8: {error}"))?;
        plain.json_of_xml(text).map_err(|error| format!("{shown} is not the XML of a resource: {error}"))?.into_bytes()
    } else {
        bytes
    };
    found.definitions.push((shown.to_string(), text));
    Ok(())
}

/// Whether a file, whatever it is called, begins as a package does: a gzip stream, or the zlib stream of a pack.
#[must_use]
pub fn is_package(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0x1F, 0x8B]) || signalbox_validator::is_pack(bytes)
}

/// Whether a file is XML rather than JSON.
#[must_use]
pub fn is_xml(bytes: &[u8]) -> bool {
    bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii_start().starts_with(b"<")
}

/// The files below a folder with one of these endings, in the order of their names.
///
/// # Errors
/// A sentence that names the folder that cannot be read.
pub fn files_below(folder: &Path, endings: &[&str]) -> Result<Vec<PathBuf>, String> {
    let (mut found, mut open) = (Vec::new(), vec![folder.to_owned()]);
    while let Some(folder) = open.pop() {
        let unreadable = |error: std::io::Error| format!("{} cannot be read: {error}", folder.display());
        for entry in std::fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
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
