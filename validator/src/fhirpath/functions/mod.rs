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
    pub(super) name: &'static str,
}

/// What a function does.
type Body = for<'c, 'e, 'd> fn(&Call<'c, 'e, 'd>) -> Outcome<'d>;

/// A function; an expression that is parsed knows its own.
#[derive(Clone, Copy)]
pub(super) struct Function {
    pub(super) name: &'static str,
    body: Body,
}

const FAMILIES: [&[Function]; 11] = [
    existence::FUNCTIONS,
    filtering::FUNCTIONS,
    subsetting::FUNCTIONS,
    types::FUNCTIONS,
    fhir::FUNCTIONS,
    strings::FUNCTIONS,
    conversion::FUNCTIONS,
    utility::FUNCTIONS,
    math::FUNCTIONS,
    encoding::FUNCTIONS,
    boundary::FUNCTIONS,
];

impl Function {
    const fn new(name: &'static str, body: Body) -> Self {
        Self { name, body }
    }

    /// The function of this name.
    pub(super) fn named(name: &str) -> Option<Self> {
        FAMILIES.into_iter().flatten().find(|function| function.name == name).copied()
    }

    /// The name of a function that somebody may have meant.
    pub(super) fn nearest(name: &str) -> Option<&'static str> {
        let names = FAMILIES.into_iter().flatten().map(|function| function.name);
        let apart = |known: &str| strsim::damerau_levenshtein(&known.to_lowercase(), &name.to_lowercase());
        names.map(|known| (apart(known), known)).filter(|(apart, _)| *apart <= 2).min().map(|(_, known)| known)
    }

    pub(super) fn call<'d>(self, call: &Call<'_, '_, 'd>) -> Outcome<'d> {
        (self.body)(call)
    }
}

impl std::fmt::Debug for Function {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

impl PartialEq for Function {
    /// No two have one name.
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
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
        let one = std::slice::from_ref(item);
        Ok(self.evaluator.truth_apart(argument, &self.scope.each(one, index))? == Some(true))
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
