//! `name@version`: one version of a FHIR package, as settings, commands and the lock write it; and the versions that a
//! package may ask of another ([dependencies](https://confluence.hl7.org/display/FHIR/NPM+Package+Specification)).

use std::cmp::Ordering;
use std::fmt;

use crate::config::nearest;

/// Endings of files: what has one is a path, whatever else it looks like.
const FILES: [&str; 5] = ["tgz", "gz", "pack", "json", "xml"];

/// A package by its name and version; sorted by name, then from the oldest version to the newest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    /// Such as `fhir.r4.ukcore`.
    pub name: String,
    /// Such as `2.0.0`; of a dependency also `2.0.x`.
    pub version: String,
}

impl Reference {
    /// From the two parts.
    ///
    /// # Errors
    /// A sentence that says which part is none. Files are named after packages, so what could lead out of a folder is none.
    pub fn new(name: &str, version: &str) -> Result<Self, String> {
        let may = |text: &str, further: &str| {
            text.starts_with(|first: char| first.is_ascii_alphanumeric())
                && text.chars().all(|char| char.is_ascii_alphanumeric() || further.contains(char))
        };
        for (what, text, further) in [("name", name, "._-"), ("version", version, "._-+")] {
            if !may(text, further) {
                let signs: Vec<_> = further.chars().map(String::from).collect();
                let signs = signs.join(" ");
                return Err(format!(
                    "its {what} {text:?} is not made of letters, digits and {signs} after a first letter or digit"
                ));
            }
        }
        Ok(Self { name: name.to_owned(), version: version.to_owned() })
    }

    /// Reads `name@version`; `None` when the text is something else, such as a path.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (name, version) = text.split_once('@')?;
        let is_file = version.rsplit_once('.').is_some_and(|(_, ending)| FILES.contains(&ending));
        if is_file { None } else { Self::new(name, version).ok() }
    }

    /// Whether this is what `wanted` asks for: the same version, or one that its `x` stands for.
    #[must_use]
    pub fn answers(&self, wanted: &Self) -> bool {
        let is_any = |part: &str| matches!(part, "x" | "X");
        let fits = || {
            let (mut ours, mut theirs) = (self.version.split('.'), wanted.version.split('.'));
            let agree = theirs.by_ref().take_while(|part| !is_any(part)).all(|part| ours.next() == Some(part));
            agree && ours.next().is_some()
        };
        self.name == wanted.name
            && (self.version == wanted.version || (wanted.version.split('.').any(is_any) && fits()))
    }

    /// Numbers by their size, and what is not yet a release before it.
    fn order(&self) -> (&str, Vec<u64>, bool, &str) {
        let (release, label) = self.version.split_once('-').unwrap_or((&self.version, ""));
        let numbers = release.split('.').map(|part| part.parse().unwrap_or(u64::MAX)).collect();
        (&self.name, numbers, label.is_empty(), &self.version)
    }
}

/// Which of the packages there are was probably meant: of that name or nearly that name, the nearest version.
#[must_use]
pub fn nearest_of<'r>(written: &str, known: impl IntoIterator<Item = &'r Reference>) -> Option<String> {
    let mut known: Vec<&Reference> = known.into_iter().collect();
    known.sort();
    known.reverse();
    let name = written.split(['@', '#']).next().unwrap_or(written);
    let near = nearest(name, known.iter().map(|reference| reference.name.as_str()))?;
    let versions = known.iter().filter(|reference| reference.name == near).map(ToString::to_string);
    let versions: Vec<String> = versions.collect();
    nearest(written, versions.iter().map(String::as_str)).or(versions.first().map(String::as_str)).map(str::to_owned)
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.name, self.version)
    }
}

impl PartialOrd for Reference {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Reference {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order().cmp(&other.order())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_no_reference() {
        let read = |text: &str| Reference::read(text).map(|found| found.to_string());
        for text in ["ward@1.0.0", "hl7.fhir.r4.core@4.0.1", "fhir.r4.ukcore@2.0.0-sequence", "a@1.0.0+b"] {
            assert_eq!(read(text).as_deref(), Some(text));
        }
        for text in
            ["ward", "ward@", "@1", "./ward@1.0.0", "a/b@1", "ward@1.0.0.tgz", "../x@1", "a@../1", "a@1@2", ".a@1"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn versions_answer_what_dependencies_ask() {
        let answers = |ours: &str, theirs: &str| {
            Reference::new("a", ours).unwrap().answers(&Reference::new("a", theirs).unwrap())
        };
        for (ours, theirs) in
            [("1.2.3", "1.2.3"), ("1.2.3", "1.2.x"), ("1.2.3", "1.x"), ("1.2.3", "1.x.x"), ("1.2.3", "x")]
        {
            assert!(answers(ours, theirs), "{ours} {theirs}");
        }
        for (ours, theirs) in
            [("1.2.3", "1.2.4"), ("1.2.3", "1.20.x"), ("1.2", "1.2.x"), ("1.2.3", "1.2"), ("1.2.3", "current")]
        {
            assert!(!answers(ours, theirs), "{ours} {theirs}");
        }
        assert!(!Reference::new("b", "1.0.0").unwrap().answers(&Reference::new("a", "x").unwrap()));
    }

    #[test]
    fn the_nearest_package_has_the_name_before_it_has_the_version() {
        let known = ["ward@1.0.0", "ward@1.10.0", "wart@2.0.0", "hl7.fhir.r4.core@4.0.1"];
        let known: Vec<_> = known.iter().filter_map(|text| Reference::read(text)).collect();
        let near = |written: &str| nearest_of(written, &known);
        for (written, wanted) in [
            ("ward", "ward@1.10.0"),
            ("ward@1.0.1", "ward@1.0.0"),
            ("ward@2.0.0", "ward@1.0.0"),
            ("ward#1.10.0", "ward@1.10.0"),
            ("wrat@7", "wart@2.0.0"),
            ("hl7.fhir.r4.core@5.0.0", "hl7.fhir.r4.core@4.0.1"),
        ] {
            assert_eq!(near(written).as_deref(), Some(wanted), "{written}");
        }
        assert_eq!(near("something.else@1.0.0"), None);
    }

    #[test]
    fn versions_are_sorted_as_people_count() {
        let sorted = ["a@1.9.0", "a@1.10.0-beta", "a@1.10.0", "a@2.0.0", "b@1.0.0"];
        let mut mixed: Vec<_> = sorted.iter().rev().filter_map(|text| Reference::read(text)).collect();
        mixed.sort();
        assert_eq!(mixed.iter().map(ToString::to_string).collect::<Vec<_>>(), sorted);
    }
}
