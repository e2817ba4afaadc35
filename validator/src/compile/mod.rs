//! From [StructureDefinitions](https://hl7.org/fhir/R4/structuredefinition.html) to the arena: what a type inherits
//! is laid before what it introduces, and every object gets a node with its keys expanded.

mod element;

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::definition::{Definitions, ElementDefinition, Kind, StructureDefinition};
use crate::node::{DefinitionId, Element, ElementId, Node, NodeId, ValueSetId};
use crate::pack::PackError;
use crate::rules::invariant::{self, Compiled};

/// Elements seen are kept in the bits of one integer.
pub(crate) const MOST_ELEMENTS: usize = 128;

/// The compiled definitions.
#[derive(Debug, Default)]
pub(crate) struct Arena {
    pub(crate) nodes: Vec<Node>,
    pub(crate) elements: Vec<Element>,
    /// Canonicals.
    pub(crate) definitions: Vec<Box<str>>,
    /// Nodes of the types a document can be an instance of: concrete resources.
    pub(crate) resources: FxHashMap<Box<str>, NodeId>,
    /// Nodes of all types.
    pub(crate) types: FxHashMap<Box<str>, NodeId>,
    /// For each node's name, the names of the types it specialises.
    pub(crate) ancestors: FxHashMap<Box<str>, Box<[Box<str>]>>,
}

/// An element with its path below the root of the type being compiled.
type Entry<'d> = (&'d str, &'d ElementDefinition);

struct Compiler<'d> {
    all: &'d Definitions,
    /// Each type with its node.
    types: FxHashMap<&'d str, (&'d StructureDefinition, NodeId)>,
    value_sets: &'d FxHashMap<String, ValueSetId>,
    nodes: Vec<Option<Node>>,
    elements: Vec<Element>,
    definitions: Vec<Box<str>>,
}

/// Compiles the types among the definitions; `value_sets` says under which id each bound value set is found.
pub(crate) fn compile(
    definitions: &Definitions,
    value_sets: &FxHashMap<String, ValueSetId>,
) -> Result<Arena, PackError> {
    let mut compiler = Compiler {
        all: definitions,
        types: FxHashMap::default(),
        value_sets,
        nodes: Vec::new(),
        elements: Vec::new(),
        definitions: Vec::new(),
    };
    let types = || definitions.iter().filter(|definition| definition.is_type());
    for definition in types() {
        // Of two definitions of one type the later one wins.
        let known = compiler.types.get(definition.type_name.as_str()).map(|(_, node)| *node);
        let node = known.unwrap_or_else(|| compiler.reserve());
        compiler.types.insert(&definition.type_name, (definition, node));
    }
    let winners: Vec<&StructureDefinition> = compiler.types.values().map(|(definition, _)| *definition).collect();
    for definition in types().filter(|one| winners.iter().any(|winner| std::ptr::eq(*winner, *one))) {
        compiler.compile_type(definition)?;
    }
    let concrete = types().filter(|definition| definition.kind == Kind::Resource && !definition.is_abstract);
    let resources = concrete
        .filter_map(|definition| {
            let (_, node) = compiler.types.get(definition.type_name.as_str())?;
            Some((definition.type_name.as_str().into(), *node))
        })
        .collect();
    let nodes: Vec<Node> = compiler.nodes.into_iter().flatten().collect();
    let types = compiler.types.iter().map(|(name, (_, node))| (Box::from(*name), *node)).collect();
    let ancestors = nodes.iter().map(|node| (node.name.clone(), ancestors(definitions, node)));
    Ok(Arena {
        ancestors: ancestors.collect(),
        types,
        nodes,
        elements: compiler.elements,
        definitions: compiler.definitions,
        resources,
    })
}

/// The types that a node's type specialises; an element with children of its own is an Element.
fn ancestors(definitions: &Definitions, node: &Node) -> Box<[Box<str>]> {
    if node.name.contains('.') {
        let names: &[&str] = if node.is_backbone() { &["BackboneElement", "Element"] } else { &["Element"] };
        return names.iter().map(|name| Box::from(*name)).collect();
    }
    let mut names = Vec::new();
    let type_of = |name: &str| definitions.get(&format!("{}{name}", crate::snapshot::BASE));
    let mut current = type_of(&node.name);
    while let Some(base) = current.and_then(|found| definitions.get(found.base.as_deref()?)) {
        if names.len() > MOST_ELEMENTS {
            break;
        }
        names.push(base.type_name.as_str().into());
        current = Some(base);
    }
    names.into()
}

impl<'d> Compiler<'d> {
    fn reserve(&mut self) -> NodeId {
        self.nodes.push(None);
        NodeId::new(self.nodes.len() - 1)
    }

    fn compile_type(&mut self, definition: &'d StructureDefinition) -> Result<(), PackError> {
        let Some(&(_, root)) = self.types.get(definition.type_name.as_str()) else { return Ok(()) };
        let id = DefinitionId::new(self.definitions.len());
        self.definitions.push(definition.url.as_str().into());
        let entries = self.entries(definition)?;

        // Every path that has children is an object with a node of its own.
        let mut scopes: BTreeMap<&str, NodeId> = BTreeMap::from([("", root)]);
        for (path, _) in &entries {
            if let Some((parent, _)) = path.rsplit_once('.')
                && !scopes.contains_key(parent)
            {
                scopes.insert(parent, self.reserve());
            }
        }
        for (&scope, &node) in &scopes {
            let children = self.children(definition, &entries, scope)?;
            let compiled = self.node(definition, id, scope, &children, &scopes)?;
            self.nodes[node.index()] = Some(compiled);
        }
        Ok(())
    }

    /// A type and those it specialises, nearest first.
    fn chain(&self, definition: &'d StructureDefinition) -> Result<Vec<&'d StructureDefinition>, PackError> {
        let mut chain = vec![definition];
        while let Some(base) = chain.last().and_then(|last| last.base.as_deref()) {
            let unknown = || PackError::UnknownType { definition: definition.url.clone(), name: base.to_owned() };
            let base = self.all.get(base).ok_or_else(unknown)?;
            if chain.iter().any(|seen| std::ptr::eq(*seen, base)) {
                return Err(PackError::Circular { definition: definition.url.clone() });
            }
            chain.push(base);
        }
        Ok(chain)
    }

    /// The elements of a type, the inherited ones first; one that is changed stands where it was introduced.
    fn entries(&self, definition: &'d StructureDefinition) -> Result<Vec<Entry<'d>>, PackError> {
        let chain = self.chain(definition)?;
        let mut entries: Vec<Entry<'d>> = Vec::new();
        for element in chain.iter().rev().flat_map(|definition| &definition.elements) {
            let Some((_, path)) = element.path.split_once('.') else { continue };
            match entries.iter_mut().find(|(inherited, _)| *inherited == path) {
                Some(entry) => entry.1 = element,
                None => entries.push((path, element)),
            }
        }
        Ok(entries)
    }

    /// The children of the object at `scope`: those of its type, then those given in place.
    fn children(
        &self,
        definition: &StructureDefinition,
        entries: &[Entry<'d>],
        scope: &str,
    ) -> Result<Vec<Entry<'d>>, PackError> {
        let mut children = Vec::new();
        if let Some((_, element)) = entries.iter().find(|(path, _)| *path == scope) {
            let code = element.types.first().map_or("", |element_type| element_type.code.as_str());
            let unknown = || PackError::UnknownType { definition: definition.url.clone(), name: code.to_owned() };
            let (base, _) = self.types.get(code).ok_or_else(unknown)?;
            let inherited = self.entries(base)?;
            children.extend(inherited.into_iter().filter(|(path, _)| !path.contains('.')));
        }
        let own = entries.iter().filter(|(path, _)| path.rsplit_once('.').map_or("", |(parent, _)| parent) == scope);
        for (path, element) in own {
            children.retain(|(_, inherited)| inherited.name() != element.name());
            children.push((path, element));
        }
        Ok(children)
    }

    fn node(
        &mut self,
        definition: &'d StructureDefinition,
        id: DefinitionId,
        scope: &str,
        children: &[Entry<'d>],
        scopes: &BTreeMap<&str, NodeId>,
    ) -> Result<Node, PackError> {
        let path = [definition.type_name.as_str(), scope].join(".");
        let name = path.trim_end_matches('.');
        if children.len() > MOST_ELEMENTS {
            return Err(PackError::TooManyElements { definition: definition.url.clone(), path: name.to_owned() });
        }
        let mut node = Node {
            name: name.into(),
            definition: id,
            properties: FxHashMap::default(),
            slots: FxHashMap::default(),
            required: Box::default(),
            is_resource: scope.is_empty() && definition.kind == Kind::Resource,
            invariants: self.invariants(definition, scope)?,
            ext_1: None,
        };
        let mut required = Vec::new();
        for (slot, (path, child)) in (0..).zip(children) {
            // In JSON the value of a primitive stands under the element's own name, not inside an object.
            let is_value = definition.kind == Kind::Primitive && child.is_attribute && child.name() == "value";
            if is_value || child.max == Some(crate::definition::Max::Count(0)) {
                continue;
            }
            let element = self.element(definition, path, child, slot, scopes)?;
            let element_id = ElementId::new(self.elements.len());
            node.slots.insert(element.name.clone(), slot);
            element::add_properties(&mut node.properties, &element, element_id);
            if element.min > 0 {
                required.push(element_id);
            }
            self.elements.push(element);
        }
        node.required = required.into();
        let introduces = |key: &str| {
            definition.elements.iter().any(|element| {
                element.path == definition.type_name && element.constraints.iter().any(|invariant| invariant.key == key)
            })
        };
        if scope.is_empty() && introduces("ext-1") {
            let slot = |name: &str| self.elements_of(&node).find(|element| &*element.name == name).map(|e| e.slot);
            node.ext_1 = slot("extension").zip(slot("value"));
        }
        Ok(node)
    }

    /// The invariants of what stands at `scope`: of a type and of those it specialises, or of an element with children.
    fn invariants(&self, definition: &'d StructureDefinition, scope: &str) -> Result<Box<[Compiled]>, PackError> {
        if definition.kind == Kind::Primitive {
            return Ok(Box::default());
        }
        let path = format!("{}.{scope}", definition.type_name);
        let mut found = Vec::new();
        for of in self.chain(definition)? {
            let is_wanted = |element: &&ElementDefinition| {
                if scope.is_empty() { element.path == of.type_name } else { element.path == path }
            };
            found.extend(of.elements.iter().filter(is_wanted).flat_map(|element| &element.constraints));
        }
        Ok(invariant::compiled(found))
    }

    fn elements_of<'s>(&'s self, node: &'s Node) -> impl Iterator<Item = &'s Element> {
        node.properties.values().map(|property| &self.elements[property.element.index()])
    }
}
