//! Compiles expressions once, to judge many events.
//!
//! In: an [`Expr`]. Out: a [`Node`] with folded and compiled values: whole values in a hash set,
//! many substrings in one automaton. Automata are made when they are first asked, since the index spares
//! most tests all events. [`Op`] defines what a comparison means; nothing here may
//! change it.

use std::collections::HashSet;
use std::sync::OnceLock;

use aho_corasick::AhoCorasick;
use ipnet::IpNet;
use regex::RegexSet;

use super::layout::Layout;
use crate::ir::{Case, Expr, Numbers, Op, Part, RegexPattern, Relation, Test, TextTest};
use crate::pattern::{Pattern, Token, fold_text};

/// An expression whose tests read slots
pub(super) enum Node {
    All(Vec<Node>),
    Any(Vec<Node>),
    Not(Box<Node>),
    Test { subject: usize, slot: usize, check: Check },
}

impl Node {
    /// The slots that the tests read, each once, sorted
    pub(super) fn slots(&self) -> Vec<usize> {
        let mut slots = Vec::new();
        self.add_slots(&mut slots);
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    fn add_slots(&self, slots: &mut Vec<usize>) {
        match self {
            Node::All(parts) | Node::Any(parts) => {
                parts.iter().for_each(|part| part.add_slots(slots));
            }
            Node::Not(part) => part.add_slots(slots),
            Node::Test { slot, check, .. } => {
                slots.push(*slot);
                if let Check::Same(_, other, _) = check {
                    slots.push(*other);
                }
            }
        }
    }
}

/// A comparison with its values compiled
pub(super) enum Check {
    /// Compares folded text
    Folded(TextCheck),
    /// Compares text as the event has it
    Cased(TextCheck),
    /// The sets are made when the first event asks; several, when a single set would be too large
    Regex(Vec<RegexPattern>, OnceLock<Vec<RegexSet>>),
    Networks(Vec<IpNet>),
    Public,
    Numbers(Vec<Numbers>),
    Exists,
    Null,
    Same(Relation, usize, Case),
}

/// A comparison of one text with the values of a test
pub(super) enum TextCheck {
    Equals(HashSet<String>),
    Starts(Vec<String>),
    Ends(Vec<String>),
    Contains(Vec<String>),
    /// Many substrings; the automaton is made when the first event asks
    ContainsMany(Vec<String>, OnceLock<Option<AhoCorasick>>),
    Wildcard(Vec<Pattern>),
}

/// Above this number of substrings, one automaton is faster than separate searches
const MANY: usize = 12;

pub(super) fn compile(layout: &mut Layout, expr: &Expr) -> Node {
    let mut many = |parts: &[Expr]| parts.iter().map(|part| compile(layout, part)).collect();
    match expr {
        Expr::All(parts) => Node::All(many(parts)),
        Expr::Any(parts) => Node::Any(many(parts)),
        Expr::Not(part) => Node::Not(Box::new(compile(layout, part))),
        Expr::Test(test) => compile_test(layout, test),
    }
}

fn compile_test(layout: &mut Layout, test: &Test) -> Node {
    let subject = layout.subject(&test.subject);
    let slot = layout.slot(&test.subject.field);
    let check = match &test.op {
        Op::Text(test) => match test.case {
            Case::Insensitive => {
                let folded = test.values.iter().map(|value| value.map_literals(fold_text));
                Check::Folded(text(&test.with(folded.collect())))
            }
            Case::Sensitive => Check::Cased(text(test)),
        },
        Op::Segments(values) => Check::Folded(segments(test.subject.part, values)),
        Op::Regex(patterns) => Check::Regex(patterns.clone(), OnceLock::new()),
        Op::Networks(networks) => Check::Networks(networks.clone()),
        Op::Public => Check::Public,
        Op::Numbers(numbers) => Check::Numbers(numbers.clone()),
        Op::Exists => Check::Exists,
        Op::Null => Check::Null,
        Op::Same(relation, field, case) => Check::Same(*relation, layout.slot(field), *case),
    };
    Node::Test { subject, slot, check }
}

fn text(test: &TextTest) -> TextCheck {
    let literals = || test.literals().map(ToOwned::to_owned);
    match test.relation {
        Relation::Equals => TextCheck::Equals(literals().collect()),
        Relation::Starts => TextCheck::Starts(literals().collect()),
        Relation::Ends => TextCheck::Ends(literals().collect()),
        Relation::Contains => contains(literals().collect()),
        Relation::Wildcard => TextCheck::Wildcard(test.values.clone()),
    }
}

fn contains(literals: Vec<String>) -> TextCheck {
    match literals.len() > MANY {
        true => TextCheck::ContainsMany(literals, OnceLock::new()),
        false => TextCheck::Contains(literals),
    }
}

/// The patterns in every spelling of the separator
///
/// Plain substrings when every spelling is a literal that starts with a separator, else wildcards.
fn segments(part: Part, values: &[Pattern]) -> TextCheck {
    let folded = values.iter().map(|value| value.map_literals(fold_text));
    let spellings = folded.flat_map(|value| part.spellings(&value));
    let spellings: Vec<Pattern> = spellings.collect();
    let anywhere = |p: &Pattern| p.as_literal().is_some_and(|text| text.starts_with(['/', '\\']));
    if spellings.iter().all(anywhere) {
        let literals = spellings.iter().filter_map(Pattern::as_literal);
        return contains(literals.map(ToOwned::to_owned).collect());
    }
    let open = |pattern: &Pattern| {
        let rooted = pattern.literals().next().is_some_and(|text| !text.starts_with(['/', '\\']));
        let start = (!rooted).then_some(Token::Any);
        let tokens = pattern.tokens().iter().cloned();
        Pattern::of(start.into_iter().chain(tokens).chain([Token::Any]))
    };
    TextCheck::Wildcard(spellings.iter().map(open).collect())
}
