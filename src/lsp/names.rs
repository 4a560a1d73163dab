//! The names of a document: where each is given, and where it is used.
//!
//! In: a text. Out: every [`Use`] of a list, signal, selection or rule. A name is known in its scope: a
//! list or signal in its YAML document, a selection in its `detection:`, a rule everywhere.
//!
//! The tables of keys say which values are names, so nothing here names a key but `lists`, and the
//! few places whose shape only a reader knows.

use std::sync::Arc;

use super::resolve;
use crate::diagnostic::Diagnostics;
use crate::schema::{Kind, kind_of};
use crate::source::{SourceText, Span};
use crate::yaml::{self, Kind as Shaped, Node, Shape};

/// What a name stands for
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Named {
    /// A list under `lists:`; used as `$name`
    List,
    /// A signal or a correlation of a definition
    Signal,
    /// A selection of a detection
    Selection,
    /// A rule, by its name or id
    Rule,
}

/// A name at a place
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Use {
    /// What it stands for
    pub(super) named: Named,
    /// The name
    pub(super) name: String,
    /// Its place
    pub(super) span: Span,
    /// Whether the name is given here
    pub(super) given: bool,
    /// Where it is known
    pub(super) scope: Span,
}

/// Every name of a text
pub(super) fn names(source: &Arc<SourceText>) -> Vec<Use> {
    let mut visit = Visit { source, uses: Vec::new(), scope: Span::default(), detection: None };
    for document in yaml::documents(source, &mut Diagnostics::default()) {
        let node = document.node;
        let Shaped::Map(entries) = &node.kind else { continue };
        let keys: Vec<&str> = entries.iter().filter_map(|(key, _)| key.text()).collect();
        let Some(kind) = kind_of(keys.into_iter()) else { continue };
        visit.scope = node.span;
        visit.map(kind, kind.places(), &node);
    }
    visit.uses
}

/// The uses of the name at an offset: those of the same name where it is known
pub(super) fn same(uses: &[Use], offset: usize) -> Option<(&Use, Vec<&Use>)> {
    let at = |one: &&Use| (one.span.range().start..=one.span.range().end).contains(&offset);
    let one = uses.iter().filter(at).min_by_key(|one| one.span.end - one.span.start)?;
    let key = |one: &Use| (one.named, one.name.clone(), one.scope);
    Some((one, uses.iter().filter(|other| key(other) == key(one)).collect()))
}

/// Whether a name may be given to what is renamed
pub(super) fn is_allowed(named: Named, name: &str) -> bool {
    match named {
        Named::List | Named::Signal => {
            let goes_on = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
            name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.chars().all(goes_on)
                && name.len() <= 40
        }
        Named::Selection => !name.is_empty() && name.chars().all(is_word) && !is_keyword(name),
        Named::Rule => false,
    }
}

struct Visit<'s> {
    source: &'s Arc<SourceText>,
    uses: Vec<Use>,
    scope: Span,
    /// The map whose selections a condition names
    detection: Option<Span>,
}

impl Visit<'_> {
    fn add(&mut self, named: Named, given: bool, node: &Node, range: std::ops::Range<usize>) {
        let Some(name) = node.text().and_then(|text| text.get(range.clone())) else { return };
        let scope = match (named, self.detection) {
            (Named::Selection, Some(detection)) => detection,
            (Named::Rule, _) => Span::default(),
            (_, _) => self.scope,
        };
        let span = node.part(self.source, range);
        // An anchor's text stands at another place than its alias.
        if self.source.slice(span) == name {
            self.uses.push(Use { named, name: name.to_owned(), span, given, scope });
        }
    }

    fn whole(&mut self, named: Named, given: bool, node: &Node) {
        self.add(named, given, node, 0..node.text().map_or(0, str::len));
    }

    fn map(&mut self, kind: Kind, places: &[&'static str], node: &Node) {
        let Shaped::Map(entries) = &node.kind else { return };
        let is_detection = places.iter().any(|place| matches!(*place, "detection" | "filter"));
        let outer = self.detection;
        if is_detection {
            self.detection = Some(node.span);
        } else if let Some(detection) = node.get("detection") {
            // A signal's condition may stand beside its detection.
            self.detection = Some(detection.span);
        }
        for (key, value) in entries {
            let Some(name) = key.text() else { continue };
            let Some(row) = resolve::row(kind, places, name) else { continue };
            if row.name == "*" && is_detection {
                self.whole(Named::Selection, true, key);
            }
            let is_metadata = places.contains(&"metadata");
            if is_metadata && matches!(name, "name" | "id") {
                self.whole(Named::Rule, true, value);
            }
            let named = if name == "lists" { Named::List } else { Named::Signal };
            if let (Shape::Names(_), Shaped::Map(named_entries)) = (&row.shape, &value.kind) {
                for (given, _) in named_entries {
                    self.whole(named, true, given);
                }
            }
            if name == "aliases" {
                self.aliases(value);
            }
            self.value(kind, &row.shape, value);
        }
        self.detection = outer;
    }

    fn value(&mut self, kind: Kind, shape: &Shape, node: &Node) {
        match (shape, &node.kind) {
            (Shape::In(place), Shaped::Map(_)) => self.map(kind, &[place], node),
            (Shape::Some(inner) | Shape::List(inner), Shaped::List(items)) => {
                items.iter().for_each(|item| self.value(kind, inner, item));
            }
            (Shape::Some(inner), _) => self.value(kind, inner, node),
            (Shape::Names(inner) | Shape::Map(inner), Shaped::Map(entries)) => {
                entries.iter().for_each(|(_, value)| self.value(kind, inner, value));
            }
            (Shape::Own("signal"), Shaped::Scalar(..)) => self.whole(Named::Signal, false, node),
            (Shape::Own("rule"), Shaped::Scalar(..)) => self.whole(Named::Rule, false, node),
            (Shape::Own("condition"), Shaped::Scalar(..)) => self.condition(node),
            (Shape::Own("targets"), _) => self.targets(node),
            (Shape::Values, _) if kind == Kind::Definition => self.lists(node),
            (Shape::Own("selection"), _) if kind == Kind::Definition => self.lists(node),
            (_, _) => {}
        }
    }

    /// `$name` among values
    fn lists(&mut self, node: &Node) {
        match &node.kind {
            Shaped::Scalar(text, _) => {
                if text.len() > 1 && text.starts_with('$') {
                    self.add(Named::List, false, node, 1..text.len());
                }
            }
            Shaped::List(items) => items.iter().for_each(|item| self.lists(item)),
            Shaped::Map(entries) => entries.iter().for_each(|(_, value)| self.lists(value)),
        }
    }

    /// The names of a condition; a pattern such as `filter_*` is no name
    fn condition(&mut self, node: &Node) {
        let Some(text) = node.text() else { return };
        let mut from = None;
        let whole = |c: char| is_word(c) || c == '*';
        for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
            match (from, whole(c)) {
                (None, true) => from = Some(at),
                (Some(start), false) => {
                    let word = &text[start..at];
                    let number = word.bytes().all(|byte| byte.is_ascii_digit());
                    if !word.contains('*') && !is_keyword(word) && !number {
                        self.add(Named::Selection, false, node, start..at);
                    }
                    from = None;
                }
                (_, _) => {}
            }
        }
    }

    /// Signals that a target goes without
    fn targets(&mut self, node: &Node) {
        let Shaped::Map(targets) = &node.kind else { return };
        for without in targets.iter().filter_map(|(_, settings)| settings.get("without")) {
            match &without.kind {
                Shaped::List(items) => {
                    items.iter().for_each(|item| self.whole(Named::Signal, false, item));
                }
                Shaped::Scalar(..) => self.whole(Named::Signal, false, without),
                Shaped::Map(_) => {}
            }
        }
    }

    /// The signals or rules for which an alias stands
    fn aliases(&mut self, node: &Node) {
        let Shaped::Map(aliases) = &node.kind else { return };
        for (_, fields) in aliases {
            let Shaped::Map(entries) = &fields.kind else { continue };
            entries.iter().for_each(|(signal, _)| self.whole(Named::Signal, false, signal));
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || "_-.".contains(c)
}

fn is_keyword(word: &str) -> bool {
    ["and", "or", "not", "of", "them", "all", "any"]
        .iter()
        .any(|one| one.eq_ignore_ascii_case(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(text: &str, of: &str) -> Vec<String> {
        let source = Arc::new(SourceText::new("a.yml", text));
        let uses = names(&source);
        let (_, same) = same(&uses, text.find(of).unwrap()).unwrap();
        let line = |one: &&Use| source.line_column(one.span.start).0;
        same.iter()
            .map(|one| format!("{}{}", line(one), if one.given { "!" } else { "" }))
            .collect()
    }

    #[test]
    fn lists_and_signals_are_found_where_they_are_used() {
        let text = "title: a\nlists:\n  servers: [w3wp.exe]\nsignals:\n  shell:\n    event: process_creation\n    parents: [$servers, a.exe]\n    exclusions:\n      - parents: '$servers'\nnew_terms: {signal: shell, fields: [host], window: 7d}\ntargets:\n  elastic: {without: shell}\n";
        assert_eq!(places(text, "servers"), ["3!", "7", "9"]);
        assert_eq!(places(text, "shell"), ["5!", "10", "12"]);
    }

    #[test]
    fn selections_are_known_in_their_detection_only() {
        let text = "logsource: {category: process_creation}\ndetection:\n  sel:\n    Image: a\n  condition: sel and not 1 of filter_*\n---\nlogsource: {category: process_creation}\ndetection:\n  sel:\n    Image: b\n  condition: (sel)\n";
        assert_eq!(places(text, "sel"), ["3!", "5"]);
    }
}
