//! Value sets expanded as far as a pack allows: see [ValueSet](https://hl7.org/fhir/R4/valueset.html) composition.
//!
//! A pack carries HL7's own codes only, so every answer is one of three: in, out, or "not known here".

use rustc_hash::{FxHashMap, FxHashSet};

use crate::json::Value;
use crate::node::ValueSetId;

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

/// The codes of a system, or some of them.
pub(crate) type Codes = FxHashSet<Box<str>>;

#[derive(Debug, Default)]
pub(crate) struct ValueSet {
    pub(crate) canonical: Box<str>,
    /// The codes of each system; `None` where they are not carried.
    systems: Vec<(Box<str>, Option<Codes>)>,
    /// Codes may come from systems that are not even named here.
    open: bool,
}

impl ValueSet {
    /// Where the system is not written because the element says it: the type `code`.
    pub(crate) fn contains_code(&self, code: &str) -> Membership {
        if self.systems.iter().any(|(_, codes)| codes.as_ref().is_some_and(|codes| codes.contains(code))) {
            return Membership::In;
        }
        let known = !self.open && self.systems.iter().all(|(_, codes)| codes.is_some());
        if known { Membership::Out } else { Membership::Unknown }
    }

    pub(crate) fn contains(&self, system: &str, code: &str) -> Membership {
        match self.systems.iter().find(|(name, _)| &**name == system) {
            Some((_, Some(codes))) if codes.contains(code) => Membership::In,
            Some((_, None)) => Membership::Unknown,
            None if self.open => Membership::Unknown,
            Some((_, Some(_))) | None => Membership::Out,
        }
    }

    /// Whether there is nothing more to know: no list of these codes exists.
    pub(crate) fn is_grammar(&self) -> bool {
        !self.systems.is_empty() && self.systems.iter().all(|(system, _)| GRAMMARS.contains(&&**system))
    }

    /// Whether all its codes are units of measure.
    pub(crate) fn is_of_units(&self) -> bool {
        !self.systems.is_empty() && self.systems.iter().all(|(system, _)| &**system == UNITS)
    }

    /// A few codes for a message, when there are few.
    pub(crate) fn sample(&self) -> Option<String> {
        let held = || self.systems.iter().filter_map(|(_, codes)| codes.as_ref());
        if self.open || held().map(FxHashSet::len).sum::<usize>() > MOST_LISTED {
            return None;
        }
        let mut codes: Vec<&str> = held().flatten().map(|code| &**code).collect();
        codes.sort_unstable();
        Some(codes.join(", "))
    }

    fn codes_of(&mut self, system: &str) -> &mut Option<Codes> {
        let found = self.systems.iter().position(|(name, _)| &**name == system);
        let at = found.unwrap_or_else(|| {
            self.systems.push((system.into(), Some(Codes::default())));
            self.systems.len() - 1
        });
        &mut self.systems[at].1
    }
}

/// The value sets and code systems of the packs, by canonical.
#[derive(Default)]
pub(crate) struct Terminology<'d> {
    pub(crate) value_sets: FxHashMap<String, Value<'d>>,
    pub(crate) code_systems: FxHashMap<String, Value<'d>>,
}

impl<'d> Terminology<'d> {
    /// Expands every value set, and says under which id each is found.
    pub(crate) fn expand(&self, bound: &[&str]) -> (Vec<ValueSet>, FxHashMap<String, ValueSetId>) {
        let mut ids = FxHashMap::default();
        let mut expanded = Vec::new();
        for &canonical in bound {
            ids.entry(canonical.to_owned()).or_insert_with(|| {
                expanded.push(self.value_set(canonical, 0));
                ValueSetId::new(expanded.len() - 1)
            });
        }
        (expanded, ids)
    }

    /// The codes of every code system that is carried, by canonical.
    pub(crate) fn codes_by_system(&self) -> FxHashMap<Box<str>, Codes> {
        let codes = |system: &Value<'d>| {
            let mut codes = FxHashSet::default();
            collect(*system, &mut codes);
            codes.into_iter().map(Box::from).collect()
        };
        self.code_systems.iter().map(|(canonical, system)| (canonical.as_str().into(), codes(system))).collect()
    }

    fn value_set(&self, canonical: &str, depth: u32) -> ValueSet {
        let mut result = ValueSet { canonical: canonical.into(), ..ValueSet::default() };
        let definition = self.value_sets.get(canonical).filter(|_| depth < 8);
        let Some(compose) = definition.and_then(|found| found.get("compose")) else {
            return ValueSet { open: true, ..result };
        };
        for part in items(compose, "include") {
            self.include(&mut result, part, depth);
        }
        for part in items(compose, "exclude") {
            self.exclude(&mut result, part);
        }
        result
    }

    fn include(&self, result: &mut ValueSet, part: Value<'d>, depth: u32) {
        if let Some(system) = part.str_at(&["system"]) {
            let codes = self.codes(part, &system);
            let held = result.codes_of(&system);
            match (held.as_mut(), codes) {
                (Some(held), Some(codes)) => held.extend(codes.into_iter().map(Box::from)),
                _ => *held = None,
            }
            // Both a system and value sets: the codes in all of them. The wider set is right to be lenient.
            return;
        }
        for canonical in items(part, "valueSet").filter_map(Value::as_str) {
            let imported = self.value_set(canonical.split('|').next().unwrap_or_default(), depth + 1);
            result.open |= imported.open;
            for (system, codes) in imported.systems {
                let held = result.codes_of(&system);
                match (held.as_mut(), codes) {
                    (Some(held), Some(codes)) => held.extend(codes),
                    _ => *held = None,
                }
            }
        }
    }

    fn exclude(&self, result: &mut ValueSet, part: Value<'d>) {
        let Some(system) = part.str_at(&["system"]) else { return };
        let Some(codes) = self.codes(part, &system) else { return };
        if let Some(held) = result.codes_of(&system) {
            held.retain(|code| !codes.contains(&**code));
        }
    }

    /// The codes that one part of a composition names; `None` when they are not carried.
    fn codes(&self, part: Value<'d>, system: &str) -> Option<FxHashSet<String>> {
        let mut codes = FxHashSet::default();
        if part.get("concept").is_some() {
            codes.extend(items(part, "concept").filter_map(|concept| concept.str_at(&["code"])).map(String::from));
            return Some(codes);
        }
        let system = *self.code_systems.get(system)?;
        collect(system, &mut codes);
        for filter in items(part, "filter") {
            let field = |key| filter.str_at(&[key]);
            if field("property").as_deref() != Some("concept") {
                return None;
            }
            let value = field("value")?;
            let mut below = FxHashSet::default();
            if let Some(concept) = find(system, &value) {
                collect(concept, &mut below);
            }
            match field("op").as_deref() {
                Some("descendent-of") => codes.retain(|code| below.contains(code)),
                Some("is-a") => codes.retain(|code| below.contains(code) || *code == *value),
                Some("is-not-a") => codes.retain(|code| !below.contains(code) && *code != *value),
                _ => return None,
            }
        }
        Some(codes)
    }
}

/// The codes below a concept or in a code system.
fn collect(parent: Value<'_>, codes: &mut FxHashSet<String>) {
    for concept in items(parent, "concept") {
        codes.extend(concept.str_at(&["code"]).map(String::from));
        collect(concept, codes);
    }
}

fn find<'d>(parent: Value<'d>, code: &str) -> Option<Value<'d>> {
    items(parent, "concept").find_map(|concept| {
        let here = concept.str_at(&["code"]).as_deref() == Some(code);
        if here { Some(concept) } else { find(concept, code) }
    })
}

fn items<'d>(object: Value<'d>, key: &str) -> impl Iterator<Item = Value<'d>> + use<'d> {
    object.get(key).into_iter().flat_map(Value::items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::Document;

    const SYSTEM: &str =
        r#"{"url":"s","concept":[{"code":"a","concept":[{"code":"b","concept":[{"code":"c"}]}]},{"code":"d"}]}"#;

    /// Expands a value set over the system `s`, beside one that is an import.
    fn expand(compose: &str) -> ValueSet {
        let import = r#"{"compose":{"include":[{"system":"t","concept":[{"code":"x"}]}]}}"#;
        let text = format!(r#"[{SYSTEM},{{"compose":{compose}}},{import}]"#);
        let document = Document::read(text.as_bytes()).unwrap();
        let values: Vec<_> = document.root().items().collect();
        let mut terminology = Terminology::default();
        terminology.code_systems.insert("s".to_owned(), values[0]);
        terminology.value_sets.insert("v".to_owned(), values[1]);
        terminology.value_sets.insert("import".to_owned(), values[2]);
        terminology.value_set("v", 0)
    }

    fn held(value_set: &ValueSet) -> String {
        ["a", "b", "c", "d"].into_iter().filter(|code| value_set.contains("s", code) == Membership::In).collect()
    }

    #[test]
    fn filters_follow_the_hierarchy() {
        for (op, value, expected) in
            [("is-a", "b", "bc"), ("descendent-of", "a", "bc"), ("is-not-a", "b", "ad"), ("is-a", "z", "")]
        {
            let filter = format!(r#"[{{"property":"concept","op":"{op}","value":"{value}"}}]"#);
            let value_set = expand(&format!(r#"{{"include":[{{"system":"s","filter":{filter}}}]}}"#));
            assert_eq!(held(&value_set), expected, "{op} {value}");
        }
        assert_eq!(held(&expand(r#"{"include":[{"system":"s"}]}"#)), "abcd");
        let less = r#"{"include":[{"system":"s"}],"exclude":[{"system":"s","concept":[{"code":"d"}]}]}"#;
        assert_eq!(held(&expand(less)), "abc");
    }

    #[test]
    fn what_is_not_carried_is_unknown_and_the_rest_is_out() {
        let mixed = expand(r#"{"include":[{"system":"s"},{"system":"elsewhere"}]}"#);
        let of = |system, code| mixed.contains(system, code);
        assert_eq!((of("s", "a"), of("s", "z")), (Membership::In, Membership::Out));
        assert_eq!((of("elsewhere", "a"), of("third", "a")), (Membership::Unknown, Membership::Out));
        assert_eq!((mixed.contains_code("a"), mixed.contains_code("z")), (Membership::In, Membership::Unknown));
        let unread = r#"{"include":[{"system":"s","filter":[{"property":"colour","op":"=","value":"red"}]}]}"#;
        assert_eq!(expand(unread).contains("s", "a"), Membership::Unknown);
    }

    #[test]
    fn imports_are_followed_and_a_missing_one_leaves_the_set_open() {
        let imported = expand(r#"{"include":[{"valueSet":["import|1.0"]}]}"#);
        assert_eq!((imported.contains("t", "x"), imported.contains("t", "y")), (Membership::In, Membership::Out));
        let missing = expand(r#"{"include":[{"valueSet":["nowhere"]},{"system":"s"}]}"#);
        assert_eq!((missing.contains("s", "a"), missing.contains("q", "a")), (Membership::In, Membership::Unknown));
        // A set that imports itself is not followed for ever.
        assert_eq!(expand(r#"{"include":[{"valueSet":["v"]}]}"#).contains("s", "a"), Membership::Unknown);
    }
}
