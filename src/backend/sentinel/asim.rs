//! What a query passes to a parser of ASIM.
//!
//! In: the tests that a signal requires, and the parameters that the mapping names. Out: the call of the
//! parser, with terms that every match has: each source drops the other rows before it normalises them. The
//! tests stand after the call as before; it decides nothing.

use std::collections::BTreeSet;

use super::cost;
use super::forms::edges;
use super::lets::Lets;
use crate::ir::{Clause, Expr, Op, Part, Signal, Test};
use crate::mapping::Table;
use crate::pattern::Pattern;
use crate::query::kusto::Expression;
use crate::taxonomy::Field;

/// The most terms that are written into a call; a list of the rule may have more
const MOST_TERMS: usize = 20;

/// Characters that XML writes otherwise: the parser of Sysmon looks terms up in the text of a whole event
/// (Azure Sentinel repository, ASimProcessCreateMicrosoftSysmon)
const ESCAPED: &[char] = &['&', '<', '>', '"', '\''];

/// Terms of which every match has one
struct Terms<'s> {
    all: Vec<String>,
    /// The author's list, when it has just these terms
    list: Option<&'s str>,
}

impl Terms<'_> {
    /// Terms of no list, each once
    fn sorted(all: impl IntoIterator<Item = String>) -> Self {
        let all: BTreeSet<String> = all.into_iter().collect();
        Terms { all: all.into_iter().collect(), list: None }
    }
}

/// The arguments for the parser that gives a signal's rows
pub(super) fn arguments(table: &Table, signal: &Signal, lets: &mut Lets) -> Vec<Expression> {
    let required: Vec<&Expr> = signal.clauses.iter().flat_map(Clause::conjuncts).collect();
    let mut arguments = Vec::new();
    for (parameter, fields) in table.parameters.iter() {
        let terms = required.iter().filter_map(|expr| of(expr, fields));
        let Some(terms) = terms.min_by_key(|terms| terms.all.len()) else { continue };
        let all: Vec<&str> = terms.all.iter().map(String::as_str).collect();
        let value = match terms.list {
            Some(list) => lets.list(list, &all),
            None if all.len() > MOST_TERMS => continue,
            None => Expression::dynamic(&terms.all),
        };
        arguments.push(value.given_as(parameter));
    }
    arguments
}

/// The terms of which an event has one in one of the fields, where it passes; `None` when it may have none
fn of<'s>(expr: &'s Expr, fields: &[Field]) -> Option<Terms<'s>> {
    match expr {
        Expr::Test(test) if fields.contains(&test.subject.field) => of_test(test),
        Expr::Test(_) | Expr::Not(_) => None,
        Expr::All(parts) => {
            parts.iter().filter_map(|part| of(part, fields)).min_by_key(|terms| terms.all.len())
        }
        Expr::Any(parts) => {
            let each = parts.iter().map(|part| Some(of(part, fields)?.all));
            Some(Terms::sorted(each.collect::<Option<Vec<_>>>()?.concat()))
        }
    }
}

fn of_test(test: &Test) -> Option<Terms<'_>> {
    // A quote may stand inside an argument; a key and a unit of time are no parts of the text.
    let part = test.subject.part;
    let (Part::Whole | Part::Name | Part::Extension) = part else { return None };
    if let Op::Segments(runs) = &test.op {
        let spellings = runs.iter().flat_map(|run| part.spellings(run));
        let terms = spellings.map(|run| term(&run, (false, false)));
        return Some(Terms::sorted(terms.collect::<Option<Vec<_>>>()?));
    }
    let text = test.op.as_text()?;
    let terms = text.values.iter().map(|value| term(value, edges(text.relation)));
    let all = terms.collect::<Option<Vec<String>>>()?;
    let is_list = all.iter().map(String::as_str).eq(text.literals());
    Some(match test.list.as_deref().filter(|_| is_list) {
        Some(list) => Terms { all, list: Some(list) },
        None => Terms::sorted(all),
    })
}

/// The longest text that each match of a pattern has as whole terms
fn term(pattern: &Pattern, edges: (bool, bool)) -> Option<String> {
    let is_term = |piece: &&str| {
        piece.is_ascii() && piece.contains(char::is_alphanumeric) && !piece.contains(ESCAPED)
    };
    // Most values have an extension.
    let pieces = cost::pieces(pattern, edges).filter(is_term);
    let pieces = pieces.filter(|piece| !cost::is_extension(piece));
    pieces.max_by_key(|piece| piece.len()).map(ToOwned::to_owned)
}
