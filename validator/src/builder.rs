//! Puts a [`ProfileSet`] together from packs and conformance resources. What cannot be used is left out and named in a
//! [`LoadWarning`]; see [packages](https://hl7.org/fhir/R4/packages.html).

use std::borrow::Cow;
use std::fmt;

use rustc_hash::FxHashMap;

use crate::compile::{Arena, compile};
use crate::definition::{Definitions, StructureDefinition};
use crate::json::{Document, Value};
use crate::node::ValueSetId;
use crate::pack::{self, PackError, PackInfo};
use crate::profile_set::ProfileSet;
use crate::terminology::Terminology;

/// What is wrong with something that was loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LoadProblem {
    /// The text is not JSON, or not a conformance resource that can be read.
    Unreadable,
    /// A definition names another that nobody has.
    Dangling,
    /// Definitions start from each other in a circle.
    Circular,
    /// Two sources define one canonical; the later one is used.
    Redefined,
}

/// Something that was loaded and could not be used as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadWarning {
    /// The file, package or pack.
    pub source: String,
    /// The canonical of the resource, where it has one.
    pub canonical: Option<String>,
    /// What is wrong.
    pub problem: LoadProblem,
    /// A sentence about it.
    pub message: String,
}

impl fmt::Display for LoadWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.source)?;
        if let Some(canonical) = &self.canonical {
            write!(f, "{canonical}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// Collects what a [`ProfileSet`] is made from; of two definitions of one canonical the later one wins.
#[derive(Default)]
pub struct ProfileSetBuilder<'b> {
    packs: Vec<&'b [u8]>,
    resources: Vec<(String, Cow<'b, [u8]>)>,
    packages: Vec<PackInfo>,
}

/// Where a definition came from, for messages.
type Sources = FxHashMap<String, String>;

impl fmt::Debug for ProfileSetBuilder<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProfileSetBuilder({} packs, {} resources)", self.packs.len(), self.resources.len())
    }
}

impl<'b> ProfileSetBuilder<'b> {
    /// Adds a pack (see [`crate::reduce`]). Packs come before all single resources.
    #[must_use]
    pub fn pack(mut self, bytes: &'b [u8]) -> Self {
        self.packs.push(bytes);
        self
    }

    /// Adds a conformance resource as JSON; `source` is the file or package that messages name.
    #[must_use]
    pub fn resource(mut self, source: impl Into<String>, json: impl Into<Cow<'b, [u8]>>) -> Self {
        self.resources.push((source.into(), json.into()));
        self
    }

    /// Says that resources added come from this package, for [`ProfileSet::packs`].
    #[must_use]
    pub fn package(mut self, info: PackInfo) -> Self {
        self.packages.push(info);
        self
    }

    /// Compiles what was added.
    ///
    /// # Errors
    /// When a pack is damaged, or its types name types that no pack defines. What is wrong with a single resource is a
    /// warning.
    pub fn build(self) -> Result<(ProfileSet, Vec<LoadWarning>), PackError> {
        let mut warnings = Vec::new();
        let texts = self.packs.iter().map(|pack| pack::decompress(pack)).collect::<Result<Vec<_>, _>>()?;
        let read = texts.iter().map(|text| pack::lines(text)).collect::<Result<Vec<_>, _>>()?;
        let mut loader = Loader::default();
        for (info, documents) in &read {
            for document in documents {
                loader.add(&info.name, document.root(), &mut warnings)?;
            }
        }
        let mut documents = Vec::with_capacity(self.resources.len());
        for (source, bytes) in &self.resources {
            match Document::read(bytes) {
                Ok(document) => documents.push((source, document)),
                Err(error) => warnings.push(unreadable(source, None, &error.to_string())),
            }
        }
        for (source, document) in &documents {
            if let Err(error) = loader.add(source, document.root(), &mut warnings) {
                warnings.push(unreadable(source, None, &error.to_string()));
            }
        }
        let Loader { mut definitions, sources, mut terminology, globals, questionnaires } = loader;
        let own: Vec<&str> = read.iter().map(|(info, _)| info.name.as_str()).collect();
        let bound: Vec<String> = bound(&definitions);
        terminology.bind(&bound);
        let arena = compile_types(&mut definitions, terminology.bound(), &sources, &own, &mut warnings)?;
        check_links(&definitions, &sources, &mut warnings);
        let packs = read.iter().map(|(info, _)| info.clone()).chain(self.packages).collect();
        let set = ProfileSet::new(packs, arena, definitions, terminology);
        Ok((set.with_globals(globals).with_questionnaires(questionnaires), warnings))
    }
}

/// Compiles the types. A type that came as a single resource, and does not compile or spoils others, is left out.
fn compile_types(
    definitions: &mut Definitions,
    ids: &FxHashMap<String, ValueSetId>,
    sources: &Sources,
    packs: &[&str],
    warnings: &mut Vec<LoadWarning>,
) -> Result<Arena, PackError> {
    // What is left out once is in force again as the pack has it.
    let mut removed: Vec<String> = Vec::new();
    loop {
        let error = match compile(definitions, ids) {
            Ok(arena) => return Ok(arena),
            Err(error) => error,
        };
        let single = |url: &str| {
            let source = sources.get(url).filter(|source| !packs.contains(&source.as_str()));
            source.filter(|_| !removed.iter().any(|known| known == url))
        };
        let culprit = error.definition().filter(|url| single(url).is_some()).map(str::to_owned);
        // Where a type of a pack lacks something, one that replaced another of the pack may be why.
        let replacing = || {
            let types = definitions.iter().filter(|definition| definition.is_type());
            types
                .map(|definition| definition.url.clone())
                .find(|url| single(url).is_some() && definitions.is_doubled(url))
        };
        let Some(url) = culprit.or_else(replacing) else { return Err(error) };
        let source = single(&url).cloned().unwrap_or_default();
        warnings.push(unreadable(&source, Some(url.clone()), &error.to_string()));
        definitions.remove(&url);
        removed.push(url);
    }
}

/// The value sets that bindings name.
fn bound(definitions: &Definitions) -> Vec<String> {
    let elements = definitions.iter().flat_map(|definition| &definition.elements);
    let bindings = elements.filter_map(|element| element.binding.as_ref());
    bindings.filter_map(|binding| binding.value_set_url().map(str::to_owned)).collect()
}

#[derive(Default)]
struct Loader {
    definitions: Definitions,
    sources: Sources,
    terminology: Terminology,
    /// Profiles that an implementation guide applies to all resources of a type.
    globals: FxHashMap<Box<str>, Vec<Box<str>>>,
    /// Texts by canonical.
    questionnaires: FxHashMap<String, Box<str>>,
}

impl Loader {
    fn add(&mut self, source: &str, root: Value<'_>, warnings: &mut Vec<LoadWarning>) -> Result<(), PackError> {
        let url = root.str_at(&["url"]).unwrap_or_default().into_owned();
        match root.str_at(&["resourceType"]).as_deref() {
            Some("StructureDefinition") if url.is_empty() => {
                warnings.push(unreadable(source, None, "the StructureDefinition has no 'url' to name it by"));
            }
            Some("StructureDefinition") => {
                let definition = StructureDefinition::read(root)?;
                let replaced = self.definitions.insert(definition);
                let before = self.sources.insert(url.clone(), source.to_owned());
                if let (Some(before), Some(_)) = (before.filter(|before| before != source), replaced) {
                    let message = format!("it is defined in {before} as well; this one is used");
                    let (source, canonical, problem) = (source.to_owned(), Some(url), LoadProblem::Redefined);
                    warnings.push(LoadWarning { source, canonical, problem, message });
                }
            }
            Some("ValueSet") => {
                self.terminology.add_value_set(&url, root);
            }
            Some("CodeSystem") => {
                self.terminology.add_code_system(&url, root);
            }
            Some("Questionnaire") => {
                self.questionnaires.insert(url, root.raw().into());
            }
            Some("ImplementationGuide") => {
                for global in root.get("global").into_iter().flat_map(Value::items) {
                    if let (Some(name), Some(profile)) = (global.str_at(&["type"]), global.str_at(&["profile"])) {
                        self.globals.entry((*name).into()).or_default().push((*profile).into());
                    }
                }
            }
            Some(_) => {}
            None => warnings.push(unreadable(source, None, "it is not a FHIR resource: it has no 'resourceType'")),
        }
        Ok(())
    }
}

fn unreadable(source: &str, canonical: Option<String>, message: &str) -> LoadWarning {
    let message = message.to_owned();
    LoadWarning { source: source.to_owned(), canonical, problem: LoadProblem::Unreadable, message }
}

/// Names each profile whose base, or whose types' profiles, nobody has, or that starts from itself.
fn check_links(definitions: &Definitions, sources: &Sources, warnings: &mut Vec<LoadWarning>) {
    for definition in definitions.iter() {
        let mut warn = |problem, message| {
            let source = sources.get(&definition.url).cloned().unwrap_or_default();
            warnings.push(LoadWarning { source, canonical: Some(definition.url.clone()), problem, message });
        };
        let mut seen = vec![definition.url.as_str()];
        let mut current = definition;
        while let Some(base) = current.base.as_deref() {
            let Some(found) = definitions.get(base) else {
                if std::ptr::eq(current, definition) {
                    warn(LoadProblem::Dangling, format!("it starts from {base}, which is not loaded"));
                }
                break;
            };
            if seen.contains(&found.url.as_str()) {
                warn(LoadProblem::Circular, format!("it starts from {base}, which starts from it"));
                break;
            }
            seen.push(&found.url);
            current = found;
        }
        let types = definition.elements.iter().flat_map(|element| &element.types);
        let mut missing: Vec<&str> = types
            .flat_map(|found| &found.profiles)
            .map(String::as_str)
            .filter(|profile| !profile.contains('#') && definitions.get(profile).is_none())
            .collect();
        missing.sort_unstable();
        missing.dedup();
        for profile in missing {
            warn(LoadProblem::Dangling, format!("it names the profile {profile}, which is not loaded"));
        }
    }
}
