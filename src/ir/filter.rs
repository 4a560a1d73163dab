//! Sigma filters: the same exclusion added to many rules.
//!
//! In: a lowered filter and the rules of the run. Out: the rules it names, with the filter's clauses
//! after their own. The specification does not say how the two conditions are joined; as in
//! pySigma both must hold, so an exclusion is written `condition: not selection`.

use super::link::at;
use super::{Clause, Rule, Signal};
use crate::definition::{Definition, Filtered};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};

/// Adds a Sigma filter to the rules that it is for
///
/// `rule` is the lowered filter. A rule must then fit the filter's condition as well.
pub(super) fn narrow(
    definition: &Definition,
    filter: &Rule,
    rules: &mut [&mut Rule],
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
            let all = rules.iter_mut().filter(|rule| looks_alike(rule, narrowing));
            return all.for_each(|rule| add(rule, narrowing, title));
        }
    };
    for name in names {
        let Some(rule) = rules.iter_mut().find(|rule| rule.is_called(&name.value)) else {
            let message = format!("no rule is called `{}`", name.value);
            let label = "by name or id, among the files read";
            report(Code::W0413, name.span, message, label, "");
            continue;
        };
        if looks_alike(rule, narrowing) {
            add(rule, narrowing, title);
            continue;
        }
        let message = format!("filter for other events than `{}`", rule.metadata.title.value);
        let help = "Give the filter the log source of the rule.";
        report(Code::E0412, name.span, message, "has another log source", help);
    }
}

/// Whether a rule looks at events that a filter is for
fn looks_alike(rule: &Rule, filter: &Signal) -> bool {
    let [signal] = &*rule.signals else { return false };
    (signal.kind, signal.action) == (filter.kind, filter.action)
        && (filter.product.is_none() || filter.product == signal.product)
}

/// Adds what a filter asks for, at the place of the rule's own selections
fn add(rule: &mut Rule, filter: &Signal, title: &str) {
    let filter = at(filter, rule.signals[0].span);
    let parts = filter.clauses.into_iter().filter(|clause| clause.label != "category");
    let label = format!("filter {title}");
    rule.signals[0].clauses.extend(parts.map(|part| Clause { label: label.clone(), ..part }));
}
