//! Validation as the gateway uses it: the profile packs it carries, compiled once, and the validator's findings as
//! issues.

use std::sync::Arc;

use sha2::{Digest, Sha256};
use signalbox_validator::json::Document;
use signalbox_validator::{Options, PackError, ProfileSet};

use crate::outcome::Issue;

/// FHIR R4 base, facts only, made from HL7's package by `signalbox package reduce`.
const R4_CORE: &[u8] = include_bytes!("../../fhir-profiles/hl7.fhir.r4.core.pack");

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
        let packs = [R4_CORE];
        let mut hash = Sha256::new();
        for pack in packs {
            hash.update(pack);
        }
        let profiles = Arc::new(ProfileSet::load(&packs)?);
        Ok(Self { profiles, packs_hash: hex::encode(hash.finalize()).into() })
    }

    /// Checks a resource; no issue of severity error or fatal means it is valid.
    #[must_use]
    pub fn check(&self, document: &Document<'_>) -> Vec<Issue> {
        // What is said of profiles that nobody has is the source's policy.
        let options = Options { unknown_profile: None, ..Options::default() };
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
    pub fn packs_hash(&self) -> &str {
        &self.packs_hash
    }
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
