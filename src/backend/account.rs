//! Tests of `DOMAIN\name` over a domain and a name that a target keeps apart.
//!
//! In: a text test of an account. Out: tests of the two parts that together are true for the same
//! accounts. An account without a domain has no backslash.

use crate::ir::{Relation, TextTest};
use crate::pattern::Pattern;

/// Tests of the parts of an account, all of which must hold
#[derive(Debug, PartialEq)]
pub(super) struct Parts {
    pub(super) domain: Option<TextTest>,
    pub(super) name: Option<TextTest>,
    /// Whether the account must have no domain
    pub(super) bare: bool,
}

/// The alternatives that together mean the test; `None` for values with wildcards
pub(super) fn parts(text: &TextTest) -> Option<Vec<Parts>> {
    let mut all = Vec::new();
    for value in &text.values {
        let literal = value.as_literal()?;
        let one = |relation, part: &str| {
            Some(TextTest { relation, values: vec![Pattern::literal(part)], case: text.case })
        };
        let both = |domain, name| Parts { domain, name, bare: false };
        let bare = |name| Parts { domain: None, name, bare: true };
        use Relation::{Contains, Ends, Equals, Starts};
        match (text.relation, literal.split_once('\\')) {
            (Equals, Some((left, right))) => all.push(both(one(Equals, left), one(Equals, right))),
            (Equals, None) => all.push(bare(one(Equals, literal))),
            (Starts, Some((left, right))) => all.push(both(one(Equals, left), one(Starts, right))),
            (Starts, None) => {
                all.push(both(one(Starts, literal), None));
                all.push(bare(one(Starts, literal)));
            }
            (Ends, Some((left, right))) => all.push(both(one(Ends, left), one(Equals, right))),
            (Ends, None) => all.push(both(None, one(Ends, literal))),
            (Contains, Some((left, right))) => all.push(both(one(Ends, left), one(Starts, right))),
            (Contains, None) => {
                all.push(both(one(Contains, literal), None));
                all.push(both(None, one(Contains, literal)));
            }
            (Relation::Wildcard, _) => return None,
        }
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ir::Case;

    /// Whether a test of one part holds
    fn holds(test: &TextTest, part: &str) -> bool {
        let value = test.values[0].as_literal().unwrap();
        match test.relation {
            Relation::Equals => part == value,
            Relation::Starts => part.starts_with(value),
            Relation::Ends => part.ends_with(value),
            Relation::Contains => part.contains(value),
            Relation::Wildcard => unreachable!(),
        }
    }

    #[test]
    fn the_parts_mean_the_whole() {
        let accounts = ["a\\b", "ab\\ab", "b", "ab", "ba\\b", "aab\\bba"];
        let values = ["a", "b", "a\\b", "ab\\", "\\b", "ab", "ba", "b\\b", "\\"];
        for relation in [Relation::Equals, Relation::Starts, Relation::Ends, Relation::Contains] {
            for (account, value) in accounts.iter().flat_map(|a| values.iter().map(move |v| (a, v)))
            {
                let values = vec![Pattern::literal(value)];
                let text = TextTest { relation, values, case: Case::Sensitive };
                let (domain, name) = match account.split_once('\\') {
                    Some((domain, name)) => (Some(domain), name),
                    None => (None, *account),
                };
                let said = parts(&text).unwrap().iter().any(|one| {
                    let of_domain = |test| domain.is_some_and(|domain| holds(test, domain));
                    one.domain.as_ref().is_none_or(of_domain)
                        && one.name.as_ref().is_none_or(|test| holds(test, name))
                        && (!one.bare || domain.is_none())
                });
                assert_eq!(said, holds(&text, account), "{account} {relation:?} {value}");
            }
        }
    }
}
