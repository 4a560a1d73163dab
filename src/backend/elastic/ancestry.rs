//! A signal about grandparents, as a sequence of two starts.
//!
//! In: a [`Signal`] that asks for the image of the parent's parent, which no index holds. Out: a
//! [`Plan`] of two steps. The start of the parent names the grandparent as its own parent; the start of
//! the program names the parent by the same id. Each clause is in the step whose event has its fields.
//!
//! Source: Elastic's own rules, 27 of which join the start of a process with that of its parent so.

use super::fields;
use super::language;
use super::plan::{Plan, Written};
use super::schedule;
use super::settings::Settings;
use crate::backend::Session;
use crate::diagnostic::Cause;
use crate::ir::{Clause, Expr, Op, Role, Signal, Test};
use crate::manifest::{Direction, LossName, Schedule};
use crate::mapping::{Index, Stream};
use crate::query::eql::{Eql, EventQuery, FieldName, Sequence, Step};
use crate::taxonomy::Field;

/// The most seconds between the two starts, as Elastic's own authors write
const SPAN: u32 = 300;

/// The field that this is about
const GRANDPARENT: &str = "GrandparentImage";

/// Fields of a start, and the fields in which the start of its parent says the same
const SAID_BY_THE_PARENT: &[(&str, &str)] = &[
    (GRANDPARENT, "ParentImage"),
    ("ParentImage", "Image"),
    ("ParentCommandLine", "CommandLine"),
    ("ParentProcessGuid", "ProcessGuid"),
    ("ParentProcessId", "ProcessId"),
    ("Computer", "Computer"),
];

/// A planned sequence
#[derive(Debug)]
pub(super) struct Family {
    pub(super) plan: Plan,
    pub(super) schedule: Schedule,
    /// The indices that name processes by ids
    pub(super) indices: Vec<Index>,
}

/// Plans a signal that asks for grandparents; `None` for another signal, and where the documents do
/// not name processes by ids
pub(super) fn plan(
    signal: &Signal,
    (stream, indices): (&Stream, &[Index]),
    settings: &Settings,
    session: &mut Session<'_>,
) -> Option<Family> {
    let asked = signal.tests().find(|test| is_of_grandparent(test))?;
    let ancestry = stream.ancestry.as_ref()?;
    let host = Field::named("Computer")?;
    let host = fields::terms(stream, &host).into_iter().map(FieldName::of).collect();
    let (named, unnamed): (Vec<Index>, Vec<Index>) =
        indices.iter().cloned().partition(|index| index.process_ids);
    if named.is_empty() {
        return None;
    }
    lose(asked, &unnamed, session);
    if !signal.cases.is_empty() {
        let reason = format!("a match of {} has the severity of the rule", signal.name);
        session.lose(LossName::LevelCases, Direction::Wider, signal.span, &reason);
    }
    let (parent, child) = generations(signal, session);
    let mut step = |signal: &Signal, id: &str| Step {
        absent: false,
        query: events(signal, (stream, &named), session),
        by: vec![FieldName::of(id)],
        runs: 1,
    };
    let steps = vec![step(&parent, &ancestry.process), step(&child, &ancestry.parent)];
    let maxspan = Some(u64::from(SPAN) * 1_000);
    let query = Eql::Sequence(Sequence { by: host, maxspan, steps, until: None });
    let plan = Plan { query: Written::Eql(query), filters: Vec::new() };
    let schedule = schedule::of_sequence(SPAN, asked.span, settings, session);
    Some(Family { plan, schedule, indices: named })
}

fn is_of_grandparent(test: &Test) -> bool {
    test.subject.field.name() == GRANDPARENT
}

fn lose(asked: &Test, unnamed: &[Index], session: &mut Session<'_>) {
    let minutes = SPAN / 60;
    let mut reason = format!(
        "a program is found only if its parent started less than {minutes} minutes before, and only \
         the first that fits of each parent"
    );
    if !unnamed.is_empty() {
        let patterns: Vec<&str> = unnamed.iter().map(|index| index.pattern.as_str()).collect();
        let patterns = patterns.join(", ");
        reason
            .push_str(&format!("; {patterns} are not searched, as they name no process by an id"));
    }
    session.lose(LossName::Ancestry, Direction::Narrower, asked.span, &reason);
    let reason = "two starts of one millisecond have no order";
    session.lose(LossName::Ties, Direction::Narrower, asked.span, reason);
}

/// The signal of the parent's start, and that of the program's start
///
/// A clause that no start alone can judge is refused.
fn generations(signal: &Signal, session: &mut Session<'_>) -> (Signal, Signal) {
    let (mut parent, mut child) = (Vec::new(), Vec::new());
    for clause in signal.clauses.iter().flat_map(pieces) {
        if !clause.expr.tests().into_iter().any(is_of_grandparent) {
            child.push(clause);
            continue;
        }
        match seen_by_the_parent(&clause.expr) {
            Ok(expr) => parent.push(Clause { expr, ..clause }),
            Err(test) => {
                let field = test.subject.field.name();
                let message =
                    format!("{field} and the grandparent in one test have no form on Elastic");
                let cause = Cause::Field(GRANDPARENT.to_owned());
                let help = "The event that names the grandparent is the start of the parent.";
                session.refuse(cause, test.span, message, "is in another event", help);
            }
        }
    }
    let of = |clauses| Signal { clauses, cases: Vec::new(), ..signal.clone() };
    (of(parent), of(child))
}

/// The clauses that together say the same, each as small as can be
fn pieces(clause: &Clause) -> Vec<Clause> {
    match (clause.role, &clause.expr) {
        (Role::Require, Expr::All(parts)) | (Role::Exclude, Expr::Any(parts)) => {
            parts.iter().map(|part| Clause { expr: part.clone(), ..clause.clone() }).collect()
        }
        (Role::Require, Expr::Any(_) | Expr::Not(_) | Expr::Test(_))
        | (Role::Exclude, Expr::All(_) | Expr::Not(_) | Expr::Test(_)) => vec![clause.clone()],
    }
}

/// An expression over the fields of the parent's start; the first test without such a field is an error
fn seen_by_the_parent(expr: &Expr) -> Result<Expr, &Test> {
    Ok(match expr {
        Expr::All(parts) => Expr::All(all_seen_by_the_parent(parts)?),
        Expr::Any(parts) => Expr::Any(all_seen_by_the_parent(parts)?),
        Expr::Not(part) => Expr::Not(Box::new(seen_by_the_parent(part)?)),
        Expr::Test(test) => {
            let name = test.subject.field.name();
            let own = SAID_BY_THE_PARENT.iter().find(|(of_child, _)| *of_child == name);
            let own = own.and_then(|(_, of_parent)| Field::named(of_parent));
            let mut renamed = test.clone();
            renamed.subject.field = own.filter(|_| !matches!(test.op, Op::Same(..))).ok_or(test)?;
            Expr::Test(renamed)
        }
    })
}

fn all_seen_by_the_parent(parts: &[Expr]) -> Result<Vec<Expr>, &Test> {
    parts.iter().map(seen_by_the_parent).collect()
}

/// The events of a step
fn events(signal: &Signal, place: (&Stream, &[Index]), session: &mut Session<'_>) -> EventQuery {
    let plan = language::plan(signal, place, language::Languages::Eql, session);
    if !plan.filters.is_empty() {
        let message = format!("a clause of `{}` that only a filter says", signal.name);
        let cause = Cause::Field(GRANDPARENT.to_owned());
        let label = "a filter is about every event of a rule";
        session.refuse(cause, signal.span, message, label, "");
    }
    plan.events()
}
