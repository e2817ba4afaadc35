//! A FHIR R4 profile validator: definitions are compiled once into an arena, and a resource is checked in one
//! walk over a borrowed JSON document.
//!
//! Reading order: [`json`] (the document); `package`, `pack`, `reduce` (where definitions come from) and `definition` (how they
//! read); `compile` into the arena of `node`; `walk`, which asks the `rules` and gives
//! [issues](https://hl7.org/fhir/R4/operationoutcome.html). No async, no database, no HTTP, no I/O.

#![forbid(unsafe_code)]

pub mod fhirpath;
pub mod json;

mod builder;
mod compile;
mod definition;
mod issue;
mod location;
mod node;
mod options;
mod pack;
mod package;
mod profile;
mod profile_set;
mod questions;
mod reduce;
mod rules;
mod snapshot;
mod subject;
mod terminology;
mod value_set;
mod walk;
mod xml;

pub use builder::{LoadProblem, LoadWarning, ProfileSetBuilder};
pub use issue::{Issue, IssueCode, Severity};
pub use options::Options;
pub use pack::{PackError, PackInfo};
pub use package::{Package, is_pack};
pub use profile_set::ProfileSet;
pub use questions::{CodeAnswer, CodeQuestion, Questions, Unanswered, is_displayed};
pub use reduce::reduce;
pub use rules::Rule;
pub use xml::XmlError;
