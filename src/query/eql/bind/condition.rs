//! Holds conditions and values against types.

use std::net::IpAddr;

use super::Finding;
use super::function::{Function, Wanted};
use super::kind::{FieldType, Kind};
use super::regexp;
use crate::query::eql::tree::{Comparison, Condition, FieldName, Matching, Value};
use crate::source::visible;

/// The types, and the findings so far
pub(super) struct Binder<'t> {
    types: &'t dyn Fn(&str) -> Option<FieldType>,
    findings: Vec<Finding>,
}

impl<'t> Binder<'t> {
    pub(super) fn new(types: &'t dyn Fn(&str) -> Option<FieldType>) -> Binder<'t> {
        Binder { types, findings: Vec::new() }
    }

    pub(super) fn into_findings(self) -> Vec<Finding> {
        self.findings
    }

    /// Reports a mistake, once however often it is made
    pub(super) fn find(&mut self, message: impl Into<String>) {
        let finding = Finding { message: message.into() };
        if !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    pub(super) fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().for_each(|part| self.condition(part));
            }
            Condition::Not(part) | Condition::Noted(_, part) => self.condition(part),
            Condition::Truth(value) => {
                if let Some(kind) = self.value(value)
                    && kind != Kind::Truth
                {
                    self.find(format!("{} alone is no condition", name(value, kind)));
                }
            }
            Condition::Compare(left, comparison, right) => self.compare(left, *comparison, right),
            Condition::In { value, items, fold } => self.one_of(value, items, *fold),
            Condition::Matches(value, matching, patterns) => {
                self.matches(value, *matching, patterns);
            }
        }
    }

    fn compare(&mut self, left: &Value, comparison: Comparison, right: &Value) {
        if !is_constant(left) && !is_constant(right) {
            self.find("two values of an event cannot be compared, one side must be a constant");
        }
        let (Some(one), Some(other)) = (self.value(left), self.value(right)) else { return };
        match (one, other) {
            (Kind::Address, Kind::Text) => self.address(right),
            (Kind::Text, Kind::Address) => self.address(left),
            (Kind::Date, Kind::Text) | (Kind::Text, Kind::Date) => {}
            _ if one != other => {
                let (one, other) = (name(left, one), name(right, other));
                self.find(format!("{one} cannot be compared with {other}"));
            }
            _ => {
                let equality = matches!(comparison, Comparison::Equal | Comparison::NotEqual);
                if one == Kind::Truth && !equality {
                    self.find("true and false have no order");
                }
            }
        }
    }

    fn address(&mut self, constant: &Value) {
        if let Value::Text(text) = constant
            && text.parse::<IpAddr>().is_err()
        {
            let text = visible(text);
            self.find(format!("`{text}` is no address; `cidrMatch` compares with networks"));
        }
    }

    fn one_of(&mut self, value: &Value, items: &[Value], fold: bool) {
        let kind = self.value(value);
        if kind == Some(Kind::Address) {
            let name = name(value, Kind::Address);
            return self.find(format!("{name} takes no list, write `==` or `cidrMatch`"));
        }
        let Some(kind) = kind else { return };
        if fold && kind != Kind::Text {
            self.find(format!("`in~` compares texts, {} is none", name(value, kind)));
        }
        for item in items {
            let other = self.value(item);
            let fits = other == Some(kind) || (kind, other) == (Kind::Date, Some(Kind::Text));
            if let (Some(other), false) = (other, fits) {
                let (one, other) = (name(value, kind), name(item, other));
                self.find(format!("{one} cannot be compared with {other}"));
            }
        }
    }

    fn matches(&mut self, value: &Value, matching: Matching, patterns: &[String]) {
        if let Some(kind) = self.value(value)
            && kind != Kind::Text
        {
            self.find(format!("patterns compare texts, {} is none", name(value, kind)));
        }
        for pattern in patterns.iter().filter(|_| matching.is_regex()) {
            if let Err(why) = regexp::check(pattern) {
                let pattern = visible(pattern);
                self.find(format!("the regular expression `{pattern}` is not Lucene's: {why}"));
            }
        }
    }

    /// What a value is, if that is known
    fn value(&mut self, value: &Value) -> Option<Kind> {
        match value {
            Value::Field(field) => self.field(field),
            Value::Text(_) => Some(Kind::Text),
            Value::Number(_) => Some(Kind::Number),
            Value::Truth(_) => Some(Kind::Truth),
            Value::Null => None,
            Value::Call { function, fold, arguments } => self.call(function, *fold, arguments),
            Value::Arithmetic(left, _, right) => {
                for side in [left, right] {
                    if let Some(kind) = self.value(side)
                        && kind != Kind::Number
                    {
                        self.find(format!("{} is no number to calculate with", name(side, kind)));
                    }
                }
                Some(Kind::Number)
            }
        }
    }

    /// What the values of a field are
    pub(super) fn field(&mut self, field: &FieldName) -> Option<Kind> {
        let shown = visible(&field.name);
        let parents = field.name.match_indices('.').map(|(at, _)| &field.name[..at]);
        let types = self.types;
        if let Some(parent) = { parents }.find(|parent| types(parent) == Some(FieldType::Nested)) {
            self.find(format!("`{parent}` is nested, so EQL does not see `{shown}`"));
            return None;
        }
        let Some(mapped) = types(&field.name) else {
            if !field.optional {
                self.find(format!("no index maps `{shown}`; `?{shown}` may be missing"));
            }
            return None;
        };
        match mapped.kind() {
            // Elasticsearch takes dates, the loader of Elastic's rules only the name of this one.
            Ok(Kind::Date) if field.name != "@timestamp" => {
                self.find(format!("`{shown}` is a date, which rules do not test"));
                None
            }
            Ok(kind) => Some(kind),
            Err(why) => {
                self.find(format!("`{shown}` {why}"));
                None
            }
        }
    }

    fn call(&mut self, called: &str, fold: bool, arguments: &[Value]) -> Option<Kind> {
        let kinds: Vec<Option<Kind>> = arguments.iter().map(|value| self.value(value)).collect();
        let Some(function) = Function::named(called) else {
            self.find(format!("there is no function `{}`", visible(called)));
            return None;
        };
        if fold && !function.folds {
            self.find(format!("`{called}` has no form with `~`"));
        }
        if !function.takes(arguments.len()) {
            self.find(format!("`{called}` does not take {} arguments", arguments.len()));
        }
        for (at, (argument, kind)) in arguments.iter().zip(kinds).enumerate() {
            let Some(kind) = kind else { continue };
            let fits = match function.wanted(at) {
                Wanted::Anything => true,
                Wanted::Only(wanted) => kind == wanted,
                Wanted::Address => kind == Kind::Address || matches!(argument, Value::Text(_)),
                Wanted::Network => {
                    self.network(argument);
                    true
                }
            };
            if !fits {
                let name = name(argument, kind);
                let name = name.trim_end_matches(',');
                self.find(format!("`{called}` does not take {name}"));
            }
        }
        // Elasticsearch makes a wildcard pattern of the text and forgets to escape it.
        if let ("endsWith" | "stringContains", [_, Value::Text(text)]) = (called, arguments)
            && text.contains(['*', '?', '\\'])
        {
            let text = visible(text);
            self.find(format!("`{called}` reads `{text}` as a pattern, write `like` or `like~`"));
        }
        Some(function.gives)
    }

    fn network(&mut self, argument: &Value) {
        let Value::Text(text) = argument else {
            return self.find("`cidrMatch` compares with networks that are constants");
        };
        if text.parse::<ipnet::IpNet>().is_err() {
            self.find(format!("`{}` is no network", visible(text)));
        }
    }
}

fn is_constant(value: &Value) -> bool {
    match value {
        Value::Field(_) => false,
        Value::Text(_) | Value::Number(_) | Value::Truth(_) | Value::Null => true,
        Value::Call { arguments, .. } => arguments.iter().all(is_constant),
        Value::Arithmetic(left, _, right) => is_constant(left) && is_constant(right),
    }
}

/// A value in a message
fn name(value: &Value, kind: Kind) -> String {
    match value {
        Value::Field(field) => format!("`{}`, {},", visible(&field.name), kind.word()),
        Value::Text(text) => format!("the text `{}`", visible(text)),
        Value::Number(number) => format!("the number `{number}`"),
        Value::Truth(truth) => format!("`{truth}`"),
        Value::Call { function, .. } => format!("`{}(…)`, {},", visible(function), kind.word()),
        Value::Null | Value::Arithmetic(..) => kind.word().to_owned(),
    }
}
