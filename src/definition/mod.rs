//! Station 1: the document as written.
//!
//! In: the text of a rule file. Out: one [`Definition`] a document, with the place of every
//! word, and everything that is wrong with its shape. Keys, modifiers and conditions are parsed,
//! values are token lists; names are not resolved yet. A Sigma rule is a definition with one
//! signal. [`check()`] says what is unusual in it, [`Suppressions`] what its comments let stand.

mod check;
mod condition;
mod correlation;
mod dangerous;
mod de;
mod document;
mod filter;
mod key;
pub(crate) mod live;
mod logsource;
mod metadata;
mod placeholder;
mod print;
mod remembered;
mod sample;
mod shape;
mod signal;
mod subspan;
mod suppression;
mod target;
mod value;
pub mod vocabulary;
pub mod yaml;

use std::sync::Arc;

pub use check::check;
pub use condition::{Condition, Quantifier};
pub use correlation::{Alias, Comparison, Correlation, CorrelationType, Count};
pub use document::parse;
pub use filter::{Filter, Filtered};
pub use key::{Key, Modifier};
pub use logsource::LogSource;
pub use metadata::{Level, Metadata, Related, Status};
pub use placeholder::Placeholders;
pub use sample::{Expectation, Sample};
pub(crate) use shape::nearest as nearest_name;
pub use suppression::{Looked, Suppressions};
pub use target::{Setting, Settings, TargetSettings};
pub use value::{Scalar, Value, Values};

use crate::source::{SourceText, Span, Spanned};
use crate::taxonomy::{EventKind, Product};

/// One document of a rule file
#[derive(Debug, Clone)]
pub struct Definition {
    /// The file it stands in
    pub source: Arc<SourceText>,
    /// The whole document
    pub span: Span,
    /// How it was written
    pub form: Form,
    /// Title, id, level and the like
    pub metadata: Arc<Metadata>,
    /// Named value lists
    pub lists: Vec<List>,
    /// What to look for
    pub signals: Vec<Signal>,
    /// The signal that counts only when its fields are new
    pub new_terms: Option<NewTerms>,
    /// What signals mean together; of a Sigma correlation, what rules mean together
    pub correlations: Vec<Correlation>,
    /// Of a Sigma filter, the rules that it narrows
    pub filter: Option<Filter>,
    /// What is said of single targets
    pub targets: Vec<TargetSettings>,
    /// Samples
    pub tests: Vec<Sample>,
}

/// The ways to write a rule, or something about rules
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// With `signals:`
    Definition,
    /// With `logsource:` and `detection:`
    Sigma,
    /// With `correlation:`, about other rules
    Correlation,
    /// With `filter:`, for other rules
    Filter,
}

/// A list under `lists:`
#[derive(Debug, Clone)]
pub struct List {
    /// What `$name` refers to
    pub name: Spanned<String>,
    /// Its values
    pub values: Vec<Value>,
}

/// One thing to look for
#[derive(Debug, Clone)]
pub struct Signal {
    /// Its key under `signals:`
    pub name: Spanned<String>,
    /// One line for people
    pub title: Option<Spanned<String>>,
    /// The kind of event; `None` when it was wrong, which has been reported
    pub event: Option<Spanned<EventKind>>,
    /// Sigma's log source, as written
    pub logsource: Option<LogSource>,
    /// What a category of Sigma says has happened: `file_delete` is the deletion of a file
    pub action: Option<&'static str>,
    /// The operating system, when the author limits it
    pub product: Option<Spanned<Product>>,
    /// Tests that must all hold
    pub selection: Selection,
    /// Sigma's named selections and their condition
    pub detection: Option<Detection>,
    /// What is left out
    pub exclusions: Vec<Exclusion>,
    /// Levels of its own, first that holds
    pub levels: Vec<LevelCase>,
}

/// Tests that must all hold
#[derive(Debug, Clone, Default)]
pub struct Selection {
    /// The tests in the author's order
    pub entries: Vec<Entry>,
}

/// A key and its values
#[derive(Debug, Clone)]
pub struct Entry {
    /// Field or vocabulary word, with modifiers
    pub key: Key,
    /// What it is compared with
    pub values: Values,
}

/// An exclusion
#[derive(Debug, Clone)]
pub struct Exclusion {
    /// Where it stands
    pub span: Span,
    /// The false positive it is for
    pub note: Option<Spanned<String>>,
    /// Tests that together make an event excluded
    pub selection: Selection,
}

/// A level and when it holds
#[derive(Debug, Clone)]
pub struct LevelCase {
    /// The level
    pub level: Spanned<Level>,
    /// Tests that must all hold
    pub selection: Selection,
}

/// Sigma's `detection:` with its condition
#[derive(Debug, Clone)]
pub struct Detection {
    /// Named selections; several maps under one name are alternatives
    pub selections: Vec<(Spanned<String>, Vec<Selection>)>,
    /// The conditions, one of which must hold
    pub conditions: Vec<Condition>,
}

/// Which signal counts only when it is new, and by which fields
#[derive(Debug, Clone)]
pub struct NewTerms {
    /// Where it stands
    pub span: Span,
    /// The signal's name
    pub signal: Spanned<String>,
    /// Field names or columns
    pub fields: Vec<Spanned<String>>,
    /// How far back a term counts as seen, such as `7d`
    pub window: Spanned<String>,
}
