//! Parses YAML text into a tree in which every key, value and item has its span.
//!
//! In: a [`SourceText`]. Out: one [`Node`] per document, and a diagnostic for every mistake in the
//! YAML itself. Tags and duplicate keys are refused, because YAML tools read them differently;
//! anchors, aliases and merge keys are written out, and refused where the caller does not take them.
//! Only this file uses the YAML parser.

use std::collections::HashMap;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle};

use super::node::{Kind, Node};
use super::shorthand::{Anchors, Document, Shorthand, Without, merge};
use super::subspan::Style;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{SourceText, Span};

/// The largest file that is read, in bytes
const MAX_BYTES: usize = 8 << 20;
/// The deepest nesting that is read
const MAX_DEPTH: usize = 64;

/// A collection whose end has not been read yet
struct Open {
    is_map: bool,
    /// The parser's number of its anchor; 0 without one
    anchor: usize,
    /// The value of its merge key
    merged: Option<Node>,
    start: u32,
    key: Option<Node>,
    entries: Vec<(Node, Node)>,
    items: Vec<Node>,
    /// The keys so far with their places, to find a duplicate without a search
    keys: HashMap<Box<str>, Span>,
}

/// Reads every document of `source`, and refuses anchors, aliases and merge keys
///
/// A syntax error ends the reading: earlier documents are kept, this one and later ones are lost.
pub fn parse(source: &Arc<SourceText>, diagnostics: &mut Diagnostics) -> Vec<Node> {
    let documents = documents(source, diagnostics).into_iter();
    let strict = documents.map(|document| {
        refuse_shorthand(source, &document.shorthand, diagnostics);
        document.node
    });
    strict.collect()
}

/// Refuses the shorthand of a document
pub(crate) fn refuse_shorthand(
    source: &Arc<SourceText>,
    shorthand: &[Shorthand],
    diagnostics: &mut Diagnostics,
) {
    for one in shorthand {
        diagnostics.push(refused(source, one.what, one.span));
    }
}

fn refused(source: &Arc<SourceText>, what: &str, span: Span) -> Diagnostic {
    let message = format!("a YAML {what} in a rule");
    Diagnostic::new(Code::E0105, source, span, message, "not read in rules")
        .help("Write the value out, or name it once under `lists:` and use `$name`.")
}

/// Reads every document of `source` like [`parse`], with anchors, aliases and merge keys
pub(crate) fn documents(source: &Arc<SourceText>, diagnostics: &mut Diagnostics) -> Vec<Document> {
    let text = source.text();
    if text.len() > MAX_BYTES {
        let message = format!("the file has {} bytes, more than {MAX_BYTES}", text.len());
        let at = Span::new(0, 0);
        diagnostics.push(Diagnostic::new(Code::E0106, source, at, message, "too large"));
        return Vec::new();
    }
    refuse_line_separators(source, diagnostics);
    let mut reader = Reader {
        source,
        diagnostics,
        open: Vec::new(),
        documents: Vec::new(),
        anchors: Anchors::default(),
        shorthand: Vec::new(),
    };
    for event in Parser::new_from_str(text) {
        let step = match event {
            Ok((event, span)) => reader.event(event, place(&span)),
            Err(error) => {
                let at = error.marker().byte_offset().unwrap_or(text.len()).min(text.len());
                reader.syntax_error(at, &error.info());
                None
            }
        };
        if step.is_none() {
            break;
        }
    }
    reader.documents
}

/// The place of every comment, from its `#` to the end of its line
pub(crate) fn comments(source: &SourceText) -> Vec<Span> {
    let mut comments = Vec::new();
    // Stops at a syntax error, which `parse` has already reported.
    for (event, span) in Parser::new_from_str(source.text()).map_while(Result::ok) {
        if matches!(event, Event::Comment(..)) {
            comments.push(place(&span));
        }
    }
    comments
}

fn place(span: &granit_parser::Span) -> Span {
    let byte = |m: &granit_parser::Marker| m.byte_offset().unwrap_or(0) as u32;
    Span::new(byte(&span.start), byte(&span.end))
}

/// Refuses U+0085, U+2028 and U+2029: YAML 1.1 breaks lines at them, YAML 1.2 does not.
fn refuse_line_separators(source: &Arc<SourceText>, diagnostics: &mut Diagnostics) {
    for (at, c) in source.text().char_indices() {
        if matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}') {
            let span = Span::new(at as u32, (at + c.len_utf8()) as u32);
            let message = format!("line separator U+{:04X} in a rule", c as u32);
            let label = "YAML 1.1 and 1.2 read it differently";
            diagnostics.push(
                Diagnostic::new(Code::E0107, source, span, message, label)
                    .help("Write it as an escape in a double-quoted value, or delete it."),
            );
        }
    }
}

struct Reader<'a> {
    source: &'a Arc<SourceText>,
    diagnostics: &'a mut Diagnostics,
    open: Vec<Open>,
    documents: Vec<Document>,
    anchors: Anchors,
    /// The shorthand of the document so far
    shorthand: Vec<Shorthand>,
}

impl Reader<'_> {
    /// Takes one parser event; `None` stops the reading.
    fn event(&mut self, event: Event<'_>, span: Span) -> Option<()> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse(anchor != 0, tag.is_some(), span);
                let style = match style {
                    ScalarStyle::Plain => Style::Plain,
                    ScalarStyle::SingleQuoted => Style::Single,
                    ScalarStyle::DoubleQuoted => Style::Double,
                    ScalarStyle::Literal | ScalarStyle::Folded => Style::Block,
                };
                self.close(Node { span, kind: Kind::Scalar(text.into(), style) }, anchor);
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse(anchor != 0, tag.is_some(), span);
                return self.start(false, span, anchor);
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse(anchor != 0, tag.is_some(), span);
                return self.start(true, span, anchor);
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Some(()) };
                let last = open.entries.last().map(|e| &e.1).or(open.items.last());
                // The end event of a block collection has an empty span at the next token.
                let end = if span.start == span.end {
                    last.map_or(open.start, |n| n.span.end)
                } else {
                    span.end
                };
                let (span, anchor) = (Span::new(open.start, end), open.anchor);
                let kind = self.kind(open);
                self.close(Node { span, kind }, anchor);
            }
            Event::Alias(anchor) => return self.alias(anchor, span),
            Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(..)
            | Event::DocumentEnd
            | Event::Anchor(..)
            | Event::UnresolvedAlias(_)
            | Event::Comment(..)
            | _ => {}
        }
        Some(())
    }

    /// The content of a collection that ends
    fn kind(&mut self, open: Open) -> Kind {
        match (open.is_map, open.merged) {
            (false, _) => Kind::List(open.items),
            (true, None) => Kind::Map(open.entries),
            (true, Some(merged)) => Kind::Map(merge(open.entries, merged).unwrap_or_else(|span| {
                let message = "a YAML merge key takes over the entries of a map";
                let diagnostic =
                    Diagnostic::new(Code::E0105, self.source, span, message, "not a map");
                self.diagnostics.push(diagnostic);
                Vec::new()
            })),
        }
    }

    fn alias(&mut self, anchor: usize, span: Span) -> Option<()> {
        self.shorthand.push(Shorthand { what: "alias", span });
        let message = match self.anchors.copy(anchor, MAX_DEPTH - self.open.len()) {
            Ok(node) => {
                self.close(node, 0);
                return Some(());
            }
            Err(Without::Itself) => "a YAML alias inside of its own anchor",
            Err(Without::TooLarge) => "the aliases of this file stand for too much",
        };
        let diagnostic = Diagnostic::new(Code::E0106, self.source, span, message, "one too many");
        self.diagnostics.push(diagnostic);
        None
    }

    fn start(&mut self, is_map: bool, span: Span, anchor: usize) -> Option<()> {
        if self.open.len() >= MAX_DEPTH {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            let diagnostic =
                Diagnostic::new(Code::E0106, self.source, span, message, "one too many");
            self.diagnostics.push(diagnostic);
            return None;
        }
        self.open.push(Open {
            is_map,
            anchor,
            merged: None,
            start: span.start,
            key: None,
            entries: Vec::new(),
            items: Vec::new(),
            keys: HashMap::new(),
        });
        Some(())
    }

    fn close(&mut self, node: Node, anchor: usize) {
        if anchor != 0 {
            self.anchors.keep(anchor, &node);
        }
        let Some(open) = self.open.last_mut() else {
            self.anchors.close();
            let shorthand = std::mem::take(&mut self.shorthand);
            self.documents.push(Document { node, shorthand });
            return;
        };
        if !open.is_map {
            open.items.push(node);
        } else if let Some(key) = open.key.take() {
            if key.text() == Some("<<") {
                open.merged = Some(node);
            } else {
                open.entries.push((key, node));
            }
        } else {
            let name = node.text();
            if name == Some("<<") {
                self.shorthand.push(Shorthand { what: "merge key", span: node.span });
            }
            let first = name.and_then(|name| open.keys.insert(name.into(), node.span));
            if let (Some(first), Some(name)) = (first, name) {
                let message = format!("duplicate key `{name}`");
                self.diagnostics.push(
                    Diagnostic::new(Code::E0104, self.source, node.span, message, "set again here")
                        .also(first, "first set here")
                        .help("Keep one of the two; other tools silently keep the last."),
                );
            }
            open.key = Some(node);
        }
    }

    fn refuse(&mut self, anchor: bool, tag: bool, value: Span) {
        if !anchor && !tag {
            return;
        }
        // The parser gives the span of the value; the anchor or tag is the word before the value.
        let head = self.source.text().get(..value.start as usize).unwrap_or("").trim_end();
        let word = head.rsplit(|c: char| c.is_whitespace() || "[{,".contains(c)).next();
        let start = head.len() - word.map_or(0, str::len);
        let marks = head[start..].starts_with(['&', '!']);
        let span = if marks { Span::new(start as u32, head.len() as u32) } else { value };
        if anchor {
            self.shorthand.push(Shorthand { what: "anchor", span });
        }
        if tag {
            self.diagnostics.push(refused(self.source, "tag", span));
        }
    }

    fn syntax_error(&mut self, at: usize, info: &str) {
        let text = self.source.text();
        let line = text[..floor(text, at)].rfind('\n').map_or(0, |n| n + 1);
        let indent = &text[line..];
        let blank = indent.len() - indent.trim_start_matches([' ', '\t']).len();
        if let Some(tab) = indent[..blank].find('\t') {
            let tab = (line + tab) as u32;
            let message = "a tab indents this line";
            let diagnostic =
                Diagnostic::new(Code::E0103, self.source, Span::new(tab, tab + 1), message, "tab")
                    .help("YAML indents with spaces only.");
            return self.diagnostics.push(diagnostic);
        }
        let at = floor(text, at);
        let end = text[at..].chars().next().map_or(at, |c| at + c.len_utf8());
        let span = Span::new(at as u32, end as u32);
        if info.contains("recursion limit") {
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            let diagnostic = Diagnostic::new(Code::E0106, self.source, span, message, "too many");
            return self.diagnostics.push(diagnostic);
        }
        let message = format!("not valid YAML: {info}");
        let diagnostic = Diagnostic::new(Code::E0102, self.source, span, message, "here");
        self.diagnostics.push(match () {
            () if info.contains("anchor") || info.contains("alias") => {
                diagnostic.help("Quote a value that starts with `*` or `&`.")
            }
            () if info.contains("escape") => {
                diagnostic.help("Use single quotes: a backslash is itself there.")
            }
            () => diagnostic
                .help("Quote values that hold `: ` or ` #`, or start with a special character."),
        });
    }
}

fn floor(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}
