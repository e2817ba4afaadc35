//! Makes [snapshots](https://hl7.org/fhir/R4/profiling.html#snapshot): all elements of a type or profile, from what its
//! differential changes of the definition it starts from.
//!
//! `branch` is the tree of elements, `generate` walks a differential through it, `merge` puts what one element says over
//! what was there, and `write` prints the result as a `StructureDefinition`.

mod branch;
mod generate;
mod merge;
mod segment;
mod write;

use std::sync::OnceLock;

use crate::definition::{Definitions, StructureDefinition};

pub(crate) use branch::Branch;
pub(crate) use write::write;

/// Canonicals of HL7's own definitions begin with this.
pub(crate) const BASE: &str = "http://hl7.org/fhir/StructureDefinition/";

/// All elements of one definition.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) root: Branch,
    /// What the differential says about elements that do not exist, one sentence each.
    pub(crate) problems: Vec<String>,
    /// The number of the element in the differential that each of them is about.
    pub(crate) faulty: Vec<usize>,
}

/// Snapshots by index of their definition, each made when it is first asked for.
#[derive(Debug)]
pub(crate) struct Snapshots {
    cells: Vec<OnceLock<Result<Box<Snapshot>, String>>>,
}

impl Snapshots {
    pub(crate) fn new(definitions: usize) -> Self {
        Self { cells: std::iter::repeat_with(OnceLock::new).take(definitions).collect() }
    }

    /// The snapshot of the definition with this canonical; an error says in a sentence why there is none.
    pub(crate) fn get<'g>(&'g self, definitions: &'g Definitions, canonical: &str) -> Result<&'g Snapshot, String> {
        Generator { definitions, snapshots: self }.snapshot(canonical, &mut Vec::new())
    }
}

/// What of a differential is about no element there is: the number of the element, and a sentence.
pub(crate) fn problems(
    definitions: &Definitions,
    snapshots: &Snapshots,
    definition: &StructureDefinition,
) -> Result<Vec<(usize, String)>, String> {
    let made = Generator { definitions, snapshots }.generate(definition, &mut Vec::new())?;
    Ok(made.faulty.into_iter().zip(made.problems).collect())
}

/// Makes snapshots; `open` in its functions holds the definitions whose snapshots are being made.
#[derive(Clone, Copy)]
struct Generator<'g> {
    definitions: &'g Definitions,
    snapshots: &'g Snapshots,
}

impl<'g> Generator<'g> {
    fn snapshot(self, canonical: &str, open: &mut Vec<usize>) -> Result<&'g Snapshot, String> {
        let index = self.definitions.find(canonical).ok_or_else(|| format!("{canonical} is not loaded"))?;
        // Not `get_or_init`: a snapshot may need others, whose making must not wait for this one.
        let cell = &self.snapshots.cells[index];
        if cell.get().is_none() {
            if open.contains(&index) {
                return Err(format!("{canonical} needs its own snapshot to make it"));
            }
            open.push(index);
            let made = self.make(self.definitions.at(index), open);
            open.pop();
            if !open.is_empty() && made.is_err() {
                // Alone it may succeed: it may have failed only because of what is being made around it.
                return Err(made.err().unwrap_or_default());
            }
            // Another thread may have been quicker; the results are the same.
            _ = cell.set(made.map(Box::new));
        }
        match cell.get() {
            Some(Ok(snapshot)) => Ok(snapshot),
            Some(Err(reason)) => Err(reason.clone()),
            None => Err(format!("{canonical} has no snapshot")),
        }
    }

    fn make(self, definition: &StructureDefinition, open: &mut Vec<usize>) -> Result<Snapshot, String> {
        if let Some(published) = &definition.snapshot {
            let root = Branch::of_list(published).ok_or_else(|| format!("{} has no elements", definition.url))?;
            return Ok(Snapshot { root, problems: Vec::new(), faulty: Vec::new() });
        }
        self.generate(definition, open)
    }
}
