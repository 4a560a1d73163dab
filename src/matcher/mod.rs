//! The in-process engine: verdicts on events, from the same IR that the targets compile.
//!
//! In: rules, then events as JSON objects in Sigma's field names. Out: [`Match`]es. An event
//! without a field that some rule reads costs little more than skipping its JSON. An index finds the
//! signals that an event may fit, and only those are evaluated. The engine keeps no state. [`Memory`]
//! does, in the order of the stream: it follows the process tree before the engine judges an event, and
//! judges novelty and correlations after.

mod ancestry;
mod audited;
mod block;
mod builder;
mod census;
mod compile;
mod correlate;
mod cut;
mod derive;
mod evaluate;
mod event;
mod explain;
mod form;
mod glob;
mod group;
mod index;
mod layout;
mod lines;
mod log;
mod mapped;
mod measure;
mod memory;
pub mod novelty;
mod part;
mod plain;
mod read;
mod reading;
mod record;
mod same;
mod scan;
mod shape;
mod shown;
mod slot;
mod state_file;
mod systems;
mod turns;
mod window;

pub use block::Block;
pub use builder::EngineBuilder;
pub use census::Census;
pub(crate) use correlate::MOST_SHOWN;
pub use correlate::Together;
pub use explain::{Explained, Explainer, Fit, Had, Step, Trace, Tried};
pub use form::TextForm;
#[cfg(feature = "cli")]
pub(crate) use glob::fits;
pub(crate) use group::short_host;
pub use lines::{End, Lines, MAX_LINE, Stop};
pub use memory::{Finding, Memory, Shortfall};
pub(crate) use part::any as any_part;
pub use reading::{Flattener, too_long};
pub use record::{Record, Recorder, arguments, base_name};
pub use scan::{Collected, Found, Hit, Listener, Unreadable, scan};
pub use shape::Shape;
pub use state_file::StateError;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use ancestry::Places;
use compile::{Node, compile};
use derive::Derived;
use evaluate::{evidence, holds};
use event::{Event, Kind};
use group::{Waiting, keys};
use index::Index;
use jiff::Timestamp;
use layout::Layout;
use mapped::Mapped;
pub use mapped::Unheld;
use serde::de::DeserializeSeed;
use shown::Shown;

use crate::definition::Level;
use crate::ir::{Correlation, Rule};
use crate::mapping::Mappings;
use crate::taxonomy::{EventKind, Field, Log, Product};
use novelty::Combinations;

/// Rules compiled to judge events
///
/// The engine shares the ownership of its rules (`Arc`), so it borrows nothing.
pub struct Engine {
    rules: Arc<[Rule]>,
    layout: Layout,
    signals: Vec<CompiledSignal>,
    ancestry: Option<Places>,
    /// The fields that each match shows beside its evidence; `None` when there are none
    shown: Option<Shown>,
    /// Made with the first event; `None` when every signal is tried
    index: Option<OnceLock<Index>>,
    /// Reads rows and documents of the targets
    mapped: Mapped,
}

struct CompiledSignal {
    rule: usize,
    signal: usize,
    kind: EventKind,
    log: Option<Log>,
    product: Option<Product>,
    condition: Node,
    cases: Vec<(Level, Node)>,
    /// Slots of the `new_terms` fields; `None` when the signal has no `new_terms`
    terms: Option<Vec<usize>>,
    /// Fields that correlations read, with their slots
    correlated: Vec<(Field, usize)>,
    /// Slots that the condition reads
    reads: Vec<usize>,
}

/// How the engine finds the fields and the kind of an event
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The object inside each event that holds the fields: its path, keys joined by dots
    pub field: Option<String>,
    /// The kind of every event
    pub kind: Option<EventKind>,
    /// The action of every event, as its Sigma category implies it
    pub action: Option<&'static str>,
    /// The field that names the kind of each event
    pub kind_field: Option<String>,
    /// The path of the value that is the time of each event
    pub time_field: Option<String>,
    /// The shape of every event; without it each event shows its own
    pub shape: Option<Shape>,
    /// Fields that each match shows beside its evidence, where its event has them and is read from a line
    pub shown: Vec<Field>,
    /// What the columns and index fields of the targets mean, in events that are rows or documents
    pub mappings: Mappings,
    /// Tries every signal on every event of its log source, without an index: slow, and the oracle that
    /// the index is compared with
    pub naive: bool,
}

/// A signal that an event fits
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Match {
    /// Index of the rule
    pub rule: usize,
    /// Index of the signal in its rule
    pub signal: usize,
    /// Level of the first case that the event fits, else of the rule
    pub level: Level,
    /// Fields whose tests the event passed, with their values
    pub fields: BTreeMap<Field, Vec<String>>,
    /// The fields of [`Options::shown`] that the event has, with their values
    pub shown: BTreeMap<Field, Vec<String>>,
    /// Time of the event; `None` when the event has no readable time
    pub time: Option<Timestamp>,
    /// Combinations of the `new_terms` fields; `None` when the signal has no `new_terms`
    pub terms: Option<Combinations>,
    /// Values that correlations read; `None` when no correlation uses the signal
    pub correlated: Option<BTreeMap<Field, Vec<String>>>,
}

impl CompiledSignal {
    /// Whether an event of this kind may fit
    fn looks_at(&self, kind: &Kind) -> bool {
        match kind {
            Kind::Known(kinds, systems) => {
                let takes = |kind: &EventKind| self.kind.takes(kind, systems.one());
                self.product.is_none_or(|product| systems.hold(product))
                    && kinds.iter().any(takes)
                    && self.log.as_ref().is_none_or(|log| EventKind::may_be_in(kinds, log))
            }
            Kind::Unknown => true,
        }
    }
}

impl Match {
    /// The groups of a correlation that the event is in
    pub(crate) fn groups(&self, correlation: &Correlation) -> Vec<Vec<String>> {
        let (time, signal) = (self.time.unwrap_or_default(), self.signal);
        let values = self.correlated.clone().unwrap_or_default();
        keys(correlation, &Waiting { time, signal, values, place: (0, 0) })
    }
}

impl Engine {
    /// Prepares rules for events of this form
    pub fn new(rules: impl Into<Arc<[Rule]>>, options: &Options) -> Self {
        let rules = rules.into();
        let mut layout = Layout::of(options);
        let mut signals = Vec::new();
        for (rule, meant) in rules.iter().enumerate() {
            for (signal, sought) in meant.signals.iter().enumerate() {
                let new = meant.new_terms.as_ref().filter(|new| new.signal == signal);
                let terms = new.map(|new| new.fields.iter().map(|f| layout.slot(f)).collect());
                let correlated = meant.correlated_fields(signal).into_iter();
                let correlated = correlated.map(|f| (f.clone(), layout.slot(f))).collect();
                let condition = compile(&mut layout, &sought.expr());
                let cases = sought.cases.iter();
                let cases = cases.map(|(level, expr)| (*level, compile(&mut layout, expr)));
                let cases = cases.collect();
                let (kind, log) = (sought.kind.clone(), sought.log.clone());
                if let EventKind::Log(log) = &kind {
                    layout.logs.insert(log.name().to_owned(), log.clone());
                }
                let mut reads = condition.slots();
                reads.retain(|slot| !Derived::is_always_there(&layout.fields[*slot]));
                signals.push(CompiledSignal {
                    rule,
                    signal,
                    kind,
                    log,
                    product: sought.product,
                    condition,
                    cases,
                    terms,
                    correlated,
                    reads,
                });
            }
        }
        let ancestry = Places::of(&mut layout);
        let shown = Shown::of(options);
        let index = (!options.naive).then(OnceLock::new);
        let also = shown.iter().flat_map(Shown::fields);
        let asked = layout.fields.iter().chain(also).cloned().collect();
        let mapped = Mapped::new(options.mappings.clone(), Some(asked), &rules);
        Engine { rules, layout, signals, ancestry, shown, index, mapped }
    }

    /// The rules; [`Match::rule`] is an index into them
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Judges an event written as one line of JSON
    ///
    /// # Errors
    /// When the line is not a JSON object.
    pub fn judge(&self, line: &str) -> serde_json::Result<Vec<Match>> {
        let mut matches = self.matches(&self.read(line)?);
        self.show(line, &mut matches);
        Ok(matches)
    }

    /// Adds to the matches of an event the fields that they show; `line` is the event
    fn show(&self, line: &str, matches: &mut [Match]) {
        self.shown.iter().for_each(|shown| shown.add(line, matches));
    }

    /// Judges a parsed event, after the events that `memory` has seen
    ///
    /// `kind`, when given, replaces the kind that the event names; its logs stay.
    ///
    /// # Errors
    /// When the value is not an object.
    pub fn judge_value(
        &self,
        event: &serde_json::Value,
        kind: Option<&EventKind>,
        memory: &mut Memory,
    ) -> serde_json::Result<Vec<Match>> {
        Ok(self.matches(&self.event(event, kind, memory)?))
    }

    /// Reads a parsed event, after the events that `memory` has seen
    fn event<'e>(
        &'e self,
        event: &'e serde_json::Value,
        kind: Option<&EventKind>,
        memory: &mut Memory,
    ) -> serde_json::Result<Event<'e>> {
        let mut event = (&self.layout).deserialize(event)?.given(kind);
        memory.follow(self, &mut event);
        Ok(event)
    }

    /// What the rows and documents of targets that were read so far do not hold of what the rules ask for
    pub fn unheld(&self) -> Unheld {
        self.mapped.unheld(&self.rules)
    }

    /// Reads an event written as one line of JSON
    fn read<'e>(&'e self, line: &'e str) -> serde_json::Result<Event<'e>> {
        self.layout.read(line)
    }

    fn matches(&self, event: &Event<'_>) -> Vec<Match> {
        self.verdict(event, true).0
    }

    /// The matches of an event, and whether some rule looks at events of its kind
    ///
    /// `is_meant` says that the event is one for these rules, as in their tests, even where nothing tells
    /// its log source.
    fn verdict(&self, event: &Event<'_>, is_meant: bool) -> (Vec<Match>, bool) {
        let is_known = is_meant || *event.kind() != Kind::Unknown;
        let mut matches = Vec::new();
        let mut judge = |signal: &CompiledSignal| {
            // Of an unknown log source: a signal that holds for want of all its fields is no match.
            let may_hold = is_known || event.has_any(&signal.reads);
            if may_hold && holds(&signal.condition, event) {
                matches.push(self.matched(signal, event));
            }
        };
        let is_looked_at = match self.index(&[]) {
            Some(index) => {
                index.each_candidate(event, &self.signals, |at| judge(&self.signals[at]))
            }
            None => {
                let looking = self.signals.iter().filter(|signal| signal.looks_at(event.kind()));
                looking.map(judge).count() > 0
            }
        };
        (matches, is_looked_at)
    }

    /// Whether the index is still to be made
    fn wants_sample(&self) -> bool {
        self.index.as_ref().is_some_and(|index| index.get().is_none())
    }

    /// The index, made for events like those of the sample if it is not made yet; `None` when every signal
    /// is tried
    fn index(&self, sample: &[Event<'_>]) -> Option<&Index> {
        let index = self.index.as_ref()?;
        Some(index.get_or_init(|| Index::of(&self.rules, &self.layout, sample)))
    }

    /// The path of the object inside an event that holds the most fields of rules
    ///
    /// Empty for the event itself; `None` when no object holds a field that a rule reads.
    pub fn object_with_fields(&self, event: &str) -> Option<String> {
        census::richest(&self.layout, event)
    }

    fn matched(&self, signal: &CompiledSignal, event: &Event<'_>) -> Match {
        let slots = evidence(&signal.condition, event);
        let owned = |values: &[Cow<'_, str>]| values.iter().map(|v| v.to_string()).collect();
        let fields = slots
            .iter()
            .map(|slot| (self.layout.fields[*slot].clone(), owned(event.slot(*slot).values())));
        let case = signal.cases.iter().find(|(_, node)| holds(node, event));
        let level = case.map_or(self.rules[signal.rule].level, |(level, _)| *level);
        let values = |slots: &Vec<usize>| {
            let fields: Vec<Vec<String>> =
                slots.iter().map(|slot| owned(event.slot(*slot).values())).collect();
            novelty::combinations(&fields)
        };
        Match {
            rule: signal.rule,
            signal: signal.signal,
            level,
            fields: fields.collect(),
            shown: BTreeMap::new(),
            time: event.time().and_then(novelty::timestamp),
            terms: signal.terms.as_ref().map(values),
            correlated: self.rules[signal.rule].correlates(signal.signal).then(|| {
                let correlated = signal.correlated.iter();
                correlated.map(|(f, slot)| (f.clone(), owned(event.slot(*slot).values()))).collect()
            }),
        }
    }
}
