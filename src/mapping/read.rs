//! Reads single values of a mapping.
//!
//! In: an entry of a document. Out: the value under one of its keys, or a diagnostic at the word:
//! unknown keys, log sources and fields, and text that is no Kusto.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic};
use crate::query::kusto::{self, Expression, Platform};
use crate::source::Spanned;
use crate::taxonomy::{EventKind, Field, Log, Product};
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

/// The value under a key of an entry, or of what it shares
pub(super) fn under<'n>(holders: &[&'n Node], key: &str) -> Option<&'n Node> {
    holders.iter().rev().find_map(|holder| holder.get(key))
}

/// The text under a key, or under the same key of the whole document; empty without one
pub(super) fn inherited(
    reader: &mut Reader<'_>,
    document: &Node,
    node: &Node,
    key: &str,
) -> String {
    let value = node.get(key).or_else(|| document.get(key));
    let text = value
        .filter(|value| value.text() != Some(""))
        .and_then(|value| reader.text(value, &format!("`{key}`")));
    text.map_or_else(String::new, |text| text.value)
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

/// The words of `platforms`, with the platform of Kusto that a word means
pub(super) const PLATFORMS: &[(&str, Option<Platform>)] = &[
    ("sentinel", Some(Platform::Sentinel)),
    ("xdr", Some(Platform::AdvancedHunting)),
    ("elastic", None),
];

/// The platforms of Kusto that an entry or its document names
pub(super) fn platforms(reader: &mut Reader<'_>, document: &Node, node: &Node) -> Vec<Platform> {
    let holder = if node.get("platforms").is_some() { node } else { document };
    let mut platforms = Vec::new();
    for text in reader.texts_of(holder, "platforms") {
        match PLATFORMS.iter().find(|(word, _)| *word == text.value) {
            Some((_, platform)) => platforms.extend(*platform),
            None => {
                let message = format!("no platform is called `{}`", text.value);
                reader.error(Code::E0112, text.span, message, "sentinel, xdr or elastic");
            }
        }
    }
    platforms
}

/// The log sources under `events`: one name, or a list of names
pub(super) fn events(reader: &mut Reader<'_>, node: &Node) -> Vec<EventKind> {
    let Some(names) = node.get("events") else {
        reader.missing_key(node.span, "this entry", "events");
        return Vec::new();
    };
    let names = reader.one_or_many(names, "`events`");
    names.iter().filter_map(|name| log_source(reader, name)).collect()
}

/// The log source with this name
pub(super) fn log_source(reader: &mut Reader<'_>, node: &Node) -> Option<EventKind> {
    let name = reader.text(node, "a log source")?;
    let kind = EventKind::named(&name.value);
    if kind.is_none() {
        let message = format!("no log source is called `{}`", name.value);
        let diagnostic = Diagnostic::new(Code::E0112, reader.source, name.span, message, "unknown");
        reader.report(diagnostic.help("`rulecast list events` shows what there is."));
    }
    kind
}

/// The log under `log` of a table or stream, or of its whole mapping
pub(super) fn log(reader: &mut Reader<'_>, document: &Node, node: &Node) -> Option<Log> {
    let name = node.get("log").or_else(|| document.get("log"))?;
    let kind = log_source(reader, name)?;
    if let EventKind::Log(log) = &kind
        && log.is_service()
    {
        return Some(log.clone());
    }
    let message = format!("`{kind}` is no log that events are written to");
    let diagnostic = Diagnostic::new(Code::E0112, reader.source, name.span, message, "no log");
    reader.report(diagnostic.help("A log has a product and a service: `windows/sysmon`."));
    None
}

/// The field with this name on events of some of these log sources
pub(super) fn field(reader: &mut Reader<'_>, node: &Node, kinds: &[&EventKind]) -> Option<Field> {
    let name = reader.key(node)?;
    let field = Field::of_log(name);
    if kinds.is_empty() || kinds.iter().any(|kind| kind.field_type(&field).is_some()) {
        return Some(field);
    }
    let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
    let message = format!("{} events have no field `{name}`", names.join(", "));
    let diagnostic =
        Diagnostic::new(Code::E0201, reader.source, node.span, message, "unknown field");
    let known = kinds.iter().flat_map(|kind| kind.field_names());
    reader.report(match nearest(name, known) {
        Some(near) => diagnostic.replace(node.span, near),
        None => diagnostic,
    });
    None
}

/// The operating systems under a key
pub(super) fn products(reader: &mut Reader<'_>, node: &Node, key: &str) -> Vec<Product> {
    let mut products = Vec::new();
    for Spanned { value, span } in reader.texts_of(node, key) {
        match Product::named(&value) {
            Some(product) => products.push(product),
            None => {
                let message = format!("no product is called `{value}`");
                reader.error(Code::E0112, span, message, "unknown word");
            }
        }
    }
    products
}

/// The items under a key of an entry or of what it shares: a list, or one item
pub(super) fn list_of<'n>(
    reader: &mut Reader<'_>,
    holders: &[&'n Node],
    key: &str,
) -> Vec<&'n Node> {
    let items = under(holders, key).map(|node| reader.one_or_many(node, &format!("`{key}`")));
    items.into_iter().flatten().collect()
}

/// The fields under `absent`; reports those that have a place, and fields that it leaves out
///
/// Without `absent` the fields without a place stay unnamed.
pub(super) fn check_absent(
    reader: &mut Reader<'_>,
    holders: &[&Node],
    kinds: &[&EventKind],
    is_placed: &dyn Fn(&Field) -> bool,
) -> Vec<String> {
    let Some(absent) = under(holders, "absent") else { return Vec::new() };
    let mut names = Vec::new();
    for list in holders.iter().filter_map(|holder| holder.get("absent")) {
        names.extend(reader.one_or_many(list, "`absent`"));
    }
    for name in &names {
        let present = field(reader, name, kinds).filter(is_placed);
        if let Some(field) = present {
            let message = format!("`{field}` is absent and has a place");
            reader.error(Code::E0112, name.span, message, "has a place under `fields`");
        }
    }
    let said = |field: &str| names.iter().any(|name| name.text() == Some(field));
    let placed = |field: &str| is_placed(&Field::of_log(field));
    let missing = kinds.iter().flat_map(|kind| kind.field_names());
    let missing: Vec<&str> = missing.filter(|field| !said(field) && !placed(field)).collect();
    if !missing.is_empty() && under(holders, "others").is_none() {
        let message = format!("neither under `fields` nor absent: {}", missing.join(", "));
        reader.error(Code::E0111, absent.span, message, "name them here");
    }
    names.iter().filter_map(|name| name.text().map(ToOwned::to_owned)).collect()
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
