//! The context in which keys and their values are lowered.
//!
//! In: a signal, then a key of it. Out: the [`Scope`] that all entries of the signal share, the
//! [`Meaning`] of the key's name, and the [`Reading`] of its values. Nothing is lowered here.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Case, Expr, Op, Part, Subject, Test};
use crate::definition::vocabulary;
use crate::definition::{Key, List, Modifier, Placeholders};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{SourceText, Span};
use crate::taxonomy::{EventKind, Field, FieldType, Product};

/// What the entries of one signal share
pub(super) struct Scope<'a> {
    pub(super) source: &'a Arc<SourceText>,
    pub(super) lists: &'a [List],
    /// The lists by name
    pub(super) named: &'a HashMap<&'a str, &'a List>,
    pub(super) placeholders: &'a Placeholders,
    pub(super) kind: &'a EventKind,
    pub(super) product: Option<Product>,
    /// Whether a field that the kind is not known to have may still be there, as in Sigma
    pub(super) open: bool,
    /// The number of tests in the expanded condition so far
    pub(super) size: usize,
    /// The number of texts that values have expanded to so far
    pub(super) texts: usize,
    /// Bytes of these texts
    pub(super) bytes: usize,
    pub(super) used: &'a mut HashSet<String>,
    pub(super) diagnostics: &'a mut Diagnostics,
}

impl Scope<'_> {
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    pub(super) fn error(&mut self, code: Code, span: Span, message: String, label: &str) {
        self.report(Diagnostic::new(code, self.source, span, message, label));
    }
}

/// The meaning of a key's name
pub(super) struct Meaning {
    pub(super) field: Field,
    /// Type of the field's values on this kind of event
    pub(super) kind: FieldType,
    /// Whether a value of another type is compared as text, as in Sigma
    pub(super) open: bool,
    /// How a vocabulary word reads its values; `None` for a field
    pub(super) reading: Option<vocabulary::Reading>,
}

/// How a key reads its values
pub(super) struct Reading<'a> {
    pub(super) key: &'a Key,
    pub(super) meaning: &'a Meaning,
    pub(super) list: Option<String>,
}

impl Reading<'_> {
    pub(super) fn has(&self, modifier: Modifier) -> bool {
        self.key.modifier(modifier).is_some()
    }

    pub(super) fn case(&self) -> Case {
        if self.has(Modifier::Cased) { Case::Sensitive } else { Case::Insensitive }
    }

    pub(super) fn test(&self, part: Part, op: Op, span: Span) -> Expr {
        let subject = Subject { field: self.meaning.field.clone(), part };
        Expr::Test(Test { subject, op, list: self.list.clone(), span })
    }
}
