//! ECS documents near the values that a query and filters look for.

use std::collections::BTreeMap;
use std::net::IpAddr;

use rulecast::query::eql::{Condition, EventQuery, Value as EqlValue};
use rulecast::query::kuery::{Kuery, Literal, Values};
use serde_json::{Map, Value, json};

use rulecast::verify::near::chance::Dice;

/// For each field, values that documents may hold
pub(crate) type Near = BTreeMap<String, Vec<Value>>;

/// The values that a query and filters compare fields with
pub(crate) fn near_rule(query: &Kuery, filters: &Value) -> Near {
    let mut near = Near::new();
    of_query(query, &mut near);
    of_filter(filters, &mut near);
    near
}

/// The values that an event of EQL compares fields with
pub(crate) fn near_event(event: &EventQuery) -> Near {
    let mut near = Near::new();
    event.category.iter().for_each(|category| add(&mut near, "event.category", category));
    of_condition(&event.condition, &mut near);
    near
}

/// One more value of a field; a value of another type could not be indexed and is left out
pub(crate) fn add(near: &mut Near, field: &str, text: &str) {
    let path = field.trim_end_matches(".text").trim_end_matches(".caseless");
    let numbers = [".pid", ".port", ".status_code", ".bytes"];
    let value = if path.ends_with(".ip") {
        let base = text.split('/').next().unwrap_or_default();
        base.parse::<IpAddr>().ok().map(|address| json!(address.to_string()))
    } else if numbers.iter().any(|end| path.ends_with(end)) {
        text.parse::<i64>().ok().map(Value::from)
    } else if path.ends_with(".trusted") {
        text.parse::<bool>().ok().map(Value::from)
    } else if path == "@timestamp" {
        (text.contains('T') || text.parse::<i64>().is_ok()).then(|| json!(text))
    } else {
        Some(json!(text))
    };
    near.entry(path.to_owned()).or_default().extend(value);
}

fn of_condition(condition: &Condition, near: &mut Near) {
    let (mut fields, mut texts) = (Vec::new(), Vec::new());
    match condition {
        Condition::All(parts) | Condition::Any(parts) => {
            return parts.iter().for_each(|part| of_condition(part, near));
        }
        Condition::Not(part) | Condition::Noted(_, part) => return of_condition(part, near),
        Condition::Matches(_, _, patterns) => {
            texts.extend(patterns.iter().map(|text| text.replace('*', "x9").replace('?', "8")));
        }
        Condition::Truth(_) | Condition::Compare(..) | Condition::In { .. } => {}
    }
    condition.each_value(&mut |value| match value {
        EqlValue::Field(field) => fields.push(field),
        EqlValue::Text(text) => texts.push(text.clone()),
        EqlValue::Number(number) => texts.push(number.to_string()),
        EqlValue::Truth(truth) => texts.push(truth.to_string()),
        EqlValue::Null | EqlValue::Call { .. } | EqlValue::Arithmetic(..) => {}
    });
    for field in fields {
        texts.iter().for_each(|text| add(near, &field.name, text));
        add(near, &field.name, "x");
    }
}

fn of_query(query: &Kuery, near: &mut Near) {
    match query {
        Kuery::And(parts) | Kuery::Or(parts) => parts.iter().for_each(|part| of_query(part, near)),
        Kuery::Not(part) | Kuery::Nested(_, part) => of_query(part, near),
        Kuery::Field(name, values) => of_values(&name.to_string(), values, near),
        Kuery::Range(name, _, limit) => of_literal(&name.to_string(), limit, near),
        Kuery::Anywhere(_) => {}
    }
}

fn of_values(field: &str, values: &Values, near: &mut Near) {
    match values {
        Values::One(literal) => of_literal(field, literal, near),
        Values::Any(parts) | Values::All(parts) => {
            parts.iter().for_each(|part| of_values(field, part, near));
        }
        Values::Not(part) => of_values(field, part, near),
    }
}

fn of_literal(field: &str, literal: &Literal, near: &mut Near) {
    match literal {
        Literal::Quoted(text) => add(near, field, text),
        Literal::Plain(pattern) => {
            let literals: Vec<&str> = pattern.literals().collect();
            add(near, field, &literals.join("9"));
        }
    }
}

fn of_filter(filter: &Value, near: &mut Near) {
    match filter {
        Value::Array(parts) => parts.iter().for_each(|part| of_filter(part, near)),
        Value::Object(map) => {
            for (key, inner) in map {
                match (key.as_str(), inner) {
                    ("term" | "terms" | "wildcard" | "prefix" | "range", Value::Object(fields)) => {
                        fields.iter().for_each(|(field, value)| of_body(field, value, near));
                    }
                    _ => of_filter(inner, near),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn of_body(field: &str, body: &Value, near: &mut Near) {
    match body {
        Value::Array(parts) => parts.iter().for_each(|part| of_body(field, part, near)),
        Value::Object(map) => map.values().for_each(|part| of_body(field, part, near)),
        Value::String(text) => {
            let text = text.replace("\\\\", "\u{1}").replace('*', "x9").replace('?', "8");
            add(near, field, &text.replace('\\', "").replace('\u{1}', "\\"));
        }
        Value::Number(_) => add(near, field, &body.to_string()),
        Value::Null | Value::Bool(_) => {}
    }
}

/// A document with most of the fields
pub(crate) fn document(near: &Near, dice: &mut Dice) -> Value {
    let mut document = Map::new();
    for (field, values) in near {
        // What scopes a rule is there nearly always: else few documents would be looked at.
        let scope = ["event.", "host."].iter().any(|start| field.starts_with(start));
        if !values.is_empty() && dice.roll(if scope { 40 } else { 8 }) > 0 {
            let value = &values[dice.roll(values.len())];
            let other = &values[dice.roll(values.len())];
            let value = if scope { value.clone() } else { changed(value, other, dice) };
            put(&mut document, field, value, dice);
        }
    }
    Value::Object(document)
}

/// A value as it is, or changed by a little: alone, in a list, longer, in other letters
fn changed(value: &Value, other: &Value, dice: &mut Dice) -> Value {
    let flipped = |text: &str| -> String {
        let flip = |c: char| match c.is_ascii_lowercase() {
            true => c.to_ascii_uppercase(),
            false => c.to_ascii_lowercase(),
        };
        text.chars().map(flip).collect()
    };
    let listed = match dice.roll(12) {
        0 => json!([value, other]),
        1 => json!([[other], null]),
        2 => json!([]),
        3 => Value::Null,
        _ => value.clone(),
    };
    let Some(text) = listed.as_str().filter(|text| text.parse::<IpAddr>().is_err()) else {
        return listed;
    };
    // A date that is changed is none.
    if text.contains("T0") {
        return listed;
    }
    match dice.roll(10) {
        0 => json!(flipped(text)),
        1 => json!(format!("{text}x")),
        2 => json!(format!("x{text}")),
        3 => json!(format!("C:\\inetpub\\{text}.x")),
        4 => json!(format!("a {text} b")),
        _ => listed,
    }
}

/// Puts a value at its path, nested or dotted
pub(crate) fn put(document: &mut Map<String, Value>, path: &str, value: Value, dice: &mut Dice) {
    let Some((head, rest)) = path.split_once('.').filter(|_| dice.roll(4) > 0) else {
        document.entry(path).or_insert(value);
        return;
    };
    let inner = document.entry(head).or_insert_with(|| json!({}));
    if let Value::Object(inner) = inner {
        put(inner, rest, value, dice);
    }
}
