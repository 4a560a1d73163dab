//! Station 1: the document as written.
//!
//! In: the text of a rule file. Out: one [`Definition`] per document, with the place of every
//! word, and a diagnostic for every mistake in its shape. Keys, modifiers and conditions are
//! parsed, values are token lists; names are not resolved yet. A Sigma rule is a definition with
//! one signal. [`check()`] warns about unusual rules; [`Suppressions`] are the warnings that a
//! comment allows.

mod action;
mod check;
mod condition;
mod correlation;
mod dangerous;
mod de;
mod document;
mod filter;
mod key;
pub(crate) mod keys;
pub(crate) mod live;
mod logsource;
mod metadata;
mod placeholder;
mod print;
mod remembered;
mod sample;
mod signal;
mod spelling;
mod suppression;
mod target;
mod value;
pub mod vocabulary;

use std::sync::Arc;

pub(crate) use crate::yaml::nearest as nearest_name;
pub use check::check;
pub use condition::{Condition, Quantifier};
pub use correlation::{Alias, Comparison, Correlation, CorrelationType, Count, Window};
pub use document::parse;
pub(crate) use document::parse_with;
pub use filter::{Filter, Filtered};
pub use key::{Key, Modifier};
pub use logsource::LogSource;
pub(crate) use metadata::RELATIONS;
pub use metadata::{Level, Metadata, Related, Status};
pub use placeholder::Placeholders;
pub(crate) use sample::EXPECTATIONS;
pub use sample::{Expectation, Sample};
pub use suppression::{Looked, Suppressions};
#[cfg(feature = "project")]
pub(crate) use target::read as read_targets;
pub use target::{Setting, Settings, TargetSettings};
pub use value::{Scalar, Value, Values};

use crate::source::{SourceText, Span, Spanned};
use crate::taxonomy::{EventKind, Log, Product};

/// One document of a rule file
#[derive(Debug, Clone)]
pub struct Definition {
    /// The file that holds the document
    pub source: Arc<SourceText>,
    /// The whole document
    pub span: Span,
    /// The other documents that it has keys from, by `action:` of Sigma 1
    pub shared: Vec<Span>,
    /// The kind of document: a definition or one of Sigma's
    pub form: Form,
    /// Title, id, level and the other metadata
    pub metadata: Arc<Metadata>,
    /// Named value lists
    pub lists: Vec<List>,
    /// Events to look for; a Sigma rule or filter has one signal
    pub signals: Vec<Signal>,
    /// `new_terms:`: the signal that alerts only for values not seen before
    pub new_terms: Option<NewTerms>,
    /// Correlations of signals; a Sigma correlation has one, of rules
    pub correlations: Vec<Correlation>,
    /// The rules that a Sigma filter narrows; `None` for other forms
    pub filter: Option<Filter>,
    /// Settings for single targets
    pub targets: Vec<TargetSettings>,
    /// Samples under `tests:`: events with their expected result
    pub tests: Vec<Sample>,
}

/// The kinds of document in a rule file
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
    /// The list's name; values refer to the list as `$name`
    pub name: Spanned<String>,
    /// Its values
    pub values: Vec<Value>,
}

/// A pattern of events: the kind of event, and the tests that an event must pass
#[derive(Debug, Clone)]
pub struct Signal {
    /// Its key under `signals:`; `rule` for a Sigma rule or filter
    pub name: Spanned<String>,
    /// A UUID in lower case, which a target's rule for the signal keeps when the name changes
    pub id: Option<Spanned<String>>,
    /// A title of one line, as alerts show it
    pub title: Option<Spanned<String>>,
    /// The kind of event; `None` after an error, which is already reported
    pub event: Option<Spanned<EventKind>>,
    /// The log that the event must be in as well, when Sigma's log source names one beside a category
    pub log: Option<Log>,
    /// Sigma's log source, as written
    pub logsource: Option<LogSource>,
    /// The action that a Sigma category implies: `file_delete` is the deletion of a file
    pub action: Option<&'static str>,
    /// The operating system, when the author limits it
    pub product: Option<Spanned<Product>>,
    /// Tests that must all hold
    pub selection: Selection,
    /// Sigma's named selections and their condition
    pub detection: Option<Detection>,
    /// Exclusions: events that pass one of these do not match
    pub exclusions: Vec<Exclusion>,
    /// Levels for some of the events; the first case that holds sets the level
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
    /// The values that the field is compared with
    pub values: Values,
}

/// An exclusion
#[derive(Debug, Clone)]
pub struct Exclusion {
    /// Its place in the file
    pub span: Span,
    /// The false positive that it leaves out
    pub note: Option<Spanned<String>>,
    /// Tests that must all hold to exclude an event
    pub selection: Selection,
}

/// A level and the tests under which it applies
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

/// `new_terms:`: a signal that alerts only when its fields hold values not seen before
#[derive(Debug, Clone)]
pub struct NewTerms {
    /// Its place in the file
    pub span: Span,
    /// The signal's name
    pub signal: Spanned<String>,
    /// The fields whose values must be new: field names or columns
    pub fields: Vec<Spanned<String>>,
    /// The period in which an earlier value counts as seen, such as `7d`
    pub window: Spanned<String>,
}
