//! Findings about a rule: a code, a place, a reason and a fix.
//!
//! In: mistakes and losses found by any later room. Out: [`Diagnostic`] values, which the
//! writers in this room turn into text, JSON, SARIF or GitHub lines. No writer drops a finding,
//! and no other room knows the output formats.

mod cause;
mod code;
mod concise;
mod github;
mod json;
mod page;
mod register;
#[cfg(feature = "cli")]
mod render;
mod sarif;

use std::sync::Arc;

pub use cause::Cause;
pub use code::Code;
pub use concise::concise;
pub use github::github;
pub use json::json;
pub use page::Page;
#[cfg(feature = "cli")]
pub use render::full;
pub use sarif::sarif;

use crate::source::{SourceText, Span};

/// The severity of a finding
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The rule works, but its author should review the finding
    Warning,
    /// The rule, or its output for one target, is refused
    Error,
}

impl Severity {
    /// `error` or `warning`
    pub fn as_str(self) -> &'static str {
        match self {
            Severity::Warning => "warning",
            Severity::Error => "error",
        }
    }
}

/// A place with a remark
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place
    pub span: Span,
    /// The remark, without a final period; may be empty
    pub text: String,
}

/// An edit of the file that resolves the finding
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// The effect of the edit, such as "change it to `contains`"
    pub title: String,
    /// The replacement texts, in order of place, not overlapping
    pub edits: Vec<(Span, String)>,
}

/// One finding
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The code, such as `E0201`, under which `explain` describes the finding
    pub code: Code,
    /// Error or warning
    pub severity: Severity,
    /// The message: one line, lower case, no final period, user text in backticks
    pub message: String,
    /// The file that holds all the places
    pub source: Arc<SourceText>,
    /// The primary place, where the reader should look first
    pub primary: Label,
    /// Further places that explain the finding, with a remark each
    pub secondary: Vec<Label>,
    /// Sentences of background, one per note
    pub notes: Vec<String>,
    /// One sentence of advice
    pub help: Option<String>,
    /// An edit that resolves the finding; `None` if only the author can decide
    pub fix: Option<Fix>,
    /// Of a refusal on a target: what it is about
    pub cause: Option<Cause>,
}

impl Diagnostic {
    /// A finding with the severity of its code
    pub fn new(
        code: Code,
        source: &Arc<SourceText>,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Diagnostic {
            code,
            severity: code.severity(),
            message: one_line(&message.into()),
            source: Arc::clone(source),
            primary: Label { span, text: one_line(&label.into()) },
            secondary: Vec::new(),
            notes: Vec::new(),
            help: None,
            fix: None,
            cause: None,
        }
    }

    /// Adds a place that explains
    #[must_use]
    pub fn also(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: one_line(&text.into()) });
        self
    }

    /// Adds a sentence of background
    #[must_use]
    pub fn note(mut self, text: impl Into<String>) -> Self {
        self.notes.push(one_line(&text.into()));
        self
    }

    /// Sets the sentence of advice
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(one_line(&text.into()));
        self
    }

    /// Sets what a refusal on a target is about
    #[must_use]
    pub fn because(mut self, cause: Cause) -> Self {
        self.cause = Some(cause);
        self
    }

    /// Sets a fix that replaces the text at one place
    #[must_use]
    pub fn replace(mut self, span: Span, text: impl Into<String>) -> Self {
        let text = text.into();
        self.fix = Some(Fix { title: format!("change it to `{text}`"), edits: vec![(span, text)] });
        self
    }

    /// Sets a fix that deletes the text at one place
    #[must_use]
    pub fn delete(self, span: Span) -> Self {
        self.fix("delete it", vec![(span, String::new())])
    }

    /// Sets a fix of several edits, in order of place
    #[must_use]
    pub fn fix(mut self, title: impl Into<String>, edits: Vec<(Span, String)>) -> Self {
        self.fix = Some(Fix { title: title.into(), edits });
        self
    }
}

/// Replaces control and direction characters, by which a rule could rewrite its own report.
fn one_line(text: &str) -> String {
    crate::source::visible(text)
}

/// Findings of one run
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    /// The number of errors in `found`, kept because `has_errors` is called often
    errors: usize,
}

impl Diagnostics {
    /// Adds a finding
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.errors += usize::from(diagnostic.severity == Severity::Error);
        self.found.push(diagnostic);
    }

    /// Adds the findings of another part of the run
    pub fn extend(&mut self, other: Diagnostics) {
        self.errors += other.errors;
        self.found.extend(other.found);
    }

    /// Keeps only the findings for which `keep` is true
    pub fn retain(&mut self, keep: impl FnMut(&Diagnostic) -> bool) {
        self.found.retain(keep);
        self.errors = self.found.iter().filter(|one| one.severity == Severity::Error).count();
    }

    /// Drops the findings after the first `len`
    pub(crate) fn truncate(&mut self, len: usize) {
        let dropped = self.found.get(len..).into_iter().flatten();
        self.errors -= dropped.filter(|one| one.severity == Severity::Error).count();
        self.found.truncate(len);
    }

    /// The number of errors
    pub(crate) fn errors(&self) -> usize {
        self.errors
    }

    /// Whether any finding is an error
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// The findings in the order in which they were added
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter()
    }

    /// The number of findings
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether there are no findings
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The findings sorted by file and place, without duplicates
    pub fn sorted(mut self) -> Vec<Diagnostic> {
        self.found.sort_by(|a, b| {
            (a.source.name(), a.primary.span, a.code, &a.message).cmp(&(
                b.source.name(),
                b.primary.span,
                b.code,
                &b.message,
            ))
        });
        self.found.dedup();
        self.found
    }
}
