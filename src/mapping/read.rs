//! Reads single values of a mapping.
//!
//! In: an entry of a document. Out: the value under one of its keys, or a diagnostic at the word:
//! unknown keys, log sources and fields, and text that is no Kusto.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::query::kusto::{self, Expression, Platform};
use crate::source::Spanned;
use crate::taxonomy::{EventKind, Field};
use crate::yaml::{Kind, Node, Reader, nearest};

/// The text under a key that must be there
pub(super) fn text_of(reader: &mut Reader<'_>, node: &Node, key: &str) -> Option<Spanned<String>> {
    match node.get(key) {
        Some(value) => reader.text(value, &format!("`{key}`")),
        None => {
            reader.missing_key(node.span, "this entry", key);
            None
        }
    }
}

/// The text under a key, or under the same key of the whole document
pub(super) fn inherited(
    reader: &mut Reader<'_>,
    document: &Node,
    node: &Node,
    key: &str,
) -> Option<String> {
    let value = node.get(key).or_else(|| document.get(key))?;
    reader.text(value, &format!("`{key}`")).map(|text| text.value)
}

/// Whether a key is set to true
pub(super) fn flag(reader: &mut Reader<'_>, node: &Node, key: &str) -> bool {
    let Some(value) = node.get(key) else { return false };
    if !matches!(value.text(), Some("true" | "false")) {
        reader.error(Code::E0108, value.span, format!("`{key}` is true or false"), "neither");
    }
    value.text() == Some("true")
}

/// The entries of a map of texts
pub(super) fn maps(reader: &mut Reader<'_>, node: &Node, what: &str) -> Vec<(String, String)> {
    let mut entries = Vec::new();
    for (key, value) in reader.map(node, what) {
        if let (Some(key), Some(value)) = (reader.key(key), reader.text(value, what)) {
            entries.push((key.to_owned(), value.value));
        }
    }
    entries
}

/// A value or a condition of Kusto
pub(super) fn expression(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Expression> {
    let text = reader.text(node, what)?;
    match kusto::expression(&text.value) {
        Ok(expression) => Some(expression),
        Err(finding) => {
            let span = node.part(reader.source, finding.place.clone());
            let message = format!("{what} is no Kusto: {finding}");
            reader.error(Code::E0108, span, message, "expected a value or a condition");
            None
        }
    }
}

/// The platforms of Kusto that an entry or its document names
pub(super) fn platforms(reader: &mut Reader<'_>, document: &Node, node: &Node) -> Vec<Platform> {
    let holder = if node.get("platforms").is_some() { node } else { document };
    let mut platforms = Vec::new();
    for text in reader.texts_of(holder, "platforms") {
        match &*text.value {
            "sentinel" => platforms.push(Platform::Sentinel),
            "xdr" => platforms.push(Platform::AdvancedHunting),
            "elastic" => {}
            other => {
                let message = format!("no platform is called `{other}`");
                reader.error(Code::E0112, text.span, message, "sentinel, xdr or elastic");
            }
        }
    }
    platforms
}

/// The log source under `events`
pub(super) fn events(reader: &mut Reader<'_>, node: &Node) -> Option<EventKind> {
    let name = text_of(reader, node, "events")?;
    let kind = EventKind::named(&name.value);
    if kind.is_none() {
        let message = format!("no log source is called `{}`", name.value);
        let found = Diagnostic::new(Code::E0112, reader.source, name.span, message, "unknown");
        reader.report(found.help("`rulecast list events` shows what there is."));
    }
    kind
}

/// The field with this name on events of a log source
pub(super) fn field(reader: &mut Reader<'_>, node: &Node, kind: &EventKind) -> Option<Field> {
    let name = reader.key(node)?;
    let field = Field::of_log(name);
    if kind.field_type(&field).is_some() {
        return Some(field);
    }
    let message = format!("{kind} events have no field `{name}`");
    let found = Diagnostic::new(Code::E0201, reader.source, node.span, message, "unknown field");
    reader.report(match nearest(name, kind.field_names()) {
        Some(near) => found.replace(node.span, near),
        None => found,
    });
    None
}

/// Reports fields that `absent` names although they have a place, and fields that it leaves out
///
/// Without `absent` the fields without a place stay unnamed.
pub(super) fn check_absent<P>(
    reader: &mut Reader<'_>,
    node: &Node,
    kind: &EventKind,
    places: &BTreeMap<Field, P>,
) {
    let Some(absent) = node.get("absent") else { return };
    let names = reader.one_or_many(absent, "`absent`");
    for name in names {
        let present = field(reader, name, kind).filter(|field| places.contains_key(field));
        if let Some(field) = present {
            let message = format!("`{field}` is absent and has a place");
            reader.error(Code::E0112, name.span, message, "has a place under `fields`");
        }
    }
    let said = |field: &str| names.iter().any(|name| name.text() == Some(field));
    let placed = |field: &str| places.keys().any(|place| place.name() == field);
    let missing = kind.field_names().into_iter().filter(|field| !said(field) && !placed(field));
    let missing: Vec<&str> = missing.collect();
    if !missing.is_empty() {
        let message = format!("neither under `fields` nor absent: {}", missing.join(", "));
        reader.error(Code::E0111, absent.span, message, "name them here");
    }
}

/// A table or a stream, after the entries that it shares: `with` names them under `shared`
pub(super) fn with_shared<'n>(
    reader: &mut Reader<'_>,
    document: &'n Node,
    node: &'n Node,
) -> Vec<&'n Node> {
    let mut holders = Vec::new();
    for name in reader.texts_of(node, "with") {
        let shared = document.get("shared").and_then(|shared| shared.get(&name.value));
        if shared.is_none() {
            let message = format!("nothing is shared as `{}`", name.value);
            reader.error(Code::E0112, name.span, message, "not under `shared`");
        }
        holders.extend(shared);
    }
    holders.push(node);
    holders
}

/// The entries under `fields` or `result`, by name; a later holder replaces those of an earlier one
pub(super) fn entries_of<'n>(holders: &[&'n Node], key: &str) -> Vec<&'n (Node, Node)> {
    let mut entries: BTreeMap<&str, &(Node, Node)> = BTreeMap::new();
    for holder in holders {
        let Some(Node { kind: Kind::Map(own), .. }) = holder.get(key) else { continue };
        entries.extend(own.iter().filter_map(|entry| Some((entry.0.text()?, entry))));
    }
    entries.into_values().collect()
}
