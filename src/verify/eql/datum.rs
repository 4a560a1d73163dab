//! The values that a query compares.
//!
//! In: the values of a field in a document, or a constant of a query. Out: a [`Datum`] of the field's
//! type. What Elasticsearch does not index is not there: a text that is too long, a word in a field
//! of numbers.

use std::cmp::Ordering;
use std::net::IpAddr;

use serde_json::{Number, Value};

use super::index::{Column, Kind};
use crate::verify::elastic::document::{leaves, text};
use crate::verify::elastic::point;

/// One value that is not null
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Datum {
    Text(String),
    Whole(i128),
    Float(f64),
    Truth(bool),
    Address(IpAddr),
    /// A time, about which nothing is known but that it is there
    Time,
}

/// The values of a field in a document
pub(super) fn values(document: &Value, column: &Column) -> Vec<Datum> {
    let of_path = leaves(document, &column.name).into_iter();
    of_path.filter_map(|value| of_field(value, column)).collect()
}

fn of_field(value: &Value, column: &Column) -> Option<Datum> {
    let text = text(value);
    match column.kind {
        Kind::Text => {
            let short = column.limit.is_none_or(|limit| text.chars().count() <= limit);
            short.then_some(Datum::Text(text))
        }
        Kind::Whole | Kind::Float if value.is_boolean() => None,
        // Indexing cuts off a fraction.
        Kind::Whole => number(&text).map(Datum::trunc),
        Kind::Float => number(&text),
        Kind::Ip => Datum::address(&text),
        // Elasticsearch reads the empty text as false.
        Kind::Boolean if text.is_empty() => Some(Datum::Truth(false)),
        Kind::Boolean => text.parse().ok().map(Datum::Truth),
        Kind::Date => Some(Datum::Time),
        Kind::Analysed | Kind::Nested => None,
    }
}

fn number(text: &str) -> Option<Datum> {
    // Rust also parses words such as `inf`.
    let digits = text.contains(|c: char| c.is_ascii_digit());
    let whole = text.parse().ok().map(Datum::Whole);
    whole.or_else(|| text.parse().ok().map(Datum::Float)).filter(|_| digits)
}

impl Datum {
    /// A number of a query
    pub(super) fn number(number: &Number) -> Datum {
        match number.as_i128() {
            Some(whole) => Datum::Whole(whole),
            None => Datum::Float(number.as_f64().unwrap_or(f64::NAN)),
        }
    }

    /// An address; one of IPv4 is the same in the notation of IPv6
    pub(super) fn address(text: &str) -> Option<Datum> {
        text.parse().ok().map(|address: IpAddr| Datum::Address(address.to_canonical()))
    }

    /// The type of a field that has such values
    pub(super) fn kind(&self) -> Kind {
        match self {
            Datum::Text(_) => Kind::Text,
            Datum::Whole(_) => Kind::Whole,
            Datum::Float(_) => Kind::Float,
            Datum::Truth(_) => Kind::Boolean,
            Datum::Address(_) => Kind::Ip,
            Datum::Time => Kind::Date,
        }
    }

    fn trunc(self) -> Datum {
        if let Datum::Float(float) = self { Datum::Whole(float.trunc() as i128) } else { self }
    }

    /// The text of a value
    pub(super) fn spelled(&self) -> String {
        match self {
            Datum::Text(text) => text.clone(),
            Datum::Whole(number) => number.to_string(),
            Datum::Float(number) => format!("{number:?}"),
            Datum::Truth(truth) => truth.to_string(),
            Datum::Address(address) => address.to_string(),
            Datum::Time => String::new(),
        }
    }

    /// The order of two values; `None` for two types
    pub(super) fn order(&self, other: &Datum) -> Option<Ordering> {
        match (self, other) {
            // Texts have the order of their code points, as their bytes have.
            (Datum::Text(one), Datum::Text(other)) => Some(one.cmp(other)),
            (Datum::Truth(one), Datum::Truth(other)) => Some(one.cmp(other)),
            (Datum::Address(one), Datum::Address(other)) => {
                Some(point::address(*one).cmp(&point::address(*other)))
            }
            (Datum::Whole(one), Datum::Whole(other)) => Some(one.cmp(other)),
            (Datum::Float(one), Datum::Float(other)) => one.partial_cmp(other),
            (Datum::Whole(whole), Datum::Float(float)) => of_both(*whole, *float),
            (Datum::Float(float), Datum::Whole(whole)) => {
                of_both(*whole, *float).map(Ordering::reverse)
            }
            (
                Datum::Text(_)
                | Datum::Truth(_)
                | Datum::Address(_)
                | Datum::Whole(_)
                | Datum::Float(_)
                | Datum::Time,
                _,
            ) => None,
        }
    }
}

/// The order of a whole number and one with a fraction
fn of_both(whole: i128, float: f64) -> Option<Ordering> {
    let below = float.floor();
    let rest = (float - below).partial_cmp(&0.0)?;
    Some(whole.cmp(&(below as i128)).then(rest.reverse()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(kind: Kind, limit: Option<usize>, value: Value) -> Vec<Datum> {
        let column = Column { name: "a".to_owned(), kind, limit };
        values(&json!({ "a": value }), &column)
    }

    #[test]
    fn what_is_not_indexed_is_not_there() {
        assert!(read(Kind::Text, None, json!([null, []])).is_empty());
        assert!(read(Kind::Text, Some(2), json!("abc")).is_empty());
        assert_eq!(read(Kind::Text, Some(2), json!("äö")).len(), 1);
        assert!(read(Kind::Whole, None, json!(["x", true])).is_empty());
        assert_eq!(read(Kind::Whole, None, json!(["4", 5.9])), [Datum::Whole(4), Datum::Whole(5)]);
        assert_eq!(read(Kind::Ip, None, json!("::ffff:1.2.3.4"))[0].spelled(), "1.2.3.4");
    }

    #[test]
    fn numbers_compare_by_value() {
        let order = |one: Datum, other: Datum| one.order(&other);
        assert_eq!(order(Datum::Whole(2), Datum::Float(2.0)), Some(Ordering::Equal));
        assert_eq!(order(Datum::Whole(2), Datum::Float(2.5)), Some(Ordering::Less));
        assert_eq!(order(Datum::Float(-2.5), Datum::Whole(-2)), Some(Ordering::Less));
        assert_eq!(order(Datum::Whole(2), Datum::Text("2".to_owned())), None);
    }
}
