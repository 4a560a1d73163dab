//! Lowers a [`Definition`] to a [`Rule`].
//!
//! In: words, fields, modifiers, `$name` and `1 of` patterns as the author wrote them. Out:
//! normalized expressions over fields. Every mistake is reported at its word; a definition with
//! mistakes gives no rule.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::scope::Scope;
use super::test;
use super::{
    Column, Role, Rule, Signal, attack, condition, contradiction, correlation, normalize, novelty,
};
use crate::definition::{self, Definition, Form, Level, List, Placeholders, nearest_name};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::Spanned;

/// Lowers a definition, or a Sigma rule or filter; `None` after an error, which `diagnostics` then
/// holds
///
/// `None` for a Sigma correlation too: `ir::link` lowers it over the rules it names.
pub fn lower(definition: &Definition, diagnostics: &mut Diagnostics) -> Option<Rule> {
    lower_with(definition, &Placeholders::default(), diagnostics)
}

/// Lowers like [`lower`], with values for placeholders
pub fn lower_with(
    definition: &Definition,
    placeholders: &Placeholders,
    diagnostics: &mut Diagnostics,
) -> Option<Rule> {
    if definition.form == Form::Correlation {
        return None;
    }
    let source = &definition.source;
    let mut findings = Diagnostics::default();
    let threats = attack::threats(definition, &mut findings);
    let mut named = HashMap::new();
    for list in &definition.lists {
        named.entry(list.name.value.as_str()).or_insert(list);
    }
    let mut used = HashSet::new();
    let mut signals = Vec::new();
    for signal in &definition.signals {
        let around = (definition, placeholders, &named);
        signals.extend(lower_signal(around, signal, &mut used, &mut findings));
    }
    for list in &definition.lists {
        if !used.contains(list.name.value.as_str()) {
            let message = format!("no signal uses list `{}`", list.name.value);
            findings.push(Diagnostic::new(Code::W0214, source, list.name.span, message, "unused"));
        }
    }
    let new_terms = definition
        .new_terms
        .as_ref()
        .and_then(|n| novelty::lower(definition, n, &signals, &mut findings));
    let level = definition.metadata.level.as_ref().map_or(Level::Medium, |level| level.value);
    let all = signals.len() == definition.signals.len();
    // With a signal missing, errors about its correlations would mislead.
    let correlations = match all {
        true => correlation::lower(definition, &signals, level, &mut findings),
        false => Vec::new(),
    };
    contradiction::report(&signals, source, &mut findings);
    check_names(definition, &mut findings);
    check_tests(definition, &mut findings);
    let complete = all && !findings.has_errors();
    diagnostics.extend(findings);
    let columns = Column::of(&signals);
    complete.then(|| Rule {
        source: Arc::clone(source),
        span: definition.span,
        form: definition.form,
        metadata: Arc::clone(&definition.metadata),
        level,
        threats,
        signals,
        new_terms,
        columns,
        correlations,
        targets: definition.targets.clone(),
        tests: definition.tests.clone(),
    })
}

fn lower_signal<'d>(
    (definition, placeholders, named): (
        &'d Definition,
        &'d Placeholders,
        &'d HashMap<&'d str, &'d List>,
    ),
    signal: &'d definition::Signal,
    used: &'d mut HashSet<String>,
    diagnostics: &'d mut Diagnostics,
) -> Option<Signal> {
    let kind = &signal.event.as_ref()?.value;
    let product = signal.product.as_ref().map(|product| product.value);
    let mut scope = Scope {
        source: &definition.source,
        lists: &definition.lists,
        named,
        placeholders,
        kind,
        product,
        open: definition.form != Form::Definition,
        size: 0,
        texts: 0,
        bytes: 0,
        used,
        diagnostics,
    };
    let mut clauses = Vec::new();
    for entry in &signal.selection.entries {
        let expr = test::lower(&mut scope, entry);
        clauses.extend(expr.map(|e| condition::clause(Role::Require, &entry.key.name.value, e)));
    }
    if let Some(detection) = &signal.detection {
        clauses.extend(condition::lower(&mut scope, detection));
    }
    for exclusion in &signal.exclusions {
        let label = exclusion.note.as_ref().map_or_else(String::new, |note| note.value.clone());
        let expr = test::lower_all(&mut scope, &exclusion.selection);
        clauses.push(condition::clause(Role::Exclude, &label, expr));
    }
    let mut cases = Vec::new();
    for case in &signal.levels {
        let expr = test::lower_all(&mut scope, &case.selection);
        cases.push((case.level.value, normalize(expr)));
    }
    clauses.extend(test::implied(kind, signal.action, definition.form, &clauses));
    let title = signal.title.as_ref().unwrap_or(&definition.metadata.title).value.clone();
    let (name, id) = (signal.name.value.clone(), signal.id.clone());
    let (span, action) = (signal.name.span, signal.action);
    let (kind, log) = (kind.clone(), signal.log.clone());
    // Sigma's rules have no signals, so `name` is none of the author's.
    let shown = if definition.form == Form::Definition { name.clone() } else { title.clone() };
    Some(Signal { name, shown, span, id, title, kind, log, action, product, clauses, cases })
}

/// The names of signals and correlations
fn names(definition: &Definition) -> impl Iterator<Item = &Spanned<String>> {
    let signals = definition.signals.iter().map(|signal| &signal.name);
    signals.chain(definition.correlations.iter().map(|one| &one.name))
}

/// Reports a correlation with the name of a signal, and a `without` that names neither
fn check_names(definition: &Definition, diagnostics: &mut Diagnostics) {
    let source = &definition.source;
    let mut signals = HashMap::new();
    for signal in &definition.signals {
        signals.entry(signal.name.value.as_str()).or_insert(signal);
    }
    for one in &definition.correlations {
        if let Some(twin) = signals.get(one.name.value.as_str()) {
            let message = format!("`{}` is a signal already", one.name.value);
            let diagnostic = Diagnostic::new(Code::E0115, source, one.name.span, message, "again");
            diagnostics.push(diagnostic.also(twin.name.span, "first here"));
        }
    }
    let all: HashSet<&str> = names(definition).map(|name| name.value.as_str()).collect();
    for name in definition.targets.iter().flat_map(|target| &target.without) {
        if all.contains(name.value.as_str()) {
            continue;
        }
        let message = format!("no signal or correlation is called `{}`", name.value);
        let diagnostic = Diagnostic::new(Code::E0411, source, name.span, message, "unknown");
        let known = names(definition).map(|known| known.value.as_str());
        diagnostics.push(match nearest_name(&name.value, known) {
            Some(near) => diagnostic.replace(name.span, near),
            None => diagnostic,
        });
    }
}

fn check_tests(definition: &Definition, diagnostics: &mut Diagnostics) {
    let known: Vec<&str> = names(definition).map(|name| name.value.as_str()).collect();
    let all: HashSet<&str> = known.iter().copied().collect();
    for sample in &definition.tests {
        if let Some(name) = &sample.signal
            && !all.contains(name.value.as_str())
        {
            let message = format!("no signal is called `{}`", name.value);
            let source = &definition.source;
            let diagnostic = Diagnostic::new(Code::E0404, source, name.span, message, "unknown");
            diagnostics.push(match nearest_name(&name.value, known.iter().copied()) {
                Some(near) => diagnostic.replace(name.span, near),
                None => diagnostic,
            });
        }
    }
}
