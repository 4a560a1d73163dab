//! One signal as a tabular expression.
//!
//! In: a signal of a rule. Out: a [`SignalView`]: the table, a `where` a clause in the author's
//! order with the note of each exclusion beside it, and the projection that all signals share.

use std::collections::BTreeMap;

use serde::Serialize;

use super::columns::{Projected, projection};
use super::expr::{Kusto, quote};
use super::keys;
use super::lets::Lets;
use super::novelty;
use super::predicate::{Context, actions_of, expression};
use super::profile::Profile;
use super::text;
use crate::backend::{Direction, LossName, Losses, one_line};
use crate::definition::{Form, Level};
use crate::ir::{Case, Clause, Expr, NewTerms, Relation, Role, Rule, Signal};
use crate::pattern::Pattern;
use crate::taxonomy::{EventKind, FieldType};

/// A signal as the query template shows it
#[derive(Debug, Serialize)]
pub(super) struct SignalView {
    pub(super) heading: String,
    pub(super) open: String,
    table: String,
    lines: Vec<String>,
    columns: Vec<String>,
    pub(super) close: &'static str,
}

/// Tables that several signals want prepared in the same way, by the name of what is prepared
pub(super) type Sources = BTreeMap<EventKind, String>;

/// Prepares the tables that several signals read; gives the statements as well
pub(super) fn sources(profile: Profile, rule: &Rule, lets: &mut Lets) -> (Sources, Vec<String>) {
    let (mut sources, mut statements) = (Sources::new(), Vec::new());
    for kind in EventKind::ALL {
        let lines = preamble(profile, *kind);
        let readers = rule.signals.iter().filter(|signal| signal.kind == *kind).count();
        let Some(table) = profile.table(*kind).filter(|_| readers > 1 && !lines.is_empty()) else {
            continue;
        };
        let name = lets.name(&format!("all_{}", kind.name()));
        statements.push(format!("let {name} = {table}\n{};", lines.join("\n")));
        sources.insert(*kind, name);
    }
    (sources, statements)
}

impl SignalView {
    /// How many characters it has, about
    pub(super) fn length(&self) -> usize {
        self.lines.iter().chain(&self.columns).map(|line| line.len() + 1).sum()
    }
}

/// Plans a signal; also gives the columns of its result
pub(super) fn view(
    (profile, rule, at): (Profile, &Rule, usize),
    sources: &Sources,
    new: Option<&NewTerms>,
    lets: &mut Lets,
    losses: &mut Losses<'_>,
) -> (SignalView, Vec<Projected>) {
    let signal = &rule.signals[at];
    let table = profile.table(signal.kind).unwrap_or_else(|| {
        let message = format!("{} has no table of {} events", losses.target(), signal.kind);
        let help = "Name the signal under `without:` of this target.";
        losses.refuse(signal.span, message, "no such table", help);
        ""
    });
    let shared = sources.get(&signal.kind).cloned();
    let mut lines: Vec<String> = match shared {
        Some(_) => Vec::new(),
        None => preamble(profile, signal.kind).iter().map(ToString::to_string).collect(),
    };
    lines.extend(scope(profile, rule, signal, losses).map(|scope| scope.lines("| where ", 0)));
    let asked = signal.clauses.iter().position(asks_for_actions);
    let earlier = includes_earlier_names(signal);
    let kind = signal.kind;
    let mut context = Context { profile, kind, lets, losses, positive: true, earlier };
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
    for column in columns.iter_mut().filter(|_| earlier) {
        column.expression = match &*column.expression {
            "RegistryKey" => text::earlier(profile, "RegistryKey").to_owned(),
            "RegistryValueName" => text::earlier(profile, "RegistryValueName").to_owned(),
            expression => expression.to_owned(),
        };
    }
    if let Some(new) = new {
        novelty::add_terms(profile, &mut columns, signal, new);
    }
    keys::add_columns(profile, rule, at, &mut columns, losses);
    let view = SignalView {
        heading: match signal.title == rule.metadata.title.value {
            true => String::new(),
            false => one_line(&signal.title),
        },
        open: String::new(),
        table: shared.unwrap_or_else(|| table.to_owned()),
        lines,
        columns: columns.iter().map(Projected::print).collect(),
        close: "",
    };
    (view, columns)
}

/// What is made of a table's columns before anything is asked of them
///
/// An alert is taken apart, a row for each process, the files and the host beside it: entities
/// refer to each other by `$id` and `$ref` within one alert (Microsoft, security alert schema). A
/// process has its own time; the alert's is when a run can first see it. ASIM knows processes and
/// files by their paths; a URL there may have its origin before the path, or may not: parsers differ.
fn preamble(profile: Profile, kind: EventKind) -> &'static [&'static str] {
    match kind {
        EventKind::ProcessCreation if profile == Profile::Asim => &[
            r#"| extend FileName = extract(@"([^\\/]*)$", 1, TargetProcessName)"#,
            r#"| extend InitiatingProcessFileName = extract(@"([^\\/]*)$", 1, ActingProcessName)"#,
        ],
        EventKind::FileEvent if profile == Profile::Asim => &[
            r#"| extend FileName = extract(@"([^\\/]*)$", 1, TargetFilePath)"#,
            // Of Defender's events the parser gives the path with the name once more.
            r#"| extend FullPath = iff("#,
            r#"    TargetFilePath endswith strcat(@"\", FileName, @"\", FileName),"#,
            r#"    substring(TargetFilePath, 0, strlen(TargetFilePath) - strlen(FileName) - 1),"#,
            r#"    TargetFilePath"#,
            r#")"#,
            r#"| extend InitiatingProcessFileName = extract(@"([^\\/]*)$", 1, ActingProcessName)"#,
        ],
        EventKind::NetworkConnection if profile == Profile::Asim => {
            &[r#"| extend InitiatingProcessFileName = extract(@"([^\\/]*)$", 1, SrcProcessName)"#]
        }
        EventKind::RegistryEvent if profile == Profile::Asim => &[
            r#"| extend InitiatingProcessFileName = extract(@"([^\\/]*)$", 1, ActingProcessName)"#,
        ],
        EventKind::Webserver if profile == Profile::Asim => &[
            r#"| extend UrlPath = extract(@"^(?:[A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)?([^?#]*)", 1, Url)"#,
            r#"| extend UrlQuery = extract(@"\?([^#]*)", 1, Url)"#,
        ],
        EventKind::SecurityAlert => &[
            "| extend AlertTime = TimeGenerated, Entities = todynamic(Entities)",
            "| mv-apply Entity = Entities on (",
            "    summarize",
            "        AlertFiles = make_list_if(tostring(Entity.Name), tostring(Entity.Type) =~ \"file\"),",
            "        FileIds = make_list_if(tostring(Entity[\"$id\"]), tostring(Entity.Type) =~ \"file\"),",
            "        HostName = max(iff(tostring(Entity.Type) =~ \"host\", tostring(Entity.HostName), \"\"))",
            ")",
            "| mv-expand Process = Entities",
            "| where tostring(Process.Type) =~ \"process\"",
            "| extend CommandLine = tostring(Process.CommandLine)",
            "| extend FileAt = array_index_of(FileIds, tostring(Process.ImageFile[\"$ref\"]))",
            "| extend FileName = case(",
            "    isnotempty(Process.ImageFile.Name), tostring(Process.ImageFile.Name),",
            "    FileAt >= 0, tostring(AlertFiles[FileAt]),",
            "    \"\"",
            ")",
            "| extend TimeGenerated = coalesce(todatetime(Process.CreationTimeUtc), TimeGenerated)",
        ],
        EventKind::ProcessCreation
        | EventKind::FileEvent
        | EventKind::NetworkConnection
        | EventKind::RegistryEvent
        | EventKind::Webserver
        | EventKind::Log(_) => &[],
    }
}

/// Which rows of the table are events of the kind at all
fn scope(profile: Profile, rule: &Rule, signal: &Signal, losses: &mut Losses<'_>) -> Option<Kusto> {
    if let Some(product) = signal.product {
        // Source: neither the Device*Events tables nor every parser has a column for it.
        let tables = match (signal.kind, profile) {
            (EventKind::SecurityAlert, _) => "SecurityAlert does",
            (EventKind::Webserver, Profile::Defender) => "W3CIISLog does",
            (_, Profile::Asim) => "the ASIM parsers do",
            (_, Profile::Defender | Profile::Xdr) => "the Defender tables do",
        };
        let reason = format!("{tables} not say which rows are {product}");
        losses.lose(LossName::Product, Direction::Wider, signal.span, &reason);
    }
    let says_so = signal.clauses.iter().any(says_outgoing);
    let all: &[&str] = match signal.kind {
        // The parser gives creations of processes only.
        EventKind::ProcessCreation if profile == Profile::Asim => return None,
        EventKind::ProcessCreation => {
            return Some(Kusto::Is(r#"ActionType == "ProcessCreated""#.to_owned()));
        }
        EventKind::FileEvent => &["created", "deleted", "modified", "renamed"],
        EventKind::RegistryEvent => &["created", "deleted", "modified", "renamed"],
        EventKind::NetworkConnection if profile == Profile::Asim => {
            let incoming = ["Inbound", "Listen"].map(quote).join(", ");
            return says_so.then(|| Kusto::Is(format!("NetworkDirection !in~ ({incoming})")));
        }
        EventKind::NetworkConnection => {
            if rule.form != Form::Definition && !says_so {
                let reason =
                    "Defender's remote side is the destination only of outgoing connections";
                losses.lose(LossName::Inbound, Direction::Narrower, signal.span, reason);
            }
            let outgoing = ["ConnectionAttempt", "ConnectionFailed", "ConnectionSuccess"];
            let outgoing = outgoing.map(quote).join(", ");
            return Some(Kusto::Is(format!("ActionType in ({outgoing})")));
        }
        EventKind::Webserver | EventKind::SecurityAlert | EventKind::Log(_) => return None,
    };
    let asked = signal.clauses.iter().find(|clause| asks_for_actions(clause));
    let asked = asked.and_then(|clause| clause.expr.as_test()?.op.as_text());
    let asked = asked.map(|(_, values, _)| values.to_vec());
    let actions = asked.unwrap_or_else(|| all.iter().map(|word| Pattern::literal(word)).collect());
    let column = if profile == Profile::Asim { "EventType" } else { "ActionType" };
    Some(actions_of(column, signal.kind, &actions))
}

/// Whether renamed or deleted keys can be among the rows
fn includes_earlier_names(signal: &Signal) -> bool {
    let asked = signal.clauses.iter().filter(|clause| asks_for_actions(clause));
    let mut asked = asked.filter_map(|clause| clause.expr.as_test()?.op.as_text());
    signal.kind == EventKind::RegistryEvent
        && asked
            .all(|(_, values, _)| values.iter().any(|value| value.as_literal() == Some("renamed")))
}

/// Whether a clause says which actions count; the scope of the table says the first such clause
fn asks_for_actions(clause: &Clause) -> bool {
    let Some(test) = clause.expr.as_test() else { return false };
    clause.role == Role::Require
        && test.subject.field.kind() == FieldType::Action
        && test.op.as_text().is_some()
}

/// Whether the scope of the table, outgoing connections, already says the clause
fn says_outgoing(clause: &Clause) -> bool {
    let Some(test) = clause.expr.as_test() else { return false };
    let Some((Relation::Equals, values, case)) = test.op.as_text() else { return false };
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
