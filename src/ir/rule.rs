//! The types of a lowered rule.
//!
//! In: nothing; these are types. Out: a [`Rule`] of [`Signal`]s of [`Clause`]s, which every target
//! and the engine read. The tests of a clause are an [`Expr`].

use std::sync::Arc;

use super::{Column, Correlation, Expr, Op, Test, Threat};
use crate::definition::{Form, Level, Metadata, Sample, Settings, TargetSettings};
use crate::source::{SourceText, Span, Spanned};
use crate::taxonomy::{EventKind, Field, Log, Product};

/// A detection rule
#[derive(Debug, Clone)]
pub struct Rule {
    /// The file it comes from
    pub source: Arc<SourceText>,
    /// Span of its document in the file
    pub span: Span,
    /// Whether it was written as a definition or in a form of Sigma's
    pub form: Form,
    /// Title, id, level, ATT&CK names and the other facts about the rule
    pub metadata: Arc<Metadata>,
    /// Severity of a match, unless a case of the signal sets another
    pub level: Level,
    /// ATT&CK tactics with their techniques, in matrix order
    pub threats: Vec<Threat>,
    /// The signals, each for one kind of event
    pub signals: Vec<Signal>,
    /// The signal that matches only with new values, if any
    pub new_terms: Option<NewTerms>,
    /// The columns that every match shows
    pub columns: Vec<Column>,
    /// Correlations of its signals, each after the correlations it uses
    pub correlations: Vec<Correlation>,
    /// The author's settings for single targets
    pub targets: Vec<TargetSettings>,
    /// Samples with the expected result of each
    pub tests: Vec<Sample>,
}

/// One kind of event that a rule looks for, with the clauses that the event must pass
#[derive(Debug, Clone)]
pub struct Signal {
    /// Name that correlations, samples and settings refer to
    pub name: String,
    /// What results show for it: the name that its author gave it, or else its title
    pub shown: String,
    /// Span of the name
    pub span: Span,
    /// The UUID that its author gave it; a target's rule for it keeps this when the name changes
    pub id: Option<Spanned<String>>,
    /// Title, one line
    pub title: String,
    /// The events it looks at
    pub kind: EventKind,
    /// The log that these events must be in as well, when limited
    pub log: Option<Log>,
    /// The action that Sigma's category implies, such as `created`
    pub action: Option<&'static str>,
    /// The operating system, when limited
    pub product: Option<Product>,
    /// Required and excluded clauses, in the author's order
    pub clauses: Vec<Clause>,
    /// Levels with a test each: the first whose test holds applies, else the rule's level
    pub cases: Vec<(Level, Expr)>,
}

/// A part of a signal that stands on a line of its own
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Clause {
    /// Whether the event must fit or must not
    pub role: Role,
    /// Who asks for it
    pub origin: ClauseOrigin,
    /// The key, selection or false positive it came from
    pub label: String,
    /// The test; for an exclusion, events that fit it are left out
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

/// Whether a clause requires or excludes
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The event must fit
    Require,
    /// The event must not fit
    Exclude,
}

/// A signal that matches only when a combination of values is new
#[derive(Debug, Clone)]
pub struct NewTerms {
    /// Index into [`Rule::signals`]
    pub signal: usize,
    /// The fields whose values make a combination
    pub fields: Vec<Field>,
    /// How far back a combination counts as seen, in minutes
    pub window: u32,
    /// Span of `new_terms` in the definition
    pub span: Span,
}

impl Clause {
    /// The parts that must all hold; empty for an exclusion, where one part that fails is enough
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

impl Rule {
    /// Whether one of its tests is a regular expression
    pub fn asks_regex(&self) -> bool {
        let mut tests = self.signals.iter().flat_map(Signal::tests);
        tests.any(|test| matches!(test.op, Op::Regex(_)))
    }

    /// What the author says about a target; `None` where nothing is said
    pub fn said_of(&self, target: &str) -> Option<&TargetSettings> {
        self.targets.iter().find(|said| said.target.value == target)
    }

    /// The author's settings for a target; `None` without any
    pub fn settings_for(&self, target: &str) -> Option<&Settings> {
        self.said_of(target).map(|said| &said.settings)
    }
}

impl Signal {
    /// Whether it looks at events of every operating system, and such events can be of several
    pub(crate) fn is_of_any_product(&self) -> bool {
        self.product.is_none() && !matches!(self.kind, EventKind::Log(_) | EventKind::RegistryEvent)
    }

    /// A copy of the signal with every span set to `span`, for messages
    pub(super) fn at(&self, span: Span) -> Signal {
        let mut signal = self.clone();
        signal.span = span;
        signal.clauses.iter_mut().for_each(|clause| clause.expr.place(span));
        signal.cases.iter_mut().for_each(|(_, expr)| expr.place(span));
        signal
    }

    /// Its events in words, for messages
    pub(crate) fn events(&self) -> String {
        match &self.log {
            Some(log) => format!("{} events in {log}", self.kind),
            None => format!("{} events", self.kind),
        }
    }

    /// Whether every event of the signal is of a log source
    pub(super) fn is_of(
        &self,
        (kind, log): (&EventKind, Option<&Log>),
        product: Option<Product>,
    ) -> bool {
        let in_log = || {
            let mut logs = self.log.iter().cloned().map(EventKind::Log);
            logs.any(|log| kind.takes(&log, self.product))
        };
        let of_kind = kind.takes(&self.kind, self.product) || in_log();
        of_kind
            && (log.is_none() || log == self.log.as_ref())
            && (product.is_none() || product == self.product)
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

    /// Every field that its tests read, as often as they do
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.tests().flat_map(Test::fields)
    }
}
