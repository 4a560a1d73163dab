//! The in-process engine: verdicts on events, from the same IR that the targets compile.
//!
//! In: rules, then events as JSON objects in Sigma's field names. Out: [`Match`]es. An event
//! without fields that a rule reads costs little more than skipping its JSON. The engine keeps
//! no state; novelty is judged after it, in order ([`state`]).

mod compile;
mod derive;
mod evaluate;
mod event;
mod glob;
mod part;
mod scan;
pub mod state;

pub use scan::{Hit, Memory, Unreadable, scan};

use std::borrow::Cow;
use std::collections::BTreeMap;

use compile::{Node, compile};
use evaluate::{evidence, holds};
use event::{Event, Kind, Layout};
use jiff::Timestamp;
use serde::de::DeserializeSeed;

use crate::definition::Level;
use crate::ir::Rule;
use crate::taxonomy::{EventKind, Field, Product};

/// Rules ready to judge events
pub struct Engine<'r> {
    rules: &'r [Rule],
    layout: Layout,
    signals: Vec<CompiledSignal>,
    kind: Option<EventKind>,
}

struct CompiledSignal {
    rule: usize,
    signal: usize,
    kind: EventKind,
    product: Option<Product>,
    condition: Node,
    cases: Vec<(Level, Node)>,
    /// Slots of the fields that make a new term
    terms: Option<Vec<usize>>,
}

/// Where an event's fields stand and what kind it is
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The object inside each event that holds the fields
    pub field: Option<String>,
    /// The kind of every event
    pub kind: Option<EventKind>,
    /// The field that names the kind of each event
    pub kind_field: Option<String>,
}

/// A signal that an event fits
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Index of the rule
    pub rule: usize,
    /// Index of the signal in its rule
    pub signal: usize,
    /// How bad it is
    pub level: Level,
    /// The fields whose tests it passed, with their values
    pub fields: BTreeMap<&'static str, Vec<String>>,
    /// When it happened, as far as the event says
    pub time: Option<Timestamp>,
    /// The combinations of values that may be new; `None` when the signal does not ask
    pub terms: Option<Vec<Vec<String>>>,
}

impl<'r> Engine<'r> {
    /// Prepares rules for events of this form
    pub fn new(rules: &'r [Rule], options: &Options) -> Self {
        let mut layout = Layout {
            inner: options.field.clone(),
            kind_field: options.kind_field.clone(),
            ..Layout::default()
        };
        let mut signals = Vec::new();
        for (rule, meant) in rules.iter().enumerate() {
            for (signal, sought) in meant.signals.iter().enumerate() {
                let new = meant.new_terms.as_ref().filter(|new| new.signal == signal);
                let terms = new.map(|new| new.fields.iter().map(|f| layout.slot(*f)).collect());
                let condition = compile(&mut layout, &sought.expr());
                let cases = sought.cases.iter();
                let cases = cases.map(|(level, expr)| (*level, compile(&mut layout, expr)));
                let cases = cases.collect();
                let (kind, product) = (sought.kind, sought.product);
                signals.push(CompiledSignal {
                    rule,
                    signal,
                    kind,
                    product,
                    condition,
                    cases,
                    terms,
                });
            }
        }
        Engine { rules, layout, signals, kind: options.kind }
    }

    /// The rules it judges by
    pub fn rules(&self) -> &'r [Rule] {
        self.rules
    }

    /// Judges an event written as one line of JSON
    ///
    /// # Errors
    /// When the line is no JSON object.
    pub fn judge(&self, line: &str) -> serde_json::Result<Vec<Match>> {
        Ok(self.matches(&self.layout.read(line)?.given(self.kind)))
    }

    /// Judges a parsed event as one of this kind
    ///
    /// # Errors
    /// When the value is no object.
    pub fn judge_value(
        &self,
        event: &serde_json::Value,
        kind: Option<EventKind>,
    ) -> serde_json::Result<Vec<Match>> {
        Ok(self.matches(&(&self.layout).deserialize(event)?.given(kind.or(self.kind))))
    }

    fn matches(&self, event: &Event<'_>) -> Vec<Match> {
        let fits = |signal: &&CompiledSignal| match event.kind() {
            Kind::Known(kind, product) => {
                let same = |wanted| product.is_none_or(|product| product == wanted);
                kind == signal.kind && signal.product.is_none_or(same)
            }
            Kind::Other => false,
            Kind::Unknown => true,
        };
        let sought = self.signals.iter().filter(fits).filter(|s| holds(&s.condition, event));
        sought.map(|signal| self.matched(signal, event)).collect()
    }

    fn matched(&self, signal: &CompiledSignal, event: &Event<'_>) -> Match {
        let mut slots = Vec::new();
        evidence(&signal.condition, event, &mut slots);
        let owned = |values: &[Cow<'_, str>]| values.iter().map(|v| v.to_string()).collect();
        let fields = slots.iter().map(|slot| {
            let field: Field = self.layout.fields[*slot];
            (field.name(), owned(event.slot(*slot).values()))
        });
        let case = signal.cases.iter().find(|(_, node)| holds(node, event));
        let level = case.map_or(self.rules[signal.rule].level, |(level, _)| *level);
        let values = |slots: &Vec<usize>| {
            let fields: Vec<Vec<String>> =
                slots.iter().map(|slot| owned(event.slot(*slot).values())).collect();
            state::combinations(&fields)
        };
        Match {
            rule: signal.rule,
            signal: signal.signal,
            level,
            fields: fields.collect(),
            time: event.time().and_then(state::timestamp),
            terms: signal.terms.as_ref().map(values),
        }
    }
}
