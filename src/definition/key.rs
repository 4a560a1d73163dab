//! The key of a test: `CommandLine|contains|all`, `parents`, `ports`.
//!
//! In: the key's text. Out: a name and its modifiers, each with its place. Lowering checks later
//! whether the event has a field of this name.

use std::ops::Range;

use pest::Parser;
use pest_derive::Parser;

use super::remembered::Remembered;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Span, Spanned};
use crate::yaml::Node;
use crate::yaml::{Reader, nearest};

#[derive(Parser)]
#[grammar = "../grammar/key.pest"]
struct Grammar;

/// A parsed key
#[derive(Debug, Clone)]
pub struct Key {
    /// The whole key
    pub span: Span,
    /// Field or vocabulary word; empty for keywords, which are looked for in the whole event
    pub name: Spanned<String>,
    /// The modifiers of the comparison, in the order written
    pub modifiers: Vec<Spanned<Modifier>>,
}

impl Key {
    /// The empty key of keywords, at the place of the keywords
    pub(super) fn keywords(span: Span) -> Key {
        Key { span, name: Spanned::new(String::new(), span), modifiers: Vec::new() }
    }

    /// Whether the values are keywords, which are looked for in the whole event
    pub fn is_keywords(&self) -> bool {
        self.name.value.is_empty()
    }

    /// The place of a modifier, when the key has it
    pub fn modifier(&self, wanted: Modifier) -> Option<Span> {
        self.modifiers.iter().find(|m| m.value == wanted).map(|m| m.span)
    }
}

macro_rules! modifiers {
    ($($variant:ident $name:literal $says:literal),* $(,)?) => {
        /// A word after `|` in a key
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Modifier {
            $(#[doc = $says] $variant),*
        }

        impl Modifier {
            /// Every modifier
            pub const ALL: &[Modifier] = &[$(Modifier::$variant),*];

            /// Its name in a key
            pub fn name(self) -> &'static str {
                match self { $(Modifier::$variant => $name),* }
            }

            /// Its effect in a few words, as `rulecast list` shows it
            pub fn says(self) -> &'static str {
                match self { $(Modifier::$variant => $says),* }
            }
        }
    };
}

modifiers! {
    All "all" "every value must hold, not one of them",
    Base64 "base64" "the value is written in base64",
    Base64Offset "base64offset" "the value is somewhere inside text that is written in base64",
    Cased "cased" "letters compare with their case",
    Cidr "cidr" "the value is a network, the field an address in it",
    Contains "contains" "the value occurs anywhere in the field",
    Day "day" "the day of the month, 1 to 31, of the date in the field",
    EndsWith "endswith" "the field ends with the value",
    Exists "exists" "the field is there (true) or is not (false)",
    Expand "expand" "`%name%` in the value stands for the values of that placeholder",
    FieldRef "fieldref" "the value names another field, which is compared in place of it",
    Gt "gt" "the field is greater than the number",
    Gte "gte" "the field is the number or greater",
    Hour "hour" "the hour, 0 to 23, of the time in the field",
    Lt "lt" "the field is less than the number",
    Lte "lte" "the field is the number or less",
    Minute "minute" "the minute, 0 to 59, of the time in the field",
    Month "month" "the month, 1 to 12, of the date in the field",
    Neq "neq" "the field is none of the values",
    Re "re" "the value is a regular expression, found anywhere in the field",
    ReDotAll "s" "after re: the dot also takes line breaks",
    ReIgnoreCase "i" "after re: letters compare without their case",
    ReMultiLine "m" "after re: ^ and $ also stand at line breaks",
    StartsWith "startswith" "the field starts with the value",
    Utf16 "utf16" "the value in UTF-16 with a byte order mark, for base64 after it",
    Utf16Be "utf16be" "the value in UTF-16, big endian",
    Utf16Le "utf16le" "the value in UTF-16, little endian",
    Week "week" "the week of the year, 1 to 53 as in ISO 8601, of the date in the field",
    Wide "wide" "the same as utf16le",
    WinDash "windash" "a dash before an option may be any of - / – — ―",
    Year "year" "the year of the date in the field",
}

/// The ranges of a key's parts within its text
#[derive(Debug, Clone, Default)]
struct Parts {
    name: Range<usize>,
    modifiers: Vec<Range<usize>>,
}

thread_local! {
    /// Cache of parsed keys
    static KNOWN: Remembered<Parts> = Remembered::default();
}

/// Reads a key; modifiers that are wrong are reported and left out
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Key> {
    let text = reader.key(node)?;
    let parts = KNOWN.with(|known| known.get_or(text, || parse(reader, node, text)))?;
    let places = node.parts(reader.source);
    let name = places.of(parts.name.clone());
    let name = Spanned::new(text[parts.name].to_owned(), name);
    let modifiers = parts.modifiers.into_iter().filter_map(|range| {
        let span = places.of(range.clone());
        modifier(reader, &text[range], span)
    });
    let modifiers = modifiers.collect();
    Some(Key { span: node.span, name, modifiers })
}

fn parse(reader: &mut Reader<'_>, node: &Node, text: &str) -> Option<Parts> {
    let pairs = match Grammar::parse(Rule::key, text) {
        Ok(pairs) => pairs,
        Err(error) => {
            let at = match error.location {
                pest::error::InputLocation::Pos(at) => at,
                pest::error::InputLocation::Span((at, _)) => at,
            };
            let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
            let span = node.part(reader.source, at..end);
            let wanted = if at == 0 {
                "a field, or `|` and a modifier"
            } else {
                "`|` and a modifier, or the end"
            };
            let message = format!("key `{text}` cannot be read");
            reader.error(Code::E0203, span, message, &format!("expected {wanted}"));
            return None;
        }
    };
    let mut parts = Parts::default();
    for pair in pairs.flatten() {
        let range = pair.as_span().start()..pair.as_span().end();
        match pair.as_rule() {
            Rule::name => parts.name = range,
            Rule::modifier => parts.modifiers.push(range),
            Rule::key | Rule::name_char | Rule::EOI => {}
        }
    }
    Some(parts)
}

fn modifier(reader: &mut Reader<'_>, name: &str, span: Span) -> Option<Spanned<Modifier>> {
    if let Some(known) = Modifier::ALL.iter().find(|m| m.name() == name) {
        return Some(Spanned::new(*known, span));
    }
    let message = format!("unknown modifier `{name}`");
    let diagnostic =
        Diagnostic::new(Code::E0202, reader.source, span, message, "not a Sigma modifier");
    reader.report(match nearest(name, Modifier::ALL.iter().map(|m| m.name())) {
        Some(near) => diagnostic.replace(span, near),
        None => diagnostic.help("`rulecast list modifiers` shows them all."),
    });
    None
}
