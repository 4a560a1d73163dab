//! What hangs on what follows: `$`, `^` over several lines, `\R`, pieces that are not tried again.
//!
//! In: a tree. Out: nothing, or the first piece whose printed form would be found in other texts.
//!
//! The regex crate cannot look ahead, so the printed `$` takes a last line feed along. That is the
//! same when what follows matches there anyway, or can neither match the empty text nor begin with
//! a line feed. The other pieces differ from their printed forms in the same way: only in where
//! what follows may begin.

use std::ops::Range;

use super::Refusal;
use super::tree::{Node, Place, Times};

/// Where the empty text matches for certain; each holds the ones before
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Empty {
    Nowhere,
    /// At the end, and before a last line feed
    NearEnd,
    /// At the end of every line
    LineEnd,
    Anywhere,
}

/// How the texts begin that a piece matches
#[derive(Debug, Clone, Copy)]
struct Begin {
    /// One may be empty
    empty: bool,
    /// One may begin with a line feed
    newline: bool,
    /// Where an empty one is certain
    certain: Empty,
    /// Certain to match, empty or not, from every place
    sure: bool,
    /// `.*`, which can run up to the end of a line from every place
    run: bool,
}

const NOTHING: Begin =
    Begin { empty: true, newline: false, certain: Empty::Anywhere, sure: true, run: false };

impl Begin {
    fn then(self, next: Begin) -> Begin {
        Begin {
            empty: self.empty && next.empty,
            newline: self.newline || (self.empty && next.newline),
            certain: self.certain.min(next.certain),
            sure: (self.run && next.certain >= Empty::LineEnd)
                || (self.certain == Empty::Anywhere && next.sure),
            run: false,
        }
    }

    fn or(self, other: Begin) -> Begin {
        Begin {
            empty: self.empty || other.empty,
            newline: self.newline || other.newline,
            certain: self.certain.max(other.certain),
            sure: self.sure || other.sure,
            run: false,
        }
    }

    /// Certain only of what both are
    fn and(self, other: Begin) -> Begin {
        let both = self.or(other);
        Begin { certain: self.certain.min(other.certain), sure: self.sure && other.sure, ..both }
    }

    /// Whether it can begin neither here nor at a line feed
    fn never_at_newline(self) -> bool {
        !self.empty && !self.newline
    }
}

/// Checks a whole tree
pub(super) fn check(tree: &Node) -> Result<(), Refusal> {
    walk(tree, NOTHING, true)
}

/// Checks a piece; `after` is all that follows it, `first` whether nothing stands before it
fn walk(node: &Node, after: Begin, first: bool) -> Result<(), Refusal> {
    match node {
        Node::Nothing(_) | Node::One { .. } => Ok(()),
        Node::Place { place: Place::NearEnd, range, .. } => {
            let same = after.certain >= Empty::NearEnd || after.never_at_newline();
            let reason = "something after the end of the text that may be a line break";
            require(same, range, reason)
        }
        Node::Place { place: Place::LineStart, range, .. } => {
            let same = !after.empty || (first && after.sure);
            let reason = "the start of a line that may be empty, at the end of the text";
            require(same, range, reason)
        }
        Node::Place { place: Place::LineEnd | Place::Other, .. } => Ok(()),
        Node::Break(range) => {
            let same = after.certain == Empty::Anywhere || after.never_at_newline();
            require(same, range, "a line break before what may be its second half")
        }
        Node::Group { body, atomic, .. } => {
            settled(atomic.as_ref(), after)?;
            walk(body, after, first)
        }
        Node::Repeat { body, times, possessive } => {
            settled(possessive.as_ref(), after)?;
            // A run of line breaks is the same in any halves.
            let run = times.least <= 1 && times.most.is_none();
            if run && matches!(**body, Node::Break(_)) {
                return walk(body, after, false);
            }
            walk(body, around(body, times, after), first && times.most == Some(1))
        }
        Node::Sequence(nodes) => {
            let mut follows = after;
            for (at, node) in nodes.iter().enumerate().rev() {
                let before = &nodes[..at];
                let nothing = before.iter().all(|node| matches!(node, Node::Nothing(_)));
                walk(node, follows, first && nothing)?;
                follows = begin(node).then(follows);
            }
            Ok(())
        }
        Node::Choice(choices) => choices.iter().try_for_each(|node| walk(node, after, first)),
    }
}

fn require(same: bool, range: &Range<usize>, reason: &str) -> Result<(), Refusal> {
    let refusal = || Refusal { range: range.clone(), reads: true, reason: reason.to_owned() };
    if same { Ok(()) } else { Err(refusal()) }
}

/// A piece that is not tried again is the same as one that is, when what follows always matches
fn settled(range: Option<&Range<usize>>, after: Begin) -> Result<(), Refusal> {
    let reason = "a part that is not tried again";
    range.map_or(Ok(()), |range| require(after.certain == Empty::Anywhere, range, reason))
}

/// What follows one round of a repetition
fn around(body: &Node, times: &Times, after: Begin) -> Begin {
    let again = begin(body).then(after);
    match times.most {
        Some(0 | 1) => after,
        _ if times.least <= 1 => {
            Begin { certain: after.certain, sure: after.sure, ..after.or(again) }
        }
        _ => after.and(again),
    }
}

fn begin(node: &Node) -> Begin {
    let one =
        |newline| Begin { empty: false, newline, certain: Empty::Nowhere, sure: false, run: false };
    match node {
        Node::Nothing(_) => NOTHING,
        Node::One { newline, .. } => one(*newline),
        Node::Break(_) => one(true),
        Node::Place { place, .. } => Begin {
            certain: match place {
                Place::NearEnd => Empty::NearEnd,
                Place::LineEnd => Empty::LineEnd,
                Place::LineStart | Place::Other => Empty::Nowhere,
            },
            sure: false,
            ..NOTHING
        },
        Node::Group { body, .. } => begin(body),
        Node::Repeat { body, times, .. } => repetition(body, times),
        Node::Sequence(nodes) => {
            let parts = nodes.iter().rev().map(begin);
            parts.reduce(|after, part| part.then(after)).unwrap_or(NOTHING)
        }
        Node::Choice(choices) => choices.iter().map(begin).reduce(Begin::or).unwrap_or(NOTHING),
    }
}

fn repetition(body: &Node, times: &Times) -> Begin {
    let once = begin(body);
    match times.least {
        _ if times.most == Some(0) => NOTHING,
        0 => {
            let dot = matches!(body, Node::One { text, .. } if text == ".");
            Begin { run: dot && times.most.is_none(), ..NOTHING.or(once) }
        }
        _ => once,
    }
}
