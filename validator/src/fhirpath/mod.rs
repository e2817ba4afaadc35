//! [FHIRPath N1](http://hl7.org/fhirpath/N1/) with [FHIR's own functions](https://hl7.org/fhir/R4/fhirpath.html): an
//! expression is parsed once and evaluated over borrowed documents as often as wanted.
//!
//! Reading order: `lexer` and `parser` make the tree of `ast`; `item` is what a collection holds and `navigate` how one
//! gets from an element to its children; `evaluate` walks the tree, with `operators`, `equality`, `functions` and `glance` beside it.
//! `check` finds names that no element can have. `temporal`, `quantity` and `ucum` are the values with rules of their own.

mod ast;
mod check;
mod context;
mod equality;
mod error;
mod evaluate;
mod functions;
mod glance;
mod item;
mod lexer;
mod navigate;
mod operators;
mod parser;
mod patterns;
mod quantity;
mod temporal;
mod ucum;

pub use context::{Context, Limits, MemberOf, Resolver};
pub use error::{EvaluationError, SyntaxError};
pub use item::Item;
pub(crate) use item::decimal;
pub(crate) use patterns::Patterns;

use ast::Expr;
use evaluate::{Evaluator, Scope};

use crate::json::Value;
use crate::profile_set::ProfileSet;

/// A collection: what every expression gives.
type Collection<'d> = Vec<Item<'d>>;

/// An expression, parsed.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    root: Expr,
}

impl std::fmt::Display for Expression {
    /// The expression again, with parentheses wherever an operator stands inside another.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.root.fmt(f)
    }
}

impl Expression {
    /// Parses an expression.
    ///
    /// # Errors
    /// Where it is no expression, and what would have been right there.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        parser::parse(text).map(|root| Self { root })
    }

    /// Finds names that no element of the types can have, and types that there are not. `types` are those that the
    /// expression may start from, such as `Patient`; none: any.
    ///
    /// # Errors
    /// The first such name.
    pub fn check(&self, set: &ProfileSet, types: &[&str]) -> Result<(), EvaluationError> {
        check::check(&self.root, set, types)
    }

    /// Evaluates it from a resource, which is `%resource`, `%rootResource` and `%context` as well.
    ///
    /// # Errors
    /// When an operator or function is given what it does not take, or a limit is reached.
    pub fn evaluate<'d>(&self, context: &Context<'d>, resource: Value<'d>) -> Result<Vec<Item<'d>>, EvaluationError> {
        let start = [Item::resource(context.set, resource)];
        let evaluator = Evaluator::new(context, &start, Some(resource), Some(resource));
        evaluator.run(&self.root, &Scope::of(&start))
    }

    /// Evaluates it from nothing: there is no resource.
    ///
    /// # Errors
    /// As [`Expression::evaluate`].
    pub fn evaluate_alone<'d>(&self, context: &Context<'d>) -> Result<Vec<Item<'d>>, EvaluationError> {
        let evaluator = Evaluator::new(context, &[], None, None);
        evaluator.run(&self.root, &Scope::of(&[]))
    }

    /// Whether it holds for an element, which is `$this` and `%context`: it gives true, or something that is no boolean.
    /// An expression that gives nothing does not hold.
    pub(crate) fn holds_at<'d>(
        &self,
        context: &Context<'d>,
        focus: &Item<'d>,
        (resource, root_resource): (Value<'d>, Value<'d>),
    ) -> Result<bool, EvaluationError> {
        let start = std::slice::from_ref(focus);
        let evaluator = Evaluator::new(context, start, Some(resource), Some(root_resource));
        let scope = Scope::of(start);
        let holds = if self.root.is_condition() {
            evaluator.truth(&self.root, &scope).map(|truth| truth == Some(true))
        } else {
            evaluator.run(&self.root, &scope).map(|found| match found.as_slice() {
                [] => false,
                [one] => one.as_bool().unwrap_or(true),
                _ => true,
            })
        };
        if let Some(purse) = context.purse {
            purse.set(purse.get().saturating_sub(evaluator.cost()));
        }
        holds
    }
}
