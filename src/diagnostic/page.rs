//! The page of a code: what it is, why it is, and an example in the wrong and in the right form.
//!
//! In: the register, and `pages.toml`, which is embedded. Out: a [`Page`] for each code. `pages.toml` is data:
//! a test tries each right form on the code's example.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

use super::Code;

/// An example of a code
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Page {
    /// The mistake: lines of a rule, or words
    pub wrong: String,
    /// The same without it
    pub right: String,
    /// Whether both are words, since the finding is not about the text of one rule
    #[serde(default)]
    pub told: bool,
}

impl Code {
    /// Its example
    pub fn page(self) -> Option<&'static Page> {
        static PAGES: LazyLock<BTreeMap<String, Page>> =
            // INVARIANT: the text is embedded, and a test reads it.
            LazyLock::new(|| toml::from_str(include_str!("pages.toml")).unwrap_or_default());
        PAGES.get(self.as_str())
    }
}
