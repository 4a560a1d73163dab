//! Lowers correlations.
//!
//! In: names of signals, fields and aliases, and a timespan in words. Out: [`Correlation`]s over
//! signals and fields, each after the correlations it uses.

use std::collections::{HashMap, HashSet};

use super::{Correlation, Fields, Key, Origin};
use crate::definition::{self, CorrelationType, Definition, Form, Level, nearest_name};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::Signal;
use crate::ir::novelty::{COLUMNS, column_field, seconds};
use crate::source::{Span, Spanned};
use crate::taxonomy::{EventKind, Field};

pub(in crate::ir) fn lower(
    definition: &Definition,
    signals: &[Signal],
    level: Level,
    diagnostics: &mut Diagnostics,
) -> Vec<Correlation> {
    let done = Vec::new();
    let mut lowering = Lowering { definition, signals, places: places(signals), done, diagnostics };
    let mut waiting: Vec<&definition::Correlation> = definition.correlations.iter().collect();
    if let Some(first) = waiting.get(MOST) {
        let message = format!("{} correlations, more than {MOST}", waiting.len());
        lowering.error(Code::E0410, first.name.span, message, "from here on");
        return Vec::new();
    }
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|one| lowering.is_ready(one, &waiting));
        let Some(at) = ready else {
            let names: Vec<_> = waiting.iter().map(|one| one.name.value.as_str()).collect();
            let message = match &*names {
                [only] => format!("`{only}` uses itself"),
                names => format!("`{}` use each other", names.join("` and `")),
            };
            lowering.error(Code::E0408, waiting[0].name.span, message, "in a circle");
            break;
        };
        let one = waiting.remove(at);
        if let Some(lowered) = lowering.one(one, level) {
            lowering.done.push(lowered);
        }
    }
    lowering.done
}

/// Lowers the correlation of a Sigma document; `done` holds the correlations it uses
pub(in crate::ir) fn lower_one(
    definition: &Definition,
    written: &definition::Correlation,
    (signals, done): (&[Signal], Vec<Correlation>),
    level: Level,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Correlation>> {
    let mut lowering = Lowering { definition, signals, places: places(signals), done, diagnostics };
    let one = lowering.one(written, level)?;
    lowering.done.push(one);
    Some(lowering.done)
}

fn places(signals: &[Signal]) -> HashMap<&str, usize> {
    // Of signals with the same name the first stays: `rev` lets it overwrite the others.
    signals.iter().enumerate().rev().map(|(at, signal)| (signal.name.as_str(), at)).collect()
}

/// The most correlations of a definition
const MOST: usize = 200;

/// State that is shared while correlations are lowered one after another
pub(super) struct Lowering<'a> {
    definition: &'a Definition,
    signals: &'a [Signal],
    /// The index of each signal by name
    places: HashMap<&'a str, usize>,
    done: Vec<Correlation>,
    diagnostics: &'a mut Diagnostics,
}

impl Lowering<'_> {
    fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn error(&mut self, code: Code, span: Span, message: String, label: &str) {
        self.report(Diagnostic::new(code, &self.definition.source, span, message, label));
    }

    /// Whether everything it refers to is lowered
    fn is_ready(
        &self,
        one: &definition::Correlation,
        waiting: &[&definition::Correlation],
    ) -> bool {
        let waits = |name: &str| waiting.iter().any(|other| other.name.value == name);
        !one.signals.iter().any(|name| waits(&name.value))
    }

    fn one(&mut self, written: &definition::Correlation, level: Level) -> Option<Correlation> {
        let timespan = seconds(&written.timespan.value);
        if timespan.is_none() {
            let message = format!("`{}` is no timespan", written.timespan.value);
            let label = "expected a number and s, m, h or d, such as 90s or 5m";
            self.error(Code::E0403, written.timespan.span, message, label);
        }
        let origins: Vec<Option<Origin>> =
            written.signals.iter().map(|name| self.origin(name)).collect();
        let origins: Option<Vec<Origin>> = origins.into_iter().collect();
        let origins = origins?;
        self.repeated(&written.signals, "signal");
        self.repeated(&written.group_by, "key");
        self.unused_aliases(written);
        let keys: Vec<Option<Key>> =
            written.group_by.iter().map(|name| self.key(written, &origins, name)).collect();
        let keys: Option<Vec<Key>> = keys.into_iter().collect();
        let test = self.test(written, &origins);
        let window = self.window(written, test.as_ref());
        Some(Correlation {
            name: written.name.value.clone(),
            span: written.name.span,
            title: written.title.as_ref().unwrap_or(&self.definition.metadata.title).value.clone(),
            level: written.level.as_ref().map_or(level, |level| level.value),
            ends: self.ends(&origins, written.kind.value),
            origins,
            keys: keys?,
            timespan: timespan?,
            test: test?,
            window: window?,
            generate: written.generate,
        })
    }

    pub(super) fn repeated(&mut self, names: &[Spanned<String>], what: &str) {
        let mut before = HashSet::new();
        for name in names {
            if !before.insert(&name.value) {
                let message = format!("{what} `{}` is named twice", name.value);
                self.error(Code::E0410, name.span, message, "again");
            }
        }
    }

    /// Reports unused aliases, which are probably misspelt, and unknown signals in aliases
    fn unused_aliases(&mut self, written: &definition::Correlation) {
        let counted = written.condition.iter().flat_map(|count| &count.fields);
        let used = written.group_by.iter().chain(counted).map(|name| &name.value);
        let used: HashSet<&String> = used.collect();
        let signals: HashSet<&String> = written.signals.iter().map(|name| &name.value).collect();
        for alias in &written.aliases {
            if !used.contains(&alias.name.value) {
                let message = format!("nothing is grouped by `{}`", alias.name.value);
                self.error(Code::E0409, alias.name.span, message, "unused");
            }
            for (signal, _) in &alias.fields {
                if !signals.contains(&signal.value) {
                    let message = format!("`{}` is none of the signals here", signal.value);
                    self.error(Code::E0407, signal.span, message, "unknown");
                }
            }
        }
    }

    fn origin(&mut self, name: &Spanned<String>) -> Option<Origin> {
        if let Some(at) = self.places.get(name.value.as_str()) {
            return Some(Origin::Signal(*at));
        }
        if let Some(at) = self.done.iter().position(|done| done.name == name.value) {
            return Some(Origin::Correlation(at));
        }
        let definition = self.definition;
        let signals = definition.signals.iter().map(|signal| signal.name.value.as_str());
        let others = definition.correlations.iter().map(|other| other.name.value.as_str());
        let mut known = signals.chain(others);
        if known.clone().any(|known| known == name.value) {
            // It exists but failed to lower; that error is already reported.
            return None;
        }
        let message = format!("no signal or correlation is called `{}`", name.value);
        let diagnostic =
            Diagnostic::new(Code::E0407, &definition.source, name.span, message, "unknown");
        self.report(match nearest_name(&name.value, &mut known) {
            Some(near) => diagnostic.replace(name.span, near),
            None => diagnostic,
        });
        None
    }

    /// Indices of the signals whose events can complete a correlation of these origins
    fn ends(&self, origins: &[Origin], kind: CorrelationType) -> Vec<usize> {
        let last = match kind {
            CorrelationType::TemporalOrdered => &origins[origins.len().saturating_sub(1)..],
            CorrelationType::EventCount
            | CorrelationType::ValueCount
            | CorrelationType::Temporal
            | CorrelationType::ValueSum
            | CorrelationType::ValueAvg
            | CorrelationType::ValueMedian
            | CorrelationType::ValuePercentile => origins,
        };
        let mut ends: Vec<usize> = last.iter().flat_map(|origin| self.ends_of(*origin)).collect();
        ends.sort_unstable();
        ends.dedup();
        ends
    }

    fn ends_of(&self, origin: Origin) -> Vec<usize> {
        match origin {
            Origin::Signal(at) => vec![at],
            Origin::Correlation(at) => self.done[at].ends.clone(),
        }
    }

    /// Resolves a name in `group-by` or `field` to one field for each signal behind the origins
    pub(super) fn fields(
        &mut self,
        written: &definition::Correlation,
        origins: &[Origin],
        name: &Spanned<String>,
    ) -> Option<Fields> {
        let alias = written.aliases.iter().find(|alias| alias.name.value == name.value);
        let mut called = HashMap::new();
        for (signal, field) in alias.iter().flat_map(|alias| &alias.fields) {
            called.entry(&signal.value).or_insert(field);
        }
        let mut fields = Fields::new();
        let mut complete = true;
        for (origin, origin_name) in origins.iter().zip(&written.signals) {
            let wanted = called.get(&origin_name.value).copied().unwrap_or(name);
            for at in self.ends_of(*origin) {
                let kind = &self.signals[at].kind;
                if let Some(field) = self.field(wanted, kind) {
                    if let Some(other) = fields.get(&at).filter(|other| **other != field) {
                        complete = false;
                        let message = format!("`{}` is {other} and {field} at once", name.value);
                        let label = "two of the signals are of the same events";
                        self.error(Code::E0409, wanted.span, message, label);
                    }
                    fields.insert(at, field);
                    continue;
                }
                complete = false;
                let message = format!("`{}` is no field of {kind} events", wanted.value);
                let source = &self.definition.source;
                let label = format!("of signal `{}`", self.signals[at].name);
                let diagnostic = Diagnostic::new(Code::E0409, source, wanted.span, message, label);
                self.report(match nearest_name(&wanted.value, COLUMNS.iter().copied()) {
                    Some(near) if near != wanted.value => diagnostic.replace(wanted.span, near),
                    _ => diagnostic.help("Say under `aliases` what each signal calls it."),
                });
            }
        }
        complete.then_some(fields)
    }

    /// Resolves a name to a field of these events
    ///
    /// A Sigma correlation names fields, not columns. A field that no table lists is only a
    /// warning, since events may have it.
    fn field(&mut self, wanted: &Spanned<String>, kind: &EventKind) -> Option<Field> {
        if self.definition.form != Form::Correlation {
            return column_field(&wanted.value, kind);
        }
        let field = Field::of_log(&wanted.value);
        if field == Field::EVERY {
            let message = "`*` is no field".to_owned();
            self.error(Code::E0409, wanted.span, message, "expected a name");
            return None;
        }
        let known = kind.field_names();
        if kind.field_type(&field).is_none() && !known.is_empty() {
            let message = format!("{kind} events are not known to have `{field}`");
            let source = &self.definition.source;
            let diagnostic =
                Diagnostic::new(Code::W0216, source, wanted.span, message, "in no table");
            self.report(match nearest_name(field.name(), known) {
                Some(near) => diagnostic.help(format!("There is a field `{near}`.")),
                None => diagnostic,
            });
        }
        Some(field)
    }

    fn key(
        &mut self,
        written: &definition::Correlation,
        origins: &[Origin],
        name: &Spanned<String>,
    ) -> Option<Key> {
        let fields = self.fields(written, origins, name)?;
        Some(Key { name: name.value.clone(), fields })
    }
}
