//! HL7's recorded cases, one test each: valid where the record says so, and the recorded errors in the same place under the
//! same code. See [HL7's cases](https://github.com/FHIR/fhir-test-cases).
//!
//! Where we differ for a reason the case is in [`DIFFERENT`]; one that comes to agree fails until it is taken out.
#![expect(clippy::print_stdout, reason = "says what was skipped, and the figures")]

#[path = "support/case.rs"]
mod case;
#[path = "support/shared.rs"]
mod shared;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use case::{Failure, Suite};
use libtest_mimic::{Arguments, Failed, Trial};
use serde_json::Value;
use signalbox_validator::ProfileSet;

/// Cases in which we say something else, with the reason.
const DIFFERENT: [(&str, &str); 8] = [
    ("fixed-quantity-binding-observation", NO_UNITS),
    ("fixed-quantity-binding-observation#profile", NO_UNITS),
    ("fixed-quantity-binding-observation-2#profile", NO_UNITS),
    ("mimic", "a value set of a code system that nobody has loaded is not checked"),
    ("synthea", "a code outside its value set is one error; the record has a second one, that its system is not known"),
    ("bundle-duplicate-id", "the record tells the faults of every entry at entry[0]; they are told where they are"),
    (
        "obs-quantity-us",
        "not built: a choice of types that is sliced by type and closed, with a slice that may not appear",
    ),
    ("opdef-params", "not built: the profiles of an operation's parameters"),
];
const NO_UNITS: &str = "HL7's lists of UCUM units are not carried: the code is not checked";

/// The least agreement of the whole suite, in percent.
const BALANCED: f64 = 96.0;
const ERRORS: f64 = 85.0;

type Sets = Mutex<HashMap<Vec<String>, Arc<ProfileSet>>>;

/// How one run went.
struct Judged {
    is_valid: bool,
    expected_valid: bool,
    /// Recorded errors, and those of them that we have.
    expected: usize,
    matched: usize,
    missing: Vec<String>,
}

fn main() -> Result<(), Failure> {
    let arguments = Arguments::from_args();
    let Some(folder) = shared::folder("HL7's recorded cases") else {
        libtest_mimic::run(&arguments, Vec::new()).exit();
    };
    let folder: &'static PathBuf = Box::leak(Box::new(folder.join("validator-cases")));
    let runs: Vec<Value> = serde_json::from_slice(&std::fs::read(folder.join("cases.json"))?)?;
    let suite: &'static Suite<'_> = Box::leak(Box::new(Suite::new(folder)?));
    let sets: &'static Sets = Box::leak(Box::default());
    let names: Vec<String> = runs.iter().map(|run| run["name"].as_str().unwrap_or_default().to_owned()).collect();
    let mut trials = Vec::new();
    for (run, name) in runs.iter().cloned().zip(names.clone()) {
        trials.push(Trial::test(name.clone(), move || single(&judge(suite, sets, &run)?, &name)));
    }
    trials.push(Trial::test("the_suite_as_a_whole", move || whole(suite, sets, &runs)));
    trials.push(Trial::test("every_difference_is_of_a_case", move || {
        let unknown = DIFFERENT.iter().find(|(name, _)| !names.iter().any(|known| known == name));
        unknown.map_or(Ok(()), |(name, _)| Err(Failed::from(format!("there is no case {name}"))))
    }));
    libtest_mimic::run(&arguments, trials).exit();
}

fn judge(suite: &Suite<'_>, sets: &Sets, run: &Value) -> Result<Judged, Failed> {
    let supporting = Suite::supporting(run);
    let known = sets.lock().map_err(|error| error.to_string())?.get(&supporting).cloned();
    let set = match known {
        Some(set) => set,
        None => Arc::new(suite.load(&supporting)?),
    };
    sets.lock().map_err(|error| error.to_string())?.insert(supporting, Arc::clone(&set));
    let is_error = |level: &Value| matches!(level.as_str(), Some("error" | "fatal"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let ours = suite.issues(run, &set)?;
    let mut ours: Vec<(String, String)> = ours
        .iter()
        .filter(|issue| is_error(&issue["severity"]))
        .map(|issue| (text(&issue["code"]), text(&issue["expression"][0])))
        .collect();
    let mut judged = Judged {
        is_valid: ours.is_empty(),
        expected_valid: run["expected_valid"] == true,
        expected: 0,
        matched: 0,
        missing: Vec::new(),
    };
    for expected in run["issues"].as_array().into_iter().flatten().filter(|issue| is_error(&issue["level"])) {
        judged.expected += 1;
        let wanted = (text(&expected["code"]), without_comments(&text(&expected["expression"])));
        if let Some(at) = ours.iter().position(|found| *found == wanted) {
            ours.remove(at);
            judged.matched += 1;
        } else {
            judged.missing.push(format!("{} {}", wanted.0, wanted.1));
        }
    }
    Ok(judged)
}

/// The reference writes the type and id of a resource into the places of a Bundle.
fn without_comments(expression: &str) -> String {
    let mut parts = expression.split("/*");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |plain, part| plain + part.split_once("*/").map_or("", |(_, rest)| rest))
}

fn single(judged: &Judged, name: &str) -> Result<(), Failed> {
    let agrees = judged.is_valid == judged.expected_valid && judged.missing.is_empty();
    let explained = DIFFERENT.iter().find(|(known, _)| *known == name);
    match (agrees, explained) {
        (true, None) | (false, Some(_)) => Ok(()),
        (true, Some(_)) => Err("this agrees now: take it out of DIFFERENT".into()),
        (false, None) => {
            let (found, expected) = (judged.is_valid, judged.expected_valid);
            Err(format!("valid: {found}, recorded: {expected}; not found: {:?}", judged.missing).into())
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases")]
fn whole(suite: &Suite<'_>, sets: &Sets, runs: &[Value]) -> Result<(), Failed> {
    let judged = runs.iter().map(|run| judge(suite, sets, run)).collect::<Result<Vec<_>, _>>()?;
    let of = |valid: bool| judged.iter().filter(move |one| one.expected_valid == valid);
    let percent = |part: usize, whole: usize| 100.0 * part as f64 / whole.max(1) as f64;
    let right = |valid: bool| of(valid).filter(|one| one.is_valid == valid).count();
    let balanced = f64::midpoint(percent(right(true), of(true).count()), percent(right(false), of(false).count()));
    let errors: usize = judged.iter().map(|one| one.expected).sum();
    let matched: usize = judged.iter().map(|one| one.matched).sum();
    let false_alarms = of(true).count() - right(true);
    println!(
        "{} cases: balanced {balanced:.1} %, {false_alarms} false alarms, {matched} of {errors} recorded errors",
        judged.len()
    );
    let is_met = balanced >= BALANCED && false_alarms <= 1 && percent(matched, errors) >= ERRORS;
    if is_met { Ok(()) } else { Err("the suite agrees less than it must".into()) }
}
