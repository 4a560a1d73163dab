//! Reads a YAML node in the shape that its key requires.
//!
//! In: a [`Node`] and the shape that the language requires there. Out: the value, or a diagnostic
//! at the node that names both shapes. Reading continues in both cases.

use std::sync::Arc;

use super::{Kind, Node, misspelt, nearest};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{SourceText, Span, Spanned};

/// The file of the nodes, and the diagnostics to which mistakes are added
pub(crate) struct Reader<'a> {
    pub(crate) source: &'a Arc<SourceText>,
    pub(crate) diagnostics: &'a mut Diagnostics,
    /// Whether `$name` refers to a list; in a Sigma rule it is text
    pub(crate) has_lists: bool,
    /// Whether a value of a wrong shape is only left out, with a warning: so in the metadata of
    /// Sigma documents, which others wrote and which decide no verdict
    pub(crate) lenient: bool,
}

impl<'n> Reader<'_> {
    pub(crate) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub(crate) fn error(&mut self, code: Code, span: Span, message: String, label: &str) {
        self.report(Diagnostic::new(code, self.source, span, message, label));
    }

    fn wrong(&mut self, node: &Node, what: &str, wanted: &str) {
        let message = format!("{what} is {}, not {wanted}", node.noun());
        if self.lenient {
            return self.left_out(node.span, message, &format!("expected {wanted}"));
        }
        self.error(Code::E0108, node.span, message, &format!("expected {wanted}"));
    }

    /// The entries of a map; reports an empty map or another shape and returns no entries
    pub(crate) fn map(&mut self, node: &'n Node, what: &str) -> &'n [(Node, Node)] {
        match &node.kind {
            Kind::Map(entries) if !entries.is_empty() => entries,
            Kind::Map(_) => {
                self.empty(node.span, what);
                &[]
            }
            Kind::Scalar(..) | Kind::List(_) => {
                self.wrong(node, what, "a map");
                &[]
            }
        }
    }

    /// The items of a list; reports an empty list or another shape and returns no items
    pub(crate) fn list(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        match &node.kind {
            Kind::List(items) if !items.is_empty() => items,
            Kind::List(_) => {
                self.empty(node.span, what);
                &[]
            }
            Kind::Scalar(..) | Kind::Map(_) => {
                self.wrong(node, what, "a list");
                &[]
            }
        }
    }

    /// The items of a list, or a single value as the only item
    pub(crate) fn one_or_many(&mut self, node: &'n Node, what: &str) -> &'n [Node] {
        match &node.kind {
            Kind::Scalar(..) => std::slice::from_ref(node),
            Kind::List(_) | Kind::Map(_) => self.list(node, what),
        }
    }

    /// The text of a scalar; reports an empty one or another shape
    pub(crate) fn text(&mut self, node: &Node, what: &str) -> Option<Spanned<String>> {
        match &node.kind {
            Kind::Scalar(text, _) if !text.trim().is_empty() && !node.is_null() => {
                Some(Spanned::new(text.trim_end().to_owned(), node.span))
            }
            Kind::Scalar(..) => {
                self.empty(node.span, what);
                None
            }
            Kind::List(_) | Kind::Map(_) => {
                self.wrong(node, what, "text");
                None
            }
        }
    }

    /// A list of texts, or one text
    pub(crate) fn texts(&mut self, node: &'n Node, what: &str) -> Vec<Spanned<String>> {
        let items = self.one_or_many(node, what);
        items.iter().filter_map(|item| self.text(item, what)).collect()
    }

    /// The texts under a key; none without the key
    pub(crate) fn texts_of(&mut self, node: &'n Node, key: &str) -> Vec<Spanned<String>> {
        node.get(key).map_or_else(Vec::new, |value| self.texts(value, &format!("`{key}`")))
    }

    /// The text of a key
    pub(crate) fn key(&mut self, node: &'n Node) -> Option<&'n str> {
        let text = node.text().filter(|text| !text.is_empty());
        if text.is_none() {
            self.wrong(node, "this key", "a name");
        }
        text
    }

    /// Warns about metadata that is left out
    pub(crate) fn left_out(&mut self, span: Span, message: String, label: &str) {
        let diagnostic = Diagnostic::new(Code::W0135, self.source, span, message, label);
        self.report(diagnostic.help("The rule is read without it."));
    }

    /// The whole line of a value with its key, if the line holds nothing else: `tags: []`
    fn line_of_key(&self, value: Span) -> Option<Span> {
        let text = self.source.text();
        let start = text.get(..value.start as usize)?.rfind('\n').map_or(0, |at| at + 1);
        let line = text.get(start..)?.split_inclusive('\n').next()?;
        let (key, after) = line.split_once(':')?;
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        let alone =
            key.chars().all(plain) && after.trim() == self.source.slice(value).trim_matches(':');
        alone.then(|| Span::new(start as u32, (start + line.len()) as u32))
    }

    pub(crate) fn empty(&mut self, span: Span, what: &str) {
        let message = format!("{what} is empty");
        if self.lenient {
            let label = "nothing here";
            let diagnostic = Diagnostic::new(Code::W0135, self.source, span, message, label);
            return self.report(match self.line_of_key(span) {
                Some(line) => diagnostic.delete(line),
                None => diagnostic.help("Write a value, or delete the key."),
            });
        }
        self.report(
            Diagnostic::new(Code::E0109, self.source, span, message, "nothing here")
                .help("Write a value, or delete the key."),
        );
    }

    /// Reports a key that the language does not have at this place
    pub(crate) fn unknown_key(&mut self, key: &Node, place: &str, known: &[&str]) {
        let name = key.text().unwrap_or("");
        let message = format!("unknown key `{name}` in {place}");
        let diagnostic =
            Diagnostic::new(Code::E0110, self.source, key.span, message, "not a key here");
        let diagnostic = match nearest(name, known.iter().copied()) {
            Some(near) => diagnostic.replace(key.span, near),
            None => diagnostic.note(format!("keys here: {}", known.join(", "))),
        };
        self.report(diagnostic);
    }

    /// The entries of a map; reports the keys that are unknown there
    pub(crate) fn known_keys(
        &mut self,
        node: &'n Node,
        place: &str,
        known: &[&str],
    ) -> &'n [(Node, Node)] {
        let entries = self.map(node, place);
        for (key, _) in entries {
            if !key.text().is_some_and(|text| known.contains(&text)) {
                self.unknown_key(key, place, known);
            }
        }
        entries
    }

    /// Reports a key unknown to Sigma at a place where authors may add their own keys
    ///
    /// It gets a warning, for it has no effect here. A misspelt one of `deciding`, the keys that
    /// decide what the rule finds, is an unknown key.
    pub(crate) fn custom_key(
        &mut self,
        key: &Node,
        place: &str,
        (known, deciding): (&[&str], &[&str]),
    ) {
        let name = key.text().unwrap_or("");
        if known.contains(&name) {
            return;
        }
        if misspelt(name, deciding.iter().copied()).is_some() {
            return self.unknown_key(key, place, known);
        }
        let message = format!("`{name}` in {place} is no attribute of Sigma");
        let label = "not looked at";
        let diagnostic = Diagnostic::new(Code::W0140, self.source, key.span, message, label);
        self.report(match misspelt(name, known.iter().copied()) {
            Some(near) => diagnostic.replace(key.span, near),
            None => diagnostic,
        });
    }

    /// The first line of a place
    pub(crate) fn first_line(&self, at: Span) -> Span {
        let length = self.source.slice(at).lines().next().map_or(0, str::len) as u32;
        Span::new(at.start, at.start + length)
    }

    /// Reports a missing key, at the first line of the node without it
    pub(crate) fn missing_key(&mut self, at: Span, place: &str, key: &str) {
        let message = format!("{place} has no `{key}`");
        let span = self.first_line(at);
        self.error(Code::E0111, span, message, &format!("add `{key}:`"));
    }
}
