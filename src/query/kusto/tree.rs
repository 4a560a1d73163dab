//! The tree of a query, both built and parsed.
//!
//! In and out: nothing but types. A parsed tree has the place of every name, operator and
//! expression, so that a finding points at one word; a built tree has no places. Brackets are not
//! kept; the printer sets the brackets that are needed. Comments before statements and steps are
//! part of the tree, because people read them in the query.

use std::ops::Range;

use super::Type;

/// A range of bytes in the text of the query
pub(crate) type Place = Range<usize>;

/// A word and where it stands
#[derive(Debug, Clone)]
pub(crate) struct Name {
    pub(crate) text: String,
    pub(crate) place: Place,
}

/// `let` statements in their order, and the pipeline that gives the result
#[derive(Debug, Clone)]
pub(crate) struct Query {
    /// Comments on top
    pub(crate) heading: Vec<String>,
    pub(crate) lets: Vec<Let>,
    pub(crate) result: Pipeline,
}

/// `let name = …;`
#[derive(Debug, Clone)]
pub(crate) struct Let {
    pub(crate) comments: Vec<String>,
    pub(crate) name: Name,
    pub(crate) value: Pipeline,
}

/// Rows, or a single value when the source is a value and no step follows
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    pub(crate) source: Source,
    pub(crate) steps: Vec<Step>,
    pub(crate) place: Place,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Source {
    Union(Vec<Expression>, Lines),
    Expression(Expression),
}

/// How a list is laid out
///
/// As with objects in JavaScript's formatters, a list whose first part begins a line stays broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lines {
    /// On one line, where it fits
    Fit,
    /// A line for each part
    Own,
}

/// An operator between two pipes
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) comments: Vec<String>,
    /// Where its first word stands
    pub(crate) place: Place,
    pub(crate) lines: Lines,
    pub(crate) operator: Operator,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Operator {
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
    Sort(Vec<(Expression, Option<Order>)>),
    /// A step that is not read here: its first word, and its whole text
    Unread {
        word: String,
        text: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum JoinKind {
    Inner,
    InnerUnique,
    LeftAnti,
    LeftOuter,
    LeftSemi,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    Ascending,
    Descending,
}

/// `Name = expression`, or an expression alone
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Item {
    pub(crate) name: Option<Name>,
    pub(crate) value: Expression,
}

#[derive(Debug, Clone)]
pub(crate) struct Expression {
    pub(crate) place: Place,
    pub(crate) kind: Kind,
}

impl Expression {
    /// The name, when the expression is only a name
    pub(crate) fn as_name(&self) -> Option<&str> {
        if let Kind::Name(name) = &self.kind { Some(name) } else { None }
    }
}

/// A literal value
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Literal {
    /// A list of values, each as JSON writes it
    Dynamic(Vec<String>),
    /// Any other literal, as Kusto writes it
    Written(Type, String),
}

impl Literal {
    pub(super) fn kind(&self) -> Type {
        match self {
            Literal::Dynamic(_) => Type::Dynamic,
            Literal::Written(kind, _) => *kind,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Kind {
    Literal(Literal),
    Name(String),
    Star,
    Call {
        name: Name,
        arguments: Vec<Expression>,
    },
    /// `name=value` among the arguments of a call
    Given(Name, Box<Expression>),
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

// Trees are compared without their places.

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.text == other.text
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Expression) -> bool {
        self.kind == other.kind
    }
}

impl PartialEq for Pipeline {
    fn eq(&self, other: &Pipeline) -> bool {
        self.source == other.source && self.steps == other.steps
    }
}

impl PartialEq for Step {
    fn eq(&self, other: &Step) -> bool {
        self.comments == other.comments && self.operator == other.operator
    }
}
