//! Signals: what to look for, on which events, without what.
//!
//! In: an entry of `signals:`, or the `logsource:` and `detection:` of a Sigma rule. Out: a
//! [`Signal`]. Keys are split into name and modifiers; whether the event has such a field is
//! asked when lowering.

use super::shape::{Reader, nearest};
use super::vocabulary::Word;
use super::yaml::{Kind, Node};
use super::{Detection, Entry, Exclusion, LevelCase, Selection, Signal};
use super::{condition, key, metadata, value};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Span, Spanned};
use crate::taxonomy::{EventKind, Field, Product};

/// Keys of a signal that are not tests
pub(super) const KEYS: &[&str] =
    &["title", "event", "product", "exclusions", "levels", "detection", "condition"];

/// Reads an entry of `signals:`
pub(super) fn read(reader: &mut Reader<'_>, name: &Node, body: &Node) -> Option<Signal> {
    let name = identifier(reader, name, "a signal's name")?;
    let place = format!("signal `{}`", name.value);
    let entries = reader.map(body, &place);
    if entries.is_empty() {
        return None;
    }
    if body.get("event").is_none() {
        let near =
            entries.iter().find(|(k, _)| k.text().and_then(|k| nearest(k, ["event"])).is_some());
        match near {
            Some((key, _)) => reader.unknown_key(key, &place, &["event"]),
            None => reader.missing_key(name.span, &place, "event"),
        }
    }
    let title = body.get("title").and_then(|node| reader.text(node, "`title`"));
    let event = body.get("event").and_then(|node| event(reader, node));
    let event = event.and_then(|(event, action)| without_action(reader, event, action));
    let product = body.get("product").and_then(|node| product(reader, node));
    let tests = entries.iter().filter(|(k, _)| !k.text().is_some_and(|k| KEYS.contains(&k)));
    let selection = selection_of(reader, tests);
    let detection = match (body.get("detection"), body.get("condition")) {
        (Some(detection), condition) => read_detection(reader, detection, condition),
        (None, Some(condition)) => {
            let message = "a `condition` without a `detection`".to_owned();
            reader.error(Code::E0111, condition.span, message, "names no selection");
            None
        }
        (None, None) => None,
    };
    if selection.entries.is_empty() && detection.is_none() && !reader.diagnostics.has_errors() {
        let message = format!("{place} has no test");
        reader.report(
            Diagnostic::new(Code::E0405, reader.source, name.span, message, "matches every event")
                .help("Add a key such as `children` or `Image|endswith`."),
        );
    }
    let exclusions = body.get("exclusions").map_or_else(Vec::new, |node| exclusions(reader, node));
    let levels = body.get("levels").map_or_else(Vec::new, |node| levels(reader, node));
    let (action, service) = (None, None);
    Some(Signal {
        name,
        title,
        event,
        action,
        service,
        product,
        selection,
        detection,
        exclusions,
        levels,
    })
}

/// Reads the one signal of a Sigma rule
pub(super) fn read_sigma(reader: &mut Reader<'_>, document: &Node) -> Option<Signal> {
    let logsource = match document.get("logsource") {
        Some(node) => node,
        None => {
            reader.missing_key(document.span, "the rule", "logsource");
            return None;
        }
    };
    let entries = reader.map(logsource, "`logsource`");
    for (key, _) in entries {
        if !matches!(key.text(), Some("category" | "product" | "service" | "definition")) {
            let known = ["category", "product", "service", "definition"];
            reader.unknown_key(key, "`logsource`", &known);
        }
    }
    let event = match (logsource.get("category"), logsource.get("service")) {
        (Some(category), None) => event(reader, category),
        (_, Some(service)) => {
            let message = format!("log source service `{}`", service.text().unwrap_or(""));
            reader.error(Code::E0205, service.span, message, "not supported yet");
            None
        }
        (None, None) => {
            reader.missing_key(logsource.span, "`logsource`", "category");
            None
        }
    };
    let (event, action) = event.map_or((None, None), |(event, action)| (Some(event), action));
    let product = logsource.get("product").and_then(|node| product(reader, node));
    let service = logsource.get("service").and_then(|node| reader.text(node, "`service`"));
    let detection = document.get("detection")?;
    Some(Signal {
        name: Spanned::new("rule".to_owned(), detection.span),
        title: None,
        event,
        action,
        service,
        product,
        selection: Selection::default(),
        detection: read_detection(reader, detection, detection.get("condition")),
        exclusions: Vec::new(),
        levels: Vec::new(),
    })
}

/// A name that can also be a Kusto name, a Rust name and part of a file name
pub(super) fn identifier(
    reader: &mut Reader<'_>,
    node: &Node,
    what: &str,
) -> Option<Spanned<String>> {
    let text = reader.key(node)?;
    let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
    let goes_on = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if starts && text.chars().all(goes_on) && text.len() <= 40 {
        return Some(Spanned::new(text.to_owned(), node.span));
    }
    let message = format!("`{text}` cannot be {what}");
    reader.report(
        Diagnostic::new(Code::E0115, reader.source, node.span, message, "not a plain name")
            .help("Use up to 40 lower-case letters, digits and `_`, starting with a letter."),
    );
    None
}

/// A kind of event, and what Sigma's category says has happened in it
type Category = (Spanned<EventKind>, Option<&'static str>);

/// A definition names the kind of event and what happened apart
fn without_action(
    reader: &mut Reader<'_>,
    event: Spanned<EventKind>,
    action: Option<&'static str>,
) -> Option<Spanned<EventKind>> {
    let (kind, Some(action)) = (event.value, action) else { return Some(event) };
    // `file_event` is Sigma's name for the creation of a file and ours for all that happens to it.
    if reader.source.slice(event.span).trim_matches(['\'', '"']) == kind.name() {
        return Some(event);
    }
    let message = "a category of Sigma in a definition".to_owned();
    let label = "says two things at once";
    let found = Diagnostic::new(Code::E0205, reader.source, event.span, message, label);
    reader.report(found.help(format!("Write `event: {kind}` and `actions: [{action}]`.")));
    None
}

fn event(reader: &mut Reader<'_>, node: &Node) -> Option<Category> {
    let text = reader.text(node, "the kind of event")?;
    if let Some((kind, action)) = EventKind::category(&text.value) {
        return Some((Spanned::new(kind, text.span), action));
    }
    let known = || EventKind::ALL.iter().map(|kind| kind.name());
    let message = format!("unknown kind of event `{}`", text.value);
    let found = Diagnostic::new(Code::E0205, reader.source, text.span, message, "not known here");
    reader.report(match nearest(&text.value, known()) {
        Some(near) => found.replace(text.span, near),
        None => found.note(format!("kinds: {}", known().collect::<Vec<_>>().join(", "))),
    });
    None
}

fn product(reader: &mut Reader<'_>, node: &Node) -> Option<Spanned<Product>> {
    let text = reader.text(node, "`product`")?;
    metadata::word(reader, text, Product::ALL, Product::name)
}

fn selection(reader: &mut Reader<'_>, node: &Node, place: &str) -> Selection {
    let entries = reader.map(node, place);
    selection_of(reader, entries.iter())
}

fn selection_of<'n>(
    reader: &mut Reader<'_>,
    entries: impl Iterator<Item = &'n (Node, Node)>,
) -> Selection {
    let mut selection = Selection::default();
    for (name, node) in entries {
        let Some(key) = key::read(reader, name) else { continue };
        if let Some(setting) = misspelt_setting(&key.name.value, node) {
            reader.unknown_key(name, "a signal", &[setting]);
            continue;
        }
        let what = format!("`{}`", name.text().unwrap_or(""));
        let values = value::read(reader, node, &what);
        selection.entries.extend(values.map(|values| Entry { key, values }));
    }
    selection
}

/// The setting that a key with a setting's kind of value was probably meant to be
fn misspelt_setting(name: &str, node: &Node) -> Option<&'static str> {
    let nested = match &node.kind {
        Kind::Map(entries) => !entries.iter().any(|(key, _)| key.text() == Some("not")),
        Kind::List(items) => items.iter().any(|item| matches!(item.kind, Kind::Map(_))),
        Kind::Scalar(..) => false,
    };
    let known = Word::named(name).is_some() || Field::named(name).is_some();
    if nested && !known { nearest(name, KEYS.iter().copied()) } else { None }
}

fn exclusions(reader: &mut Reader<'_>, node: &Node) -> Vec<Exclusion> {
    let items = reader.list(node, "`exclusions`");
    let mut exclusions = Vec::new();
    for item in items {
        let entries = reader.map(item, "an exclusion");
        let note = item.get("note").and_then(|note| reader.text(note, "`note`"));
        let tests = entries.iter().filter(|(k, _)| k.text() != Some("note"));
        let selection = selection_of(reader, tests);
        if selection.entries.is_empty() {
            if !entries.is_empty() && entries.iter().all(|(k, _)| k.text() == Some("note")) {
                reader.empty(item.span, "this exclusion");
            }
            continue;
        }
        exclusions.push(Exclusion { span: item.span, note, selection });
    }
    exclusions
}

fn levels(reader: &mut Reader<'_>, node: &Node) -> Vec<LevelCase> {
    let items = reader.list(node, "`levels`");
    let mut cases = Vec::new();
    for item in items {
        let entries = reader.map(item, "a level");
        let Some(level) = item.get("level") else {
            if !entries.is_empty() {
                reader.missing_key(item.span, "this case", "level");
            }
            continue;
        };
        let Some(level) = metadata::level(reader, level) else { continue };
        let tests = entries.iter().filter(|(k, _)| k.text() != Some("level"));
        cases.push(LevelCase { level, selection: selection_of(reader, tests) });
    }
    cases
}

fn read_detection(
    reader: &mut Reader<'_>,
    node: &Node,
    condition: Option<&Node>,
) -> Option<Detection> {
    let entries = reader.map(node, "`detection`");
    let mut selections = Vec::new();
    for (name, body) in entries {
        let Some(text) = reader.key(name) else { continue };
        if text == "condition" {
            continue;
        }
        if text == "timeframe" {
            let message = "`timeframe` is not supported".to_owned();
            let label = "belongs to the aggregations that Sigma gave up";
            reader.error(Code::E0204, name.span, message, label);
            continue;
        }
        let place = format!("selection `{text}`");
        let spanned = Spanned::new(text.to_owned(), name.span);
        let alternatives = match &body.kind {
            Kind::Map(_) => vec![selection(reader, body, &place)],
            Kind::List(items) => {
                reader.list(body, &place);
                items.iter().filter_map(|item| alternative(reader, item, &place)).collect()
            }
            Kind::Scalar(..) => alternative(reader, body, &place).into_iter().collect(),
        };
        selections.push((spanned, alternatives));
    }
    let Some(condition) = condition.or_else(|| node.get("condition")) else {
        if !entries.is_empty() {
            let first = entries.first().map_or(node.span, |(key, _)| key.span);
            reader.missing_key(first, "`detection`", "condition");
        }
        return None;
    };
    let nodes = reader.one_or_many(condition, "the condition");
    let conditions: Vec<_> = nodes.iter().filter_map(|n| condition::read(reader, n)).collect();
    (!conditions.is_empty()).then_some(Detection { selections, conditions })
}

fn alternative(reader: &mut Reader<'_>, node: &Node, place: &str) -> Option<Selection> {
    if matches!(node.kind, Kind::Map(_)) {
        return Some(selection(reader, node, place));
    }
    keyword(reader, node.span, place);
    None
}

fn keyword(reader: &mut Reader<'_>, span: Span, place: &str) {
    let message = format!("{place} searches for a keyword without a field");
    reader.report(
        Diagnostic::new(Code::E0204, reader.source, span, message, "not supported yet")
            .help("Name the field: `CommandLine|contains: …`."),
    );
}
