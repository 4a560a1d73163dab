//! Placeholders: the user's values for `%name%` in rules.
//!
//! In: a file of the user, a YAML map of names to values. Out: [`Placeholders`]. Lowering refuses
//! a rule that uses an undefined placeholder.

use std::sync::Arc;

use super::value::{self, Value};
use crate::diagnostic::{Code, Diagnostics};
use crate::pattern::Pattern;
use crate::source::SourceText;
use crate::yaml;
use crate::yaml::Reader;

/// Placeholder names with their values
#[derive(Debug, Clone, Default)]
pub struct Placeholders(Vec<(String, Vec<Pattern>)>);

impl Placeholders {
    /// Reads a file of placeholders; values of a repeated name are joined
    pub fn parse(source: &Arc<SourceText>, diagnostics: &mut Diagnostics) -> Placeholders {
        let documents = yaml::parse(source, diagnostics);
        let mut reader = Reader { source, diagnostics, has_lists: false, lenient: false };
        let mut all: Vec<(String, Vec<Pattern>)> = Vec::new();
        for document in documents.iter().filter(|document| !document.is_null()) {
            for (name, values) in reader.map(document, "the file of placeholders") {
                let Some(name) = reader.key(name) else { continue };
                let values = value::list(&mut reader, values, &format!("`{name}`"));
                let text = |value: &Value| {
                    let pattern = value.pattern();
                    if pattern.is_none() {
                        let message = format!("`{name}` cannot stand for null");
                        reader.error(Code::E0208, value.span, message, "expected text");
                    }
                    pattern
                };
                let patterns: Vec<Pattern> = values.iter().filter_map(text).collect();
                match all.iter_mut().find(|(known, _)| known == name) {
                    Some((_, known)) => known.extend(patterns),
                    None => all.push((name.to_owned(), patterns)),
                }
            }
        }
        Placeholders(all)
    }

    /// The values of a placeholder; `None` if it is undefined or has no valid value
    pub(crate) fn values(&self, name: &str) -> Option<Vec<Pattern>> {
        let placeholder = self.0.iter().find(|(known, _)| known == name);
        placeholder.map(|(_, patterns)| patterns.clone()).filter(|patterns| !patterns.is_empty())
    }
}
