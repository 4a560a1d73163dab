//! What rulecast says about a rule: a code, a place, a reason and a fix.
//!
//! In: mistakes and losses found by any later room. Out: [`Diagnostic`] values, which the
//! writers in this room turn into text, JSON, SARIF or GitHub lines. No writer decides what is
//! worth saying, and no other room knows how it is shown.

mod code;
mod concise;
mod github;
mod json;
#[cfg(feature = "cli")]
mod render;
mod sarif;

use std::sync::Arc;

pub use code::Code;
pub use concise::concise;
pub use github::github;
pub use json::json;
#[cfg(feature = "cli")]
pub use render::full;
pub use sarif::sarif;

use crate::source::{SourceText, Span};

/// How bad a finding is
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The rule works, and still somebody should look
    Warning,
    /// The rule, or this output of it, is refused
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

/// A change that would mend the finding
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// What the change does, such as "change it to `contains`"
    pub title: String,
    /// The replacement texts, in order of place, not overlapping
    pub edits: Vec<(Span, String)>,
}

/// One finding
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The number it is known by
    pub code: Code,
    /// Error or warning
    pub severity: Severity,
    /// One line, lower case, no final period, user text in backticks
    pub message: String,
    /// The file the places are in
    pub source: Arc<SourceText>,
    /// The one place to look first
    pub primary: Label,
    /// Places that explain
    pub secondary: Vec<Label>,
    /// Sentences of background
    pub notes: Vec<String>,
    /// One sentence of advice
    pub help: Option<String>,
    /// A mechanical change, where there is one
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// A finding with the severity its code has
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

    /// Sets the advice
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.help = Some(one_line(&text.into()));
        self
    }

    /// Sets a fix that replaces the text at one place
    #[must_use]
    pub fn replace(mut self, span: Span, text: impl Into<String>) -> Self {
        let text = text.into();
        self.fix = Some(Fix { title: format!("change it to `{text}`"), edits: vec![(span, text)] });
        self
    }

    /// Sets a fix that takes away the text at one place
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

/// Control and direction-changing characters would let a rule rewrite the report about it.
fn one_line(text: &str) -> String {
    crate::source::visible(text)
}

/// Findings of one run
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    found: Vec<Diagnostic>,
    /// How many of them are errors, which is asked again and again
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

    /// Keeps the findings of which this is true
    pub fn retain(&mut self, keep: impl FnMut(&Diagnostic) -> bool) {
        self.found.retain(keep);
        self.errors = self.found.iter().filter(|one| one.severity == Severity::Error).count();
    }

    /// Whether a finding refuses the rule
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// The findings in the order they were made
    pub fn iter(&self) -> impl Iterator<Item = &Diagnostic> {
        self.found.iter()
    }

    /// How many there are
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Whether there is none
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// The findings by file and place, each once
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
