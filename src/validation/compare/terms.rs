//! What [code systems](https://hl7.org/fhir/R4/codesystem.html) and [value sets](https://hl7.org/fhir/R4/valueset.html)
//! list, in rows that can be compared.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::Change;
use super::element::plain;

/// What changed of a code system: its codes, their displays and places, and how they are told apart.
pub(super) fn code_systems(old: &Value, new: &Value) -> Vec<Change> {
    let (mut before, mut after) = (BTreeMap::new(), BTreeMap::new());
    concepts(old, None, &mut before);
    concepts(new, None, &mut after);
    let mut changes = Vec::new();
    for key in ["caseSensitive", "content"] {
        // A pack leaves out what nobody checks.
        if let (Some(was), Some(is)) = (old.get(key), new.get(key))
            && was != is
        {
            changes.push(Change { fact: key.to_owned(), before: Some(plain(was)), after: Some(plain(is)) });
        }
    }
    let codes: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for code in codes {
        let told = |found: &Concept| match &found.display {
            Some(display) => format!("{code} ({display})"),
            None => code.clone(),
        };
        let change =
            |fact: &str, before: Option<String>, after: Option<String>| Change { fact: fact.to_owned(), before, after };
        match (before.get(code), after.get(code)) {
            (Some(was), Some(is)) => {
                if was.display.is_some() && is.display.is_some() && was.display != is.display {
                    changes.push(change(&format!("display of {code}"), was.display.clone(), is.display.clone()));
                }
                if was.parent != is.parent {
                    changes.push(change(&format!("parent of {code}"), was.parent.clone(), is.parent.clone()));
                }
            }
            (was, is) => changes.push(change("code", was.map(told), is.map(told))),
        }
    }
    changes
}

struct Concept {
    display: Option<String>,
    parent: Option<String>,
}

fn concepts(holder: &Value, parent: Option<&str>, found: &mut BTreeMap<String, Concept>) {
    for concept in holder["concept"].as_array().into_iter().flatten() {
        let Some(code) = concept["code"].as_str() else { continue };
        let display = concept["display"].as_str().map(str::to_owned);
        found.insert(code.to_owned(), Concept { display, parent: parent.map(str::to_owned) });
        concepts(concept, Some(code), found);
    }
}

/// What changed of a value set: what it is composed of or, where it does not say that, its expansion.
pub(super) fn value_sets(old: &Value, new: &Value) -> Vec<Change> {
    let (before, after) = (rows(old), rows(new));
    let gone = before.difference(&after).map(|(fact, row)| Change {
        fact: fact.clone(),
        before: Some(row.clone()),
        after: None,
    });
    let come = after.difference(&before).map(|(fact, row)| Change {
        fact: fact.clone(),
        before: None,
        after: Some(row.clone()),
    });
    gone.chain(come).collect()
}

fn rows(value_set: &Value) -> BTreeSet<(String, String)> {
    let mut rows = BTreeSet::new();
    for key in ["include", "exclude"] {
        for part in value_set["compose"][key].as_array().into_iter().flatten() {
            rows.extend(part_rows(part).into_iter().map(|row| (key.to_owned(), row)));
        }
    }
    if value_set.get("compose").is_none() {
        let mut open: Vec<&Value> = value_set["expansion"]["contains"].as_array().into_iter().flatten().collect();
        while let Some(row) = open.pop() {
            rows.insert(("expansion".to_owned(), format!("{}#{}", plain(&row["system"]), plain(&row["code"]))));
            open.extend(row["contains"].as_array().into_iter().flatten());
        }
    }
    rows
}

/// A row for each code that a part names, else one for the part.
fn part_rows(part: &Value) -> Vec<String> {
    let listed = |key: &str| part[key].as_array().map(Vec::as_slice).unwrap_or_default();
    let version = part.get("version").map(|version| format!("|{}", plain(version))).unwrap_or_default();
    let system = part.get("system").map(|system| format!("{}{version}", plain(system)));
    let mut conditions: Vec<String> = listed("filter")
        .iter()
        .map(|filter| format!("{} {} {}", plain(&filter["property"]), plain(&filter["op"]), plain(&filter["value"])))
        .collect();
    conditions.extend(listed("valueSet").iter().map(|value_set| format!("in {}", plain(value_set))));
    conditions.sort();
    let conditions = if conditions.is_empty() { String::new() } else { format!(" where {}", conditions.join(" and ")) };
    let system = system.unwrap_or_else(|| "codes".to_owned());
    if listed("concept").is_empty() {
        return vec![format!("{system}{conditions}")];
    }
    listed("concept").iter().map(|concept| format!("{system}#{}{conditions}", plain(&concept["code"]))).collect()
}
