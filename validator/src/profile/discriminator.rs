//! Compiles [discriminators](https://hl7.org/fhir/R4/profiling.html#discriminator): where the path leads in a slice of
//! the snapshot, and what the slice demands there.

use super::Source;
use super::compile::{children_of, choice_key};
use super::test::{Key, Step, Test, TestKind};
use crate::definition::{Discriminator, DiscriminatorKind, Max};
use crate::snapshot::Branch;

/// How far below a discriminator's element fixed values are looked for.
const DEEPEST: usize = 4;

/// The tests of a slice; `None` when one discriminator leads to nothing that could tell.
pub(super) fn tests(source: Source<'_>, discriminators: &[Discriminator], slice: &Branch) -> Option<Box<[Test]>> {
    if discriminators.is_empty() {
        return None;
    }
    let tests = discriminators.iter().map(|discriminator| test(source, discriminator, slice));
    tests.collect::<Option<Vec<_>>>().map(Into::into)
}

fn test(source: Source<'_>, discriminator: &Discriminator, slice: &Branch) -> Option<Test> {
    let mut path = Vec::new();
    let mut found = Found::Branch(slice);
    for part in parts(&discriminator.path) {
        if part == "$this" || part.is_empty() {
            continue;
        }
        found = step(source, found, part, &mut path)?;
    }
    let kind = match (discriminator.kind, &found) {
        (DiscriminatorKind::Exists, Found::Branch(branch)) => {
            let element = &branch.element;
            if element.max == Some(Max::Count(0)) {
                TestKind::Exists(false)
            } else if element.min.unwrap_or(0) > 0 {
                TestKind::Exists(true)
            } else {
                return None;
            }
        }
        (DiscriminatorKind::Type, Found::Branch(branch)) => types(source, branch)?,
        (DiscriminatorKind::Type, Found::Targets(targets)) => {
            let names = targets.iter().filter_map(|target| source.definitions.get(target));
            TestKind::Type(names.map(|definition| definition.type_name.as_str().into()).collect())
        }
        (DiscriminatorKind::Profile, Found::Branch(branch)) => {
            let profiles = branch.element.types.iter().flat_map(|found| &found.profiles);
            TestKind::Profile(profiles.map(|profile| profile.as_str().into()).collect())
        }
        (DiscriminatorKind::Profile, Found::Targets(targets)) => {
            TestKind::Profile(targets.iter().map(|target| target.as_str().into()).collect())
        }
        (DiscriminatorKind::Value | DiscriminatorKind::Pattern, Found::Branch(branch)) => value(source, branch)?,
        (DiscriminatorKind::Exists, Found::Targets(_)) => TestKind::Exists(true),
        (DiscriminatorKind::Value | DiscriminatorKind::Pattern, Found::Targets(_)) => return None,
    };
    Some(Test { path: path.into(), kind })
}

/// Where a path leads: an element of the snapshot, or past a reference.
#[derive(Clone, Copy)]
enum Found<'b> {
    Branch(&'b Branch),
    Targets(&'b [String]),
}

/// The parts of a path; a dot inside quotes or parentheses does not part.
fn parts(path: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, letter) in path.char_indices() {
        match letter {
            '\'' => quoted = !quoted,
            '.' if !quoted => {
                parts.push(&path[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&path[start..]);
    parts
}

fn step<'b>(source: Source<'b>, found: Found<'b>, part: &str, path: &mut Vec<Step>) -> Option<Found<'b>> {
    let branch = match found {
        Found::Branch(branch) => branch,
        // Beyond a reference: what the profile of the target says.
        Found::Targets([target]) => &source.snapshots.get(source.definitions, target).ok()?.root,
        Found::Targets(_) => return None,
    };
    if part == "resolve()" {
        path.push(Step::Resolve);
        return branch
            .element
            .types
            .iter()
            .find(|found| !found.target_profiles.is_empty())
            .map_or(Some(Found::Targets(&[])), |found| Some(Found::Targets(&found.target_profiles)));
    }
    if let Some(name) = part.strip_prefix("ofType(").and_then(|rest| rest.strip_suffix(')')) {
        // The element before it was a choice: only the key of that type is left.
        if let Some(Step::Keys(keys)) = path.pop() {
            let left = Vec::from(keys).into_iter().filter(|key| key.type_name.as_deref() == Some(name));
            path.push(Step::Keys(left.collect()));
        }
        return Some(Found::Branch(branch));
    }
    let children = children_of(source, branch);
    if let Some(url) = part.strip_prefix("extension(").and_then(|rest| rest.strip_suffix(')')) {
        let url = url.trim_matches(['\'', '"']);
        path.push(Step::Extension(url.into()));
        let extension = children.iter().find(|child| child.name == "extension")?;
        let slice = extension.slices.iter().find(|slice| {
            let names_url = |profile: &String| profile.split('|').next() == Some(url);
            slice.element.types.iter().flat_map(|found| &found.profiles).any(names_url)
        });
        return slice.or(Some(extension)).map(Found::Branch);
    }
    let child = children.iter().find(|child| child.name.trim_end_matches("[x]") == part)?;
    path.push(Step::Keys(keys(child)));
    // A choice that is sliced into one type says more in that slice.
    match child.slices.as_slice() {
        [only] if child.name.ends_with("[x]") => Some(Found::Branch(only)),
        _ => Some(Found::Branch(child)),
    }
}

fn keys(child: &Branch) -> Box<[Key]> {
    match child.name.strip_suffix("[x]") {
        Some(name) => {
            let key = |code: &str| Key { name: choice_key(name, code).into(), type_name: Some(code.into()) };
            child.element.types.iter().map(|found| key(&found.code)).collect()
        }
        None => [Key { name: child.name.as_str().into(), type_name: None }].into(),
    }
}

fn types(source: Source<'_>, branch: &Branch) -> Option<TestKind> {
    let codes = branch.element.types.iter().map(|found| {
        // A resource may be told by the type that its profile constrains.
        let profile = found.profiles.first().filter(|_| found.code == "Resource");
        let definition = profile.and_then(|profile| source.definitions.get(profile));
        definition.map_or(found.code.as_str(), |definition| definition.type_name.as_str()).into()
    });
    let codes: Box<[Box<str>]> = codes.collect();
    (!codes.is_empty()).then_some(TestKind::Type(codes))
}

fn value(source: Source<'_>, branch: &Branch) -> Option<TestKind> {
    let element = &branch.element;
    if let Some(fixed) = &element.fixed {
        return Some(TestKind::Fixed(fixed.value.clone()));
    }
    if let Some(pattern) = &element.pattern {
        return Some(TestKind::Pattern(pattern.value.clone()));
    }
    let below = below(branch, 0);
    if !below.is_empty() {
        return Some(TestKind::All(below.into()));
    }
    if let Some(binding) =
        element.binding.as_ref().filter(|found| found.strength == crate::definition::Strength::Required)
    {
        let id = binding.value_set_url().and_then(|url| source.value_sets.get(url)).copied();
        return Some(TestKind::Bound(id));
    }
    if element.max == Some(Max::Count(0)) {
        return Some(TestKind::Exists(false));
    }
    (element.min.unwrap_or(0) > 0).then_some(TestKind::Exists(true))
}

/// The values fixed below an element.
fn below(branch: &Branch, depth: usize) -> Vec<Test> {
    if depth > DEEPEST || branch.children.is_empty() {
        return Vec::new();
    }
    let mut tests = Vec::new();
    for child in &branch.children {
        let own = child.element.fixed.as_ref().map(|fixed| TestKind::Fixed(fixed.value.clone()));
        let own = own.or_else(|| child.element.pattern.as_ref().map(|found| TestKind::Pattern(found.value.clone())));
        let kind = own.or_else(|| {
            let deeper = below(child, depth + 1);
            (!deeper.is_empty()).then(|| TestKind::All(deeper.into()))
        });
        tests.extend(kind.map(|kind| Test { path: [Step::Keys(keys(child))].into(), kind }));
    }
    tests
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn a_path_is_parted_at_dots_outside_quotes() {
        assert_eq!(parts("extension('http://a.b/c').value"), ["extension('http://a.b/c')", "value"]);
        assert_eq!(parts("item.resolve().code"), ["item", "resolve()", "code"]);
    }
}
