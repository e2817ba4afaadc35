//! Codes that nobody here knows, noted as [questions](crate::questions) when the caller can have them answered.

use rustc_hash::FxHashMap;

use super::element::lacks_version;
use super::{Place, Walk};
use crate::definition::Strength;
use crate::json::Value;
use crate::location::{Location, Segment};
use crate::node::ValueSetId;
use crate::profile_set::ProfileSet;
use crate::questions::{Asked, CodeQuestion, Open, Questions, Spot, of_binding};
use crate::rules::{binding, code_system};
use crate::value_set::{Membership, ValueSet};

/// Values whose codes are asked about in one document; further ones are only counted.
const MOST_QUESTIONS: usize = 5_000;

/// Longest code that is asked about.
const LONGEST_CODE: usize = 100;

/// What is noted while a caller can ask.
pub(super) struct Asking<'a> {
    /// The code systems that may be asked about.
    systems: &'a [String],
    open: Vec<Open>,
    left_out: usize,
    /// Where the questions about a value and a value set are: a type and its profiles may bind the same one.
    bound: FxHashMap<(u32, ValueSetId), usize>,
}

impl<'a> Asking<'a> {
    pub(super) fn about(systems: &'a [String]) -> Self {
        Self { systems, open: Vec::new(), left_out: 0, bound: FxHashMap::default() }
    }
}

impl<'a> Walk<'a> {
    /// What was noted. A code that is asked for in a value set is not asked for in its system too.
    pub(super) fn questions(&mut self) -> Questions {
        let Some(Asking { mut open, left_out, .. }) = self.asking.take() else { return Questions::default() };
        let in_sets: rustc_hash::FxHashSet<u32> = open
            .iter()
            .filter(|open| open.bound.is_some())
            .flat_map(|open| open.codes.iter().map(|asked| asked.coding))
            .collect();
        open.retain(|open| open.bound.is_some() || open.codes.iter().any(|asked| !in_sets.contains(&asked.coding)));
        let (remarked, wrong_display) = (std::mem::take(&mut self.remarked), Some(self.options.wrong_display));
        Questions { open, left_out, remarked, wrong_display }
    }

    /// Notes the codes of a value of which it is not known whether its value set has them; whether there are any that
    /// may be asked about.
    pub(super) fn ask_bound(&mut self, place: Place<'_, 'a>, id: ValueSetId, strength: Strength) -> bool {
        let Some(asking) = self.asking.as_ref().filter(|_| self.trial.is_none()) else { return false };
        let key = (place.value.index(), id);
        let value_set = self.set.value_set(id);
        if value_set.is_grammar() {
            return false;
        }
        let (codes, beyond, what) = unknown_codes(self.set, asking, place, value_set);
        if codes.is_empty() {
            return false;
        }
        let (wrong, not_checked) = of_binding(strength, value_set, &what);
        let at = Spot::of(place.value, place.location, Some(self.set.canonical(place.node)));
        let open = Open { codes, beyond, bound: Some((id, strength)), at, wrong, not_checked };
        let Some(asking) = &mut self.asking else { return false };
        if let Some(at) = asking.bound.get(&key) {
            let held = &mut asking.open[*at];
            if open.is_required() && !held.is_required() {
                *held = open;
            }
        } else if asking.open.len() >= MOST_QUESTIONS {
            asking.left_out += 1;
            return false;
        } else {
            asking.bound.insert(key, asking.open.len());
            asking.open.push(open);
        }
        true
    }

    /// Notes the code of a Coding or Quantity whose system is not known here.
    pub(super) fn ask_system(&mut self, place: Place<'_, 'a>) {
        let Some(asking) = self.asking.as_ref().filter(|_| self.trial.is_none()) else { return };
        let Some(asked) = noted(asking, place.value, place.location, None) else { return };
        let CodeQuestion { system, version, code, .. } = &asked.question;
        let known = self.set.terminology().code_system(system, version.as_deref());
        if known.is_some_and(|known| known.complete || known.supplements.is_some() || known.find(code).is_some()) {
            return;
        }
        let wrong = code_system::no_such_code(code, system);
        let step = place.location.step(Segment::Child("code"));
        let value = place.value.get("code").unwrap_or(place.value);
        let at = Spot::of(value, &step, Some(self.set.canonical(place.node)));
        let open = Open { codes: vec![asked], beyond: false, bound: None, at, wrong, not_checked: None };
        let Some(asking) = &mut self.asking else { return };
        if asking.open.len() >= MOST_QUESTIONS {
            asking.left_out += 1;
        } else {
            asking.open.push(open);
        }
    }
}

/// The codes of a bound value that may be in the value set, whether there are others that cannot be asked about, and
/// how a finding calls them.
fn unknown_codes(
    set: &ProfileSet,
    asking: &Asking<'_>,
    place: Place<'_, '_>,
    value_set: &ValueSet,
) -> (Vec<Asked>, bool, String) {
    let value_set_url = Some(&*value_set.canonical);
    if let Some(code) = place.value.as_str() {
        // The element says the system of a bare code: the only one of its value set.
        let system = match value_set.parts.as_slice() {
            [only] if !value_set.open => Some(&*only.system),
            _ => None,
        };
        let question = system.and_then(|system| question(asking, system, None, &code, value_set_url));
        let coding = place.value.index();
        let codes: Vec<Asked> =
            question.map(|question| Asked { question, coding, display: None }).into_iter().collect();
        return (codes, false, format!("The code '{}' is not", crate::rules::quoted(&code)));
    }
    let (mut codes, mut beyond) = (Vec::new(), false);
    let mut add = |coding: Value<'_>, location: &Location<'_>| {
        if binding::membership(value_set, coding) == Membership::Unknown || lacks_version(set, coding) {
            match noted(asking, coding, location, value_set_url) {
                Some(asked) => codes.push(asked),
                None => beyond = true,
            }
        }
    };
    let Some(codings) = place.value.get("coding") else {
        add(place.value, place.location);
        return (codes, beyond, "The code is not".to_owned());
    };
    let list = place.location.step(Segment::Child("coding"));
    for (number, coding) in codings.items().enumerate() {
        add(coding, &list.step(Segment::Item(number)));
    }
    (codes, beyond, "None of the codings is".to_owned())
}

/// The code of a Coding or Quantity with its display, where it may be asked about.
fn noted(asking: &Asking<'_>, coding: Value<'_>, location: &Location<'_>, value_set: Option<&str>) -> Option<Asked> {
    let (system, code) = (coding.str_at(&["system"])?, coding.str_at(&["code"])?);
    let question = question(asking, &system, coding.str_at(&["version"]).as_deref(), &code, value_set)?;
    let display = coding.get("display").and_then(|at| Some((at.as_str()?, at)));
    let display =
        display.map(|(text, at)| (text.into_owned(), Spot::of(at, &location.step(Segment::Child("display")), None)));
    Some(Asked { question, coding: coding.index(), display })
}

/// A question, where it may be asked: of a system that the caller names, and with what can only be a code.
fn question(
    asking: &Asking<'_>,
    system: &str,
    version: Option<&str>,
    code: &str,
    value_set: Option<&str>,
) -> Option<CodeQuestion> {
    let plain = |text: &str| {
        text.len() <= LONGEST_CODE && !text.chars().any(|char| char.is_whitespace() || char.is_control() || char == '|')
    };
    let is_asked = asking.systems.iter().any(|known| known == system);
    (is_asked && plain(code) && version.is_none_or(plain)).then(|| CodeQuestion {
        system: system.to_owned(),
        version: version.map(str::to_owned),
        code: code.to_owned(),
        value_set: value_set.map(str::to_owned),
    })
}
