//! Microsoft Sentinel, profile `defender`: the Device* tables that Defender for Endpoint fills.
//!
//! In: a [`Rule`]. Out: `<rule>.kql` and `<rule>.analytic.yaml`, a scheduled analytic rule with
//! the same query. Limits and lists are Microsoft's: the analytic rule schema of the Azure
//! Sentinel repository and the service limits page.

mod address;
mod columns;
mod expr;
mod fields;
mod lets;
mod novelty;
mod pattern;
mod predicate;
mod profile;
mod query;
mod signal;
mod text;
mod view;

use super::template::render;
use super::{Artifact, Losses};
use crate::diagnostic::Code;
use crate::ir::Rule;
pub(crate) use profile::Profile;

/// The longest query of an analytic rule, in characters
const MAX_QUERY: usize = 10_000;

/// Emits the query and the analytic rule
pub(super) fn emit(rule: &Rule, stem: &str, losses: &mut Losses<'_>) -> Option<Vec<Artifact>> {
    let (plan, shape) = query::plan(Profile::Defender, rule, losses);
    let query = match render("sentinel/query.kql", &plan) {
        Ok(query) => query,
        Err(why) => return broken(rule, losses, &why),
    };
    let length = query.encode_utf16().count();
    if length > MAX_QUERY {
        let message = format!("the query has {length} characters, the limit is {MAX_QUERY}");
        let help = "Shorten the lists, or split the signals over two definitions.";
        losses.refuse_with(Code::E0502, rule.metadata.title.span, message, "too long", help);
    }
    let view = view::analytic(rule, &query, &shape, losses);
    let analytic = match render("sentinel/analytic.yaml", &view) {
        Ok(analytic) => analytic,
        Err(why) => return broken(rule, losses, &why),
    };
    Some(vec![
        Artifact { name: format!("{stem}.kql"), text: query },
        Artifact { name: format!("{stem}.analytic.yaml"), text: analytic },
    ])
}

fn broken(rule: &Rule, losses: &mut Losses<'_>, why: &str) -> Option<Vec<Artifact>> {
    let message = format!("a template failed: {why}");
    losses.refuse(rule.metadata.title.span, message, "while emitting", "This is a bug.");
    None
}
