//! Generates events near each literal of a signal.
//!
//! In: a signal. Out: for each value of each test, events that fulfil all other tests, so that the
//! test alone decides. They have the value itself and near values: letter case flipped, an end cut
//! or grown, a border moved, empty, missing, beyond ASCII, an address beside a network, a number
//! beside a range. Nothing here judges whether an event matches: the engine and the target do.
//!
//! INVARIANT: the same signal gives the same events. Events of [`chance`] depend on a seed too.

mod assign;
mod blank;
pub mod chance;
mod fulfil;
mod sample;
mod series;
mod values;

use std::collections::HashSet;

use foldhash::fast::RandomState;
use serde_json::{Map, Value, json};

use crate::ir::{Expr, Signal, Test};
use crate::taxonomy::Field;
use crate::verify::sources::source;
use assign::{assign, in_order, settle};
use fulfil::{Assigned, fulfil};
use values::variants;

pub use blank::blank;
#[cfg(test)]
pub(super) use blank::neutral;
pub use series::{Follower, series};

/// The fields of an event
pub type Fields = Map<String, Value>;

/// An event near a literal, and the field of the deciding test
#[derive(Debug, Clone)]
pub struct Near {
    /// The field of the deciding test
    pub field: Field,
    /// The event
    pub event: Fields,
}

/// How thoroughly the literals of a test are tried
#[derive(Debug, Clone, Copy)]
pub struct Care {
    /// The number of literals of a test that get every variant; the others get a few
    pub thorough: usize,
}

impl Default for Care {
    fn default() -> Self {
        Care { thorough: 300 }
    }
}

/// The events of a signal, made from a neutral event
pub fn near(signal: &Signal, care: Care) -> Vec<Near> {
    let whole = signal.expr();
    let cases: Vec<Expr> =
        signal.cases.iter().map(|(_, case)| Expr::All(vec![whole.clone(), case.clone()])).collect();
    let mut events = unsaid(signal, &whole, care);
    for expr in std::iter::once(&whole).chain(&cases) {
        for test in expr.tests() {
            about(signal, expr, test, care, &mut events);
        }
    }
    unique(&mut events);
    for (at, near) in events.iter_mut().enumerate() {
        blank::vary(&mut near.event, at);
    }
    unique(&mut events);
    events
}

/// The events of a signal, made from an event that it matches
///
/// Only the clause that contains a test is fulfilled again, and only the first literals of the
/// test are tried.
pub fn near_match(signal: &Signal, matched: &Fields, care: Care) -> Vec<Near> {
    let clauses = signal.clauses.iter().map(|clause| &clause.expr);
    let cases = signal.cases.iter().map(|(_, case)| case);
    let mut events = Vec::new();
    for expr in clauses.chain(cases) {
        for test in expr.tests() {
            let around = around(expr, test, care);
            for value in variants(test, care).iter().take(care.thorough).flatten() {
                events.push(given(matched, &around, test, value));
            }
        }
    }
    unique(&mut events);
    events
}

/// Adds the events in which one test of an expression decides
fn about(signal: &Signal, expr: &Expr, test: &Test, care: Care, events: &mut Vec<Near>) {
    let (blank, around) = (blank(signal), around(expr, test, care));
    let first = events.len();
    for value in variants(test, care).iter().flatten() {
        let near = given(&blank, &around, test, value);
        // An event about the registry key itself, without a value.
        for word in ["created", "renamed"] {
            let mut key = near.clone();
            if key.event.remove("RegistryValue").is_some() {
                key.event.remove("RegistryData");
                key.event.insert("Action".to_owned(), json!(word));
                events.push(key);
            }
        }
        events.push(near);
    }
    // The first event on another host.
    if let Some(mut elsewhere) = events.get(first).cloned() {
        elsewhere.event.insert("Computer".to_owned(), json!("web02"));
        events.push(elsewhere);
    }
}

/// Values for the other tests of an expression, so that `test` decides
fn around<'t>(expr: &'t Expr, test: &Test, care: Care) -> Vec<Assigned<'t>> {
    let mut around = Vec::new();
    fulfil(expr, true, test, care, &mut around);
    around.retain(|(one, _)| !std::ptr::eq(*one, test));
    around
}

/// An event with a value for the deciding test and values for the tests around it
fn given(base: &Fields, around: &[Assigned<'_>], test: &Test, value: &values::Value) -> Near {
    let this = (test, value.clone());
    let mut all: Vec<&Assigned<'_>> = around.iter().chain([&this]).collect();
    all.sort_by_key(|one| in_order(one, test));
    let mut event = base.clone();
    all.into_iter().for_each(|(one, value)| assign(&mut event, one, value));
    settle(&mut event);
    Near { field: test.subject.field.clone(), event }
}

/// Events that vary fields a rule may leave untested: the action on a file or key, the side that
/// opened a connection, and the connection's end
fn unsaid(signal: &Signal, expr: &Expr, care: Care) -> Vec<Near> {
    let varied = source(&signal.kind).map(|source| &source.varied);
    let varied = || varied.into_iter().flatten();
    let mut events = Vec::new();
    for test in expr.tests() {
        let mut fulfilled = Vec::new();
        fulfil(expr, true, test, care, &mut fulfilled);
        for (name, word) in varied().flat_map(|(name, words)| words.iter().map(move |w| (name, w)))
        {
            let mut event = blank(signal);
            fulfilled.iter().for_each(|(one, value)| assign(&mut event, one, value));
            event.insert(name.clone(), json!(word));
            events.push(Near { field: test.subject.field.clone(), event });
        }
    }
    events
}

/// Keeps the first of events that are equal
fn unique(events: &mut Vec<Near>) {
    let mut seen = HashSet::with_hasher(RandomState::default());
    let is_first: Vec<bool> = events.iter().map(|near| seen.insert(&near.event)).collect();
    let mut is_first = is_first.into_iter();
    events.retain(|_| is_first.next() == Some(true));
}
