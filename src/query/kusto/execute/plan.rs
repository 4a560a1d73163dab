//! Makes expressions ready to be evaluated.
//!
//! In: an expression and the columns that it may name. Out: a [`Node`] and the type of its values. Names
//! that are no columns are those that `let` has set. Afterwards no name and no text of the query is left.

use std::sync::Arc;

use super::compare::Order;
use super::data::ARRIVED;
use super::node::{Node, Sought};
use super::run::{Meaning, Run};
use super::term::{Relation, TextTest};
use super::value::Value;
use super::window::Window;
use super::{Fault, address, function, literal, pattern};
use crate::query::kusto::{Expression, Gives, Kind, Name, Slot, Table, Type, arithmetic, named};

/// A node and the type of its values, where it is known
pub(super) type Planned = (Node, Option<Type>);

/// Where names are looked up
#[derive(Clone, Copy)]
pub(super) struct Scope<'a, 'q> {
    pub(super) run: &'a Run<'q>,
    pub(super) columns: &'a Table,
    /// How many `let` statements stand before
    pub(super) lets: usize,
}

impl Scope<'_, '_> {
    pub(super) fn plan(&self, expression: &Expression) -> Result<Planned, Fault> {
        Ok(match &expression.kind {
            Kind::Literal(written) => {
                let value = literal::value(written)?;
                let kind = kind_of(&value);
                (Node::Value(value), kind)
            }
            Kind::Name(name) => self.name(name)?,
            Kind::Call { name, arguments } => self.call(name, arguments)?,
            Kind::Member(value, name) => {
                let name = Node::Value(Value::text(name.text.as_str()));
                (Node::Part(self.boxed(value)?, Box::new(name)), Some(Type::Dynamic))
            }
            Kind::Element { value, index, .. } => {
                (Node::Part(self.boxed(value)?, self.boxed(index)?), Some(Type::Dynamic))
            }
            Kind::Chain { first, rest } => {
                let mut parts = vec![self.node(first)?];
                for (_, part) in rest {
                    parts.push(self.node(part)?);
                }
                let is_and = rest.first().is_none_or(|(word, _)| word.text == "and");
                (if is_and { Node::All(parts) } else { Node::Any(parts) }, Some(Type::Bool))
            }
            Kind::Arithmetic { first, rest } => self.sum(first, rest)?,
            Kind::Compare { operator, left, right } => {
                (self.compare(operator, left, right)?, Some(Type::Bool))
            }
            Kind::OneOf { operator, value, list } => {
                (self.one_of(operator, value, list)?, Some(Type::Bool))
            }
            Kind::Between { value, bounds, .. } => {
                let parts = [self.node(value)?, self.node(&bounds[0])?, self.node(&bounds[1])?];
                (Node::Between(Box::new(parts)), Some(Type::Bool))
            }
            Kind::Star | Kind::Given(..) | Kind::Pipeline(_) => {
                return Err(Fault::new("rows in place of a value"));
            }
        })
    }

    pub(super) fn node(&self, expression: &Expression) -> Result<Node, Fault> {
        self.plan(expression).map(|(node, _)| node)
    }

    fn boxed(&self, expression: &Expression) -> Result<Box<Node>, Fault> {
        self.node(expression).map(Box::new)
    }

    fn name(&self, name: &str) -> Result<Planned, Fault> {
        if let Some(at) = self.columns.place_of(name) {
            return Ok((Node::Column(at), self.columns.columns[at].kind));
        }
        match self.run.named(name, self.lets)? {
            Meaning::Value(value, kind) => Ok((Node::Value(value), kind)),
            Meaning::Rows(_) => Err(Fault::new(format!("the rows `{name}` in place of a value"))),
        }
    }

    fn sum(&self, first: &Expression, rest: &[(Name, Expression)]) -> Result<Planned, Fault> {
        let (mut node, mut kind) = self.plan(first)?;
        for (operator, part) in rest {
            let (right, right_kind) = self.plan(part)?;
            kind = match (kind, right_kind) {
                (Some(left), Some(right)) => arithmetic(&operator.text, left, right),
                (None, _) | (_, None) => None,
            };
            let sign = operator.text.chars().next().unwrap_or('+');
            node = Node::Arithmetic(sign, Box::new([node, right]));
        }
        Ok((node, kind))
    }

    fn compare(
        &self,
        operator: &Name,
        left: &Expression,
        right: &Expression,
    ) -> Result<Node, Fault> {
        let (left, right) = (self.node(left)?, self.node(right)?);
        let word = operator.text.as_str();
        if let Some(order) = Order::of(word) {
            return Ok(Node::Ordered(order, Box::new([left, right])));
        }
        if let "==" | "!=" = word {
            return Ok(Node::Equal(Box::new([left, right]), word == "!="));
        }
        if let Some(test) = TextTest::of(word) {
            let sought = if let Node::Value(Value::Text(text)) = &right {
                Sought::Fixed(test.folded(text).into_owned())
            } else {
                Sought::Computed(Box::new(right))
            };
            return Ok(Node::Text(test, Box::new(left), sought));
        }
        match (word.starts_with("matches"), right) {
            (true, Node::Value(Value::Text(text))) => {
                Ok(Node::Matches(Box::new(left), pattern::compile(&text)?))
            }
            (true, _) => Err(Fault::new("a pattern that depends on the row")),
            (false, _) => Err(Fault::new(format!("the operator `{word}`"))),
        }
    }

    fn one_of(
        &self,
        operator: &Name,
        value: &Expression,
        list: &[Expression],
    ) -> Result<Node, Fault> {
        let value = self.node(value)?;
        let list = list.iter().map(|one| self.listed(one)).collect::<Result<Vec<_>, _>>()?;
        let list: Vec<Node> = list.into_iter().flatten().collect();
        let of = |relation| TextTest { relation, cased: false, negated: false };
        Ok(match operator.text.as_str() {
            "in" => Node::OneOf(Box::new(value), list, false),
            "!in" => Node::OneOf(Box::new(value), list, true),
            "in~" => Node::TextOneOf(of(Relation::Equals), Box::new(value), list),
            "!in~" => {
                let node = Node::TextOneOf(of(Relation::Equals), Box::new(value), list);
                Node::Not(Box::new(node))
            }
            "has_any" => Node::TextOneOf(of(Relation::Has), Box::new(value), list),
            word => return Err(Fault::new(format!("the operator `{word}`"))),
        })
    }

    /// An item of a list, or the items of a list that does not depend on the row, or the values of the
    /// first column of rows
    fn listed(&self, item: &Expression) -> Result<Vec<Node>, Fault> {
        if let Some(rows) = self.run.rows_of(item, self.lets)? {
            let values = rows.rows.iter().filter_map(|row| row.first().cloned());
            return Ok(values.map(Node::Value).collect());
        }
        let node = self.node(item)?;
        if let Node::Value(value) = &node
            && let Some(items) = value.list()
        {
            let items = items.iter().map(|item| Value::dynamic(item.clone()).plain());
            return Ok(items.map(Node::Value).collect());
        }
        Ok(vec![node])
    }

    fn call(&self, name: &Name, arguments: &[Expression]) -> Result<Planned, Fault> {
        let unknown = || Fault::new(format!("the function `{}`", name.text));
        let signatures = named(&name.text);
        let counts = |count| signatures.iter().any(|one| one.takes(count));
        if !counts(arguments.len()) {
            return Err(unknown());
        }
        let planned = arguments.iter().map(|argument| self.plan(argument));
        let planned = planned.collect::<Result<Vec<Planned>, Fault>>()?;
        let (nodes, kinds): (Vec<Node>, Vec<Option<Type>>) = planned.into_iter().unzip();
        let kind = gives(&signatures[0].gives, &name.text, &kinds);
        if let Some(node) = self.special(&name.text, &nodes)? {
            return Ok((node, kind));
        }
        let function = function::named(&name.text).ok_or_else(unknown)?;
        let node = Node::Call(function, nodes);
        Ok((constant(node)?, kind))
    }

    /// Functions of a pattern, of the time of the run, of the order of rows, and those that choose
    fn special(&self, name: &str, nodes: &[Node]) -> Result<Option<Node>, Fault> {
        let fixed = |at: usize| match nodes.get(at) {
            Some(Node::Value(value)) => Ok(value.clone()),
            Some(_) => Err(Fault::new(format!("`{name}` of a value of the row"))),
            None => Ok(Value::Null),
        };
        let regex_at = |at| pattern::compile(&fixed(at)?.to_text());
        let regex = || regex_at(0);
        let last = |at: usize| Box::new(nodes[at].clone());
        Ok(Some(match name {
            "not" => Node::Not(last(0)),
            "ago" => {
                let Value::Span(ticks) = fixed(0)? else {
                    return Err(Fault::new("`ago` of no length of time"));
                };
                Node::Value(Value::Time(self.run.now.saturating_sub(ticks)))
            }
            "ingestion_time" => match self.columns.place_of(ARRIVED) {
                Some(at) => Node::Column(at),
                // It would be null, which no query is meant to ask for.
                None => {
                    return Err(Fault::new("`ingestion_time` of rows that are none of a table"));
                }
            },
            "iff" => Node::Choice(vec![(nodes[0].clone(), nodes[1].clone())], last(2)),
            "case" => {
                let pairs = nodes.chunks_exact(2).map(|pair| (pair[0].clone(), pair[1].clone()));
                Node::Choice(pairs.collect(), last(nodes.len() - 1))
            }
            "extract" => {
                let group = fixed(1)?.whole().and_then(|group| usize::try_from(group).ok());
                Node::Extract(regex()?, group.unwrap_or(0), last(2))
            }
            "replace_regex" => {
                let by = fixed(2)?.to_text().to_string();
                if by.contains('\\') {
                    return Err(Fault::new("`replace_regex` by groups of the match"));
                }
                Node::Rewrite(regex_at(1)?, last(0), by)
            }
            "trim" => Node::Trim(regex()?, last(1)),
            "ipv4_is_in_any_range" | "ipv6_is_in_any_range" => {
                let ranges = (1..nodes.len()).map(fixed).collect::<Result<Vec<_>, _>>()?;
                let networks: Arc<[_]> = address::networks(&ranges)?.into();
                Node::InNetwork(last(0), networks, name.starts_with("ipv6"))
            }
            "row_number" if nodes.is_empty() => Node::Window(Window::RowNumber),
            "prev" if nodes.len() < 3 => {
                let Node::Column(column) = nodes[0] else {
                    return Err(Fault::new("`prev` of no column"));
                };
                let back = if nodes.len() == 2 { fixed(1)?.whole() } else { Some(1) };
                let back = back.and_then(|back| usize::try_from(back).ok()).unwrap_or(1);
                let nothing = Value::nothing(self.columns.columns[column].kind);
                Node::Window(Window::Prev(column, back, nothing))
            }
            _ => return Ok(None),
        }))
    }
}

/// A call of values that do not depend on the row is a value
fn constant(node: Node) -> Result<Node, Fault> {
    let Node::Call(function, arguments) = &node else { return Ok(node) };
    let fixed = arguments
        .iter()
        .map(|one| if let Node::Value(value) = one { Some(value.clone()) } else { None });
    match fixed.collect::<Option<Vec<Value>>>() {
        Some(values) => function(&values).map(Node::Value),
        None => Ok(node),
    }
}

/// The type of a literal
fn kind_of(value: &Value) -> Option<Type> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(_) => Type::Bool,
        Value::Int(_) => Type::Int,
        Value::Long(_) => Type::Long,
        Value::Real(_) => Type::Real,
        Value::Text(_) => Type::String,
        Value::Time(_) => Type::DateTime,
        Value::Span(_) => Type::TimeSpan,
        Value::Dynamic(_) => Type::Dynamic,
    })
}

/// The type that a function gives
pub(super) fn gives(gives: &Gives, name: &str, kinds: &[Option<Type>]) -> Option<Type> {
    match gives {
        // The first row of the function stands for all: they differ in `bin` and `range` alone.
        Gives::Type(_) if name == "bin" => kinds.first().copied().flatten(),
        Gives::Type(kind) => Some(*kind),
        Gives::First => kinds.first().copied().flatten(),
        // A choice stands behind its condition.
        Gives::Common => {
            let at = usize::from(name != "coalesce");
            kinds.get(at).copied().flatten()
        }
    }
}

/// A column that a step computes
pub(super) fn slot(name: &str, kind: Option<Type>) -> Slot {
    Slot { name: name.to_owned(), kind }
}
