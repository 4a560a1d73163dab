//! Kibana's query language: the target expression.
//!
//! In: parts that a plan joins. Out: a [`Kuery`] tree, which [`Kuery::optimised`] brings into the
//! form that detection-rules calls optimised: one group per field, `not` last. `print` writes its
//! text. [`Literal::quoted`] and [`Literal::wildcard`] make values, and refuse values that the
//! language cannot write. Nested documents and values without a field are never emitted;
//! the tree has them because the parser reads the whole language into it.

use std::collections::{BTreeMap, HashSet};

use crate::pattern::{Pattern, Token};
use crate::source::is_unprintable;

/// A query in Kibana's language
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kuery {
    /// Every part holds; without parts, every document fits
    And(Vec<Kuery>),
    /// A part holds
    Or(Vec<Kuery>),
    /// The part does not hold
    Not(Box<Kuery>),
    /// A field and its values; the name may have stars
    Field(Pattern, Values),
    /// A field whose value lies on this side of the limit
    Range(Pattern, Bound, Literal),
    /// One object of a nested field fits the part by itself
    Nested(Pattern, Box<Kuery>),
    /// A value that any field may hold
    Anywhere(Literal),
}

/// An expression over the values of one field
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Values {
    /// This value
    One(Literal),
    /// One of these
    Any(Vec<Values>),
    /// All of these, even in different elements of a list
    All(Vec<Values>),
    /// The inner expression does not hold
    Not(Box<Values>),
}

/// A value
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Literal {
    /// Between quotes: every character is itself
    Quoted(String),
    /// Without quotes: stars are wildcards
    Plain(Pattern),
}

/// A side of a limit
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bound {
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

impl Literal {
    /// `*`: the field is there
    pub fn anything() -> Literal {
        Literal::Plain(Pattern::of([Token::Any]))
    }

    /// A word or number that needs no quotes
    pub fn word(text: &str) -> Literal {
        Literal::Plain(Pattern::literal(text))
    }

    /// A quoted value; `None` for control characters that the language has no escape for
    pub fn quoted(text: &str) -> Option<Literal> {
        let written = |c: char| matches!(c, '\t' | '\r' | '\n') || !is_unprintable(c);
        text.chars().all(written).then(|| Literal::Quoted(text.to_owned()))
    }

    /// An unquoted value with its stars; `None` for a pattern that only a filter can express
    ///
    /// White space splits an unquoted value on a field that is not a plain keyword, `?` is
    /// literal, and a value that starts with `not` is misread by detection-rules (its own parser).
    pub fn wildcard(pattern: &Pattern) -> Option<Literal> {
        let single = pattern.tokens().contains(&Token::One);
        let split = |c: char| c.is_whitespace() || is_unprintable(c);
        let splits = pattern.literals().any(|text| text.contains(split));
        let negates = match pattern.tokens().first() {
            Some(Token::Literal(text)) => {
                text.get(..3).is_some_and(|start| start.eq_ignore_ascii_case("not"))
            }
            Some(Token::Any | Token::One) | None => false,
        };
        let usable = !(single || splits || negates);
        usable.then(|| Literal::Plain(pattern.clone()))
    }
}

impl Values {
    /// One of these values
    pub fn any(values: impl IntoIterator<Item = Literal>) -> Values {
        join(values.into_iter().map(Values::One).collect(), false)
    }
}

impl Kuery {
    /// A field and what it holds
    pub fn field(name: &str, values: Values) -> Kuery {
        Kuery::Field(Pattern::literal(name), values)
    }

    /// The names of its fields, with their stars
    pub fn fields(&self) -> Vec<String> {
        match self {
            Kuery::And(parts) | Kuery::Or(parts) => parts.iter().flat_map(Kuery::fields).collect(),
            Kuery::Not(part) => part.fields(),
            Kuery::Field(name, _) | Kuery::Range(name, ..) => vec![name.to_string()],
            Kuery::Nested(name, inner) => {
                inner.fields().iter().map(|field| format!("{name}.{field}")).collect()
            }
            Kuery::Anywhere(_) => Vec::new(),
        }
    }

    /// The query with one group per field: plain parts first, negated parts last
    pub fn optimised(self) -> Kuery {
        match self {
            Kuery::And(parts) => one_or(merged(parts, true), Kuery::And),
            Kuery::Or(parts) => one_or(merged(parts, false), Kuery::Or),
            Kuery::Not(part) => match part.optimised() {
                Kuery::Not(inner) => *inner,
                part @ (Kuery::And(_)
                | Kuery::Or(_)
                | Kuery::Field(..)
                | Kuery::Range(..)
                | Kuery::Nested(..)
                | Kuery::Anywhere(_)) => Kuery::Not(Box::new(part)),
            },
            Kuery::Field(name, values) => Kuery::Field(name, join(vec![values], true)),
            Kuery::Nested(name, inner) => Kuery::Nested(name, Box::new(inner.optimised())),
            whole @ (Kuery::Range(..) | Kuery::Anywhere(_)) => whole,
        }
    }
}

/// The only part, or a group of them
fn one_or(mut parts: Vec<Kuery>, group: fn(Vec<Kuery>) -> Kuery) -> Kuery {
    match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            parts.extend(last);
            group(parts)
        }
    }
}

/// The plain and the negated values of one field
#[derive(Default)]
struct Said {
    yes: Vec<Values>,
    no: Vec<Values>,
}

/// Merges the parts of an `And` or `Or` into one group per field
fn merged(parts: Vec<Kuery>, all: bool) -> Vec<Kuery> {
    let mut order: Vec<Pattern> = Vec::new();
    let mut fields: BTreeMap<Pattern, Said> = BTreeMap::new();
    let mut groups = Vec::new();
    for part in flat(parts, all) {
        let (name, values, negated) = match part {
            Kuery::Field(name, values) => (name, values, false),
            Kuery::Not(inner) => match *inner {
                Kuery::Field(name, values) => (name, values, true),
                inner @ (Kuery::And(_)
                | Kuery::Or(_)
                | Kuery::Not(_)
                | Kuery::Range(..)
                | Kuery::Nested(..)
                | Kuery::Anywhere(_)) => {
                    groups.push(Kuery::Not(Box::new(inner)));
                    continue;
                }
            },
            part @ (Kuery::And(_)
            | Kuery::Or(_)
            | Kuery::Range(..)
            | Kuery::Nested(..)
            | Kuery::Anywhere(_)) => {
                groups.push(part);
                continue;
            }
        };
        if !fields.contains_key(&name) {
            order.push(name.clone());
        }
        let said = fields.entry(name).or_default();
        if negated { said.no.push(values) } else { said.yes.push(values) }
    }
    let mut plain = Vec::new();
    let mut negative = Vec::new();
    for name in order {
        let said = fields.remove(&name).unwrap_or_default();
        if said.yes.is_empty() {
            negative.push(Kuery::Not(Box::new(Kuery::Field(name, join(said.no, !all)))));
        } else {
            let mut values = said.yes;
            values.extend(said.no.into_iter().map(|value| Values::Not(Box::new(value))));
            plain.push(Kuery::Field(name, join(values, all)));
        }
    }
    plain.extend(groups);
    plain.extend(negative);
    plain
}

/// The parts, optimised; a group of the same kind inside the group is dissolved
fn flat(parts: Vec<Kuery>, all: bool) -> Vec<Kuery> {
    let inner = |part: Kuery| match (part.optimised(), all) {
        (Kuery::And(inner), true) | (Kuery::Or(inner), false) => inner,
        (part, _) => vec![part],
    };
    parts.into_iter().flat_map(inner).collect()
}

/// Joins values, each once; a list of the same kind inside the list is dissolved
fn join(values: Vec<Values>, all: bool) -> Values {
    let flat = values.into_iter().map(flat_values).flat_map(|value| match (value, all) {
        (Values::All(inner), true) | (Values::Any(inner), false) => inner,
        (value, _) => vec![value],
    });
    let flat: Vec<Values> = flat.collect();
    let mut seen = HashSet::with_capacity(flat.len());
    let mut first = flat.iter().map(|value| seen.insert(value)).collect::<Vec<_>>().into_iter();
    let mut values = flat;
    values.retain(|_| first.next() == Some(true));
    match (values.pop(), values.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            values.extend(last);
            if all { Values::All(values) } else { Values::Any(values) }
        }
    }
}

fn flat_values(values: Values) -> Values {
    match values {
        Values::Any(inner) => join(inner, false),
        Values::All(inner) => join(inner, true),
        Values::Not(inner) => match flat_values(*inner) {
            Values::Not(twice) => *twice,
            inner @ (Values::One(_) | Values::Any(_) | Values::All(_)) => {
                Values::Not(Box::new(inner))
            }
        },
        one @ Values::One(_) => one,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &'static str, values: &[&str]) -> Kuery {
        let literal = |text: &&str| match *text {
            "*" => Literal::anything(),
            text => Literal::word(text),
        };
        Kuery::field(name, Values::any(values.iter().map(literal)))
    }

    #[test]
    fn one_field_has_one_group_with_not_last() {
        let not = |inner| Kuery::Not(Box::new(inner));
        let query = Kuery::And(vec![
            not(field("c", &["1"])),
            field("a", &["*"]),
            not(field("a", &["1", "2"])),
            field("b", &["x", "y"]),
        ]);
        let text = query.optimised().to_string();
        assert_eq!(text, "a:(* and not (1 or 2)) and\nb:(x or y) and\nnot c:1");
        let both = Kuery::And(vec![not(field("a", &["1"])), not(field("a", &["2"]))]);
        assert_eq!(both.optimised().to_string(), "not a:(1 or 2)");
        let twice =
            Kuery::And(vec![not(field("a", &["1"])), field("b", &["2"]), not(field("a", &["1"]))]);
        assert_eq!(twice.optimised().to_string(), "b:2 and\nnot a:1");
    }

    #[test]
    fn what_the_language_cannot_write_is_no_value() {
        let wildcard = |text| Literal::wildcard(&Pattern::read(text));
        assert_eq!(Literal::quoted("\u{0}"), None);
        assert_eq!(wildcard("mode CON*"), None);
        assert_eq!(wildcard("notepad*"), None);
        assert_eq!(wildcard("a?c"), None);
        assert_eq!(wildcard("*\u{200b}"), None);
        assert!(wildcard("*not*").is_some());
    }
}
