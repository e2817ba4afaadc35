//! Resources judged as a whole: Bundles by their type, and conformance resources as what others are judged by.
#![expect(clippy::unwrap_used, reason = "a helper that fails is a test that fails")]

mod bundles;
mod definitions;
mod options;
mod terminologies;

use std::sync::LazyLock;

use serde_json::Value as Json;
use signalbox_validator::{Options, ProfileSet, json::Document};

const PACK: &[u8] = include_bytes!("../../../fhir-profiles/hl7.fhir.r4.core.pack");
static PROFILES: LazyLock<ProfileSet> = LazyLock::new(|| ProfileSet::load(&[PACK]).unwrap());

/// The errors of a resource: code and place.
fn errors(resource: &Json) -> Vec<String> {
    errors_with(resource, &Options::default())
}

fn errors_with(resource: &Json, options: &Options) -> Vec<String> {
    let text = resource.to_string();
    let issues = PROFILES.validate_with(&Document::read(text.as_bytes()).unwrap(), options);
    let errors = issues.iter().filter(|issue| issue.severity.is_error());
    errors.map(|issue| format!("{} {}", issue.code, issue.expression)).collect()
}

/// A resource with members put in the place of its own; `null` takes one out.
fn with(resource: &Json, members: &Json) -> Json {
    let mut changed = resource.clone();
    for (key, value) in members.as_object().unwrap() {
        if value.is_null() {
            changed.as_object_mut().unwrap().remove(key);
        } else {
            changed[key] = value.clone();
        }
    }
    changed
}
