//! The rule as meant, down to its clauses.
//!
//! In: what lowering has resolved. Out: the types that every target and the engine read: a [`Rule`]
//! of [`Signal`]s of [`Clause`]s. What a clause tests stands in [`Expr`].

use std::sync::Arc;

use super::{Column, Correlation, Expr, Test, Threat};
use crate::definition::{Form, Level, Metadata, Sample, TargetSettings};
use crate::source::{SourceText, Span};
use crate::taxonomy::{EventKind, Field, Product};

/// A detection rule
#[derive(Debug, Clone)]
pub struct Rule {
    /// The file it comes from
    pub source: Arc<SourceText>,
    /// Its document
    pub span: Span,
    /// How it was written
    pub form: Form,
    /// What it says about itself
    pub metadata: Arc<Metadata>,
    /// How bad a match is when no case says otherwise
    pub level: Level,
    /// ATT&CK tactics with their techniques, in matrix order
    pub threats: Vec<Threat>,
    /// What it looks for
    pub signals: Vec<Signal>,
    /// The signal that counts only when it is new
    pub new_terms: Option<NewTerms>,
    /// What every match shows
    pub columns: Vec<Column>,
    /// What its signals mean together; each stands after those it uses
    pub correlations: Vec<Correlation>,
    /// What its author says of single targets
    pub targets: Vec<TargetSettings>,
    /// Its samples
    pub tests: Vec<Sample>,
}

/// One thing a rule looks for
#[derive(Debug, Clone)]
pub struct Signal {
    /// Its name
    pub name: String,
    /// Where the name stands
    pub span: Span,
    /// One line for people
    pub title: String,
    /// The events it looks at
    pub kind: EventKind,
    /// What Sigma's category says has happened
    pub action: Option<&'static str>,
    /// The operating system, when limited
    pub product: Option<Product>,
    /// What must hold and what must not, in the author's order
    pub clauses: Vec<Clause>,
    /// Levels of its own: the first whose test holds, else the rule's
    pub cases: Vec<(Level, Expr)>,
}

/// A part of a signal that stands on a line of its own
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Whether it must hold or must not
    pub role: Role,
    /// Who asks for it
    pub origin: ClauseOrigin,
    /// The key, selection or false positive it came from
    pub label: String,
    /// What is tested; for an exclusion, what excludes
    pub expr: Expr,
}

/// Who asks for a clause
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClauseOrigin {
    /// The log source implies it
    LogSource,
    /// The author wrote it, in the rule or in a filter for it
    Author,
}

/// What a clause does
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The event must fit
    Require,
    /// The event must not fit
    Exclude,
}

/// A signal that counts only when a combination of values is new
#[derive(Debug, Clone)]
pub struct NewTerms {
    /// Index into [`Rule::signals`]
    pub signal: usize,
    /// The fields whose values make a combination
    pub fields: Vec<Field>,
    /// How far back a combination counts as seen, in minutes
    pub window: u32,
    /// Where it was asked for
    pub span: Span,
}

impl Clause {
    /// The parts that must all hold; none for an exclusion, whose parts need not fail one by one
    pub fn conjuncts(&self) -> Vec<&Expr> {
        fn flat<'e>(expr: &'e Expr, parts: &mut Vec<&'e Expr>) {
            match expr {
                Expr::All(all) => all.iter().for_each(|part| flat(part, parts)),
                Expr::Any(_) | Expr::Not(_) | Expr::Test(_) => parts.push(expr),
            }
        }
        let mut parts = Vec::new();
        if self.role == Role::Require {
            flat(&self.expr, &mut parts);
        }
        parts
    }
}

impl Signal {
    /// The same signal where messages about it point to `span`
    pub(super) fn at(&self, span: Span) -> Signal {
        let mut signal = self.clone();
        signal.span = span;
        signal.clauses.iter_mut().for_each(|clause| clause.expr.place(span));
        signal.cases.iter_mut().for_each(|(_, expr)| expr.place(span));
        signal
    }

    /// The whole signal as one expression
    pub fn expr(&self) -> Expr {
        Expr::All(
            self.clauses
                .iter()
                .map(|clause| match clause.role {
                    Role::Require => clause.expr.clone(),
                    Role::Exclude => Expr::Not(Box::new(clause.expr.clone())),
                })
                .collect(),
        )
    }

    /// Every test of the signal, those of its levels included
    pub fn tests(&self) -> impl Iterator<Item = &Test> {
        let clauses = self.clauses.iter().map(|clause| &clause.expr);
        clauses.chain(self.cases.iter().map(|(_, expr)| expr)).flat_map(Expr::tests)
    }
}
