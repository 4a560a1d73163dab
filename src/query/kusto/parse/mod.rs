//! Parses the text of a query.
//!
//! In: text. Out: a [`Query`], every part with its place, or the first place with Kusto that is not
//! read here. White space and brackets are gone; names are not looked up yet.
//!
//! INVARIANT: no text, however long or deep, overflows the stack.

mod comments;
mod expression;
mod step;
mod syntax_error;

use pest::Parser;
use pest::iterators::{Pair, Pairs};
use pest_derive::Parser;

use self::comments::Sign;
use super::Finding;
use super::tree::{Let, Name, Pipeline, Place, Query, Source};

#[derive(Parser)]
#[grammar = "../grammar/kusto.pest"]
struct Grammar;

/// The longest query that is read, in bytes
const MAX_LENGTH: usize = 1 << 20;
/// The most brackets that may be open at once
const MAX_DEPTH: usize = 40;

/// Reads a query
///
/// # Errors
/// One finding, at the first place with Kusto that is not read here.
pub(crate) fn parse(text: &str) -> Result<Query, Finding> {
    if text.len() > MAX_LENGTH {
        let message = format!("a query of more than {MAX_LENGTH} bytes is not read here");
        return Err(Finding { message, place: 0..0 });
    }
    if let Some(at) = too_deep(text) {
        let message = format!("more than {MAX_DEPTH} open brackets are not read here");
        return Err(Finding { message, place: at..at + 1 });
    }
    let parsed = Grammar::parse(Rule::query, text);
    let mut pairs = parsed.map_err(|error| syntax_error::finding(text, &error))?;
    let whole = pairs.next().ok_or_else(|| nothing(&(0..0)))?;
    let mut parts = Parts::of(whole);
    let mut lets = Vec::new();
    loop {
        let part = parts.next()?;
        if part.as_rule() != Rule::binding {
            let mut query = Query { heading: Vec::new(), lets, result: pipeline(part)? };
            comments::place(text, &mut query);
            return Ok(query);
        }
        let mut parts = Parts::of(part);
        let (name, value) = (name(&parts.next()?), pipeline(parts.next()?)?);
        lets.push(Let { comments: Vec::new(), name, value });
    }
}

/// The place of the first bracket deeper than [`MAX_DEPTH`], without those in texts and comments
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    comments::signs(text).find_map(|(at, sign)| {
        match sign {
            Sign::Open => depth += 1,
            Sign::Close => depth = depth.saturating_sub(1),
            Sign::Comment(_) => {}
        }
        (depth > MAX_DEPTH).then_some(at)
    })
}

fn pipeline(pair: Pair<'_, Rule>) -> Result<Pipeline, Finding> {
    let place = place(&pair);
    let mut parts = Parts::of(pair);
    let source = parts.next()?;
    let source = match source.as_rule() == Rule::union {
        true => {
            let lines = step::lines(source.as_str().strip_prefix("union").unwrap_or_default());
            Source::Union(Parts::of(source).map(expression::head)?, lines)
        }
        false => Source::Expression(expression::expression(source)?),
    };
    Ok(Pipeline { source, steps: parts.map(step::step)?, place })
}

fn name(pair: &Pair<'_, Rule>) -> Name {
    Name { text: pair.as_str().to_owned(), place: place(pair) }
}

fn place(pair: &Pair<'_, Rule>) -> Place {
    pair.as_span().start()..pair.as_span().end()
}

/// The inner pairs of a pair, without keywords that have no meaning of their own
struct Parts<'i> {
    pairs: Pairs<'i, Rule>,
    whole: Place,
}

impl<'i> Parts<'i> {
    fn of(pair: Pair<'i, Rule>) -> Parts<'i> {
        Parts { whole: place(&pair), pairs: pair.into_inner() }
    }

    fn if_any(&mut self) -> Option<Pair<'i, Rule>> {
        self.pairs.find(|pair| !is_silent(pair.as_rule()))
    }

    fn next(&mut self) -> Result<Pair<'i, Rule>, Finding> {
        self.if_any().ok_or_else(|| nothing(&self.whole))
    }

    fn map<T>(
        mut self,
        read: impl Fn(Pair<'i, Rule>) -> Result<T, Finding>,
    ) -> Result<Vec<T>, Finding> {
        let mut all = Vec::new();
        while let Some(pair) = self.if_any() {
            all.push(read(pair)?);
        }
        Ok(all)
    }
}

/// Whether the pair is a keyword without meaning of its own
fn is_silent(rule: Rule) -> bool {
    let telling = matches!(
        rule,
        Rule::kw_and | Rule::kw_or | Rule::kw_between | Rule::kw_asc | Rule::kw_desc
    );
    !telling && syntax_error::keyword(rule).is_some()
}

// The grammar has something in every such place, so this error never occurs.
fn nothing(place: &Place) -> Finding {
    Finding { message: "nothing stands here".to_owned(), place: place.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(text: &str) -> String {
        let finding = parse(text).expect_err(text);
        let (line, column) = finding.line_column(text);
        format!("{line}:{column} {}", finding.message)
    }

    #[test]
    fn mistakes_have_a_place_and_human_words() {
        assert_eq!(why("T | where"), "1:10 the query ends too early, expected an expression");
        assert_eq!(
            why("T\n| where a haz 1"),
            "2:11 `haz` is not read here, expected `and` or `between` or `in` or `or` or a comparison \
             or arithmetic or the end"
        );
        assert!(why("T | where a == \"b").starts_with("1:16 `\"b` is not read here"));
        assert!(why(r#"T | where a == "\q""#).starts_with(r#"1:16 `"\q"` is not read here"#));
        assert!(why("T | where a in (\"b\" \"c\")").starts_with("1:21 `\"c\")`"));
        assert!(why("T | join kind=outer (U) on a").starts_with("1:15 `outer`"));
    }

    #[test]
    fn deep_brackets_are_refused_and_those_in_texts_do_not_count() {
        let deep = |n: usize| format!("T | where {}a{}", "(".repeat(n), ")".repeat(n));
        assert!(parse(&deep(MAX_DEPTH)).is_ok());
        assert_eq!(why(&deep(100_000)), "1:51 more than 40 open brackets are not read here");
        let quoted = "([{".repeat(100);
        assert!(parse(&format!("T | where a == \"\\\"{quoted}\" // {quoted}")).is_ok());
        assert!(parse(&format!("T | where a == @\"\\{quoted}\"")).is_ok());
        assert!(parse(&"(".repeat(2_000_000)).is_err());
    }
}
