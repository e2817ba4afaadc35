//! A FHIR package as it is published (a `.tgz`), or the pack that was made from one: what it says of itself, and its
//! definitions; see the [package specification](https://confluence.hl7.org/display/FHIR/NPM+Package+Specification).

use std::io::Read;

use flate2::Crc;

use crate::json::{Document, Kind};
use crate::pack::{self, PackError, PackInfo};

/// The manifest in a package.
const MANIFEST: &str = "package.json";

/// A package that has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// What its manifest says.
    pub info: PackInfo,
    /// Its definitions in JSON, each after the name of its file or the line of the pack.
    pub definitions: Vec<(String, Vec<u8>)>,
}

impl Package {
    /// Reads the bytes of a `.tgz`, or of a pack that [`crate::reduce`] made.
    ///
    /// # Errors
    /// When it is neither, is damaged, or its manifest lacks a name or a version.
    pub fn read(bytes: &[u8]) -> Result<Self, PackError> {
        if is_pack(bytes) { Self::of_pack(bytes) } else { Self::of_archive(bytes) }
    }

    fn of_archive(bytes: &[u8]) -> Result<Self, PackError> {
        let mut files = unpack(bytes)?;
        let info = manifest(&files)?;
        // The manifest, and the index that packages hide beside it.
        files.retain(|(name, _)| name != MANIFEST && !name.starts_with('.'));
        Ok(Self { info, definitions: files })
    }

    fn of_pack(bytes: &[u8]) -> Result<Self, PackError> {
        let text = pack::decompress(bytes)?;
        let (info, documents) = pack::lines(&text)?;
        // The first line is the manifest.
        let named = |(at, document): (usize, &Document<'_>)| {
            (format!("line {}", at + 2), document.root().raw().as_bytes().to_vec())
        };
        let definitions = documents.iter().enumerate().map(named).collect();
        Ok(Self { info, definitions })
    }

    /// Makes the `.tgz` of a package from its files, the manifest `package.json` among them. The same files always give
    /// the same bytes, whatever their order.
    ///
    /// # Errors
    /// When there is no manifest, or it lacks a name or a version.
    pub fn archive(mut files: Vec<(String, Vec<u8>)>) -> Result<Vec<u8>, PackError> {
        files.sort();
        manifest(&files)?;
        let mut archive = tar::Builder::new(Vec::new());
        for (name, bytes) in &files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_mtime(0);
            archive.append_data(&mut header, format!("package/{name}"), bytes.as_slice())?;
        }
        Ok(gzip(&archive.into_inner()?))
    }
}

/// A [gzip](https://www.rfc-editor.org/rfc/rfc1952) stream without name or time, by the compressor that packs have.
fn gzip(bytes: &[u8]) -> Vec<u8> {
    const DEFLATE_FROM_NOWHERE: [u8; 10] = [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut check = Crc::new();
    check.update(bytes);
    let mut out = DEFLATE_FROM_NOWHERE.to_vec();
    out.extend(miniz_oxide::deflate::compress_to_vec(bytes, pack::COMPRESSION_LEVEL));
    out.extend(check.sum().to_le_bytes());
    out.extend(check.amount().to_le_bytes());
    out
}

impl PackInfo {
    /// What a `package.json` says.
    ///
    /// # Errors
    /// When it is no JSON object, or lacks a name or a version.
    pub fn of_manifest(bytes: &[u8]) -> Result<Self, PackError> {
        let document = Document::read(bytes).map_err(|error| PackError::Json { place: MANIFEST.to_owned(), error })?;
        if document.root().kind() != Kind::Object {
            return Err(PackError::Incomplete { definition: MANIFEST.to_owned(), what: "name" });
        }
        pack::package_info(&document)
    }
}

/// Whether bytes begin as a pack does: a zlib stream.
#[must_use]
pub fn is_pack(bytes: &[u8]) -> bool {
    matches!(bytes, [first, second, ..] if first & 0x0F == 8 && (u16::from(*first) << 8 | u16::from(*second)) % 31 == 0)
}

/// What the manifest among these files says.
pub(crate) fn manifest(files: &[(String, Vec<u8>)]) -> Result<PackInfo, PackError> {
    let manifest = files.iter().find(|(name, _)| name == MANIFEST);
    let (_, bytes) = manifest.ok_or_else(|| PackError::Damaged(format!("it has no {MANIFEST}")))?;
    PackInfo::of_manifest(bytes)
}

/// The JSON files of the package's main folder that may be definitions, and its manifest.
pub(crate) fn unpack(package: &[u8]) -> Result<Vec<(String, Vec<u8>)>, PackError> {
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(package));
    let mut files = Vec::new();
    for entry in archive.entries()? {
        let mut entry = entry?;
        let path = entry.path()?.to_string_lossy().into_owned();
        let path = path.strip_prefix("./").unwrap_or(&path);
        let Some(name) = path.strip_prefix("package/").filter(|name| !name.contains('/')) else { continue };
        let Some(stem) = name.strip_suffix(".json") else { continue };
        // Files are named as their publisher likes: what is in them says what they are. Of instances there may be thousands.
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes)?;
        if stem == "package" || is_definition(&bytes) {
            files.push((name.to_owned(), bytes));
        }
    }
    files.sort();
    Ok(files)
}

/// Whether a file may hold a definition, without reading all of it.
fn is_definition(bytes: &[u8]) -> bool {
    let kinds: [&[u8]; 3] = [b"\"StructureDefinition\"", b"\"ValueSet\"", b"\"CodeSystem\""];
    kinds.iter().any(|kind| memchr::memmem::find(bytes, kind).is_some())
}

impl From<std::io::Error> for PackError {
    fn from(error: std::io::Error) -> Self {
        Self::Damaged(error.to_string())
    }
}
