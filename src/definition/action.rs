//! `action:`, by which a file of Sigma 1 wrote several rules at once.
//!
//! In: the documents of a file. Out: the documents that are rules, with the keys of the `global`
//! documents before them; `reset` forgets these, `repeat` writes the rule before it once more with
//! other keys. A document's own keys win, and maps are joined key by key.
//!
//! A rule that shares its id with an earlier one gets an id of its own, derived from the shared one,
//! by which filters still find all of them.

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Span, Spanned};
use crate::yaml::{Document, Kind, Node, Reader, Shorthand, Style};

/// A document with what it has from others
pub(super) struct Part {
    /// The document with all its keys, at the place of its own
    pub(super) node: Node,
    /// The documents that it has keys from
    pub(super) shared: Vec<Span>,
    /// The id that it shares with other rules of the file
    pub(super) family: Option<Spanned<String>>,
    /// The anchors, aliases and merge keys of the document itself
    pub(super) shorthand: Vec<Shorthand>,
}

/// Joins the documents of a file
pub(super) fn expand(reader: &mut Reader<'_>, documents: Vec<Document>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let mut global: Option<(Node, Vec<Span>)> = None;
    let mut inherited = 0;
    for Document { mut node, shorthand } in documents {
        let own = node.span;
        let whole = Part { shared: Vec::new(), family: None, shorthand, node: node.clone() };
        if node.get("signals").is_some() || node.get("mapping").is_some() || node.is_null() {
            parts.push(whole);
            continue;
        }
        let mut family = None;
        let before = match take_action(reader, &mut node) {
            Some(Action::Global) => {
                let (under, mut places) = global.take().unwrap_or((empty(own), Vec::new()));
                places.push(own);
                global = Some((node.over(under), places));
                continue;
            }
            Some(Action::Reset) => {
                global = None;
                continue;
            }
            Some(Action::Repeat) => match parts.last() {
                Some(last) => {
                    let mut places = last.shared.clone();
                    places.push(last.node.span);
                    family.clone_from(&last.family);
                    // The rule that is repeated keeps its id.
                    inherited = inherited.max(1);
                    Some((last.node.clone(), places))
                }
                None => {
                    let message = "there is no rule before this one to repeat".to_owned();
                    reader.error(Code::E0116, reader.first_line(own), message, "repeats nothing");
                    continue;
                }
            },
            None => global.clone(),
        };
        let Some((under, shared)) = before else {
            parts.push(whole);
            continue;
        };
        let inherits = node.get("id").is_none();
        let mut node = node.over(under);
        family = if inherits { own_id(&mut node, family, &mut inherited) } else { None };
        parts.push(Part { node, shared, family, shorthand: whole.shorthand });
    }
    parts
}

enum Action {
    Global,
    Reset,
    Repeat,
}

/// Takes `action:` out of a document, with a warning; any other word there is left alone
fn take_action(reader: &mut Reader<'_>, node: &mut Node) -> Option<Action> {
    let Kind::Map(entries) = &mut node.kind else { return None };
    let at = entries.iter().position(|(key, _)| key.text() == Some("action"))?;
    let action = match entries[at].1.text()? {
        "global" => Action::Global,
        "reset" => Action::Reset,
        "repeat" => Action::Repeat,
        _ => return None,
    };
    let (key, value) = entries.remove(at);
    let message = format!("`action: {}` is of Sigma 1", value.text().unwrap_or_default());
    let span = key.span.cover(value.span);
    let diagnostic = Diagnostic::new(Code::W0139, reader.source, span, message, "joins documents");
    reader.report(diagnostic.help("Write every key in every rule."));
    Some(action)
}

fn empty(span: Span) -> Node {
    Node { span, kind: Kind::Map(Vec::new()) }
}

/// Gives a rule an id of its own in place of the one it has from another document; returns that,
/// or the `family` from which that one is derived itself
///
/// The first of them keeps it.
fn own_id(
    node: &mut Node,
    family: Option<Spanned<String>>,
    inherited: &mut usize,
) -> Option<Spanned<String>> {
    let Kind::Map(entries) = &mut node.kind else { return None };
    let (_, id) = entries.iter_mut().find(|(key, _)| key.text() == Some("id"))?;
    let given = Spanned::new(id.text()?.trim().to_owned(), id.span);
    let shared = family.unwrap_or(given);
    *inherited += 1;
    if *inherited > 1 {
        let hashed = || uuid::Uuid::new_v5(&uuid::Uuid::NAMESPACE_OID, shared.value.as_bytes());
        let space = uuid::Uuid::try_parse(&shared.value).unwrap_or_else(|_| hashed());
        let own = uuid::Uuid::new_v5(&space, inherited.to_string().as_bytes());
        id.kind = Kind::Scalar(own.hyphenated().to_string().into(), Style::Plain);
    }
    let hyphenated = |id: uuid::Uuid| id.hyphenated().to_string();
    let value = uuid::Uuid::try_parse(&shared.value).map_or(shared.value.clone(), hyphenated);
    Some(Spanned::new(value, shared.span))
}
