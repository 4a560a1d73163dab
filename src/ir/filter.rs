//! Sigma filters: the same exclusion added to many rules.
//!
//! In: a lowered filter and the rules of the run. Out: the rules that the filter names, with its
//! clauses after their own. The specification does not say how the two conditions are joined; as in
//! pySigma both must hold, so an exclusion is written `condition: not selection`.
//!
//! INVARIANT: no rule leaves without a filter that is meant for it. What a filter with an error
//! names is refused.

use std::collections::BTreeSet;

use super::called::Called;
use super::{Clause, ClauseOrigin, Rule, Signal};
use crate::definition::{Definition, Filtered, Form};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};

/// Adds the Sigma filters to the rules that they are for; returns the indices of rules to refuse
pub(super) fn narrow(
    (all, called, rules): (&[&Definition], &Called<'_>, &mut [Option<Rule>]),
    diagnostics: &mut Diagnostics,
) -> BTreeSet<usize> {
    let mut refused = BTreeSet::new();
    for (at, definition) in all.iter().enumerate() {
        if definition.form != Form::Filter {
            continue;
        }
        let rules = match rules[at].take() {
            Some(filter) => one(definition, &filter, (all, called, &mut *rules), diagnostics),
            None => broken(definition, (all, called, rules), diagnostics),
        };
        refused.extend(rules);
    }
    refused
}

/// The indices of the rules for which a filter with an error is meant
fn broken(
    definition: &Definition,
    (all, called, rules): (&[&Definition], &Called<'_>, &[Option<Rule>]),
    diagnostics: &mut Diagnostics,
) -> Vec<usize> {
    let filter = definition.filter.as_ref();
    let meant: Vec<usize> = match filter.map(|filter| &filter.rules) {
        Some(Filtered::These(names)) => {
            names.iter().flat_map(|name| called.at(&name.value)).copied().collect()
        }
        Some(Filtered::Any) | None => {
            let signal = definition.signals.first();
            let kind = signal.and_then(|signal| signal.event.as_ref());
            let fits = |rule: &Rule| match (signal, kind) {
                (Some(signal), Some(kind)) => {
                    let product = signal.product.as_ref().map(|product| product.value);
                    let source = (&kind.value, signal.log.as_ref());
                    rule.signals.iter().any(|one| one.is_of(source, product))
                }
                (None, _) | (_, None) => true,
            };
            (0..all.len()).filter(|at| rules[*at].as_ref().is_some_and(fits)).collect()
        }
    };
    let meant: Vec<usize> = meant.into_iter().filter(|at| all[*at].form != Form::Filter).collect();
    let titles = meant.iter().map(|at| format!("`{}`", all[*at].metadata.title.value));
    let titles: Vec<String> = titles.take(5).collect();
    if meant.is_empty() {
        return meant;
    }
    let count = match meant.len() {
        1 => "the rule that it narrows is".to_owned(),
        count => format!("the {count} rules that it narrows are"),
    };
    let message =
        format!("filter `{}` has an error, so {count} refused", definition.metadata.title.value);
    let span = filter.map_or(definition.metadata.title.span, |filter| filter.span);
    let label = "would report what it leaves out";
    let diagnostic = Diagnostic::new(Code::E0414, &definition.source, span, message, label);
    let more = if titles.len() < meant.len() { " and others" } else { "" };
    diagnostics.push(diagnostic.note(format!("refused: {}{more}", titles.join(", "))));
    meant
}

/// Adds a Sigma filter to the rules that it is for; returns the indices of rules to refuse
///
/// `filter` is the lowered filter. An event must then fit the filter's condition as well.
fn one(
    definition: &Definition,
    filter: &Rule,
    (all, called, rules): (&[&Definition], &Called<'_>, &mut [Option<Rule>]),
    diagnostics: &mut Diagnostics,
) -> Vec<usize> {
    let mut refused = Vec::new();
    let (Some(says), [narrowing]) = (&definition.filter, &*filter.signals) else { return refused };
    let source = &definition.source;
    let title = &definition.metadata.title.value;
    let mut report = |code, span, message: String, label: &str, help: &str| {
        let diagnostic = Diagnostic::new(code, source, span, message, label);
        diagnostics.push(if help.is_empty() { diagnostic } else { diagnostic.help(help) });
    };
    let names = match &says.rules {
        Filtered::These(names) => names,
        Filtered::Any => {
            let rules = rules.iter_mut().flatten();
            let added = rules.filter_map(|rule| add(rule, narrowing, title).then_some(()));
            if added.count() == 0 {
                let message = "no rule is of the filter's log source".to_owned();
                report(Code::W0413, says.span, message, "changes nothing", "");
            }
            return refused;
        }
    };
    for name in names {
        let mut known = false;
        for at in called.at(&name.value) {
            let Some(rule) = &mut rules[*at] else { continue };
            known = true;
            if !add(rule, narrowing, title) {
                let other = &rule.metadata.title.value;
                let message = format!("filter for other events than `{other}`");
                let help = "The rule is refused. Give the filter the log source of the rule.";
                report(Code::E0412, name.span, message, "has another log source", help);
                refused.push(*at);
            }
        }
        match called.at(&name.value).first().map(|at| all[*at]) {
            _ if known => {}
            Some(other) if other.form == Form::Correlation => {
                let message = format!("`{}` is a correlation", name.value);
                let help = "Name the rules that it is about.";
                report(Code::E0412, name.span, message, "has no events of its own", help);
                refused.extend(called.at(&name.value));
            }
            // It exists but failed to lower; that error is already reported.
            Some(_) => {}
            None => {
                let message = format!("no rule is called `{}`", name.value);
                let label = "by name or id, among the files read";
                report(Code::W0413, name.span, message, label, "");
            }
        }
    }
    refused
}

/// Appends the filter's clauses to each signal with the filter's log source; false when there is no
/// such signal
///
/// The clauses get the span of the signal.
fn add(rule: &mut Rule, filter: &Signal, title: &str) -> bool {
    let alike = |signal: &&mut Signal| {
        let action = filter.action.is_none() || filter.action == signal.action;
        action && signal.is_of((&filter.kind, filter.log.as_ref()), filter.product)
    };
    let mut added = false;
    for signal in rule.signals.iter_mut().filter(alike) {
        let filter = filter.at(signal.span);
        // Only the author's clauses: the log source of the rule implies its own.
        let parts = filter.clauses.into_iter().filter(|one| one.origin == ClauseOrigin::Author);
        let label = format!("filter {title}");
        signal.clauses.extend(parts.map(|part| Clause { label: label.clone(), ..part }));
        added = true;
    }
    added
}
