//! Kusto expressions and how they are laid out.
//!
//! In: a [`Kusto`] tree. Out: the text after `| where`, with brackets only where precedence needs
//! them, short lists on the line and long ones a value a line. [`quote`] is the one place that
//! writes a string literal.

use crate::backend::quoted;

/// The width lines keep to where values allow it
const WIDTH: usize = 100;

/// A boolean expression
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kusto {
    And(Vec<Kusto>),
    Or(Vec<Kusto>),
    Not(Box<Kusto>),
    /// A predicate as text
    Is(String),
    /// An operator over a list: `FileName in~ (…)`
    List {
        left: String,
        operator: &'static str,
        values: Vec<String>,
    },
}

impl Kusto {
    /// All of the parts, flat and without a group of one
    pub(super) fn all(parts: Vec<Kusto>) -> Kusto {
        let flat = parts.into_iter().flat_map(|part| match part {
            Kusto::And(inner) => inner,
            part @ (Kusto::Or(_) | Kusto::Not(_) | Kusto::Is(_) | Kusto::List { .. }) => vec![part],
        });
        let mut parts: Vec<Kusto> = flat.collect();
        match (parts.pop(), parts.is_empty()) {
            (None, _) => Kusto::Is("true".to_owned()),
            (Some(only), true) => only,
            (Some(last), false) => {
                parts.push(last);
                Kusto::And(parts)
            }
        }
    }

    /// One of the parts, flat and without a group of one
    pub(super) fn any(parts: Vec<Kusto>) -> Kusto {
        let flat = parts.into_iter().flat_map(|part| match part {
            Kusto::Or(inner) => inner,
            part @ (Kusto::And(_) | Kusto::Not(_) | Kusto::Is(_) | Kusto::List { .. }) => {
                vec![part]
            }
        });
        let mut parts: Vec<Kusto> = flat.collect();
        match (parts.pop(), parts.is_empty()) {
            (None, _) => Kusto::Is("false".to_owned()),
            (Some(only), true) => only,
            (Some(last), false) => {
                parts.push(last);
                Kusto::Or(parts)
            }
        }
    }

    /// The expression on one line
    pub(super) fn inline(&self) -> String {
        let group = |parts: &[Kusto], word: &str| {
            let parts: Vec<_> = parts.iter().map(|part| part.bracketed(self)).collect();
            parts.join(word)
        };
        match self {
            Kusto::And(parts) => group(parts, " and "),
            Kusto::Or(parts) => group(parts, " or "),
            Kusto::Not(part) => format!("not({})", part.inline()),
            Kusto::Is(text) => text.clone(),
            Kusto::List { left, operator, values } => {
                format!("{left} {operator} ({})", values.join(", "))
            }
        }
    }

    fn bracketed(&self, parent: &Kusto) -> String {
        if self.needs_brackets(parent) { format!("({})", self.inline()) } else { self.inline() }
    }

    /// `and` and `or` side by side get brackets even where precedence would do: people read it.
    fn needs_brackets(&self, parent: &Kusto) -> bool {
        matches!((self, parent), (Kusto::Or(_), Kusto::And(_)) | (Kusto::And(_), Kusto::Or(_)))
    }

    /// The expression as lines, the first of which follows `head`
    ///
    /// `indent` is that of the line `head` stands on; what continues it is four deeper, or just
    /// below where the head is nothing but blanks.
    pub(super) fn lines(&self, head: &str, indent: usize) -> String {
        let inline = self.inline();
        if head.len() + inline.len() <= WIDTH {
            return format!("{head}{inline}");
        }
        let blank = head.trim().is_empty() && !head.is_empty();
        let indent = if blank { head.len() } else { indent };
        let (outer, inner) = (" ".repeat(indent), " ".repeat(indent + 4));
        let below = if blank { indent } else { indent + 4 };
        match self {
            Kusto::And(parts) => self.joined(parts, head, "and", (indent, below)),
            Kusto::Or(parts) => self.joined(parts, head, "or", (indent, below)),
            Kusto::Not(part) => {
                let body = part.lines(&inner, indent + 4);
                format!("{head}not(\n{body}\n{outer})")
            }
            Kusto::Is(_) => format!("{head}{inline}"),
            Kusto::List { left, operator, values } => {
                let values = values.join(&format!(",\n{inner}"));
                format!("{head}{left} {operator} (\n{inner}{values}\n{outer})")
            }
        }
    }

    fn joined(
        &self,
        parts: &[Kusto],
        head: &str,
        word: &str,
        (indent, below): (usize, usize),
    ) -> String {
        let inner = " ".repeat(below);
        let mut out = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let (head, indent) = match at {
                0 => (head.to_owned(), indent),
                _ => (format!("{inner}{word} "), below),
            };
            let inline = part.bracketed(self);
            out.push(match part.needs_brackets(self) {
                true if head.len() + inline.len() > WIDTH => {
                    let body = part.lines(&" ".repeat(indent + 4), indent + 4);
                    format!("{head}(\n{body}\n{})", " ".repeat(indent))
                }
                true => format!("{head}{inline}"),
                false => part.lines(&head, indent),
            });
        }
        out.join("\n")
    }
}

/// A Kusto string literal for exactly this text
///
/// Verbatim (`@"…"`) when there is a backslash and nothing that needs an escape; any other
/// unknown escape is a syntax error in Kusto, so control characters are written as `\uXXXX`.
///
/// The hunting page of Sentinel fills [`TIMES`] wherever they stand, so their first brace is one.
pub(super) fn quote(text: &str) -> String {
    let filled = TIMES.iter().any(|time| text.contains(time));
    let escaped = filled || text.chars().any(crate::source::is_unprintable);
    if text.contains('\\') && !escaped {
        return format!("@\"{}\"", text.replace('"', "\"\""));
    }
    let literal = quoted(text, |c| match c {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        c if u32::from(c) > 0xffff => format!("\\U{:08x}", u32::from(c)),
        c => format!("\\u{:04x}", u32::from(c)),
    });
    TIMES.iter().fold(literal, |text, time| text.replace(time, &time.replacen('{', "\\u007b", 1)))
}

/// Placeholders in a hunting query (Microsoft, Azure Sentinel repository)
const TIMES: [&str; 2] = ["{{StartTimeISO}}", "{{EndTimeISO}}"];

/// A `dynamic([...])` list; its values are JSON strings
pub(super) fn dynamic(values: &[&str], head: &str) -> String {
    let json: Vec<String> = values.iter().map(|value| quoted(value, code_units)).collect();
    let inline = format!("dynamic([{}])", json.join(", "));
    if head.len() + inline.len() < WIDTH {
        return inline;
    }
    format!("dynamic([\n    {}\n])", json.join(",\n    "))
}

/// A character as JSON escapes it: one UTF-16 unit, or two
fn code_units(c: char) -> String {
    c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_hold_quotes_backslashes_and_controls() {
        assert_eq!(quote("cmd.exe"), r#""cmd.exe""#);
        assert_eq!(quote(r#"cmd /c "mode CON""#), r#""cmd /c \"mode CON\"""#);
        assert_eq!(quote(r"\inetpub\"), r#"@"\inetpub\""#);
        assert_eq!(quote(r#"C:\a "b""#), r#"@"C:\a ""b""""#);
        assert_eq!(quote("a\\\n"), r#""a\\\n""#);
        assert_eq!(quote("\u{202e}"), r#""\u202e""#);
        assert_eq!(quote("\\{{StartTimeISO}}"), r#""\\\u007b{StartTimeISO}}""#);
        assert_eq!(quote("\u{1fffe}"), r#""\U0001fffe""#);
        assert_eq!(dynamic(&["\u{1fffe}"], ""), r#"dynamic(["\ud83f\udffe"])"#);
    }

    #[test]
    fn or_inside_and_is_bracketed() {
        let is = |text: &str| Kusto::Is(text.to_owned());
        let either = Kusto::any(vec![is("a"), is("b")]);
        assert_eq!(Kusto::all(vec![either, is("c")]).inline(), "(a or b) and c");
    }
}
