//! What can be told of the first name of a path at a glance, without making a collection: most invariants ask whether a
//! child is there, and most have one value or none.

use super::ast::{Expr, Kind};
use super::error::EvaluationError;
use super::evaluate::{Evaluator, Scope};
use super::item::{Inner, Item};
use crate::json::{self, Value};
use crate::node::Content;

/// What stands under a name.
enum Glance<'d> {
    Nothing,
    One(Item<'d>),
    /// A list that is not empty and does not begin with a null.
    Some,
}

impl<'d> Evaluator<'_, 'd> {
    /// Whether a part gives anything.
    pub(super) fn gives_any(&self, expr: &Expr, scope: &Scope<'_, 'd>) -> Result<bool, EvaluationError> {
        match self.glance(expr, scope) {
            Some(Glance::Nothing) => Ok(false),
            Some(Glance::One(_) | Glance::Some) => Ok(true),
            None => Ok(!self.eval(expr, scope)?.is_empty()),
        }
    }

    /// Whether a part gives one primitive with a value; `None` when that takes a closer look.
    pub(super) fn gives_value(&self, expr: &Expr, scope: &Scope<'_, 'd>) -> Option<bool> {
        match self.glance(expr, scope)? {
            Glance::Nothing => Some(false),
            Glance::One(item) => {
                let is_primitive = item.as_element().is_some_and(|element| element.of.primitive.is_some());
                Some(is_primitive && item.system().is_some())
            }
            Glance::Some => None,
        }
    }

    fn glance(&self, expr: &Expr, scope: &Scope<'_, 'd>) -> Option<Glance<'d>> {
        let Kind::Member { from: None, name } = &expr.kind else { return None };
        // The name of a type is no child.
        let is_type = name.starts_with(|letter: char| letter.is_ascii_uppercase());
        let ([Item(Inner::Element(element))], false) = (scope.focus, is_type) else { return None };
        let (object, node) = element.object()?;
        // A choice is not found by its own name.
        let property = *node.properties.get(&**name)?;
        let found = self.set().element(property.element);
        let Some(found_type) = found.types.get(usize::from(property.choice)).filter(|_| !found.is_choice) else {
            return Some(Glance::Nothing);
        };
        let Some(value) = object.get(name) else {
            let is_primitive = matches!(found_type.content, Content::Primitive(..));
            return (!is_primitive || object.get_sibling(name).is_none()).then_some(Glance::Nothing);
        };
        match value.kind() {
            json::Kind::Null => None,
            json::Kind::Array => {
                let first = value.children().next().map(Value::kind);
                first.is_some_and(|kind| kind != json::Kind::Null).then_some(Glance::Some)
            }
            _ => {
                let resource = element.resource.unwrap_or(object);
                Some(Glance::One(Item::of_type(self.set(), Some(value), None, found_type, resource)))
            }
        }
    }
}
