//! Walks the elements of a differential through the tree of the definition it starts from.

use super::branch::Branch;
use super::merge::{add_constraints, merge, new_slice, use_extension};
use super::segment::{Segment, segments};
use super::{BASE, Generator, Snapshot};
use crate::definition::{
    Derivation, Discriminator, DiscriminatorKind, ElementDefinition, ElementType, Kind, Slicing, SlicingRules,
    StructureDefinition,
};

/// Deeper than any path: a differential that walks on for ever is refused.
const DEEPEST: usize = 32;

/// Types that a value set can be bound to.
const BINDABLE: [&str; 10] =
    ["code", "Coding", "CodeableConcept", "Quantity", "string", "uri", "url", "canonical", "Duration", "Age"];

/// One definition being made.
struct Making<'g, 'o> {
    generator: Generator<'g>,
    open: &'o mut Vec<usize>,
    definition: &'g StructureDefinition,
    /// The tree it started from, in which content references are looked up.
    base: Option<&'g Branch>,
}

impl<'g> Generator<'g> {
    pub(super) fn generate(
        self,
        definition: &'g StructureDefinition,
        open: &mut Vec<usize>,
    ) -> Result<Snapshot, String> {
        let name = &definition.type_name;
        let base = match &definition.base {
            Some(base) => Some(&self.snapshot(base, open)?.root),
            None => None,
        };
        let mut root = base.cloned().unwrap_or_else(|| Branch::leaf(name, ElementDefinition::default()));
        if definition.derivation == Derivation::Specialization {
            name.rsplit('/').next().unwrap_or(name).clone_into(&mut root.name);
            root.element.base = None;
        }
        let mut making = Making { generator: self, open, definition, base };
        let (mut problems, mut faulty, mut before) = (Vec::new(), Vec::new(), Vec::new());
        for (index, change) in definition.elements.iter().enumerate() {
            let steps = segments(change, &before);
            if let Err(problem) = making.apply(&mut root, change, &steps[1..]) {
                problems.push(format!("{}: {problem}", change.id));
                faulty.push(index);
            }
            before = steps;
        }
        Making::finish(&mut root.element, &definition.type_name);
        Ok(Snapshot { root, problems, faulty })
    }
}

impl Making<'_, '_> {
    fn apply(&mut self, root: &mut Branch, change: &ElementDefinition, steps: &[Segment]) -> Result<(), String> {
        if steps.len() > DEEPEST {
            return Err("the path is too long".to_owned());
        }
        let mut branch = root;
        let mut created = false;
        for step in steps {
            (branch, created) = self.step(branch, step, change)?;
        }
        let in_place = branch.element.types.clone();
        if self.definition.kind == Kind::Primitive && !steps.is_empty() {
            // The value of a primitive is not that of the primitive it specialises: a code is no long string.
            branch.element = ElementDefinition { base: branch.element.base.take(), ..ElementDefinition::default() };
            created = true;
        }
        merge(&mut branch.element, change);
        if created && self.definition.derivation == Derivation::Specialization {
            self.inherit_of_type(&mut branch.element);
            Self::finish(&mut branch.element, &change.path);
        } else if let [only] = change.types.as_slice()
            && let [profile] = only.profiles.as_slice()
            && !matches!(only.code.as_str(), "Reference" | "canonical")
        {
            self.use_profile(branch, profile, change);
        }
        if !steps.is_empty() && branch.element.types.iter().all(|found| !BINDABLE.contains(&found.code.as_str())) {
            branch.element.binding = None;
        }
        // A profile that narrows the type to another, which has other children.
        let code = |types: &[ElementType]| types.first().map(|found| found.code.clone());
        if !change.types.is_empty() && branch.children.is_empty() && code(&in_place) != code(&change.types) {
            branch.slices.retain(|slice| !slice.element.types.is_empty());
        }
        Ok(())
    }

    /// What the definition of an element's type or extension adds to the element.
    fn use_profile(&mut self, branch: &mut Branch, profile: &str, change: &ElementDefinition) {
        let Ok(snapshot) = self.generator.snapshot(profile, self.open) else { return };
        let root = &snapshot.root.element;
        if change.types.first().is_some_and(|found| found.code == "Extension") {
            use_extension(&mut branch.element, root, change);
        } else {
            add_constraints(&mut branch.element.constraints, &root.constraints);
        }
    }

    /// One step down; the flag says that the branch is new.
    fn step<'b>(
        &mut self,
        parent: &'b mut Branch,
        step: &Segment,
        change: &ElementDefinition,
    ) -> Result<(&'b mut Branch, bool), String> {
        let introduces = self.definition.derivation == Derivation::Specialization;
        if parent.children.is_empty() {
            let expanded = self.children(&parent.element);
            match expanded {
                Ok(children) => parent.children = children,
                Err(_) if introduces => {}
                Err(problem) => return Err(problem),
            }
        }
        let exact = parent.children.iter().position(|child| child.name == step.name);
        if let Some(at) = exact {
            let child = &mut parent.children[at];
            return match &step.slice {
                Some(slice) => Ok(Self::slice(child, slice, None)),
                None => Ok((child, false)),
            };
        }
        if let Some((at, element_type)) = self.shortcut(parent, &step.name) {
            let slice = step.slice.as_deref().unwrap_or(&step.name);
            return Ok(Self::slice(&mut parent.children[at], slice, Some(element_type)));
        }
        if introduces {
            parent.children.push(Branch::leaf(&step.name, ElementDefinition::default()));
            return Ok((parent.children.last_mut().ok_or("no element")?, true));
        }
        Err(format!("{} has no element '{}' (at {})", parent.name, step.name, change.path))
    }

    /// `valueQuantity` is the type Quantity of `value[x]`.
    fn shortcut(&self, parent: &Branch, name: &str) -> Option<(usize, ElementType)> {
        parent.children.iter().enumerate().find_map(|(at, child)| {
            let rest = name.strip_prefix(child.name.strip_suffix("[x]")?)?;
            let known = child.element.types.iter().find(|found| same_name(&found.code, rest));
            let exists = || {
                let lower: String =
                    rest.chars().take(1).flat_map(char::to_lowercase).chain(rest.chars().skip(1)).collect();
                let names = [rest.to_owned(), lower];
                let code = names
                    .into_iter()
                    .find(|name| self.generator.definitions.get(&format!("{BASE}{name}")).is_some())?;
                // Only where an earlier shortcut has left one type of the many.
                child.element.slicing.as_ref().filter(|slicing| is_by_type(slicing))?;
                Some(ElementType { code, ..ElementType::default() })
            };
            Some((at, known.cloned().or_else(exists)?))
        })
    }

    /// The slice of this name, made where there is none.
    fn slice<'b>(sliced: &'b mut Branch, name: &str, shortcut: Option<ElementType>) -> (&'b mut Branch, bool) {
        let found = sliced.slices.iter().position(|slice| slice.slice_name() == name);
        if let Some(at) = found {
            return (&mut sliced.slices[at], false);
        }
        // A slice of a slice starts from that slice.
        let outer = name.rsplit_once('/').map(|(outer, _)| outer);
        let from = outer.and_then(|outer| sliced.slices.iter().find(|slice| slice.slice_name() == outer));
        let from = from.unwrap_or(sliced);
        // Without its slices, of which there may be many: each would keep room for all before it.
        let mut slice =
            Branch { children: from.children.clone(), ..Branch::leaf(&from.name, new_slice(&from.element, name)) };
        if sliced.name.ends_with("[x]") {
            Self::slice_of_choice(sliced, &mut slice, name, shortcut);
        } else if sliced.element.slicing.is_none() && matches!(sliced.name.as_str(), "extension" | "modifierExtension")
        {
            sliced.element.slicing = Some(slicing(DiscriminatorKind::Value, "url", SlicingRules::Open));
        }
        sliced.slices.push(slice);
        let last = sliced.slices.len() - 1;
        (&mut sliced.slices[last], true)
    }

    /// A slice of a choice has one type, and the choice is sliced by type though nobody says so.
    fn slice_of_choice(sliced: &mut Branch, slice: &mut Branch, name: &str, shortcut: Option<ElementType>) {
        let start = sliced.name.trim_end_matches("[x]");
        let by_name = || {
            let rest = name.strip_prefix(start)?;
            sliced.element.types.iter().find(|found| same_name(&found.code, rest)).cloned()
        };
        let is_shortcut = shortcut.is_some();
        let Some(element_type) = shortcut.or_else(by_name) else {
            if sliced.element.slicing.is_none() {
                sliced.element.slicing = Some(slicing(DiscriminatorKind::Type, "$this", SlicingRules::Open));
            }
            return;
        };
        slice.element.types = vec![element_type.clone()];
        if sliced.element.slicing.is_none() {
            let rules = if is_shortcut { SlicingRules::Closed } else { SlicingRules::Open };
            sliced.element.slicing = Some(slicing(DiscriminatorKind::Type, "$this", rules));
            if is_shortcut {
                sliced.element.types = vec![element_type];
            }
        } else if is_shortcut && !sliced.element.types.iter().any(|found| found.code == element_type.code) {
            sliced.element.types.push(element_type);
        }
    }

    /// The children that an element has because of its type, profile or content reference.
    fn children(&mut self, element: &ElementDefinition) -> Result<Vec<Branch>, String> {
        if let Some(reference) = &element.content_reference {
            let path = reference.split_once('.').map_or("", |(_, path)| path);
            let target = self.base.and_then(|base| base.at(path));
            return target.map(|target| target.children.clone()).ok_or_else(|| format!("there is no {reference}"));
        }
        let mut codes: Vec<&str> = element.types.iter().map(|found| found.code.as_str()).collect();
        codes.dedup();
        let code = match codes.as_slice() {
            [] => return Err("the element has no type".to_owned()),
            [one] => one,
            _ => "Element",
        };
        let profiles: Vec<&String> = element.types.iter().flat_map(|found| &found.profiles).collect();
        if let ([profile], [_]) = (profiles.as_slice(), codes.as_slice())
            && let Ok(snapshot) = self.generator.snapshot(profile, self.open)
        {
            return Ok(snapshot.root.children.clone());
        }
        let url = if code.contains(':') { code.to_owned() } else { format!("{BASE}{code}") };
        self.generator.snapshot(&url, self.open).map(|snapshot| snapshot.root.children.clone())
    }

    /// A new element holds to what holds for every element, and for every extension.
    fn inherit_of_type(&self, element: &mut ElementDefinition) {
        let code = element.types.first().map_or("", |found| found.code.as_str());
        if element.types.first().is_some_and(|found| found.is_system) || code == "Resource" {
            return;
        }
        for name in ["Element", "Extension"].into_iter().filter(|name| *name == "Element" || *name == code) {
            let general = self.generator.definitions.get(&format!("{BASE}{name}"));
            if let Some(root) = general.and_then(|definition| definition.elements.first()) {
                add_constraints(&mut element.constraints, &root.constraints);
            }
        }
    }

    /// Where a new element was introduced.
    fn finish(element: &mut ElementDefinition, path: &str) {
        if element.base.is_none() {
            let max = element.max.unwrap_or(crate::definition::Max::Many);
            element.base = Some((path.to_owned(), element.min.unwrap_or(0), max));
        }
    }
}

fn is_by_type(slicing: &Slicing) -> bool {
    slicing.discriminators.iter().any(|found| found.kind == DiscriminatorKind::Type && found.path == "$this")
}

fn slicing(kind: DiscriminatorKind, path: &str, rules: SlicingRules) -> Slicing {
    Slicing { discriminators: vec![Discriminator { kind, path: path.to_owned() }], ordered: false, rules }
}

/// Whether `rest` is this type with a capital letter.
fn same_name(code: &str, rest: &str) -> bool {
    let mut letters = code.chars();
    letters.next().is_some_and(|first| {
        let mut others = rest.chars();
        others.next() == Some(first.to_ascii_uppercase()) && others.as_str() == letters.as_str()
    })
}
