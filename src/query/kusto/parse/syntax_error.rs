//! Makes the finding for a text that cannot be parsed.
//!
//! In: pest's error. Out: a [`Finding`] at the word where reading stopped, with what could stand
//! there in the words of the language instead of the grammar's.

use pest::error::{Error, ErrorVariant, InputLocation};

use super::Rule;
use crate::query::kusto::Finding;

pub(super) fn finding(text: &str, error: &Error<Rule>) -> Finding {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let rest = text.get(at..).unwrap_or_default();
    let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
    let stray: String = rest[..end].chars().take(40).collect();
    let mut wanted: Vec<&str> = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => {
            positives.iter().filter_map(|rule| word(*rule)).collect()
        }
        ErrorVariant::CustomError { .. } => Vec::new(),
    };
    wanted.sort_unstable();
    wanted.dedup();
    let mut message = match &*stray {
        "" => "the query ends too early".to_owned(),
        stray => format!("`{stray}` is not read here"),
    };
    if !wanted.is_empty() {
        message.push_str(&format!(", expected {}", wanted.join(" or ")));
    }
    Finding { message, place: at..at + stray.len() }
}

/// Keywords as they are written
const KEYWORDS: &[(Rule, &str)] = &[
    (Rule::kw_let, "`let`"),
    (Rule::kw_union, "`union`"),
    (Rule::kw_where, "`where`"),
    (Rule::kw_project, "`project`"),
    (Rule::kw_project_away, "`project-away`"),
    (Rule::kw_project_rename, "`project-rename`"),
    (Rule::kw_extend, "`extend`"),
    (Rule::kw_distinct, "`distinct`"),
    (Rule::kw_summarize, "`summarize`"),
    (Rule::kw_by, "`by`"),
    (Rule::kw_join, "`join`"),
    (Rule::kw_kind, "`kind`"),
    (Rule::kw_on, "`on`"),
    (Rule::kw_mv_expand, "`mv-expand`"),
    (Rule::kw_to, "`to`"),
    (Rule::kw_typeof, "`typeof`"),
    (Rule::kw_mv_apply, "`mv-apply`"),
    (Rule::kw_sort, "`sort`"),
    (Rule::kw_asc, "`asc`"),
    (Rule::kw_desc, "`desc`"),
    (Rule::kw_and, "`and`"),
    (Rule::kw_or, "`or`"),
    (Rule::kw_between, "`between`"),
    (Rule::kw_dynamic, "`dynamic`"),
];

/// The names of other rules; a rule that is not listed is a part of an expression
const OTHERS: &[(Rule, &str)] = &[
    (Rule::EOI, "the end"),
    (Rule::comparator, "a comparison"),
    (Rule::lister, "`in`"),
    (Rule::plus, "arithmetic"),
    (Rule::times, "arithmetic"),
    (Rule::name, "a name"),
    (Rule::renamed, "a name"),
    (Rule::kind, "`inner`, `leftanti` or `leftouter`"),
    (Rule::unread, "an operator"),
    (Rule::word, "an operator"),
    (Rule::text, "a text"),
];

/// A keyword as it is written; `None` for every other rule
pub(super) fn keyword(rule: Rule) -> Option<&'static str> {
    KEYWORDS.iter().find(|(one, _)| *one == rule).map(|(_, word)| *word)
}

/// The name of a rule in a message; `None` for rules that fit nearly everywhere
fn word(rule: Rule) -> Option<&'static str> {
    if matches!(rule, Rule::member | Rule::element) {
        return None;
    }
    let mut all = KEYWORDS.iter().chain(OTHERS);
    Some(all.find(|(one, _)| *one == rule).map_or("an expression", |(_, word)| word))
}
