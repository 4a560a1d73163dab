//! Why an event fits the signals of a rule, or why it does not.
//!
//! In: a rule, then events. Out: for each signal an [`Explained`]: every clause with its tests, each
//! with what the event has for it. [`Explained::reason`] is the first reason in one sentence.
//!
//! INVARIANT: each test is judged by the engine's own [`Node`] for it, so that an explanation cannot
//! differ from the verdict.

mod reason;

use super::compile::{Node, compile};
use super::evaluate::holds;
use super::event::{Event, Kind};
use super::slot::Slot;
use super::{Engine, Memory, Options};
use crate::ir::{Clause, Expr, Role, Rule, Signal, Test};
use crate::taxonomy::EventKind;

/// A rule that is ready to explain events
pub struct Explainer {
    engine: Engine,
    /// For each signal a node for each clause
    clauses: Vec<Vec<Node>>,
}

/// What an event is to a signal
#[derive(Debug)]
pub struct Explained<'r> {
    /// The signal
    pub signal: &'r Signal,
    /// Whether the event fits
    pub fit: Fit,
    /// The clauses, in the author's order; empty for an event of another kind
    pub clauses: Vec<Tried<'r>>,
}

/// Whether an event fits a signal
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fit {
    /// Every required clause holds and no exclusion does
    Fits,
    /// A clause decides against it
    Fails,
    /// The signal looks at other events; these are the event's in words
    OfOthers(String),
}

/// A clause, and whether its expression holds
#[derive(Debug)]
pub struct Tried<'r> {
    /// The clause
    pub clause: &'r Clause,
    /// Its expression, part by part
    pub trace: Trace<'r>,
}

/// An expression with what became of each part
#[derive(Debug)]
pub struct Trace<'r> {
    /// Whether it holds
    pub holds: bool,
    /// Its parts
    pub step: Step<'r>,
}

/// The parts of a traced expression
#[derive(Debug)]
pub enum Step<'r> {
    /// Every part must hold
    All(Vec<Trace<'r>>),
    /// A part must hold
    Any(Vec<Trace<'r>>),
    /// The part must not hold
    Not(Box<Trace<'r>>),
    /// A test, and what the event has for it
    Test(&'r Test, Had),
}

/// What an event has for the subject of a test
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Had {
    /// It lacks the field
    Missing,
    /// The field is null, an object or an empty list
    Null,
    /// The texts that were compared; empty when no value has such a part
    Texts(Vec<String>),
}

impl Tried<'_> {
    /// Whether the clause lets the event through
    pub fn passes(&self) -> bool {
        self.trace.holds == (self.clause.role == Role::Require)
    }
}

impl Explainer {
    /// Prepares a rule for events of this form
    pub fn new(rule: Rule, options: &Options) -> Explainer {
        let mut engine = Engine::new([rule], options);
        let signals = &engine.rules[0].signals;
        // The engine has laid out every field that a test reads.
        let clauses = signals.iter().map(|signal| {
            let nodes = signal.clauses.iter().map(|one| compile(&mut engine.layout, &one.expr));
            nodes.collect()
        });
        let clauses = clauses.collect();
        Explainer { engine, clauses }
    }

    /// What an event is to each signal, after the events that `memory` has seen
    ///
    /// # Errors
    /// When the value is not an object.
    pub fn explain(
        &self,
        event: &serde_json::Value,
        kind: Option<&EventKind>,
        memory: &mut Memory,
    ) -> serde_json::Result<Vec<Explained<'_>>> {
        let event = self.engine.event(event, kind, memory)?;
        let signals = self.engine.rules[0].signals.iter().zip(&self.clauses).enumerate();
        Ok(signals.map(|(at, (signal, nodes))| self.one(at, (signal, nodes), &event)).collect())
    }

    fn one<'r>(
        &'r self,
        at: usize,
        (signal, nodes): (&'r Signal, &[Node]),
        event: &Event<'_>,
    ) -> Explained<'r> {
        if !self.engine.signals[at].looks_at(event.kind()) {
            let what = match event.kind() {
                kind @ Kind::Known(..) => kind.to_string(),
                Kind::Unknown => "of an unknown kind".to_owned(),
            };
            return Explained { signal, fit: Fit::OfOthers(what), clauses: Vec::new() };
        }
        let clauses = signal.clauses.iter().zip(nodes);
        let clauses: Vec<Tried<'_>> = clauses
            .map(|(clause, node)| Tried { clause, trace: trace(&clause.expr, node, event) })
            .collect();
        let fits = clauses.iter().all(Tried::passes);
        Explained { signal, fit: if fits { Fit::Fits } else { Fit::Fails }, clauses }
    }
}

/// Judges each part of an expression; `node` is compiled from it, part for part
fn trace<'r>(expr: &'r Expr, node: &Node, event: &Event<'_>) -> Trace<'r> {
    let all = |exprs: &'r [Expr], nodes: &[Node]| -> Vec<Trace<'r>> {
        exprs.iter().zip(nodes).map(|(expr, node)| trace(expr, node, event)).collect()
    };
    let step = match (expr, node) {
        (Expr::All(exprs), Node::All(nodes)) => Step::All(all(exprs, nodes)),
        (Expr::Any(exprs), Node::Any(nodes)) => Step::Any(all(exprs, nodes)),
        (Expr::Not(expr), Node::Not(node)) => Step::Not(Box::new(trace(expr, node, event))),
        (Expr::Test(test), Node::Test { subject, slot, .. }) => {
            Step::Test(test, had(*subject, *slot, event))
        }
        (Expr::All(_) | Expr::Any(_) | Expr::Not(_) | Expr::Test(_), _) => Step::All(Vec::new()),
    };
    Trace { holds: holds(node, event), step }
}

fn had(subject: usize, slot: usize, event: &Event<'_>) -> Had {
    match event.slot(slot) {
        Slot::Missing => return Had::Missing,
        Slot::Null => return Had::Null,
        Slot::One(_) | Slot::Many(_) => {}
    }
    let mut texts = Vec::new();
    event.any(subject, |text| {
        texts.push(text.to_owned());
        false
    });
    Had::Texts(texts)
}
