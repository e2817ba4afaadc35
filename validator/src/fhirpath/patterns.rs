//! Regular expressions that were made before: the same few stand in the invariants of every element, and making one costs
//! far more than matching with it.

use std::sync::Mutex;

use regex::{Regex, RegexBuilder};
use rustc_hash::FxHashMap;

/// Bytes of a compiled pattern; its matching is linear whatever it is.
const LARGEST: usize = 1 << 20;

/// Patterns that are kept; a document may bring any number of its own.
const MOST: usize = 256;

/// The patterns met so far.
#[derive(Debug, Default)]
pub(crate) struct Patterns(Mutex<FxHashMap<Box<str>, Regex>>);

impl Patterns {
    /// The pattern of a text; nothing where it is none that can be used.
    pub(crate) fn get(&self, text: &str) -> Option<Regex> {
        let known = self.0.lock().ok().and_then(|known| known.get(text).cloned());
        if known.is_some() {
            return known;
        }
        let made = RegexBuilder::new(text).dot_matches_new_line(true).size_limit(LARGEST).build().ok()?;
        if let Ok(mut known) = self.0.lock()
            && known.len() < MOST
        {
            known.insert(text.into(), made.clone());
        }
        Some(made)
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, Patterns};

    #[test]
    fn a_pattern_is_kept_and_no_number_of_them_fills_the_memory() {
        let patterns = Patterns::default();
        for number in 0..2 * MOST {
            assert!(patterns.get(&format!("a{{{number}}}b")).is_some_and(|found| !found.is_match("x")));
        }
        assert_eq!(patterns.0.lock().map(|known| known.len()).ok(), Some(MOST));
        assert!(patterns.get("a{1}b").is_some_and(|found| found.is_match("ab")) && patterns.get("(").is_none());
    }
}
