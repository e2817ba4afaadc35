//! Where an element of a differential belongs: the names on its way from the root, each perhaps with the name of a
//! slice. See [ElementDefinition.id](https://hl7.org/fhir/R4/elementdefinition.html#id).

use crate::definition::ElementDefinition;

/// One step: `identifier:nhs` is the slice `nhs` of `identifier`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) name: String,
    pub(super) slice: Option<String>,
}

/// The steps to an element. Its id says them; where the id is missing or says something else than the path, slices are
/// those that the element before it stood in.
pub(super) fn segments(element: &ElementDefinition, before: &[Segment]) -> Vec<Segment> {
    let path: Vec<&str> = element.path.split('.').collect();
    let by_id = from_id(&element.id);
    let fits = by_id.len() == path.len()
        && by_id.iter().zip(&path).all(|(segment, name)| segment.name == *name || segment.name.ends_with("[x]"));
    let mut found = if fits { by_id } else { from_path(&path, before) };
    if let (Some(last), Some(slice)) = (found.last_mut(), &element.slice_name) {
        last.slice = Some(slice.clone());
    }
    found
}

fn from_id(id: &str) -> Vec<Segment> {
    id.split('.')
        .map(|part| match part.split_once(':') {
            Some((name, slice)) => Segment { name: name.to_owned(), slice: Some(slice.to_owned()) },
            None => Segment { name: part.to_owned(), slice: None },
        })
        .collect()
}

fn from_path(path: &[&str], before: &[Segment]) -> Vec<Segment> {
    let mut same = true;
    let mut found = Vec::with_capacity(path.len());
    for (depth, name) in path.iter().enumerate() {
        let earlier = before.get(depth).filter(|segment| same && segment.name == *name);
        same = earlier.is_some();
        let slice = earlier.filter(|_| depth + 1 < path.len()).and_then(|segment| segment.slice.clone());
        found.push(Segment { name: (*name).to_owned(), slice });
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(id: &str, path: &str, slice: Option<&str>, before: &[Segment]) -> (String, Vec<Segment>) {
        let element = ElementDefinition {
            id: id.to_owned(),
            path: path.to_owned(),
            slice_name: slice.map(str::to_owned),
            ..ElementDefinition::default()
        };
        let found = segments(&element, before);
        let part = |segment: &Segment| match &segment.slice {
            Some(slice) => format!("{}:{slice}", segment.name),
            None => segment.name.clone(),
        };
        (found.iter().map(part).collect::<Vec<_>>().join("."), found)
    }

    #[test]
    fn an_id_says_the_slices_and_without_one_the_order_does() {
        assert_eq!(written("P.a:x.b", "P.a.b", None, &[]).0, "P.a:x.b");
        assert_eq!(written("P.value[x]:valueString", "P.valueString", None, &[]).0, "P.value[x]:valueString");
        let (text, before) = written("P.a", "P.a", Some("x"), &[]);
        assert_eq!(text, "P.a:x");
        assert_eq!(written("1234", "P.a.b", None, &before).0, "P.a:x.b");
        assert_eq!(written("1235", "P.a", None, &before).0, "P.a");
    }
}
