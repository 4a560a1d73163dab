//! Native: Rust source of a matcher that needs only std.
//!
//! In: a [`Rule`]. Out: `<rule>.rs`: an `Event` trait, a function a signal, a table of signals.
//! It can be copied into any program. What std has not is refused (regular expressions); what
//! needs other events is left to the caller, said on top of the file and given as data there: new
//! terms, correlations, the process tree.

mod expr;
mod view;

use super::settings::Asked;
use super::template::render;
use super::{Artifact, Losses};
use crate::diagnostic::Code;
use crate::ir::Rule;

/// Emits the matcher
pub(super) fn emit(rule: &Rule, stem: &str, losses: &mut Losses<'_>) -> Option<Vec<Artifact>> {
    // It has no settings; one that is written all the same is refused.
    Asked::of(losses, Code::E0701, &[]);
    match render("native/matcher.rs", &view::matcher(rule, losses)) {
        Ok(text) => Some(vec![Artifact { name: format!("{stem}.rs"), text }]),
        Err(why) => {
            let message = format!("a template failed: {why}");
            let span = rule.metadata.title.span;
            losses.refuse(span, message, "while emitting", "This is a bug.");
            None
        }
    }
}
