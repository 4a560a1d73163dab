//! The key of a test: `CommandLine|contains|all`, `parents`, `ports`.
//!
//! In: the key's text. Out: a name and its modifiers, each with its place. Whether the name is
//! a field of the event is asked later, when the event is known.

use pest::Parser;
use pest_derive::Parser;

use super::shape::{Reader, nearest};
use super::yaml::Node;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Span, Spanned};

#[derive(Parser)]
#[grammar = "../grammar/key.pest"]
struct Grammar;

/// A parsed key
#[derive(Debug, Clone)]
pub struct Key {
    /// The whole key
    pub span: Span,
    /// Field or vocabulary word
    pub name: Spanned<String>,
    /// What changes the comparison, in order
    pub modifiers: Vec<Spanned<Modifier>>,
}

impl Key {
    /// The place of a modifier, when the key has it
    pub fn modifier(&self, wanted: Modifier) -> Option<Span> {
        self.modifiers.iter().find(|m| m.value == wanted).map(|m| m.span)
    }
}

macro_rules! modifiers {
    ($($variant:ident $name:literal $says:literal),* $(,)?) => {
        /// What can follow a `|` in a key
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

            /// What it does, for `list` and for people
            pub fn says(self) -> &'static str {
                match self { $(Modifier::$variant => $says),* }
            }
        }
    };
}

modifiers! {
    All "all" "every value must hold, not one of them",
    Cased "cased" "letters compare with their case",
    Cidr "cidr" "the value is a network, the field an address in it",
    Contains "contains" "the value occurs anywhere in the field",
    EndsWith "endswith" "the field ends with the value",
    Exists "exists" "the field is there (true) or is not (false)",
    FieldRef "fieldref" "the value names another field, which is equal",
    Gt "gt" "the field is greater than the number",
    Gte "gte" "the field is the number or greater",
    Lt "lt" "the field is less than the number",
    Lte "lte" "the field is the number or less",
    Neq "neq" "the field is none of the values",
    Re "re" "the value is a regular expression, found anywhere in the field",
    ReDotAll "s" "after re: the dot also takes line breaks",
    ReIgnoreCase "i" "after re: letters compare without their case",
    ReMultiLine "m" "after re: ^ and $ also stand at line breaks",
    StartsWith "startswith" "the field starts with the value",
}

/// Modifiers of the Sigma specification 2.1 that rulecast does not read yet
const NOT_YET: &[&str] = &[
    "base64",
    "base64offset",
    "day",
    "expand",
    "hour",
    "minute",
    "month",
    "utf16",
    "utf16be",
    "utf16le",
    "week",
    "wide",
    "windash",
    "year",
];

/// Reads a key; modifiers that are wrong are reported and left out
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Key> {
    let text = reader.key(node)?;
    let pairs = match Grammar::parse(Rule::key, text) {
        Ok(pairs) => pairs,
        Err(error) => {
            let at = match error.location {
                pest::error::InputLocation::Pos(at) => at,
                pest::error::InputLocation::Span((at, _)) => at,
            };
            let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
            let span = node.part(reader.source, at..end);
            let wanted = if at == 0 { "a field name" } else { "`|` and a modifier, or the end" };
            let message = format!("key `{text}` cannot be read");
            reader.error(Code::E0203, span, message, &format!("expected {wanted}"));
            return None;
        }
    };
    let mut name = None;
    let mut modifiers = Vec::new();
    for pair in pairs.flatten() {
        let part = pair.as_span();
        let span = node.part(reader.source, part.start()..part.end());
        match pair.as_rule() {
            Rule::name => name = Some(Spanned::new(part.as_str().to_owned(), span)),
            Rule::modifier => modifiers.extend(modifier(reader, part.as_str(), span)),
            Rule::key | Rule::EOI => {}
        }
    }
    Some(Key { span: node.span, name: name?, modifiers })
}

fn modifier(reader: &mut Reader<'_>, name: &str, span: Span) -> Option<Spanned<Modifier>> {
    if let Some(known) = Modifier::ALL.iter().find(|m| m.name() == name) {
        return Some(Spanned::new(*known, span));
    }
    if NOT_YET.contains(&name) {
        let message = format!("modifier `{name}` is not supported yet");
        let label = "Sigma has it, rulecast refuses it for now";
        reader.error(Code::E0204, span, message, label);
        return None;
    }
    let message = format!("unknown modifier `{name}`");
    let found = Diagnostic::new(Code::E0202, reader.source, span, message, "not a Sigma modifier");
    reader.report(match nearest(name, Modifier::ALL.iter().map(|m| m.name())) {
        Some(near) => found.replace(span, near),
        None => found.help("`rulecast list modifiers` shows them all."),
    });
    None
}
