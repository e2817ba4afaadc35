//! A pack: the facts of one FHIR package in a form that is small and quick to read.
//!
//! Inside a zlib stream stands one JSON object a line: first the package's name and version, then conformance
//! resources ([`StructureDefinition`](https://hl7.org/fhir/R4/structuredefinition.html), `ValueSet`, `CodeSystem`) cut
//! down to what a validator reads. `miniz_oxide` is called directly because its bytes do not depend on which
//! back-end another crate has chosen for flate2.

use std::borrow::Cow;
use std::fmt;

use miniz_oxide::{deflate, inflate};

use crate::json::{Document, ReadError, Value};

/// No pack is larger than this once unpacked; a stream that promises more is refused.
const UNPACKED_LIMIT: usize = 256 * 1024 * 1024;
/// What every pack is laid over: a pack does not say that it starts from it.
const BASE: &str = "hl7.fhir.r4.core";
pub(crate) const COMPRESSION_LEVEL: u8 = 9;

/// Which package a pack was made from, as its `package.json` says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PackInfo {
    /// The package's name, such as `hl7.fhir.r4.core`.
    pub name: String,
    /// The package's version, such as `4.0.1`.
    pub version: String,
    /// The versions of FHIR it is written for; a pack does not keep them.
    pub fhir_versions: Vec<String>,
    /// Name and version of each package it starts from; of a pack, beside the base.
    pub dependencies: Vec<(String, String)>,
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
    let mut further = info.dependencies.iter().filter(|(name, _)| name != BASE).peekable();
    if further.peek().is_some() {
        text.push_str(",\"dependencies\":");
        let mut object = crate::reduce::ObjectWriter::begin(&mut text);
        for (name, version) in further {
            crate::reduce::push_string(object.key(name), version);
        }
        object.end();
    }
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

/// What `package.json` says.
pub(crate) fn package_info(document: &Document<'_>) -> Result<PackInfo, PackError> {
    let root = document.root();
    let field = |key: &'static str| {
        let found = root.str_at(&[key]).map(Cow::into_owned);
        found.ok_or(PackError::Incomplete { definition: "package.json".to_owned(), what: key })
    };
    let listed = root.get("fhirVersions").or_else(|| root.get("fhir-version-list"));
    let needed = root.get("dependencies").into_iter().flat_map(Value::children);
    let pair = |member: Value<'_>| {
        Some((member.key()?.into_owned(), member.as_str().map(Cow::into_owned).unwrap_or_default()))
    };
    Ok(PackInfo {
        name: field("name")?,
        version: field("version")?,
        fhir_versions: listed
            .into_iter()
            .flat_map(Value::items)
            .filter_map(|item| Some(item.as_str()?.into_owned()))
            .collect(),
        dependencies: needed.filter_map(pair).collect(),
    })
}
