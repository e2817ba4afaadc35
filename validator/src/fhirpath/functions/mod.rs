//! The functions, by family. A function takes a collection (the input) and expressions, which it evaluates itself: some
//! once, some for each item.

mod boundary;
mod conversion;
mod encoding;
mod existence;
mod fhir;
mod filtering;
mod math;
mod strings;
mod subsetting;
pub(super) mod types;
mod utility;

use super::Collection;
use super::ast::Expr;
use super::error::EvaluationError;
use super::evaluate::{Evaluator, Outcome, Scope};
use super::item::{Inner, Item};
use super::operators::{integer, single};

pub(super) use filtering::same_place;

/// One call.
pub(super) struct Call<'c, 'e, 'd> {
    pub(super) evaluator: &'c Evaluator<'e, 'd>,
    pub(super) scope: &'c Scope<'c, 'd>,
    pub(super) input: Collection<'d>,
    pub(super) arguments: &'c [Expr],
    pub(super) at: usize,
    pub(super) name: &'c str,
}

/// Calls a function.
pub(super) fn call<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    existence::call(call)
        .or_else(|| filtering::call(call))
        .or_else(|| subsetting::call(call))
        .or_else(|| types::call(call))
        .or_else(|| fhir::call(call))
        .or_else(|| strings::call(call))
        .or_else(|| conversion::call(call))
        .or_else(|| utility::call(call))
        .or_else(|| math::call(call))
        .or_else(|| encoding::call(call))
        .or_else(|| boundary::call(call))
        .unwrap_or_else(|| Err(EvaluationError::new(call.at, format!("there is no function '{}'", call.name))))
}

impl<'d> Call<'_, '_, 'd> {
    fn fail<T>(&self, message: impl Into<String>) -> Result<T, EvaluationError> {
        Err(EvaluationError::new(self.at, message))
    }

    /// Holds the number of arguments to what the function takes.
    fn takes(&self, least: usize, most: usize) -> Result<(), EvaluationError> {
        let count = self.arguments.len();
        if (least..=most).contains(&count) {
            return Ok(());
        }
        let wanted = if least == most { least.to_string() } else { format!("{least} to {most}") };
        self.fail(format!("'{}' takes {wanted} argument(s), not {count}", self.name))
    }

    /// An argument, evaluated once.
    fn argument(&self, number: usize) -> Outcome<'d> {
        match self.arguments.get(number) {
            Some(argument) => {
                let scope = Scope { focus: self.scope.this, depth: self.scope.depth + 1, ..*self.scope };
                self.evaluator.apart(argument, &scope)
            }
            None => Ok(Vec::new()),
        }
    }

    /// Evaluates an argument for one item of the input.
    fn for_each(&self, argument: &Expr, item: &Item<'d>, index: usize) -> Outcome<'d> {
        let one = std::slice::from_ref(item);
        self.evaluator.apart(argument, &self.scope.each(one, index))
    }

    /// Whether a criterion holds for an item.
    fn holds(&self, argument: &Expr, item: &Item<'d>, index: usize) -> Result<bool, EvaluationError> {
        let found = self.for_each(argument, item, index)?;
        Ok(super::operators::truth(&found, argument.at)? == Some(true))
    }

    /// The one item of the input.
    fn one(&self) -> Result<Option<&Item<'d>>, EvaluationError> {
        single(&self.input, self.at)
    }

    /// The text that the input is; `None` when there is none.
    fn text(&self) -> Result<Option<String>, EvaluationError> {
        match self.one()? {
            None => Ok(None),
            Some(item) => match item.as_text() {
                Some(text) => Ok(Some(text.into_owned())),
                None => self.fail(format!("'{}' takes a text, and this is a {}", self.name, item.type_name())),
            },
        }
    }

    /// The text that an argument is.
    fn text_argument(&self, number: usize) -> Result<Option<String>, EvaluationError> {
        match single(&self.argument(number)?, self.at)? {
            None => Ok(None),
            Some(item) => match item.as_text() {
                Some(text) => Ok(Some(text.into_owned())),
                None => self.fail(format!("argument {} of '{}' is no text", number + 1, self.name)),
            },
        }
    }

    /// The whole number that an argument is.
    fn integer_argument(&self, number: usize) -> Result<Option<i64>, EvaluationError> {
        integer(&self.argument(number)?, self.at)
    }

    fn is_long(&self, text: &str) -> Result<(), EvaluationError> {
        if text.len() > self.evaluator.context.limits.text {
            return self.fail("the text is too long");
        }
        Ok(())
    }
}

#[expect(clippy::unnecessary_wraps, reason = "the end of a function that can also fail")]
fn boolean<'d>(value: bool) -> Outcome<'d> {
    Ok(vec![Inner::Boolean(value).into()])
}

#[expect(clippy::unnecessary_wraps, reason = "the end of a function that can also fail")]
fn text<'d>(value: impl Into<String>) -> Outcome<'d> {
    Ok(vec![Inner::String(value.into().into()).into()])
}

#[expect(clippy::unnecessary_wraps, reason = "the end of a function that can also fail")]
fn whole<'d>(value: usize) -> Outcome<'d> {
    Ok(vec![Inner::Integer(i64::try_from(value).unwrap_or(i64::MAX)).into()])
}

/// Nothing, or what a value makes.
#[expect(clippy::unnecessary_wraps, reason = "the end of a function that can also fail")]
fn maybe(value: Option<Inner<'_>>) -> Outcome<'_> {
    Ok(value.map(Item::from).into_iter().collect())
}
