//! Values of the vocabulary that no event has.
//!
//! In: an entry of a definition's signal. Out: a warning at each value that cannot fit what the
//! word compares: a program without its extension on Windows, a file where directories are
//! compared, a question mark that a request's path or query never holds, a single word where whole
//! command lines are compared; and a signal over files that reports deletions although nobody asked
//! for them.

use std::sync::Arc;

use crate::definition::vocabulary::{Reading, Word};
use crate::definition::{Entry, Modifier, Scalar, Selection, Signal, Value};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::pattern::Token;
use crate::source::SourceText;
use crate::taxonomy::{EventKind, FieldType, Product};

/// Names of Windows programs that have no extension: those of processes without a file
const WITHOUT: &[&str] = &["system", "registry", "memcompression", "secure system", "idle"];
/// Extensions by which a last segment is a file and no directory
const FILES: &[&str] = &[
    "asa", "asax", "ashx", "asmx", "asp", "aspx", "bat", "cer", "cfm", "cgi", "cmd", "config",
    "css", "dll", "exe", "htm", "html", "js", "jsp", "jspx", "log", "php", "phtml", "pl", "ps1",
    "py", "sh", "txt", "vbs", "war", "xml",
];

/// Warns about a signal over files that does not say which actions it is about
pub(super) fn actions(source: &Arc<SourceText>, signal: &Signal, diagnostics: &mut Diagnostics) {
    let of_files = signal.event.as_ref().filter(|event| event.value == EventKind::FileEvent);
    let Some(event) = of_files.filter(|_| signal.detection.is_none()) else { return };
    let says = |entry: &Entry| {
        let word = Word::named(&entry.key.name.value).and_then(|word| word.field(&event.value));
        let field = word.or_else(|| crate::taxonomy::Field::named(&entry.key.name.value));
        field.is_some_and(|field| field.kind() == FieldType::Action)
    };
    let mut all = signal.selection.entries.iter();
    let excludes = signal.exclusions.iter().flat_map(|one| &one.selection.entries);
    if signal.action.is_none() && !all.any(says) && !excludes.into_iter().any(says) {
        let message = "this signal reports files that are deleted, too";
        let diagnostic =
            Diagnostic::new(Code::W0234, source, event.span, message, "every action counts");
        diagnostics.push(diagnostic.help(
            "Say which actions are meant: `actions: [created, modified, renamed]`, or all four.",
        ));
    }
}

/// Warns about the values of an entry that no event has
pub(super) fn values(
    source: &Arc<SourceText>,
    (signal, entry): (&Signal, &Entry),
    diagnostics: &mut Diagnostics,
) {
    let Some(word) = Word::named(&entry.key.name.value) else { return };
    if !entry.key.modifiers.is_empty() {
        return;
    }
    // An alert may be about the programs of another host.
    let of_alert =
        |event: &crate::source::Spanned<EventKind>| event.value == EventKind::SecurityAlert;
    let product = signal.product.as_ref().filter(|_| !signal.event.as_ref().is_some_and(of_alert));
    let windows = product.is_some_and(|product| product.value == Product::Windows);
    for value in &entry.values.items {
        let Scalar::Text(pattern) = &value.scalar else { continue };
        let diagnostic = match (word.reading, pattern.as_literal()) {
            (Reading::Program, Some(name)) if windows && lacks_extension(name) => {
                let message = format!("`{name}` is no name of a Windows program");
                let diagnostic = said(source, value, Code::W0231, message, "has no extension");
                Some(diagnostic.help(format!("Windows programs have one: write `{name}.exe`.")))
            }
            (Reading::Directories, Some(path)) if is_file(path) => {
                let message = format!("`{path}` names a file, and directories are compared");
                let diagnostic = said(source, value, Code::W0232, message, "a file");
                Some(
                    diagnostic
                        .help("Name the folder here, and the file with the field of its path."),
                )
            }
            _ if holds_question_mark(&entry.key.name.value, pattern.tokens()) => {
                let message = "the field holds no `?`: path and query are parted there";
                let diagnostic =
                    said(source, value, Code::W0233, message.to_owned(), "never there");
                Some(diagnostic.help("Write what stands before it under `url_paths`, what follows under `query_strings`."))
            }
            _ => None,
        };
        diagnostic.into_iter().for_each(|diagnostic| diagnostics.push(diagnostic));
    }
}

/// Warns about a word that would have to be a whole command line
///
/// Only tests that an event must pass: a narrow exclusion is right as it is, and selections under
/// `detection` may stand under `not`. On Linux and macOS a program may well be called by its bare
/// name, and without an argument.
pub(super) fn command_lines(
    source: &Arc<SourceText>,
    signal: &Signal,
    diagnostics: &mut Diagnostics,
) {
    let Some(event) = &signal.event else { return };
    let product = signal.product.as_ref().map(|product| product.value);
    if product.is_some_and(|product| product != Product::Windows) {
        return;
    }
    let cases = signal.levels.iter().map(|case| &case.selection);
    let selections: Vec<&Selection> = std::iter::once(&signal.selection).chain(cases).collect();
    for entry in selections.into_iter().flat_map(|selection| &selection.entries) {
        let name = entry.key.name.value.as_str();
        let word = Word::named(name).filter(|word| word.reading == Reading::Whole);
        let field = word.and_then(|word| word.field(&event.value));
        let of_line = field.is_some_and(|field| field.kind() == FieldType::Command);
        let whole = entry.key.modifiers.iter().all(|one| one.value == Modifier::Cased);
        if !(of_line && whole) || entry.values.negated {
            continue;
        }
        for value in &entry.values.items {
            let Scalar::Text(pattern) = &value.scalar else { continue };
            let Some(word) = pattern.as_literal().filter(|word| is_word(word)) else { continue };
            if !says_more(signal, word) {
                diagnostics.push(one_word(source, (name, value), word, &event.value));
            }
        }
    }
}

fn one_word(
    source: &Arc<SourceText>,
    (name, value): (&str, &Value),
    word: &str,
    event: &EventKind,
) -> Diagnostic {
    let message = format!("`{word}` is compared with the whole command line");
    let diagnostic =
        said(source, value, Code::W0238, message, "only without an argument and a path");
    let programs = match name {
        "parent_command_lines" => "parents",
        _ if *event == EventKind::SecurityAlert => "processes",
        _ => "children",
    };
    let program = if word.contains('.') { word.to_owned() } else { format!("{word}.exe") };
    diagnostic.help(format!(
        "For the word anywhere in the line write `'*{word}*'`, for the program `{programs}: [{program}]`."
    ))
}

/// Whether a text is a single word, as a person types the name of a program
fn is_word(text: &str) -> bool {
    let plain = |c: char| c.is_alphanumeric() || "._-".contains(c);
    text.chars().any(char::is_alphabetic) && text.chars().all(plain)
}

/// Whether another value of the signal has the word and more: then the bare word is meant
fn says_more(signal: &Signal, word: &str) -> bool {
    let word = word.to_ascii_lowercase();
    let entries = super::entries(signal);
    let mut values = entries.flat_map(|entry| &entry.values.items);
    values.any(|value| {
        let written = value.written.to_ascii_lowercase();
        written.len() > word.len() && written.contains(&word)
    })
}

fn said(
    source: &Arc<SourceText>,
    value: &Value,
    code: Code,
    message: String,
    label: &str,
) -> Diagnostic {
    Diagnostic::new(code, source, value.span, message, label)
}

fn lacks_extension(name: &str) -> bool {
    let bare = !name.is_empty() && !name.contains(['.', '/', '\\']);
    bare && !WITHOUT.contains(&name.to_ascii_lowercase().as_str())
}

fn is_file(path: &str) -> bool {
    let last = path.rsplit(['/', '\\']).next().unwrap_or_default();
    let extension = last.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    extension.is_some_and(|extension| FILES.contains(&extension.as_str()))
}

/// Whether a value for a request's path or query holds the mark that parts the two: a `?` before
/// `name=` in a path, or first in a query
fn holds_question_mark(word: &str, tokens: &[Token]) -> bool {
    let is_name = |text: &str| {
        let name = text.split('=').next().unwrap_or_default();
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-[]".contains(c);
        text.contains('=') && !name.is_empty() && name.chars().all(plain)
    };
    let parts =
        |pair: &[Token]| matches!(pair, [Token::One, Token::Literal(text)] if is_name(text));
    match word {
        "url_paths" => tokens.windows(2).any(parts),
        "query_strings" => {
            matches!(tokens, [Token::One, Token::Literal(text), ..] if is_name(text))
        }
        _ => false,
    }
}
