//! One rule on its way to one target.
//!
//! In: losses, refusals and warnings. Out: diagnostics, and the sentences that artifacts write into
//! their own descriptions. A backend plans with a [`Session`], closes it, and prints with the
//! [`Closed`] form.
//!
//! INVARIANT: no artifact misses a loss. Only a [`Session`] takes losses, and only [`Closed`] gives
//! sentences.

use std::collections::HashSet;

use serde::Serialize;

use super::findings::Findings;
use super::losses::{finding, needless};
use super::template::Failed;
use super::{Policy, Target, Weight};
use crate::definition::{Setting, Settings};
use crate::diagnostic::{Cause, Code, Diagnostics};
use crate::ir::Rule;
use crate::manifest::{Direction, Loss, LossName};
use crate::mapping::{Mappings, Order};
use crate::source::Span;

/// The planning of one rule for one target
#[derive(Debug)]
pub(super) struct Session<'r> {
    closed: Closed<'r>,
    /// The signal that is being planned
    signal: String,
    /// Whether the current test is under an even number of negations
    positive: bool,
    /// The losses as a set, against duplicates
    known: HashSet<Loss>,
}

/// A planned rule: refusals and warnings may follow, losses may not
#[derive(Debug)]
pub(super) struct Closed<'r> {
    policy: &'r Policy,
    findings: Findings<'r>,
    losses: Vec<Loss>,
    /// Signals and correlations under `without:` of this target
    without: Vec<String>,
}

impl<'r> Session<'r> {
    /// A session without losses; `without` names what the author leaves out on this target
    pub(super) fn new(
        (target, policy): (Target, &'r Policy),
        rule: &'r Rule,
        without: &[&str],
    ) -> Self {
        let without = without.iter().map(ToString::to_string).collect();
        let findings = Findings::new(target, rule);
        let closed = Closed { policy, findings, losses: Vec::new(), without };
        Session { closed, signal: String::new(), positive: true, known: HashSet::new() }
    }

    /// Ends the planning: from here on no loss is noted
    pub(super) fn close(self) -> Closed<'r> {
        self.closed
    }

    /// The settings of this target; empty when the rule has none
    pub(super) fn settings(&self) -> Settings {
        let Findings { rule, target, .. } = &self.closed.findings;
        rule.settings_for(target.name()).cloned().unwrap_or_default()
    }

    /// The mappings of the run
    pub(super) fn mappings(&self) -> &'r Mappings {
        &self.closed.policy.mappings
    }

    /// The order in which the rule asks the mappings
    pub(super) fn order(&self) -> Order {
        let asked = &self.closed.policy.asked;
        if !asked.is_empty() {
            return Order::Named(asked.clone());
        }
        match self.settings().get("mappings") {
            Some(Setting::Text(name)) => Order::Named(vec![name.value.clone()]),
            Some(Setting::Texts(names)) => {
                Order::Named(names.iter().map(|name| name.value.clone()).collect())
            }
            Some(Setting::Settings(_)) | None => Order::Usual,
        }
    }

    /// Plans a part with the first candidate that can say it, or with the one that comes closest
    ///
    /// A candidate cannot say what is refused or lost by a loss that is denied. Only the findings of
    /// the candidate that is taken are kept.
    pub(super) fn best_of<C: Copy, T>(
        &mut self,
        candidates: impl IntoIterator<Item = C>,
        mut plan: impl FnMut(&mut Self, C) -> T,
    ) -> Option<(C, T)> {
        let (errors, findings) =
            (self.closed.findings.all.errors(), self.closed.findings.all.len());
        let losses = self.closed.losses.len();
        let mut candidates = candidates.into_iter();
        let mut next = candidates.next();
        let mut closest: Option<((usize, usize), C)> = None;
        while let Some(candidate) = next {
            let planned = plan(self, candidate);
            let refused = self.closed.findings.all.errors() - errors;
            let missed = (refused, self.closed.denied(losses));
            // To ask for the next candidate may take reading its mapping.
            next = if missed == (0, 0) { None } else { candidates.next() };
            if missed == (0, 0) || (next.is_none() && closest.is_none()) {
                return Some((candidate, planned));
            }
            self.roll_back(findings, losses);
            if closest.is_none_or(|(least, _)| missed < least) {
                closest = Some((missed, candidate));
            }
        }
        let (_, candidate) = closest?;
        Some((candidate, plan(self, candidate)))
    }

    /// Plans a part in a way that may not do; its findings are kept only if it does
    pub(super) fn attempt<T>(
        &mut self,
        plan: impl FnOnce(&mut Self) -> T,
        does: impl FnOnce(&T) -> bool,
    ) -> Option<T> {
        let (findings, losses) = (self.closed.findings.all.len(), self.closed.losses.len());
        let planned = plan(self);
        if does(&planned) {
            return Some(planned);
        }
        self.roll_back(findings, losses);
        None
    }

    /// Plans a part in a way that may do only if it notes no finding, and no loss but such as values
    /// show that sensors hardly write
    pub(super) fn without_more<T>(
        &mut self,
        plan: impl FnOnce(&mut Self) -> Option<T>,
    ) -> Option<T> {
        let (findings, losses) = (self.closed.findings.all.len(), self.closed.losses.len());
        let planned = plan(self);
        let mut lost = self.closed.losses.iter().skip(losses);
        let more = self.closed.findings.all.len() > findings || lost.any(|loss| !loss.rare);
        let planned = planned.filter(|_| !more);
        if planned.is_none() {
            self.roll_back(findings, losses);
        }
        planned
    }

    /// Forgets the findings and the losses after the first ones
    fn roll_back(&mut self, findings: usize, losses: usize) {
        self.closed.findings.all.truncate(findings);
        for loss in self.closed.losses.drain(losses..) {
            self.known.remove(&loss);
        }
    }

    /// The target's name
    pub(super) fn target(&self) -> &'static str {
        self.closed.target()
    }

    /// Sets the signal that the next losses belong to
    pub(super) fn enter(&mut self, signal: &str) {
        signal.clone_into(&mut self.signal);
    }

    /// Plans a part of an expression that is under one more negation
    pub(super) fn negated<T>(&mut self, plan: impl FnOnce(&mut Self) -> T) -> T {
        self.positive = !self.positive;
        let planned = plan(self);
        self.positive = !self.positive;
        planned
    }

    /// Whether the current test is under an even number of negations
    pub(super) fn is_positive(&self) -> bool {
        self.positive
    }

    /// Notes a loss; an equal loss at the same place counts once
    ///
    /// `direction` is that of the test itself, and is flipped under a negation.
    pub(super) fn lose(&mut self, name: LossName, direction: Direction, span: Span, reason: &str) {
        self.note(name, direction, span, reason, false);
    }

    /// Notes a loss that only values show which sensors hardly write
    pub(super) fn lose_rarely(
        &mut self,
        name: LossName,
        direction: Direction,
        span: Span,
        reason: &str,
    ) {
        self.note(name, direction, span, reason, true);
    }

    fn note(&mut self, name: LossName, direction: Direction, span: Span, reason: &str, rare: bool) {
        let direction = if self.positive { direction } else { direction.flipped() };
        let (reason, signal) = (reason.to_owned(), self.signal.clone());
        let loss = Loss { name, direction, reason, span, signal, rare };
        if self.known.insert(loss.clone()) {
            self.closed.losses.push(loss);
        }
    }

    /// Refuses the rule under the target's general code: the target cannot express it
    pub(super) fn refuse(
        &mut self,
        cause: Cause,
        span: Span,
        message: String,
        label: &str,
        help: &str,
    ) {
        self.closed.refuse(cause, span, message, label, help);
    }

    /// Refuses the rule for a reason with a code of its own
    pub(super) fn refuse_with(
        &mut self,
        why: (Code, Cause),
        span: Span,
        message: String,
        label: &str,
        help: &str,
    ) {
        self.closed.refuse_with(why, span, message, label, help);
    }
}

impl Closed<'_> {
    /// The mappings of the run
    pub(super) fn mappings(&self) -> &Mappings {
        &self.policy.mappings
    }

    /// The number of denied losses after the first `from`
    fn denied(&self, from: usize) -> usize {
        let Findings { target, rule, .. } = self.findings;
        let weigh = |loss: &&Loss| self.policy.weight(loss, target, rule) == Weight::Deny;
        self.losses.iter().skip(from).filter(weigh).count()
    }

    /// The target's name
    pub(super) fn target(&self) -> &'static str {
        self.findings.target.name()
    }

    /// Refuses the rule under the target's general code: the target cannot express it
    pub(super) fn refuse(
        &mut self,
        cause: Cause,
        span: Span,
        message: String,
        label: &str,
        help: &str,
    ) {
        let code = self.findings.target.refusal();
        self.refuse_with((code, cause), span, message, label, help);
    }

    /// Refuses the rule for a reason with a code of its own
    pub(super) fn refuse_with(
        &mut self,
        why: (Code, Cause),
        span: Span,
        message: String,
        label: &str,
        help: &str,
    ) {
        self.findings.refuse(why, span, message, label, help);
    }

    /// The text that a template makes of a view; refuses the rule where it fails
    pub(super) fn render(&mut self, name: &str, view: &impl Serialize) -> Option<String> {
        match self.policy.templates.render(name, view) {
            Ok(text) => return Some(text),
            Err(Failed::Ours(why)) => {
                let span = self.findings.rule.metadata.title.span;
                let message = format!("a template failed: {why}");
                self.refuse(Cause::File, span, message, "while emitting", "This is a bug.");
            }
            Err(Failed::Theirs(diagnostic)) => {
                let title = &self.findings.rule.metadata.title.value;
                let diagnostic = diagnostic.note(format!("while `{title}` is emitted"));
                self.findings.all.push(diagnostic.because(Cause::File));
            }
        }
        None
    }

    /// Adds a warning; the rule is still emitted
    pub(super) fn warn(
        &mut self,
        code: Code,
        span: Span,
        message: String,
        label: &str,
        help: &str,
    ) {
        self.findings.warn(code, span, message, label, help);
    }

    /// One sentence for each loss, for an artifact's own description
    pub(super) fn sentences(&self) -> Vec<String> {
        self.sentences_where(|_| true)
    }

    /// One sentence for each loss of one signal
    pub(super) fn sentences_of(&self, signal: &str) -> Vec<String> {
        self.sentences_where(|loss| loss.signal == signal)
    }

    fn sentences_where(&self, is_meant: impl Fn(&Loss) -> bool) -> Vec<String> {
        let meant = self.losses.iter().filter(|loss| is_meant(loss));
        let mut sentences: Vec<String> = meant.map(Loss::sentence).collect();
        sentences.sort();
        sentences.dedup();
        if !self.without.is_empty() {
            let names = self.without.join(", ");
            sentences.push(format!("Not part of this output: {names}."));
        }
        sentences
    }

    /// The losses, and all diagnostics: refusals, losses that are more than notes, and needless
    /// accepts
    pub(super) fn finish(self) -> (Vec<(Loss, Weight)>, Diagnostics) {
        let Closed { policy, findings: Findings { target, rule, mut all, .. }, losses, .. } = self;
        let said = rule.said_of(target.name()).into_iter();
        let weigh = |loss: Loss| {
            let weight = policy.weight(&loss, target, rule);
            (loss, weight)
        };
        let losses: Vec<(Loss, Weight)> = losses.into_iter().map(weigh).collect();
        for (loss, weight) in &losses {
            if let Some(finding) = finding(loss, *weight, target, rule) {
                all.push(finding);
            }
        }
        for name in said.flat_map(|said| &said.accept) {
            if let Some(needless) = needless(rule, name, &losses) {
                all.push(needless);
            }
        }
        (losses, all)
    }
}
