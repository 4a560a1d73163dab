//! The type of an expression.
//!
//! In: an expression and its [`Scope`]. Out: its type, or a finding at the wrong word.

use super::{Binder, Scope, Value};
use crate::query::kusto::Type;
use crate::query::kusto::functions;
use crate::query::kusto::tree::{Expression, Kind, Name, Place};
use crate::query::kusto::types::{arithmetic, comparable, ordered, within};

/// The longest chain of `and` or `or`: Kusto reads a chain as a tree that deep, and refuses one
/// of 500 levels, the words round the chain included ("Query syntax depth exceeds", KS245)
const MAX_TERMS: usize = 480;

impl Binder<'_> {
    /// The type of an expression that must be a single value
    pub(super) fn scalar(&mut self, expression: &Expression, scope: Scope<'_>) -> Option<Type> {
        match self.value(expression, scope) {
            Value::Scalar(kind) => kind,
            Value::Table(_) => {
                self.find(&expression.place, "a value is expected, and this is a table".to_owned());
                None
            }
        }
    }

    /// Binds an expression that must have this type
    pub(super) fn expect(&mut self, kind: Type, expression: &Expression, scope: Scope<'_>) {
        if let Some(other) = self.scalar(expression, scope).filter(|other| *other != kind) {
            self.find(&expression.place, format!("{kind} is expected, and this is {other}"));
        }
    }

    pub(super) fn value(&mut self, expression: &Expression, scope: Scope<'_>) -> Value {
        let place = &expression.place;
        Value::Scalar(match &expression.kind {
            Kind::Literal(literal) => Some(literal.kind()),
            Kind::Name(name) => return self.name(name, place, scope),
            Kind::Star => {
                self.find(place, "`*` stands only in `arg_min` and `arg_max`".to_owned());
                None
            }
            Kind::Given(name, _) => {
                self.find(place, format!("only parsers take `{}` by its name here", name.text));
                None
            }
            Kind::Call { name, arguments } => return self.call(name, arguments, scope),
            Kind::Pipeline(pipeline) => return Value::Table(self.rows(pipeline)),
            Kind::Member(value, member) => {
                let kind = self.scalar(value, scope);
                self.inside(kind, &member.place)
            }
            Kind::Element { value, index, .. } => {
                let kind = self.scalar(value, scope);
                let of_index = self.scalar(index, scope);
                let fits = |kind: &Type| kind.is_integer() || kind.is_text();
                if let Some(other) = of_index.filter(|kind| !fits(kind)) {
                    let message = format!("an index is a number or a text, and this is {other}");
                    self.find(&index.place, message);
                }
                self.inside(kind, &index.place)
            }
            Kind::Chain { first, rest } => {
                self.chain(first, rest, scope);
                Some(Type::Bool)
            }
            Kind::Arithmetic { first, rest } => self.arithmetic(first, rest, scope),
            Kind::Compare { operator, left, right } => {
                let (left, right) = (self.scalar(left, scope), self.scalar(right, scope));
                self.compare(operator, left, right);
                Some(Type::Bool)
            }
            Kind::OneOf { operator, value, list } => {
                self.one_of(operator, value, list, scope);
                Some(Type::Bool)
            }
            Kind::Between { operator, value, bounds } => {
                let value = self.scalar(value, scope);
                let [low, high] = [&bounds[0], &bounds[1]].map(|bound| self.scalar(bound, scope));
                if let (Some(value), Some(low), Some(high)) = (value, low, high)
                    && !within(value, low, high)
                {
                    let message = format!("`between` is not defined for {value}, {low} and {high}");
                    self.find(&operator.place, message);
                }
                Some(Type::Bool)
            }
        })
    }

    fn name(&mut self, name: &str, place: &Place, scope: Scope<'_>) -> Value {
        if let Some(kind) = scope.table.and_then(|table| table.column(name)) {
            if scope.grouped && kind.is_some() {
                let message = format!("the column `{name}` stands outside an aggregate function");
                self.find(place, message);
                return Value::Scalar(None);
            }
            return Value::Scalar(kind);
        }
        let is_let = self.lets.iter().any(|(known, _)| known == name);
        if is_let || scope.table.is_none() || self.schema.has(name) {
            return self.named(name, place);
        }
        let message = match functions::named(name).is_empty() {
            true => format!("there is no column `{name}` here"),
            false => format!("the function `{name}` needs its arguments in brackets"),
        };
        self.find(place, message);
        Value::Scalar(None)
    }

    /// The type of a part of a value; only a dynamic value has parts
    fn inside(&mut self, kind: Option<Type>, place: &Place) -> Option<Type> {
        if let Some(other) = kind.filter(|kind| *kind != Type::Dynamic) {
            self.find(place, format!("only a dynamic value has parts, and this is of a {other}"));
            return None;
        }
        Some(Type::Dynamic)
    }

    fn chain(&mut self, first: &Expression, rest: &[(Name, Expression)], scope: Scope<'_>) {
        let Some((operator, _)) = rest.first() else { return };
        if rest.len() >= MAX_TERMS {
            let message = format!("Kusto refuses a chain of more than {MAX_TERMS} terms");
            self.find(&operator.place, message);
        }
        for part in std::iter::once(first).chain(rest.iter().map(|(_, part)| part)) {
            let kind = self.scalar(part, scope);
            let fits = |kind: &Type| matches!(kind, Type::Bool | Type::Dynamic);
            if let Some(other) = kind.filter(|kind| !fits(kind)) {
                let message = format!("`{}` takes bool, and this is {other}", operator.text);
                self.find(&part.place, message);
            }
        }
    }

    fn arithmetic(
        &mut self,
        first: &Expression,
        rest: &[(Name, Expression)],
        scope: Scope<'_>,
    ) -> Option<Type> {
        let mut kind = self.scalar(first, scope);
        for (operator, part) in rest {
            let right = self.scalar(part, scope);
            kind = match (kind, right) {
                (Some(left), Some(right)) => {
                    let result = arithmetic(&operator.text, left, right);
                    if result.is_none() {
                        self.undefined(operator, left, right);
                    }
                    result
                }
                (None, _) | (_, None) => None,
            };
        }
        kind
    }

    fn undefined(&mut self, operator: &Name, left: Type, right: Type) {
        let message = format!("`{}` is not defined for {left} and {right}", operator.text);
        self.find(&operator.place, message);
    }

    fn compare(&mut self, operator: &Name, left: Option<Type>, right: Option<Type>) {
        let (Some(left), Some(right)) = (left, right) else { return };
        let fits = match operator.text.as_str() {
            "==" | "!=" => comparable(left, right),
            "<" | "<=" | ">" | ">=" => ordered(left, right),
            _ => left.is_text() && right.is_text(),
        };
        if !fits {
            self.undefined(operator, left, right);
        }
    }

    fn one_of(
        &mut self,
        operator: &Name,
        value: &Expression,
        list: &[Expression],
        scope: Scope<'_>,
    ) {
        let kind = self.scalar(value, scope);
        let text_only = !matches!(operator.text.as_str(), "in" | "!in");
        if let Some(other) = kind.filter(|kind| text_only && !kind.is_text()) {
            let message = format!("`{}` takes a text, and this is {other}", operator.text);
            self.find(&value.place, message);
            return;
        }
        for item in list {
            let other = match self.value(item, scope) {
                Value::Scalar(kind) => kind,
                // The values of the first column are the list.
                Value::Table(table) => table.columns.first().and_then(|slot| slot.kind),
            };
            let (Some(kind), Some(other)) = (kind, other) else { continue };
            let fits = match text_only {
                true => other.is_text(),
                false => comparable(kind, other),
            };
            if !fits {
                let message = format!("`{}` compares {kind} with {other} here", operator.text);
                self.find(&item.place, message);
            }
        }
    }
}
