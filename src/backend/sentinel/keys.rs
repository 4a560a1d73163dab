//! The columns that correlations group and count by.
//!
//! In: the keys and counted fields of a rule's correlations. Out: columns in the projections of
//! its signals; matching columns have the same name in each signal. A column of the result that holds
//! the same is taken in their place. Host names lose their domain and their letter case; every other
//! value compares as it is stored.

use super::columns::{Projected, Role, Rows};
use super::context::Planning;
use super::subject::undashed;
use crate::diagnostic::Cause;
use crate::ir::{Fields, Rule};
use crate::manifest::{Direction, LossName};
use crate::mapping::{Holds, Kind, Table, results};
use crate::query::kusto::{self, Expression, Operator, Pipeline, Step};
use crate::source::Span;
use crate::taxonomy::{Field, FieldType};

/// A column that correlations need: its name, and the field it holds in each signal
#[derive(Debug)]
struct Needed {
    name: String,
    fields: Fields,
    span: Span,
    /// [`Role::Key`] or [`Role::Counted`]
    role: Role,
}

impl Needed {
    /// Whether it has these fields
    fn holds(&self, fields: &Fields, role: Role) -> bool {
        self.role == role && fields.iter().all(|(at, field)| self.fields.get(at) == Some(field))
    }
}

/// The columns that all correlations of a rule need
///
/// Two keys of one name, and two counted fields, share a column, unless they take different fields of the same signal.
fn needed(rule: &Rule) -> Vec<Needed> {
    let mut all: Vec<Needed> = Vec::new();
    for one in &rule.correlations {
        let counted = one.test.fields().iter();
        let keys = one.keys.iter().map(|key| (pascal(&key.name, "Key"), &key.fields, Role::Key));
        let counted = counted.map(|fields| {
            let name = fields.values().next().map_or(&*one.name, Field::name);
            (pascal(name, "Value"), fields, Role::Counted)
        });
        for (wanted, fields, role) in keys.chain(counted) {
            if all.iter().any(|have| have.holds(fields, role)) {
                continue;
            }
            let agrees = |have: &&mut Needed| {
                have.role == role
                    && have.name.trim_end_matches(|c: char| c.is_ascii_digit()) == wanted
                    && fields
                        .iter()
                        .all(|(at, field)| have.fields.get(at).is_none_or(|other| other == field))
            };
            if let Some(have) = all.iter_mut().find(agrees) {
                have.fields.extend(fields.clone());
                continue;
            }
            let (mut name, mut number) = (wanted.clone(), 2);
            while all.iter().any(|have| have.name == name) || is_taken(&name) {
                name = format!("{wanted}{number}");
                number += 1;
            }
            all.push(Needed { name, fields: fields.clone(), span: one.span, role });
        }
    }
    all
}

/// Whether a result column, or a column inside a correlation, has this name
fn is_taken(name: &str) -> bool {
    const OWN: &[&str] = &["TimeKey"];
    OWN.contains(&name) || results().has(name)
}

/// The columns that the correlations of a rule group and count by, in the rows of its signals
#[derive(Debug)]
pub(super) struct Keys(Vec<Needed>);

impl Keys {
    /// Takes columns that the signals show already where those hold the same in each signal
    pub(super) fn of(rule: &Rule, signals: &mut [(Rows, Pipeline)]) -> Keys {
        let mut all = needed(rule);
        for needed in &mut all {
            let Some(shown) = shown_alike(&needed.name, signals) else { continue };
            for (rows, steps) in &mut *signals {
                rows.columns.retain(|column| column.name != needed.name);
                let shows = rows.columns.iter_mut().filter(|column| column.name == shown);
                shows.for_each(|column| column.correlated = true);
                steps.steps.pop_if(|step| matches!(step.operator, Operator::Project(_)));
                steps.steps.push(Step::project(rows.columns.iter().map(Projected::item)));
            }
            needed.name = shown;
        }
        Keys(all)
    }

    /// The name of the column that holds these fields
    pub(super) fn column(&self, fields: &Fields, role: Role) -> String {
        let found = self.0.iter().find(|have| have.holds(fields, role));
        found.map_or_else(String::new, |have| have.name.clone())
    }
}

/// The column of the result that, in every signal with either of both, has the value of this one
fn shown_alike(name: &str, signals: &[(Rows, Pipeline)]) -> Option<String> {
    let of = |rows: &'_ Rows, name: &str| rows.columns.iter().position(|one| one.name == name);
    let alike = |own: &Projected, shown: &Projected| {
        shown.role == Role::Result && shown.kind == own.kind && shown.value == own.value
    };
    let (rows, own) = signals.iter().find_map(|(rows, _)| Some((rows, of(rows, name)?)))?;
    let shown = rows.columns.iter().find(|shown| alike(&rows.columns[own], shown))?;
    let is_alike = |(rows, _): &(Rows, Pipeline)| match (of(rows, name), of(rows, &shown.name)) {
        (Some(own), Some(shown)) => alike(&rows.columns[own], &rows.columns[shown]),
        (own, shown) => own.is_none() && shown.is_none(),
    };
    signals.iter().all(is_alike).then(|| shown.name.clone())
}

/// Adds the columns that correlations need to a signal's projection
pub(super) fn add_columns(
    (planning, table): (&mut Planning<'_, '_>, &Table),
    at: usize,
    columns: &mut Vec<Projected>,
) {
    note_domains((planning, table), at);
    for needed in needed(planning.rule) {
        let Some(field) = needed.fields.get(&at) else { continue };
        match expression(table, field) {
            Some(value) => {
                let (name, kind) = (&needed.name, kusto::Type::String);
                let column = Projected::new(name, kind, needed.role, value);
                columns.push(Projected { correlated: true, ..column });
            }
            None => {
                let target = planning.session.target();
                let message = format!("{target} has no column for {field} to correlate by");
                let cause = Cause::Field(field.name().to_owned());
                planning.session.refuse(cause, needed.span, message, "no such column", "");
            }
        }
    }
}

/// Notes that a table names accounts without their domain, for each correlation that takes them from the signal
fn note_domains((planning, table): (&mut Planning<'_, '_>, &Table), at: usize) {
    let rule = planning.rule;
    let lacks = |fields: &Fields| {
        let account = fields.get(&at).filter(|field| field.kind() == FieldType::Account);
        account.is_some_and(|field| {
            table.column(field, Holds::Name).is_some()
                && table.column(field, Holds::Domain).is_none()
        })
    };
    for one in &rule.correlations {
        let keys = one.keys.iter().map(|key| &key.fields);
        if keys.chain(one.test.fields()).any(lacks) {
            let reason = "accounts of one name count together, whatever their domain";
            planning.session.enter(&one.name);
            planning.session.lose(LossName::Keys, Direction::Wider, one.span, reason);
        }
    }
    planning.session.enter(&rule.signals[at].name);
}

/// A field as text; a host without its domain, in lower case
fn expression(table: &Table, field: &Field) -> Option<Expression> {
    if field.kind() == FieldType::Account {
        let half = |holds| table.column(field, holds).map(|column| column.value.clone());
        let name = half(Holds::Name)?;
        return Some(match half(Holds::Domain) {
            Some(domain) => {
                let empty = Expression::call("isempty", [name.clone()]);
                let parts = [domain, Expression::text(r"\"), name];
                let full = Expression::call("strcat", parts);
                Expression::call("iff", [empty, Expression::text(""), full])
            }
            None => name,
        });
    }
    let column = table.column(field, Holds::Whole)?;
    let value = column.value.clone();
    Some(match column.kind {
        Kind::Number => Expression::call("tostring", [value]),
        // A list has no single value to compare.
        Kind::List => return None,
        Kind::Dashed => undashed(&value),
        // An IP address stays whole, any other host name loses its domain.
        Kind::Text | Kind::Recased if field.kind() == FieldType::Host => {
            let host = Expression::text(r"^(?:\d+\..*|[^.]*)");
            let host = Expression::call("extract", [host, Expression::number(0), value]);
            Expression::call("tolower", [host])
        }
        Kind::Text | Kind::Recased | Kind::Words | Kind::Truth => value,
    })
}

/// `cs-uri-stem` as `CsUriStemKey`
pub(super) fn pascal(name: &str, end: &str) -> String {
    let word = |word: &str| {
        let mut letters = word.chars();
        let first = letters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    };
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).map(word);
    words.collect::<String>() + end
}
