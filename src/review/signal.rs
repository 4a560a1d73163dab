//! What changed in the signals and correlations of a rule.
//!
//! In: the rule before and after. Out: the [`Effect`], and a line for each difference. Signals are told by their
//! names; a signal of another name and the same meaning is told as renamed.

use std::collections::BTreeSet;

use super::Effect;
use super::implies::implies;
use crate::ir::{
    Bound, Clause, CorrelationTest, Expr, Op, Role, Rule, Signal, Test, correlation_text,
    normalize, test_text,
};

/// The effect of a change, and what changed
pub(super) fn compare(before: &Rule, after: &Rule) -> (Effect, Vec<String>) {
    let (mut effect, mut lines) = (Effect::Same, Vec::new());
    let named = |rule: &'_ Rule, name: &str| rule.signals.iter().position(|one| one.name == name);
    let mut gone: Vec<&Signal> =
        before.signals.iter().filter(|one| named(after, &one.name).is_none()).collect();
    for signal in &after.signals {
        let Some(at) = named(before, &signal.name) else {
            if let Some(old) = gone.iter().position(|old| same(old, signal)) {
                let old = gone.remove(old);
                let kept = old.id.is_some()
                    && old.id.as_ref().map(|id| &id.value)
                        == signal.id.as_ref().map(|id| &id.value);
                let ids = if kept { "" } else { "; the id of its rule in Elastic changes" };
                lines.push(format!("signal {} is called {} now{ids}", old.name, signal.name));
            } else {
                effect = effect.and(Effect::Widens);
                lines.push(format!("signal {} is new", signal.name));
            }
            continue;
        };
        let (of_signal, changes) = of_signal(&before.signals[at], signal);
        effect = effect.and(of_signal);
        lines.extend(changes);
    }
    for signal in gone {
        effect = effect.and(Effect::Narrows);
        lines.push(format!("signal {} is gone", signal.name));
    }
    // Of more events, those that are new, or few, may be others.
    if effect != Effect::Same && !(grows(before) && grows(after)) {
        effect = Effect::Undecided;
    }
    let terms = |rule: &Rule| {
        rule.new_terms.as_ref().map(|new| {
            let fields: Vec<&str> = new.fields.iter().map(|field| field.name()).collect();
            format!("{} within {} minutes", fields.join(" + "), new.window)
        })
    };
    if terms(before) != terms(after) {
        effect = Effect::Undecided;
        let words = |terms: Option<String>| terms.unwrap_or_else(|| "none".to_owned());
        lines.push(format!("new terms {} -> {}", words(terms(before)), words(terms(after))));
    }
    let (of_correlations, changes) = correlations(before, after);
    lines.extend(changes);
    (effect.and(of_correlations), lines)
}

/// Whether a rule reports no less when its signals find more
fn grows(rule: &Rule) -> bool {
    let least = |bound: &Bound| bound.to.is_none();
    rule.new_terms.is_none()
        && rule.correlations.iter().all(|one| match &one.test {
            CorrelationTest::Together | CorrelationTest::InOrder => true,
            CorrelationTest::Events(bound)
            | CorrelationTest::Origins(bound)
            | CorrelationTest::Values(_, bound) => least(bound),
            CorrelationTest::Numbers(..) => false,
        })
}

/// Whether two signals look at the same events and mean the same
fn same(before: &Signal, after: &Signal) -> bool {
    of_events(before) == of_events(after)
        && normalize(before.expr()) == normalize(after.expr())
        && before.cases == after.cases
}

/// The events that a signal looks at, in words
fn of_events(signal: &Signal) -> String {
    let product = signal.product.map_or("any product", |product| product.name());
    format!("{}, {product}", signal.events())
}

fn of_signal(before: &Signal, after: &Signal) -> (Effect, Vec<String>) {
    let mut lines = Vec::new();
    let name = &after.name;
    let (one, other) = (normalize(before.expr()), normalize(after.expr()));
    let mut effect = match (implies(&one, &other), implies(&other, &one)) {
        (true, true) => Effect::Same,
        (true, false) => Effect::Widens,
        (false, true) => Effect::Narrows,
        (false, false) => Effect::Undecided,
    };
    if of_events(before) != of_events(after) {
        effect = Effect::Undecided;
        lines.push(format!("{name}: events {} -> {}", of_events(before), of_events(after)));
    }
    if before.title != after.title {
        lines.push(format!("{name}: another title"));
    }
    if one != other {
        let changes = clauses(before, after);
        let otherwise = format!("{name}: the condition is written otherwise");
        match changes.is_empty() {
            true => lines.push(otherwise),
            false => lines.extend(changes.into_iter().map(|line| format!("{name}: {line}"))),
        }
    }
    if before.cases != after.cases {
        lines.push(format!("{name}: the levels of its matches"));
    }
    (effect, lines)
}

/// What changed clause by clause; a clause is told by its role and label
fn clauses(before: &Signal, after: &Signal) -> Vec<String> {
    let mut lines = Vec::new();
    let mut known: Vec<&Clause> = before.clauses.iter().collect();
    for clause in &after.clauses {
        let same = |old: &&Clause| old.role == clause.role && old.label == clause.label;
        let Some(at) = known.iter().position(same) else {
            lines.push(format!("{} is new", titled(clause)));
            continue;
        };
        let old = known.remove(at);
        if old.expr != clause.expr {
            let changed = listed(&titled(clause), &values(&old.expr), &values(&clause.expr));
            let otherwise = format!("{} is written otherwise", titled(clause));
            lines.push(changed.unwrap_or(otherwise));
        }
    }
    lines.extend(known.into_iter().map(|clause| format!("{} is gone", titled(clause))));
    lines
}

fn titled(clause: &Clause) -> String {
    match (clause.role, clause.label.as_str()) {
        (Role::Require, label) => label.to_owned(),
        (Role::Exclude, "") => "an exclusion".to_owned(),
        (Role::Exclude, label) => format!("exclusion \"{label}\""),
    }
}

/// What an expression asks for, value by value
fn values(expr: &Expr) -> BTreeSet<String> {
    let single = |test: &Test| -> Vec<String> {
        let Some(text) = test.op.as_text() else {
            return vec![test_text(&Test { list: None, ..test.clone() })];
        };
        let one = |value| {
            let op = Op::Text(text.with(vec![value]));
            test_text(&Test { op, list: None, ..test.clone() })
        };
        text.values.iter().cloned().map(one).collect()
    };
    expr.tests().into_iter().flat_map(single).collect()
}

/// The values of a list that came and went; `None` when none did
pub(super) fn listed(
    name: &str,
    before: &BTreeSet<String>,
    after: &BTreeSet<String>,
) -> Option<String> {
    let came = after.difference(before).map(|value| format!("+ {value}"));
    let went = before.difference(after).map(|value| format!("- {value}"));
    let all: Vec<String> = came.chain(went).collect();
    (!all.is_empty()).then(|| format!("{name} {}", all.join(", ")))
}

fn correlations(before: &Rule, after: &Rule) -> (Effect, Vec<String>) {
    let (mut effect, mut lines) = (Effect::Same, Vec::new());
    let find =
        |rule: &'_ Rule, name: &str| rule.correlations.iter().position(|one| one.name == name);
    for one in &after.correlations {
        let Some(at) = find(before, &one.name) else {
            effect = effect.and(Effect::Undecided);
            lines.push(format!("correlation {} is new", one.name));
            continue;
        };
        let old = &before.correlations[at];
        let parts = |rule: &Rule, one| -> BTreeSet<String> {
            correlation_text(rule, one).split("; ").map(ToOwned::to_owned).collect()
        };
        let name = format!("correlation {}:", one.name);
        if let Some(line) = listed(&name, &parts(before, old), &parts(after, one)) {
            effect = Effect::Undecided;
            lines.push(line);
        }
        if old.level != one.level {
            lines.push(format!("correlation {}: level {} -> {}", one.name, old.level, one.level));
        }
    }
    for old in before.correlations.iter().filter(|one| find(after, &one.name).is_none()) {
        effect = effect.and(Effect::Undecided);
        lines.push(format!("correlation {} is gone", old.name));
    }
    (effect, lines)
}
