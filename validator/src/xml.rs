//! FHIR's [XML](https://hl7.org/fhir/R4/xml.html) as its JSON: which elements repeat, and which are numbers, is told by the
//! definitions. A document type declaration is refused, and with it every entity of its own.

use roxmltree::{Document, Node as Xml, ParsingOptions};

use crate::json::Limits;
use crate::node::{Content, Node, Type};
use crate::profile_set::ProfileSet;
use crate::reduce::push_string;
use crate::rules::format::Primitive;

const FHIR: &str = "http://hl7.org/fhir";
const XHTML: &str = "http://www.w3.org/1999/xhtml";
/// Nodes of one document.
const MOST_NODES: u32 = 2_000_000;

/// Why an XML document is no resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct XmlError {
    /// Line, from 1.
    pub line: u32,
    /// Column, from 1.
    pub column: u32,
    /// What is wrong there.
    pub message: String,
}

impl std::fmt::Display for XmlError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.message)
    }
}

impl std::error::Error for XmlError {}

/// The JSON of a resource in XML.
pub(crate) fn to_json(set: &ProfileSet, text: &str) -> Result<String, XmlError> {
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MOST_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text, options).map_err(|error| {
        let place = error.pos();
        XmlError { line: place.row, column: place.col, message: error.to_string() }
    })?;
    let mut converter = Converter { set, text, out: String::with_capacity(text.len()), depth: 0 };
    converter.resource(document.root_element())?;
    Ok(converter.out)
}

struct Converter<'c> {
    set: &'c ProfileSet,
    text: &'c str,
    out: String,
    depth: u32,
}

impl<'c> Converter<'c> {
    fn fail<T>(at: Xml<'_, '_>, message: impl Into<String>) -> Result<T, XmlError> {
        let place = at.document().text_pos_at(at.range().start);
        Err(XmlError { line: place.row, column: place.col, message: message.into() })
    }

    fn resource(&mut self, xml: Xml<'_, '_>) -> Result<(), XmlError> {
        let name = xml.tag_name();
        let node = self.set.resource(name.name()).filter(|_| name.namespace() == Some(FHIR));
        let Some(node) = node else {
            return Self::fail(xml, format!("'{}' is no resource of FHIR in the namespace {FHIR}", name.name()));
        };
        self.out.push_str("{\"resourceType\":");
        push_string(&mut self.out, name.name());
        self.members(xml, self.set.node(node), false)?;
        self.out.push('}');
        Ok(())
    }

    /// The members of an object, after its brace; `first` when none has been written.
    fn members(&mut self, xml: Xml<'_, '_>, node: &'c Node, mut first: bool) -> Result<(), XmlError> {
        self.depth += 1;
        if self.depth > Limits::DEEPEST {
            return Self::fail(xml, "the document is nested too deeply");
        }
        for attribute in xml.attributes() {
            if attribute.name() == "value" {
                continue;
            }
            self.key(&mut first, attribute.name());
            push_string(&mut self.out, attribute.value());
        }
        Self::no_text(xml)?;
        let mut groups: Vec<(&str, Vec<Xml<'_, '_>>)> = Vec::new();
        let mut before: Option<(&str, u8)> = None;
        for child in xml.children().filter(Xml::is_element) {
            let name = child.tag_name().name();
            if let Some(property) = node.properties.get(name) {
                if let Some((other, _)) = before.filter(|(_, slot)| *slot > property.slot) {
                    return Self::fail(
                        child,
                        format!("'{name}' stands before '{other}': elements have an order in XML"),
                    );
                }
                before = Some((name, property.slot));
            }
            match groups.iter_mut().find(|(known, _)| *known == name) {
                Some((_, found)) => found.push(child),
                None => groups.push((name, vec![child])),
            }
        }
        for (name, children) in groups {
            let known = node.properties.get(name).and_then(|property| {
                let element = self.set.element(property.element);
                Some((element.repeats(), element.types.get(usize::from(property.choice))?))
            });
            if let Some((repeats, element_type)) = known {
                self.element(&mut first, name, &children, repeats, element_type)?;
            } else {
                // Kept, so that the rules can tell of it.
                self.key(&mut first, name);
                push_string(&mut self.out, children[0].attribute("value").unwrap_or_default());
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Text in an element would be lost.
    fn no_text(xml: Xml<'_, '_>) -> Result<(), XmlError> {
        let is_stray = |child: &Xml<'_, '_>| child.is_text() && !child.text().unwrap_or_default().trim().is_empty();
        match xml.children().find(is_stray) {
            Some(stray) => Self::fail(stray, "text stands in attributes and in narratives only"),
            None => Ok(()),
        }
    }

    fn key(&mut self, first: &mut bool, name: &str) {
        if !std::mem::take(first) {
            self.out.push(',');
        }
        push_string(&mut self.out, name);
        self.out.push(':');
    }

    /// One element with all its repetitions; more than one is an array, whatever the definition says.
    fn element(
        &mut self,
        first: &mut bool,
        name: &str,
        children: &[Xml<'_, '_>],
        repeats: bool,
        element_type: &'c Type,
    ) -> Result<(), XmlError> {
        let is_list = repeats || children.len() > 1;
        let Content::Primitive(primitive, sibling) = element_type.content else {
            self.key(first, name);
            return self.list(is_list, children, |converter, child| match element_type.content {
                Content::Object(node) => {
                    converter.out.push('{');
                    converter.members(child, converter.set.node(node), true)?;
                    converter.out.push('}');
                    Ok(())
                }
                _ => match child.children().find(Xml::is_element) {
                    Some(resource) => converter.resource(resource),
                    None => Self::fail(child, "a resource stands here"),
                },
            });
        };
        let has_value = |child: &Xml<'_, '_>| primitive == Primitive::Xhtml || child.has_attribute("value");
        // One that says nothing at all is told by the rules.
        let is_empty =
            |child: &Xml<'_, '_>| !has_value(child) && child.attributes().len() == 0 && !child.has_children();
        if children.iter().any(|child| has_value(child) || is_empty(child)) {
            self.key(first, name);
            self.list(is_list, children, |converter, child| converter.value(primitive, child))?;
        }
        let has_more = |child: &Xml<'_, '_>| {
            primitive != Primitive::Xhtml
                && (child.has_attribute("id") || child.children().any(|inner| inner.is_element()))
        };
        if let Some(node) = sibling.filter(|_| children.iter().any(has_more)) {
            self.key(first, &format!("_{name}"));
            self.list(is_list, children, |converter, child| {
                if has_more(&child) {
                    converter.out.push('{');
                    converter.members(child, converter.set.node(node), true)?;
                    converter.out.push('}');
                } else {
                    converter.out.push_str("null");
                }
                Ok(())
            })?;
        }
        Ok(())
    }

    fn list<'x, 'i>(
        &mut self,
        is_list: bool,
        children: &[Xml<'x, 'i>],
        mut write: impl FnMut(&mut Self, Xml<'x, 'i>) -> Result<(), XmlError>,
    ) -> Result<(), XmlError> {
        if !is_list {
            return write(self, children[0]);
        }
        self.out.push('[');
        for (number, child) in children.iter().enumerate() {
            if number > 0 {
                self.out.push(',');
            }
            write(self, *child)?;
        }
        self.out.push(']');
        Ok(())
    }

    fn value(&mut self, primitive: Primitive, xml: Xml<'_, '_>) -> Result<(), XmlError> {
        if primitive == Primitive::Xhtml {
            if xml.tag_name().namespace() != Some(XHTML) {
                return Self::fail(xml, format!("a narrative stands in the namespace {XHTML}"));
            }
            push_string(&mut self.out, &self.text[xml.range()]);
            return Ok(());
        }
        Self::no_text(xml)?;
        let Some(value) = xml.attribute("value") else {
            self.out.push_str("null");
            return Ok(());
        };
        let is_number = matches!(
            primitive,
            Primitive::Integer | Primitive::UnsignedInt | Primitive::PositiveInt | Primitive::Decimal
        );
        let bare = match primitive {
            Primitive::Boolean => matches!(value, "true" | "false"),
            _ => {
                is_number
                    && crate::json::Document::read(value.as_bytes()).is_ok_and(|read| read.root().as_number().is_some())
            }
        };
        if bare {
            self.out.push_str(value);
        } else {
            push_string(&mut self.out, value);
        }
        Ok(())
    }
}
