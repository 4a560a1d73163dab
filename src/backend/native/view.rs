//! The generated file as its template shows it.

use serde::Serialize;

use super::expr::{Constant, Constants, Printer, literal};
use crate::backend::Losses;
use crate::ir::{Expr, Role, Rule};

/// What the template shows: ready strings
#[derive(Debug, Serialize)]
pub(super) struct MatcherView {
    title: String,
    id: String,
    constants: Vec<Constant>,
    signals: Vec<SignalView>,
}

#[derive(Debug, Serialize)]
struct SignalView {
    name: String,
    name_literal: String,
    heading: String,
    title: String,
    event: String,
    product: String,
    level: String,
    new_terms: String,
    window: u32,
    argument: &'static str,
    clauses: Vec<ClauseView>,
    cases: Vec<CaseView>,
}

#[derive(Debug, Serialize)]
struct ClauseView {
    comment: String,
    condition: String,
}

#[derive(Debug, Serialize)]
struct CaseView {
    condition: String,
    level: String,
}

/// Fills the view
pub(super) fn matcher(rule: &Rule, losses: &mut Losses<'_>) -> MatcherView {
    let mut constants = Constants::default();
    let mut signals = Vec::new();
    for (at, signal) in rule.signals.iter().enumerate() {
        let constants = &mut constants;
        let mut printer = Printer { signal: &signal.name, constants, losses };
        let mut clauses = Vec::new();
        for clause in &signal.clauses {
            let label = one_line(&clause.label);
            let fails = Expr::Not(Box::new(clause.expr.clone()));
            clauses.push(match clause.role {
                Role::Require => ClauseView { comment: label, condition: printer.print(&fails, 1) },
                Role::Exclude => ClauseView {
                    comment: format!("not: {label}"),
                    condition: printer.print(&clause.expr, 1),
                },
            });
        }
        let mut cases = Vec::new();
        for (level, expr) in &signal.cases {
            let condition = printer.print(expr, 1);
            cases.push(CaseView { condition, level: literal(level.as_str()) });
        }
        let new = rule.new_terms.as_ref().filter(|new| new.signal == at);
        let terms = new.map_or_else(Vec::new, |new| {
            new.fields.iter().map(|field| literal(field.name())).collect()
        });
        signals.push(SignalView {
            name: signal.name.clone(),
            name_literal: literal(&signal.name),
            heading: one_line(&signal.title),
            title: literal(&signal.title),
            event: literal(signal.kind.name()),
            product: match signal.product {
                Some(product) => format!("Some({})", literal(product.name())),
                None => "None".to_owned(),
            },
            level: literal(rule.level.as_str()),
            new_terms: terms.join(", "),
            window: new.map_or(0, |new| new.window),
            argument: if cases.is_empty() { "_" } else { "event" },
            clauses,
            cases,
        });
    }
    let id = rule.metadata.id.as_ref().map_or("", |id| id.value.as_str());
    MatcherView {
        title: one_line(&rule.metadata.title.value),
        id: id.to_owned(),
        constants: constants.sorted(),
        signals,
    }
}

/// A comment ends with its line, and rustc refuses marks that change the direction of text.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if crate::source::is_unprintable(c) { ' ' } else { c }).collect()
}
