//! The steps of a pipeline, read.
//!
//! In: the grammar's pairs. Out: [`Step`]s, each with its first word.

use pest::iterators::Pair;

use super::expression::{expression, head, item};
use super::{Parts, Rule, name, place};
use crate::query::kusto::Finding;
use crate::query::kusto::syntax::{JoinKind, Name, Operator, Step};

/// Reads what follows the first word
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
    (Rule::sort, |parts| Ok(Operator::Sort(parts.map(|key| expression(Parts::of(key).next()?))?))),
];

pub(super) fn step(pair: Pair<'_, Rule>) -> Result<Step, Finding> {
    let word = first_word(&pair);
    let read = STEPS.iter().find(|(rule, _)| *rule == pair.as_rule());
    let operator = read.map_or(Ok(Operator::Unread), |(_, read)| read(Parts::of(pair)))?;
    Ok(Step { word, operator })
}

/// The operator's name: keywords hold no place of their own here
fn first_word(pair: &Pair<'_, Rule>) -> Name {
    let text = pair.as_str();
    let end = text.find(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-'));
    let text = text[..end.unwrap_or(text.len())].to_owned();
    let start = place(pair).start;
    Name { place: start..start + text.len(), text }
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
        _ => JoinKind::Inner,
    };
    let right = head(parts.next()?)?;
    Ok(Operator::Join { kind, right, keys: parts.map(|pair| Ok(name(&pair)))? })
}
