//! Random sequences in EQL, with short series of events that often take a step of them.
//!
//! The events have few categories, keys and times; several may have the same time. An event may come
//! before one that happened earlier.

use rulecast::query::eql::{
    Condition, Eql, EventQuery, FieldName, Matching, Sequence, Step, Value as V,
};
use rulecast::verify::near::chance::Dice;
use serde_json::{Map, Value, json};

use crate::documents::put;
use crate::eql_pairs::{one_in, pick};

/// The fields of the index with their types
pub(crate) const FIELDS: &[(&str, &str)] = &[
    ("host.id", "keyword"),
    ("user", "keyword"),
    ("pid", "long"),
    ("parent.pid", "long"),
    ("word", "keyword"),
];

/// Keys of texts, and keys of numbers: all steps have those of one type at one place
const KEYS: [&[(&str, bool)]; 2] = [
    &[("host.id", false), ("host.id", false), ("user", false), ("user", true), ("gone", true)],
    &[("pid", false), ("parent.pid", false), ("parent.pid", true)],
];

fn key(dice: &mut Dice, sort: usize) -> FieldName {
    let (name, optional) = pick(dice, KEYS[sort]);
    FieldName { name: name.to_owned(), optional }
}

fn event(dice: &mut Dice) -> EventQuery {
    let word = |patterns: &[&str]| {
        let patterns = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
        Condition::Matches(V::field("word"), Matching::Colon, patterns)
    };
    let condition = match dice.roll(8) {
        0 => word(&["x*"]),
        1 => word(&["Y", "z?"]),
        2 => Condition::Not(Box::new(word(&["x"]))),
        3 => Condition::there(V::field("user")),
        _ => Condition::Truth(V::Truth(true)),
    };
    let category = pick(dice, &[Some("a"), Some("b"), Some("b"), Some("c"), None]);
    EventQuery { category: category.map(str::to_owned), condition }
}

fn step(dice: &mut Dice, sorts: &[usize], absent: bool) -> Step {
    let runs = if one_in(dice, if absent { 12 } else { 5 }) { 2 + dice.roll(2) } else { 1 };
    let by = sorts.iter().map(|sort| key(dice, *sort)).collect();
    Step { absent, query: event(dice), by, runs: runs as u32 }
}

/// A query of events that follow one another; a few are refused
pub(crate) fn sequence(dice: &mut Dice) -> Eql {
    let by: Vec<FieldName> = (0..dice.roll(3)).map(|_| roll_key(dice)).collect();
    let sorts: Vec<usize> = (0..dice.roll(3) / (1 + by.len())).map(|_| dice.roll(2)).collect();
    let maxspan = (!one_in(dice, 4)).then(|| 1 + dice.roll(20) as u64);
    let absent = |dice: &mut Dice| one_in(dice, if maxspan.is_some() { 4 } else { 60 });
    let mut steps: Vec<Step> = Vec::new();
    for _ in 0..pick(dice, &[1, 2, 2, 2, 3, 3, 4]) {
        let absent = absent(dice);
        steps.push(step(dice, &sorts, absent));
    }
    let until = one_in(dice, 3).then(|| Step { runs: 1, ..step(dice, &sorts, false) });
    // Steps with unequally many keys are refused.
    if one_in(dice, 40) {
        steps[0].by.push(key(dice, 0));
    }
    Eql::Sequence(Sequence { by, maxspan, steps, until })
}

fn roll_key(dice: &mut Dice) -> FieldName {
    let sort = usize::from(one_in(dice, 4));
    key(dice, sort)
}

/// Events in the order of their arrival
pub(crate) fn series(dice: &mut Dice, length: usize) -> Vec<Value> {
    let mut time = 0_i64;
    let mut events: Vec<Value> = Vec::new();
    for _ in 0..length {
        time += pick(dice, &[0, 0, 1, 1, 2, 3, 7]);
        let mut event = Map::new();
        event.insert("@timestamp".to_owned(), json!(time));
        let categories = ["a", "b", "c"].map(|one| json!(one));
        put(&mut event, "event.category", pick(dice, &categories), dice);
        for (name, kind) in FIELDS {
            let mut value = || match *kind {
                "long" => json!(1 + dice.roll(2)),
                _ if *name == "word" => json!(pick(dice, &["x", "X", "xy", "y", "z1"])),
                _ => json!(pick(dice, &["h", "h", "H", "i"])),
            };
            let (one, other) = (value(), value());
            let value = match dice.roll(16) {
                0 => Value::Null,
                1 => json!([one, other]),
                2 => json!([other, one, other]),
                _ => one,
            };
            put(&mut event, name, value, dice);
        }
        events.push(Value::Object(event));
    }
    for _ in 0..length / 8 {
        let (one, other) = (dice.roll(length), dice.roll(length));
        events.swap(one, other);
    }
    events
}
