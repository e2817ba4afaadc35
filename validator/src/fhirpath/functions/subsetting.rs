//! [Subsetting](http://hl7.org/fhirpath/N1/#subsetting) and [combining](http://hl7.org/fhirpath/N1/#combining).

use super::{Call, Function};
use crate::fhirpath::equality::is_in;
use crate::fhirpath::evaluate::Outcome;

pub(super) const FUNCTIONS: &[Function] = &[
    Function::new("single", single),
    Function::new("first", |call| Ok(call.input.first().cloned().into_iter().collect())),
    Function::new("last", |call| Ok(call.input.last().cloned().into_iter().collect())),
    Function::new("tail", |call| Ok(call.input.iter().skip(1).cloned().collect())),
    Function::new("skip", |call| count(call).map(|count| call.input.iter().skip(count).cloned().collect())),
    Function::new("take", |call| count(call).map(|count| call.input.iter().take(count).cloned().collect())),
    Function::new("intersect", intersect),
    Function::new("exclude", exclude),
    Function::new("union", |call| combine(call).and_then(|all| call.evaluator.distinct(all, call.at))),
    Function::new("combine", combine),
];

fn single<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    match call.input.len() {
        0 | 1 => Ok(call.input.clone()),
        count => call.fail(format!("'single' takes one item, and there are {count}")),
    }
}

fn intersect<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    let other = call.argument(0)?;
    let both = call.input.iter().filter(|item| is_in(&other, item)).cloned().collect();
    call.evaluator.distinct(both, call.at)
}

fn exclude<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    let other = call.argument(0)?;
    Ok(call.input.iter().filter(|item| !is_in(&other, item)).cloned().collect())
}

fn combine<'d>(call: &Call<'_, '_, 'd>) -> Outcome<'d> {
    let other = call.argument(0)?;
    Ok(call.input.iter().cloned().chain(other).collect())
}

fn count(call: &Call<'_, '_, '_>) -> Result<usize, crate::fhirpath::EvaluationError> {
    call.takes(1, 1)?;
    let count = call.integer_argument(0)?.unwrap_or(0);
    Ok(usize::try_from(count).unwrap_or(0))
}
