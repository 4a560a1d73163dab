//! Scalar functions.
//!
//! In: the name of a function. Out: what it computes of the values of its arguments; `None` for a
//! function that is not known here. Functions of a pattern or of the time of a run are in `plan`, those of
//! texts in `text_function`.
//!
//! Source: Microsoft's page on each function.

use serde_json::{Map, Value as Json};

use super::node::Function;
use super::value::{Value, to_bool};
use super::{Fault, Outcome, text_function, time};

/// The functions of values alone
const FUNCTIONS: &[(&str, Function)] = &[
    ("array_index_of", array_index_of),
    ("array_length", |values| {
        Ok(values[0].list().map_or(Value::Null, |list| Value::Long(list.len() as i64)))
    }),
    ("array_slice", array_slice),
    ("bag_pack", bag_pack),
    ("bin", bin),
    ("coalesce", |values| {
        Ok(values.iter().find(|value| !is_empty_text(value)).cloned().unwrap_or(
            // All of them are empty, or null.
            values.last().cloned().unwrap_or(Value::Null),
        ))
    }),
    ("isempty", |values| Ok(Value::Bool(is_empty(&values[0])))),
    ("isnotempty", |values| Ok(Value::Bool(!is_empty(&values[0])))),
    ("isnotnull", |values| Ok(Value::Bool(!values[0].is_null()))),
    ("isnull", |values| Ok(Value::Bool(values[0].is_null()))),
    ("range", range),
    ("tobool", |values| Ok(to_bool(&values[0].to_text()))),
    ("todatetime", |values| {
        if let Value::Time(_) = values[0] {
            return Ok(values[0].clone());
        }
        Ok(time::instant(&values[0].to_text()).map_or(Value::Null, Value::Time))
    }),
    ("todouble", |values| Ok(values[0].to_text().trim().parse().map_or(Value::Null, Value::Real))),
    ("tohex", tohex),
    ("toint", toint),
    ("tolong", tolong),
    ("tostring", |values| Ok(Value::Text(values[0].to_text()))),
];

pub(super) fn named(name: &str) -> Option<Function> {
    let entry = FUNCTIONS.iter().chain(text_function::FUNCTIONS).find(|(known, _)| *known == name);
    entry.map(|(_, function)| *function)
}

/// `isempty`: the empty text, also in JSON, and null
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Text(text) => text.is_empty(),
        Value::Dynamic(json) => json.as_str() == Some(""),
        Value::Bool(_)
        | Value::Int(_)
        | Value::Long(_)
        | Value::Real(_)
        | Value::Time(_)
        | Value::Span(_) => false,
    }
}

fn is_empty_text(value: &Value) -> bool {
    matches!(value, Value::Null) || matches!(value, Value::Text(text) if text.is_empty())
}

fn array_index_of(values: &[Value]) -> Outcome {
    let Some(list) = values[0].list() else { return Ok(Value::Null) };
    let sought = values[1].to_json();
    let at = list.iter().position(|one| *one == sought);
    Ok(Value::Long(at.map_or(-1, |at| at as i64)))
}

/// Both ends count; a negative one counts from the end of the list
fn array_slice(values: &[Value]) -> Outcome {
    let Some(list) = values[0].list() else { return Ok(Value::Null) };
    let (Some(start), Some(end)) = (values[1].whole(), values[2].whole()) else {
        return Ok(Value::Null);
    };
    let length = list.len() as i64;
    let from = |at: i64| if at < 0 { at + length } else { at };
    let (start, end) = (from(start).max(0), (from(end) + 1).min(length));
    let some = if start < end { list[start as usize..end as usize].to_vec() } else { Vec::new() };
    Ok(Value::dynamic(some.into()))
}

fn bag_pack(values: &[Value]) -> Outcome {
    let pairs = values.chunks(2).filter_map(|pair| {
        let [name, value] = pair else { return None };
        Some((name.to_text().to_string(), value.to_json()))
    });
    Ok(Value::dynamic(Json::Object(pairs.collect::<Map<_, _>>())))
}

fn bin(values: &[Value]) -> Outcome {
    let step = if let Value::Span(ticks) = values[1] { Some(ticks) } else { values[1].whole() };
    let Some(step) = step else { return Ok(Value::Null) };
    let made = |number: Option<i64>, kind: fn(i64) -> Value| {
        number.and_then(|number| time::bin(number, step)).map_or(Value::Null, kind)
    };
    Ok(if let Value::Time(ticks) = values[0] {
        made(Some(ticks), Value::Time)
    } else if let Value::Span(ticks) = values[0] {
        made(Some(ticks), Value::Span)
    } else {
        made(values[0].whole(), Value::Long)
    })
}

/// The most items of a list that `range` makes (Microsoft, "range()")
const MOST: usize = 1_048_576;

fn range(values: &[Value]) -> Outcome {
    let (start, stop, step, kind): (i64, i64, i64, fn(i64) -> Value) =
        match (&values[0], &values[1], &values[2]) {
            (Value::Time(start), Value::Time(stop), Value::Span(step)) => {
                (*start, *stop, *step, Value::Time)
            }
            (start, stop, step) => match (start.whole(), stop.whole(), step.whole()) {
                (Some(start), Some(stop), Some(step)) => (start, stop, step, Value::Long),
                _ => return Ok(Value::Null),
            },
        };
    if step <= 0 {
        return Err(Fault::new("a range that does not grow"));
    }
    let numbers = std::iter::successors(Some(start), |last| last.checked_add(step))
        .take_while(|n| *n <= stop);
    let list: Vec<Json> = numbers.take(MOST).map(|number| kind(number).to_json()).collect();
    Ok(Value::dynamic(list.into()))
}

/// A negative number is as long as its type
fn tohex(values: &[Value]) -> Outcome {
    let digits = match (&values[0], values[0].whole()) {
        (Value::Int(number), _) => format!("{number:x}"),
        (_, Some(number)) => format!("{number:x}"),
        (_, None) => return Ok(Value::text("")),
    };
    let least = values.get(1).and_then(Value::whole).unwrap_or(0).clamp(0, 16) as usize;
    Ok(Value::text(format!("{digits:0>least$}")))
}

fn tolong(values: &[Value]) -> Outcome {
    if let Some(number) = values[0].whole() {
        return Ok(Value::Long(number));
    }
    let text = values[0].to_text();
    let text = text.trim();
    let hexadecimal = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let number = match hexadecimal {
        Some(digits) => u64::from_str_radix(digits, 16).ok().map(u64::cast_signed),
        None => text.parse().ok(),
    };
    Ok(number.map_or(Value::Null, Value::Long))
}

fn toint(values: &[Value]) -> Outcome {
    let number = tolong(values)?.whole().and_then(|number| i32::try_from(number).ok());
    Ok(number.map_or(Value::Null, Value::Int))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn call(name: &str, values: &[Value]) -> Value {
        named(name).unwrap()(values).unwrap()
    }

    #[test]
    fn numbers_are_written_in_hexadecimal() {
        // Microsoft's examples of `tohex`.
        assert_eq!(call("tohex", &[Value::Long(256)]), Value::text("100"));
        assert_eq!(call("tohex", &[Value::Long(-256)]), Value::text("ffffffffffffff00"));
        let of_int = [Value::Int(-256), Value::Long(8)];
        assert_eq!(call("tohex", &of_int), Value::text("ffffff00"));
        assert_eq!(call("tohex", &[Value::Long(256), Value::Long(8)]), Value::text("00000100"));
        assert_eq!(call("tohex", &[Value::Long(256), Value::Long(2)]), Value::text("100"));
        assert_eq!(call("tolong", &[Value::text("0x3e7")]), Value::Long(999));
        assert_eq!(call("tolong", &[Value::text("-")]), Value::Null);
    }

    #[test]
    fn lists_are_cut_and_counted() {
        let list = Value::dynamic(json!(["a", "b", "c"]));
        let slice =
            |from, to| call("array_slice", &[list.clone(), Value::Long(from), Value::Long(to)]);
        assert_eq!(slice(1, -1), Value::dynamic(json!(["b", "c"])));
        assert_eq!(slice(-3, -2), Value::dynamic(json!(["a", "b"])));
        assert_eq!(slice(3, -1), Value::dynamic(json!([])));
        assert_eq!(call("array_length", &[Value::dynamic(json!({"a": 1}))]), Value::Null);
        assert_eq!(call("array_index_of", &[list, Value::text("c")]), Value::Long(2));
    }

    #[test]
    fn the_empty_text_is_no_value_to_coalesce() {
        let values = [Value::Null, Value::text(""), Value::text("a")];
        assert_eq!(call("coalesce", &values), Value::text("a"));
        assert_eq!(call("isempty", &[Value::dynamic(json!(""))]), Value::Bool(true));
        assert_eq!(call("isnull", &[Value::text("")]), Value::Bool(false));
    }

    #[test]
    fn a_range_has_its_ends() {
        let list = call("range", &[Value::Long(1), Value::Long(8), Value::Long(3)]);
        assert_eq!(list, Value::dynamic(json!([1, 4, 7])));
    }
}
