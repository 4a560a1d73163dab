//! Lists of values.
//!
//! In: alternatives. Out: the same with one list for each field and way to compare.

use super::tree::{Comparison, Condition, Value};

/// The function that compares an address with networks
pub const NETWORKS: &str = "cidrMatch";

/// The value is one of the constants; a comparison where there is one of them, in its own case
pub fn one_of(value: Value, mut items: Vec<Value>, fold: bool) -> Condition {
    match (items.pop(), items.is_empty()) {
        (Some(only), true) if !fold => Condition::Compare(value, Comparison::Equal, only),
        (last, _) => {
            items.extend(last);
            Condition::In { value, items, fold }
        }
    }
}

/// Alternatives over one field as one list, at the place of the first
pub fn merged(parts: Vec<Condition>) -> Vec<Condition> {
    let mut all: Vec<Condition> = Vec::new();
    for part in parts.into_iter().map(as_list) {
        if !all.iter_mut().any(|known| takes(known, &part)) {
            all.push(part);
        }
    }
    let plain = |condition| match condition {
        Condition::In { value, items, fold } => one_of(value, items, fold),
        other @ (Condition::All(_)
        | Condition::Any(_)
        | Condition::Not(_)
        | Condition::Truth(_)
        | Condition::Compare(..)
        | Condition::Matches(..)
        | Condition::Noted(..)) => other,
    };
    all.into_iter().map(plain).collect()
}

/// A comparison with one constant as a list of one
fn as_list(condition: Condition) -> Condition {
    match condition {
        Condition::Compare(value, Comparison::Equal, only) if only != Value::Null => {
            Condition::In { value, items: vec![only], fold: false }
        }
        other @ (Condition::All(_)
        | Condition::Any(_)
        | Condition::Not(_)
        | Condition::Truth(_)
        | Condition::Compare(..)
        | Condition::In { .. }
        | Condition::Matches(..)
        | Condition::Noted(..)) => other,
    }
}

/// Adds the values of a list to another list over the same field, if both compare alike
fn takes(known: &mut Condition, part: &Condition) -> bool {
    match (known, part) {
        (Condition::Matches(own, way, all), Condition::Matches(other, same, more))
            if own == other && way == same =>
        {
            let new: Vec<String> = more.iter().filter(|one| !all.contains(one)).cloned().collect();
            all.extend(new);
            true
        }
        (
            Condition::In { value: own, items: all, fold: way },
            Condition::In { value: other, items: more, fold: same },
        ) if own == other && way == same => {
            let new: Vec<Value> = more.iter().filter(|one| !all.contains(one)).cloned().collect();
            all.extend(new);
            true
        }
        (
            Condition::Truth(Value::Call { function, arguments: all, .. }),
            Condition::Truth(Value::Call { function: same, arguments: more, .. }),
        ) if function == same && function == NETWORKS && all.first() == more.first() => {
            all.extend(more.iter().skip(1).cloned());
            true
        }
        _ => false,
    }
}
