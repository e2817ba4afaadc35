//! From the snapshot of a profile to its demands: what each element says beyond the same element of its type.

use super::discriminator;
use super::{Demand, Profile, ProfileId, ReferenceDemand, Shape, Slice, Slicing, Source, TypeProfiles};
use crate::definition::{DiscriminatorKind, ElementDefinition, ElementType, Invariant, Max, StructureDefinition};
use crate::rules::invariant::{self, Compiled};
use crate::snapshot::{BASE, Branch};

/// Invariants of base types that the walk checks without `FHIRPath`.
/// Deeper than any profile.
const DEEPEST: usize = 24;

/// Compiles the definition with this index.
pub(super) fn profile(source: Source<'_>, index: usize) -> Option<Profile> {
    let definition = source.definitions.at(index);
    let snapshot = source.snapshots.get(source.definitions, &canonical(definition)).ok()?;
    let id = ProfileId(u32::try_from(index).ok()?);
    let is_type = definition.is_type();
    let base = source.snapshots.get(source.definitions, &type_url(&definition.type_name)).ok();
    let compiler = Compiler { source, profile: id, type_root: base.map(|base| &base.root) };
    let root = match base {
        Some(base) if !is_type => compiler.demand(&snapshot.root, Some(&base.root), &snapshot.root.name, 0),
        _ => Demand { label: snapshot.root.name.as_str().into(), profile: id, ..Demand::default() },
    };
    Some(Profile {
        id,
        canonical: definition.url.as_str().into(),
        type_name: definition.type_name.as_str().into(),
        is_type,
        is_modifier: snapshot.root.element.is_modifier == Some(true),
        contexts: definition.contexts.clone().into(),
        context_invariants: definition.context_invariants.iter().map(|text| text.as_str().into()).collect(),
        root,
    })
}

fn canonical(definition: &StructureDefinition) -> String {
    match &definition.version {
        Some(version) => format!("{}|{version}", definition.url),
        None => definition.url.clone(),
    }
}

fn type_url(code: &str) -> String {
    if code.contains(':') { code.to_owned() } else { format!("{BASE}{code}") }
}

/// The children of an element: its own, or those of its profile or type.
pub(super) fn children_of<'b>(source: Source<'b>, branch: &'b Branch) -> &'b [Branch] {
    if !branch.children.is_empty() {
        return &branch.children;
    }
    let snapshot = |url: &str| source.snapshots.get(source.definitions, url).ok();
    let found = match branch.element.types.as_slice() {
        [only] => match only.profiles.as_slice() {
            [profile] => snapshot(profile).or_else(|| snapshot(&type_url(&only.code))),
            _ => snapshot(&type_url(&only.code)),
        },
        _ => snapshot(&type_url("Element")),
    };
    found.map_or(&[], |snapshot| &snapshot.root.children)
}

/// `value` and `dateTime` make `valueDateTime`.
pub(super) fn choice_key(name: &str, type_name: &str) -> String {
    let mut letters = type_name.chars();
    let first = letters.next().map(|letter| letter.to_ascii_uppercase());
    name.chars().chain(first).chain(letters).collect()
}

struct Compiler<'p> {
    source: Source<'p>,
    profile: ProfileId,
    /// The tree of the type that is constrained, in which content references are looked up.
    type_root: Option<&'p Branch>,
}

impl Compiler<'_> {
    /// What `branch` demands beyond `base`.
    fn demand(&self, branch: &Branch, base: Option<&Branch>, label: &str, depth: usize) -> Demand {
        let nothing = ElementDefinition::default();
        let (element, base_element) = (&branch.element, base.map_or(&nothing, |base| &base.element));
        let label: String = match &element.slice_name {
            Some(name) => format!("{label}:{name}"),
            None => label.to_owned(),
        };
        let mut demand = Demand { profile: self.profile, ..Demand::default() };
        cardinality(&mut demand, element, base_element);
        if depth > 0 {
            self.types(&mut demand, element, base_element);
        }
        demand.fixed = element.fixed.as_ref().map(|fixed| fixed.value.clone());
        demand.pattern = element.pattern.as_ref().map(|pattern| pattern.value.clone());
        demand.min_value = changed(element.min_value.as_ref(), base_element.min_value.as_ref());
        demand.max_value = changed(element.max_value.as_ref(), base_element.max_value.as_ref());
        demand.max_length = changed(element.max_length.as_ref(), base_element.max_length.as_ref());
        let binding = element.binding.as_ref().filter(|_| element.binding != base_element.binding);
        demand.binding = binding.map(|binding| {
            let id = binding.value_set_url().and_then(|url| self.source.value_sets.get(url));
            (binding.clone(), id.copied())
        });
        demand.invariants = new_invariants(&element.constraints, &base_element.constraints);
        if depth < DEEPEST {
            demand.children = self.children(branch, base, &label, depth).map(Box::new);
            demand.slicing = self.slicing(branch, base, &label, depth).map(Box::new);
        }
        demand.label = label.into();
        demand
    }

    fn types(&self, demand: &mut Demand, element: &ElementDefinition, base: &ElementDefinition) {
        let codes = |types: &[ElementType]| {
            let mut codes: Vec<String> = types.iter().map(|found| found.code.clone()).collect();
            codes.sort_unstable();
            codes.dedup();
            codes
        };
        let own = codes(&element.types);
        if !own.is_empty() && own != codes(&base.types) {
            demand.types = Some(own.iter().map(|code| code.as_str().into()).collect());
        }
        let profiles = |element: &ElementDefinition, code: &str| {
            let found = element.types.iter().find(|found| found.code == code);
            found.map(|found| found.profiles.clone()).unwrap_or_default()
        };
        let mut type_profiles = Vec::new();
        for found in element.types.iter().filter(|found| !found.profiles.is_empty()) {
            if profiles(base, &found.code) == found.profiles {
                continue;
            }
            let profiles = found.profiles.iter().map(|profile| profile.as_str().into()).collect();
            type_profiles.push(TypeProfiles { code: found.code.as_str().into(), profiles });
        }
        demand.type_profiles = type_profiles.into();
        let reference = |element: &ElementDefinition| -> Option<ElementType> {
            element.types.iter().find(|found| matches!(found.code.as_str(), "Reference" | "canonical")).cloned()
        };
        let own = reference(element).filter(|own| Some(own) != reference(base).as_ref());
        demand.reference = own.filter(|own| own.code == "Reference").map(|own| self.reference(&own));
    }

    fn reference(&self, own: &ElementType) -> ReferenceDemand {
        let definitions = || own.target_profiles.iter().map(|target| self.source.definitions.get(target));
        // A target that is abstract, such as Resource, or that nobody has, stands for any.
        let any = definitions().any(|found| found.is_none_or(|found| found.is_abstract));
        let mut types: Vec<Box<str>> = Vec::new();
        for definition in definitions().flatten().filter(|_| !any) {
            if !types.iter().any(|name| **name == definition.type_name) {
                types.push(definition.type_name.as_str().into());
            }
        }
        ReferenceDemand {
            targets: own.target_profiles.iter().map(|target| target.as_str().into()).collect(),
            types: types.into(),
            aggregation: own.aggregation.clone().into(),
            versioning: own.versioning,
        }
    }

    fn children(&self, branch: &Branch, base: Option<&Branch>, label: &str, depth: usize) -> Option<Shape> {
        if branch.children.is_empty() {
            return None;
        }
        // The base may take its children from the type that the profile has chosen, and from nothing narrower.
        let plain = || {
            let code = match branch.element.types.as_slice() {
                [only] => only.code.as_str(),
                _ => "Element",
            };
            let snapshot = self.source.snapshots.get(self.source.definitions, &type_url(code)).ok();
            snapshot.map_or(&[][..], |snapshot| snapshot.root.children.as_slice())
        };
        let referred = || {
            let reference = base.and_then(|base| base.element.content_reference.as_ref())?;
            self.type_root?.at(reference.split_once('.').map_or("", |(_, path)| path))
        };
        let of_base = match base {
            Some(base) if !base.children.is_empty() => base.children.as_slice(),
            _ => referred().map_or_else(plain, |target| target.children.as_slice()),
        };
        let mut shape = Shape::default();
        let mut required = Vec::new();
        for child in &branch.children {
            let same = of_base.iter().find(|found| found.name == child.name);
            let name = child.name.trim_end_matches("[x]");
            let demand = self.demand(child, same, &format!("{label}.{}", child.name), depth + 1);
            if demand.is_empty() {
                continue;
            }
            let in_slices = |slicing: &Slicing| slicing.slices.iter().any(|slice| slice.min > 0);
            if demand.min > 0 || demand.slicing.as_deref().is_some_and(in_slices) {
                required.push(name.into());
            }
            shape.demands.insert(name.into(), demand);
        }
        shape.required = required.into();
        (!shape.demands.is_empty()).then_some(shape)
    }

    fn slicing(&self, branch: &Branch, base: Option<&Branch>, label: &str, depth: usize) -> Option<Slicing> {
        let found = branch.element.slicing.as_ref()?;
        if branch.slices.is_empty() {
            return None;
        }
        // Slices of slices belong to the slice they are of.
        let within = branch.element.slice_name.as_deref();
        let nested = |slice: &&Branch| slice.slice_name().rsplit_once('/').map(|(outer, _)| outer) == within;
        let mut slices = Vec::new();
        for slice in branch.slices.iter().filter(nested) {
            let mut whole = slice.clone();
            if slice.element.slicing.is_some() {
                let outer = format!("{}/", slice.slice_name());
                whole.slices =
                    branch.slices.iter().filter(|inner| inner.slice_name().starts_with(&outer)).cloned().collect();
            }
            let mut demand = self.demand(&whole, base, label, depth + 1);
            let tests = discriminator::tests(self.source, &found.discriminators, slice);
            let min = std::mem::take(&mut demand.min);
            demand.max = None;
            let max = slice.element.max.filter(|max| *max != Max::Many);
            slices.push(Slice {
                name: slice.slice_name().into(),
                min: min.max(slice.element.min.unwrap_or(0)),
                max,
                tests,
                demand,
            });
        }
        let default = slices.iter().position(|slice| &*slice.name == "@default");
        let by_url = matches!(found.discriminators.as_slice(), [only] if only.kind == DiscriminatorKind::Value && only.path == "url");
        let by_url = by_url.then(|| {
            let urls = (0..).zip(&slices).filter_map(|(at, slice)| Some((url_of(slice)?.into(), at)));
            urls.collect()
        });
        Some(Slicing {
            rules: found.rules,
            ordered: found.ordered,
            slices: slices.into(),
            by_url,
            default: default.and_then(|at| u16::try_from(at).ok()),
        })
    }
}

/// The url that tells the extensions of a slice.
fn url_of(slice: &Slice) -> Option<&str> {
    let [test] = slice.tests.as_deref()? else { return None };
    match &test.kind {
        super::TestKind::Fixed(url) => url.as_text(),
        _ => None,
    }
}

fn changed<T: PartialEq + Clone>(own: Option<&T>, base: Option<&T>) -> Option<T> {
    own.filter(|_| own != base).cloned()
}

fn cardinality(demand: &mut Demand, element: &ElementDefinition, base: &ElementDefinition) {
    let min = element.min.unwrap_or(0);
    if min > base.min.unwrap_or(0) {
        demand.min = min;
    }
    if element.max != base.max {
        demand.max = element.max.filter(|max| *max != Max::Many);
    }
}

fn new_invariants(own: &[Invariant], base: &[Invariant]) -> Box<[Compiled]> {
    let known = |key: &str| base.iter().any(|found| found.key == key);
    invariant::compiled(own.iter().filter(|found| !known(&found.key)))
}
