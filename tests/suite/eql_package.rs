//! What the judge of EQL says of queries on which Elastic's own package can have a say.
//!
//! The proof reads the same file and asks the package (`tests/conformance/eql_reader.py`). The package
//! answers as Elasticsearch only where each event has its keys and values, each value is one word in
//! lower case, spans are whole seconds, and an event that ends a sequence takes no step of one. Queries
//! and events here are such.

use std::fs;

use rulecast::query::eql::{
    Comparison, Condition, Eql, EventQuery, FieldName, Matching, Sequence, Step, Value as V,
};
use rulecast::verify::eql::{FieldType, Index, Judge};
use rulecast::verify::near::chance::Dice;
use serde_json::{Value, json};

use crate::eql_pairs::{one_in, pick};
use crate::support::root;

/// Where the proof finds the queries, the events and the verdicts
const FILE: &str = "tests/conformance/eql_verdicts.jsonl";

const HOSTS: &[&str] = &["h", "i"];
const WORDS: &[&str] = &["x", "xy", "yx", "z"];

/// A test of one field
fn leaf(dice: &mut Dice) -> Condition {
    let (field, values) = pick(dice, &[("word", WORDS), ("word", WORDS), ("user", HOSTS)]);
    let (value, one) = (V::field(field), pick(dice, values).to_owned());
    match dice.roll(6) {
        0 => Condition::Compare(value, Comparison::Equal, V::Text(one)),
        1 => Condition::Compare(value, Comparison::NotEqual, V::Text(one)),
        2 => {
            let items = (0..2).map(|_| V::Text(pick(dice, values).to_owned())).collect();
            Condition::In { value, items, fold: false }
        }
        3 => {
            let arguments = vec![value, V::Text(one)];
            let function = pick(dice, &["startsWith", "endsWith", "stringContains"]).to_owned();
            Condition::Truth(V::Call { function, fold: false, arguments })
        }
        _ => {
            let kind = pick(dice, &[Matching::Colon, Matching::Like]);
            let pattern = pick(dice, &["x*", "*x", "*y*", "z", "*"]).to_owned();
            Condition::Matches(value, kind, vec![pattern, one])
        }
    }
}

fn condition(dice: &mut Dice, depth: usize) -> Condition {
    let many = |dice: &mut Dice| (0..2).map(|_| condition(dice, depth - 1)).collect();
    match if depth == 0 { 9 } else { dice.roll(6) } {
        0 => Condition::all(many(dice)),
        1 => Condition::any(many(dice)),
        2 => Condition::none(condition(dice, depth - 1)),
        _ => leaf(dice),
    }
}

/// An event of one of these categories
fn event(dice: &mut Dice, categories: &[&str]) -> EventQuery {
    let category = Some(pick(dice, categories).to_owned());
    let always = Condition::Truth(V::Truth(true));
    let condition = if !one_in(dice, 3) { always } else { condition(dice, 1) };
    EventQuery { category, condition }
}

fn sequence(dice: &mut Dice) -> Eql {
    let key = |dice: &mut Dice| FieldName::of(pick(dice, &["host", "user"]));
    let by: Vec<FieldName> = (0..dice.roll(2)).map(|_| key(dice)).collect();
    let own = usize::from(by.is_empty() || one_in(dice, 3));
    let step = |dice: &mut Dice, categories: &[&str]| Step {
        absent: false,
        query: event(dice, categories),
        by: (0..own).map(|_| key(dice)).collect(),
        runs: 1,
    };
    let steps = (0..2 + dice.roll(2)).map(|_| {
        let runs = pick(dice, &[1, 1, 1, 1, 1, 2, 3]);
        Step { runs, ..step(dice, &["a", "b", "a", "b", "c"]) }
    });
    let steps = steps.collect();
    let until = one_in(dice, 3).then(|| step(dice, &["e"]));
    let maxspan = (!one_in(dice, 4)).then(|| 1_000 * (2 + dice.roll(12) as u64));
    Eql::Sequence(Sequence { by, maxspan, steps, until })
}

/// Events as words: a category, a host, a user, a time in milliseconds and a word
fn series(dice: &mut Dice) -> String {
    let mut time = 0;
    let events = (0..24).map(|_| {
        time += pick(dice, &[0, 0, 0, 999, 1_000, 1_000, 1_000, 1_001, 2_000, 4_000]);
        let category = pick(dice, &["a", "a", "a", "b", "b", "b", "c", "e"]);
        let (host, user, word) = (pick(dice, HOSTS), pick(dice, HOSTS), pick(dice, WORDS));
        format!("{category}{host}{user}{time}{word}")
    });
    events.collect::<Vec<_>>().join(" ")
}

/// The document of such a word
fn document(word: &str) -> Value {
    let number = |c: char| c.is_ascii_digit();
    let (start, rest) = word.split_at(word.find(number).unwrap());
    let (time, word) = rest.split_at(rest.rfind(number).unwrap() + 1);
    let time: i64 = time.parse().unwrap();
    let (category, host, user) = (&start[..1], &start[1..2], &start[2..]);
    json!({
        "@timestamp": time,
        "event.category": category,
        "host": host,
        "user": user,
        "word": word,
    })
}

/// The places of the events that are found, those of one sequence joined by commas
fn found(query: &Eql, events: &str) -> String {
    let documents: Vec<Value> = events.split(' ').map(document).collect();
    let types = |name: &str| {
        let known = ["host", "user", "word"].contains(&name);
        known.then(|| FieldType::named("keyword")).flatten()
    };
    let chains: Vec<Vec<Option<usize>>> = match Judge::of(query, &Index::new(&types)).unwrap() {
        Judge::Sequence(judge) => judge.sequences(&documents).unwrap(),
        Judge::Event(judge) => {
            let places = (0..documents.len()).filter(|at| judge.matches(&documents[*at]));
            places.map(|at| vec![Some(at)]).collect()
        }
    };
    let place = |at: &Option<usize>| at.map_or("-".to_owned(), |at| at.to_string());
    let chain = |chain: &Vec<_>| chain.iter().map(place).collect::<Vec<_>>().join(",");
    chains.iter().map(chain).collect::<Vec<_>>().join(" ")
}

#[test]
fn the_verdicts_that_the_proof_compares_are_fresh() {
    let mut dice = Dice(0x6571_6c5f_3035);
    let mut text = String::new();
    let mut empty = 0;
    for at in 0..300 {
        let query = match at % 4 {
            0 => {
                let category = Some(pick(&mut dice, &["a", "b"]).to_owned());
                Eql::Event(EventQuery { category, condition: condition(&mut dice, 3) })
            }
            _ => sequence(&mut dice),
        };
        let events = series(&mut dice);
        let found = found(&query, &events);
        empty += usize::from(found.is_empty());
        let line = json!({"query": query.to_string(), "events": events, "found": found});
        text.push_str(&format!("{line}\n"));
    }
    assert!((40..150).contains(&empty), "{empty} queries find nothing");
    let path = root().join(FILE);
    if std::env::var_os("UPDATE_GENERATED").is_some() {
        fs::write(&path, &text).unwrap();
    }
    let have = fs::read_to_string(&path).unwrap_or_default();
    let same = have.lines().zip(text.lines()).take_while(|(have, line)| have == line).count();
    let stale = "run the tests with UPDATE_GENERATED=1 and review the change";
    assert!(have == text, "{FILE} is stale from line {}; {stale}", same + 1);
}
