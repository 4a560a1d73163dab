//! Kibana's query language: expressions and how they are laid out.
//!
//! In: a [`Kuery`] tree. Out: its text in the form detection-rules calls optimised: one group a
//! field, `not` last, `and` and `or` at the ends of lines. [`quote`] and [`wildcard`] are the
//! places that write values; what they cannot write never reaches them.

use std::collections::BTreeMap;

use crate::definition::pattern::{Pattern, Token};

/// A query expression
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kuery {
    And(Vec<Kuery>),
    Or(Vec<Kuery>),
    Not(Box<Kuery>),
    /// A field and what it holds
    Field(&'static str, Values),
    /// `field.text`: the analysed sub-field
    Text(&'static str, Values),
}

/// An expression over the values of one field
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Values {
    /// A value as written
    One(String),
    Any(Vec<Values>),
    All(Vec<Values>),
    Not(Box<Values>),
}

impl Values {
    /// One of these values
    pub(super) fn any(values: impl IntoIterator<Item = String>) -> Values {
        let mut values: Vec<Values> = values.into_iter().map(Values::One).collect();
        match (values.pop(), values.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                values.extend(last);
                Values::Any(values)
            }
        }
    }

    fn inline(&self) -> String {
        let join = |parts: &[Values], word: &str| {
            parts.iter().map(Values::grouped).collect::<Vec<_>>().join(word)
        };
        match self {
            Values::One(value) => value.clone(),
            Values::Any(parts) => join(parts, " or "),
            Values::All(parts) => join(parts, " and "),
            Values::Not(part) => format!("not {}", part.grouped()),
        }
    }

    fn grouped(&self) -> String {
        match self {
            Values::One(_) | Values::Not(_) => self.inline(),
            Values::Any(_) | Values::All(_) => format!("({})", self.inline()),
        }
    }
}

/// The width lines keep to where values allow it
const WIDTH: usize = 100;

impl Kuery {
    fn field(&self) -> Option<String> {
        match self {
            Kuery::Field(name, _) => Some((*name).to_owned()),
            Kuery::Text(name, _) => Some(format!("{name}.text")),
            Kuery::And(_) | Kuery::Or(_) | Kuery::Not(_) => None,
        }
    }

    fn values(&self) -> Option<&Values> {
        match self {
            Kuery::Field(_, values) | Kuery::Text(_, values) => Some(values),
            Kuery::And(_) | Kuery::Or(_) | Kuery::Not(_) => None,
        }
    }

    /// The fields it names
    pub(super) fn fields(&self) -> Vec<String> {
        match self {
            Kuery::And(parts) | Kuery::Or(parts) => parts.iter().flat_map(Kuery::fields).collect(),
            Kuery::Not(part) => part.fields(),
            Kuery::Field(..) | Kuery::Text(..) => self.field().into_iter().collect(),
        }
    }

    /// The whole query, parts joined by `and` a line each
    pub(super) fn print(&self) -> String {
        let parts = match self {
            Kuery::And(parts) => merged(parts, true),
            other @ (Kuery::Or(_) | Kuery::Not(_) | Kuery::Field(..) | Kuery::Text(..)) => {
                merged(std::slice::from_ref(other), true)
            }
        };
        parts.join(" and\n")
    }

    fn inline(&self) -> String {
        let text = match self {
            Kuery::And(parts) => merged(parts, true).join(" and "),
            Kuery::Or(parts) => merged(parts, false).join(" or "),
            other @ (Kuery::Not(_) | Kuery::Field(..) | Kuery::Text(..)) => {
                merged(std::slice::from_ref(other), true).join(" and ")
            }
        };
        text.split('\n')
            .map(str::trim)
            .collect::<Vec<_>>()
            .join(" ")
            .replace("( ", "(")
            .replace(" )", ")")
    }
}

/// What one field must hold, as said by parts that may be negated
#[derive(Default)]
struct Said {
    yes: Vec<Values>,
    no: Vec<Values>,
}

/// Prints parts with one group a field; plain parts first, negated ones last
fn merged(parts: &[Kuery], all: bool) -> Vec<String> {
    let mut order: Vec<String> = Vec::new();
    let mut fields: BTreeMap<String, Said> = BTreeMap::new();
    let mut groups = Vec::new();
    for part in flat(parts, all) {
        let (inner, negated) = match part {
            Kuery::Not(inner) => (&**inner, true),
            part @ (Kuery::And(_) | Kuery::Or(_) | Kuery::Field(..) | Kuery::Text(..)) => {
                (part, false)
            }
        };
        let (Some(name), Some(values)) = (inner.field(), inner.values()) else {
            let text = format!("({})", inner.inline());
            groups.push(if negated { format!("not {text}") } else { text });
            continue;
        };
        if !order.contains(&name) {
            order.push(name.clone());
        }
        let said = fields.entry(name).or_default();
        if negated { said.no.push(values.clone()) } else { said.yes.push(values.clone()) }
    }
    let mut plain = Vec::new();
    let mut negative = Vec::new();
    for name in order {
        let said = fields.remove(&name).unwrap_or_default();
        if said.yes.is_empty() {
            negative.push(format!("not {}", clause(&name, &join(said.no, !all))));
        } else {
            let mut values = said.yes;
            values.extend(said.no.into_iter().map(|value| Values::Not(Box::new(value))));
            plain.push(clause(&name, &join(values, all)));
        }
    }
    plain.extend(groups);
    plain.extend(negative);
    plain
}

/// A group of the same kind inside a group says nothing of its own
fn flat<'k>(parts: &'k [Kuery], all: bool) -> Vec<&'k Kuery> {
    let inner = |part: &'k Kuery| match (part, all) {
        (Kuery::And(inner), true) | (Kuery::Or(inner), false) => flat(inner, all),
        (part, _) => vec![part],
    };
    parts.iter().flat_map(inner).collect()
}

fn join(values: Vec<Values>, all: bool) -> Values {
    // A list of the same kind inside a list says nothing of its own.
    let flat = values.into_iter().flat_map(|value| match (value, all) {
        (Values::All(inner), true) | (Values::Any(inner), false) => inner,
        (value, _) => vec![value],
    });
    let mut values: Vec<Values> = flat.collect();
    match (values.pop(), values.is_empty()) {
        (Some(only), true) => only,
        (last, _) => {
            values.extend(last);
            if all { Values::All(values) } else { Values::Any(values) }
        }
    }
}

fn clause(name: &str, values: &Values) -> String {
    let inline = format!("{name}:{}", values.grouped_as_list());
    if inline.len() <= WIDTH {
        return inline;
    }
    match values {
        Values::Any(parts) => {
            let parts: Vec<_> = parts.iter().map(Values::grouped).collect();
            format!("{name}:(\n  {}\n)", parts.join(" or\n  "))
        }
        Values::All(parts) => {
            let parts: Vec<_> = parts.iter().map(wrapped).collect();
            format!("{name}:(\n  {}\n)", parts.join(" and\n  "))
        }
        Values::One(_) | Values::Not(_) => inline,
    }
}

/// A part of a list that is itself a long list
fn wrapped(values: &Values) -> String {
    let inline = values.grouped();
    let (head, inner) = match values {
        Values::Not(inner) => ("not ", &**inner),
        inner @ (Values::One(_) | Values::Any(_) | Values::All(_)) => ("", inner),
    };
    match inner {
        Values::Any(parts) if inline.len() + 4 > WIDTH => {
            let parts: Vec<_> = parts.iter().map(Values::grouped).collect();
            format!("{head}(\n    {}\n  )", parts.join(" or\n    "))
        }
        Values::One(_) | Values::Any(_) | Values::All(_) | Values::Not(_) => inline,
    }
}

impl Values {
    fn grouped_as_list(&self) -> String {
        match self {
            Values::One(value) => value.clone(),
            Values::Any(_) | Values::All(_) | Values::Not(_) => format!("({})", self.inline()),
        }
    }
}

/// A quoted value; `None` for control characters that the language has no escape for
pub(super) fn quote(text: &str) -> Option<String> {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\n' => out.push_str("\\n"),
            c if crate::source::is_unprintable(c) => return None,
            c => out.push(c),
        }
    }
    out.push('"');
    Some(out)
}

/// An unquoted value with its stars; `None` for what only a filter can say
///
/// White space splits an unquoted value on a field that is not a plain keyword, `?` is literal,
/// and a value that starts with `not` is misread by detection-rules (its own parser).
pub(super) fn wildcard(pattern: &Pattern) -> Option<String> {
    let mut out = String::new();
    for token in pattern.tokens() {
        match token {
            Token::Any => out.push('*'),
            Token::One => return None,
            Token::Literal(text) => {
                for c in text.chars() {
                    if c.is_whitespace() || crate::source::is_unprintable(c) {
                        return None;
                    }
                    if r#"\():<>"*{}"#.contains(c) {
                        out.push('\\');
                    }
                    out.push(c);
                }
            }
        }
    }
    (!out.to_ascii_lowercase().starts_with("not")).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn field(name: &'static str, values: &[&str]) -> Kuery {
        Kuery::Field(name, Values::any(values.iter().map(ToString::to_string)))
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
        assert_eq!(query.print(), "a:(* and not (1 or 2)) and\nb:(x or y) and\nnot c:1");
        let both = Kuery::And(vec![not(field("a", &["1"])), not(field("a", &["2"]))]);
        assert_eq!(both.print(), "not a:(1 or 2)");
    }

    #[test]
    fn values_are_quoted_and_escaped() {
        assert_eq!(quote(r#"C:\temp "x""#).unwrap(), r#""C:\\temp \"x\"""#);
        assert_eq!(quote("\u{0}"), None);
        assert_eq!(wildcard(&Pattern::read(r"C:\a(*")).unwrap(), r"C\:\\a\(*");
        assert_eq!(wildcard(&Pattern::read("mode CON*")), None);
        assert_eq!(wildcard(&Pattern::read("notepad*")), None);
    }
}
