//! A pack: the facts of one FHIR package in a form that is small and quick to read.
//!
//! Inside a zlib stream stands one JSON object a line: first the package's name and version, then conformance
//! resources ([`StructureDefinition`](https://hl7.org/fhir/R4/structuredefinition.html), `ValueSet`, `CodeSystem`) cut
//! down to what a validator reads. `miniz_oxide` is called directly because its bytes do not depend on which
//! back-end another crate has chosen for flate2.

use std::fmt;

use miniz_oxide::{deflate, inflate};

use crate::json::{Document, ReadError};

/// No pack is larger than this once unpacked; a stream that promises more is refused.
const UNPACKED_LIMIT: usize = 256 * 1024 * 1024;
const COMPRESSION_LEVEL: u8 = 9;

/// Which package a pack was made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackInfo {
    /// The package's name, such as `hl7.fhir.r4.core`.
    pub name: String,
    /// The package's version, such as `4.0.1`.
    pub version: String,
}

/// Why a pack or package cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PackError {
    /// The compressed stream or the archive is damaged.
    Damaged(String),
    /// A file or line is not the JSON it should be.
    Json {
        /// The file, or the line of the pack.
        place: String,
        /// What is wrong there.
        error: ReadError,
    },
    /// A definition lacks something it must have.
    Incomplete {
        /// The canonical of the definition, or the file.
        definition: String,
        /// What is missing.
        what: &'static str,
    },
    /// A definition names a type that no pack defines.
    UnknownType {
        /// The canonical of the definition.
        definition: String,
        /// The name of the type.
        name: String,
    },
    /// A type specialises itself.
    Circular {
        /// The canonical of the definition.
        definition: String,
    },
    /// An element has more children than can be told apart in one pass.
    TooManyElements {
        /// The canonical of the definition.
        definition: String,
        /// The path of the element.
        path: String,
    },
}

impl PackError {
    /// The canonical of the definition that is at fault.
    pub(crate) fn definition(&self) -> Option<&str> {
        match self {
            Self::Incomplete { definition, .. }
            | Self::UnknownType { definition, .. }
            | Self::Circular { definition }
            | Self::TooManyElements { definition, .. } => Some(definition),
            Self::Damaged(_) | Self::Json { .. } => None,
        }
    }
}

impl fmt::Display for PackError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(why) => write!(f, "the package is damaged: {why}"),
            Self::Json { place, error } => write!(f, "{place}: {error}"),
            Self::Incomplete { definition, what } => write!(f, "{definition} has no {what}"),
            Self::UnknownType { definition, name } => {
                write!(f, "{definition} names the type '{name}', which no pack defines")
            }
            Self::Circular { definition } => write!(f, "{definition} specialises itself"),
            Self::TooManyElements { path, .. } => {
                write!(f, "{path} has more child elements than a definition may have")
            }
        }
    }
}

impl std::error::Error for PackError {}

/// Compresses the lines of a pack; the same lines always give the same bytes.
pub(crate) fn compress(info: &PackInfo, lines: &[String]) -> Vec<u8> {
    let mut text = String::new();
    text.push_str("{\"name\":");
    crate::reduce::push_string(&mut text, &info.name);
    text.push_str(",\"version\":");
    crate::reduce::push_string(&mut text, &info.version);
    text.push_str("}\n");
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    deflate::compress_to_vec_zlib(text.as_bytes(), COMPRESSION_LEVEL)
}

/// The text of a pack: see [`lines`].
pub(crate) fn decompress(pack: &[u8]) -> Result<Vec<u8>, PackError> {
    inflate::decompress_to_vec_zlib_with_limit(pack, UNPACKED_LIMIT)
        .map_err(|error| PackError::Damaged(format!("{:?}", error.status)))
}

/// What the pack was made from, and a document for each resource in it.
pub(crate) fn lines(text: &[u8]) -> Result<(PackInfo, Vec<Document<'_>>), PackError> {
    let read = |(number, line)| {
        Document::read(line).map_err(|error| PackError::Json { place: format!("line {}", number + 1), error })
    };
    let lines = text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty());
    let mut documents = lines.enumerate().map(read).collect::<Result<Vec<_>, _>>()?;
    if documents.is_empty() {
        return Err(PackError::Damaged("it is empty".to_owned()));
    }
    let info = package_info(&documents.remove(0))?;
    Ok((info, documents))
}

/// Name and version as `package.json` gives them.
pub(crate) fn package_info(document: &Document<'_>) -> Result<PackInfo, PackError> {
    let field = |key: &'static str| {
        let found = document.root().str_at(&[key]).map(std::borrow::Cow::into_owned);
        found.ok_or(PackError::Incomplete { definition: "package.json".to_owned(), what: key })
    };
    Ok(PackInfo { name: field("name")?, version: field("version")? })
}
