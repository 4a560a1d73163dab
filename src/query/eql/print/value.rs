//! Prints values, and the words between them.
//!
//! In: a [`Value`]. Out: its text on one line, with brackets where arithmetic would be read
//! differently without them.

use crate::query::eql::quote;
use crate::query::eql::tree::{Comparison, Matching, Operation, Value};

/// A value before a word such as `in`, which binds closer than arithmetic and signs
pub(super) fn subject(of: &Value) -> String {
    match of {
        Value::Arithmetic(..) => format!("({})", value(of)),
        Value::Number(number) if number.to_string().starts_with('-') => format!("({number})"),
        Value::Field(_)
        | Value::Text(_)
        | Value::Number(_)
        | Value::Truth(_)
        | Value::Null
        | Value::Call { .. } => value(of),
    }
}

pub(super) fn value(of: &Value) -> String {
    match of {
        Value::Field(name) => quote::field(name),
        Value::Text(text) => quote::quote(text),
        Value::Number(number) => number.to_string(),
        Value::Truth(truth) => truth.to_string(),
        Value::Null => "null".to_owned(),
        Value::Call { function, fold, arguments } => {
            let arguments: Vec<String> = arguments.iter().map(value).collect();
            format!("{function}{}({})", if *fold { "~" } else { "" }, arguments.join(", "))
        }
        Value::Arithmetic(left, operation, right) => {
            let left = operand(left, operation.rank());
            let right = operand(right, operation.rank() + 1);
            format!("{left} {} {right}", operation.sign())
        }
    }
}

/// An operand, in brackets when its own operation binds less than `least`
fn operand(of: &Value, least: u8) -> String {
    match of {
        Value::Arithmetic(_, operation, _) if operation.rank() < least => {
            format!("({})", value(of))
        }
        Value::Field(_)
        | Value::Text(_)
        | Value::Number(_)
        | Value::Truth(_)
        | Value::Null
        | Value::Call { .. }
        | Value::Arithmetic(..) => value(of),
    }
}

pub(super) fn sign(comparison: Comparison) -> &'static str {
    match comparison {
        Comparison::Equal => "==",
        Comparison::NotEqual => "!=",
        Comparison::Below => "<",
        Comparison::AtMost => "<=",
        Comparison::Above => ">",
        Comparison::AtLeast => ">=",
    }
}

pub(super) fn matching_word(matching: Matching) -> &'static str {
    match matching {
        Matching::Colon => ":",
        Matching::Like => "like",
        Matching::LikeFolded => "like~",
        Matching::Regex => "regex",
        Matching::RegexFolded => "regex~",
    }
}

impl Operation {
    fn sign(self) -> char {
        match self {
            Operation::Plus => '+',
            Operation::Minus => '-',
            Operation::Times => '*',
            Operation::Over => '/',
            Operation::Modulo => '%',
        }
    }

    /// How closely it binds
    fn rank(self) -> u8 {
        match self {
            Operation::Plus | Operation::Minus => 1,
            Operation::Times | Operation::Over | Operation::Modulo => 2,
        }
    }
}
