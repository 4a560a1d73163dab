//! Log sources: a log and an event id where Sigma has a category.
//!
//! In: a Sigma rule's signal over `service: sysmon` or `service: security`. Out: a warning at an
//! event id that a category stands for. Where the ids under one key are not all of one category,
//! or the id is all that the rule asks for, there is no such rule to write, and nothing is said.

use std::sync::Arc;

use super::entries;
use crate::definition::{Entry, Scalar, Signal};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::SourceText;
use crate::taxonomy::Product;

/// Service, event id and the category
///
/// Source: SigmaHQ sigma-specification, appendix taxonomy; the ids are those of Sysmon's schema.
const CATEGORIES: &[(&str, i64, &str)] = &[
    ("security", 4688, "process_creation"),
    ("sysmon", 1, "process_creation"),
    ("sysmon", 2, "file_change"),
    ("sysmon", 3, "network_connection"),
    ("sysmon", 4, "sysmon_status"),
    ("sysmon", 5, "process_termination"),
    ("sysmon", 6, "driver_load"),
    ("sysmon", 7, "image_load"),
    ("sysmon", 8, "create_remote_thread"),
    ("sysmon", 9, "raw_access_thread"),
    ("sysmon", 10, "process_access"),
    ("sysmon", 11, "file_event"),
    ("sysmon", 12, "registry_event"),
    ("sysmon", 13, "registry_set"),
    ("sysmon", 14, "registry_rename"),
    ("sysmon", 15, "create_stream_hash"),
    ("sysmon", 16, "sysmon_status"),
    ("sysmon", 17, "pipe_created"),
    ("sysmon", 18, "pipe_created"),
    ("sysmon", 19, "wmi_event"),
    ("sysmon", 20, "wmi_event"),
    ("sysmon", 21, "wmi_event"),
    ("sysmon", 22, "dns_query"),
    ("sysmon", 23, "file_delete"),
    ("sysmon", 24, "clipboard_change"),
    ("sysmon", 25, "process_tampering"),
    ("sysmon", 26, "file_delete_detected"),
    ("sysmon", 27, "file_block_executable"),
    ("sysmon", 28, "file_block_shredding"),
    ("sysmon", 29, "file_executable_detected"),
    ("sysmon", 255, "sysmon_error"),
];

pub(super) fn check(source: &Arc<SourceText>, signal: &Signal, diagnostics: &mut Diagnostics) {
    let Some(service) = &signal.service else { return };
    // The ids are those of Windows.
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
            let found = Diagnostic::new(Code::W0225, source, span, message, "a category says it");
            let found = found.also(service.span, "and this log");
            diagnostics.push(found.help(format!(
                "Write `category: {category}` in place of the service, and leave the id out."
            )));
        }
    }
}

fn is_event_id(entry: &Entry) -> bool {
    entry.key.name.value == "EventID"
}

/// The one category of every event id under a key
fn category(service: &str, entry: &Entry) -> Option<&'static str> {
    if !is_event_id(entry) || !entry.key.modifiers.is_empty() {
        return None;
    }
    let of = |id: i64| {
        CATEGORIES.iter().find(|(log, known, _)| (*log, *known) == (service, id)).map(|row| row.2)
    };
    let mut found = None;
    for value in &entry.values.items {
        let Scalar::Number(id) = value.scalar else { return None };
        let one = of(id)?;
        found = match found {
            None => Some(one),
            Some(other) if other == one => found,
            // Those of the registry have a category for all of them.
            Some(other) if other.starts_with("registry_") && one.starts_with("registry_") => {
                Some("registry_event")
            }
            Some(_) => return None,
        };
    }
    found
}
