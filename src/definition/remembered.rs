//! A cache of parse results: rules repeat the same few keys and conditions.
//!
//! In: a text and its parser. Out: the parse result. A text with an error is not cached: it is
//! parsed, and reported, each time.

use std::cell::RefCell;
use std::collections::HashMap;

/// The most texts in the cache; a full cache is emptied
const MOST: usize = 1_000;

/// Parse results by text
#[derive(Debug)]
pub(super) struct Remembered<T>(RefCell<HashMap<Box<str>, T>>);

impl<T> Default for Remembered<T> {
    fn default() -> Self {
        Remembered(RefCell::default())
    }
}

impl<T: Clone> Remembered<T> {
    /// The cached result of a text, or the result of `parse`, which is then cached
    pub(super) fn get_or(&self, text: &str, parse: impl FnOnce() -> Option<T>) -> Option<T> {
        let known = self.0.borrow().get(text).cloned();
        if known.is_some() {
            return known;
        }
        let parsed = parse()?;
        let mut known = self.0.borrow_mut();
        if known.len() >= MOST {
            known.clear();
        }
        known.insert(text.into(), parsed.clone());
        Some(parsed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_parsed_once_and_a_wrong_one_each_time() {
        let remembered = Remembered::default();
        assert_eq!(remembered.get_or("a", || Some(1)), Some(1));
        assert_eq!(remembered.get_or("a", || Some(2)), Some(1));
        assert_eq!(remembered.get_or("b", || None), None);
        assert_eq!(remembered.get_or("b", || Some(3)), Some(3));
    }
}
