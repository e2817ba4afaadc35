//! A value set as far as its codes are known here: see [ValueSet](https://hl7.org/fhir/R4/valueset.html).
//!
//! A pack carries HL7's own codes only, so every answer is one of three: in, out, or "not known here". How one is made
//! of includes and excludes is in `terminology`.

use rustc_hash::FxHashSet;

/// Systems with a grammar in place of a list: any code may be right, and nothing is missing from the answer.
const GRAMMARS: [&str; 2] = ["urn:ietf:bcp:13", "urn:ietf:bcp:47"];

/// UCUM, the system of units.
const UNITS: &str = "http://unitsofmeasure.org";

/// Longer value sets are not listed in a message.
const MOST_LISTED: usize = 12;

/// Whether a code belongs to a value set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Membership {
    In,
    Out,
    /// The codes that decide it are not carried.
    Unknown,
}

/// The codes of one system.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    pub(crate) system: Box<str>,
    pub(crate) codes: FxHashSet<Box<str>>,
    /// No other codes of the system are in the set.
    pub(crate) complete: bool,
    /// The system does not tell capital letters from small ones; its codes are held in small ones.
    pub(crate) any_case: bool,
}

impl Part {
    pub(crate) fn has(&self, code: &str) -> bool {
        self.codes.contains(code) || (self.any_case && self.codes.contains(&*code.to_lowercase()))
    }

    fn membership(&self, code: &str) -> Membership {
        match (self.has(code), self.complete) {
            (true, _) => Membership::In,
            (false, true) => Membership::Out,
            (false, false) => Membership::Unknown,
        }
    }
}

#[derive(Debug, Clone, Default)]
pub(crate) struct ValueSet {
    /// Without its version.
    pub(crate) canonical: Box<str>,
    pub(crate) parts: Vec<Part>,
    /// Codes may come from systems that are not even named here.
    pub(crate) open: bool,
}

impl ValueSet {
    /// Where the system is not written because the element says it: the type `code`.
    pub(crate) fn contains_code(&self, code: &str) -> Membership {
        if self.parts.iter().any(|part| part.has(code)) {
            return Membership::In;
        }
        let known = !self.open && self.parts.iter().all(|part| part.complete);
        if known { Membership::Out } else { Membership::Unknown }
    }

    pub(crate) fn contains(&self, system: &str, code: &str) -> Membership {
        match self.part(system) {
            Some(part) => match part.membership(code) {
                Membership::Out if self.open => Membership::Unknown,
                decided => decided,
            },
            None if self.open => Membership::Unknown,
            None => Membership::Out,
        }
    }

    pub(crate) fn part(&self, system: &str) -> Option<&Part> {
        self.parts.iter().find(|part| &*part.system == system)
    }

    /// Whether there is nothing more to know: no list of these codes exists.
    pub(crate) fn is_grammar(&self) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(|part| GRAMMARS.contains(&&*part.system))
    }

    /// Whether all its codes are units of measure.
    pub(crate) fn is_of_units(&self) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(|part| &*part.system == UNITS)
    }

    /// A few codes for a message, when there are few.
    pub(crate) fn sample(&self) -> Option<String> {
        let held = || self.parts.iter().flat_map(|part| &part.codes);
        if self.open || held().count() > MOST_LISTED {
            return None;
        }
        let mut codes: Vec<&str> = held().map(|code| &**code).collect();
        codes.sort_unstable();
        Some(codes.join(", "))
    }

    /// Adds the codes of another set.
    pub(crate) fn unite(&mut self, other: Self) {
        self.open |= other.open;
        for part in other.parts {
            match self.parts.iter_mut().find(|held| held.system == part.system) {
                Some(held) => {
                    held.codes.extend(part.codes);
                    held.complete &= part.complete;
                }
                None => self.parts.push(part),
            }
        }
    }

    /// Leaves the codes that another set has too. What either does not know stays unknown.
    pub(crate) fn intersect(&mut self, other: &Self) {
        for part in &mut self.parts {
            let Some(found) = other.part(&part.system) else {
                part.codes.clear();
                part.complete &= !other.open;
                continue;
            };
            let complete = part.complete && found.complete && !other.open;
            part.codes.retain(|code| found.has(code));
            part.complete = complete;
        }
        if self.open {
            let unseen = other.parts.iter().filter(|part| self.part(&part.system).is_none());
            let unseen: Vec<Part> =
                unseen.map(|part| Part { system: part.system.clone(), ..Part::default() }).collect();
            self.parts.extend(unseen);
        }
        self.parts.retain(|part| !part.complete || !part.codes.is_empty());
        self.open &= other.open;
    }

    /// Takes the codes of another set away. Where it is not known which those are, nothing is known any more.
    pub(crate) fn subtract(&mut self, other: &Self) {
        for part in &mut self.parts {
            let excluded = other.part(&part.system);
            if other.open || excluded.is_some_and(|excluded| !excluded.complete) {
                part.codes.clear();
                part.complete = false;
            } else if let Some(excluded) = excluded {
                part.codes.retain(|code| !excluded.has(code));
            }
        }
    }
}
