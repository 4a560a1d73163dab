//! Functions, and the type that they take, that several matchers have word for word.
//!
//! In: matchers as text. Out: their texts without such items, and one module that has each of them once: a
//! compiler reads it once, not a hundred times. A function that differs by a letter stays where it is.

use std::collections::{BTreeMap, BTreeSet};

/// The name of the module
const MODULE: &str = "shared";

/// What matchers share
#[derive(Debug, Default)]
pub(super) struct Shared {
    /// Each by its name
    items: BTreeMap<String, String>,
    /// What they import
    imports: BTreeSet<String>,
}

impl Shared {
    /// The text of a matcher that takes its items from the module, where they are the same there
    pub(super) fn taken_out(&mut self, matcher: &str) -> String {
        let (mut rest, mut used) = (String::new(), Vec::new());
        let mut lines = matcher.split_inclusive('\n');
        while let Some(line) = lines.next() {
            let Some(name) = name_of(line) else {
                if line.starts_with("use ") {
                    self.imports.insert(line.to_owned());
                }
                rest.push_str(line);
                continue;
            };
            let mut item = line.to_owned();
            while !item.ends_with("\n}\n")
                && let Some(line) = lines.next()
            {
                item.push_str(line);
            }
            // A matcher's own trait is another for each.
            let is_own = item.contains("Event");
            if !is_own && *self.items.entry(name.to_owned()).or_insert_with(|| item.clone()) == item
            {
                used.push(name);
            } else {
                rest.push_str(&item);
            }
        }
        if !used.is_empty() {
            rest.push_str(&format!("use crate::{MODULE}::{{{}}};\n", used.join(", ")));
        }
        rest
    }

    /// The module
    pub(super) fn module(&self) -> String {
        let items: String = self.items.values().map(|one| format!("pub {one}")).collect();
        let imports: String = self.imports.iter().map(String::as_str).collect();
        format!("mod {MODULE} {{\n#![allow(dead_code, unused_imports)]\n{imports}{items}}}\n")
    }
}

/// The name of a private function or type that begins with a line
fn name_of(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("fn ").or_else(|| line.strip_prefix("enum "))?;
    let (name, _) = rest.split_once(['(', '<', ' '])?;
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_stands_once_and_one_that_differs_stays() {
        let fold = "fn fold(text: &str) -> String {\n    text.to_lowercase()\n}\n";
        let other = fold.replace("lower", "upper");
        let asks = "fn asks(event: &dyn Event) -> bool {\n    event.has(\"a\")\n}\n";
        let mut shared = Shared::default();
        let head = "use std::net::IpAddr;\nconst A: u8 = 1;\n";
        let first = shared.taken_out(&format!("{head}{fold}{asks}"));
        assert_eq!(first, format!("{head}{asks}use crate::shared::{{fold}};\n"));
        assert_eq!(shared.taken_out(fold), "use crate::shared::{fold};\n");
        assert_eq!(shared.taken_out(&other), other);
        assert!(shared.module().contains(&format!("use std::net::IpAddr;\npub {fold}}}\n")));
    }
}
