//! Types: [is, as, ofType](http://hl7.org/fhirpath/N1/#types), `type()`, and which type is a kind of which.

use super::{Call, Function};
use crate::fhirpath::ast::{Expr, Kind, TypeName};
use crate::fhirpath::error::EvaluationError;
use crate::fhirpath::evaluate::Outcome;
use crate::fhirpath::item::{Inner, Item};
use crate::profile_set::ProfileSet;

const SYSTEM: [&str; 9] = ["Any", "Boolean", "String", "Integer", "Decimal", "Date", "DateTime", "Time", "Quantity"];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("is", |call| call.evaluator.typed(true, call.input.clone(), &named(call)?, call.at)),
    Function::new("as", of_type),
    Function::new("ofType", of_type),
    Function::new("type", |call| Ok(call.input.iter().map(|item| type_of(item).into()).collect())),
];

fn of_type<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    let name = named(call)?;
    let wanted = Wanted::of(call.evaluator.set(), &name, call.at)?;
    let fits = |item: &&Item<'d>| wanted.fits_closely(call.evaluator.set(), item);
    Ok(call.input.iter().filter(fits).cloned().collect())
}

/// The name of a type that stands where an expression could.
fn named(call: &Call<'_, '_, '_>) -> Result<TypeName, EvaluationError> {
    call.takes(1, 1)?;
    type_name(&call.arguments[0]).map_or_else(|| call.fail(format!("'{}' takes the name of a type", call.name)), Ok)
}

pub(in crate::fhirpath) fn type_name(expr: &Expr) -> Option<TypeName> {
    match &expr.kind {
        Kind::Member { from: None, name } => Some(TypeName { namespace: None, name: name.clone() }),
        Kind::Member { from: Some(from), name } => match &from.kind {
            Kind::Member { from: None, name: namespace } => {
                Some(TypeName { namespace: Some(namespace.clone()), name: name.clone() })
            }
            _ => None,
        },
        _ => None,
    }
}

fn type_of<'d>(item: &Item<'d>) -> Inner<'d> {
    match item.as_element() {
        Some(element) if element.of.name.contains('.') => Inner::TypeInfo("FHIR", "BackboneElement".into()),
        Some(element) => Inner::TypeInfo("FHIR", element.of.name.into()),
        None => Inner::TypeInfo("System", system_name(item).into()),
    }
}

/// `Integer` for what is called `integer` elsewhere.
fn system_name(item: &Item<'_>) -> String {
    let name = item.type_name();
    let mut letters = name.chars();
    letters.next().map(|first| first.to_ascii_uppercase()).into_iter().chain(letters).collect()
}

/// Whether a type is another, or a kind of it.
pub(in crate::fhirpath) fn is_a(set: &ProfileSet, name: &str, wanted: &str) -> bool {
    name == wanted || set.ancestors(name).any(|ancestor| ancestor == wanted)
}

/// A type that is asked for.
pub(in crate::fhirpath) struct Wanted<'n> {
    name: &'n str,
    of_system: bool,
    of_fhir: bool,
}

impl<'n> Wanted<'n> {
    pub(in crate::fhirpath) fn of(set: &ProfileSet, name: &'n TypeName, at: usize) -> Result<Self, EvaluationError> {
        let known_here = SYSTEM.contains(&&*name.name);
        let known_in_fhir = set.type_node(&name.name).is_some();
        let (of_system, of_fhir) = match name.namespace.as_deref() {
            Some("System") => (known_here, false),
            Some("FHIR") => (false, known_in_fhir),
            Some(_) => (false, false),
            None => (known_here, known_in_fhir),
        };
        if of_system || of_fhir {
            return Ok(Self { name: &name.name, of_system, of_fhir });
        }
        Err(EvaluationError::new(at, format!("there is no type '{name}'")))
    }

    /// Whether an item is of the type, or of a kind of it.
    pub(in crate::fhirpath) fn fits(&self, set: &ProfileSet, item: &Item<'_>) -> bool {
        match item.as_element() {
            Some(element) => self.of_fhir && is_a(set, element.of.name, self.name),
            None => self.of_system && (self.name == "Any" || system_name(item) == self.name),
        }
    }

    /// As `fits`, but a primitive must be of the very type: a code is not taken for a string.
    fn fits_closely(&self, set: &ProfileSet, item: &Item<'_>) -> bool {
        match item.as_element() {
            Some(element) if element.of.primitive.is_some() => self.of_fhir && element.of.name == self.name,
            _ => self.fits(set, item),
        }
    }
}
