//! A mapping of the user over the one that it extends.
//!
//! In: a document with `extends`. Out: one document: what it says itself, and below it what the
//! other one says. A table of the same name, or of the name under `like`, is joined key by key, and
//! so is a stream of the same log source; the other tables and streams stay as they are.

use std::sync::Arc;

use super::{DOCUMENTS, Places};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::SourceText;
use crate::yaml::{self, Kind, Node, Reader, nearest};

/// The document with what it extends; `None` when there is no such mapping
pub(super) fn extended(reader: &mut Reader<'_>, own: &Node) -> Option<Node> {
    let Some(name) = own.get("extends") else { return Some(own.clone()) };
    let name = reader.text(name, "`extends`")?;
    let Some(base) = built_in(&name.value) else {
        let names: Vec<&str> = names().collect();
        let message = format!("no mapping is called `{}`", name.value);
        let label = "not a built-in mapping";
        let diagnostic = Diagnostic::new(Code::E0112, reader.source, name.span, message, label);
        reader.report(match nearest(&name.value, names.iter().copied()) {
            Some(near) => diagnostic.replace(name.span, near),
            None => diagnostic.note(format!("mappings: {}", names.join(", "))),
        });
        return None;
    };
    let (mut own, mut base) = (own.clone(), base);
    for (list, key) in [("tables", "table"), ("streams", "events")] {
        let (mine, theirs) = (take(&mut own, list), take(&mut base, list));
        let joined = blocks(mine, theirs, key);
        if let (Kind::Map(entries), false) = (&mut own.kind, joined.is_empty()) {
            let name = Node { span: own.span, kind: scalar(list) };
            entries.push((name, Node { span: own.span, kind: Kind::List(joined) }));
        }
    }
    Some(own.over(base))
}

/// The names of the built-in mappings
fn names() -> impl Iterator<Item = &'static str> {
    DOCUMENTS.iter().filter_map(|(file, ..)| file.strip_suffix(".yml"))
}

/// The document of the built-in mapping with this name, which is that of its file
fn built_in(name: &str) -> Option<Node> {
    let is_it = |(file, ..): &&(&str, &str, Places)| file.strip_suffix(".yml") == Some(name);
    let (file, text, _) = DOCUMENTS.iter().find(is_it)?;
    let source = Arc::new(SourceText::new(*file, *text));
    yaml::parse(&source, &mut Diagnostics::default()).into_iter().next()
}

fn scalar(text: &str) -> Kind {
    Kind::Scalar(text.into(), yaml::Style::Plain)
}

/// Takes a list out of a document
fn take(document: &mut Node, key: &str) -> Vec<Node> {
    let Kind::Map(entries) = &mut document.kind else { return Vec::new() };
    let Some(at) = entries.iter().position(|(known, _)| known.text() == Some(key)) else {
        return Vec::new();
    };
    match entries.remove(at).1.kind {
        Kind::List(items) => items,
        Kind::Map(_) | Kind::Scalar(..) => Vec::new(),
    }
}

/// The blocks of both documents, each own block over the one that it stands for
fn blocks(mine: Vec<Node>, theirs: Vec<Node>, key: &str) -> Vec<Node> {
    let mut rest: Vec<Option<Node>> = theirs.into_iter().map(Some).collect();
    let mut joined = Vec::new();
    for own in mine {
        let stands_for = own.get("like").or_else(|| own.get(key)).and_then(Node::text);
        let stands_for = stands_for.map(ToOwned::to_owned);
        let mut found = false;
        for place in &mut rest {
            let same =
                place.as_ref().is_some_and(|base| is_of(base, &own, key, stands_for.as_deref()));
            if let Some(base) = place.take_if(|_| same) {
                joined.push(over(own.clone(), base));
                found = true;
            }
        }
        if !found {
            joined.push(own);
        }
    }
    joined.extend(rest.into_iter().flatten());
    joined
}

/// Whether a block is the one that another stands for: of the same name, and of one of its log
/// sources where it names any
fn is_of(base: &Node, own: &Node, key: &str, name: Option<&str>) -> bool {
    let events = own.get("events").filter(|_| key != "events").and_then(Node::text);
    let of_events = |event: &str| match base.get("events") {
        Some(Node { kind: Kind::Map(entries), .. }) => {
            entries.iter().any(|(name, _)| name.text() == Some(event))
        }
        Some(Node { kind: Kind::List(items), .. }) => {
            items.iter().any(|item| item.text() == Some(event))
        }
        one => one.and_then(Node::text) == Some(event),
    };
    base.get(key).and_then(Node::text) == name && events.is_none_or(of_events)
}

/// A block over another one; a field that gets a place is absent no longer
fn over(own: Node, mut base: Node) -> Node {
    let placed = |name: &Node| {
        let fields = own.get("fields");
        fields.zip(name.text()).is_some_and(|(fields, name)| fields.get(name).is_some())
    };
    if let Kind::Map(entries) = &mut base.kind {
        for (key, value) in entries {
            if let (Some("absent"), Kind::List(names)) = (key.text(), &mut value.kind) {
                names.retain(|name| !placed(name));
            }
        }
    }
    // A place is replaced as a whole: its parts belong together.
    let mut joined = own.clone().over(base);
    let places = own.get("fields").map(|fields| fields.kind.clone());
    if let (Kind::Map(entries), Some(Kind::Map(own))) = (&mut joined.kind, places) {
        let fields = entries.iter_mut().find(|(key, _)| key.text() == Some("fields"));
        if let Some((_, Node { kind: Kind::Map(fields), .. })) = fields {
            for (key, place) in own {
                if let Some((_, value)) =
                    fields.iter_mut().find(|(name, _)| name.text() == key.text())
                {
                    *value = place;
                }
            }
        }
    }
    joined
}
