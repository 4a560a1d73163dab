//! Symbols and folding.
//!
//! In: a text. Out: the parts of its documents as a tree of symbols, and the ranges of lines that fold.

use std::sync::Arc;

use lsp_types::{DocumentSymbol, FoldingRange, SymbolKind};

use super::text::Document;
use crate::diagnostic::Diagnostics;
use crate::source::{SourceText, Span};
use crate::yaml::{self, Kind, Node};

fn documents(source: &Arc<SourceText>) -> Vec<Node> {
    let read = yaml::documents(source, &mut Diagnostics::default());
    read.into_iter().map(|document| document.node).collect()
}

/// The rules of a text with their signals, selections, lists, correlations and tests
pub(super) fn symbols(document: &Document) -> Vec<DocumentSymbol> {
    let all = documents(&document.source);
    all.iter().filter(|node| !node.is_null()).map(|node| rule(document, node)).collect()
}

fn rule(document: &Document, node: &Node) -> DocumentSymbol {
    let title = node.get("title").or_else(|| node.get("mapping"));
    let name =
        title.and_then(Node::text).filter(|text| !text.trim().is_empty()).unwrap_or("untitled");
    let at = title.map_or(Span::new(node.span.start, node.span.start), |title| title.span);
    let parts = PARTS.iter().filter_map(|(key, kind)| Some((node.get(key)?, *kind)));
    let children = parts.flat_map(|(part, kind)| entries(document, part, kind));
    symbol(document, (name, SymbolKind::CLASS), (node.span, at), children.collect())
}

/// The parts of a document that have entries of their own, and what an editor shows these as
const PARTS: [(&str, SymbolKind); 8] = [
    ("lists", SymbolKind::ARRAY),
    ("signals", SymbolKind::EVENT),
    ("correlations", SymbolKind::INTERFACE),
    ("detection", SymbolKind::FIELD),
    ("filter", SymbolKind::FIELD),
    ("tables", SymbolKind::STRUCT),
    ("streams", SymbolKind::STRUCT),
    ("tests", SymbolKind::METHOD),
];

/// The entries of a part: of a map by their keys, of a list by their names
fn entries(document: &Document, part: &Node, kind: SymbolKind) -> Vec<DocumentSymbol> {
    match &part.kind {
        Kind::Map(entries) => {
            let one = |(key, value): &(Node, Node)| {
                let name = key.text().filter(|name| !name.is_empty())?;
                let whole = key.span.cover(value.span);
                Some(symbol(document, (name, kind), (whole, key.span), Vec::new()))
            };
            entries.iter().filter_map(one).collect()
        }
        Kind::List(items) => {
            let one = |item: &Node| {
                let name = ["name", "table", "domain"].iter().find_map(|key| item.get(key))?;
                let text = name.text().filter(|text| !text.is_empty())?;
                Some(symbol(
                    document,
                    (text, kind),
                    (item.span.cover(name.span), name.span),
                    Vec::new(),
                ))
            };
            items.iter().filter_map(one).collect()
        }
        Kind::Scalar(..) => Vec::new(),
    }
}

fn symbol(
    document: &Document,
    (name, kind): (&str, SymbolKind),
    (whole, at): (Span, Span),
    children: Vec<DocumentSymbol>,
) -> DocumentSymbol {
    // The field is deprecated, and has no default.
    #[allow(deprecated)]
    DocumentSymbol {
        name: name.to_owned(),
        detail: None,
        kind,
        tags: None,
        deprecated: None,
        range: document.range(whole.cover(at)),
        selection_range: document.range(at),
        children: (!children.is_empty()).then_some(children),
    }
}

/// The entries and items of several lines
pub(super) fn folds(document: &Document) -> Vec<FoldingRange> {
    let mut folds = Vec::new();
    for node in &documents(&document.source) {
        below(document, node, &mut folds);
    }
    folds.sort_by_key(|fold| (fold.start_line, fold.end_line));
    folds.dedup_by_key(|fold| fold.start_line);
    folds
}

fn below(document: &Document, node: &Node, folds: &mut Vec<FoldingRange>) {
    let mut fold = |from: Span, to: Span| {
        let first = document.position(from.start as usize).line;
        let last = document.position(to.end as usize);
        let end = if last.character == 0 { last.line.saturating_sub(1) } else { last.line };
        if end > first {
            folds.push(FoldingRange {
                start_line: first,
                end_line: end,
                ..FoldingRange::default()
            });
        }
    };
    match &node.kind {
        Kind::Map(entries) => {
            entries.iter().for_each(|(key, value)| fold(key.span, value.span));
            entries.iter().for_each(|(_, value)| below(document, value, folds));
        }
        Kind::List(items) => {
            items.iter().for_each(|item| fold(item.span, item.span));
            items.iter().for_each(|item| below(document, item, folds));
        }
        Kind::Scalar(..) => {}
    }
}
