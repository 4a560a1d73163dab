//! Completion.
//!
//! In: a document and an offset. Out: the keys, modifiers, fields, events, techniques and names that may
//! stand there, each with the text that the schema has about it. What the editor has typed already is
//! not filtered out here: editors do that.

use lsp_types::{
    CompletionItem, CompletionItemKind, CompletionTextEdit, Documentation, MarkupContent,
    MarkupKind, Range, TextEdit,
};

use super::outline::{self, Line};
use super::resolve::{self, Allowed, Here};
use super::text::Document;
use crate::backend::Target;
use crate::backend::settings::settings_of;
use crate::definition::Modifier;
use crate::definition::vocabulary::{Reading, WORDS, Word};
use crate::schema::{describe, words};
use crate::taxonomy::{ACTIONS, EventKind, Field, attack};
use crate::yaml::Shape;

/// An offered word: the word, what it is, and the text about it
type Offer = (String, CompletionItemKind, String);

/// The words that may stand at an offset
pub(super) fn items(document: &Document, offset: usize) -> Vec<CompletionItem> {
    let context = outline::context(document, offset);
    let lines = outline::outline(document, context.lines.clone());
    let Some(here) = resolve::here(&context, &lines) else { return Vec::new() };
    let written = context.before.rsplit(['[', ',', ' ', '{', '\'', '"']).next().unwrap_or("");
    let (offers, written) = match (&here.allowed, context.key.is_none()) {
        (Allowed::Keys(_) | Allowed::Tests, true) if context.before.contains('|') => {
            (modifiers(), written.rsplit('|').next().unwrap_or(""))
        }
        (Allowed::Keys(places), true) => {
            let taken = |name: &str| is_taken(&lines, &context.path, name);
            (keys(&here, places, &taken), written)
        }
        (Allowed::Tests, true) => (tests(here.event.as_ref()), written),
        (Allowed::Settings(above), _) => (settings(above), written),
        (Allowed::Value(shape, _), _) => (values(shape, &lines), written),
        (Allowed::TestValue(key), _) => (test_values(key, &lines), written),
        (Allowed::Keys(_) | Allowed::Tests | Allowed::Nothing, _) => {
            return Vec::new();
        }
    };
    let range = Range::new(document.position(offset - written.len()), document.position(offset));
    offers.into_iter().map(|offer| item(offer, range)).collect()
}

fn item((label, kind, text): Offer, range: Range) -> CompletionItem {
    let value = text;
    let markup = MarkupContent { kind: MarkupKind::Markdown, value };
    CompletionItem {
        text_edit: Some(CompletionTextEdit::Edit(TextEdit { range, new_text: label.clone() })),
        label,
        kind: Some(kind),
        documentation: (!markup.value.is_empty()).then_some(Documentation::MarkupContent(markup)),
        ..CompletionItem::default()
    }
}

/// Whether a map has a key already
fn is_taken(lines: &[Line], path: &[String], name: &str) -> bool {
    // Several items of a list have the same path, so only the top of a document can tell.
    path.is_empty() && lines.iter().any(|line| line.path.is_empty() && line.key == name)
}

fn keys(here: &Here, places: &[&'static str], taken: &dyn Fn(&str) -> bool) -> Vec<Offer> {
    let rows = places.iter().flat_map(|place| here.kind.keys().of(place));
    let mut offers = Vec::new();
    for row in rows {
        match (row.name, &row.shape) {
            ("*", Shape::Values) => offers.extend(tests(here.event.as_ref())),
            ("*", _) => {}
            (name, _) if taken(name) => {}
            (name, _) => {
                offers.push((name.to_owned(), CompletionItemKind::PROPERTY, describe::key(row)));
            }
        }
    }
    offers
}

/// The words and fields of a kind of event
fn tests(event: Option<&EventKind>) -> Vec<Offer> {
    let Some(kind) = event else { return Vec::new() };
    let vocabulary = !matches!(kind, EventKind::Log(_));
    let of_kind = WORDS.iter().filter(|word| vocabulary && word.field(kind).is_some());
    let words = of_kind.map(|word| (word.name, CompletionItemKind::KEYWORD));
    let fields = kind.field_names().into_iter().map(|name| (name, CompletionItemKind::FIELD));
    let offer = |(name, shown): (&str, _)| {
        (name.to_owned(), shown, describe::test(kind, name).unwrap_or_default())
    };
    words.chain(fields).map(offer).collect()
}

fn modifiers() -> Vec<Offer> {
    let offer = |one: &Modifier| {
        (one.name().to_owned(), CompletionItemKind::OPERATOR, describe::modifier(*one))
    };
    Modifier::ALL.iter().map(offer).collect()
}

/// The settings of a target, or the targets
fn settings(above: &[String]) -> Vec<Offer> {
    match above {
        [] => {
            let offer = |target: &Target| {
                (target.name().to_owned(), CompletionItemKind::MODULE, target.describe().to_owned())
            };
            Target::ALL.iter().map(offer).collect()
        }
        [target] => {
            let rows = Target::named(target).into_iter().flat_map(settings_of);
            let offer = |row: crate::backend::settings::SettingRow| {
                (row.name.to_owned(), CompletionItemKind::PROPERTY, describe::setting(row))
            };
            rows.map(offer).collect()
        }
        [target, setting, ..] => {
            let mut rows = Target::named(target).into_iter().flat_map(settings_of);
            let values = rows.find(|row| row.name == setting).map_or("", |row| row.values);
            let words = values.split(" | ").filter(|word| !word.contains([' ', '{', '}']));
            words.filter(|word| !word.is_empty()).map(word).collect()
        }
    }
}

/// A word that says all by itself
fn word(word: &str) -> Offer {
    (word.to_owned(), CompletionItemKind::ENUM_MEMBER, String::new())
}

/// What a value of this shape may be
fn values(shape: &Shape, lines: &[Line]) -> Vec<Offer> {
    match shape {
        Shape::Word("technique") => techniques(""),
        Shape::Word("tag") => techniques("attack."),
        Shape::Word("event") => events(),
        Shape::Word(list) => {
            words::of(list).map_or_else(Vec::new, |list| list.words.into_iter().map(word).collect())
        }
        Shape::Truth => ["true", "false"].into_iter().map(word).collect(),
        Shape::Own("signal") => names(lines, &["signals", "correlations"], ""),
        Shape::Own("condition") => {
            let words = ["and", "or", "not", "1 of", "all of", "them"].into_iter().map(word);
            names(lines, &["detection", "filter"], "").into_iter().chain(words).collect()
        }
        Shape::Values => names(lines, &["lists"], "$"),
        Shape::Some(inner) | Shape::List(inner) => values(inner, lines),
        Shape::Either(one, other) => {
            values(one, lines).into_iter().chain(values(other, lines)).collect()
        }
        Shape::Text
        | Shape::Format(_)
        | Shape::Whole(..)
        | Shape::Any
        | Shape::Own(_)
        | Shape::In(_)
        | Shape::Names(_)
        | Shape::Map(_) => Vec::new(),
    }
}

/// What the values of a test may be: named lists, and actions where the test is about them
fn test_values(key: &str, lines: &[Line]) -> Vec<Offer> {
    let mut offers = names(lines, &["lists"], "$");
    let name = key.split('|').next().unwrap_or("");
    let reading = Word::named(name).map(|word| word.reading);
    if reading == Some(Reading::Action)
        || Field::named(name).is_some_and(|one| one.name() == "Action")
    {
        offers.extend(ACTIONS.iter().copied().map(word));
    }
    if reading == Some(Reading::Remote) {
        offers.extend(["public", "private", "loopback"].map(word));
    }
    offers
}

/// The names that the document gives below these keys
fn names(lines: &[Line], below: &[&str], sign: &str) -> Vec<Offer> {
    let mut names = Vec::new();
    for line in lines {
        let direct = line.path.last().is_some_and(|key| below.contains(&key.as_str()));
        if direct && !line.key.is_empty() && !["condition", "rules"].contains(&&*line.key) {
            names.push((
                format!("{sign}{}", line.key),
                CompletionItemKind::VARIABLE,
                String::new(),
            ));
        }
    }
    names
}

fn events() -> Vec<Offer> {
    let list = words::of("event").map_or_else(Vec::new, |list| list.words);
    let offer = |name: &str| {
        let text = EventKind::named(name).map(|kind| describe::event(&kind)).unwrap_or_default();
        (name.to_owned(), CompletionItemKind::CLASS, text)
    };
    list.into_iter().map(offer).collect()
}

fn techniques(start: &str) -> Vec<Offer> {
    let tagged = |id: &str| match start {
        "" => id.to_owned(),
        start => format!("{start}{}", id.to_ascii_lowercase()),
    };
    let tactics = attack::tactics().iter().map(|one| one.slug);
    let all = attack::techniques().map(|one| one.id).chain(tactics);
    let offer = |id: &str| {
        (tagged(id), CompletionItemKind::REFERENCE, describe::attack(id).unwrap_or_default())
    };
    all.map(offer).collect()
}
