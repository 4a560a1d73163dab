//! Conditions whose constants are folded, as Elasticsearch's optimizer does before it searches.
//!
//! In: folded parts. Out: a [`Folded`] for their combination. Null is a third truth here, and only
//! here: a condition that is left to evaluate has two.
//!
//! Source: Elasticsearch, QL's rules for constants: `and` with null is null, also under `not`, so it
//! matches nothing; `or` drops it.

use super::test::Test;

/// A condition: a constant, of which `None` is null, or a test of documents
#[derive(Debug, Clone)]
pub(super) enum Folded {
    Constant(Option<bool>),
    Test(Test),
}

impl Folded {
    /// Every part holds
    pub(super) fn all(parts: Vec<Folded>) -> Folded {
        let (constants, tests) = apart(parts);
        if constants.contains(&Some(false)) {
            Folded::Constant(Some(false))
        } else if constants.contains(&None) {
            Folded::Constant(None)
        } else if tests.is_empty() {
            Folded::Constant(Some(true))
        } else {
            Folded::Test(Test::All(tests))
        }
    }

    /// A part holds
    pub(super) fn any(parts: Vec<Folded>) -> Folded {
        let (constants, tests) = apart(parts);
        if constants.contains(&Some(true)) {
            Folded::Constant(Some(true))
        } else if !tests.is_empty() {
            Folded::Test(Test::Any(tests))
        } else if constants.contains(&None) {
            Folded::Constant(None)
        } else {
            Folded::Constant(Some(false))
        }
    }

    /// The part does not hold
    pub(super) fn not(self) -> Folded {
        match self {
            Folded::Constant(truth) => Folded::Constant(truth.map(|truth| !truth)),
            Folded::Test(test) => Folded::Test(Test::Not(Box::new(test))),
        }
    }

    /// The test of a document; null holds for none
    pub(super) fn test(self) -> Test {
        match self {
            Folded::Constant(Some(true)) => Test::All(Vec::new()),
            Folded::Constant(_) => Test::Any(Vec::new()),
            Folded::Test(test) => test,
        }
    }
}

fn apart(parts: Vec<Folded>) -> (Vec<Option<bool>>, Vec<Test>) {
    let (mut constants, mut tests) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            Folded::Constant(truth) => constants.push(truth),
            Folded::Test(test) => tests.push(test),
        }
    }
    (constants, tests)
}
