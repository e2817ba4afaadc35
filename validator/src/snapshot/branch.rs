//! The elements of a definition as a tree: each element with its children, and its slices beside them.

use crate::definition::ElementDefinition;

/// An element and all below it.
#[derive(Debug, Clone)]
pub(crate) struct Branch {
    /// The last part of the path, with `[x]` where the element has it.
    pub(crate) name: String,
    pub(crate) element: ElementDefinition,
    /// Empty where they are those of the element's type.
    pub(crate) children: Vec<Branch>,
    /// In order; a slice of a slice is named `outer/inner`.
    pub(crate) slices: Vec<Branch>,
}

impl Branch {
    pub(super) fn leaf(name: &str, element: ElementDefinition) -> Self {
        Self { name: name.to_owned(), element, children: Vec::new(), slices: Vec::new() }
    }

    /// The tree of a published snapshot, whose elements come in the order of the tree.
    pub(super) fn of_list(elements: &[ElementDefinition]) -> Option<Self> {
        let (first, rest) = elements.split_first()?;
        let mut root = Self::leaf(&first.path, first.clone());
        for element in rest {
            let mut branch = &mut root;
            let parts: Vec<&str> = element.id.split('.').skip(1).collect();
            for (at, part) in parts.iter().enumerate() {
                let (name, slice) = part.split_once(':').map_or((*part, None), |(name, slice)| (name, Some(slice)));
                let is_last = at + 1 == parts.len();
                branch = branch.child_or_new(name, slice, element, is_last);
            }
        }
        Some(root)
    }

    fn child_or_new(&mut self, name: &str, slice: Option<&str>, element: &ElementDefinition, set: bool) -> &mut Self {
        let at = self.children.iter().position(|child| child.name == name).unwrap_or_else(|| {
            self.children.push(Self::leaf(name, element.clone()));
            self.children.len() - 1
        });
        let mut found = &mut self.children[at];
        if let Some(slice) = slice {
            let at = found.slices.iter().position(|found| found.slice_name() == slice).unwrap_or_else(|| {
                found.slices.push(Self::leaf(name, element.clone()));
                found.slices.len() - 1
            });
            found = &mut found.slices[at];
        }
        if set {
            found.element = element.clone();
        }
        found
    }

    pub(crate) fn slice_name(&self) -> &str {
        self.element.slice_name.as_deref().unwrap_or_default()
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The branch at a path below this one, such as `item.item`.
    pub(crate) fn at(&self, path: &str) -> Option<&Self> {
        path.split('.').filter(|part| !part.is_empty()).try_fold(self, |branch, part| branch.child(part))
    }

    /// All elements in the order of a snapshot, with paths and ids.
    pub(crate) fn list(&self) -> Vec<ElementDefinition> {
        let mut list = Vec::new();
        self.push_to(&mut list, "", "");
        list
    }

    fn push_to(&self, list: &mut Vec<ElementDefinition>, path: &str, id: &str) {
        let under =
            |parent: &str| if parent.is_empty() { self.name.clone() } else { format!("{parent}.{}", self.name) };
        let path = under(path);
        let mut own = under(id);
        if let Some(slice) = &self.element.slice_name {
            own = format!("{own}:{slice}");
        }
        list.push(ElementDefinition { path: path.clone(), id: own.clone(), ..self.element.clone() });
        for child in &self.children {
            child.push_to(list, &path, &own);
        }
        let parent_path = path.rsplit_once('.').map_or("", |(parent, _)| parent);
        for slice in &self.slices {
            slice.push_to(list, parent_path, id);
        }
    }
}
