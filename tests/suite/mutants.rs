//! Whether the trial of Elastic's rules would notice a mistake in one.
//!
//! Single mutations of emitted rules: an operator swapped, a value dropped, a `not` removed, a case
//! flag changed, a list shortened, a limit moved, a severity or a term changed. Of those that change
//! a meaning, the events near each literal and the rules' own tests catch nearly all; `survivors.tsv`
//! beside this file says of the others why.

use std::collections::BTreeMap;

use rulecast::backend::elastic::{Bound, Kuery, Literal, Values};
use rulecast::definition::pattern::{Pattern, Token};
use rulecast::kuery;
use rulecast::matcher::{Engine, Match, Memory, Options};
use rulecast::verify::{Example, Eyes, Finding, Import, Sight, try_tests};
use serde_json::{Value, json};

use crate::agreement::Dice;
use crate::support::root;
use crate::trials::{import, near, recorded, translations};

/// What is changed, in one word and in detail, and the changed thing
type Mutants<T> = Vec<(&'static str, String, T)>;

/// Of each kind of mutation so many a rule of Elastic, evenly spread
const MOST: usize = 4;

// ------------------------------------------------------------------------------------------ queries

fn of_query(query: &Kuery) -> Mutants<Kuery> {
    let mut all = Mutants::new();
    match query {
        Kuery::And(parts) | Kuery::Or(parts) => {
            let and = matches!(query, Kuery::And(_));
            let join = |parts: Vec<Kuery>| if and { Kuery::And(parts) } else { Kuery::Or(parts) };
            if parts.len() > 1 {
                let other = if and { Kuery::Or(parts.clone()) } else { Kuery::And(parts.clone()) };
                all.push(("operator", "and, or".to_owned(), other));
            }
            for (at, part) in parts.iter().enumerate() {
                let without = parts.iter().enumerate().filter(|(other, _)| *other != at);
                let without = without.map(|(_, part)| part.clone()).collect();
                all.push(("part dropped", part.to_string(), join(without)));
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
            for (kind, what, values) in of_values(values) {
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

fn of_values(values: &Values) -> Mutants<Values> {
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
                all.push(("value dropped", format!("{dropped:?}"), join(fewer)));
                for (kind, what, mutant) in of_values(&parts[at]) {
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
fn of_filter(value: &Value) -> Mutants<Value> {
    let mut all = Mutants::new();
    match value {
        Value::Array(items) => {
            for (at, item) in items.iter().enumerate() {
                if items.len() > 1 {
                    let mut fewer = items.clone();
                    fewer.remove(at);
                    all.push(("value dropped", item.to_string(), Value::Array(fewer)));
                }
                for (kind, what, mutant) in of_filter(item) {
                    let mut items = items.clone();
                    items[at] = mutant;
                    all.push((kind, what, Value::Array(items)));
                }
            }
        }
        Value::Object(map) => {
            for (key, inner) in map {
                all.extend(of_key(value, key, inner));
                for (kind, what, mutant) in of_filter(inner) {
                    all.push((kind, what, with(value, key, Some(mutant))));
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    all
}

fn of_key(object: &Value, key: &str, inner: &Value) -> Mutants<Value> {
    let renamed = |to: &str| with(&with(object, key, None), to, Some(inner.clone()));
    let what = || object.to_string();
    match (key, inner) {
        ("must_not", _) => vec![("not removed", what(), renamed("filter"))],
        ("must" | "filter", _) => vec![("operator", what(), renamed("should"))],
        ("should", _) => vec![("operator", what(), renamed("must"))],
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

// -------------------------------------------------------------------------------------------- rules

/// Single changes of a rule as it is imported
fn of_rule(rule: &Value) -> Mutants<Value> {
    let mut all = Mutants::new();
    let query = kuery::parse(rule["query"].as_str().unwrap()).unwrap();
    for (kind, what, mutant) in of_query(&query) {
        let text = mutant.optimised().to_string();
        all.push((kind, what, with(rule, "query", Some(json!(text)))));
    }
    for key in ["filters", "severity_mapping"] {
        for (kind, what, mutant) in of_filter(&rule[key]) {
            all.push((kind, what, with(rule, key, Some(mutant))));
        }
    }
    let filters = rule["filters"].as_array();
    for at in 0..filters.map_or(0, Vec::len) {
        let mut fewer = filters.unwrap().clone();
        let dropped = fewer.remove(at);
        let fewer = with(rule, "filters", Some(Value::Array(fewer)));
        all.push(("filter dropped", dropped["meta"]["alias"].to_string(), fewer));
    }
    let severity = if rule["severity"] == "low" { "medium" } else { "low" };
    all.push(("severity", severity.to_owned(), with(rule, "severity", Some(json!(severity)))));
    for term in rule["new_terms_fields"].as_array().into_iter().flatten() {
        let terms = rule["new_terms_fields"].as_array().unwrap();
        let others: Vec<&Value> = terms.iter().filter(|other| *other != term).collect();
        let mutant = with(rule, "new_terms_fields", Some(json!(others)));
        all.push(("value dropped", format!("new term {term}"), mutant));
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
    all
}

/// An event as both sides see it
struct Known {
    sight: Sight,
    matches: Vec<Match>,
}

fn known(engine: &Engine<'_>, eyes: &Eyes, example: &Example) -> Known {
    let judged = engine.judge_value(&example.event, example.kind, &mut Memory::default());
    Known { sight: eyes.look(&example.event, example.kind).unwrap(), matches: judged.unwrap() }
}

#[test]
fn a_mistake_in_an_emitted_rule_is_noticed() {
    let (eyes, recorded, mut dice) = (Eyes::default(), recorded(), Dice(0x5eed_0006));
    let (mut caught, mut survivors) = (0, Vec::new());
    for folder in ["rules", "tests/operators"] {
        for (rule, made) in translations(&root().join(folder)) {
            let engine = Engine::new(std::slice::from_ref(&made.rule), &Options::default());
            let near = near(&made.rule, &mut dice, 150);
            let examples = near.iter().chain(&recorded);
            let known: Vec<Known> = examples.map(|one| known(&engine, &eyes, one)).collect();
            let lines: Vec<&str> = import(&made).lines().collect();
            for (at, line) in lines.iter().enumerate() {
                let signal = &made.rule.signals[at];
                let emitted: Value = serde_json::from_str(line).unwrap();
                for (kind, what, mutant) in of_rule(&emitted) {
                    if mutant == emitted {
                        continue;
                    }
                    let mutant = mutant.to_string();
                    let mut changed = lines.clone();
                    changed[at] = &mutant;
                    let changed = changed.join("\n");
                    let noticed = match Import::read(&made.rule, &made.losses, &changed) {
                        Err(_) => true,
                        Ok(import) => {
                            let differs = |known: &Known| {
                                let judged = import.compare(&known.sight, known.matches.iter());
                                let of_signal = judged.iter().filter(|one| one.signal == at);
                                let mut findings = of_signal.map(|one| &one.finding);
                                findings.any(|found| matches!(found, Finding::Different(_)))
                            };
                            known.iter().any(differs)
                                || !try_tests(&import, &rule).differences.is_empty()
                        }
                    };
                    if noticed {
                        caught += 1;
                    } else {
                        let title = &rule.metadata.title.value;
                        survivors.push(format!("{title}\t{}\t{kind}\t{what}", signal.name));
                    }
                }
            }
        }
    }
    let all = caught + survivors.len();
    eprintln!("{all} mutants, {caught} caught\n{}", survivors.join("\n"));
}
