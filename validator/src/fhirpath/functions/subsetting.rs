//! [Subsetting](http://hl7.org/fhirpath/N1/#subsetting) and [combining](http://hl7.org/fhirpath/N1/#combining).

use super::Call;
use crate::fhirpath::equality::is_in;
use crate::fhirpath::evaluate::Outcome;

pub(super) fn call<'d>(call: &Call<'_, '_, 'd>) -> Option<Outcome<'d>> {
    let input = || call.input.iter().cloned();
    Some(match call.name {
        "single" => match call.input.len() {
            0 | 1 => Ok(call.input.clone()),
            count => call.fail(format!("'single' takes one item, and there are {count}")),
        },
        "first" => Ok(input().take(1).collect()),
        "last" => Ok(input().next_back().into_iter().collect()),
        "tail" => Ok(input().skip(1).collect()),
        "skip" => count(call).map(|count| input().skip(count).collect()),
        "take" => count(call).map(|count| input().take(count).collect()),
        "intersect" => call.argument(0).and_then(|other| {
            let both = input().filter(|item| is_in(&other, item)).collect();
            call.evaluator.distinct(both, call.at)
        }),
        "exclude" => call.argument(0).map(|other| input().filter(|item| !is_in(&other, item)).collect()),
        "union" => call.argument(0).and_then(|other| call.evaluator.distinct(input().chain(other).collect(), call.at)),
        "combine" => call.argument(0).map(|other| input().chain(other).collect()),
        _ => return None,
    })
}

fn count(call: &Call<'_, '_, '_>) -> Result<usize, crate::fhirpath::EvaluationError> {
    call.takes(1, 1)?;
    let count = call.integer_argument(0)?.unwrap_or(0);
    Ok(usize::try_from(count).unwrap_or(0))
}
