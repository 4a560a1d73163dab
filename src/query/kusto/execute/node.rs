//! Expressions that are ready to be evaluated on rows.
//!
//! In: a row. Out: the value of a [`Node`]. Names are places of columns, literals are values, and
//! patterns are compiled.

use std::borrow::Cow;
use std::sync::Arc;

use ipnet::IpNet;
use regex::Regex;

use super::arithmetic::arithmetic;
use super::compare::{Order, between, equal, is_one_of, ordered};
use super::data::Row;
use super::pattern;
use super::term::TextTest;
use super::value::Value;
use super::window::Window;
use super::{Fault, Outcome, address};

/// A scalar function of values alone
pub(super) type Function = fn(&[Value]) -> Outcome;

#[derive(Debug, Clone)]
pub(super) enum Node {
    Value(Value),
    Column(usize),
    /// `and`
    All(Vec<Node>),
    /// `or`
    Any(Vec<Node>),
    Not(Box<Node>),
    Equal(Box<[Node; 2]>, bool),
    Ordered(Order, Box<[Node; 2]>),
    Text(TextTest, Box<Node>, Sought),
    /// A test of texts with one of several
    TextOneOf(TextTest, Box<Node>, Vec<Node>),
    OneOf(Box<Node>, Vec<Node>, bool),
    Between(Box<[Node; 3]>),
    Matches(Box<Node>, Regex),
    Extract(Regex, usize, Box<Node>),
    Trim(Regex, Box<Node>),
    /// A text in place of each match
    Rewrite(Regex, Box<Node>, String),
    InNetwork(Box<Node>, Arc<[IpNet]>, bool),
    Arithmetic(char, Box<[Node; 2]>),
    Part(Box<Node>, Box<Node>),
    /// `iff`, `case`: pairs of a condition and a value, then the value otherwise
    Choice(Vec<(Node, Node)>, Box<Node>),
    Call(Function, Vec<Node>),
    Window(Window),
}

/// What a text is tested with
#[derive(Debug, Clone)]
pub(super) enum Sought {
    /// A literal, folded
    Fixed(String),
    Computed(Box<Node>),
}

/// A row among others; `at` is its place
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'r> {
    pub(super) rows: &'r [Row],
    pub(super) at: usize,
}

impl Cursor<'_> {
    pub(super) fn row(&self) -> &Row {
        &self.rows[self.at]
    }
}

impl Node {
    pub(super) fn on(&self, cursor: Cursor<'_>) -> Outcome {
        Ok(match self {
            Node::Value(value) => value.clone(),
            Node::Column(at) => cursor.row()[*at].clone(),
            Node::All(parts) => chain(parts, cursor, false)?,
            Node::Any(parts) => chain(parts, cursor, true)?,
            Node::Not(part) => {
                let truth = part.on(cursor)?;
                if truth.is_null() { Value::Null } else { Value::Bool(!truth.is_true()) }
            }
            Node::Equal(pair, negated) => {
                equal(&pair[0].on(cursor)?, &pair[1].on(cursor)?, *negated)?
            }
            Node::Ordered(order, pair) => {
                ordered(*order, &pair[0].on(cursor)?, &pair[1].on(cursor)?)?
            }
            Node::Text(test, text, sought) => {
                let text = tested(text, cursor)?;
                let sought = match sought {
                    Sought::Fixed(folded) => Cow::Borrowed(folded.as_str()),
                    Sought::Computed(node) => {
                        Cow::Owned(test.folded(&tested(node, cursor)?).into_owned())
                    }
                };
                Value::Bool(test.holds(&test.folded(&text), &sought))
            }
            Node::TextOneOf(test, text, list) => {
                Value::Bool(text_one_of(*test, text, list, cursor)?)
            }
            Node::OneOf(value, list, negated) => {
                let list = list.iter().map(|one| one.on(cursor)).collect::<Result<Vec<_>, _>>()?;
                Value::Bool(is_one_of(&value.on(cursor)?, &list)? != *negated)
            }
            Node::Between(parts) => {
                between(&parts[0].on(cursor)?, &parts[1].on(cursor)?, &parts[2].on(cursor)?)?
            }
            Node::Matches(text, regex) => Value::Bool(regex.is_match(&tested(text, cursor)?)),
            Node::Extract(regex, group, text) => {
                pattern::extract(regex, *group, &text.on(cursor)?.to_text())
            }
            Node::Trim(regex, text) => pattern::trim(regex, &text.on(cursor)?.to_text()),
            Node::Rewrite(regex, text, by) => {
                pattern::rewrite(regex, &text.on(cursor)?.to_text(), by)
            }
            Node::InNetwork(text, networks, six) => {
                address::is_in_any(&text.on(cursor)?.to_text(), networks, *six)?
            }
            Node::Arithmetic(sign, pair) => {
                arithmetic(*sign, &pair[0].on(cursor)?, &pair[1].on(cursor)?)?
            }
            Node::Part(value, index) => part(&value.on(cursor)?, &index.on(cursor)?)?,
            Node::Choice(cases, other) => {
                for (condition, value) in cases {
                    if condition.on(cursor)?.is_true() {
                        return value.on(cursor);
                    }
                }
                other.on(cursor)?
            }
            Node::Call(function, arguments) => {
                let values = arguments.iter().map(|argument| argument.on(cursor));
                function(&values.collect::<Result<Vec<_>, _>>()?)?
            }
            Node::Window(window) => window.on(cursor),
        })
    }
}

/// `and` and `or` of three truths: null is unknown (Microsoft, "Null values")
fn chain(parts: &[Node], cursor: Cursor<'_>, decides: bool) -> Outcome {
    let mut unknown = false;
    for part in parts {
        let truth = part.on(cursor)?;
        if truth.is_null() {
            unknown = true;
        } else if truth.is_true() == decides {
            return Ok(Value::Bool(decides));
        }
    }
    Ok(if unknown { Value::Null } else { Value::Bool(!decides) })
}

/// The text that an operator on texts tests
fn tested(node: &Node, cursor: Cursor<'_>) -> Result<Arc<str>, Fault> {
    let value = node.on(cursor)?;
    if value.is_null() {
        // Microsoft does not say what a text operator makes of a dynamic null.
        return Err(Fault::new("a test of text on null"));
    }
    Ok(value.to_text())
}

fn text_one_of(
    test: TextTest,
    text: &Node,
    list: &[Node],
    cursor: Cursor<'_>,
) -> Result<bool, Fault> {
    let text = tested(text, cursor)?;
    let text = test.folded(&text);
    let fits = |sought: &str| test.holds(&text, &test.folded(sought));
    for node in list {
        if let Node::Value(Value::Text(sought)) = node {
            if fits(sought) {
                return Ok(true);
            }
            continue;
        }
        let value = node.on(cursor)?;
        let found = match value.list() {
            Some(items) => items.iter().filter_map(serde_json::Value::as_str).any(fits),
            None => fits(&value.to_text()),
        };
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `value.name` and `value[index]`: null where there is no such part
fn part(value: &Value, index: &Value) -> Outcome {
    let Some(json) = value.json() else { return Ok(Value::Null) };
    let element = match (json.as_array(), index.whole()) {
        (Some(list), Some(at)) => {
            let at = if at < 0 { at + list.len() as i64 } else { at };
            usize::try_from(at).ok().and_then(|at| list.get(at))
        }
        (Some(_), None) => None,
        (None, _) => json.get(&*index.to_text()),
    };
    Ok(element.map_or(Value::Null, |element| Value::dynamic(element.clone())))
}
