//! Puts what a differential says of an element over what was there before.

use crate::definition::{ElementDefinition, Invariant, Max};

/// Applies `change` to `element`.
pub(super) fn merge(element: &mut ElementDefinition, change: &ElementDefinition) {
    fn set<T: Clone>(into: &mut Option<T>, from: Option<&T>) {
        if from.is_some() {
            *into = from.cloned();
        }
    }
    set(&mut element.min, change.min.as_ref());
    set(&mut element.max, change.max.as_ref());
    set(&mut element.slicing, change.slicing.as_ref());
    set(&mut element.fixed, change.fixed.as_ref());
    set(&mut element.pattern, change.pattern.as_ref());
    set(&mut element.min_value, change.min_value.as_ref());
    set(&mut element.max_value, change.max_value.as_ref());
    set(&mut element.max_length, change.max_length.as_ref());
    set(&mut element.is_modifier, change.is_modifier.as_ref());
    set(&mut element.content_reference, change.content_reference.as_ref());
    if !change.types.is_empty() {
        element.types.clone_from(&change.types);
        element.content_reference.clone_from(&change.content_reference);
    }
    if let Some(binding) = &change.binding {
        let mut binding = binding.clone();
        // A binding that only makes the strength stronger keeps its value sets.
        if let Some(before) = &element.binding {
            binding.value_set = binding.value_set.or_else(|| before.value_set.clone());
            binding.max_value_set = binding.max_value_set.or_else(|| before.max_value_set.clone());
        }
        element.binding = Some(binding);
    }
    element.is_attribute |= change.is_attribute;
    add_constraints(&mut element.constraints, &change.constraints);
}

/// Constraints add up; one with the key of another is the same.
pub(super) fn add_constraints(into: &mut Vec<Invariant>, from: &[Invariant]) {
    for constraint in from {
        if !into.iter().any(|known| known.key == constraint.key) {
            into.push(constraint.clone());
        }
    }
}

/// What a new slice takes from the element that is sliced.
pub(super) fn new_slice(from: &ElementDefinition, name: &str) -> ElementDefinition {
    let mut slice = from.clone();
    slice.slice_name = Some(name.to_owned());
    slice.slicing = None;
    // A minimum is of all items together.
    slice.min = Some(0);
    slice
}

/// What the root of an extension's definition says about each use of it.
pub(super) fn use_extension(element: &mut ElementDefinition, root: &ElementDefinition, change: &ElementDefinition) {
    if change.min.is_none() {
        element.min = root.min;
    }
    if change.max.is_none() && root.max.is_some_and(|max| max != Max::Many) {
        element.max = root.max;
    }
    if change.is_modifier.is_none() {
        element.is_modifier = root.is_modifier.or(element.is_modifier);
    }
    add_constraints(&mut element.constraints, &root.constraints);
}
