//! Finds names that no element can have, before anything is evaluated. Only what is sure is told: after a function whose
//! result is not known by type, nothing is.

use super::ast::{Expr, Kind};
use super::error::EvaluationError;
use super::functions::types::{is_a, type_name};
use crate::node::Content;
use crate::profile_set::ProfileSet;

/// The types that an expression may give; `None` when they are not known.
type Types<'s> = Option<Vec<&'s str>>;

/// Functions that give what they are asked of, or some of it.
const KEEPING: [&str; 9] = ["first", "last", "tail", "skip", "take", "single", "distinct", "intersect", "exclude"];

pub(super) fn check(root: &Expr, set: &ProfileSet, types: &[&str]) -> Result<(), EvaluationError> {
    let checker = Checker { set };
    // Names of the set, which live as long as it does.
    let known: Option<Vec<_>> = types.iter().map(|name| set.type_named(name)).collect();
    checker.types(root, &known.filter(|known| !known.is_empty())).map(|_| ())
}

struct Checker<'s> {
    set: &'s ProfileSet,
}

impl<'s> Checker<'s> {
    fn types(&self, expr: &Expr, focus: &Types<'s>) -> Result<Types<'s>, EvaluationError> {
        match &expr.kind {
            Kind::This => Ok(focus.clone()),
            Kind::Member { from: None, name } => {
                if name.starts_with(|letter: char| letter.is_ascii_uppercase()) {
                    let named: Vec<_> = match focus {
                        Some(types) => types.iter().copied().filter(|own| is_a(self.set, own, name)).collect(),
                        // Of anything only a resource of this type goes on; an abstract one may have more elements.
                        None => {
                            self.set.type_named(name).filter(|_| self.set.is_resource_type(name)).into_iter().collect()
                        }
                    };
                    if !named.is_empty() {
                        return Ok(Some(named));
                    }
                }
                self.member(focus, name, expr.at)
            }
            Kind::Member { from: Some(from), name } => {
                let from = self.types(from, focus)?;
                self.member(&from, name, expr.at)
            }
            Kind::Indexer { from, index } => {
                self.types(index, focus)?;
                self.types(from, focus)
            }
            Kind::Call { from, function, arguments } => {
                let input = match from {
                    Some(from) => self.types(from, focus)?,
                    None => focus.clone(),
                };
                self.call(&input, function.name, arguments, focus)
            }
            Kind::Binary { left, right, .. } => {
                let left = self.types(left, focus)?;
                let right = self.types(right, focus)?;
                let is_union = matches!(&expr.kind, Kind::Binary { operator: super::ast::Operator::Union, .. });
                Ok(left.zip(right).filter(|_| is_union).map(|(left, right)| [left, right].concat()))
            }
            Kind::Negative(of) | Kind::Positive(of) => self.types(of, focus).map(|_| None),
            Kind::Type { is, of, name } => {
                self.types(of, focus)?;
                let known = self.set.type_named(&name.name).filter(|_| !is);
                Ok(known.map(|name| vec![name]))
            }
            Kind::Empty | Kind::Literal(_) | Kind::Index | Kind::Total | Kind::Variable(_) => Ok(None),
        }
    }

    fn call(
        &self,
        input: &Types<'s>,
        name: &str,
        arguments: &[Expr],
        focus: &Types<'s>,
    ) -> Result<Types<'s>, EvaluationError> {
        match name {
            "is" => return Ok(None),
            "ofType" | "as" => {
                let wanted = arguments.first().and_then(type_name);
                return Ok(wanted.and_then(|wanted| self.set.type_named(&wanted.name)).map(|name| vec![name]));
            }
            "extension" => return Ok(input.as_ref().map(|_| vec!["Extension"])),
            "select" | "where" | "all" | "exists" | "repeat" | "sort" | "aggregate" | "trace" | "defineVariable"
            | "iif" => {
                let mut found = None;
                for argument in arguments {
                    // In `repeat` the argument is evaluated on its own results too.
                    let of = if name == "repeat" { &None } else { input };
                    found = self.types(argument, of)?;
                }
                return Ok(match name {
                    "select" => found,
                    "where" | "sort" | "trace" | "defineVariable" => input.clone(),
                    _ => None,
                });
            }
            _ => {}
        }
        for argument in arguments {
            self.types(argument, focus)?;
        }
        Ok(if KEEPING.contains(&name) { input.clone() } else { None })
    }

    /// The types of a child; a fault when no type that is possible here has one of this name.
    fn member(&self, from: &Types<'s>, name: &str, at: usize) -> Result<Types<'s>, EvaluationError> {
        let Some(types) = from else { return Ok(None) };
        let mut found = Vec::new();
        for own in types {
            match self.child(own, name) {
                Child::Of(types) => found.extend(types),
                Child::Unknown => return Ok(None),
                Child::None => {}
            }
        }
        if found.is_empty() && !types.is_empty() {
            let message = format!("{} has no element '{name}'", types.join(" or "));
            return Err(EvaluationError::new(at, message));
        }
        found.sort_unstable();
        found.dedup();
        Ok(Some(found))
    }

    fn child(&self, own: &str, name: &str) -> Child<'s> {
        let Some(id) = self.set.type_node(own).or_else(|| self.set.node_named(own)) else { return Child::Unknown };
        let node = self.set.node(id);
        if node.is_resource && matches!(own, "Resource" | "DomainResource") {
            // Any resource may stand there.
            return Child::Unknown;
        }
        let element = if let Some(property) = node.properties.get(name) {
            Some(self.set.element(property.element)).filter(|element| !element.is_choice)
        } else {
            let mut choices = node.properties.values().map(|property| self.set.element(property.element));
            choices.find(|element| element.is_choice && &*element.name == name)
        };
        let Some(element) = element else { return Child::None };
        let mut types = Vec::new();
        for element_type in &element.types {
            match element_type.content {
                Content::Resource => return Child::Unknown,
                Content::Object(node) if element_type.name.is_empty() => types.push(&*self.set.node(node).name),
                _ => types.push(&*element_type.name),
            }
        }
        Child::Of(types)
    }
}

enum Child<'s> {
    Of(Vec<&'s str>),
    None,
    Unknown,
}
