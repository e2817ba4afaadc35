//! The compiled definitions of one or more packs, and the one way to validate with them.

use std::fmt;
use std::sync::OnceLock;

use rustc_hash::FxHashMap;

use crate::builder::ProfileSetBuilder;
use crate::compile::Arena;
use crate::definition::{Definitions, StructureDefinition};
use crate::fhirpath::Patterns;
use crate::issue::Issue;
use crate::json::Document;
use crate::node::{Content, Element, ElementId, Node, NodeId, ValueSetId};
use crate::options::Options;
use crate::pack::{PackError, PackInfo};
use crate::profile::{Profile, ProfileId, Profiles, Source, vital_signs};
use crate::snapshot::{self, Snapshots};
use crate::terminology::Terminology;
use crate::value_set::ValueSet;
use crate::walk::Walk;

/// Definitions compiled once, to validate any number of documents from any number of threads.
pub struct ProfileSet {
    packs: Vec<PackInfo>,
    arena: Arena,
    definitions: Definitions,
    snapshots: Snapshots,
    profiles: Profiles,
    terminology: Terminology,
    globals: FxHashMap<Box<str>, Vec<Box<str>>>,
    questionnaires: FxHashMap<String, Box<str>>,
    vital_signs: OnceLock<FxHashMap<Box<str>, Box<str>>>,
    patterns: Patterns,
}

impl fmt::Debug for ProfileSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProfileSet({:?}, {} nodes)", self.packs, self.arena.nodes.len())
    }
}

impl ProfileSet {
    /// Begins a set of packs and conformance resources.
    #[must_use]
    pub fn builder<'b>() -> ProfileSetBuilder<'b> {
        ProfileSetBuilder::default()
    }

    /// Reads and compiles packs (see [`crate::reduce`]). Where two define one canonical, the later one wins.
    ///
    /// # Errors
    /// When a pack is damaged, or its types name types that no pack defines.
    pub fn load(packs: &[&[u8]]) -> Result<Self, PackError> {
        let builder = packs.iter().fold(Self::builder(), |builder, pack| builder.pack(pack));
        builder.build().map(|(set, _)| set)
    }

    pub(crate) fn new(packs: Vec<PackInfo>, arena: Arena, definitions: Definitions, terminology: Terminology) -> Self {
        let snapshots = Snapshots::new(definitions.len());
        let profiles = Profiles::new(definitions.len());
        let vital_signs = OnceLock::new();
        let globals = FxHashMap::default();
        Self {
            packs,
            arena,
            definitions,
            snapshots,
            profiles,
            terminology,
            globals,
            questionnaires: FxHashMap::default(),
            vital_signs,
            patterns: Patterns::default(),
        }
    }

    /// The set with the texts of questionnaires.
    pub(crate) fn with_questionnaires(self, questionnaires: FxHashMap<String, Box<str>>) -> Self {
        Self { questionnaires, ..self }
    }

    /// The text of a Questionnaire.
    pub(crate) fn questionnaire(&self, canonical: &str) -> Option<&[u8]> {
        let url = crate::definition::split(canonical).0;
        self.questionnaires.get(url).map(|text| text.as_bytes())
    }

    /// Whether a canonical is known to be something else than a Questionnaire.
    pub(crate) fn defines_other(&self, canonical: &str) -> bool {
        let url = crate::definition::split(canonical).0;
        let by_url = url.rsplit('/').nth(1).filter(|kind| *kind != "Questionnaire");
        self.has_profile(url) || by_url.is_some_and(|kind| self.is_resource_type(kind))
    }

    /// The value set of this canonical.
    pub(crate) fn value_set_named(&self, canonical: &str) -> Option<&ValueSet> {
        self.terminology.value_set_named(canonical)
    }

    /// The value sets and code systems that are loaded.
    pub(crate) fn terminology(&self) -> &Terminology {
        &self.terminology
    }

    /// The set with the profiles that implementation guides apply to all resources of a type.
    pub(crate) fn with_globals(self, globals: FxHashMap<Box<str>, Vec<Box<str>>>) -> Self {
        Self { globals, ..self }
    }

    /// The canonicals of the profiles that all resources of a type must meet.
    pub(crate) fn globals(&self, resource_type: &str) -> &[Box<str>] {
        self.globals.get(resource_type).map_or(&[], Vec::as_slice)
    }

    /// Validates a document against the base definition of the type it names. No issue is an error, or worse, exactly
    /// when the document is valid as far as these definitions say.
    #[must_use]
    pub fn validate(&self, document: &Document<'_>) -> Vec<Issue> {
        self.validate_with(document, &Options::default())
    }

    /// Validates a document as `options` say.
    #[must_use]
    pub fn validate_with(&self, document: &Document<'_>, options: &Options) -> Vec<Issue> {
        self.validate_within(document, options, 0)
    }

    /// Validates a document inside `nested` other validations: an invariant may ask whether something conforms to a profile,
    /// whose invariants may ask again.
    pub(crate) fn validate_within(&self, document: &Document<'_>, options: &Options, nested: u8) -> Vec<Issue> {
        Walk::over(self, document, options, nested)
    }

    /// The JSON of a resource that is written in FHIR's XML.
    ///
    /// # Errors
    /// Where it is no XML, or no resource.
    pub fn json_of_xml(&self, text: &str) -> Result<String, crate::xml::XmlError> {
        crate::xml::to_json(self, text)
    }

    /// Whether a definition with this canonical is loaded.
    #[must_use]
    pub fn has_profile(&self, canonical: &str) -> bool {
        self.definitions.get(canonical).is_some()
    }

    /// The definition with this canonical and the snapshot generated for it, as a `StructureDefinition` in one line of
    /// JSON that holds facts only, and what its differential says about elements that do not exist.
    ///
    /// # Errors
    /// A sentence that says why there is no snapshot: the definition, or one it starts from, is not loaded.
    pub fn snapshot(&self, canonical: &str) -> Result<(String, &[String]), String> {
        let snapshot = self.snapshots.get(&self.definitions, canonical)?;
        let definition = self.definitions.get(canonical).ok_or_else(|| format!("{canonical} is not loaded"))?;
        Ok((snapshot::write(definition, snapshot), &snapshot.problems))
    }

    /// The type that the definition with this canonical is about; `None` when it is not loaded.
    #[must_use]
    pub fn type_of(&self, canonical: &str) -> Option<&str> {
        self.definitions.get(canonical).map(|definition| definition.type_name.as_str())
    }

    /// The canonicals of all definitions, in no particular order.
    pub fn definitions(&self) -> impl Iterator<Item = &str> {
        self.definitions.iter().map(|definition| definition.url.as_str())
    }

    /// Whether this is the name of a type that a resource can be an instance of.
    #[must_use]
    pub fn is_resource_type(&self, name: &str) -> bool {
        self.arena.resources.contains_key(name)
    }

    /// The names of the types that a resource can be an instance of, in no particular order.
    pub fn resource_types(&self) -> impl Iterator<Item = &str> {
        self.arena.resources.keys().map(|name| &**name)
    }

    /// What was loaded, in the order given.
    #[must_use]
    pub fn packs(&self) -> &[PackInfo] {
        &self.packs
    }

    /// The definition with this canonical.
    pub(crate) fn definition(&self, canonical: &str) -> Option<&StructureDefinition> {
        self.definitions.get(canonical)
    }

    /// What of the differential of a definition is about no element there is.
    pub(crate) fn problems_of(&self, definition: &StructureDefinition) -> Result<Vec<(usize, String)>, String> {
        snapshot::problems(&self.definitions, &self.snapshots, definition)
    }

    /// The element at a path of plain names such as `Patient.contact.name`, and the node it is in.
    fn element_at(&self, path: &str) -> Option<(&Node, &Element)> {
        let mut parts = path.split('.');
        let mut node = self.node(self.type_node(parts.next()?)?);
        let mut found = None;
        while let Some(part) = parts.next() {
            let slot = *node.slots.get(part.trim_end_matches("[x]"))?;
            let property = node.properties.values().find(|property| property.slot == slot)?;
            let element = self.element(property.element);
            found = Some((node, element));
            match element.types.first().map(|first| first.content) {
                Some(Content::Object(inner)) => node = self.node(inner),
                _ => return found.filter(|_| parts.next().is_none()),
            }
        }
        found
    }

    /// Whether a path names a type, or an element of one.
    pub(crate) fn has_path(&self, path: &str) -> bool {
        if path.contains('.') { self.element_at(path).is_some() } else { self.type_node(path).is_some() }
    }

    /// Whether the element at a path repeats or has a choice of types; nothing where there is none.
    pub(crate) fn repeats(&self, path: &str) -> Option<bool> {
        self.element_at(path).map(|(_, element)| element.repeats() || element.is_choice)
    }

    /// How often the element at a path may appear.
    pub(crate) fn cardinality(&self, path: &str) -> Option<(u32, crate::definition::Max)> {
        self.element_at(path).map(|(_, element)| (element.min, element.max))
    }

    /// The expression of the constraint with this key on the type or element at a path.
    pub(crate) fn constraint(&self, path: &str, key: &str) -> Option<&str> {
        let root = path.split('.').next()?;
        let is_inside =
            |name: &str| name.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let nodes = self.arena.nodes.iter().filter(|node| is_inside(&node.name));
        let properties = |node: &'_ Node| node.properties.values().map(|property| property.element).collect::<Vec<_>>();
        let known = nodes.flat_map(|node| {
            let elements = properties(node).into_iter().flat_map(|id| self.element(id).invariants.iter());
            node.invariants.iter().chain(elements)
        });
        known.filter(|invariant| &*invariant.key == key).map(crate::rules::invariant::Compiled::source).next()
    }

    /// Whether a differential gives an element a type that its base type does not allow.
    pub(crate) fn has_other_type(&self, change: &crate::definition::ElementDefinition) -> bool {
        let Some((_, element)) = self.element_at(&change.path).filter(|_| !change.id.contains(':')) else {
            return false;
        };
        let allowed = |code: &str| {
            let is = |name: &str| code == name || self.ancestors(code).any(|ancestor| ancestor == name);
            element.types.iter().any(|found| found.name.is_empty() || is(&found.name))
        };
        change.types.iter().any(|found| self.type_node(&found.code).is_some() && !allowed(&found.code))
    }

    /// Where the element at a path stands among its siblings.
    pub(crate) fn place_of(&self, path: &str) -> Option<u8> {
        self.element_at(path).map(|(_, element)| element.slot)
    }

    pub(crate) fn resource(&self, resource_type: &str) -> Option<NodeId> {
        self.arena.resources.get(resource_type).copied()
    }

    pub(crate) fn node(&self, id: NodeId) -> &Node {
        &self.arena.nodes[id.index()]
    }

    pub(crate) fn element(&self, id: ElementId) -> &Element {
        &self.arena.elements[id.index()]
    }

    pub(crate) fn value_set(&self, id: ValueSetId) -> &ValueSet {
        self.terminology.value_set(id)
    }

    /// The canonical of the definition a node was compiled from.
    pub(crate) fn canonical(&self, node: &Node) -> &str {
        &self.arena.definitions[node.definition.index()]
    }

    /// The node of a type that is not a resource one can be an instance of, such as `HumanName`.
    pub(crate) fn type_node(&self, name: &str) -> Option<NodeId> {
        self.arena.types.get(name).copied()
    }

    /// The name of a type, as long-lived as the set.
    pub(crate) fn type_named(&self, name: &str) -> Option<&str> {
        self.arena.types.get_key_value(name).map(|(name, _)| &**name)
    }

    /// The node of a backbone element, such as `Patient.contact`.
    pub(crate) fn node_named(&self, name: &str) -> Option<NodeId> {
        self.arena.nodes.iter().position(|node| &*node.name == name).map(NodeId::new)
    }

    /// The names of the types that a type, or the type that a backbone element is in, specialises.
    pub(crate) fn ancestors(&self, name: &str) -> impl Iterator<Item = &str> {
        self.arena.ancestors.get(name).into_iter().flatten().map(|name| &**name)
    }

    /// The profile that a canonical names, compiled when it is first asked for.
    pub(crate) fn profile(&self, canonical: &str) -> Option<&Profile> {
        let source =
            Source { definitions: &self.definitions, snapshots: &self.snapshots, value_sets: self.terminology.bound() };
        self.profiles.get(source, canonical)
    }

    /// A profile that has been compiled.
    pub(crate) fn profile_at(&self, id: ProfileId) -> Option<&Profile> {
        self.profiles.at(id)
    }

    /// The regular expressions of `FHIRPath` that were met.
    pub(crate) fn patterns(&self) -> &Patterns {
        &self.patterns
    }

    /// The profile that HL7 has for the vital sign with this LOINC code.
    pub(crate) fn vital_sign(&self, code: &str) -> Option<&Profile> {
        let map = self.vital_signs.get_or_init(|| vital_signs::by_code(&self.definitions));
        self.profile(map.get(code)?)
    }
}
