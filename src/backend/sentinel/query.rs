//! The plan of a query: signals, their clauses, the columns they share, novelty.
//!
//! In: a [`Rule`]. Out: a [`QueryView`] for the template, and the [`Shape`] of the result that
//! entity mappings are checked against. Each signal becomes one projection with the same
//! columns; several are joined by `union`. No time filter stands in a rule without new terms: the
//! schedule's lookback does that.

use serde::Serialize;

use super::expr::{Kusto, quote};
use super::fields::{self, table};
use super::lets::Lets;
use super::predicate::{Context, expression};
use crate::backend::{Direction, LossName, Losses};
use crate::definition::pattern::Pattern;
use crate::definition::{Form, Level};
use crate::ir::{Case, Clause, Column, Expr, NewTerms, Op, Relation, Role, Rule, Signal};
use crate::taxonomy::{EventKind, FieldType};

/// What the query template shows
#[derive(Debug, Serialize)]
pub(super) struct QueryView {
    heading: Vec<String>,
    lets: Vec<String>,
    signals: Vec<SignalView>,
    tail: Vec<String>,
}

#[derive(Debug, Serialize)]
struct SignalView {
    heading: String,
    open: String,
    table: &'static str,
    lines: Vec<String>,
    columns: Vec<String>,
    close: &'static str,
}

/// What a query returns and how often it must run
#[derive(Debug)]
pub(super) struct Shape {
    /// Result columns
    pub(super) columns: Vec<String>,
    /// Tables it reads
    pub(super) tables: Vec<&'static str>,
    /// Whether rows carry a severity of their own
    pub(super) severity: bool,
    /// Minutes between runs, minutes looked back
    pub(super) schedule: (u32, u32),
}

/// Minutes between the runs of a rule, unless its window is short
const FREQUENCY: u32 = 60;
/// The longest lookback of an analytic rule (Microsoft, scheduled rules overview): 14 days
const LONGEST: u32 = 14 * 24 * 60;

/// Plans the query of a rule
pub(super) fn plan(rule: &Rule, losses: &mut Losses<'_>) -> (QueryView, Shape) {
    let mut lets = Lets::default();
    let several = rule.signals.len() > 1;
    let new = rule.new_terms.as_ref();
    let named = several || new.is_some();
    let names: Vec<String> = rule
        .signals
        .iter()
        .map(|s| match named {
            true => lets.name(&s.name),
            false => String::new(),
        })
        .collect();
    let mut signals = Vec::new();
    let mut columns = Vec::new();
    for (at, signal) in rule.signals.iter().enumerate() {
        losses.enter(&signal.name);
        let is_new = new.filter(|new| new.signal == at);
        let mut view = signal_view(rule, signal, is_new, &mut lets, losses);
        columns = view.columns.iter().map(|column| column_name(column)).collect();
        (view.open, view.close) = match (named, is_new) {
            (false, _) => (String::new(), ""),
            (true, None) => (format!("let {} = ", names[at]), ";"),
            (true, Some(_)) => (format!("let {} = materialize(", names[at]), ");"),
        };
        signals.push(view);
    }
    let frequency =
        new.map_or(FREQUENCY, |new| if new.window >= 2 * FREQUENCY { FREQUENCY } else { 5 });
    let period = new.map_or(FREQUENCY, |new| new.window.max(2 * frequency));
    let mut tail = match new {
        Some(new) => novelty(rule, new, &names, frequency, (&mut lets, losses)),
        None if several => vec![format!("union {}", names.join(", "))],
        None => Vec::new(),
    };
    let severity = rule.signals.iter().any(|signal| !signal.cases.is_empty());
    if severity {
        tail.push(severity_column());
        columns.push("Severity".to_owned());
    }
    let mut tables: Vec<_> = rule.signals.iter().map(|signal| table(signal.kind)).collect();
    tables.sort_unstable();
    tables.dedup();
    let mut heading = vec![one_line(&rule.metadata.title.value)];
    heading.extend(losses.sentences());
    let view = QueryView { heading, lets: lets.statements(), signals, tail };
    (view, Shape { columns, tables, severity, schedule: (frequency, period) })
}

fn signal_view(
    rule: &Rule,
    signal: &Signal,
    new: Option<&NewTerms>,
    lets: &mut Lets,
    losses: &mut Losses<'_>,
) -> SignalView {
    let mut lines = vec![format!("| where {}", scope(rule, signal, losses))];
    let mut context = Context { kind: signal.kind, lets, losses, positive: true };
    let asked = signal.clauses.iter().position(asks_for_actions);
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
    SignalView {
        heading: one_line(&signal.title),
        open: String::new(),
        table: table(signal.kind),
        lines,
        columns: projection(rule, signal, new),
        close: "",
    }
}

/// Which rows of the table are events of the kind at all
fn scope(rule: &Rule, signal: &Signal, losses: &mut Losses<'_>) -> String {
    if let Some(product) = signal.product {
        // Source: the Device*Events tables have no column for the operating system.
        let reason = format!("the Defender tables do not say which rows are {product}");
        losses.lose(LossName::Product, Direction::Wider, signal.span, &reason);
    }
    match signal.kind {
        EventKind::ProcessCreation => r#"ActionType == "ProcessCreated""#.to_owned(),
        EventKind::FileEvent => {
            match signal.clauses.iter().find(|clause| asks_for_actions(clause)) {
                Some(clause) => {
                    let mut lets = Lets::default();
                    let lets = &mut lets;
                    let mut context = Context { kind: signal.kind, lets, losses, positive: true };
                    expression(&mut context, &clause.expr, true).inline()
                }
                None => {
                    let all = ["FileCreated", "FileDeleted", "FileModified", "FileRenamed"];
                    format!("ActionType in ({})", all.map(quote).join(", "))
                }
            }
        }
        EventKind::NetworkConnection => {
            if rule.form == Form::Sigma && !signal.clauses.iter().any(says_outgoing) {
                let reason =
                    "Defender's remote side is the destination only of outgoing connections";
                losses.lose(LossName::Inbound, Direction::Narrower, signal.span, reason);
            }
            let outgoing = ["ConnectionAttempt", "ConnectionFailed", "ConnectionSuccess"];
            format!("ActionType in ({})", outgoing.map(quote).join(", "))
        }
    }
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

/// The columns of one signal, in the order that all signals share
fn projection(rule: &Rule, signal: &Signal, new: Option<&NewTerms>) -> Vec<String> {
    let kind = signal.kind;
    let process = kind == EventKind::ProcessCreation;
    let network = kind == EventKind::NetworkConnection;
    let kinds: Vec<EventKind> = rule.signals.iter().map(|signal| signal.kind).collect();
    let subjects = kinds.iter().any(|kind| *kind != EventKind::NetworkConnection);
    let mut out: Vec<String> = Vec::new();
    let mut add = |column: &str| out.push(column.to_owned());
    for column in &rule.columns {
        match column {
            Column::Time => add("TimeGenerated"),
            Column::Signal => add(&format!("Signal = {}", quote(&signal.name))),
            Column::Level if signal.cases.is_empty() => {
                add(&format!("Level = {}", quote(rule.level.as_str())));
            }
            Column::Level => add("Level"),
            Column::Host => ["DeviceId", "DeviceName"].into_iter().for_each(&mut add),
            Column::Account if process => {
                ["AccountDomain", "AccountName"].into_iter().for_each(&mut add);
            }
            Column::Account => {
                add("AccountDomain = InitiatingProcessAccountDomain");
                add("AccountName = InitiatingProcessAccountName");
            }
            Column::Subject if !subjects => {}
            Column::Subject if network => {
                [r#"FileName = """#, r#"FolderPath = """#].into_iter().for_each(&mut add);
            }
            Column::Subject => ["FileName", "FolderPath"].into_iter().for_each(&mut add),
            Column::CommandLine if process => add("CommandLine = ProcessCommandLine"),
            Column::CommandLine if kinds.contains(&EventKind::ProcessCreation) => {
                add(r#"CommandLine = """#);
            }
            Column::CommandLine => {}
            Column::Actor => {
                add("InitiatingProcessFileName");
                add("InitiatingProcessCommandLine");
            }
            Column::Remote if network => ["RemoteIP", "RemotePort"].into_iter().for_each(&mut add),
            Column::Remote => {
                [r#"RemoteIP = """#, "RemotePort = int(null)"].into_iter().for_each(&mut add);
            }
        }
    }
    add("ReportId");
    let terms = new.map_or_else(Vec::new, |new| term_columns(signal, new));
    for (name, column) in terms {
        if !out.iter().any(|have| column_name(have) == name) {
            out.push(if name == column { name } else { format!("{name} = {column}") });
        }
    }
    out
}

fn column_name(projected: &str) -> String {
    projected.split(" = ").next().unwrap_or(projected).to_owned()
}

/// Result column and table column of each new term
fn term_columns(signal: &Signal, new: &NewTerms) -> Vec<(String, &'static str)> {
    let process = signal.kind == EventKind::ProcessCreation;
    let columns = new.fields.iter().flat_map(|field| fields::columns(signal.kind, *field));
    let renamed = columns.map(|column| {
        let name = match column.name {
            "ProcessCommandLine" if process => "CommandLine",
            "InitiatingProcessAccountDomain" if !process => "AccountDomain",
            "InitiatingProcessAccountName" if !process => "AccountName",
            name => name,
        };
        (name.to_owned(), column.name)
    });
    renamed.collect()
}

/// The rows whose terms the baseline does not have, joined with the other signals' recent rows
///
/// Keys compare as stored. A row without one of them is left out, and of several rows with the
/// same new terms the earliest stays, as Elastic's `new_terms` rules do it.
fn novelty(
    rule: &Rule,
    new: &NewTerms,
    names: &[String],
    frequency: u32,
    (lets, losses): (&mut Lets, &mut Losses<'_>),
) -> Vec<String> {
    if new.window > LONGEST {
        let message = "the window of new terms is longer than 14 days".to_owned();
        let code = crate::diagnostic::Code::E0503;
        losses.refuse_with(code, new.span, message, "too long", "Shorten the window.");
    }
    let signal = &rule.signals[new.signal];
    for field in &new.fields {
        if fields::columns(signal.kind, *field).is_empty() {
            let table = table(signal.kind);
            let message = format!("{table} has no column for the new term {field}");
            losses.refuse(new.span, message, "no such column", "");
        }
    }
    let terms: Vec<String> = term_columns(signal, new).into_iter().map(|(name, _)| name).collect();
    let keys = terms.join(", ");
    let there: Vec<String> = new
        .fields
        .iter()
        .flat_map(|field| fields::columns(signal.kind, *field))
        .zip(&terms)
        .map(|(column, term)| match column.kind {
            fields::Type::Number => format!("isnotnull({term})"),
            fields::Type::Text
            | fields::Type::Recased
            | fields::Type::FileAction
            | fields::Type::Direction => format!("isnotempty({term})"),
        })
        .collect();
    let name = &names[new.signal];
    let recent = format!("TimeGenerated >= ago({})", span(frequency));
    let rows = vec![
        format!("| where {recent}"),
        format!("| where {}", there.join(" and ")),
        format!("| join kind=leftanti ("),
        format!("    {name}"),
        format!("    | where TimeGenerated < ago({})", span(frequency)),
        format!("    | distinct {keys}"),
        format!(") on {keys}"),
        format!("| summarize arg_min(TimeGenerated, *) by {keys}"),
    ];
    if names.len() == 1 {
        return [name.clone()].into_iter().chain(rows).collect();
    }
    let fresh = lets.name(&format!("new_{name}"));
    let mut tail = vec![
        format!("// Only combinations of {keys} not seen in the last {}", span(new.window)),
        format!("let {fresh} = {name}"),
    ];
    tail.extend(rows);
    if let Some(last) = tail.last_mut() {
        last.push(';');
    }
    let others = names.iter().enumerate().filter(|(at, _)| *at != new.signal);
    let others: Vec<String> =
        others.map(|(_, other)| format!("({other} | where {recent})")).collect();
    tail.push(format!("union\n    {fresh},\n    {}", others.join(",\n    ")));
    tail
}

fn severity_column() -> String {
    "| extend Severity = case(\n    Level in (\"critical\", \"high\"), \"High\",\n    \
     Level == \"medium\", \"Medium\",\n    Level == \"low\", \"Low\",\n    \"Informational\"\n)"
        .to_owned()
}

/// Minutes as Kusto and the schedule write them: `5m`, `1h`, `7d`
pub(super) fn span(minutes: u32) -> String {
    match minutes {
        m if m % (24 * 60) == 0 => format!("{}d", m / (24 * 60)),
        m if m % 60 == 0 => format!("{}h", m / 60),
        m => format!("{m}m"),
    }
}

/// A comment ends with its line, so nothing in it may end the line.
fn one_line(text: &str) -> String {
    text.chars().map(|c| if crate::source::is_unprintable(c) { ' ' } else { c }).collect()
}
