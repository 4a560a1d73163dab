//! Sigma filters: the same exclusion for many rules.
//!
//! In: a document with `filter:`. Out: the rules it is for; its selections and condition are
//! those of a [`Signal`](super::Signal), which every such rule must fit as well.

use super::shape::Reader;
use super::yaml::Node;
use crate::source::{Span, Spanned};

/// Which rules a filter is for
#[derive(Debug, Clone)]
pub struct Filter {
    /// Where that is said
    pub span: Span,
    /// The rules
    pub rules: Filtered,
}

/// The rules of a filter
#[derive(Debug, Clone)]
pub enum Filtered {
    /// Every rule of its log source
    Any,
    /// The rules with these ids or names
    These(Vec<Spanned<String>>),
}

/// Reads what `filter:` says beside its selections
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
