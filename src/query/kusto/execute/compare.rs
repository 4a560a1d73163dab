//! Comparisons of values.
//!
//! In: two values. Out: whether they are equal or in order, or null.
//!
//! Source: Microsoft, "Null values": null and a value are not equal, two nulls compare to null, and every
//! other comparison with null is null.

use std::cmp::Ordering;

use super::value::Value;
use super::{Fault, Outcome};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Order {
    pub(super) fn of(operator: &str) -> Option<Order> {
        Some(match operator {
            "<" => Order::Less,
            "<=" => Order::AtMost,
            ">" => Order::Greater,
            ">=" => Order::AtLeast,
            _ => return None,
        })
    }

    fn takes(self, ordering: Ordering) -> bool {
        match self {
            Order::Less => ordering.is_lt(),
            Order::AtMost => ordering.is_le(),
            Order::Greater => ordering.is_gt(),
            Order::AtLeast => ordering.is_ge(),
        }
    }
}

pub(super) fn equal(left: &Value, right: &Value, negated: bool) -> Outcome {
    match (left.is_null(), right.is_null()) {
        (true, true) => Ok(Value::Null),
        (true, false) | (false, true) => Ok(Value::Bool(negated)),
        (false, false) => Ok(Value::Bool(are_equal(left, right)? != negated)),
    }
}

/// Whether two values that are not null are equal
fn are_equal(left: &Value, right: &Value) -> Result<bool, Fault> {
    let (left, right) = (left.plain(), right.plain());
    Ok(match (&left, &right) {
        (Value::Dynamic(left), Value::Dynamic(right)) => left == right,
        (Value::Text(left), Value::Text(right)) => left == right,
        (Value::Bool(left), Value::Bool(right)) => left == right,
        // A list or a bag in JSON is none of these, and neither is one text a number.
        (Value::Dynamic(_), _) | (_, Value::Dynamic(_)) => false,
        _ => compare(&left, &right)?.is_some_and(Ordering::is_eq),
    })
}

pub(super) fn ordered(order: Order, left: &Value, right: &Value) -> Outcome {
    if left.is_null() || right.is_null() {
        return Ok(Value::Null);
    }
    let compared = compare(&left.plain(), &right.plain())?;
    Ok(compared.map_or(Value::Null, |ordering| Value::Bool(order.takes(ordering))))
}

/// The order of two values that are not null; `None` for numbers without one
fn compare(left: &Value, right: &Value) -> Result<Option<Ordering>, Fault> {
    match (left, right) {
        (Value::Time(left), Value::Time(right)) | (Value::Span(left), Value::Span(right)) => {
            return Ok(Some(left.cmp(right)));
        }
        _ => {}
    }
    if let (Some(left), Some(right)) = (left.whole(), right.whole()) {
        return Ok(Some(left.cmp(&right)));
    }
    match (left.number(), right.number()) {
        (Some(left), Some(right)) => Ok(left.partial_cmp(&right)),
        _ => Err(Fault::new("a comparison of unlike values")),
    }
}

/// `between`: both ends count; the second may be a length of time from the first
pub(super) fn between(value: &Value, low: &Value, high: &Value) -> Outcome {
    let end = match (low, high) {
        (Value::Time(from), Value::Span(length)) => Value::Time(from.saturating_add(*length)),
        _ => high.clone(),
    };
    let (low, high) = (ordered(Order::AtLeast, value, low)?, ordered(Order::AtMost, value, &end)?);
    Ok(match (&low, &high) {
        (Value::Bool(low), Value::Bool(high)) => Value::Bool(*low && *high),
        (Value::Bool(false), _) | (_, Value::Bool(false)) => Value::Bool(false),
        _ => Value::Null,
    })
}

/// `in`: a list in a dynamic value counts as its items, and null is in no list
pub(super) fn is_one_of(value: &Value, list: &[Value]) -> Result<bool, Fault> {
    if value.is_null() {
        return Ok(false);
    }
    for one in list {
        let equals = match one.list() {
            Some(items) => {
                let items = items.iter().map(|item| Value::dynamic(item.clone()));
                // A list in JSON may have values of any type.
                let items = items.filter(|item| !item.is_null());
                Ok(items.map(|item| are_equal(value, &item).unwrap_or(false)).collect())
            }
            None if one.is_null() => Ok(vec![false]),
            None => are_equal(value, one).map(|equal| vec![equal]),
        };
        let equals: Vec<bool> = equals?;
        if equals.contains(&true) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The order of rows that are sorted: null first (Microsoft, "sort operator": nulls are first when
/// ascending)
pub(super) fn sorted(left: &Value, right: &Value) -> Ordering {
    left.key().cmp(&right.key())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_is_unequal_to_values_and_unknown_to_null() {
        let (null, five) = (Value::Null, Value::Long(5));
        assert_eq!(equal(&null, &five, false).unwrap(), Value::Bool(false));
        assert_eq!(equal(&null, &five, true).unwrap(), Value::Bool(true));
        assert_eq!(equal(&null, &null, false).unwrap(), Value::Null);
        assert_eq!(equal(&null, &null, true).unwrap(), Value::Null);
        assert_eq!(ordered(Order::Greater, &null, &five).unwrap(), Value::Null);
        assert!(!is_one_of(&null, &[five]).unwrap());
    }

    #[test]
    fn both_ends_of_a_range_count() {
        let test = |n| between(&Value::Int(n), &Value::Long(200), &Value::Long(299)).unwrap();
        assert_eq!(
            [test(199), test(200), test(299), test(300)].map(|v| v.is_true()),
            [false, true, true, false]
        );
        let third = between(&Value::Time(15), &Value::Time(10), &Value::Span(5)).unwrap();
        assert!(third.is_true());
    }

    #[test]
    fn unlike_values_are_not_compared() {
        assert!(ordered(Order::Less, &Value::text("1"), &Value::Long(2)).is_err());
        let list = Value::dynamic(serde_json::json!(["a", 5]));
        assert!(is_one_of(&Value::text("a"), &[list]).is_ok());
    }
}
