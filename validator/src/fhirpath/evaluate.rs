//! Walks the tree of an expression over collections.

use std::cell::{Cell, RefCell};

use super::ast::{Expr, Kind, Literal, TypeName};
use super::context::Context;
use super::error::EvaluationError;
use super::item::{Inner, Item};
use super::{Collection, equality, functions, operators};
use crate::json::Value;
use crate::profile_set::ProfileSet;

pub(super) type Outcome<'d> = Result<Collection<'d>, EvaluationError>;

/// What `$this`, `$index` and `$total` are, and what a path starts from.
#[derive(Clone, Copy)]
pub(super) struct Scope<'s, 'd> {
    pub(super) focus: &'s [Item<'d>],
    pub(super) this: &'s [Item<'d>],
    pub(super) index: Option<usize>,
    pub(super) total: Option<&'s [Item<'d>]>,
    /// Calls of functions around this.
    pub(super) depth: u32,
}

impl<'s, 'd> Scope<'s, 'd> {
    pub(super) fn of(focus: &'s [Item<'d>]) -> Self {
        Self { focus, this: focus, index: None, total: None, depth: 0 }
    }

    /// For one item of a collection.
    pub(super) fn each(self, item: &'s [Item<'d>], index: usize) -> Self {
        Self { focus: item, this: item, index: Some(index), depth: self.depth + 1, ..self }
    }
}

/// Longest collection that is kept for parts that do not change.
const SETTLED: usize = 16;

/// Deepest nesting of function calls while evaluating.
const DEEPEST: u32 = 64;

pub(super) struct Evaluator<'e, 'd> {
    pub(super) context: &'e Context<'d>,
    start: &'e [Item<'d>],
    resource: Option<Value<'d>>,
    root_resource: Option<Value<'d>>,
    steps: Cell<u64>,
    /// Most steps.
    limit: u64,
    /// What does not change while it is evaluated, by the address of its part.
    settled: RefCell<Vec<(*const Expr, Collection<'d>)>>,
    /// What `defineVariable` has named, the latest last.
    pub(super) defined: RefCell<Vec<(String, Collection<'d>)>>,
}

impl<'e, 'd> Evaluator<'e, 'd> {
    pub(super) fn new(
        context: &'e Context<'d>,
        start: &'e [Item<'d>],
        resource: Option<Value<'d>>,
        root_resource: Option<Value<'d>>,
    ) -> Self {
        let limit = context.purse.map_or(u64::MAX, Cell::get).min(context.limits.steps);
        Self {
            context,
            start,
            resource,
            root_resource,
            steps: Cell::new(0),
            limit,
            settled: RefCell::default(),
            defined: RefCell::default(),
        }
    }

    /// A step where there is no way to stop; the next one stops.
    fn count(&self) {
        self.steps.set(self.steps.get() + 1);
    }

    /// Steps so far.
    pub(super) fn cost(&self) -> u64 {
        self.steps.get()
    }

    /// Takes steps.
    fn step(&self, count: u64, at: usize) -> Result<(), EvaluationError> {
        self.steps.set(self.steps.get() + count);
        if self.steps.get() > self.limit {
            return Err(EvaluationError::new(at, "the expression takes too many steps"));
        }
        Ok(())
    }

    pub(super) fn set(&self) -> &'d ProfileSet {
        self.context.set
    }

    pub(super) fn run(&self, root: &Expr, scope: &Scope<'_, 'd>) -> Outcome<'d> {
        self.eval(root, scope)
    }

    /// Evaluates one part.
    pub(super) fn eval(&self, expr: &Expr, scope: &Scope<'_, 'd>) -> Outcome<'d> {
        self.step(1, expr.at)?;
        if scope.depth > DEEPEST {
            return Err(EvaluationError::new(expr.at, "the expression takes too many steps"));
        }
        if !expr.is_settled {
            return self.look(expr, scope);
        }
        // `all(%resource.element.first()...)` would find the same for each item.
        let known = |(part, _): &&(*const Expr, Collection<'d>)| std::ptr::eq(*part, expr);
        if let Some((_, found)) = self.settled.borrow().iter().find(known) {
            return Ok(found.clone());
        }
        let found = self.look(expr, scope)?;
        if found.len() <= SETTLED {
            self.settled.borrow_mut().push((expr, found.clone()));
        }
        Ok(found)
    }

    fn look(&self, expr: &Expr, scope: &Scope<'_, 'd>) -> Outcome<'d> {
        let found = match &expr.kind {
            Kind::Empty => Vec::new(),
            Kind::Literal(literal) => vec![item(literal)],
            Kind::This => scope.this.to_vec(),
            Kind::Index => match scope.index {
                Some(index) => vec![Inner::Integer(i64::try_from(index).unwrap_or(i64::MAX)).into()],
                None => {
                    return Err(EvaluationError::new(expr.at, "$index has a meaning in a function's argument only"));
                }
            },
            Kind::Total => match scope.total {
                Some(total) => total.to_vec(),
                None => return Err(EvaluationError::new(expr.at, "$total has a meaning in 'aggregate' only")),
            },
            Kind::Variable(name) => self.variable(name, expr.at)?,
            Kind::Member { from: None, name } => self.start_of_path(name, scope),
            Kind::Member { from: Some(from), name } => self.members(&self.eval(from, scope)?, name),
            Kind::Call { from, function, arguments } => {
                let input = match from {
                    Some(from) => self.eval(from, scope)?,
                    None => scope.focus.to_vec(),
                };
                let call =
                    functions::Call { evaluator: self, scope, input, arguments, at: expr.at, name: function.name };
                function.call(&call)?
            }
            Kind::Indexer { from, index } => {
                let from = self.eval(from, scope)?;
                let index = operators::integer(&self.eval(index, scope)?, expr.at)?;
                let index = index.and_then(|index| usize::try_from(index).ok());
                index.and_then(|index| from.into_iter().nth(index)).into_iter().collect()
            }
            Kind::Negative(of) => operators::negative(&self.eval(of, scope)?, expr.at)?,
            Kind::Positive(of) => operators::positive(self.eval(of, scope)?, expr.at)?,
            Kind::Binary { operator, left, right } => operators::binary(self, *operator, left, right, scope, expr.at)?,
            Kind::Type { is, of, name } => self.typed(*is, self.eval(of, scope)?, name, expr.at)?,
        };
        if found.len() > self.context.limits.items {
            return Err(EvaluationError::new(expr.at, "the collection has too many items"));
        }
        self.step(found.len() as u64, expr.at)?;
        Ok(found)
    }

    /// Whether a part is true, false or neither. What is made of other conditions is decided without a collection for
    /// each of them.
    pub(super) fn truth(&self, expr: &Expr, scope: &Scope<'_, 'd>) -> Result<Option<bool>, EvaluationError> {
        match &expr.kind {
            Kind::Binary { operator, left, right } if operator.is_logical() => {
                operators::logic(self, *operator, left, right, scope)
            }
            Kind::Call { from: Some(from), function, arguments } if arguments.is_empty() => match function.name {
                "exists" => Ok(Some(self.gives_any(from, scope)?)),
                "empty" => Ok(Some(!self.gives_any(from, scope)?)),
                "hasValue" if let Some(has_value) = self.gives_value(from, scope) => Ok(Some(has_value)),
                "not" => Ok(self.truth(from, scope)?.map(|truth| !truth)),
                _ => operators::truth(&self.eval(expr, scope)?, expr.at),
            },
            _ => operators::truth(&self.eval(expr, scope)?, expr.at),
        }
    }

    /// As [`Evaluator::truth`], of a part whose variables nobody else sees.
    pub(super) fn truth_apart(&self, expr: &Expr, scope: &Scope<'_, 'd>) -> Result<Option<bool>, EvaluationError> {
        let defined = self.defined.borrow().len();
        let found = self.truth(expr, scope);
        self.defined.borrow_mut().truncate(defined);
        found
    }

    /// The first name of a path: the type of what is in focus, or a child of it.
    fn start_of_path(&self, name: &str, scope: &Scope<'_, 'd>) -> Collection<'d> {
        let is_type = name.starts_with(|letter: char| letter.is_ascii_uppercase());
        let named = |item: &&Item<'d>| is_type && functions::types::is_a(self.set(), item.type_name(), name);
        let by_type: Collection<'d> = scope.focus.iter().filter(named).cloned().collect();
        if by_type.is_empty() { self.members(scope.focus, name) } else { by_type }
    }

    fn members(&self, from: &[Item<'d>], name: &str) -> Collection<'d> {
        let mut found = Vec::new();
        for item in from {
            item.children_named(self.set(), name, &mut found);
        }
        found
    }

    fn variable(&self, name: &str, at: usize) -> Outcome<'d> {
        let defined = self.defined.borrow();
        if let Some((_, value)) = defined.iter().rev().find(|(known, _)| known == name) {
            return Ok(value.clone());
        }
        if let Some((_, value)) = self.context.variables.iter().rev().find(|(known, _)| &**known == name) {
            return Ok(value.clone());
        }
        let text = |text: String| Ok(vec![Inner::String(text.into()).into()]);
        match name {
            "context" => Ok(self.start.to_vec()),
            "resource" => Ok(self.resource.map(|own| Item::resource(self.set(), own)).into_iter().collect()),
            "rootResource" => Ok(self.root_resource.map(|own| Item::resource(self.set(), own)).into_iter().collect()),
            "sct" => text("http://snomed.info/sct".to_owned()),
            "loinc" => text("http://loinc.org".to_owned()),
            "ucum" => text("http://unitsofmeasure.org".to_owned()),
            _ => match (name.strip_prefix("vs-"), name.strip_prefix("ext-")) {
                (Some(name), _) => text(format!("http://hl7.org/fhir/ValueSet/{name}")),
                (_, Some(name)) => text(format!("http://hl7.org/fhir/StructureDefinition/{name}")),
                _ => Err(EvaluationError::new(at, format!("there is no variable '%{name}'"))),
            },
        }
    }

    /// `is` and `as`.
    pub(super) fn typed(&self, is: bool, of: Collection<'d>, name: &TypeName, at: usize) -> Outcome<'d> {
        let wanted = functions::types::Wanted::of(self.set(), name, at)?;
        match (of.len(), is) {
            (0, _) => Ok(Vec::new()),
            (1, true) => Ok(vec![Inner::Boolean(wanted.fits(self.set(), &of[0])).into()]),
            (_, true) => Err(EvaluationError::new(at, "'is' asks about one item, here are several")),
            // FHIR's own search parameters use `as` on several: each that fits is kept.
            (_, false) => Ok(of.into_iter().filter(|item| wanted.fits(self.set(), item)).collect()),
        }
    }

    /// Evaluates a part whose variables nobody else sees.
    pub(super) fn apart(&self, expr: &Expr, scope: &Scope<'_, 'd>) -> Outcome<'d> {
        let defined = self.defined.borrow().len();
        let found = self.eval(expr, scope);
        self.defined.borrow_mut().truncate(defined);
        found
    }

    /// Each place of a document and each value once, in order: what `repeat` has found already.
    pub(super) fn distinct_places(&self, items: Collection<'d>, at: usize) -> Outcome<'d> {
        let mut kept: Collection<'d> = Vec::new();
        for item in items {
            self.step(kept.len() as u64, at)?;
            let known = kept.iter().any(|other| {
                functions::same_place(other, &item).unwrap_or_else(|| equality::equal(other, &item) == Some(true))
            });
            if !known {
                kept.push(item);
            }
        }
        Ok(kept)
    }

    /// The resource that a reference means: contained in `resource` or in the one around it, an entry of a Bundle, or what
    /// the caller knows.
    pub(super) fn target(&self, reference: &str, resource: Option<Value<'d>>) -> Option<Value<'d>> {
        let root = self.root_resource;
        if let Some(id) = reference.strip_prefix('#') {
            let containers = resource.into_iter().chain(root);
            if id.is_empty() {
                return root.or(resource);
            }
            let mut contained = containers.filter_map(|resource| resource.get("contained")).flat_map(Value::items);
            return contained.find(|one| {
                self.count();
                one.str_at(&["id"]).as_deref() == Some(id)
            });
        }
        let entries = root
            .or(resource)
            .map(Value::root)
            .filter(|root| root.str_at(&["resourceType"]).as_deref() == Some("Bundle"));
        let mut entries = entries.and_then(|root| root.get("entry")).into_iter().flat_map(Value::items);
        let unversioned = reference.split("/_history/").next().unwrap_or(reference);
        let found = entries.find(|entry| {
            self.count();
            let url = entry.str_at(&["fullUrl"]);
            url.is_some_and(|url| {
                *url == *unversioned
                    || (!unversioned.contains(':')
                        && url.strip_suffix(unversioned).is_some_and(|base| base.ends_with('/')))
            })
        });
        match found.and_then(|entry| entry.get("resource")) {
            Some(resource) => Some(resource),
            None => self.context.resolver.and_then(|resolve| resolve(reference)),
        }
    }

    /// Without what was there before, in order.
    pub(super) fn distinct(&self, items: Collection<'d>, at: usize) -> Outcome<'d> {
        equality::distinct(items, |count| self.step(count, at))
    }
}

fn item<'d>(literal: &Literal) -> Item<'d> {
    match literal {
        Literal::Boolean(value) => Inner::Boolean(*value),
        Literal::Integer(value) => Inner::Integer(*value),
        Literal::Decimal(value) => Inner::Decimal(*value),
        Literal::String(text) => Inner::String(text.to_string().into()),
        Literal::Temporal(value) => Inner::Temporal(*value),
        Literal::Quantity(value) => Inner::Quantity(value.clone()),
    }
    .into()
}
