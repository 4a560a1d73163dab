//! Log sources: a log and an event id where Sigma has a category.
//!
//! In: a Sigma rule's signal over `service: sysmon` or `service: security`. Out: a warning at event
//! ids that a category can replace. There is no warning if the ids under one key belong to several
//! categories, or if the rule tests nothing but the id: a category could not replace them.

use std::sync::Arc;

use super::entries;
use crate::definition::{Entry, Scalar, Signal};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::SourceText;
use crate::taxonomy::{Product, recognize};

pub(super) fn check(source: &Arc<SourceText>, signal: &Signal, diagnostics: &mut Diagnostics) {
    let Some(written) = signal.logsource.as_ref().filter(|one| one.category.is_none()) else {
        return;
    };
    let Some(service) = &written.service else { return };
    // The event ids are known for Windows only.
    if signal.product.as_ref().is_some_and(|product| product.value != Product::Windows) {
        return;
    }
    if entries(signal).all(is_event_id) {
        return;
    }
    for entry in entries(signal) {
        if let Some(category) = category(&service.value, entry) {
            let message = format!("these events are of category `{category}`");
            let span = entry.values.span;
            let diagnostic =
                Diagnostic::new(Code::W0225, source, span, message, "a category says it");
            let diagnostic = diagnostic.also(service.span, "and this log");
            diagnostics.push(diagnostic.help(format!(
                "Write `category: {category}` in place of the service, and leave the id out."
            )));
        }
    }
}

fn is_event_id(entry: &Entry) -> bool {
    entry.key.name.value == "EventID"
}

/// The category that all event ids under a key share; `None` if there is none
fn category(service: &str, entry: &Entry) -> Option<&'static str> {
    if !is_event_id(entry) || !entry.key.modifiers.is_empty() {
        return None;
    }
    let channel = match service {
        "security" => "Security",
        "sysmon" => "Microsoft-Windows-Sysmon/Operational",
        _ => return None,
    };
    let of = |id: i64| {
        let recognized = recognize(Some(channel), None, Some(id))?;
        recognized.kinds.first()?.category_name(recognized.action)
    };
    let mut shared = None;
    for value in &entry.values.items {
        let Scalar::Number(id) = value.scalar else { return None };
        let one = of(id)?;
        shared = match shared {
            None => Some(one),
            Some(other) if other == one => shared,
            // Different registry categories share the category `registry_event`.
            Some(other) if other.starts_with("registry_") && one.starts_with("registry_") => {
                Some("registry_event")
            }
            Some(_) => return None,
        };
    }
    shared
}
