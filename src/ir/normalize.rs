//! One form for one meaning.
//!
//! In: any [`Expr`]. Out: an equivalent [`Expr`] that is flat, sorted and without repetition: no
//! `All` in an `All`, no double negation, no group with one part, and the values of one comparison
//! sorted in one test. Rules that differ only in order or grouping become the same text in every
//! target.
//!
//! INVARIANT: `normalize(normalize(x)) == normalize(x)`, and both match the same events.

use std::collections::HashMap;

use super::{Case, Expr, Op, Relation, Subject, Test};
use crate::pattern::Pattern;

/// Returns the normal form of an expression
pub fn normalize(expr: Expr) -> Expr {
    match expr {
        Expr::All(parts) => group(parts, true),
        Expr::Any(parts) => group(parts, false),
        Expr::Not(part) => match normalize(*part) {
            Expr::Not(inner) => *inner,
            Expr::All(parts) if parts.is_empty() => Expr::Any(Vec::new()),
            Expr::Any(parts) if parts.is_empty() => Expr::All(Vec::new()),
            part @ (Expr::Test(_) | Expr::Any(_) | Expr::All(_)) => Expr::Not(Box::new(part)),
        },
        Expr::Test(test) => Expr::Test(Test { op: sorted(test.op), ..test }),
    }
}

fn group(parts: Vec<Expr>, all: bool) -> Expr {
    let mut flat = Vec::with_capacity(parts.len());
    for part in parts.into_iter().map(normalize) {
        match (part, all) {
            (Expr::All(inner), true) | (Expr::Any(inner), false) => flat.extend(inner),
            // An empty `Any` makes `All` false; an empty `All` makes `Any` true.
            (Expr::Any(inner), true) if inner.is_empty() => return Expr::Any(Vec::new()),
            (Expr::All(inner), false) if inner.is_empty() => return Expr::All(Vec::new()),
            (part, _) => flat.push(part),
        }
    }
    if !all {
        flat = merged(flat);
    }
    flat.sort();
    flat.dedup();
    match (flat.pop(), flat.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            flat.extend(last);
            if all { Expr::All(flat) } else { Expr::Any(flat) }
        }
    }
}

/// Joins tests that differ only in their values
fn merged(parts: Vec<Expr>) -> Vec<Expr> {
    let mut out: Vec<Expr> = Vec::with_capacity(parts.len());
    let mut places: HashMap<(Subject, Option<String>, Join), usize> = HashMap::new();
    for part in parts {
        let Expr::Test(test) = part else {
            out.push(part);
            continue;
        };
        let Some(join_as) = join_as(&test.op) else {
            out.push(Expr::Test(test));
            continue;
        };
        let next = out.len();
        let place =
            *places.entry((test.subject.clone(), test.list.clone(), join_as)).or_insert(next);
        match out.get_mut(place) {
            Some(Expr::Test(other)) => {
                join(&mut other.op, test.op);
                other.span = other.span.cover(test.span);
            }
            Some(Expr::Any(_) | Expr::All(_) | Expr::Not(_)) | None => out.push(Expr::Test(test)),
        }
    }
    out.into_iter()
        .map(|part| match part {
            Expr::Test(test) => Expr::Test(Test { op: sorted(test.op), ..test }),
            part @ (Expr::Any(_) | Expr::All(_) | Expr::Not(_)) => part,
        })
        .collect()
}

/// The kind of a comparison: tests of one kind can share one list of values
#[derive(PartialEq, Eq, Hash)]
enum Join {
    Text(Relation, Case),
    Regex,
    Segments,
    Networks,
    Numbers,
}

fn join_as(op: &Op) -> Option<Join> {
    match op {
        Op::Text(text) => Some(Join::Text(text.relation, text.case)),
        Op::Regex(_) => Some(Join::Regex),
        Op::Segments(_) => Some(Join::Segments),
        Op::Networks(_) => Some(Join::Networks),
        Op::Numbers(_) => Some(Join::Numbers),
        Op::Public | Op::Exists | Op::Null | Op::Same(..) => None,
    }
}

fn join(into: &mut Op, from: Op) {
    match (into, from) {
        (Op::Text(a), Op::Text(b)) => a.values.extend(b.values),
        (Op::Segments(a), Op::Segments(b)) => a.extend(b),
        (Op::Regex(a), Op::Regex(b)) => a.extend(b),
        (Op::Networks(a), Op::Networks(b)) => a.extend(b),
        (Op::Numbers(a), Op::Numbers(b)) => a.extend(b),
        _ => {}
    }
}

fn sorted(op: Op) -> Op {
    match op {
        Op::Text(mut text) => {
            match text.case {
                Case::Sensitive => {
                    text.values.sort();
                    text.values.dedup();
                }
                Case::Insensitive => dedup_folded(&mut text.values),
            }
            Op::Text(text)
        }
        Op::Segments(mut values) => {
            dedup_folded(&mut values);
            Op::Segments(values)
        }
        Op::Regex(mut values) => {
            values.sort();
            values.dedup();
            Op::Regex(values)
        }
        Op::Networks(values) => Op::Networks(ipnet::IpNet::aggregate(&values)),
        Op::Numbers(mut values) => {
            values.sort();
            values.dedup();
            // A limit between two whole numbers is not the end of any other range.
            let (fractions, whole): (Vec<_>, Vec<_>) =
                values.into_iter().partition(|range| range.fraction.is_some());
            let mut joined: Vec<super::Numbers> = Vec::new();
            for range in whole {
                match joined.last_mut() {
                    Some(last) if range.from <= last.to => widen(last, range),
                    _ => joined.push(range),
                }
            }
            Op::Numbers(joined.into_iter().chain(fractions).collect())
        }
        op @ (Op::Public | Op::Exists | Op::Null | Op::Same(..)) => op,
    }
}

/// Joins a range that starts within the last one
fn widen(last: &mut super::Numbers, range: super::Numbers) {
    if range.to > last.to {
        // `open` belongs to the unbounded range: take it from the later one.
        let keeps = range.to == i64::MAX && last.from != i64::MIN && range.from != last.from;
        last.open = if keeps { last.open } else { range.open };
        last.to = range.to;
    } else if (range.from, range.to) == (last.from, last.to) {
        last.open |= range.open;
    }
}

fn dedup_folded(values: &mut Vec<Pattern>) {
    if values.len() < 2 {
        return;
    }
    // Of patterns that differ only in case, the first stays.
    values.sort_by(|a, b| a.compare_folded(b).then_with(|| a.cmp(b)));
    values.dedup_by(|a, b| a.compare_folded(b).is_eq());
}
