//! Reads the XHTML of a narrative to its end, and notes what is wrong with it.

use std::fmt;

use super::allowed::{ATTRIBUTES, ELEMENTS, ENTITIES, MORE_ATTRIBUTES, SHOWN, may_hold};
use crate::rules::quoted;

/// Deepest nesting that is followed.
const DEEPEST: usize = 128;

/// The namespace of all its elements.
const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// One thing wrong with a narrative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Problem {
    /// It is not well formed, and was not read further.
    Malformed(&'static str),
    Element(String),
    Attribute(String),
    Entity(String),
    Namespace,
    /// A link that runs a script.
    Acts,
    /// An element that may not stand where it does.
    Misplaced(String),
}

impl Problem {
    /// Whether this is what the invariant txt-1 is about.
    pub(super) fn breaks_txt_1(&self) -> bool {
        matches!(self, Self::Malformed(_) | Self::Element(_) | Self::Attribute(_))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "The narrative is not well-formed XHTML: {why}."),
            Self::Element(name) => write!(f, "A narrative may not hold the element '{}'.", quoted(name)),
            Self::Attribute(name) => write!(f, "A narrative may not hold the attribute '{}'.", quoted(name)),
            Self::Entity(name) => write!(f, "XML does not know the entity '&{};': write the character.", quoted(name)),
            Self::Namespace => write!(f, "The elements of a narrative are of the namespace {XHTML}."),
            Self::Acts => f.write_str("A link of a narrative may not run a script."),
            Self::Misplaced(what) => f.write_str(what),
        }
    }
}

/// What was read.
#[derive(Debug, Default)]
pub(super) struct Read<'t> {
    pub(super) problems: Vec<Problem>,
    /// There is something to see.
    pub(super) shown: bool,
    /// Ids that its links and images lead to.
    pub(super) links: Vec<&'t str>,
    /// Ids and names of its elements.
    pub(super) anchors: Vec<&'t str>,
}

pub(super) fn read(text: &str) -> Read<'_> {
    let mut reader = Reader { rest: text.trim(), open: Vec::new(), read: Read::default() };
    if let Err(why) = reader.document() {
        reader.read.problems.push(Problem::Malformed(why));
    }
    reader.read
}

struct Reader<'t> {
    rest: &'t str,
    open: Vec<&'t str>,
    read: Read<'t>,
}

impl<'t> Reader<'t> {
    fn document(&mut self) -> Result<(), &'static str> {
        if !self.rest.starts_with("<div") {
            return Err("it is one 'div'");
        }
        loop {
            self.step()?;
            if self.open.is_empty() {
                return if self.rest.trim().is_empty() { Ok(()) } else { Err("something follows its 'div'") };
            }
        }
    }

    fn note(&mut self, problem: Problem) {
        if !self.read.problems.contains(&problem) {
            self.read.problems.push(problem);
        }
    }

    /// One tag, comment or piece of text.
    fn step(&mut self) -> Result<(), &'static str> {
        for (start, end) in [("<!--", "-->"), ("<?", "?>")] {
            if let Some(inner) = self.rest.strip_prefix(start) {
                let at = inner.find(end).ok_or("a comment does not end")?;
                self.rest = &inner[at + end.len()..];
                return Ok(());
            }
        }
        if let Some(inner) = self.rest.strip_prefix("<![CDATA[") {
            let at = inner.find("]]>").ok_or("a piece of text does not end")?;
            self.read.shown |= !inner[..at].trim().is_empty();
            self.rest = &inner[at + 3..];
            return Ok(());
        }
        if let Some(tag) = self.rest.strip_prefix("</") {
            let end = tag.find('>').ok_or("a tag does not end")?;
            self.rest = &tag[end + 1..];
            let opened = self.open.pop().ok_or("a tag ends what never began")?;
            return if opened == tag[..end].trim_end() { Ok(()) } else { Err("a tag ends another element") };
        }
        if self.rest.starts_with('<') {
            return self.tag();
        }
        let end = self.rest.find('<').ok_or("an element does not end")?;
        let text = &self.rest[..end];
        self.rest = &self.rest[end..];
        self.entities(text)?;
        self.read.shown |= !text.trim().is_empty();
        Ok(())
    }

    fn tag(&mut self) -> Result<(), &'static str> {
        let inner = &self.rest[1..];
        let is_name = |letter: char| letter.is_ascii_alphanumeric() || letter == ':';
        let length = inner.find(|letter: char| !is_name(letter)).ok_or("a tag does not end")?;
        let name = &inner[..length];
        if name.is_empty() {
            return Err("a '<' begins no tag");
        }
        if self.open.len() >= DEEPEST {
            return Err("it is nested too deeply");
        }
        if !ELEMENTS.contains(&name) {
            self.note(Problem::Element(name.to_owned()));
        }
        if let Some(outer) = self.open.last().filter(|outer| !may_hold(outer, name)) {
            let what = format!("The element '{}' may not stand in '{outer}'.", quoted(name));
            self.note(Problem::Misplaced(what));
        }
        self.read.shown |= SHOWN.contains(&name);
        self.rest = &inner[length..];
        let mut namespace = None;
        loop {
            let spaced = self.rest.starts_with(char::is_whitespace);
            self.rest = self.rest.trim_start();
            let closed = self.rest.strip_prefix("/>");
            if let Some(after) = closed.or_else(|| self.rest.strip_prefix('>')) {
                self.rest = after;
                // What is inside is of the namespace of what is around it.
                if namespace.unwrap_or(if self.open.is_empty() { "" } else { XHTML }) != XHTML {
                    self.note(Problem::Namespace);
                }
                if closed.is_none() {
                    self.open.push(name);
                }
                return Ok(());
            }
            if !spaced {
                return Err("a tag does not end");
            }
            let (key, value) = self.attribute(name)?;
            if key == "xmlns" {
                namespace = Some(value);
            }
        }
    }

    fn attribute(&mut self, element: &str) -> Result<(&'t str, &'t str), &'static str> {
        let (name, after) = self.rest.split_once('=').ok_or("an attribute has no value")?;
        let name = name.trim_end();
        let quote = |quote: &char| matches!(quote, '"' | '\'');
        let after = after.trim_start();
        let quote = after.chars().next().filter(quote).ok_or("the value of an attribute is in quotes")?;
        let (value, rest) = after[1..].split_once(quote).ok_or("the value of an attribute does not end")?;
        self.rest = rest;
        if value.contains('<') {
            return Err("the value of an attribute holds a '<'");
        }
        if !ATTRIBUTES.contains(&name) && !MORE_ATTRIBUTES.contains(&name) {
            self.note(Problem::Attribute(name.to_owned()));
        }
        self.entities(value)?;
        match name {
            "id" => self.read.anchors.push(value),
            "name" if element == "a" => self.read.anchors.push(value),
            "href" | "src" => {
                if scheme(value).is_some_and(|scheme| matches!(&*scheme, "javascript" | "vbscript")) {
                    self.note(Problem::Acts);
                }
                self.read.links.extend(value.strip_prefix('#').filter(|id| !id.is_empty()));
            }
            _ => {}
        }
        Ok((name, value))
    }

    /// Every `&` begins an entity, and one that XML knows.
    fn entities(&mut self, text: &str) -> Result<(), &'static str> {
        for part in text.split('&').skip(1) {
            let (name, _) = part.split_once(';').ok_or("a '&' begins no entity")?;
            let is_number = name.strip_prefix('#').is_some_and(|number| match number.strip_prefix('x') {
                Some(hex) => u32::from_str_radix(hex, 16).is_ok(),
                None => number.parse::<u32>().is_ok(),
            });
            if is_number || ENTITIES.contains(&name) {
                continue;
            }
            if name.starts_with('#') || name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err("a '&' begins no entity");
            }
            self.note(Problem::Entity(name.to_owned()));
        }
        Ok(())
    }
}
/// The scheme of an address, however it is spelled.
fn scheme(value: &str) -> Option<String> {
    let (scheme, _) = value.split_once(':')?;
    Some(
        scheme
            .chars()
            .filter(|letter| !letter.is_whitespace() && !letter.is_control())
            .collect::<String>()
            .to_lowercase(),
    )
}
