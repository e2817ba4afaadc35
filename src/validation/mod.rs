//! Validation as the gateway uses it: the profile packs it carries and those that sources name, compiled once, and the
//! validator's findings as issues. Reading order: `packages` (where definitions come from), `reference` and `lock` (what
//! `name@version` means), `library` (what a list of names stands for), `guides` (whose are whose), `compare` (two versions),
//! `terminology` (who is asked about codes that are not loaded) and `checked`.

pub mod compare;
pub mod guides;
pub mod library;
pub mod lock;
pub mod packages;
pub mod reference;
pub mod terminology;

mod checked;

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use signalbox_validator::fhirpath::{Context, EvaluationError, Expression};
use signalbox_validator::json::Document;
use signalbox_validator::{
    LoadWarning, Options, PackError, PackInfo, ProfileSet, ProfileSetBuilder, Severity, XmlError,
};

use crate::outcome::Issue;
pub use checked::Checked;

/// What is wrong with an expression, and where in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionFault {
    /// Bytes from the beginning of the expression.
    pub offset: usize,
    /// A sentence.
    pub message: String,
    /// It is no expression at all.
    pub is_syntax: bool,
}

/// The compiled profiles; cheap to clone.
#[derive(Clone)]
pub struct Validation {
    profiles: Arc<ProfileSet>,
    packs_hash: Arc<str>,
}

impl Validation {
    /// Compiles the packs the binary carries.
    ///
    /// # Errors
    /// When a pack cannot be read.
    pub fn built_in() -> Result<Self, PackError> {
        Self::of(&packages::BUILT_IN.map(|(_, pack)| pack), vec![], vec![]).map(|(validation, _)| validation)
    }

    /// The base definitions with these packs and, winning over them, these resources of these packages.
    fn of(
        packs: &[&[u8]],
        resources: Vec<(String, Vec<u8>)>,
        packages: Vec<PackInfo>,
    ) -> Result<(Self, Vec<LoadWarning>), PackError> {
        let mut hash = Sha256::new();
        let mut builder = ProfileSet::builder();
        for pack in std::iter::once(&packages::BASE).chain(packs) {
            hash.update(pack);
            builder = builder.pack(pack);
        }
        for (source, text) in resources {
            hash.update(&text);
            builder = builder.resource(source, text);
        }
        let (profiles, warnings) = packages.into_iter().fold(builder, ProfileSetBuilder::package).build()?;
        Ok((Self { profiles: Arc::new(profiles), packs_hash: hex::encode(hash.finalize()).into() }, warnings))
    }

    /// The definitions, for whoever evaluates FHIRPath.
    #[must_use]
    pub fn definitions(&self) -> &Arc<ProfileSet> {
        &self.profiles
    }

    /// The JSON of a resource in FHIR's XML.
    ///
    /// # Errors
    /// Where it is no XML, or no resource.
    pub fn json_of_xml(&self, text: &str) -> Result<String, XmlError> {
        self.profiles.json_of_xml(text)
    }

    /// What an expression gives for a resource: types and values.
    ///
    /// # Errors
    /// Where it is no expression, names what no element can have, or has no value here.
    pub fn evaluate(
        &self,
        expression: &str,
        document: &Document<'_>,
        now: DateTime<Utc>,
    ) -> Result<Vec<(String, String)>, ExpressionFault> {
        let parsed = Expression::parse(expression).map_err(|error| ExpressionFault {
            offset: error.offset,
            message: error.to_string(),
            is_syntax: true,
        })?;
        let fault = |error: EvaluationError| ExpressionFault {
            offset: error.offset,
            message: error.to_string(),
            is_syntax: false,
        };
        let root = document.root();
        if let Some(name) = root.str_at(&["resourceType"]) {
            parsed.check(&self.profiles, &[&*name]).map_err(fault)?;
        }
        let context = Context::new(&self.profiles).at(now.timestamp_millis());
        let found = parsed.evaluate(&context, root).map_err(fault)?;
        Ok(found.iter().map(|item| (item.type_name().to_owned(), item.text())).collect())
    }

    /// The definition with this canonical and the snapshot generated for it, as JSON.
    ///
    /// # Errors
    /// A sentence that says why there is none.
    pub fn snapshot(&self, canonical: &str) -> Result<String, String> {
        self.profiles.snapshot(canonical).map(|(text, _)| text)
    }

    /// Checks a resource; no issue of severity error or fatal means it is valid.
    #[must_use]
    pub fn check(&self, document: &Document<'_>) -> Vec<Issue> {
        self.check_by_type(document, BTreeMap::new())
    }

    /// Checks a resource; it, and every resource in its entries, against these profiles of its type too.
    #[must_use]
    pub fn check_by_type(&self, document: &Document<'_>, by_type: BTreeMap<String, Vec<String>>) -> Vec<Issue> {
        self.check_asking(document, by_type, &[]).found.into_iter().map(to_issue).collect()
    }

    /// As [`Validation::check_by_type`], and lists what could be asked about codes of these systems.
    #[must_use]
    pub fn check_asking(
        &self,
        document: &Document<'_>,
        by_type: BTreeMap<String, Vec<String>>,
        systems: &[String],
    ) -> Checked {
        // What is said of profiles that nobody has is the source's policy.
        let options = Options { unknown_profile: None, by_type, ..lenient() };
        if systems.is_empty() {
            let found = self.profiles.validate_with(document, &options);
            return Checked { found, ..Checked::default() };
        }
        let (found, questions) = self.profiles.validate_asking(document, &options, systems);
        Checked { found, questions }
    }

    /// Checks a resource against these profiles too; one that nobody has is an error.
    #[must_use]
    pub fn check_against(&self, document: &Document<'_>, profiles: &[String]) -> Vec<Issue> {
        let options = Options { profiles: profiles.to_vec(), ..lenient() };
        self.profiles.validate_with(document, &options).into_iter().map(to_issue).collect()
    }

    /// Whether a resource that names the profile with this canonical is checked against it.
    #[must_use]
    pub fn applies(&self, profile: &str) -> bool {
        self.profiles.has_profile(profile)
    }

    /// Whether FHIR R4 has this (concrete) resource type.
    #[must_use]
    pub fn is_resource_type(&self, name: &str) -> bool {
        self.profiles.is_resource_type(name)
    }

    /// Every resource type, sorted.
    #[must_use]
    pub fn resource_types(&self) -> Vec<String> {
        let mut names: Vec<_> = self.profiles.resource_types().map(ToOwned::to_owned).collect();
        names.sort();
        names
    }

    /// Name and version of every pack.
    #[must_use]
    pub fn packs(&self) -> Vec<(String, String)> {
        self.profiles.packs().iter().map(|pack| (pack.name.clone(), pack.version.clone())).collect()
    }

    /// SHA-256 (hex) over the packs, stored with every exchange (P8).
    #[must_use]
    pub fn packs_hash(&self) -> &Arc<str> {
        &self.packs_hash
    }
}

/// A display is for people, and systems word it as they like: one that is not the code's is a warning.
fn lenient() -> Options {
    Options { wrong_display: Severity::Warning, ..Options::default() }
}

fn to_issue(found: signalbox_validator::Issue) -> Issue {
    Issue {
        severity: found.severity.as_str().to_owned(),
        code: found.code.as_str().to_owned(),
        message: found.message,
        expression: Some(found.expression),
        line: Some(found.line),
        column: Some(found.column),
        profile: found.profile,
    }
}
