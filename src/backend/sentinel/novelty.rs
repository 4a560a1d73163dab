//! Rows whose combination of values is new.
//!
//! In: the signal that `new_terms` names. Out: the columns its terms need, and the statement that
//! keeps the rows which a baseline over the window does not have.

use super::columns::Projected;
use super::fields::{self, Type};
use super::keys;
use super::lets::Lets;
use super::profile::Profile;
use super::schedule::Schedule;
use crate::backend::Losses;
use crate::backend::settings::span;
use crate::ir::{NewTerms, Rule, Signal};

/// Adds the columns of the new terms that the projection does not have
pub(super) fn add_terms(
    profile: Profile,
    columns: &mut Vec<Projected>,
    signal: &Signal,
    new: &NewTerms,
) {
    for (column, name) in terms(profile, columns, signal, new) {
        if !columns.iter().any(|have| have.name == name) {
            columns.push(Projected { name, kind: "string", expression: column.name.to_owned() });
        }
    }
}

/// Each new term's column in the table and its name in the result
fn terms(
    profile: Profile,
    columns: &[Projected],
    signal: &Signal,
    new: &NewTerms,
) -> Vec<(fields::Column, String)> {
    let mut terms = Vec::new();
    for field in &new.fields {
        for column in fields::columns(profile, signal.kind, *field) {
            let shown = columns.iter().find(|have| have.expression == column.name);
            let plain = column.name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            let name = match (shown, plain) {
                (Some(shown), _) => shown.name.clone(),
                (None, true) => column.name.to_owned(),
                (None, false) => keys::pascal(field.name(), "Term"),
            };
            terms.push((column, name));
        }
    }
    terms
}

/// The rows whose terms the baseline does not have, joined with the other signals' recent rows
///
/// Keys compare as stored. A row without one of them is left out, and of several rows with the
/// same new terms the earliest stays, as Elastic's `new_terms` rules do it.
pub(super) fn novelty(
    (profile, rule, new): (Profile, &Rule, &NewTerms),
    columns: &[Projected],
    (name, alone): (&str, bool),
    schedule: Schedule,
    (lets, losses): (&mut Lets, &mut Losses<'_>),
) -> (Option<String>, Vec<String>) {
    let signal = &rule.signals[new.signal];
    if rule.correlates(new.signal) {
        // A row would have to be compared with the window before it, and not with that before the run.
        let message = format!("a correlation of new terms of `{}`", signal.name);
        let help = "Name the correlation under `without:` of this target.";
        losses.refuse(new.span, message, "no query of one run says what was new when", help);
    }
    for field in &new.fields {
        if fields::columns(profile, signal.kind, *field).is_empty() {
            let message = format!("{} has no column for the new term {field}", losses.target());
            losses.refuse(new.span, message, "no such column", "");
        }
    }
    let terms = terms(profile, columns, signal, new);
    let keys = terms.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ");
    let there = terms.iter().map(|(column, name)| match column.kind {
        Type::Number => format!("isnotnull({name})"),
        Type::Dashed => format!("{name} !in (\"\", \"-\")"),
        Type::Text | Type::Recased | Type::List | Type::Action | Type::Direction => {
            format!("isnotempty({name})")
        }
    });
    let there: Vec<String> = there.collect();
    if terms.iter().any(|(column, _)| column.kind == Type::List) {
        let message = "a list as a new term".to_owned();
        losses.refuse(new.span, message, "each element would be a term of its own", "");
    }
    let time = profile.time();
    // An alert is new when it is raised, whenever the process in it ran.
    let raised = columns.iter().any(|column| column.name == "AlertTime");
    let seen = if raised { "AlertTime" } else { time };
    let recent = format!("{seen} >= ago({})", span(schedule.frequency));
    let rows = vec![
        format!("| where {recent}"),
        format!("| where {}", there.join(" and ")),
        format!("| join kind=leftanti ("),
        format!("    {name}"),
        match schedule.period > new.window {
            true => format!(
                "    | where {seen} >= ago({}) and {seen} < ago({})",
                span(new.window),
                span(schedule.frequency)
            ),
            false => format!("    | where {seen} < ago({})", span(schedule.frequency)),
        },
        format!("    | distinct {keys}"),
        format!(") on {keys}"),
        format!("| summarize arg_min({time}, *) by {keys}"),
    ];
    if alone {
        return (None, [name.to_owned()].into_iter().chain(rows).collect());
    }
    let fresh = lets.name(&format!("new_{name}"));
    let mut lines = vec![
        format!("// Only combinations of {keys} not seen in the last {}", span(new.window)),
        format!("let {fresh} = {name}"),
    ];
    lines.extend(rows);
    if let Some(last) = lines.last_mut() {
        last.push(';');
    }
    (Some(fresh), lines)
}
