//! Attaches the comments of a query to its tree.
//!
//! In: the text, and the tree that was read from it. Out: the same tree with each comment before
//! the statement or the step that follows it. The grammar passes comments over, since they may
//! stand between any two words.
//!
//! INVARIANT: a comment after the last step has nothing to precede and is dropped.

use std::iter::Peekable;
use std::str::CharIndices;

use crate::query::kusto::tree::{Kind, Pipeline, Query, Source};

/// A bracket or a comment outside string literals
#[derive(Debug)]
pub(super) enum Sign<'t> {
    Open,
    Close,
    /// Without its slashes and the blank after them
    Comment(&'t str),
}

/// The brackets and comments of a text with their places
pub(super) fn signs(text: &str) -> impl Iterator<Item = (usize, Sign<'_>)> {
    let mut rest = text.char_indices().peekable();
    std::iter::from_fn(move || {
        while let Some((at, c)) = rest.next() {
            let sign = match c {
                '"' => {
                    skip_text(text[..at].ends_with('@'), &mut rest);
                    continue;
                }
                '/' if rest.next_if(|(_, c)| *c == '/').is_some() => {
                    while rest.next_if(|(_, c)| *c != '\n').is_some() {}
                    let end = rest.peek().map_or(text.len(), |(end, _)| *end);
                    let comment = &text[at + 2..end];
                    Sign::Comment(comment.strip_prefix(' ').unwrap_or(comment))
                }
                '(' | '[' | '{' => Sign::Open,
                ')' | ']' | '}' => Sign::Close,
                _ => continue,
            };
            return Some((at, sign));
        }
        None
    })
}

/// Skips a string literal; an unclosed one ends with its line
fn skip_text(verbatim: bool, rest: &mut Peekable<CharIndices<'_>>) {
    while let Some((_, c)) = rest.next_if(|(_, c)| *c != '\n') {
        if c == '\\' && !verbatim {
            rest.next();
        } else if c == '"' {
            break;
        }
    }
}

/// Attaches each comment to the statement or step after it
pub(super) fn place(text: &str, query: &mut Query) {
    let comments = signs(text).filter_map(|(at, sign)| match sign {
        Sign::Comment(comment) => Some((at, comment)),
        Sign::Open | Sign::Close => None,
    });
    let mut comments = Comments(comments.peekable());
    let first = query.lets.first().map_or(query.result.place.start, |one| one.name.place.start);
    query.heading = comments.before(first);
    for one in &mut query.lets {
        one.comments = comments.before(one.name.place.start);
        comments.inside(&mut one.value);
    }
    comments.inside(&mut query.result);
}

/// Comments that are not attached yet
struct Comments<'t, I: Iterator<Item = (usize, &'t str)>>(Peekable<I>);

impl<'t, I: Iterator<Item = (usize, &'t str)>> Comments<'t, I> {
    fn before(&mut self, place: usize) -> Vec<String> {
        let mut all = Vec::new();
        while let Some((_, comment)) = self.0.next_if(|(at, _)| *at < place) {
            all.push(comment.to_owned());
        }
        all
    }

    fn inside(&mut self, pipeline: &mut Pipeline) {
        if let Source::Expression(source) = &mut pipeline.source
            && let Kind::Call { arguments, .. } = &mut source.kind
        {
            for argument in arguments {
                if let Kind::Pipeline(inner) = &mut argument.kind {
                    self.inside(inner);
                }
            }
        }
        for step in &mut pipeline.steps {
            step.comments = self.before(step.place.start);
        }
    }
}
