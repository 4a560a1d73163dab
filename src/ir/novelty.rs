//! Lowers `new_terms`.
//!
//! In: a signal's name, column or field names, a window in words. Out: [`NewTerms`] over fields
//! that the signal's events carry.

use super::{NewTerms, Signal};
use crate::definition::{self, Definition, nearest_name};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::Span;
use crate::taxonomy::{EventKind, Field};

pub(super) fn lower(
    definition: &Definition,
    written: &definition::NewTerms,
    signals: &[Signal],
    diagnostics: &mut Diagnostics,
) -> Option<NewTerms> {
    let source = &definition.source;
    let mut error = |code, span: Span, message: String, label: &str| {
        diagnostics.push(Diagnostic::new(code, source, span, message, label));
    };
    let window = seconds(&written.window.value).filter(|window| window % 60 == 0);
    let window = window.map(|seconds| seconds / 60).filter(|window| *window >= 5);
    if window.is_none() {
        let message = format!("`{}` is no window", written.window.value);
        let label = "expected five minutes or more, such as 90m, 12h or 7d";
        error(Code::E0403, written.window.span, message, label);
    }
    let signal = signals.iter().position(|signal| signal.name == written.signal.value);
    let Some(signal) = signal else {
        if definition.signals.iter().any(|known| known.name.value == written.signal.value) {
            // It exists but failed to lower; that error is already reported.
            return None;
        }
        let message = format!("no signal is called `{}`", written.signal.value);
        error(Code::E0401, written.signal.span, message, "unknown");
        return None;
    };
    let mut fields = Vec::new();
    for name in &written.fields {
        let field = column_field(&name.value, &signals[signal].kind);
        let kind = &signals[signal].kind;
        match field {
            Some(field) if fields.contains(&field) => {
                let message = format!("`{}` is a new term twice", name.value);
                error(Code::E0402, name.span, message, "named before");
            }
            Some(field) => fields.push(field),
            None => {
                let message = format!("`{}` is no field of {kind} events", name.value);
                let near = nearest_name(&name.value, COLUMNS.iter().copied());
                let label = near.map_or_else(
                    || format!("expected {} or a field", COLUMNS.join(", ")),
                    |near| format!("did you mean `{near}`?"),
                );
                error(Code::E0402, name.span, message, &label);
            }
        }
    }
    (!fields.is_empty()).then_some(NewTerms { signal, fields, window: window?, span: written.span })
}

/// Column names for new terms and correlation keys, where the event has the column
pub(super) const COLUMNS: &[&str] = &[
    "host",
    "user",
    "process",
    "command_line",
    "parent",
    "parent_command_line",
    "file",
    "remote",
    "page",
    "client",
];

/// The field that a column name or a field name stands for on this kind of event
pub(super) fn column_field(name: &str, kind: &EventKind) -> Option<Field> {
    use EventKind::{
        FileEvent, NetworkConnection, ProcessCreation, RegistryEvent, SecurityAlert, Webserver,
    };
    let field = match (name, kind) {
        ("host", _) => "Computer",
        ("user", _) => "User",
        ("process", _) => "Image",
        (
            "command_line",
            ProcessCreation | FileEvent | NetworkConnection | RegistryEvent | SecurityAlert,
        ) => "CommandLine",
        ("parent", ProcessCreation | FileEvent | NetworkConnection | RegistryEvent) => {
            "ParentImage"
        }
        (
            "parent_command_line",
            ProcessCreation | FileEvent | NetworkConnection | RegistryEvent,
        ) => "ParentCommandLine",
        ("file", FileEvent) => "TargetFilename",
        ("remote", NetworkConnection) => "DestinationIp",
        ("page", Webserver) => "cs-uri-stem",
        ("client", Webserver) => "c-ip",
        (name, _) => name,
    };
    if let EventKind::Log(_) = kind {
        return Some(Field::of_log(field));
    }
    Field::named(field).filter(|field| field.belongs_to(kind))
}

/// Reads a timespan such as `90s` or `7d`, in seconds; `None` for any other text and for zero
pub(crate) fn seconds(text: &str) -> Option<u32> {
    let unit = match text.chars().next_back()? {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return None,
    };
    let number = text[..text.len() - 1].parse::<u32>().ok()?;
    number.checked_mul(unit).filter(|seconds| *seconds > 0)
}
