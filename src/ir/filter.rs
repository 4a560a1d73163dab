//! Sigma filters: the same exclusion added to many rules.
//!
//! In: a lowered filter and the rules of the run. Out: the rules that the filter names, with its
//! clauses after their own. The specification does not say how the two conditions are joined; as in
//! pySigma both must hold, so an exclusion is written `condition: not selection`.

use super::called::Called;
use super::{Clause, ClauseOrigin, Rule, Signal};
use crate::definition::{Definition, Filtered, Form};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};

/// Adds a Sigma filter to the rules that it is for
///
/// `filter` is the lowered filter. An event must then fit the filter's condition as well.
pub(super) fn narrow(
    definition: &Definition,
    filter: &Rule,
    (all, called, rules): (&[&Definition], &Called<'_>, &mut [Option<Rule>]),
    diagnostics: &mut Diagnostics,
) {
    let (Some(says), [narrowing]) = (&definition.filter, &*filter.signals) else { return };
    let source = &definition.source;
    let title = &definition.metadata.title.value;
    let mut report = |code, span, message: String, label: &str, help: &str| {
        let found = Diagnostic::new(code, source, span, message, label);
        diagnostics.push(if help.is_empty() { found } else { found.help(help) });
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
            return;
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
                let help = "Give the filter the log source of the rule.";
                report(Code::E0412, name.span, message, "has another log source", help);
            }
        }
        match called.at(&name.value).first().map(|at| all[*at]) {
            _ if known => {}
            Some(other) if other.form == Form::Correlation => {
                let message = format!("`{}` is a correlation", name.value);
                let help = "Name the rules that it is about.";
                report(Code::E0412, name.span, message, "has no events of its own", help);
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
}

/// Appends the filter's clauses to each signal with the filter's log source; false when there is no
/// such signal
///
/// The clauses get the span of the signal.
fn add(rule: &mut Rule, filter: &Signal, title: &str) -> bool {
    let alike = |signal: &&mut Signal| {
        let action = filter.action.is_none() || filter.action == signal.action;
        let product = filter.product.is_none() || filter.product == signal.product;
        action && product && filter.kind.takes(&signal.kind, signal.product)
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
