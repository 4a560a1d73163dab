//! Signals that cannot match, and exclusions without an effect.
//!
//! In: a lowered signal. Out: warnings at the words: two tests that no value passes, an exclusion
//! that takes every event of the signal, and one that takes none. Only tests for whole values are
//! compared, and only on events whose fields have one value, so that a warning is never wrong.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Expr, Part, Relation, Role, Signal, Subject, Test, TextTest};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::pattern::fold_text;
use crate::source::SourceText;
use crate::taxonomy::EventKind;

/// A test that a field has one of some values
struct Needed<'s> {
    test: &'s Test,
    values: BTreeSet<String>,
}

/// Reports the tests and exclusions of signals that cannot do what they say
pub(super) fn report(signals: &[Signal], source: &Arc<SourceText>, diagnostics: &mut Diagnostics) {
    signals.iter().for_each(|signal| report_one(signal, source, diagnostics));
}

fn report_one(signal: &Signal, source: &Arc<SourceText>, diagnostics: &mut Diagnostics) {
    // Fields of alerts and of other logs may have several values at once.
    if matches!(signal.kind, EventKind::SecurityAlert | EventKind::Log(_)) {
        return;
    }
    let conjuncts = signal.clauses.iter().flat_map(super::Clause::conjuncts);
    let needed: Vec<Needed<'_>> = conjuncts.filter_map(needed).collect();
    for (at, later) in needed.iter().enumerate() {
        let same = |one: &&Needed<'_>| one.test.subject == later.test.subject;
        let earlier = needed[..at].iter().filter(same);
        if let Some(first) = earlier.into_iter().find(|one| one.values.is_disjoint(&later.values)) {
            let field = &later.test.subject.field;
            let message = format!("no value of {field} passes both tests, so nothing matches");
            let diagnostic =
                Diagnostic::new(Code::W0235, source, later.test.span, message, "and this test");
            diagnostics.push(diagnostic.also(first.test.span, "this test"));
        }
    }
    for clause in signal.clauses.iter().filter(|clause| clause.role == Role::Exclude) {
        let Some(first) = clause.expr.tests().into_iter().next() else { continue };
        if takes_all(&clause.expr, &needed) {
            let message = "this exclusion takes every event of the signal, so nothing matches";
            let diagnostic =
                Diagnostic::new(Code::W0236, source, first.span, message, "takes them all");
            diagnostics.push(diagnostic.help("Exclude less, or leave the signal out."));
        } else if takes_none(&clause.expr, &needed) {
            let message = "this exclusion takes no event of the signal";
            let diagnostic =
                Diagnostic::new(Code::W0237, source, first.span, message, "takes none");
            diagnostics.push(diagnostic.help("Delete it, or exclude what the signal can match."));
        }
    }
}

/// The values that a test for whole values needs
fn needed(expr: &Expr) -> Option<Needed<'_>> {
    let test = expr.as_test()?;
    let text = test.op.as_text().filter(|text| text.relation == Relation::Equals)?;
    let is_single = matches!(test.subject.part, Part::Whole | Part::Name | Part::Extension);
    let values: BTreeSet<String> = text.literals().map(fold_text).collect();
    let all = is_single && !values.is_empty() && text.literals().count() == text.values.len();
    all.then_some(Needed { test, values })
}

/// Whether every event with the needed values passes an expression
fn takes_all(expr: &Expr, needed: &[Needed<'_>]) -> bool {
    match expr {
        Expr::All(parts) => !parts.is_empty() && parts.iter().all(|part| takes_all(part, needed)),
        Expr::Any(parts) => parts.iter().any(|part| takes_all(part, needed)),
        Expr::Not(_) => false,
        Expr::Test(test) => of(needed, &test.subject).any(|one| {
            test.op.as_text().is_some_and(|text| one.values.iter().all(|value| fits(text, value)))
        }),
    }
}

/// Whether no event with the needed values passes an expression
fn takes_none(expr: &Expr, needed: &[Needed<'_>]) -> bool {
    match expr {
        Expr::All(parts) => parts.iter().any(|part| takes_none(part, needed)),
        Expr::Any(parts) => !parts.is_empty() && parts.iter().all(|part| takes_none(part, needed)),
        Expr::Not(_) => false,
        Expr::Test(test) => self::needed(expr).is_some_and(|own| {
            of(needed, &test.subject).any(|one| one.values.is_disjoint(&own.values))
        }),
    }
}

fn of<'n, 's>(
    needed: &'n [Needed<'s>],
    subject: &'n Subject,
) -> impl Iterator<Item = &'n Needed<'s>> {
    needed.iter().filter(move |one| one.test.subject == *subject)
}

/// Whether a folded value surely passes a text test; a test that counts letter case or has
/// wildcards inside may be passed by it or not
fn fits(text: &TextTest, value: &str) -> bool {
    let mut literals = text.literals().map(fold_text);
    text.folds() && literals.any(|literal| text.relation.holds(value, &literal))
}
