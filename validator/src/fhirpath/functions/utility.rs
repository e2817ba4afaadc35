//! [Utility functions](http://hl7.org/fhirpath/N1/#utility-functions): the time, `trace`, `defineVariable`.

use super::{Call, Function, maybe};
use crate::fhirpath::evaluate::Outcome;
use crate::fhirpath::item::Inner;
use crate::fhirpath::temporal::Temporal;

/// Names that `defineVariable` may not take.
const TAKEN: [&str; 6] = ["context", "resource", "rootResource", "ucum", "sct", "loinc"];

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("now", |call| time(call, |now| now)),
    Function::new("today", |call| time(call, Temporal::day_of)),
    Function::new("timeOfDay", |call| time(call, Temporal::time_of)),
    Function::new("trace", trace),
    Function::new("defineVariable", define),
];

fn time<'d>(call: &Call<'_, '_, 'd>, of: fn(Temporal) -> Temporal) -> Outcome<'d> {
    call.takes(0, 0)?;
    match call.evaluator.context.now {
        Some(now) => maybe(Some(Inner::Temporal(of(now)))),
        None => call.fail(format!("'{}' has no answer here: no time was given", call.name)),
    }
}

/// Nothing is written anywhere: it might be of a patient. The arguments are evaluated, so that faults show.
fn trace<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(1, 2)?;
    call.argument(0)?;
    if let Some(projection) = call.arguments.get(1) {
        for (index, item) in call.input.iter().enumerate() {
            call.for_each(projection, item, index)?;
        }
    }
    Ok(call.input.clone())
}

fn define<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    call.takes(1, 2)?;
    let Some(name) = call.text_argument(0)? else { return call.fail("a variable needs a name") };
    let known = call.evaluator.defined.borrow().iter().any(|(known, _)| *known == name);
    if known || TAKEN.contains(&&*name) {
        return call.fail("there is a variable of this name already");
    }
    let value = match call.arguments.get(1) {
        Some(expression) => {
            let scope = crate::fhirpath::evaluate::Scope {
                focus: &call.input,
                this: &call.input,
                depth: call.scope.depth + 1,
                ..*call.scope
            };
            call.evaluator.eval(expression, &scope)?
        }
        None => call.input.clone(),
    };
    call.evaluator.defined.borrow_mut().push((name, value));
    Ok(call.input.clone())
}
