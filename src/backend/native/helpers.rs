//! The functions of the template that a matcher calls.
//!
//! In: the calls that the printer writes. Out: for each function of the template, whether the file needs it:
//! it is called, or a function that is called calls it.

use std::collections::{BTreeMap, BTreeSet};

/// A function of `native/matcher.rs`
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Helper {
    AccountName,
    Address,
    BaseName,
    Contains,
    Ends,
    Equals,
    Extension,
    Fits,
    Fold,
    InNetworks,
    /// A method of the event: std has no regular expressions
    IsFound,
    Key,
    Number,
    NumberAbove,
    NumberBelow,
    NumberIn,
    Public,
    Starts,
    WindowsArguments,
    Words,
}

/// Each function with its name and those that it calls
#[rustfmt::skip]
const ALL: &[(Helper, &str, &[Helper])] = &[
    (Helper::AccountName, "account_name", &[]),
    (Helper::Address, "address", &[]),
    (Helper::BaseName, "base_name", &[]),
    (Helper::Contains, "contains", &[]),
    (Helper::Ends, "ends", &[]),
    (Helper::Equals, "equals", &[]),
    (Helper::Extension, "extension", &[Helper::BaseName]),
    (Helper::Fits, "fits", &[]),
    (Helper::Fold, "fold", &[]),
    (Helper::InNetworks, "in_networks", &[Helper::Address]),
    (Helper::IsFound, "is_found", &[]),
    (Helper::Key, "key", &[]),
    (Helper::Number, "number", &[]),
    (Helper::NumberAbove, "number_above", &[Helper::Number]),
    (Helper::NumberBelow, "number_below", &[Helper::Number]),
    (Helper::NumberIn, "number_in", &[Helper::Number]),
    (Helper::Public, "public", &[Helper::Address]),
    (Helper::Starts, "starts", &[]),
    (Helper::WindowsArguments, "windows_arguments", &[]),
    (Helper::Words, "words", &[]),
];

/// The functions that a file needs
#[derive(Debug, Default)]
pub(super) struct Helpers(BTreeSet<Helper>);

impl Helpers {
    /// The name of a function that the file now calls
    pub(super) fn call(&mut self, helper: Helper) -> &'static str {
        self.0.insert(helper);
        let row = ALL.iter().find(|(one, ..)| *one == helper);
        let (_, name, calls) = row.copied().unwrap_or((helper, "", &[]));
        self.0.extend(calls);
        name
    }

    /// For each function of the template, whether the file needs it
    pub(super) fn needed(&self) -> BTreeMap<&'static str, bool> {
        ALL.iter().map(|(helper, name, _)| (*name, self.0.contains(helper))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_needed_with_those_that_it_calls() {
        let mut helpers = Helpers::default();
        assert_eq!(helpers.call(Helper::Extension), "extension");
        let needed = helpers.needed();
        let names: Vec<&str> =
            needed.iter().filter(|(_, is_needed)| **is_needed).map(|(name, _)| *name).collect();
        assert_eq!(names, ["base_name", "extension"]);
        assert_eq!(needed.len(), ALL.len());
        for (_, _, calls) in ALL {
            let row = |one: &Helper| ALL.iter().find(|(helper, ..)| helper == one).unwrap();
            assert!(calls.iter().all(|one| row(one).2.is_empty()), "one step is enough");
        }
    }
}
