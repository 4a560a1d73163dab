//! Native: Rust source of a matcher that needs only std.
//!
//! In: a [`Rule`]. Out: `<rule>.rs`: an `Event` trait, a function per signal, a table of signals.
//! It can be copied into any program. Regular expressions, which std has not, are a method of the event. New
//! terms, correlations and the process tree need other events, so they are left to the caller:
//! the head of the file lists them, and new terms and correlations are given as data.

mod expr;
mod helpers;
mod module;
mod view;

pub(crate) use module::module;

use super::settings::Asked;
use super::{Emitted, Place, Session};
use crate::diagnostic::Code;
use crate::ir::Rule;
use crate::manifest::Artifact;

/// Emits the matcher
pub(super) fn emit<'r>(rule: &'r Rule, stem: &str, mut session: Session<'r>) -> Emitted<'r> {
    // This target has no settings, so any setting is refused.
    Asked::of(&mut session, Code::E0701);
    let view = view::matcher(rule);
    let mut closed = session.close();
    let text = closed.render("native/matcher.rs", &view);
    let artifacts = text.map(|text| Artifact { name: format!("{stem}.rs"), text });
    let artifacts: Vec<Artifact> = artifacts.into_iter().collect();
    let ids = vec![Vec::new(); artifacts.len()];
    let nowhere = || Place { rows: None, searched: Vec::new(), mapping: None };
    let places = rule.signals.iter().map(|_| nowhere()).collect();
    Emitted { artifacts, ids, places, schedule: None, keys: Vec::new(), closed }
}
