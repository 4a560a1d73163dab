//! Native: Rust source of a matcher that needs only std.
//!
//! In: a [`Rule`]. Out: `<rule>.rs`: an `Event` trait, a function per signal, a table of signals.
//! It can be copied into any program. Regular expressions are refused, since std has none. New
//! terms, correlations and the process tree need other events, so they are left to the caller:
//! the head of the file lists them, and new terms and correlations are given as data.

mod expr;
mod view;

use super::settings::Asked;
use super::template::render;
use super::{Artifact, Losses};
use crate::diagnostic::Code;
use crate::ir::Rule;

/// Emits the matcher
pub(super) fn emit(rule: &Rule, stem: &str, losses: &mut Losses<'_>) -> Option<Vec<Artifact>> {
    // This target has no settings, so any setting is refused.
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
