//! The terms of a `new_terms` rule, and how long they are remembered.
//!
//! In: the new terms of a rule. Out: one to three fields of ECS, and the start of the history; what
//! Kibana would refuse is refused.

use super::fields;
use crate::backend::Closed;
use crate::diagnostic::{Cause, Code};
use crate::ir::NewTerms;
use crate::mapping::Stream;

/// The fields, and the start of the history; `from` is how far a run looks back, in minutes
pub(super) fn new_terms(
    stream: &Stream,
    new: &NewTerms,
    from: u32,
    closed: &mut Closed<'_>,
) -> (Vec<String>, String) {
    let mut terms = Vec::new();
    for field in &new.fields {
        let mine = fields::terms(stream, field);
        terms.extend(mine.into_iter().map(ToOwned::to_owned));
    }
    if terms.len() > 3 {
        let message = format!("{} new terms: {}", terms.len(), terms.join(", "));
        let help = "A new_terms rule has one to three.";
        closed.refuse_with((Code::E0602, Cause::NewTerms), new.span, message, "too many", help);
    }
    if new.window <= from {
        // Kibana refuses a history that starts after the run's own window.
        let message = format!("the window is not longer than the {from} minutes a run looks back");
        let help = format!("Use a window of {} minutes or more.", from + 1);
        closed.refuse(Cause::NewTerms, new.span, message, "too short", &help);
    }
    let history = match new.window {
        m if m % (24 * 60) == 0 => format!("now-{}d", m / (24 * 60)),
        m if m % 60 == 0 => format!("now-{}h", m / 60),
        m => format!("now-{m}m"),
    };
    (terms, history)
}
