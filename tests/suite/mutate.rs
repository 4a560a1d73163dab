//! Single changes of a rule as Kibana imports it.
//!
//! In: a line of an import file. Out: rules that differ from it in one place, each with the kind of
//! change and what was changed: an operator swapped, a value cut or dropped, a `not` removed, a case
//! flag changed, a limit moved, a filter or a term dropped, the severity changed. Whether that
//! changes what the rule means is for others to say.

use std::collections::BTreeMap;

use rulecast::pattern::{Pattern, Token};
use rulecast::query::kuery::{Bound, Kuery, Literal, Values};
use rulecast::query::{eql, kuery};
use serde_json::{Value, json};

use crate::mutate_eql;

/// What is changed, in one word and in detail, and the changed thing
pub(crate) type Mutants<T> = Vec<(&'static str, String, T)>;

/// Of each kind of mutation so many a rule of Elastic, evenly spread
const MOST: usize = 6;

/// Changes that are made when they are asked for: of a long list there are many
type Changes<'v> = Vec<(&'static str, String, Box<dyn Fn() -> Value + 'v>)>;

/// Single changes of a rule as it is imported
pub(crate) fn mutants(rule: &Value) -> Mutants<Value> {
    let mut all = Changes::new();
    for (kind, what, text) in of_text(rule) {
        all.push((kind, what, Box::new(move || with(rule, "query", Some(json!(text()))))));
    }
    for key in ["filters", "severity_mapping"] {
        for (kind, what, mutant) in of_filter(&rule[key]) {
            all.push((kind, what, Box::new(move || with(rule, key, Some(mutant())))));
        }
    }
    for (at, dropped) in rule["filters"].as_array().into_iter().flatten().enumerate() {
        let what = format!("{}: {}", dropped["meta"]["alias"], dropped["query"]);
        let fewer = move || with(rule, "filters", Some(shorter(&rule["filters"], at)));
        all.push(("filter dropped", what, Box::new(fewer)));
    }
    let severity = if rule["severity"] == "low" { "medium" } else { "low" };
    let changed = move || with(rule, "severity", Some(json!(severity)));
    all.push(("severity", severity.to_owned(), Box::new(changed)));
    for (at, term) in rule["new_terms_fields"].as_array().into_iter().flatten().enumerate() {
        let fewer = shorter(&rule["new_terms_fields"], at);
        let fewer = move || with(rule, "new_terms_fields", Some(fewer.clone()));
        all.push(("value dropped", format!("new term {term}"), Box::new(fewer)));
    }
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (kind, ..) in &all {
        *counts.entry(kind).or_default() += 1;
    }
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    all.retain(|(kind, ..)| {
        let at = seen.entry(kind).or_default();
        *at += 1;
        let spread = |at: usize| at * MOST / counts[kind].max(MOST);
        *at == 1 || spread(*at - 1) != spread(*at - 2)
    });
    let made = all.into_iter().map(|(kind, what, make)| (kind, what, make()));
    made.filter(|(_, _, mutant)| mutant != rule).collect()
}

/// Changes of the query in its language
fn of_text(rule: &Value) -> Mutants<Box<dyn Fn() -> String>> {
    let text = rule["query"].as_str().unwrap();
    let mut all: Mutants<Box<dyn Fn() -> String>> = Mutants::new();
    if rule["language"] == "eql" {
        for (kind, what, mutant) in mutate_eql::of_query(&eql::parse(text).unwrap()) {
            all.push((kind, what, Box::new(move || mutant.to_string())));
        }
        return all;
    }
    for (kind, what, mutant) in of_query(&kuery::parse(text).unwrap()) {
        all.push((kind, what, Box::new(move || mutant.clone().optimised().to_string())));
    }
    all
}

/// A list without one of its items
fn shorter(list: &Value, at: usize) -> Value {
    let mut items = list.as_array().cloned().unwrap_or_default();
    items.remove(at);
    Value::Array(items)
}

// ------------------------------------------------------------------------------------------ queries

fn of_query(query: &Kuery) -> Mutants<Kuery> {
    let mut all = Mutants::new();
    match query {
        Kuery::And(parts) | Kuery::Or(parts) => {
            let and = matches!(query, Kuery::And(_));
            let join = |parts: Vec<Kuery>| if and { Kuery::And(parts) } else { Kuery::Or(parts) };
            if parts.len() > 1 {
                let other = if and { Kuery::Or(parts.clone()) } else { Kuery::And(parts.clone()) };
                let ranges = parts.iter().all(|part| matches!(part, Kuery::Range(..)));
                let what = if ranges { one_line(query) } else { "and, or".to_owned() };
                all.push(("operator", what, other));
            }
            for (at, part) in parts.iter().enumerate() {
                let without = parts.iter().enumerate().filter(|(other, _)| *other != at);
                let without = without.map(|(_, part)| part.clone()).collect();
                let kind = if and { "part dropped" } else { "choice dropped" };
                all.push((kind, part.to_string(), join(without)));
                for (kind, what, mutant) in of_query(part) {
                    let mut parts = parts.clone();
                    parts[at] = mutant;
                    all.push((kind, what, join(parts)));
                }
            }
        }
        Kuery::Not(part) => {
            all.push(("not removed", part.to_string(), (**part).clone()));
            let inner = of_query(part).into_iter();
            all.extend(inner.map(|(kind, what, m)| (kind, what, Kuery::Not(Box::new(m)))));
        }
        Kuery::Field(field, values) => {
            let name = field.to_string();
            for suffix in [".caseless", ".text"] {
                if let Some(plain) = name.strip_suffix(suffix) {
                    let plain = Kuery::Field(Pattern::literal(plain), values.clone());
                    all.push(("case", name.clone(), plain));
                }
            }
            for (kind, what, values) in of_values(field, values) {
                let what = format!("{name}: {what}");
                all.push((kind, what, Kuery::Field(field.clone(), values)));
            }
        }
        Kuery::Range(field, bound, limit) => {
            let other = match bound {
                Bound::Below => Bound::AtMost,
                Bound::AtMost => Bound::Below,
                Bound::Above => Bound::AtLeast,
                Bound::AtLeast => Bound::Above,
            };
            let mutant = Kuery::Range(field.clone(), other, limit.clone());
            all.push(("limit moved", query.to_string(), mutant));
        }
        Kuery::Nested(..) | Kuery::Anywhere(_) => {}
    }
    all
}

fn one_line(query: &Kuery) -> String {
    query.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn of_values(field: &Pattern, values: &Values) -> Mutants<Values> {
    let mut all = Mutants::new();
    match values {
        Values::One(literal) => {
            let changed = of_literal(literal).into_iter();
            all.extend(changed.map(|(kind, what, literal)| (kind, what, Values::One(literal))));
        }
        Values::Any(parts) | Values::All(parts) => {
            let any = matches!(values, Values::Any(_));
            let join = |parts| if any { Values::Any(parts) } else { Values::All(parts) };
            let other = if any { Values::All(parts.clone()) } else { Values::Any(parts.clone()) };
            all.push(("operator", "and, or among values".to_owned(), other));
            for at in 0..parts.len() {
                let mut fewer = parts.clone();
                let dropped = fewer.remove(at);
                let dropped = Kuery::Field(field.clone(), dropped).to_string();
                all.push(("value dropped", dropped, join(fewer)));
                for (kind, what, mutant) in of_values(field, &parts[at]) {
                    let mut parts = parts.clone();
                    parts[at] = mutant;
                    all.push((kind, what, join(parts)));
                }
            }
        }
        Values::Not(part) => {
            all.push(("not removed", "among values".to_owned(), (**part).clone()));
        }
    }
    all
}

fn of_literal(literal: &Literal) -> Mutants<Literal> {
    let mut all = Mutants::new();
    match literal {
        Literal::Quoted(text) => {
            let mut shorter = text.clone();
            if shorter.pop().is_some() && !shorter.is_empty() {
                all.push(("value cut", text.clone(), Literal::Quoted(shorter)));
            }
        }
        Literal::Plain(pattern) => {
            let tokens = pattern.tokens();
            let stars = tokens.iter().enumerate().filter(|(_, token)| **token == Token::Any);
            for (at, _) in stars.filter(|_| tokens.len() > 1) {
                let rest = tokens.iter().enumerate().filter(|(other, _)| *other != at);
                let rest = Pattern::of(rest.map(|(_, token)| token.clone()));
                all.push(("operator", format!("a star of {pattern}"), Literal::Plain(rest)));
            }
            if let Some(text) = pattern.as_literal().filter(|text| text.chars().count() > 1) {
                let mut shorter = text.to_owned();
                shorter.pop();
                let shorter = Literal::Plain(Pattern::literal(&shorter));
                all.push(("value cut", text.to_owned(), shorter));
            }
        }
    }
    all
}

// ------------------------------------------------------------------------------------------ filters

/// Changes of one key of an object
fn with(object: &Value, key: &str, value: Option<Value>) -> Value {
    let mut object = object.clone();
    if let Value::Object(map) = &mut object {
        match value {
            Some(value) => drop(map.insert(key.to_owned(), value)),
            None => drop(map.remove(key)),
        }
    }
    object
}

/// Every part of a filter, changed where it stands
fn of_filter(value: &Value) -> Changes<'_> {
    let mut all = Changes::new();
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                if items.len() > 1 {
                    let fewer = move || shorter(value, at);
                    all.push(("value dropped", item.to_string(), Box::new(fewer)));
                }
                for (kind, what, mutant) in of_filter(item) {
                    let changed = move || {
                        let mut items = items.clone();
                        items[at] = mutant();
                        Value::Array(items)
                    };
                    all.push((kind, what, Box::new(changed)));
                }
            }
        }
        Value::Object(map) => {
            for (key, inner) in map {
                for (kind, what, mutant) in of_key(value, key, inner) {
                    all.push((kind, what, Box::new(move || mutant.clone())));
                }
                for (kind, what, mutant) in of_filter(inner) {
                    let changed = move || with(value, key, Some(mutant()));
                    all.push((kind, what, Box::new(changed)));
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    all
}

fn lettered(object: &Value) -> bool {
    object["value"].as_str().is_some_and(|text| text.contains(|c: char| c.is_ascii_alphabetic()))
}

/// Whether one list of a query says all that it asks for
fn alone(object: &Value) -> bool {
    ["must", "filter", "should"].iter().filter(|key| object.get(**key).is_some()).count() == 1
}

fn of_key(object: &Value, key: &str, inner: &Value) -> Mutants<Value> {
    let renamed = |to: &str| with(&with(object, key, None), to, Some(inner.clone()));
    let what = || object.to_string();
    match (key, inner) {
        ("must_not", _) => vec![("not removed", what(), renamed("filter"))],
        // A single part is asked for in either way.
        ("must" | "filter" | "should", Value::Array(parts))
            if parts.len() == 1 && alone(object) =>
        {
            Vec::new()
        }
        ("must" | "filter", _) => vec![("operator", what(), renamed("should"))],
        ("should", _) => vec![("operator", what(), renamed("must"))],
        // Without letters there is no case.
        ("case_insensitive", _) if !lettered(object) => Vec::new(),
        ("case_insensitive", Value::Bool(fold)) => {
            vec![("case", what(), with(object, key, Some(json!(!fold))))]
        }
        ("gte" | "gt" | "lte" | "lt", _) => {
            let to = match key {
                "gte" => "gt",
                "gt" => "gte",
                "lte" => "lt",
                _ => "lte",
            };
            vec![("limit moved", what(), renamed(to))]
        }
        ("value", Value::String(text)) if text.len() > 1 => {
            let mut mutants = Mutants::new();
            let mut change = |kind, text: &str| {
                mutants.push((kind, what(), with(object, key, Some(json!(text)))));
            };
            if let Some(rest) = text.strip_prefix('*') {
                change("operator", rest);
            }
            match text.strip_suffix('*') {
                Some(rest) if !rest.ends_with('\\') => change("operator", rest),
                _ => {
                    let mut shorter = text.clone();
                    shorter.pop();
                    if !shorter.ends_with('\\') {
                        change("value cut", &shorter);
                    }
                }
            }
            mutants
        }
        ("negate", Value::Bool(negate)) => {
            vec![("not removed", "of a filter".to_owned(), with(object, key, Some(json!(!negate))))]
        }
        _ => Vec::new(),
    }
}
