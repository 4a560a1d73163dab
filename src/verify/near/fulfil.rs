//! Values for the tests of an expression, so that it is true or false.
//!
//! In: an expression, the wanted truth and the deciding test. Out: tests with values, so that the
//! deciding test alone determines the expression.

use super::Care;
use super::values::{Value, variants};
use crate::ir::{Expr, Op, Relation, Test};

/// A test with the value that its field is to have
pub(super) type Assigned<'t> = (&'t Test, Value);

/// Gives tests values, so that the expression is `wanted`, or depends only on `through` where it
/// contains that test
pub(super) fn fulfil<'t>(
    expr: &'t Expr,
    wanted: bool,
    through: &Test,
    care: Care,
    given: &mut Vec<Assigned<'t>>,
) {
    let (parts, all) = match expr {
        Expr::Test(test) => {
            let first = || variants(test, care).into_iter().flatten().next();
            match (wanted, &test.op) {
                // Every text contains the empty text, so no value is needed.
                (true, Op::Text(text)) if text.relation != Relation::Equals && text.has("") => {}
                (true, _) => given.extend(first().map(|value| (test, value))),
                // A blank event has most fields, so a field that must not exist is removed.
                (false, Op::Exists) => given.push((test, Value::Missing)),
                (false, _) => {}
            }
            return;
        }
        Expr::Not(part) => return fulfil(part, !wanted, through, care, given),
        Expr::All(parts) => (parts, true),
        Expr::Any(parts) => (parts, false),
    };
    // Whether every part must be fulfilled; if not, one part is enough.
    let every = all == wanted;
    let way = parts.iter().find(|part| holds(part, through));
    for part in parts {
        match way {
            // The other parts must leave the decision to the part that contains `through`.
            Some(way) if !std::ptr::eq(way, part) => fulfil(part, all, through, care, given),
            Some(_) => fulfil(part, wanted, through, care, given),
            None if every => fulfil(part, wanted, through, care, given),
            None => {}
        }
    }
    // Falsifying `exists` is easiest: a field can always be removed.
    let removable = |part: &&Expr| part.as_test().is_some_and(|test| test.op == Op::Exists);
    let easiest = parts.iter().find(|part| !wanted && removable(part)).or(parts.first());
    if let (None, false, Some(easiest)) = (way, every, easiest) {
        fulfil(easiest, wanted, through, care, given);
    }
}

fn holds(expr: &Expr, test: &Test) -> bool {
    expr.tests().into_iter().any(|one| std::ptr::eq(one, test))
}
