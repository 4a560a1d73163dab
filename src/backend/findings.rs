//! Refusals and warnings about one rule on one target.
//!
//! In: places and texts. Out: diagnostics at the rule's source, in the order in which they were
//! added. Losses are kept apart: see [`Session`](super::Session).

use std::collections::HashSet;

use super::Target;
use crate::diagnostic::{Cause, Code, Diagnostic, Diagnostics};
use crate::ir::{Part, Rule, Test};
use crate::source::Span;
use crate::taxonomy::Field;

/// The refusals and warnings so far
#[derive(Debug)]
pub(super) struct Findings<'r> {
    pub(super) target: Target,
    pub(super) rule: &'r Rule,
    pub(super) all: Diagnostics,
    /// Code, place and texts of each warning, against duplicates
    warned: HashSet<(Code, Span, [String; 3])>,
}

/// The cause of a refusal of a test whose field is there
pub(super) fn compared(test: &Test) -> Cause {
    let field = &test.subject.field;
    if *field == Field::EVERY {
        return Cause::Keywords;
    }
    let operator = match test.subject.part {
        Part::Time(_) => "time",
        Part::Whole | Part::Name | Part::Extension | Part::Argument(_) | Part::Key => {
            test.op.name()
        }
    };
    Cause::Operator { operator, field: field.name().to_owned() }
}

impl<'r> Findings<'r> {
    pub(super) fn new(target: Target, rule: &'r Rule) -> Self {
        Findings { target, rule, all: Diagnostics::default(), warned: HashSet::new() }
    }

    /// Refuses the rule
    pub(super) fn refuse(
        &mut self,
        (code, cause): (Code, Cause),
        span: Span,
        message: String,
        label: &str,
        help: &str,
    ) {
        let diagnostic =
            Diagnostic::new(code, &self.rule.source, span, message, label).because(cause);
        self.all.push(if help.is_empty() { diagnostic } else { diagnostic.help(help) });
    }

    /// Adds a warning; an equal warning at the same place counts once
    pub(super) fn warn(
        &mut self,
        code: Code,
        span: Span,
        message: String,
        label: &str,
        help: &str,
    ) {
        let texts = [&*message, label, help].map(ToOwned::to_owned);
        if self.warned.insert((code, span, texts)) {
            let diagnostic = Diagnostic::new(code, &self.rule.source, span, message, label);
            self.all.push(diagnostic.help(help));
        }
    }
}
