//! YAML's shorthand: anchors, the aliases that repeat them, and merge keys.
//!
//! In: the nodes with an anchor. Out: a copy for each alias, and maps with the entries that they
//! take over. Copies have the places of their originals. The places of the shorthand itself are
//! kept, because some documents may not have any.
//!
//! INVARIANT: all copies of a file together stay below a limit, whatever aliases stand in anchors.

use std::collections::HashMap;

use super::node::{Kind, Node};
use crate::source::Span;

/// The most that anchors and aliases may copy in one file, in bytes
const MOST: usize = 1 << 20;
/// What a node counts besides its text
const NODE: usize = 32;

/// A document with the places of its shorthand
#[derive(Debug)]
pub(crate) struct Document {
    /// The document, written out
    pub(crate) node: Node,
    /// The places of its anchors, aliases and merge keys
    pub(crate) shorthand: Vec<Shorthand>,
}

/// An anchor, alias or merge key
#[derive(Debug)]
pub(crate) struct Shorthand {
    /// Which of them
    pub(crate) what: &'static str,
    /// Its place
    pub(crate) span: Span,
}

/// Why an alias has no node
pub(super) enum Without {
    /// It stands inside the anchor that it repeats
    Itself,
    /// The copies would grow beyond the limit, or nest too deep
    TooLarge,
}

/// The anchors of one document
#[derive(Default)]
pub(super) struct Anchors {
    /// By the parser's number: the node, its size and its depth; `None` for one that is too large
    known: HashMap<usize, Option<(Node, usize, usize)>>,
    /// The size of all copies so far
    spent: usize,
}

impl Anchors {
    /// Forgets the anchors at the end of a document; what they have copied still counts
    pub(super) fn close(&mut self) {
        self.known.clear();
    }

    /// Remembers a node with an anchor
    pub(super) fn keep(&mut self, anchor: usize, node: &Node) {
        let mut rest = MOST.saturating_sub(self.spent);
        let before = rest;
        let depth = measure(node, &mut rest);
        self.spent += before - rest;
        let kept = depth.map(|depth| (node.clone(), before - rest, depth));
        self.known.insert(anchor, kept);
    }

    /// A copy of the node with this anchor, for an alias above which `levels` more nodes may stand
    pub(super) fn copy(&mut self, anchor: usize, levels: usize) -> Result<Node, Without> {
        let known = self.known.get(&anchor).ok_or(Without::Itself)?;
        let (node, size, depth) = known.as_ref().ok_or(Without::TooLarge)?;
        if *depth > levels || self.spent + size > MOST {
            return Err(Without::TooLarge);
        }
        self.spent += size;
        Ok(node.clone())
    }
}

/// The depth of a node, whose size is taken off `rest`; `None` when it is larger
fn measure(node: &Node, rest: &mut usize) -> Option<usize> {
    let own = NODE + node.text().map_or(0, str::len);
    *rest = rest.checked_sub(own)?;
    let mut deepest = 0;
    let mut inner = |node: &Node, rest: &mut usize| {
        deepest = deepest.max(measure(node, rest)?);
        Some(())
    };
    match &node.kind {
        Kind::Scalar(..) => {}
        Kind::List(items) => {
            for item in items {
                inner(item, rest)?;
            }
        }
        Kind::Map(entries) => {
            for (key, value) in entries {
                inner(key, rest)?;
                inner(value, rest)?;
            }
        }
    }
    Some(deepest + 1)
}

/// Puts the entries of a merge key before a map's own, which win; so do the entries of an earlier
/// map of a list. `Err` holds the place of what is no map.
pub(super) fn merge(own: Vec<(Node, Node)>, merged: Node) -> Result<Vec<(Node, Node)>, Span> {
    let maps = match merged.kind {
        Kind::List(maps) => maps,
        Kind::Map(_) | Kind::Scalar(..) => vec![merged],
    };
    let text = |key: &Node| key.text().map(str::to_owned);
    let mut keys: std::collections::HashSet<_> = own.iter().map(|(key, _)| text(key)).collect();
    let mut all = Vec::new();
    for map in maps {
        let Kind::Map(entries) = map.kind else { return Err(map.span) };
        all.extend(entries.into_iter().filter(|(key, _)| keys.insert(text(key))));
    }
    all.extend(own);
    Ok(all)
}
