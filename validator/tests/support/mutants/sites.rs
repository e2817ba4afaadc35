//! Every element of a resource with what base R4 says of it: where a change can be made.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value as Json;
use signalbox_validator::ProfileSet;

const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";

/// What a definition says of an element.
#[derive(Clone, Default)]
pub(crate) struct Fact {
    min: u64,
    types: Vec<String>,
    is_bound: bool,
    target: Option<String>,
}

/// Elements of one type, by path.
type Elements = Rc<HashMap<String, Fact>>;

pub(crate) struct Facts<'s> {
    set: &'s ProfileSet,
    known: RefCell<HashMap<String, Elements>>,
}

/// A value of a resource.
#[derive(Clone)]
pub(crate) struct Site {
    /// [RFC 6901](https://www.rfc-editor.org/rfc/rfc6901) pointer to the value.
    pub(crate) pointer: String,
    /// The key of the member that it is, or is an item of.
    pub(crate) key: String,
    /// Its type; empty for an object of an element's own.
    pub(crate) type_name: String,
    /// The base of the key, where the element may have several types.
    pub(crate) choice: Option<String>,
    pub(crate) types: Vec<String>,
    pub(crate) is_required: bool,
    /// A code must be in a value set.
    pub(crate) is_bound: bool,
    /// It is a whole member, not an item of one.
    pub(crate) is_member: bool,
}

impl<'s> Facts<'s> {
    pub(crate) fn new(set: &'s ProfileSet) -> Self {
        Self { set, known: RefCell::default() }
    }

    fn elements(&self, type_name: &str) -> Elements {
        if let Some(found) = self.known.borrow().get(type_name) {
            return Rc::clone(found);
        }
        let read: Elements = Rc::new(self.read(type_name));
        self.known.borrow_mut().insert(type_name.to_owned(), Rc::clone(&read));
        read
    }

    fn read(&self, type_name: &str) -> HashMap<String, Fact> {
        let Ok((text, _)) = self.set.snapshot(&format!("{BASE}{type_name}")) else { return HashMap::new() };
        let definition: Json = serde_json::from_str(&text).unwrap_or_default();
        let elements = definition["snapshot"]["element"].as_array().cloned().unwrap_or_default();
        let fact = |element: &Json| Fact {
            min: element["min"].as_u64().unwrap_or_default(),
            types: element["type"].as_array().into_iter().flatten().filter_map(code).collect(),
            is_bound: element["binding"]["strength"] == "required",
            target: element["contentReference"].as_str().map(|name| name.trim_start_matches('#').to_owned()),
        };
        elements.iter().filter_map(|element| Some((element["path"].as_str()?.to_owned(), fact(element)))).collect()
    }

    /// Every value of a resource, in order.
    pub(crate) fn sites(&self, resource: &Json) -> Vec<Site> {
        let mut sites = Vec::new();
        self.resource(resource, "", &mut sites);
        sites
    }

    fn resource(&self, resource: &Json, pointer: &str, sites: &mut Vec<Site>) {
        if let Some(name) = resource["resourceType"].as_str() {
            self.object(resource, pointer, &self.elements(name), name, sites);
        }
    }

    fn object(&self, object: &Json, pointer: &str, elements: &Elements, path: &str, sites: &mut Vec<Site>) {
        for (key, value) in object.as_object().into_iter().flatten() {
            if key == "resourceType" || key.starts_with('_') {
                continue;
            }
            let Some((element_path, fact, type_name)) = find(elements, path, key) else { continue };
            let pointer = format!("{pointer}/{key}");
            let site = Site {
                pointer: pointer.clone(),
                key: key.clone(),
                choice: element_path.strip_suffix("[x]").and_then(|path| path.rsplit('.').next()).map(str::to_owned),
                types: fact.types.clone(),
                is_required: fact.min > 0,
                is_bound: fact.is_bound,
                is_member: true,
                type_name: type_name.clone(),
            };
            sites.push(site.clone());
            let items: Vec<(String, &Json)> = match value.as_array() {
                Some(items) => items.iter().enumerate().map(|(at, item)| (format!("{pointer}/{at}"), item)).collect(),
                None => vec![(pointer, value)],
            };
            for (pointer, item) in items {
                if value.is_array() {
                    sites.push(Site { pointer: pointer.clone(), is_member: false, ..site.clone() });
                }
                let inner = fact.target.as_deref().unwrap_or(&element_path);
                match type_name.as_str() {
                    _ if !item.is_object() => {}
                    "Resource" => self.resource(item, &pointer, sites),
                    "" | "BackboneElement" | "Element" => self.object(item, &pointer, elements, inner, sites),
                    name => self.object(item, &pointer, &self.elements(name), name, sites),
                }
            }
        }
    }
}

fn code(element_type: &Json) -> Option<String> {
    let code = element_type["code"].as_str()?;
    Some(code.rsplit('.').next().filter(|_| code.starts_with("http:")).map_or(code, |_| "string").to_owned())
}

/// The element of a key with its path and the type it has here.
fn find<'e>(elements: &'e Elements, path: &str, key: &str) -> Option<(String, &'e Fact, String)> {
    let plain = format!("{path}.{key}");
    if let Some(fact) = elements.get(&plain) {
        return Some((plain, fact, fact.types.first().cloned().unwrap_or_default()));
    }
    // `valueQuantity` is `value[x]` as a Quantity.
    let mut starts = key.char_indices().filter(|(at, character)| *at > 0 && character.is_uppercase());
    starts.find_map(|(at, _)| {
        let choice = format!("{path}.{}[x]", &key[..at]);
        let fact = elements.get(&choice)?;
        let type_name = fact.types.iter().find(|name| name.eq_ignore_ascii_case(&key[at..]))?;
        Some((choice, fact, type_name.clone()))
    })
}
