//! No emitted rule of Elastic asks for a value and excludes it: such a rule could never match.
//!
//! In: rules as Kibana imports them. Out: those whose query and filters together require what they
//! exclude. The query and the filters are read as one formula over tests of single values, so a
//! clause in one language is held against its negation in the other.

use std::collections::BTreeSet;

use rulecast::backend::{Target, emit};
use rulecast::diagnostic::Diagnostics;
use rulecast::query::elasticsearch::{self, Bool, Query, Test};
use rulecast::query::eql::{self, Comparison, Condition, Eql, EventQuery, Value};
use rulecast::query::kuery::{self, Kuery, Literal, Values};
use serde_json::Value as Json;

use crate::kuery::{emitted, of_sigma};
use crate::support::{corpus, in_language, root, rule};

/// A test of one value of a field; whether there is one at all is the test `*`
type Atom = (String, String);

enum Formula {
    All(Vec<Formula>),
    Any(Vec<Formula>),
    Not(Box<Formula>),
    One(Atom),
    /// What is not taken apart
    Other,
}

fn not(part: Formula) -> Formula {
    Formula::Not(Box::new(part))
}

fn one(field: &str, test: &str) -> Formula {
    Formula::One((field.to_owned(), test.to_owned()))
}

fn of_query(query: &Kuery) -> Formula {
    let many = |parts: &[Kuery]| parts.iter().map(of_query).collect();
    match query {
        Kuery::And(parts) => Formula::All(many(parts)),
        Kuery::Or(parts) => Formula::Any(many(parts)),
        Kuery::Not(part) => not(of_query(part)),
        Kuery::Field(name, values) => of_values(&name.to_string(), values),
        Kuery::Range(..) | Kuery::Nested(..) | Kuery::Anywhere(_) => Formula::Other,
    }
}

fn of_values(field: &str, values: &Values) -> Formula {
    let many = |parts: &[Values]| parts.iter().map(|part| of_values(field, part)).collect();
    match values {
        Values::Any(parts) => Formula::Any(many(parts)),
        Values::All(parts) => Formula::All(many(parts)),
        Values::Not(part) => not(of_values(field, part)),
        Values::One(Literal::Quoted(text)) => one(field, &format!("= {text}")),
        Values::One(Literal::Plain(pattern)) if pattern.is_anything() => one(field, "*"),
        Values::One(Literal::Plain(pattern)) => match pattern.as_literal() {
            Some(text) => one(field, &format!("= {text}")),
            None => one(field, &format!("fits {pattern}")),
        },
    }
}

/// What single events are asked for; of a sequence nothing is taken apart
fn of_events(query: &Eql) -> Formula {
    let Eql::Event(EventQuery { category, condition }) = query else { return Formula::Other };
    let category = category.iter().map(|word| one("event.category", &format!("= {word}")));
    Formula::All(category.chain([of_condition(condition)]).collect())
}

fn of_condition(condition: &Condition) -> Formula {
    let many = |parts: &[Condition]| parts.iter().map(of_condition).collect();
    match condition {
        Condition::All(parts) => Formula::All(many(parts)),
        Condition::Any(parts) => Formula::Any(many(parts)),
        Condition::Not(part) => not(of_condition(part)),
        Condition::Noted(_, part) => of_condition(part),
        Condition::Compare(Value::Field(field), Comparison::NotEqual, Value::Null) => {
            one(&field.name, "*")
        }
        Condition::Compare(Value::Field(field), Comparison::Equal, Value::Null) => {
            not(one(&field.name, "*"))
        }
        Condition::Compare(Value::Field(field), Comparison::Equal, value) => {
            one(&field.name, &format!("= {}", constant(value)))
        }
        Condition::In { value: Value::Field(field), items, fold } => {
            let sign = if *fold { ":" } else { "=" };
            let each =
                items.iter().map(|item| one(&field.name, &format!("{sign} {}", constant(item))));
            Formula::Any(each.collect())
        }
        Condition::Matches(Value::Field(field), way, texts) => {
            let each = texts.iter().map(|text| one(&field.name, &format!("{way:?} {text}")));
            Formula::Any(each.collect())
        }
        Condition::Truth(_)
        | Condition::Compare(..)
        | Condition::In { .. }
        | Condition::Matches(..) => Formula::Other,
    }
}

/// A constant as its text
fn constant(value: &Value) -> String {
    if let Value::Text(text) = value { text.clone() } else { format!("{value:?}") }
}

fn of_filter(query: &Query) -> Formula {
    let many = |parts: &[Query]| parts.iter().map(of_filter).collect::<Vec<_>>();
    match query {
        Query::Everything => Formula::All(Vec::new()),
        Query::Nothing => Formula::Any(Vec::new()),
        Query::Exists(field) => one(field, "*"),
        Query::Terms(field, values) => {
            let values = values.iter().map(|value| one(field, &format!("= {value}")));
            Formula::Any(values.collect())
        }
        Query::Value { field, test: Test::Term(value), fold: false } => {
            one(field, &format!("= {value}"))
        }
        Query::Range(field, _) | Query::Value { field, .. } | Query::Words { field, .. } => {
            one(field, &query.to_json().to_string())
        }
        Query::Bool(Bool { must, filter, should, minimum_should_match, must_not }) => {
            let mut all = many(must);
            all.extend(many(filter));
            all.extend(many(must_not).into_iter().map(not));
            if minimum_should_match.unwrap_or(usize::from(all.is_empty())) > 0 {
                all.extend((!should.is_empty()).then(|| Formula::Any(many(should))));
            }
            Formula::All(all)
        }
    }
}

/// Everything that a rule asks for
fn whole(rule: &Json) -> Formula {
    let text = rule["query"].as_str().unwrap();
    let query = match rule["language"].as_str() {
        Some("eql") => of_events(&eql::parse(text).unwrap()),
        _ => of_query(&kuery::parse(text).unwrap()),
    };
    let filters = rule["filters"].as_array().into_iter().flatten();
    let filters = filters.filter_map(|filter| elasticsearch::filter(filter).unwrap());
    let filters = filters.map(|filter| match (of_filter(&filter.query), filter.negate) {
        (query, true) => not(query),
        (query, false) => query,
    });
    Formula::All(std::iter::once(query).chain(filters).collect())
}

/// The parts that must all hold
fn conjuncts<'f>(formula: &'f Formula, found: &mut Vec<&'f Formula>) {
    match formula {
        Formula::All(parts) => parts.iter().for_each(|part| conjuncts(part, found)),
        Formula::Any(_) | Formula::Not(_) | Formula::One(_) | Formula::Other => found.push(formula),
    }
}

/// The tests none of which may hold, where the negated formula is but alternatives
fn excluded(negated: &Formula, found: &mut BTreeSet<Atom>) {
    match negated {
        Formula::One(atom) => {
            found.insert(atom.clone());
        }
        Formula::Any(parts) => parts.iter().for_each(|part| excluded(part, found)),
        Formula::All(parts) if parts.len() == 1 => excluded(&parts[0], found),
        Formula::All(_) | Formula::Not(_) | Formula::Other => {}
    }
}

/// Whether nothing can fit: a part requires only what another part excludes
fn never_fits(formula: &Formula, outside: &BTreeSet<Atom>) -> bool {
    let (mut parts, mut no) = (Vec::new(), outside.clone());
    conjuncts(formula, &mut parts);
    for part in &parts {
        if let Formula::Not(inner) = part {
            excluded(inner, &mut no);
        }
    }
    parts.iter().any(|part| match part {
        // A value that fits is a value that is there.
        Formula::One(atom) => no.contains(atom) || no.contains(&(atom.0.clone(), "*".to_owned())),
        Formula::Any(choices) => choices.iter().all(|choice| never_fits(choice, &no)),
        Formula::All(_) | Formula::Not(_) | Formula::Other => false,
    })
}

fn contradictions(rules: &[(String, Json)]) -> Vec<&str> {
    let rules = rules.iter().filter(|(_, rule)| never_fits(&whole(rule), &BTreeSet::new()));
    rules.map(|(name, _)| name.as_str()).collect()
}

#[test]
fn a_contradiction_is_found_in_each_language_and_across_them() {
    let never = |query: &str, filters: Json| {
        let rule = serde_json::json!({"query": query, "filters": filters});
        never_fits(&whole(&rule), &BTreeSet::new())
    };
    let none = || serde_json::json!([]);
    let terms = |negate: bool| {
        let query = serde_json::json!({"terms": {"user.name": ["a", "b"]}});
        serde_json::json!([{"meta": {"negate": negate}, "query": query}])
    };
    let direction = "network.direction:((inbound or ingress) and not (inbound or ingress))";
    assert!(never(direction, none()));
    assert!(never("user.name:a and not user.name:*", none()));
    assert!(
        never("user.name:(a or b)", terms(true)) && never("not user.name:(a or b)", terms(false))
    );
    assert!(!never("user.name:(a or c)", terms(true)) && !never("user.name:a", terms(false)));
    assert!(!never("network.direction:(* and not (inbound or ingress))", none()));
    assert!(!never("a:1 and not (a:1 and b:2)", none()));
}

#[test]
fn no_emitted_rule_excludes_what_it_asks_for() {
    for folder in ["rules", "tests/operators"] {
        for language in ["kuery", "eql"] {
            let rules = emitted(&root().join(folder), language);
            let never = contradictions(&rules);
            assert!(never.is_empty(), "{folder}: {never:?} can never match");
        }
    }
}

#[test]
fn no_emitted_rule_of_sigma_excludes_what_it_asks_for() {
    let Some(corpus) = corpus("no_emitted_rule_of_sigma_excludes_what_it_asks_for") else { return };
    for language in ["kuery", "eql"] {
        let never = contradictions(of_sigma(&corpus, language));
        assert!(never.is_empty(), "{never:?} can never match");
    }
}

/// The filters and the query of a Sigma rule with this one test; `None` when Elastic refuses it
fn of_network_test(test: &str) -> Option<Json> {
    let text = format!(
        "title: Connection Of A Worker\nid: 7c1f0c01-0001-4c00-8a00-000000000296\nstatus: test\n\
         description: A worker.\nauthor: someone\ndate: 2026-11-28\nlevel: medium\n\
         logsource: {{category: network_connection, product: windows}}\n\
         detection:\n  direction: {{{test}}}\n  condition: direction\n"
    );
    let rule = in_language(rule(&text), "kuery");
    let artifacts = emit(Target::Elastic, &rule, "rule", &mut Diagnostics::default())?;
    let line = artifacts.into_iter().find(|artifact| artifact.name.ends_with(".ndjson"))?;
    serde_json::from_str(&line.text).ok()
}

#[test]
fn a_direction_is_what_its_words_fit_and_nothing_else() {
    let incoming =
        serde_json::json!({"terms": {"network.direction": ["inbound", "incoming", "ingress"]}});
    let there = serde_json::json!({"exists": {"field": "network.direction"}});
    let outgoing = serde_json::json!({"bool": {"filter": [there], "must_not": [incoming]}});
    let filter = |test: &str| of_network_test(test).map(|rule| rule["filters"][0]["query"].clone());
    assert_eq!(filter("Initiated|contains: 'ALSE'"), Some(incoming.clone()));
    assert_eq!(filter("Initiated|startswith: 'tr'"), Some(outgoing));
    let any = of_network_test("Initiated|endswith: 'e'").unwrap();
    assert_eq!(any["filters"], serde_json::json!([]));
    assert!(any["query"].as_str().unwrap().ends_with("network.direction:*"), "{any}");
    assert_eq!(filter("Initiated: 'maybe'"), None);
    let plain = of_network_test("Initiated: 'false'").unwrap();
    assert!(plain["query"].as_str().unwrap().contains("network.direction:(\"inbound\""), "{plain}");
    assert!(!never_fits(&whole(&plain), &BTreeSet::new()));
}
