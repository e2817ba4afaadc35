//! What an expression can ask of the world: definitions, the time, other documents, terminology.

use std::cell::Cell;

use super::Item;
use super::temporal::Temporal;
use crate::json::Value;
use crate::profile_set::ProfileSet;

/// Finds what a reference means outside the resource that it stands in.
pub type Resolver<'d> = &'d (dyn Fn(&str) -> Option<Value<'d>> + 'd);

/// Whether a code of a system is in a value set; `None` when that is not known here.
pub type MemberOf<'d> = &'d (dyn Fn(&str, Option<&str>, &str) -> Option<bool> + 'd);

/// What one evaluation may cost.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Parts of the expression that are evaluated, each time it is, and the items that they give.
    pub steps: u64,
    /// Items of one collection.
    pub items: usize,
    /// Bytes of one text.
    pub text: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { steps: 5_000_000, items: 1_000_000, text: 10_000_000 }
    }
}

/// What an expression is evaluated in.
#[derive(Clone)]
pub struct Context<'d> {
    /// Types.
    pub(super) set: &'d ProfileSet,
    /// `now()`, `today()` and `timeOfDay()`.
    pub(super) now: Option<Temporal>,
    pub(super) resolver: Option<Resolver<'d>>,
    pub(super) member_of: Option<MemberOf<'d>>,
    pub(super) limits: Limits,
    /// Steps that are left for this evaluation and others.
    pub(super) purse: Option<&'d Cell<u64>>,
    /// Validations that the expression is evaluated in.
    pub(super) nested: u8,
    pub(super) variables: Vec<(Box<str>, Vec<Item<'d>>)>,
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").finish_non_exhaustive()
    }
}

impl<'d> Context<'d> {
    /// With these definitions, and nothing else.
    #[must_use]
    pub fn new(set: &'d ProfileSet) -> Self {
        Self {
            set,
            now: None,
            resolver: None,
            member_of: None,
            limits: Limits::default(),
            purse: None,
            nested: 0,
            variables: Vec::new(),
        }
    }

    /// The time, in milliseconds since 1970.
    #[must_use]
    pub fn at(mut self, millis: i64) -> Self {
        self.now = Some(Temporal::moment(millis));
        self
    }

    /// What references mean.
    #[must_use]
    pub fn resolving(mut self, resolver: Resolver<'d>) -> Self {
        self.resolver = Some(resolver);
        self
    }

    /// What value sets hold.
    #[must_use]
    pub fn knowing_codes(mut self, member_of: MemberOf<'d>) -> Self {
        self.member_of = Some(member_of);
        self
    }

    /// Inside so many validations.
    #[must_use]
    pub(crate) fn inside(mut self, nested: u8) -> Self {
        self.nested = nested;
        self
    }

    /// What it may cost.
    #[must_use]
    pub fn within(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// What it costs is taken from what is left for many evaluations.
    #[must_use]
    pub(crate) fn paid_from(mut self, purse: &'d Cell<u64>) -> Self {
        self.purse = Some(purse);
        self
    }

    /// A variable, asked for as `%name`.
    #[must_use]
    pub fn with_text(mut self, name: &str, value: &'d str) -> Self {
        self.variables.push((name.into(), vec![super::item::Inner::String(value.into()).into()]));
        self
    }
}
