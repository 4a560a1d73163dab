//! The columns by which signals find each other.
//!
//! In: the keys and counted fields of a rule's correlations. Out: columns that the projections of
//! its signals carry, with one name for what is equal. Host names lose their domain and their
//! letter case; every other value compares as it is stored.

use super::columns::Projected;
use super::fields::{self, Holds, Type};
use super::profile::Profile;
use crate::backend::Losses;
use crate::ir::{Fields, Rule};
use crate::source::Span;
use crate::taxonomy::{Field, FieldType};

/// A column that correlations need of signals: its name, and the field it holds
struct Needed {
    name: String,
    fields: Fields,
    span: Span,
    /// Whether it is a key, and not a value that is counted
    key: bool,
}

/// The columns all correlations of a rule need; one column holds what does not contradict
fn needed(rule: &Rule) -> Vec<Needed> {
    let mut all: Vec<Needed> = Vec::new();
    for one in &rule.correlations {
        let counted = one.test.fields();
        let keys = one.keys.iter().map(|key| (pascal(&key.name, "Key"), &key.fields, true));
        let counted = counted.map(|fields| (pascal(&one.name, "Value"), fields, false));
        for (wanted, fields, key) in keys.chain(counted) {
            let agrees = |have: &&mut Needed| {
                have.key == key
                    && have.name.trim_end_matches(|c: char| c.is_ascii_digit()) == wanted
                    && fields
                        .iter()
                        .all(|(at, field)| have.fields.get(at).is_none_or(|other| other == field))
            };
            if let Some(have) = all.iter_mut().find(agrees) {
                have.fields.extend(fields);
                continue;
            }
            let (mut name, mut number) = (wanted.clone(), 2);
            while all.iter().any(|have| have.name == name) || is_taken(&name) {
                name = format!("{wanted}{number}");
                number += 1;
            }
            all.push(Needed { name, fields: fields.clone(), span: one.span, key });
        }
    }
    all
}

/// Whether a result, or a correlation on its way, has a column of this name
fn is_taken(name: &str) -> bool {
    const OWN: &[&str] = &["TimeKey"];
    let shown = Profile::ALL.iter().flat_map(|profile| profile.columns().lines());
    OWN.contains(&name) || shown.into_iter().any(|line| line.split('\t').nth(1) == Some(name))
}

/// The name of the column that holds these fields
pub(super) fn column_of(rule: &Rule, fields: &Fields, key: bool) -> String {
    let fits = |have: &Needed| {
        have.key == key && fields.iter().all(|(at, field)| have.fields.get(at) == Some(field))
    };
    needed(rule).into_iter().find(fits).map_or_else(String::new, |have| have.name)
}

/// Adds what correlations need of a signal to its projection
pub(super) fn add_columns(
    profile: Profile,
    rule: &Rule,
    at: usize,
    columns: &mut Vec<Projected>,
    losses: &mut Losses<'_>,
) {
    for needed in needed(rule) {
        let Some(field) = needed.fields.get(&at) else { continue };
        match expression(profile, rule, at, *field) {
            Some(text) => columns.push(Projected::new(&needed.name, "string", &text)),
            None => {
                let target = losses.target();
                let message = format!("{target} has no column for {field} to correlate by");
                losses.refuse(needed.span, message, "no such column", "");
            }
        }
    }
}

/// A field as text; a host without its domain, in lower case
fn expression(profile: Profile, rule: &Rule, signal: usize, field: Field) -> Option<String> {
    let kind = rule.signals[signal].kind;
    if field.kind() == FieldType::Account {
        let half = |holds| fields::column(profile, kind, field, holds).map(|column| column.name);
        let name = half(Holds::Name)?;
        return Some(match half(Holds::Domain) {
            Some(domain) => format!(r#"iff(isempty({name}), "", strcat({domain}, @"\", {name}))"#),
            None => name.to_owned(),
        });
    }
    let column = fields::column(profile, kind, field, Holds::Whole)?;
    let name = column.name;
    Some(match column.kind {
        Type::Number => format!("tostring({name})"),
        // Each element would be a value of its own.
        Type::List => return None,
        Type::Dashed => format!(r#"iff({name} == "-", "", {name})"#),
        // An address stays whole, any other name loses its domain.
        Type::Text | Type::Recased if field.name() == "Computer" => {
            format!(r#"tolower(extract(@"^(?:\d+\..*|[^.]*)", 0, {name}))"#)
        }
        Type::Text | Type::Recased | Type::Action | Type::Direction => name.to_owned(),
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
