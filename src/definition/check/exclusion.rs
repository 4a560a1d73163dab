//! Exclusions that an attacker can walk through.
//!
//! In: the exclusions of a definition's signal. Out: a warning at each one that looks at nothing but
//! text that the attacker writes: his command line, the query and headers of his request, the names
//! of his files. A whole command line holds such an exclusion, since nothing can be put behind it;
//! and so does a path from its beginning, since a file cannot lie in another place. Whoever knows
//! why it may stay says so in a comment.

use std::sync::Arc;

use crate::definition::vocabulary::{Reading, Word};
use crate::definition::{Definition, Entry, List, Modifier, Scalar, Signal, Value};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::pattern::Token;
use crate::source::SourceText;
use crate::taxonomy::{EventKind, Field};

/// What an attacker chooses of a field
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chosen {
    /// Any value, with the same effect
    Freely,
    /// Any line, but the whole line says what it does
    Line,
    /// Any name, but not in every place
    Place,
}

impl Chosen {
    fn of(field: &Field) -> Option<Chosen> {
        Some(match field.name() {
            "CommandLine" => Chosen::Line,
            "TargetFilename" | "cs-uri-stem" | "cs-uri" | "c-uri" | "c-uri-stem" => Chosen::Place,
            "cs-user-agent" | "c-useragent" | "cs-referer" | "cs-referrer" | "cs-cookie"
            | "cs-uri-query" | "c-uri-query" => Chosen::Freely,
            _ => return None,
        })
    }
}

/// Warns about each exclusion that holds only tests of what an attacker writes
pub(super) fn check(definition: &Definition, signal: &Signal, diagnostics: &mut Diagnostics) {
    let Some(event) = &signal.event else { return };
    for exclusion in &signal.exclusions {
        let entries = &exclusion.selection.entries;
        let open = |entry: &Entry| leaves_room(entry, &event.value, &definition.lists);
        if let Some(first) = entries.first().filter(|_| entries.iter().all(open)) {
            diagnostics.push(warning(&definition.source, first, &event.value));
        }
    }
}

fn warning(source: &Arc<SourceText>, first: &Entry, event: &EventKind) -> Diagnostic {
    let message = "this exclusion looks only at what an attacker writes";
    let diagnostic =
        Diagnostic::new(Code::W0239, source, first.key.span, message, "written as he likes");
    let of_line = field(first, event).and_then(|field| Chosen::of(&field)) == Some(Chosen::Line);
    diagnostic.help(match event {
        _ if of_line => {
            "Compare the whole command line, without wildcards, or add what he does not choose, \
             such as `parents` or `users`."
        }
        EventKind::FileEvent => {
            "Say which program writes the file (`processes`), or begin the path with its drive or \
             its root."
        }
        EventKind::ProcessCreation
        | EventKind::NetworkConnection
        | EventKind::RegistryEvent
        | EventKind::Webserver
        | EventKind::SecurityAlert
        | EventKind::Log(_) => {
            "Add what the client does not choose, such as its address, or the path from its first \
             slash."
        }
    })
}

fn field(entry: &Entry, event: &EventKind) -> Option<Field> {
    let name = entry.key.name.value.as_str();
    match Word::named(name) {
        Some(word) => word.field(event),
        None => Some(Field::of_log(name)),
    }
}

/// Whether an attacker can pass a test with whatever he does
fn leaves_room(entry: &Entry, event: &EventKind, lists: &[List]) -> bool {
    let Some(chosen) = field(entry, event).and_then(|field| Chosen::of(&field)) else {
        return false;
    };
    let has = |modifier| entry.key.modifier(modifier).is_some();
    if chosen == Chosen::Freely || entry.values.negated || has(Modifier::Neq) {
        return true;
    }
    // Whether a field is there is not his choice.
    if has(Modifier::Exists) {
        return false;
    }
    let listed = |name: &str| lists.iter().find(|list| list.name.value == name);
    let mut values: Vec<&Value> = Vec::new();
    for value in &entry.values.items {
        match &value.scalar {
            Scalar::List(name) => values.extend(listed(name).iter().flat_map(|list| &list.values)),
            Scalar::Text(_) | Scalar::Number(_) | Scalar::Bool(_) | Scalar::Null => {
                values.push(value);
            }
        }
    }
    let mut open = values.into_iter().map(|value| is_open(entry, chosen, value));
    if has(Modifier::All) { open.all(|open| open) } else { open.any(|open| open) }
}

/// Whether a value fits text in which an attacker may put anything
fn is_open(entry: &Entry, chosen: Chosen, value: &Value) -> bool {
    let Scalar::Text(pattern) = &value.scalar else { return false };
    let has = |modifier| entry.key.modifier(modifier).is_some();
    let of_place = chosen == Chosen::Place;
    if has(Modifier::Re) {
        let (begins, ends) = (value.written.starts_with('^'), value.written.ends_with('$'));
        return !begins || !(of_place || ends);
    }
    if has(Modifier::Contains) || has(Modifier::EndsWith) {
        return true;
    }
    if has(Modifier::StartsWith) {
        return !(of_place && is_rooted(pattern.tokens()));
    }
    let reading = Word::named(&entry.key.name.value).map_or(Reading::Whole, |word| word.reading);
    match reading {
        Reading::Argument | Reading::Extension => true,
        // They may lie below any other directory, unless a drive stands first.
        Reading::Directories => !value.written.contains(':'),
        Reading::Program
        | Reading::Whole
        | Reading::Account
        | Reading::Action
        | Reading::Key
        | Reading::Remote
        | Reading::Numbers => {
            if of_place {
                !is_rooted(pattern.tokens())
            } else {
                pattern.tokens().contains(&Token::Any)
            }
        }
    }
}

/// Whether a path begins with a drive, a share or a root, and goes on
fn is_rooted(tokens: &[Token]) -> bool {
    match tokens {
        [Token::Literal(text), ..] => {
            let drive = text.get(1..2) == Some(":");
            drive || text.len() > 1 && text.starts_with(['/', '\\'])
        }
        [Token::One, Token::Literal(text), ..] => text.starts_with(':'),
        _ => false,
    }
}
