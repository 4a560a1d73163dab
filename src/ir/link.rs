//! Joins documents that speak of each other: Sigma's correlations, and its [filters](super::filter).
//!
//! In: correlations that name rules, and the rules of the same run. Out: [`Rule`]s whose signals
//! are those rules, under names of their own. Afterwards no reference to another document is
//! left; what came from one has the place of the word that named it.

use std::sync::Arc;

use super::{Column, Correlation, Expr, Origin, Rule, Signal, attack, correlate, filter};
use crate::definition::{self, Definition, Form, Level, Sample, nearest_name};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};

/// Joins the documents of a run: filters narrow the rules that they name, correlations become
/// rules over those that they name
///
/// `rules` are the lowered documents, in their order; `None` for a correlation, and for what is
/// wrong. Filters are no rules afterwards. The result says which rules are reported through a
/// correlation only: those that one names, unless it says `generate: true`.
pub fn join(
    definitions: &[&Definition],
    rules: &mut [Option<Rule>],
    diagnostics: &mut Diagnostics,
) -> Vec<bool> {
    for (at, definition) in definitions.iter().enumerate() {
        if definition.form == Form::Filter
            && let Some(narrowing) = rules[at].take()
        {
            let mut others: Vec<&mut Rule> = rules.iter_mut().flatten().collect();
            filter::narrow(definition, &narrowing, (definitions, &mut others), diagnostics);
        }
    }
    let is_correlation = |at: &usize| definitions[*at].form == Form::Correlation;
    let places: Vec<usize> = (0..definitions.len()).filter(is_correlation).collect();
    let correlations: Vec<&Definition> = places.iter().map(|at| definitions[*at]).collect();
    let known: Vec<&Rule> = rules.iter().flatten().collect();
    let linked = link(&correlations, definitions, &known, diagnostics);
    for (at, rule) in places.iter().zip(linked) {
        rules[*at] = rule;
    }
    // One that is wrong reports nothing, so what it names is still to be reported.
    let linked: Vec<&Definition> =
        places.iter().filter(|at| rules[**at].is_some()).map(|at| definitions[*at]).collect();
    let through = |rule: &Rule| {
        let written = linked.iter().flat_map(|one| &one.correlations);
        let mut silent = written.filter(|one| !one.generate);
        silent.any(|one| one.signals.iter().any(|name| rule.is_called(&name.value)))
    };
    rules.iter().map(|rule| rule.as_ref().is_some_and(through)).collect()
}

/// Lowers Sigma's correlations over these rules; `None` in the place of one that is wrong
fn link(
    definitions: &[&Definition],
    all: &[&Definition],
    rules: &[&Rule],
    diagnostics: &mut Diagnostics,
) -> Vec<Option<Rule>> {
    let mut done: Vec<Option<Rule>> = vec![None; definitions.len()];
    let mut waiting: Vec<usize> = (0..definitions.len()).collect();
    while !waiting.is_empty() {
        let waits = |name: &str| waiting.iter().any(|at| is_called(definitions[*at], name));
        let uses = |at: usize| definitions[at].correlations.iter().flat_map(|one| &one.signals);
        let ready = waiting.iter().position(|at| !uses(*at).any(|name| waits(&name.value)));
        let Some(ready) = ready else {
            for at in waiting {
                let definition = definitions[at];
                let Some(one) = definition.correlations.first() else { continue };
                let message = format!("`{}` uses itself", definition.metadata.title.value);
                let (source, span) = (&definition.source, one.name.span);
                let label = "through the rules it names";
                diagnostics.push(Diagnostic::new(Code::E0408, source, span, message, label));
            }
            break;
        };
        let at = waiting.remove(ready);
        let known: Vec<&Rule> = rules.iter().copied().chain(done.iter().flatten()).collect();
        // What is there and wrong has been reported; a filter is no rule.
        let broken = |name: &str| {
            all.iter().any(|other| other.form != Form::Filter && is_called(other, name))
        };
        done[at] = one(definitions[at], &known, &broken, diagnostics);
    }
    done
}

fn is_called(definition: &Definition, name: &str) -> bool {
    let metadata = &definition.metadata;
    [&metadata.name, &metadata.id].into_iter().flatten().any(|known| known.value == name)
}

/// What a correlation looks at, gathered from other rules
#[derive(Default)]
struct Gathered {
    signals: Vec<Signal>,
    correlations: Vec<Correlation>,
}

fn one(
    definition: &Definition,
    rules: &[&Rule],
    broken: &dyn Fn(&str) -> bool,
    diagnostics: &mut Diagnostics,
) -> Option<Rule> {
    let source = &definition.source;
    let mut found = Diagnostics::default();
    let threats = attack::threats(source, &definition.metadata, &mut found);
    let mut written = definition.correlations.first()?.clone();
    let mut gathered = Gathered::default();
    let mut renamed = Vec::new();
    for name in &mut written.signals {
        let called: Vec<&&Rule> = rules.iter().filter(|rule| rule.is_called(&name.value)).collect();
        let rule = match *called {
            [rule] => rule,
            [] if broken(&name.value) => continue,
            [] => {
                found.push(unknown(definition, name, rules));
                continue;
            }
            [..] => {
                let message = format!("{} rules are called `{}`", called.len(), name.value);
                let two =
                    Diagnostic::new(Code::E0407, source, name.span, message, "which of them?");
                found.push(two.help("Name the rule by its id."));
                continue;
            }
        };
        match gathered.take(rule, name.span) {
            Some(own) => {
                renamed.push((name.value.clone(), own.clone()));
                name.value = own;
            }
            None => {
                let message = format!("`{}` does not report one thing", name.value);
                let found_one =
                    Diagnostic::new(Code::E0407, source, name.span, message, "which of them?");
                found.push(found_one.help("Write the correlation under its `correlations:`."));
            }
        }
    }
    if renamed.len() < written.signals.len() {
        diagnostics.extend(found);
        return None;
    }
    for (signal, _) in written.aliases.iter_mut().flat_map(|alias| &mut alias.fields) {
        let own = renamed.iter().find(|(name, _)| *name == signal.value);
        signal.value = own.map_or_else(|| signal.value.clone(), |(_, own)| own.clone());
    }
    written.name.value = gathered.free(&plain_name(&written.name.value, "correlation"));
    let level = definition.metadata.level.as_ref().map_or(Level::Medium, |level| level.value);
    let Gathered { signals, correlations } = gathered;
    let before = (&*signals, correlations);
    let correlations = correlate::lower_one(definition, &written, before, level, &mut found);
    let tests = tests(definition, &written, &renamed, &mut found);
    let complete = !found.has_errors();
    diagnostics.extend(found);
    let correlations = correlations.filter(|_| complete)?;
    Some(Rule {
        source: source.clone(),
        span: definition.span,
        form: definition.form,
        metadata: Arc::clone(&definition.metadata),
        level,
        threats,
        columns: Column::of(&signals),
        signals,
        new_terms: None,
        correlations,
        targets: definition.targets.clone(),
        tests,
    })
}

/// The samples of a correlation: without a name they are for the correlation itself
fn tests(
    definition: &Definition,
    written: &definition::Correlation,
    renamed: &[(String, String)],
    diagnostics: &mut Diagnostics,
) -> Vec<Sample> {
    let mut tests = definition.tests.clone();
    for test in &mut tests {
        let Some(signal) = &mut test.signal else {
            test.signal = Some(Spanned::new(written.name.value.clone(), test.name.span));
            continue;
        };
        let own = definition.correlations.iter().map(|one| (&one.name.value, &written.name.value));
        let names = renamed.iter().map(|(name, own)| (name, own)).chain(own);
        match names.clone().find(|(name, _)| **name == signal.value) {
            Some((_, own)) => signal.value = own.clone(),
            None => {
                let message = format!("no rule here is called `{}`", signal.value);
                let (source, span) = (&definition.source, signal.span);
                let found = Diagnostic::new(Code::E0404, source, span, message, "unknown");
                let known = names.map(|(name, _)| name.as_str());
                diagnostics.push(match nearest_name(&signal.value, known) {
                    Some(near) => found.replace(span, near),
                    None => found,
                });
            }
        }
    }
    tests
}

fn unknown(definition: &Definition, name: &Spanned<String>, rules: &[&Rule]) -> Diagnostic {
    let message = format!("no rule is called `{}`", name.value);
    let label = "by name or id, among the files read";
    let found = Diagnostic::new(Code::E0407, &definition.source, name.span, message, label);
    let names = rules.iter().filter_map(|rule| rule.metadata.name.as_ref());
    match nearest_name(&name.value, names.map(|name| name.value.as_str())) {
        Some(near) => found.replace(name.span, near),
        None => found.help("Give the file that holds it as well."),
    }
}

impl Rule {
    /// Whether other documents may call it so
    pub fn is_called(&self, name: &str) -> bool {
        let metadata = &self.metadata;
        [&metadata.name, &metadata.id].into_iter().flatten().any(|known| known.value == name)
    }
}

impl Gathered {
    /// Takes the signals and correlations of a rule, each once; gives the name of what the rule
    /// reports, or `None` when it reports several things
    fn take(&mut self, rule: &Rule, span: Span) -> Option<String> {
        if rule.new_terms.is_some() {
            return None;
        }
        let reported = (0..rule.correlations.len()).filter(|at| rule.reports_correlation(*at));
        let reported: Vec<usize> = reported.collect();
        if rule.correlations.is_empty() {
            let [signal] = &*rule.signals else { return None };
            let named = rule.metadata.name.as_ref().unwrap_or(&rule.metadata.title);
            let name = plain_name(&named.value, "rule");
            let title = rule.metadata.title.value.clone();
            return Some(self.signal(Signal { name, title, ..at(signal, span) }));
        }
        let names: Vec<String> =
            rule.signals.iter().map(|signal| self.signal(at(signal, span))).collect();
        let place = |name: &String| {
            self.signals.iter().position(|signal| signal.name == *name).unwrap_or_default()
        };
        let signals: Vec<usize> = names.iter().map(place).collect();
        let mut moved: Vec<usize> = Vec::new();
        for one in &rule.correlations {
            moved.push(self.correlation(one, (&signals, &moved), span));
        }
        // The others are what it uses.
        let [reported] = *reported else { return None };
        Some(self.correlations[moved[reported]].name.clone())
    }

    /// The signal's name here: its own, unless another one has it
    fn signal(&mut self, signal: Signal) -> String {
        let same = |known: &&Signal| {
            (known.kind, known.product, known.action)
                == (signal.kind, signal.product, signal.action)
                && known.clauses == signal.clauses
                && known.title == signal.title
        };
        if let Some(known) = self.signals.iter().find(same) {
            return known.name.clone();
        }
        let name = self.free(&signal.name);
        self.signals.push(Signal { name: name.clone(), ..signal });
        name
    }

    /// The place of a correlation here; `moved` are the places of what it uses
    fn correlation(
        &mut self,
        one: &Correlation,
        (signals, correlations): (&[usize], &[usize]),
        span: Span,
    ) -> usize {
        let fields = |fields: &super::Fields| {
            fields.iter().map(|(at, field)| (signals[*at], *field)).collect()
        };
        let mut moved = one.clone();
        moved.span = span;
        for origin in &mut moved.origins {
            *origin = match *origin {
                Origin::Signal(at) => Origin::Signal(signals[at]),
                Origin::Correlation(at) => Origin::Correlation(correlations[at]),
            };
        }
        moved.ends.iter_mut().for_each(|at| *at = signals[*at]);
        moved.keys.iter_mut().for_each(|key| key.fields = fields(&key.fields));
        if let Some(counted) = moved.test.fields_mut() {
            *counted = fields(counted);
        }
        let same = |known: &Correlation| {
            known.title == moved.title
                && known.origins == moved.origins
                && known.keys == moved.keys
                && (known.timespan, &known.test) == (moved.timespan, &moved.test)
        };
        if let Some(at) = self.correlations.iter().position(same) {
            return at;
        }
        moved.name = self.free(&moved.name);
        self.correlations.push(moved);
        self.correlations.len() - 1
    }

    /// The name, with a number after it when it is taken
    fn free(&self, name: &str) -> String {
        let taken = |name: &str| {
            self.signals.iter().any(|signal| signal.name == name)
                || self.correlations.iter().any(|one| one.name == name)
        };
        let numbered = (2..).map(|number| format!("{name}_{number}"));
        let mut names = std::iter::once(name.to_owned()).chain(numbered);
        names.find(|name| !taken(name)).unwrap_or_default()
    }
}

/// The signal as one that stands at another place
pub(super) fn at(signal: &Signal, span: Span) -> Signal {
    let mut signal = signal.clone();
    signal.span = span;
    signal.clauses.iter_mut().for_each(|clause| place(&mut clause.expr, span));
    signal.cases.iter_mut().for_each(|(_, expr)| place(expr, span));
    signal
}

fn place(expr: &mut Expr, span: Span) {
    match expr {
        Expr::All(parts) | Expr::Any(parts) => parts.iter_mut().for_each(|part| place(part, span)),
        Expr::Not(part) => place(part, span),
        Expr::Test(test) => test.span = span,
    }
}

/// A name that can also be one of a query's and part of a file name
fn plain_name(name: &str, otherwise: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' };
    let plain: String = name.chars().map(plain).collect();
    let words: Vec<&str> = plain.split('_').filter(|word| !word.is_empty()).collect();
    let mut joined = words.join("_");
    if !joined.starts_with(|c: char| c.is_ascii_lowercase()) {
        joined = format!("{otherwise}_{joined}");
    }
    joined.truncate(36);
    joined.trim_end_matches('_').to_owned()
}
