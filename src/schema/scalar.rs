//! The schemas of single values.
//!
//! In: bounds. Out: a schema. YAML readers of editors give numbers and truth values for what the reader
//! of rules takes as text, so a text may be any scalar here.

use serde_json::{Value, json};

use super::pattern;

/// Any scalar but nothing
pub(super) fn text() -> Value {
    json!({ "type": ["string", "number", "boolean"], "pattern": pattern::TEXT })
}

/// A whole number, in quotes or not
pub(super) fn whole(least: u64, most: u64) -> Value {
    json!({
        "type": ["integer", "string"], "minimum": least, "maximum": most, "pattern": "^[0-9]+$",
    })
}
