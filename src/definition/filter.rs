//! Sigma filters: the same exclusion for many rules.
//!
//! In: a document with `filter:`. Out: the rules that it narrows. The filter's selections and
//! condition are read as a [`Signal`](super::Signal); an event must match it besides the rule.

use crate::source::{Span, Spanned};
use crate::yaml::Node;
use crate::yaml::Reader;

/// The rules that a Sigma filter narrows
#[derive(Debug, Clone)]
pub struct Filter {
    /// The place of the value of `rules:`
    pub span: Span,
    /// The rules that it narrows
    pub rules: Filtered,
}

/// The rules of a filter
#[derive(Debug, Clone)]
pub enum Filtered {
    /// Every rule of the filter's log source (`rules: any`)
    Any,
    /// The rules with these ids or names
    These(Vec<Spanned<String>>),
}

/// Reads `rules:` of a `filter:`; reports a filter without it
pub(super) fn read(reader: &mut Reader<'_>, node: &Node) -> Option<Filter> {
    let Some(rules) = node.get("rules") else {
        reader.missing_key(node.span, "`filter`", "rules");
        return None;
    };
    let names = reader.texts(rules, "`rules`");
    let rules_span = rules.span;
    let rules = match &*names {
        [] => return None,
        [one] if one.value == "any" => Filtered::Any,
        _ => Filtered::These(names),
    };
    Some(Filter { span: rules_span, rules })
}
