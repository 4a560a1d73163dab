//! One signal as a tabular expression.
//!
//! In: a signal of a rule. Out: a [`SignalView`]: the table, a `where` a clause in the author's
//! order with the note of each exclusion beside it, and the projection that all signals share.

use serde::Serialize;

use super::columns::{Projected, projection};
use super::expr::{Kusto, quote};
use super::lets::Lets;
use super::novelty;
use super::predicate::{Context, actions_of, expression};
use super::profile::Profile;
use super::query::one_line;
use crate::backend::{Direction, LossName, Losses};
use crate::definition::pattern::Pattern;
use crate::definition::{Form, Level};
use crate::ir::{Case, Clause, Expr, NewTerms, Op, Relation, Role, Rule, Signal, Test};
use crate::taxonomy::{EventKind, FieldType};

/// A signal as the query template shows it
#[derive(Debug, Serialize)]
pub(super) struct SignalView {
    pub(super) heading: String,
    pub(super) open: String,
    table: &'static str,
    lines: Vec<String>,
    columns: Vec<String>,
    pub(super) close: &'static str,
}

/// Plans a signal; also gives the columns of its result
pub(super) fn view(
    profile: Profile,
    rule: &Rule,
    signal: &Signal,
    new: Option<&NewTerms>,
    lets: &mut Lets,
    losses: &mut Losses<'_>,
) -> (SignalView, Vec<Projected>) {
    let table = profile.table(signal.kind).unwrap_or_else(|| {
        let message = format!("{} has no table of {} events", losses.target(), signal.kind);
        let help = "Name the signal under `without:` of this target.";
        losses.refuse(signal.span, message, "no such table", help);
        ""
    });
    let mut lines: Vec<String> = preamble(signal.kind).iter().map(ToString::to_string).collect();
    lines.extend(scope(rule, signal, losses).map(|scope| format!("| where {scope}")));
    let asked = signal.clauses.iter().position(asks_for_actions);
    let renames = includes_renames(signal);
    let kind = signal.kind;
    let mut context = Context { profile, kind, lets, losses, positive: true, renames };
    let clauses = signal.clauses.iter().enumerate();
    let clauses = clauses.filter(|(at, clause)| Some(*at) != asked && !says_outgoing(clause));
    for (_, clause) in clauses {
        let positive = clause.role == Role::Require;
        let mut expr = expression(&mut context, &clause.expr, positive);
        if !positive {
            if !clause.label.is_empty() {
                lines.push(format!("// not: {}", one_line(&clause.label)));
            }
            expr = Kusto::Not(Box::new(expr));
        }
        lines.push(expr.lines("| where ", 0));
    }
    if !signal.cases.is_empty() {
        lines.push(level(&mut context, rule.level, &signal.cases));
    }
    let mut columns = projection(profile, rule, signal);
    if let Some(new) = new {
        novelty::add_terms(profile, &mut columns, signal, new);
    }
    let view = SignalView {
        heading: one_line(&signal.title),
        open: String::new(),
        table,
        lines,
        columns: columns.iter().map(Projected::print).collect(),
        close: "",
    };
    (view, columns)
}

/// What takes an alert apart: a row for each process, the files and the host beside it
///
/// Entities refer to each other by `$id` and `$ref` within one alert (Microsoft, security alert
/// schema). A process has its own time, an alert that of its raising.
fn preamble(kind: EventKind) -> &'static [&'static str] {
    match kind {
        EventKind::SecurityAlert => &[
            "| extend Entities = todynamic(Entities)",
            "| mv-apply Entity = Entities on (",
            "    summarize",
            "        AlertFiles = make_list_if(tostring(Entity.Name), tostring(Entity.Type) =~ \"file\"),",
            "        FileIds = make_list_if(tostring(Entity[\"$id\"]), tostring(Entity.Type) =~ \"file\"),",
            "        HostName = max(iff(tostring(Entity.Type) =~ \"host\", tostring(Entity.HostName), \"\"))",
            ")",
            "| mv-expand Process = Entities",
            "| where tostring(Process.Type) =~ \"process\"",
            "| extend CommandLine = tostring(Process.CommandLine)",
            "| extend FileName = iff(",
            "    isnotempty(Process.ImageFile.Name),",
            "    tostring(Process.ImageFile.Name),",
            "    tostring(AlertFiles[array_index_of(FileIds, tostring(Process.ImageFile[\"$ref\"]))])",
            ")",
            "| extend TimeGenerated = coalesce(todatetime(Process.CreationTimeUtc), TimeGenerated)",
        ],
        EventKind::ProcessCreation
        | EventKind::FileEvent
        | EventKind::NetworkConnection
        | EventKind::RegistryEvent
        | EventKind::Webserver => &[],
    }
}

/// Which rows of the table are events of the kind at all
fn scope(rule: &Rule, signal: &Signal, losses: &mut Losses<'_>) -> Option<String> {
    if let Some(product) = signal.product {
        // Source: the Device*Events tables have no column for the operating system.
        let reason = format!("the Defender tables do not say which rows are {product}");
        losses.lose(LossName::Product, Direction::Wider, signal.span, &reason);
    }
    let all: &[&str] = match signal.kind {
        EventKind::ProcessCreation => return Some(r#"ActionType == "ProcessCreated""#.to_owned()),
        EventKind::FileEvent => &["created", "deleted", "modified", "renamed"],
        EventKind::RegistryEvent => &["created", "deleted", "modified", "renamed"],
        EventKind::NetworkConnection => {
            if rule.form == Form::Sigma && !signal.clauses.iter().any(says_outgoing) {
                let reason =
                    "Defender's remote side is the destination only of outgoing connections";
                losses.lose(LossName::Inbound, Direction::Narrower, signal.span, reason);
            }
            let outgoing = ["ConnectionAttempt", "ConnectionFailed", "ConnectionSuccess"];
            return Some(format!("ActionType in ({})", outgoing.map(quote).join(", ")));
        }
        EventKind::Webserver | EventKind::SecurityAlert => return None,
    };
    let asked = signal.clauses.iter().find(|clause| asks_for_actions(clause));
    let asked = asked.and_then(|clause| match &clause.expr {
        Expr::Test(Test { op: Op::Text(_, values, _), .. }) => Some(values.clone()),
        Expr::Test(_) | Expr::All(_) | Expr::Any(_) | Expr::Not(_) => None,
    });
    let actions = asked.unwrap_or_else(|| all.iter().map(|word| Pattern::literal(word)).collect());
    Some(actions_of(signal.kind, &actions).inline())
}

/// Whether renamed keys can be among the rows
fn includes_renames(signal: &Signal) -> bool {
    let asked = signal.clauses.iter().filter(|clause| asks_for_actions(clause));
    let mut asked = asked.filter_map(|clause| match &clause.expr {
        Expr::Test(Test { op: Op::Text(_, values, _), .. }) => Some(values),
        Expr::Test(_) | Expr::All(_) | Expr::Any(_) | Expr::Not(_) => None,
    });
    signal.kind == EventKind::RegistryEvent
        && asked.all(|values| values.iter().any(|value| value.as_literal() == Some("renamed")))
}

/// Whether a clause says which actions count; the scope of the table says the first such clause
fn asks_for_actions(clause: &Clause) -> bool {
    let Expr::Test(test) = &clause.expr else { return false };
    clause.role == Role::Require
        && test.subject.field.kind() == FieldType::Action
        && matches!(test.op, Op::Text(..))
}

/// Whether the scope of the table, outgoing connections, already says the clause
fn says_outgoing(clause: &Clause) -> bool {
    let Expr::Test(test) = &clause.expr else { return false };
    let Op::Text(Relation::Equals, values, case) = &test.op else { return false };
    let wanted = if clause.role == Role::Require { "true" } else { "false" };
    let says = |value: &Pattern| {
        value.as_literal().is_some_and(|text| match case {
            Case::Insensitive => text.eq_ignore_ascii_case(wanted),
            Case::Sensitive => text == wanted,
        })
    };
    test.subject.field.name() == "Initiated" && values.iter().all(says)
}

fn level(context: &mut Context<'_, '_>, default: Level, cases: &[(Level, Expr)]) -> String {
    let mut arguments = Vec::new();
    for (level, expr) in cases {
        let when = expression(context, expr, true);
        arguments.push(when.inline());
        arguments.push(quote(level.as_str()));
    }
    let function = if cases.len() == 1 { "iff" } else { "case" };
    arguments.push(quote(default.as_str()));
    let inline = format!("| extend Level = {function}({})", arguments.join(", "));
    if inline.len() <= 100 {
        return inline;
    }
    let pairs: Vec<String> = arguments.chunks(2).map(|pair| pair.join(", ")).collect();
    format!("| extend Level = {function}(\n    {}\n)", pairs.join(",\n    "))
}
