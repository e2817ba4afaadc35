//! The first set of [FHIRPath](https://hl7.org/fhirpath/N1/) that conditions of routes need: paths, comparisons and
//! three-valued logic over the borrowed document. Anything else is an error when the configuration is read.
//!
//! `lexer` -> `parser` -> `ast`, once; `evaluate` for every message, with `decimal` and `temporal` to compare.

mod ast;
mod decimal;
mod element;
mod evaluate;
mod item;
mod lexer;
mod parser;
mod temporal;
#[cfg(test)]
mod tests;

use signalbox_validator::json::Value;

use ast::Expression;

/// A condition on a resource.
pub(super) struct Condition(Expression);

/// Why a text is not a condition we can use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub(super) struct ParseError {
    /// In characters, from 1.
    pub(super) column: usize,
    pub(super) message: String,
}

/// Why a condition is neither true nor false for a resource; says nothing of the resource.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column} of `when`: {reason}")]
pub(super) struct Undecidable {
    pub(super) column: usize,
    pub(super) reason: &'static str,
}

impl Condition {
    /// Reads a condition.
    pub(super) fn parse(text: &str) -> Result<Self, ParseError> {
        parser::parse(text).map(Self)
    }

    /// Whether the condition is true for a resource; an empty result is not.
    pub(super) fn holds(&self, resource: Value<'_>) -> Result<bool, Undecidable> {
        evaluate::holds(&self.0, resource)
    }
}
