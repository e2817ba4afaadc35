//! The compiled definitions of one or more packs, and the one way to validate with them.

use std::fmt;

use rustc_hash::FxHashMap;

use crate::compile::{Arena, compile};
use crate::definition::StructureDefinition;
use crate::issue::Issue;
use crate::json::Document;
use crate::node::{Element, ElementId, Node, NodeId, ValueSetId};
use crate::pack::{self, PackError, PackInfo};
use crate::value_set::{Codes, Terminology, ValueSet};
use crate::walk::Walk;

/// Definitions compiled once, to validate any number of documents from any number of threads.
pub struct ProfileSet {
    packs: Vec<PackInfo>,
    arena: Arena,
    value_sets: Vec<ValueSet>,
    code_systems: FxHashMap<Box<str>, Codes>,
}

impl fmt::Debug for ProfileSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProfileSet({:?}, {} nodes)", self.packs, self.arena.nodes.len())
    }
}

impl ProfileSet {
    /// Reads and compiles packs (see [`crate::reduce`]). Where two define one type, the later one wins.
    ///
    /// # Errors
    /// When a pack is damaged, or its definitions name types that no pack defines.
    pub fn load(packs: &[&[u8]]) -> Result<Self, PackError> {
        let texts = packs.iter().map(|pack| pack::decompress(pack)).collect::<Result<Vec<_>, _>>()?;
        let read = texts.iter().map(|text| pack::lines(text)).collect::<Result<Vec<_>, _>>()?;
        let mut definitions: FxHashMap<String, StructureDefinition> = FxHashMap::default();
        let mut terminology = Terminology::default();
        for document in read.iter().flat_map(|(_, documents)| documents) {
            let root = document.root();
            let url = root.str_at(&["url"]).unwrap_or_default().into_owned();
            match root.str_at(&["resourceType"]).as_deref() {
                Some("StructureDefinition") => {
                    definitions.insert(url, StructureDefinition::read(root)?);
                }
                Some("ValueSet") => {
                    terminology.value_sets.insert(url, root);
                }
                Some("CodeSystem") => {
                    terminology.code_systems.insert(url, root);
                }
                _ => {}
            }
        }
        let definitions: Vec<StructureDefinition> = definitions.into_values().collect();
        let elements = definitions.iter().flat_map(|definition| &definition.elements);
        let bound: Vec<&str> =
            elements.filter_map(|element| element.binding.as_ref()).map(|binding| binding.value_set.as_str()).collect();
        let (value_sets, ids) = terminology.expand(&bound);
        let arena = compile(&definitions, &ids)?;
        let packs = read.iter().map(|(info, _)| info.clone()).collect();
        Ok(Self { packs, arena, value_sets, code_systems: terminology.codes_by_system() })
    }

    /// Validates a document against the base definition of the type it names. No issue is an error, or worse, exactly
    /// when the document is valid as far as these definitions say.
    #[must_use]
    pub fn validate(&self, document: &Document<'_>) -> Vec<Issue> {
        Walk::over(self, document)
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
        &self.value_sets[id.index()]
    }

    /// The codes of a system, when they are carried.
    pub(crate) fn code_system(&self, canonical: &str) -> Option<&Codes> {
        self.code_systems.get(canonical)
    }

    /// The canonical of the definition a node was compiled from.
    pub(crate) fn canonical(&self, node: &Node) -> &str {
        &self.arena.definitions[node.definition.index()]
    }
}
