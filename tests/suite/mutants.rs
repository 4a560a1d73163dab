//! Whether the trial of Elastic's rules would notice a mistake in one.
//!
//! Single mutations of emitted rules: an operator swapped, a value dropped, a `not` removed, a case
//! flag changed, a list shortened, a limit moved, a severity or a term changed. Of those that change
//! a meaning, the events near each literal and the rules' own tests catch nearly all; `survivors.tsv`
//! beside this file says of the others why.

use std::collections::BTreeMap;

use rulecast::Rule;
use rulecast::backend::elastic::{Bound, Kuery, Literal, Values};
use rulecast::backend::{Loss, Translation};
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

fn lettered(object: &Value) -> bool {
    object["value"].as_str().is_some_and(|text| text.contains(char::is_alphabetic))
}

fn of_key(object: &Value, key: &str, inner: &Value) -> Mutants<Value> {
    let renamed = |to: &str| with(&with(object, key, None), to, Some(inner.clone()));
    let what = || object.to_string();
    match (key, inner) {
        ("must_not", _) => vec![("not removed", what(), renamed("filter"))],
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

/// A signal by itself, with what Elastic takes for it and the events to try it on
struct Subject {
    rule: Rule,
    whole: Rule,
    losses: Vec<Loss>,
    line: String,
    known: Vec<Known>,
}

impl Subject {
    /// The signals of a rule, each alone
    fn all(whole: &Rule, made: &Translation, recorded: &[Example]) -> Vec<Subject> {
        let names: Vec<&str> = made.rule.signals.iter().map(|s| s.name.as_str()).collect();
        let (eyes, mut dice) = (Eyes::default(), Dice(0x5eed_0006));
        let signals = names.iter().zip(import(made).lines()).map(|(name, line)| {
            let others: Vec<_> = names.iter().copied().filter(|other| other != name).collect();
            let rule = made.rule.without(&others).unwrap();
            let near = near(&rule, &mut dice, 100);
            let engine = Engine::new(std::slice::from_ref(&rule), &Options::default());
            let known = near.iter().chain(recorded).map(|example| Known {
                sight: eyes.look(&example.event, example.kind).unwrap(),
                matches: engine
                    .judge_value(&example.event, example.kind, &mut Memory::default())
                    .unwrap(),
            });
            let known = known.collect();
            let (whole, losses) = (whole.clone(), made.losses.clone());
            Subject { known, rule, whole, losses, line: (*line).to_owned() }
        });
        signals.collect()
    }

    /// Whether an event tells the changed line from what the rule means
    fn notices(&self, line: &str) -> bool {
        // Kibana, or what reads it here, takes no such rule.
        let Ok(import) = Import::read(&self.rule, &self.losses, line) else { return true };
        let differs = |known: &Known| {
            let judged = import.compare(&known.sight, known.matches.iter());
            judged.iter().any(|one| matches!(one.finding, Finding::Different(_)))
        };
        let of_tests = || !try_tests(&import, &self.whole).differences.is_empty();
        self.known.iter().any(differs) || of_tests()
    }

    fn why(&self, line: &str) -> String {
        let import = Import::read(&self.rule, &self.losses, line).unwrap();
        let mut c: BTreeMap<String, usize> = BTreeMap::new();
        for known in &self.known {
            for j in import.compare(&known.sight, known.matches.iter()) {
                *c.entry(format!("{:?}", j.finding)).or_default() += 1;
            }
        }
        format!("{c:?}")
    }
}

#[test]
fn a_mistake_in_an_emitted_rule_is_noticed() {
    let recorded = recorded();
    let (mut caught, mut survivors) = (0, Vec::new());
    for folder in ["rules", "tests/operators"] {
        for (whole, made) in translations(&root().join(folder)) {
            for subject in Subject::all(&whole, &made, &recorded) {
                let emitted: Value = serde_json::from_str(&subject.line).unwrap();
                let hits = subject.known.iter().filter(|k| !k.matches.is_empty()).count();
                eprintln!(
                    "{}\t{}\t{hits}",
                    whole.metadata.title.value, subject.rule.signals[0].name
                );
                for (kind, what, mutant) in of_rule(&emitted) {
                    if mutant == emitted {
                        continue;
                    }
                    if subject.notices(&mutant.to_string()) {
                        caught += 1;
                    } else {
                        let (title, name) =
                            (&whole.metadata.title.value, &subject.rule.signals[0].name);
                        let why = subject.why(&mutant.to_string());
                        survivors.push(format!("{title}\t{name}\t{kind}\t{what}\t{why}"));
                    }
                }
            }
        }
    }
    let all = caught + survivors.len();
    eprintln!("{all} mutants, {caught} caught\n{}", survivors.join("\n"));
}

#[test]
fn debug_dropped() {
    let want = std::env::var("WANT").unwrap();
    for folder in ["rules", "tests/operators"] {
        for (_, made) in translations(&root().join(folder)) {
            let lines: Vec<&str> = import(&made).lines().collect();
            for (at, signal) in made.rule.signals.iter().enumerate() {
                if signal.name != want {
                    continue;
                }
                let names: Vec<&str> = made
                    .rule
                    .signals
                    .iter()
                    .map(|s| s.name.as_str())
                    .filter(|n| *n != want)
                    .collect();
                let rule = made.rule.without(&names).unwrap();
                let imp = Import::read(&rule, &made.losses, lines[at]).unwrap();
                let engine = Engine::new(std::slice::from_ref(&rule), &Options::default());
                let v: Value = serde_json::from_str(lines[at]).unwrap();
                eprintln!(
                    "{}\n{}\n{:#?}",
                    v["query"].as_str().unwrap(),
                    v["filters"],
                    rule.signals[0].expr()
                );
                let eyes = Eyes::default();
                let mut n = 0;
                for e in crate::near::events(&rule.signals[0]) {
                    let m =
                        engine.judge_value(&e, Some(signal.kind), &mut Memory::default()).unwrap();
                    let s = eyes.look(&e, Some(signal.kind)).unwrap();
                    for j in imp.compare(&s, m.iter()) {
                        if std::env::var("ALL").is_ok() || !matches!(j.finding, Finding::Same(_)) {
                            n += 1;
                            if n < 60 {
                                eprintln!("{:?} {} {}", j.finding, m.len(), e);
                            }
                        }
                    }
                }
            }
        }
    }
}
