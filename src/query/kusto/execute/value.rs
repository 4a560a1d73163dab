//! Values of Kusto, and how one becomes another.
//!
//! In: a value. Out: its text, its number, its key. A text is never null: what lacks one is empty. All
//! other types have null, and a null of any type is [`Value::Null`].
//!
//! Source: Microsoft's reference of the Kusto query language, "Scalar data types" and "Null values".

use std::sync::Arc;

use serde_json::Value as Json;

use super::time;
use crate::query::kusto::Type;

/// A value
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// No value, of any type but `string`
    Null,
    Bool(bool),
    /// 32 bits, which only `tohex` tells from 64
    Int(i32),
    Long(i64),
    Real(f64),
    Text(Arc<str>),
    /// An instant, in ticks of 100 nanoseconds since the year 1
    Time(i64),
    /// A length of time in ticks
    Span(i64),
    /// A list, a bag, or a single value in JSON; never JSON's null
    Dynamic(Arc<Json>),
}

/// What rows are grouped and joined by; null is none
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    Bool(bool),
    Number(i64),
    Real(u64),
    Text(Arc<str>),
    Time(i64),
    Span(i64),
}

impl Value {
    pub(super) fn text(text: impl Into<Arc<str>>) -> Value {
        Value::Text(text.into())
    }

    /// A dynamic value; JSON's null is null
    pub(super) fn dynamic(json: Json) -> Value {
        if json.is_null() { Value::Null } else { Value::Dynamic(Arc::new(json)) }
    }

    /// What stands in a column of this type where a row has nothing
    pub(super) fn nothing(kind: Option<Type>) -> Value {
        if kind == Some(Type::String) { Value::text("") } else { Value::Null }
    }

    pub(super) fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    pub(super) fn is_true(&self) -> bool {
        matches!(self, Value::Bool(true)) || self.json() == Some(&Json::Bool(true))
    }

    pub(super) fn json(&self) -> Option<&Json> {
        if let Value::Dynamic(json) = self { Some(json) } else { None }
    }

    pub(super) fn list(&self) -> Option<&Vec<Json>> {
        self.json().and_then(Json::as_array)
    }

    /// The value inside JSON that is a single value: of a text, a number or a truth
    pub(super) fn plain(&self) -> Value {
        match self.json() {
            Some(Json::String(text)) => Value::text(text.as_str()),
            Some(Json::Bool(truth)) => Value::Bool(*truth),
            Some(Json::Number(number)) => match number.as_i64() {
                Some(whole) => Value::Long(whole),
                None => Value::Real(number.as_f64().unwrap_or_default()),
            },
            Some(Json::Null | Json::Array(_) | Json::Object(_)) | None => self.clone(),
        }
    }

    /// `tostring`: null is the empty text
    pub(super) fn to_text(&self) -> Arc<str> {
        match self {
            Value::Null => "".into(),
            Value::Bool(truth) => truth.to_string().into(),
            Value::Int(number) => number.to_string().into(),
            Value::Long(number) => number.to_string().into(),
            Value::Real(number) => number.to_string().into(),
            Value::Text(text) => Arc::clone(text),
            Value::Time(ticks) => time::instant_text(*ticks).into(),
            Value::Span(ticks) => time::span_text(*ticks).into(),
            Value::Dynamic(json) => match &**json {
                Json::String(text) => text.as_str().into(),
                other @ (Json::Null
                | Json::Bool(_)
                | Json::Number(_)
                | Json::Array(_)
                | Json::Object(_)) => other.to_string().into(),
            },
        }
    }

    /// The number that it is; none for a text
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Value::Real(number) => Some(*number),
            Value::Null
            | Value::Bool(_)
            | Value::Int(_)
            | Value::Long(_)
            | Value::Text(_)
            | Value::Time(_)
            | Value::Span(_)
            | Value::Dynamic(_) => self.whole().map(|whole| whole as f64),
        }
    }

    /// The whole number that it is
    pub(super) fn whole(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some((*number).into()),
            Value::Long(number) => Some(*number),
            Value::Null
            | Value::Bool(_)
            | Value::Real(_)
            | Value::Text(_)
            | Value::Time(_)
            | Value::Span(_)
            | Value::Dynamic(_) => None,
        }
    }

    /// What it is grouped and joined by
    pub(super) fn key(&self) -> Option<Key> {
        match self {
            Value::Null => None,
            Value::Bool(truth) => Some(Key::Bool(*truth)),
            Value::Int(number) => Some(Key::Number((*number).into())),
            Value::Long(number) => Some(Key::Number(*number)),
            Value::Real(number) => Some(Key::Real(number.to_bits())),
            Value::Text(text) => Some(Key::Text(Arc::clone(text))),
            Value::Time(ticks) => Some(Key::Time(*ticks)),
            Value::Span(ticks) => Some(Key::Span(*ticks)),
            Value::Dynamic(json) => Some(Key::Text(json.to_string().into())),
        }
    }

    /// The value as JSON holds it, in a list or a bag
    pub(super) fn to_json(&self) -> Json {
        match self {
            Value::Null => Json::Null,
            Value::Bool(truth) => Json::Bool(*truth),
            Value::Int(number) => (*number).into(),
            Value::Long(number) => (*number).into(),
            Value::Real(number) => serde_json::Number::from_f64(*number).into(),
            Value::Text(_) | Value::Time(_) | Value::Span(_) => {
                Json::String(self.to_text().to_string())
            }
            Value::Dynamic(json) => (**json).clone(),
        }
    }

    /// The value in a column of this type; null where the type has no such value
    pub(super) fn of_json(json: &Json, kind: Type) -> Value {
        let text = match json {
            Json::Null => return Value::nothing(Some(kind)),
            Json::String(text) => text.clone(),
            Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => json.to_string(),
        };
        match kind {
            Type::Bool => to_bool(&text),
            Type::DateTime => time::instant(&text).map_or(Value::Null, Value::Time),
            Type::Int => text.parse().map_or(Value::Null, Value::Int),
            Type::Long => text.parse().map_or(Value::Null, Value::Long),
            Type::Decimal | Type::Real => text.parse().map_or(Value::Null, Value::Real),
            Type::Guid | Type::String => Value::text(text),
            Type::TimeSpan => Value::Null,
            Type::Dynamic => Value::dynamic(json.clone()),
        }
    }
}

/// `tobool` of a text
pub(super) fn to_bool(text: &str) -> Value {
    match text.to_ascii_lowercase().as_str() {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        text => text.parse::<i64>().map_or(Value::Null, |number| Value::Bool(number != 0)),
    }
}
