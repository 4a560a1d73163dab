//! `+`, `-`, `*` and `/`.
//!
//! In: two values. Out: their sum, difference, product or quotient; null with null. An instant and a
//! length of time make an instant, two instants a length of time.

use super::value::Value;
use super::{Fault, Outcome};

pub(super) fn arithmetic(sign: char, left: &Value, right: &Value) -> Outcome {
    if left.is_null() || right.is_null() {
        return Ok(Value::Null);
    }
    let (left, right) = (left.plain(), right.plain());
    let of_ticks = match (&left, sign, &right) {
        (Value::Time(a), '-', Value::Time(b)) | (Value::Span(a), '-', Value::Span(b)) => {
            Some(Value::Span(a.saturating_sub(*b)))
        }
        (Value::Span(a), '+', Value::Span(b)) => Some(Value::Span(a.saturating_add(*b))),
        (Value::Time(a), '+', Value::Span(b)) | (Value::Span(b), '+', Value::Time(a)) => {
            Some(Value::Time(a.saturating_add(*b)))
        }
        (Value::Time(a), '-', Value::Span(b)) => Some(Value::Time(a.saturating_sub(*b))),
        _ => None,
    };
    if let Some(value) = of_ticks {
        return Ok(value);
    }
    let unknown = || Fault::new(format!("`{sign}` of these values"));
    if let (Some(a), Some(b)) = (left.whole(), right.whole()) {
        let value = match sign {
            '+' => a.checked_add(b),
            '-' => a.checked_sub(b),
            '*' => a.checked_mul(b),
            // A division by zero is null.
            _ if b == 0 => return Ok(Value::Null),
            _ => a.checked_div(b),
        };
        return value.map(Value::Long).ok_or_else(unknown);
    }
    Err(unknown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_and_lengths_make_each_other() {
        let of = |left: &Value, sign, right: &Value| arithmetic(sign, left, right).unwrap();
        assert_eq!(of(&Value::Time(9), '-', &Value::Time(4)), Value::Span(5));
        assert_eq!(of(&Value::Time(9), '-', &Value::Span(4)), Value::Time(5));
        assert_eq!(of(&Value::Int(7), '/', &Value::Long(2)), Value::Long(3));
        assert_eq!(of(&Value::Null, '+', &Value::Long(2)), Value::Null);
        assert!(arithmetic('+', &Value::text("a"), &Value::Long(2)).is_err());
    }
}
