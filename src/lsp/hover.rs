//! Hover texts.
//!
//! In: a document and an offset. Out: the text that the schema has about the word there, with its
//! place.

use lsp_types::{Hover, HoverContents, MarkupContent, MarkupKind};

use super::outline;
use super::resolve::{self, Allowed};
use super::text::Document;
use crate::backend::Target;
use crate::backend::settings::settings_of;
use crate::definition::Modifier;
use crate::schema::describe;
use crate::source::Span;
use crate::taxonomy::EventKind;
use crate::yaml::Shape;

/// The text about the word at an offset
pub(super) fn hover(document: &Document, offset: usize) -> Option<Hover> {
    let (line, start) = document.line_at(offset);
    let text = document.line(line);
    let at = offset - start;
    let ends = |c: char| c.is_whitespace() || ",[]{}'\"|#".contains(c);
    let from = text
        .get(..at)?
        .rfind(ends)
        .map_or(0, |n| n + text[n..].chars().next().map_or(1, char::len_utf8));
    let to = text.get(at..)?.find(ends).map_or(text.len(), |n| at + n);
    let word = text.get(from..to)?.trim_end_matches(':');
    if word.is_empty() || word == "-" {
        return None;
    }
    let context = outline::context(document, start + from + word.len());
    let lines = outline::outline(document, context.lines.clone());
    let here = resolve::here(&context, &lines)?;
    let behind_bar = text.get(..from)?.ends_with('|');
    let is_key = context.key.is_none();
    let value = match &here.allowed {
        Allowed::Keys(_) | Allowed::Tests if is_key && behind_bar => modifier(word)?,
        Allowed::Keys(places) if is_key => {
            let row = resolve::row(here.kind, places, word)?;
            match row.name {
                "*" => describe::test(here.event.as_ref()?, word)?,
                _ => describe::key(row),
            }
        }
        Allowed::Tests if is_key => describe::test(here.event.as_ref()?, word)?,
        Allowed::Settings(above) => setting(above, word)?,
        Allowed::Value(shape, _) => value(shape, word)?,
        Allowed::Keys(_) | Allowed::Tests | Allowed::TestValue(_) | Allowed::Nothing => {
            return None;
        }
    };
    let span = Span::new((start + from) as u32, (start + from + word.len()) as u32);
    let contents = MarkupContent { kind: MarkupKind::Markdown, value };
    Some(Hover { contents: HoverContents::Markup(contents), range: Some(document.range(span)) })
}

fn modifier(name: &str) -> Option<String> {
    let modifier = Modifier::ALL.iter().find(|one| one.name() == name)?;
    Some(describe::modifier(*modifier))
}

/// The text about a target or a setting of it
fn setting(above: &[String], word: &str) -> Option<String> {
    match above {
        [] => Target::named(word).map(|target| target.describe().to_owned()),
        [target, ..] => {
            let name = above.get(1).map_or(word, String::as_str);
            let row = settings_of(Target::named(target)?).find(|row| row.name == name)?;
            Some(describe::setting(row))
        }
    }
}

/// The text about a word among values
fn value(shape: &Shape, word: &str) -> Option<String> {
    let Shape::Word(list) = shape.each() else { return None };
    match *list {
        "technique" | "tag" => describe::attack(word),
        "event" => EventKind::named(word).map(|kind| describe::event(&kind)),
        _ => None,
    }
}
