//! One signal as a tabular expression.
//!
//! In: a signal of a rule. Out: its rows: the table, one `where` per clause in the author's order
//! with the label of each exclusion as a comment, and the projection that all signals share.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::columns::{Projected, projection};
use super::context::{Context, Planning, actions_of};
use super::keys;
use super::lets::Lets;
use super::novelty;
use super::preamble::preamble;
use super::predicate::expression;
use super::profile::Profile;
use super::subject;
use crate::backend::{Direction, LossName, Session, one_line};
use crate::definition::{Form, Level};
use crate::ir::{Case, Clause, Expr, Relation, Role, Rule, Signal};
use crate::pattern::Pattern;
use crate::query::kusto::{Expression, Item, Let, Pipeline, Step};
use crate::taxonomy::{EventKind, FieldType};

/// The `let` name of the prepared table, for each kind of event that several signals read
pub(super) type Sources = BTreeMap<EventKind, String>;

/// Prepares the tables that several signals read; returns their names and their statements
pub(super) fn sources(profile: Profile, rule: &Rule, lets: &mut Lets) -> (Sources, Vec<Let>) {
    let (mut sources, mut statements) = (Sources::new(), Vec::new());
    for kind in EventKind::ALL {
        let steps = preamble(profile, *kind);
        let readers = rule.signals.iter().filter(|signal| signal.kind == *kind).count();
        let Some(table) = profile.table(*kind).filter(|_| readers > 1 && !steps.is_empty()) else {
            continue;
        };
        let name = lets.name(&format!("all_{}", kind.name()));
        statements.push(Let::new(&name, Pipeline::of(table, steps.iter().cloned())));
        sources.insert(*kind, name);
    }
    (sources, statements)
}

/// The rows of a signal, and the columns they have
pub(super) fn rows(
    planning: &mut Planning<'_, '_>,
    sources: &Sources,
    at: usize,
) -> (Pipeline, Vec<Projected>) {
    let Planning { profile, rule, .. } = *planning;
    let signal = &rule.signals[at];
    let session = &mut *planning.session;
    session.enter(&signal.name);
    let table = profile.table(signal.kind).unwrap_or_else(|| {
        let message = format!("{} has no table of {} events", session.target(), signal.kind);
        let help = "Name the signal under `without:` of this target.";
        session.refuse(signal.span, message, "no such table", help);
        ""
    });
    let prepared = match sources.get(&signal.kind) {
        Some(shared) => Pipeline::of(shared, []),
        None => Pipeline::of(table, preamble(profile, signal.kind).iter().cloned()),
    };
    let scope = scope(profile, rule, signal, session).map(Step::filter);
    let earlier = includes_earlier_names(signal);
    let kind = signal.kind;
    let lets = &mut *planning.lets;
    let mut context = Context { profile, kind, lets, session, earlier };
    let mut steps = clauses(&mut context, signal);
    if !signal.cases.is_empty() {
        steps.push(level(&mut context, rule.level, &signal.cases));
    }
    let mut columns = projection(profile, rule, signal);
    for column in columns.iter_mut().filter(|_| earlier) {
        column.value = subject::earlier(profile, &column.value);
    }
    if let Some(new) = rule.new_terms.as_ref().filter(|new| new.signal == at) {
        novelty::add_terms(profile, &mut columns, signal, new);
    }
    keys::add_columns(planning, at, &mut columns);
    steps.push(Step::project(columns.iter().map(Projected::item)));
    (prepared.then(scope).then(steps), columns)
}

/// A step for each clause that the table's scope does not already cover
fn clauses(context: &mut Context<'_, '_>, signal: &Signal) -> Vec<Step> {
    let asked = signal.clauses.iter().position(asks_for_actions);
    let clauses = signal.clauses.iter().enumerate();
    let clauses = clauses.filter(|(at, _)| Some(*at) != asked);
    let mut steps = Vec::new();
    for (clause, rest) in clauses.filter_map(|(_, one)| Some((one, beside_direction(one)?))) {
        steps.push(match clause.role {
            Role::Require => Step::filter(expression(context, &rest)),
            Role::Exclude => {
                let excluded = context.negated(|context| expression(context, &rest));
                let mut step = Step::filter(Expression::call("not", [excluded]));
                if !clause.label.is_empty() {
                    step.comments.push(format!("not: {}", one_line(&clause.label)));
                }
                step
            }
        });
    }
    steps
}

/// The rows of the table that are events of the signal's kind; `None` for all of them
fn scope(
    profile: Profile,
    rule: &Rule,
    signal: &Signal,
    session: &mut Session<'_>,
) -> Option<Expression> {
    if let Some(product) = signal.product {
        // Source: the Device*Events tables and some parsers have no column for the product.
        let tables = match (signal.kind, profile) {
            (EventKind::SecurityAlert, _) => "SecurityAlert does",
            (EventKind::Webserver, Profile::Defender) => "W3CIISLog does",
            (_, Profile::Asim) => "the ASIM parsers do",
            (_, Profile::Defender | Profile::Xdr) => "the Defender tables do",
        };
        let reason = format!("{tables} not say which rows are {product}");
        session.lose(LossName::Product, Direction::Wider, signal.span, &reason);
    }
    let says_so = signal.clauses.iter().any(excludes_incoming)
        || signal.clauses.iter().flat_map(Clause::conjuncts).any(|part| is_initiated(part, "true"));
    let all: &[&str] = match signal.kind {
        // The parser returns only process creations.
        EventKind::ProcessCreation if profile == Profile::Asim => return None,
        EventKind::ProcessCreation => {
            let created = Expression::text("ProcessCreated");
            return Some(Expression::name("ActionType").compare("==", created));
        }
        EventKind::FileEvent => &["created", "deleted", "modified", "renamed"],
        EventKind::RegistryEvent => &["created", "deleted", "modified", "renamed"],
        EventKind::NetworkConnection if profile == Profile::Asim => {
            let incoming = ["Inbound", "Listen"].map(Expression::text);
            let direction = Expression::name("NetworkDirection");
            return says_so.then(|| direction.one_of("!in~", incoming.to_vec()));
        }
        EventKind::NetworkConnection => {
            if rule.form != Form::Definition && !says_so {
                let reason =
                    "Defender's remote side is the destination only of outgoing connections";
                session.lose(LossName::Inbound, Direction::Narrower, signal.span, reason);
            }
            let outgoing = ["ConnectionAttempt", "ConnectionFailed", "ConnectionSuccess"];
            let outgoing = outgoing.map(Expression::text).to_vec();
            return Some(Expression::name("ActionType").one_of("in", outgoing));
        }
        EventKind::Webserver | EventKind::SecurityAlert | EventKind::Log(_) => return None,
    };
    let asked = signal.clauses.iter().find(|clause| asks_for_actions(clause));
    let asked = asked.and_then(|clause| clause.expr.as_test()?.op.as_text());
    let asked = asked.map(|text| text.values.clone());
    let actions = asked.unwrap_or_else(|| all.iter().map(|word| Pattern::literal(word)).collect());
    let column = if profile == Profile::Asim { "EventType" } else { "ActionType" };
    Some(actions_of(Expression::name(column), signal.kind, &actions))
}

/// Whether the rows can include renamed or deleted keys
fn includes_earlier_names(signal: &Signal) -> bool {
    let asked = signal.clauses.iter().filter(|clause| asks_for_actions(clause));
    let mut asked = asked.filter_map(|clause| clause.expr.as_test()?.op.as_text());
    signal.kind == EventKind::RegistryEvent && asked.all(|text| text.has("renamed"))
}

/// Whether the clause restricts the action; the first such clause becomes the table's scope
fn asks_for_actions(clause: &Clause) -> bool {
    let Some(test) = clause.expr.as_test() else { return false };
    clause.role == Role::Require
        && test.subject.field.kind() == FieldType::Action
        && test.op.as_text().is_some()
}

/// A clause without its test of direction, which the table's scope covers; `None` when no other
/// test is left
fn beside_direction(clause: &Clause) -> Option<Cow<'_, Expr>> {
    let parts = clause.conjuncts();
    let said = |part: &Expr| is_initiated(part, "true");
    let rest: Vec<&Expr> = parts.iter().copied().filter(|part| !said(part)).collect();
    match &*rest {
        _ if excludes_incoming(clause) => None,
        _ if rest.len() == parts.len() => Some(Cow::Borrowed(&clause.expr)),
        [] => None,
        [only] => Some(Cow::Borrowed(only)),
        rest => Some(Cow::Owned(Expr::All(rest.iter().map(|part| (*part).clone()).collect()))),
    }
}

/// Whether a clause excludes incoming connections, which the table's scope drops already
fn excludes_incoming(clause: &Clause) -> bool {
    clause.role == Role::Exclude && is_initiated(&clause.expr, "false")
}

/// Whether an expression requires that `Initiated` equals `wanted`, and tests no other value
fn is_initiated(expr: &Expr, wanted: &str) -> bool {
    let Some(test) = expr.as_test() else { return false };
    let Some(text) = test.op.as_text() else { return false };
    let says = |value: &Pattern| {
        value.as_literal().is_some_and(|literal| match text.case {
            Case::Insensitive => literal.eq_ignore_ascii_case(wanted),
            Case::Sensitive => literal == wanted,
        })
    };
    let equals = text.relation == Relation::Equals && text.values.iter().all(says);
    equals && test.subject.field.name() == "Initiated"
}

/// A `Level` column: the level of the first case that matches, or `default`
fn level(context: &mut Context<'_, '_>, default: Level, cases: &[(Level, Expr)]) -> Step {
    let mut arguments = Vec::new();
    for (level, expr) in cases {
        arguments.push(expression(context, expr));
        arguments.push(Expression::text(level.as_str()));
    }
    let function = if cases.len() == 1 { "iff" } else { "case" };
    arguments.push(Expression::text(default.as_str()));
    Step::extend([Item::named("Level", Expression::call(function, arguments))])
}
