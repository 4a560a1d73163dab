//! A query in EQL as a tree.
//!
//! In: fields, values and patterns that a plan or the parser joins. Out: an [`Eql`]. The tree has the
//! whole language but pipes, samples and conditions used as values.
//!
//! INVARIANT: patterns are in EQL's own notation: `*` and `?` are wildcards and nothing escapes them.

/// A query
#[derive(Debug, Clone, PartialEq)]
pub enum Eql {
    /// Single events
    Event(EventQuery),
    /// Events that follow one another
    Sequence(Sequence),
}

/// A category of events, and what must hold of them
#[derive(Debug, Clone, PartialEq)]
pub struct EventQuery {
    /// A value of `event.category`; `None` is `any`
    pub category: Option<String>,
    /// The condition
    pub condition: Condition,
}

/// Events that follow one another
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// The keys that all steps share, before those of each step
    pub by: Vec<FieldName>,
    /// The most milliseconds from the first event to the last
    pub maxspan: Option<u64>,
    /// The steps, in order
    pub steps: Vec<Step>,
    /// An event that ends a sequence that is not complete
    pub until: Option<Step>,
}

/// An event of a sequence
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Whether the event must be absent (`![…]`)
    pub absent: bool,
    /// The event
    pub query: EventQuery,
    /// The keys of this step, after those of the sequence
    pub by: Vec<FieldName>,
    /// How many such events must follow one another; 1 without `with runs`
    pub runs: u32,
}

/// The name of a field
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldName {
    /// The name, without backticks
    pub name: String,
    /// Whether it may be mapped in no index (`?name`)
    pub optional: bool,
}

/// What must hold of an event
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Every part holds; true when empty
    All(Vec<Condition>),
    /// A part holds; false when empty
    Any(Vec<Condition>),
    /// The part does not hold
    Not(Box<Condition>),
    /// The value is true: a constant, a field of truths, or a function
    Truth(Value),
    /// Two values compare so
    Compare(Value, Comparison, Value),
    /// The value is one of these
    In {
        /// The value
        value: Value,
        /// Constants
        items: Vec<Value>,
        /// Whether ASCII letters are compared without their case (`in~`)
        fold: bool,
    },
    /// The whole value fits one of these patterns
    Matches(Value, Matching, Vec<String>),
    /// A part with a comment above it
    Noted(String, Box<Condition>),
}

/// How two values compare
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

/// The notation of patterns, and whether ASCII letters are compared without their case
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matching {
    /// `:`, wildcards in any case
    Colon,
    /// `like`, wildcards
    Like,
    /// `like~`, wildcards in any case
    LikeFolded,
    /// `regex`, regular expressions of Lucene
    Regex,
    /// `regex~`, regular expressions of Lucene in any case
    RegexFolded,
}

/// A value
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// The values of a field
    Field(FieldName),
    /// A text
    Text(String),
    /// A number
    Number(serde_json::Number),
    /// True or false
    Truth(bool),
    /// No value
    Null,
    /// A function of values
    Call {
        /// Its name, without `~`
        function: String,
        /// Whether ASCII letters are compared without their case (`name~`)
        fold: bool,
        /// Its arguments
        arguments: Vec<Value>,
    },
    /// Two numbers
    Arithmetic(Box<Value>, Operation, Box<Value>),
}

/// What is done with two numbers
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// `+`
    Plus,
    /// `-`
    Minus,
    /// `*`
    Times,
    /// `/`
    Over,
    /// `%`
    Modulo,
}

impl FieldName {
    /// A field that an index maps
    pub fn of(name: &str) -> FieldName {
        FieldName { name: name.to_owned(), optional: false }
    }
}

impl Value {
    /// The values of a field that an index maps
    pub fn field(name: &str) -> Value {
        Value::Field(FieldName::of(name))
    }
}

impl Matching {
    /// Whether ASCII letters are compared without their case
    pub fn folds(self) -> bool {
        matches!(self, Matching::Colon | Matching::LikeFolded | Matching::RegexFolded)
    }

    /// Whether patterns are regular expressions
    pub fn is_regex(self) -> bool {
        matches!(self, Matching::Regex | Matching::RegexFolded)
    }
}

impl Eql {
    /// Its events, in order; that of `until` last
    pub fn events(&self) -> Vec<&EventQuery> {
        match self {
            Eql::Event(event) => vec![event],
            Eql::Sequence(sequence) => {
                sequence.steps.iter().chain(&sequence.until).map(|step| &step.query).collect()
            }
        }
    }

    /// The fields that it names, in order, with repetitions
    pub fn fields(&self) -> Vec<&FieldName> {
        let mut fields = Vec::new();
        if let Eql::Sequence(sequence) = self {
            fields.extend(&sequence.by);
            fields.extend(sequence.steps.iter().chain(&sequence.until).flat_map(|step| &step.by));
        }
        for event in self.events() {
            event.condition.each_value(&mut |value| fields.extend(value.as_field()));
        }
        fields
    }
}

impl Condition {
    /// Every part holds; parts that are such lists themselves are taken apart
    pub fn all(parts: Vec<Condition>) -> Condition {
        let flat = parts
            .into_iter()
            .flat_map(|part| if let Condition::All(inner) = part { inner } else { vec![part] });
        only_or(flat.collect(), Condition::All)
    }

    /// A part holds; parts that are such lists themselves are taken apart
    pub fn any(parts: Vec<Condition>) -> Condition {
        let flat = parts
            .into_iter()
            .flat_map(|part| if let Condition::Any(inner) = part { inner } else { vec![part] });
        only_or(flat.collect(), Condition::Any)
    }

    /// The value is there
    pub fn there(value: Value) -> Condition {
        Condition::Compare(value, Comparison::NotEqual, Value::Null)
    }

    /// The value is not there
    pub fn missing(value: Value) -> Condition {
        Condition::Compare(value, Comparison::Equal, Value::Null)
    }

    /// The part does not hold
    pub fn none(part: Condition) -> Condition {
        if let Condition::Not(inner) = part { *inner } else { Condition::Not(Box::new(part)) }
    }

    /// Calls `visit` with every value, the parts of a value after the value
    pub fn each_value<'c>(&'c self, visit: &mut impl FnMut(&'c Value)) {
        match self {
            Condition::All(parts) | Condition::Any(parts) => {
                parts.iter().for_each(|part| part.each_value(visit));
            }
            Condition::Not(part) | Condition::Noted(_, part) => part.each_value(visit),
            Condition::Truth(value) | Condition::Matches(value, ..) => value.each(visit),
            Condition::Compare(left, _, right) => {
                [left, right].into_iter().for_each(|v| v.each(visit))
            }
            Condition::In { value, items, .. } => {
                std::iter::once(value).chain(items).for_each(|value| value.each(visit));
            }
        }
    }
}

impl Value {
    fn each<'v>(&'v self, visit: &mut impl FnMut(&'v Value)) {
        visit(self);
        match self {
            Value::Call { arguments, .. } => arguments.iter().for_each(|value| value.each(visit)),
            Value::Arithmetic(left, _, right) => {
                [left, right].into_iter().for_each(|v| v.each(visit))
            }
            Value::Field(_) | Value::Text(_) | Value::Number(_) | Value::Truth(_) | Value::Null => {
            }
        }
    }

    /// The field, for a value that is one
    pub fn as_field(&self) -> Option<&FieldName> {
        match self {
            Value::Field(name) => Some(name),
            Value::Text(_)
            | Value::Number(_)
            | Value::Truth(_)
            | Value::Null
            | Value::Call { .. }
            | Value::Arithmetic(..) => None,
        }
    }
}

/// The only part, or a group of them
fn only_or(mut parts: Vec<Condition>, group: fn(Vec<Condition>) -> Condition) -> Condition {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            group(parts)
        }
    }
}
