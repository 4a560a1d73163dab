//! A query as it is written.
//!
//! In and out: nothing but types. Every name, operator and expression keeps its place, so that a
//! finding points at one word. Brackets, comments and the contents of literals are gone: the
//! schema of a result does not depend on them.

use std::ops::Range;

use super::Type;

/// A range of bytes in the text of the query
pub(super) type Place = Range<usize>;

/// A word and where it stands
#[derive(Debug, Clone)]
pub(super) struct Name {
    pub(super) text: String,
    pub(super) place: Place,
}

/// `let` statements in their order, and the pipeline that gives the result
#[derive(Debug)]
pub(super) struct Query {
    pub(super) lets: Vec<(Name, Pipeline)>,
    pub(super) result: Pipeline,
}

/// Rows, or a single value when the source is a value and no step follows
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) source: Source,
    pub(super) steps: Vec<Step>,
    pub(super) place: Place,
}

#[derive(Debug)]
pub(super) enum Source {
    Union(Vec<Expression>),
    Expression(Expression),
}

/// An operator between two pipes
#[derive(Debug)]
pub(super) struct Step {
    /// Its first word
    pub(super) word: Name,
    pub(super) operator: Operator,
}

#[derive(Debug)]
pub(super) enum Operator {
    Where(Expression),
    Project(Vec<Item>),
    Extend(Vec<Item>),
    Distinct(Vec<Item>),
    ProjectAway(Vec<Name>),
    /// New names with old ones
    ProjectRename(Vec<(Name, Name)>),
    Summarize {
        aggregates: Vec<Item>,
        by: Vec<Item>,
    },
    Join {
        kind: JoinKind,
        right: Expression,
        keys: Vec<Name>,
    },
    MvExpand {
        item: Item,
        to: Option<Name>,
    },
    MvApply {
        item: Item,
        steps: Vec<Step>,
    },
    Sort(Vec<Expression>),
    /// What is not read here
    Unread,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JoinKind {
    Inner,
    LeftAnti,
}

/// `Name = expression`, or an expression alone
#[derive(Debug)]
pub(super) struct Item {
    pub(super) name: Option<Name>,
    pub(super) value: Expression,
}

#[derive(Debug)]
pub(super) struct Expression {
    pub(super) place: Place,
    pub(super) kind: Kind,
}

impl Expression {
    /// The name that it is and nothing else
    pub(super) fn as_name(&self) -> Option<&str> {
        if let Kind::Name(name) = &self.kind { Some(name) } else { None }
    }
}

#[derive(Debug)]
pub(super) enum Kind {
    /// A literal, of which only the type is kept
    Literal(Type),
    Name(String),
    Star,
    Call {
        name: Name,
        arguments: Vec<Expression>,
    },
    /// `value.name`
    Member(Box<Expression>, Name),
    /// `value[index]`, with what the index is called in the name of a column
    Element {
        value: Box<Expression>,
        index: Box<Expression>,
        called: String,
    },
    /// Parts joined by `and` or `or`; the operator stands before each but the first
    Chain {
        first: Box<Expression>,
        rest: Vec<(Name, Expression)>,
    },
    Arithmetic {
        first: Box<Expression>,
        rest: Vec<(Name, Expression)>,
    },
    Compare {
        operator: Name,
        left: Box<Expression>,
        right: Box<Expression>,
    },
    /// `value in (..)` and its kin
    OneOf {
        operator: Name,
        value: Box<Expression>,
        list: Vec<Expression>,
    },
    Between {
        operator: Name,
        value: Box<Expression>,
        bounds: Box<[Expression; 2]>,
    },
    /// A pipeline with steps, in brackets
    Pipeline(Box<Pipeline>),
}
