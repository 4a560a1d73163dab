//! Sigma conditions: `selection and not 1 of filter_*`.
//!
//! In: the text of a condition. Out: a [`Condition`] in which every name has its place. Lowering
//! looks the names up later, when all selections are known.

use std::sync::LazyLock;

use pest::Parser;
use pest::iterators::Pair;
use pest::pratt_parser::{Assoc, Op, PrattParser};
use pest_derive::Parser;

use super::remembered::Remembered;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Span, Spanned};
use crate::yaml::Node;
use crate::yaml::Reader;

#[derive(Parser)]
#[grammar = "../grammar/condition.pest"]
struct Grammar;

/// The longest condition that is parsed, in bytes
const MAX_LENGTH: usize = 16 << 10;
/// The deepest nesting of brackets and `not` that is parsed
const MAX_DEPTH: usize = 100;

/// A condition over selection names
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// All of the conditions hold
    And(Vec<Condition>),
    /// At least one of the conditions holds
    Or(Vec<Condition>),
    /// The condition does not hold
    Not(Box<Condition>),
    /// The selection of this name holds
    Selection(Spanned<String>),
    /// `1 of filter_*`: a number of the selections hold that a pattern, or `them`, names
    Of(Spanned<Quantifier>, Spanned<String>),
}

/// The number of selections of a group that must hold
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantifier {
    /// All selections of the group
    All,
    /// At least this number of selections
    AtLeast(usize),
}

static PRATT: LazyLock<PrattParser<Rule>> = LazyLock::new(|| {
    PrattParser::new()
        .op(Op::infix(Rule::or, Assoc::Left))
        .op(Op::infix(Rule::and, Assoc::Left))
        .op(Op::prefix(Rule::not))
});

/// Reads a condition; reports a text that cannot be parsed
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Condition> {
    let text = reader.text(node, "the condition")?;
    if text.len() > MAX_LENGTH || deepest(&text) > MAX_DEPTH {
        let message = format!(
            "the condition is longer than {MAX_LENGTH} bytes or nests deeper than {MAX_DEPTH}"
        );
        reader.error(Code::E0305, node.span, message, "too large to read");
        return None;
    }
    let parse = || parse(reader, node, &text);
    let mut condition = KNOWN.with(|known| known.get_or(&text.value, parse))?;
    let places = node.parts(reader.source);
    place(&mut condition, &|span| places.of(span.range()));
    Some(condition)
}

thread_local! {
    /// Cache of parsed conditions, with spans within the condition's text
    static KNOWN: Remembered<Condition> = Remembered::default();
}

/// Parses a condition; its spans are within the condition's text
fn parse(reader: &mut Reader<'_>, node: &Node, text: &str) -> Option<Condition> {
    match Grammar::parse(Rule::condition, text) {
        Ok(pairs) => {
            let expression = pairs.flatten().find(|pair| pair.as_rule() == Rule::expression)?;
            Some(build(expression))
        }
        Err(error) => {
            let diagnostic = syntax(reader, node, text, &error);
            reader.report(diagnostic);
            None
        }
    }
}

/// Replaces the span of every name and quantifier by the result of `to`
fn place(condition: &mut Condition, to: &dyn Fn(Span) -> Span) {
    match condition {
        Condition::And(parts) | Condition::Or(parts) => {
            parts.iter_mut().for_each(|part| place(part, to));
        }
        Condition::Not(part) => place(part, to),
        Condition::Selection(name) => name.span = to(name.span),
        Condition::Of(quantifier, name) => {
            quantifier.span = to(quantifier.span);
            name.span = to(name.span);
        }
    }
}

fn deepest(text: &str) -> usize {
    let (mut depth, mut most) = (0usize, 0);
    // Each `not` nests one level deeper, as a bracket does.
    for word in text.split_inclusive([' ', '(', ')']) {
        depth += word.matches('(').count() + usize::from(word.trim().eq_ignore_ascii_case("not"));
        most = most.max(depth);
        depth = depth.saturating_sub(word.matches(')').count());
    }
    most
}

fn build(pair: Pair<'_, Rule>) -> Condition {
    let spanned = |pair: &Pair<'_, Rule>| {
        let (start, end) = (pair.as_span().start() as u32, pair.as_span().end() as u32);
        Spanned::new(pair.as_str().to_owned(), Span::new(start, end))
    };
    PRATT
        .map_primary(|primary| match primary.as_rule() {
            Rule::expression => build(primary),
            Rule::of => {
                let mut parts = primary.into_inner();
                let word = parts.next().map(|word| spanned(&word));
                let span = word.as_ref().map_or(Span::default(), |word| word.span);
                let quantifier = match word.map(|word| word.value.to_ascii_lowercase()) {
                    Some(word) if word == "all" => Quantifier::All,
                    Some(word) if word == "any" => Quantifier::AtLeast(1),
                    // A number beyond `usize` is more than any count of selections.
                    Some(word) => Quantifier::AtLeast(word.parse().unwrap_or(usize::MAX)),
                    None => Quantifier::AtLeast(1),
                };
                let target = parts.next().map(|target| spanned(&target));
                let nothing = || Spanned::new(String::new(), Span::default());
                let quantifier = Spanned::new(quantifier, span);
                Condition::Of(quantifier, target.unwrap_or_else(nothing))
            }
            Rule::EOI
            | Rule::condition
            | Rule::infix
            | Rule::prefix
            | Rule::primary
            | Rule::group
            | Rule::and
            | Rule::or
            | Rule::not
            | Rule::quantifier
            | Rule::target
            | Rule::them
            | Rule::pattern
            | Rule::selection
            | Rule::keyword
            | Rule::word_char
            | Rule::blank
            | Rule::WHITESPACE => Condition::Selection(spanned(&primary)),
        })
        .map_prefix(|_, inner| Condition::Not(Box::new(inner)))
        .map_infix(|left, operator, right| match operator.as_rule() {
            Rule::and => match left {
                Condition::And(mut parts) => {
                    parts.push(right);
                    Condition::And(parts)
                }
                left @ (Condition::Or(_)
                | Condition::Not(_)
                | Condition::Selection(_)
                | Condition::Of(..)) => Condition::And(vec![left, right]),
            },
            Rule::EOI
            | Rule::condition
            | Rule::expression
            | Rule::infix
            | Rule::prefix
            | Rule::primary
            | Rule::group
            | Rule::or
            | Rule::not
            | Rule::of
            | Rule::quantifier
            | Rule::target
            | Rule::them
            | Rule::pattern
            | Rule::selection
            | Rule::keyword
            | Rule::word_char
            | Rule::blank
            | Rule::WHITESPACE => match left {
                Condition::Or(mut parts) => {
                    parts.push(right);
                    Condition::Or(parts)
                }
                left @ (Condition::And(_)
                | Condition::Not(_)
                | Condition::Selection(_)
                | Condition::Of(..)) => Condition::Or(vec![left, right]),
            },
        })
        .parse(pair.into_inner())
}

/// The name of a grammar rule in a message; `None` for a rule that messages leave out
fn word(rule: Rule) -> Option<&'static str> {
    match rule {
        Rule::and => Some("`and`"),
        Rule::or => Some("`or`"),
        Rule::not => Some("`not`"),
        Rule::selection => Some("the name of a selection"),
        Rule::of | Rule::quantifier => Some("`1 of` or `all of`"),
        Rule::target | Rule::pattern | Rule::them => Some("`them` or a name with `*`"),
        Rule::EOI => Some("the end"),
        Rule::condition
        | Rule::expression
        | Rule::infix
        | Rule::prefix
        | Rule::primary
        | Rule::group
        | Rule::keyword
        | Rule::word_char
        | Rule::blank
        | Rule::WHITESPACE => None,
    }
}

fn syntax(
    reader: &Reader<'_>,
    node: &Node,
    text: &str,
    error: &pest::error::Error<Rule>,
) -> Diagnostic {
    let at = match error.location {
        pest::error::InputLocation::Pos(at) | pest::error::InputLocation::Span((at, _)) => at,
    };
    let rest = &text[at..];
    let length = rest.find([' ', '\t', '\n', '(', ')']).unwrap_or(rest.len()).max(1);
    let stray = rest.get(..length).unwrap_or("");
    let span = node.part(reader.source, at..at + stray.len());
    let mut wanted: Vec<&str> = match &error.variant {
        pest::error::ErrorVariant::ParsingError { positives, .. } => {
            positives.iter().filter_map(|rule| word(*rule)).collect()
        }
        pest::error::ErrorVariant::CustomError { .. } => Vec::new(),
    };
    wanted.sort_unstable();
    wanted.dedup();
    let message = match stray {
        "" => "the condition ends too early".to_owned(),
        stray => format!("`{stray}` cannot stand here in a condition"),
    };
    if stray.starts_with('|') && !stray.starts_with("||") {
        let message = "an aggregation in a condition";
        return Diagnostic::new(Code::E0204, reader.source, span, message, "not supported")
            .help("Sigma replaced `| count()` by correlation rules.");
    }
    if wanted.is_empty() {
        wanted.push("the name of a selection");
    }
    let label = format!("expected {}", wanted.join(" or "));
    let diagnostic = Diagnostic::new(Code::E0301, reader.source, span, message, label);
    match stray {
        stray if stray.starts_with('!') => diagnostic.help("Write `not` for a negation."),
        stray if stray.starts_with(['\'', '"']) => diagnostic.help("Names stand without quotes."),
        "&&" | "&" => diagnostic.replace(span, "and"),
        "||" => diagnostic.replace(span, "or"),
        _ if text.matches('(').count() != text.matches(')').count() => {
            diagnostic.help("The brackets do not pair up.")
        }
        _ => diagnostic,
    }
}
