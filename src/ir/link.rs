//! Joins documents that refer to each other: Sigma's correlations and [filters](super::filter).
//!
//! In: correlations that name rules, and the rules of the same run. Out: [`Rule`]s whose signals
//! are those rules, under names of their own. Afterwards no reference to another document is left;
//! a test from another document has the span of the name that referred to it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::called::{Called, names};
use super::{Column, Correlation, Origin, Rule, Signal, attack, correlation, filter};
use crate::definition::{self, Definition, Form, Level, Sample, nearest_name};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{Span, Spanned};

/// Joins the documents of a run: filters narrow the rules they name, and correlations become rules
/// over the rules they name
///
/// `rules` holds the lowered documents in their order, `None` for a correlation and for a document
/// with an error. Afterwards a filter is `None` too. The result tells which rules are reported only
/// through a correlation: those that a correlation without `generate: true` names.
pub fn join(
    definitions: &[&Definition],
    rules: &mut [Option<Rule>],
    diagnostics: &mut Diagnostics,
) -> Vec<bool> {
    let called = Called::of(definitions);
    let refused = filter::narrow((definitions, &called, &mut *rules), diagnostics);
    refused.iter().for_each(|at| rules[*at] = None);
    let is_correlation =
        |at: &usize| definitions[*at].form == Form::Correlation && !refused.contains(at);
    let places: Vec<usize> = (0..definitions.len()).filter(is_correlation).collect();
    link(&places, (definitions, &called, rules), diagnostics);
    // A correlation with an error emits nothing, so the rules it names stay reported.
    let linked = places.iter().filter(|at| rules[**at].is_some()).map(|at| definitions[*at]);
    let silent = linked.flat_map(|one| &one.correlations).filter(|one| !one.generate);
    let named = silent.flat_map(|one| &one.signals).map(|name| name.value.as_str());
    let named: HashSet<&str> = named.collect();
    let through = |rule: &Rule| names(&rule.metadata).any(|name| named.contains(name));
    rules.iter().map(|rule| rule.as_ref().is_some_and(through)).collect()
}

/// Lowers the Sigma correlations at these indices; a correlation with an error stays `None`
fn link(
    places: &[usize],
    (definitions, called, rules): (&[&Definition], &Called<'_>, &mut [Option<Rule>]),
    diagnostics: &mut Diagnostics,
) {
    let is_correlation = |at: &usize| definitions[*at].form == Form::Correlation;
    // For each correlation: how many others it still waits for, and which others wait for it.
    let mut waits: HashMap<usize, usize> = HashMap::new();
    let mut waited: HashMap<usize, Vec<usize>> = HashMap::new();
    for at in places {
        let uses = definitions[*at].correlations.iter().flat_map(|one| &one.signals);
        let used = uses.flat_map(|name| called.at(&name.value)).filter(|at| is_correlation(at));
        let mut count = 0;
        for other in used {
            waited.entry(*other).or_default().push(*at);
            count += 1;
        }
        waits.insert(*at, count);
    }
    let mut ready: BTreeSet<usize> = places.iter().copied().filter(|at| waits[at] == 0).collect();
    let mut known: Vec<String> = Vec::new();
    let name = |rule: &Rule| rule.metadata.name.as_ref().map(|name| name.value.clone());
    known.extend(rules.iter().flatten().filter_map(name));
    while let Some(at) = ready.pop_first() {
        waits.remove(&at);
        rules[at] = one(definitions[at], (definitions, called, rules), &known, diagnostics);
        known.extend(rules[at].as_ref().and_then(name));
        for other in waited.remove(&at).unwrap_or_default() {
            let count = waits.entry(other).or_default();
            *count -= 1;
            if *count == 0 {
                ready.insert(other);
            }
        }
    }
    for at in places.iter().filter(|at| waits.contains_key(at)) {
        let definition = definitions[*at];
        let Some(one) = definition.correlations.first() else { continue };
        let message = format!("`{}` uses itself", definition.metadata.title.value);
        let (source, span) = (&definition.source, one.name.span);
        let label = "through the rules it names";
        diagnostics.push(Diagnostic::new(Code::E0408, source, span, message, label));
    }
}

/// Signals and correlations, copied from the rules that a correlation names
#[derive(Default)]
struct Gathered {
    signals: Vec<Signal>,
    correlations: Vec<Correlation>,
    /// Indices of the signals with each title
    titles: HashMap<String, Vec<usize>>,
    /// Names in use, with the number to append next to each
    taken: HashMap<String, usize>,
}

fn one(
    definition: &Definition,
    (definitions, places, rules): (&[&Definition], &Called<'_>, &[Option<Rule>]),
    known: &[String],
    diagnostics: &mut Diagnostics,
) -> Option<Rule> {
    // A document with this name failed to lower, which is already reported; a filter is no rule.
    let broken =
        |name: &str| places.at(name).iter().any(|at| definitions[*at].form != Form::Filter);
    let source = &definition.source;
    let mut findings = Diagnostics::default();
    let threats = attack::threats(definition, &mut findings);
    let mut written = definition.correlations.first()?.clone();
    let mut gathered = Gathered::default();
    let mut renamed = Vec::new();
    for name in &mut written.signals {
        let called = places.at(&name.value).iter().filter_map(|at| rules[*at].as_ref());
        let called: Vec<&Rule> = called.collect();
        let rule = match *called {
            [rule] => rule,
            [] if broken(&name.value) => continue,
            [] => {
                findings.push(unknown(definition, name, known));
                continue;
            }
            [..] => {
                let message = format!("{} rules are called `{}`", called.len(), name.value);
                let two =
                    Diagnostic::new(Code::E0407, source, name.span, message, "which of them?");
                findings.push(two.help("Name the rule by its id."));
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
                let diagnostic =
                    Diagnostic::new(Code::E0407, source, name.span, message, "which of them?");
                findings.push(diagnostic.help("Write the correlation under its `correlations:`."));
            }
        }
    }
    if renamed.len() < written.signals.len() {
        diagnostics.extend(findings);
        return None;
    }
    let mut own = HashMap::new();
    for (name, name_here) in &renamed {
        own.entry(name).or_insert(name_here);
    }
    for (signal, _) in written.aliases.iter_mut().flat_map(|alias| &mut alias.fields) {
        if let Some(name) = own.get(&signal.value) {
            signal.value.clone_from(name);
        }
    }
    written.name.value = gathered.free(&plain_name(&written.name.value, "correlation"));
    let level = definition.metadata.level.as_ref().map_or(Level::Medium, |level| level.value);
    let Gathered { signals, correlations, .. } = gathered;
    let before = (&*signals, correlations);
    let correlations = correlation::lower_one(definition, &written, before, level, &mut findings);
    let tests = tests(definition, &written, &renamed, &mut findings);
    let complete = !findings.has_errors();
    diagnostics.extend(findings);
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

/// The samples of a correlation; a sample without a signal is for the correlation itself
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
                let diagnostic = Diagnostic::new(Code::E0404, source, span, message, "unknown");
                let known = names.map(|(name, _)| name.as_str());
                diagnostics.push(match nearest_name(&signal.value, known) {
                    Some(near) => diagnostic.replace(span, near),
                    None => diagnostic,
                });
            }
        }
    }
    tests
}

fn unknown(definition: &Definition, name: &Spanned<String>, known: &[String]) -> Diagnostic {
    let message = format!("no rule is called `{}`", name.value);
    let label = "by name or id, among the files read";
    let diagnostic = Diagnostic::new(Code::E0407, &definition.source, name.span, message, label);
    match nearest_name(&name.value, known.iter().map(String::as_str)) {
        Some(near) => diagnostic.replace(name.span, near),
        None => diagnostic.help("Give the file that holds it as well."),
    }
}

impl Rule {
    /// Whether the rule has this name or id
    pub fn is_called(&self, name: &str) -> bool {
        names(&self.metadata).any(|known| known == name)
    }
}

impl Gathered {
    /// Copies the signals and correlations of a rule, each once; returns the name of what the rule
    /// reports, or `None` when it reports several things or new terms
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
            let place = self.signal(Signal { name, title, ..signal.at(span) });
            return Some(self.signals[place].name.clone());
        }
        let signals: Vec<usize> =
            rule.signals.iter().map(|signal| self.signal(signal.at(span))).collect();
        let mut moved: Vec<usize> = Vec::new();
        for one in &rule.correlations {
            moved.push(self.correlation(one, (&signals, &moved), span));
        }
        // The reported correlation uses the others.
        let [reported] = *reported else { return None };
        Some(self.correlations[moved[reported]].name.clone())
    }

    /// The index of a signal here; a new signal gets a number after its name when the name is in
    /// use
    fn signal(&mut self, signal: Signal) -> usize {
        let same = |at: &&usize| {
            let known = &self.signals[**at];
            (&known.kind, &known.log, known.product, known.action)
                == (&signal.kind, &signal.log, signal.product, signal.action)
                && known.clauses == signal.clauses
        };
        let titled = self.titles.get(&signal.title);
        if let Some(known) = titled.into_iter().flatten().find(same) {
            return *known;
        }
        let place = self.signals.len();
        // The id stays with the rule that the signal was written in.
        let (name, id) = (self.free(&signal.name), None);
        self.titles.entry(signal.title.clone()).or_default().push(place);
        self.signals.push(Signal { shown: name.clone(), name, id, ..signal });
        place
    }

    /// The index of a correlation here; adds it when it is new
    ///
    /// `signals` and `correlations` map the indices of its rule to indices here.
    fn correlation(
        &mut self,
        one: &Correlation,
        (signals, correlations): (&[usize], &[usize]),
        span: Span,
    ) -> usize {
        let fields = |fields: &super::Fields| {
            fields.iter().map(|(at, field)| (signals[*at], field.clone())).collect()
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
        for counted in moved.test.fields_mut() {
            *counted = fields(counted);
        }
        let same = |known: &Correlation| {
            known.title == moved.title
                && known.origins == moved.origins
                && known.keys == moved.keys
                && (known.timespan, &known.test) == (moved.timespan, &moved.test)
                && known.window == moved.window
        };
        if let Some(at) = self.correlations.iter().position(same) {
            return at;
        }
        moved.name = self.free(&moved.name);
        self.correlations.push(moved);
        self.correlations.len() - 1
    }

    /// Reserves a name, with a number after it when the name is in use
    fn free(&mut self, name: &str) -> String {
        let mut free = name.to_owned();
        while self.taken.contains_key(&free) {
            let next = self.taken.entry(name.to_owned()).or_insert(2);
            free = format!("{name}_{next}");
            *next += 1;
        }
        self.taken.insert(free.clone(), 2);
        free
    }
}

/// A name that is valid in a query and a file name: `a` to `z`, digits and `_`, at most 36
/// characters
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
