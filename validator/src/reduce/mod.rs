//! From a published FHIR package to the facts a validator reads: see the
//! [package specification](https://confluence.hl7.org/display/FHIR/NPM+Package+Specification).
//!
//! Kept are canonicals, paths, cardinalities, types, bindings, invariant expressions and the codes of HL7's own code
//! systems with their displays. Left behind are narrative, definitions, every other prose, displays of others, and every code that belongs to
//! somebody else: such value sets keep their canonical and filters and are answered "not checked".

mod code_system;
mod structure_definition;
mod value_set;
mod writer;

use std::collections::{BTreeMap, BTreeSet};

use crate::json::{Document, Value};
use crate::pack::{self, PackError};
use crate::package;
use structure_definition::Bound;

pub(crate) use writer::{ObjectWriter, push_string};

/// Reduces a package (the bytes of a `.tgz`) to a pack. The same package always gives the same bytes.
///
/// # Errors
/// When the archive is damaged, a file is not JSON, or a definition lacks what every definition must have.
pub fn reduce(archive: &[u8]) -> Result<Vec<u8>, PackError> {
    let files = package::unpack(archive)?;
    let info = package::manifest(&files)?;
    let mut documents = Vec::with_capacity(files.len());
    for (name, bytes) in &files {
        let document = Document::read(bytes).map_err(|error| PackError::Json { place: name.clone(), error })?;
        documents.push((name.as_str(), document));
    }
    let resources = Resources::index(&documents);

    let mut lines = Vec::new();
    let mut bound = Bound::default();
    for definition in resources.of_type("StructureDefinition") {
        lines.push(structure_definition::facts(definition.root(), &mut bound)?);
    }
    let (value_sets, mut systems) = value_set::reached(&resources, bound.checked);
    systems.extend(value_set::reached(&resources, bound.advised).1);
    // A publisher's own systems are few, and codes of those that no value set names are met as well.
    for system in resources.of_type("CodeSystem").filter(|system| resources.is_own(system.root())) {
        systems.insert(system.root().str_at(&["url"]).unwrap_or_default().into_owned(), system);
    }
    lines.extend(value_sets.values().map(|value_set| value_set::facts(&resources, value_set.root())));
    lines.extend(systems.values().map(|system| code_system::facts(system.root())));
    Ok(pack::compress(&info, &lines))
}

/// The package's resources by type and canonical.
struct Resources<'d> {
    by_canonical: BTreeMap<(String, String), &'d Document<'d>>,
    /// Scheme and host of the canonicals of its definitions: codes of systems there are the publisher's own.
    hosts: BTreeSet<String>,
}

impl<'d> Resources<'d> {
    fn index(documents: &'d [(&str, Document<'d>)]) -> Self {
        let key = |document: &'d Document<'d>| {
            let root = document.root();
            let text = |name| root.str_at(&[name]).map(std::borrow::Cow::into_owned);
            Some(((text("resourceType")?, text("url")?), document))
        };
        let by_canonical: BTreeMap<_, _> = documents.iter().filter_map(|(_, document)| key(document)).collect();
        let definitions = by_canonical.keys().filter(|(kind, _)| kind == "StructureDefinition");
        let hosts = definitions.filter_map(|(_, url)| host(url)).map(str::to_owned).collect();
        Self { by_canonical, hosts }
    }

    /// Whether codes of the system with this canonical may be copied: HL7's own, or the publisher's own.
    fn may_copy(&self, system: &str) -> bool {
        code_system::is_hl7(system)
            || host(system).is_some_and(|host| self.hosts.contains(host) && !host.ends_with("//hl7.org/"))
    }

    /// Whether a code system is the publisher's own, and may be carried.
    fn is_own(&self, system: Value<'_>) -> bool {
        let is_hl7 = system.str_at(&["url"]).is_some_and(|url| code_system::is_hl7(&url));
        !is_hl7 && code_system::is_carried(self, system)
    }

    fn of_type(&self, resource_type: &str) -> impl Iterator<Item = &'d Document<'d>> {
        self.by_canonical.iter().filter(move |((kind, _), _)| kind == resource_type).map(|(_, document)| *document)
    }

    fn get(&self, resource_type: &str, canonical: &str) -> Option<&'d Document<'d>> {
        self.by_canonical.get(&(resource_type.to_owned(), canonical.to_owned())).copied()
    }
}

/// `https://example.org/` of a canonical.
fn host(canonical: &str) -> Option<&str> {
    let start = canonical.find("://")? + 3;
    let length = canonical[start..].find('/')?;
    canonical.get(..=start + length)
}
