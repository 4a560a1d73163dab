//! Parses the steps of a pipeline.
//!
//! In: the grammar's pairs. Out: [`Step`]s, each with its first word.

use pest::iterators::Pair;

use super::expression::{expression, head, item};
use super::{Parts, Rule, name, place};
use crate::query::kusto::Finding;
use crate::query::kusto::tree::{Expression, JoinKind, Lines, Name, Operator, Order, Step};

/// Reads the parts after the first word
type Read = fn(Parts<'_>) -> Result<Operator, Finding>;

/// How each step is read
const STEPS: &[(Rule, Read)] = &[
    (Rule::filter, |mut parts| Ok(Operator::Where(expression(parts.next()?)?))),
    (Rule::project, |parts| Ok(Operator::Project(parts.map(item)?))),
    (Rule::extend, |parts| Ok(Operator::Extend(parts.map(item)?))),
    (Rule::distinct, |parts| Ok(Operator::Distinct(parts.map(item)?))),
    (Rule::project_away, |parts| Ok(Operator::ProjectAway(parts.map(|pair| Ok(name(&pair)))?))),
    (Rule::project_rename, |parts| Ok(Operator::ProjectRename(parts.map(renamed)?))),
    (Rule::summarize, summarize),
    (Rule::join, join),
    (Rule::mv_expand, |mut parts| {
        let item = item(parts.next()?)?;
        Ok(Operator::MvExpand { item, to: parts.if_any().map(|pair| name(&pair)) })
    }),
    (Rule::mv_apply, |mut parts| {
        Ok(Operator::MvApply { item: item(parts.next()?)?, steps: parts.map(step)? })
    }),
    (Rule::sort, |parts| Ok(Operator::Sort(parts.map(sort_key)?))),
];

pub(super) fn step(pair: Pair<'_, Rule>) -> Result<Step, Finding> {
    let (word, rest) = first_word(&pair);
    let start = place(&pair).start;
    let (place, lines) = (start..start + word.len(), lines(rest));
    let operator = match STEPS.iter().find(|(rule, _)| *rule == pair.as_rule()) {
        Some((_, read)) => read(Parts::of(pair))?,
        None => Operator::Unread { word: word.to_owned(), text: pair.as_str().to_owned() },
    };
    Ok(Step { comments: Vec::new(), place, lines, operator })
}

/// Splits a step into the operator's name and the text after the name
fn first_word<'i>(pair: &Pair<'i, Rule>) -> (&'i str, &'i str) {
    let text = pair.as_str();
    let end = text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-'));
    text.split_at(end.unwrap_or(text.len()))
}

/// Whether the text after a word begins on a new line
pub(super) fn lines(rest: &str) -> Lines {
    let blank = rest.len() - rest.trim_start().len();
    if rest[..blank].contains('\n') { Lines::Own } else { Lines::Fit }
}

fn sort_key(pair: Pair<'_, Rule>) -> Result<(Expression, Option<Order>), Finding> {
    let mut parts = Parts::of(pair);
    let key = expression(parts.next()?)?;
    let order = parts.if_any().map(|word| match word.as_rule() == Rule::kw_desc {
        true => Order::Descending,
        false => Order::Ascending,
    });
    Ok((key, order))
}

fn renamed(pair: Pair<'_, Rule>) -> Result<(Name, Name), Finding> {
    let mut parts = Parts::of(pair);
    Ok((name(&parts.next()?), name(&parts.next()?)))
}

fn summarize(mut parts: Parts<'_>) -> Result<Operator, Finding> {
    let (mut aggregates, mut by) = (Vec::new(), Vec::new());
    while let Some(pair) = parts.if_any() {
        match pair.as_rule() == Rule::groups {
            true => by = Parts::of(pair).map(item)?,
            false => aggregates.push(item(pair)?),
        }
    }
    Ok(Operator::Summarize { aggregates, by })
}

fn join(mut parts: Parts<'_>) -> Result<Operator, Finding> {
    let kind = match parts.next()?.as_str() {
        "leftanti" => JoinKind::LeftAnti,
        "leftouter" => JoinKind::LeftOuter,
        "leftsemi" => JoinKind::LeftSemi,
        "innerunique" => JoinKind::InnerUnique,
        _ => JoinKind::Inner,
    };
    let right = head(parts.next()?)?;
    Ok(Operator::Join { kind, right, keys: parts.map(|pair| Ok(name(&pair)))? })
}
