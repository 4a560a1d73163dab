//! One test as a Kusto predicate.
//!
//! In: a [`Test`] on a kind of event, and whether it stands under a negation. Out: an expression
//! that is true for the same rows, the cheapest form that is. Kusto text is never null and its
//! numbers and addresses are three-valued (Microsoft, null-values.md of the Kusto reference), so
//! tests under a negation bring the guards that make null false.

use super::expr::{Kusto, quote};
use super::fields::{self, Column, Holds, Type};
use super::lets::Lets;
use super::profile::Profile;
use super::{address, text};
use crate::backend::{Direction, LossName, Losses};
use crate::ir::{Case, Expr, Numbers, Op, Part, Relation, Test};
use crate::pattern::Pattern;
use crate::taxonomy::{EventKind, FieldType};

/// What the predicates of one query share
pub(super) struct Context<'l, 'r> {
    pub(super) profile: Profile,
    pub(super) kind: EventKind,
    pub(super) lets: &'l mut Lets,
    pub(super) losses: &'l mut Losses<'r>,
    /// Whether the test at hand stands under no negation, or under an even number
    pub(super) positive: bool,
    /// Whether registry keys that have lost their name can be among the rows
    pub(super) earlier: bool,
}

/// An expression; what cannot be said has been refused and is `false` here
pub(super) fn expression(context: &mut Context<'_, '_>, expr: &Expr, positive: bool) -> Kusto {
    let mut many = |parts: &[Expr]| -> Vec<Kusto> {
        parts.iter().map(|part| expression(context, part, positive)).collect()
    };
    match expr {
        Expr::All(parts) => Kusto::all(many(parts)),
        Expr::Any(parts) => Kusto::any(many(parts)),
        Expr::Not(part) => negated(expression(context, part, !positive)),
        Expr::Test(test) => predicate(context, test, positive),
    }
}

/// Numbers have an operator for it: `RemotePort !in (80, 443)`.
fn negated(inner: Kusto) -> Kusto {
    match inner {
        Kusto::List { left, operator: "in", values } => {
            Kusto::List { left, operator: "!in", values }
        }
        inner @ (Kusto::And(_)
        | Kusto::Or(_)
        | Kusto::Not(_)
        | Kusto::Is(_)
        | Kusto::List { .. }) => Kusto::Not(Box::new(inner)),
    }
}

fn predicate(context: &mut Context<'_, '_>, test: &Test, positive: bool) -> Kusto {
    context.positive = positive;
    let field = test.subject.field;
    if let Op::Text(relation, values, case) = &test.op
        && field.kind() == FieldType::Account
        && test.subject.part == Part::Whole
    {
        return account(context, test, *relation, values, *case);
    }
    let Some(column) = subject_column(context, test) else { return Kusto::Is("false".to_owned()) };
    let name = column.name;
    match &test.op {
        Op::Text(relation, values, case) => {
            text::text(context, test, column, *relation, values, *case)
        }
        Op::Regex(patterns) => text::regex(context, test, column, patterns),
        Op::Segments(values) => text::segments(context, test, column, values),
        Op::Networks(networks) => address::networks_of(name, networks, positive),
        Op::Public => address::public(context, name),
        Op::Numbers(ranges) => numbers(name, ranges, positive),
        Op::Exists => exists(column),
        Op::Null => match column.kind {
            Type::Number => Kusto::Is(format!("isnull({name})")),
            Type::Dashed => Kusto::Is(format!("{name} in (\"\", \"-\")")),
            // To Kusto an empty list is not empty.
            Type::List => Kusto::Is(format!("array_length({name}) == 0")),
            Type::Text | Type::Recased | Type::Action | Type::Direction => {
                Kusto::Is(format!("isempty({name})"))
            }
        },
        Op::Same(_, other, _) => {
            match fields::column(context.profile, context.kind, *other, Holds::Whole) {
                Some(other) if other.kind != Type::Number && column.kind != Type::Number => {
                    // `=~` is documented for ASCII only (Microsoft, string operators).
                    let reason = "two fields are equal only in the same case, beyond ASCII";
                    let direction = Direction::Narrower.flip_unless(positive);
                    context.losses.lose(LossName::Case, direction, test.span, reason);
                    let same = Kusto::Is(format!("{name} =~ {}", other.name));
                    Kusto::all(vec![exists(column), same])
                }
                Some(other) => Kusto::Is(format!("coalesce({name} == {}, false)", other.name)),
                None => absent(context, test),
            }
        }
    }
}

/// The column a test looks at; refused when there is none
fn subject_column(context: &mut Context<'_, '_>, test: &Test) -> Option<Column> {
    let field = test.subject.field;
    let (profile, kind) = (context.profile, context.kind);
    let whole = || fields::column(profile, kind, field, Holds::Whole);
    let column = match test.subject.part {
        Part::Whole | Part::Argument(_) | Part::Key | Part::Time(_) => whole(),
        // What has no column of its own is taken out of the whole.
        Part::Name | Part::Extension => {
            fields::column(profile, kind, field, Holds::Name).or_else(whole)
        }
    };
    let column = column.or_else(|| {
        // A path or an account counts as there when its name is.
        let asks = matches!(test.op, Op::Exists | Op::Null);
        asks.then(|| fields::column(profile, kind, field, Holds::Name)).flatten()
    });
    if column.is_none() {
        absent(context, test);
    }
    column
}

fn absent(context: &mut Context<'_, '_>, test: &Test) -> Kusto {
    let Some(table) = context.profile.table(context.kind) else {
        // The signal has been refused as a whole.
        return Kusto::Is("false".to_owned());
    };
    let part = match test.subject.part {
        Part::Whole | Part::Argument(_) | Part::Key | Part::Time(_) => "",
        Part::Name => " name",
        Part::Extension => " extension",
    };
    let message = format!("{table} has no column for the{part} {}", test.subject.field);
    let help = "Leave the test out of this signal, or use a field that Defender records.";
    context.losses.refuse(test.span, message, "no such column", help);
    Kusto::Is("false".to_owned())
}

pub(super) fn refuse(context: &mut Context<'_, '_>, test: &Test, message: String) -> Kusto {
    context.losses.refuse(test.span, message, "no exact form in Kusto", "");
    Kusto::Is("false".to_owned())
}

pub(super) fn exists(column: Column) -> Kusto {
    let name = column.name;
    match column.kind {
        Type::Number => Kusto::Is(format!("isnotnull({name})")),
        Type::Dashed => Kusto::Is(format!("{name} !in (\"\", \"-\")")),
        Type::List => Kusto::Is(format!("array_length({name}) > 0")),
        Type::Text | Type::Recased | Type::Action | Type::Direction => {
            Kusto::Is(format!("isnotempty({name})"))
        }
    }
}

/// `DOMAIN\name` is two columns
fn account(
    context: &mut Context<'_, '_>,
    test: &Test,
    relation: Relation,
    values: &[Pattern],
    case: Case,
) -> Kusto {
    let columns = [Holds::Domain, Holds::Name]
        .map(|holds| fields::column(context.profile, context.kind, test.subject.field, holds));
    let [Some(domain), Some(name)] = columns else { return absent(context, test) };
    let mut parts = Vec::new();
    for value in values {
        let halves = value.as_literal().and_then(|text| text.split_once('\\'));
        let Some((left, right)) = halves.filter(|_| relation == Relation::Equals) else {
            let message = format!("`{value}` over domain and name together");
            return refuse(context, test, message);
        };
        if case == Case::Sensitive {
            let message = format!("Defender writes {} in a letter case of its own", name.name);
            return refuse(context, test, message);
        }
        let mut half = |column: Column, value: &str| {
            let value = [Pattern::literal(value)];
            text::text(context, test, column, Relation::Equals, &value, Case::Insensitive)
        };
        parts.push(Kusto::all(vec![half(domain, left), half(name, right)]));
    }
    Kusto::any(parts)
}

/// What happens to a file or a registry key, in Defender's words
pub(super) fn actions_of(column: &str, kind: EventKind, values: &[Pattern]) -> Kusto {
    let registry = kind == EventKind::RegistryEvent;
    let names = |value: &Pattern| match (value.as_literal(), registry) {
        (Some("created"), false) => &["FileCreated"][..],
        (Some("modified"), false) => &["FileModified"],
        (Some("renamed"), false) => &["FileRenamed"],
        (_, false) => &["FileDeleted"],
        (Some("created"), true) => &["RegistryKeyCreated"],
        (Some("modified"), true) => &["RegistryValueSet"],
        (Some("renamed"), true) => &["RegistryKeyRenamed"],
        (_, true) => &["RegistryKeyDeleted", "RegistryValueDeleted"],
    };
    let mut names: Vec<&str> = values.iter().flat_map(names).copied().collect();
    names.sort_unstable();
    match &*names {
        [only] => Kusto::Is(format!("{column} == {}", quote(only))),
        names => Kusto::List {
            left: column.to_owned(),
            operator: "in",
            values: names.iter().map(|name| quote(name)).collect(),
        },
    }
}

fn numbers(column: &str, ranges: &[Numbers], positive: bool) -> Kusto {
    let single = |range: &&Numbers| range.from == range.to;
    let singles: Vec<String> = ranges.iter().filter(single).map(|r| r.from.to_string()).collect();
    let mut parts = Vec::new();
    if !singles.is_empty() {
        let left = column.to_owned();
        parts.push(Kusto::List { left, operator: "in", values: singles });
    }
    for range in ranges.iter().filter(|range| range.from != range.to) {
        let text = match (range.from, range.to) {
            (i64::MIN, to) => format!("{column} <= {to}"),
            (from, i64::MAX) => format!("{column} >= {from}"),
            (from, to) => format!("{column} between ({from} .. {to})"),
        };
        // A comparison with null is null, and so is its negation.
        let text = if positive { text } else { format!("coalesce({text}, false)") };
        parts.push(Kusto::Is(text));
    }
    Kusto::any(parts)
}
