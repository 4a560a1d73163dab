//! Losses: differences between a rule and its form on a target.
//!
//! In: losses, refusals and warnings that a backend notes while it plans. Out: diagnostics, and
//! the sentences that artifacts write into their own descriptions. A loss that may miss events is
//! an error, and a loss that may match more is a warning; the author accepts either by name.

use std::collections::HashSet;
use std::fmt;

use super::Target;
use crate::definition::{Settings, nearest_name};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::Rule;
use crate::source::Span;

/// Whether a loss adds matches or drops them
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Direction {
    /// May match events that the rule does not
    Wider,
    /// May miss events that the rule matches
    Narrower,
}

impl Direction {
    /// The direction of a loss in the whole rule: flipped when the lossy test is under a negation
    #[must_use]
    pub fn flip_unless(self, positive: bool) -> Direction {
        match (self, positive) {
            (direction, true) => direction,
            (Direction::Wider, false) => Direction::Narrower,
            (Direction::Narrower, false) => Direction::Wider,
        }
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Direction::Wider => "wider",
            Direction::Narrower => "narrower",
        })
    }
}

macro_rules! losses {
    ($($variant:ident $name:literal $says:literal),* $(,)?) => {
        /// A kind of loss; authors accept it by its name
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum LossName { $(#[doc = $says] $variant),* }

        impl LossName {
            /// Every kind of loss, by name
            pub const ALL: &[LossName] = &[$(LossName::$variant),*];

            /// The name under `accept:`
            pub fn name(self) -> &'static str {
                match self { $(LossName::$variant => $name),* }
            }

            /// One line about the loss, for lists
            pub fn says(self) -> &'static str {
                match self { $(LossName::$variant => $says),* }
            }
        }
    };
}

losses! {
    Actions "actions" "what happened to a file or a registry key is known less exactly",
    Case "case" "letters beyond ASCII compare with their case",
    Empty "empty" "an empty value and a missing one are the same",
    Encoding "encoding" "a pipeline decodes text before it is compared",
    Inbound "inbound" "connections that the host took are left out",
    LevelCases "levels" "one severity for all matches of the rule",
    LongValue "long_value" "values longer than 1,024 characters are not indexed",
    Product "product" "events of every operating system are searched",
    Repeats "repeats" "what is known already is reported again",
}

/// A loss of one signal at one place
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Loss {
    /// The kind of loss
    pub name: LossName,
    /// Whether it adds matches or drops them
    pub direction: Direction,
    /// The difference in words, as a clause without a period
    pub reason: String,
    /// The value, key or signal that causes it
    pub span: Span,
    /// The name of the signal that was being planned
    pub signal: String,
}

/// The losses and refusals of one rule on one target
#[derive(Debug)]
pub struct Losses<'r> {
    target: Target,
    rule: &'r Rule,
    signal: String,
    losses: Vec<Loss>,
    /// The same losses as a set, against duplicates
    known: HashSet<Loss>,
    refusals: Diagnostics,
    /// Code, place and texts of each warning, against duplicates
    warned: HashSet<(Code, Span, [String; 3])>,
    /// Signals and correlations under `without:` of this target
    without: Vec<String>,
}

impl<'r> Losses<'r> {
    /// An empty record for one rule on one target
    pub fn new(target: Target, rule: &'r Rule) -> Self {
        Losses {
            target,
            rule,
            signal: String::new(),
            losses: Vec::new(),
            known: HashSet::new(),
            refusals: Diagnostics::default(),
            warned: HashSet::new(),
            without: Vec::new(),
        }
    }

    /// Notes signals and correlations that the author leaves out on this target
    pub fn go_without(&mut self, names: &[&str]) {
        self.without = names.iter().map(ToString::to_string).collect();
    }

    /// The settings of this target; empty when the rule has none
    pub(super) fn settings(&self) -> Settings {
        let said = self.rule.targets.iter().find(|said| said.target.value == self.target.name());
        said.map(|said| said.settings.clone()).unwrap_or_default()
    }

    /// The target's name
    pub fn target(&self) -> &'static str {
        self.target.name()
    }

    /// Sets the signal that the next losses belong to
    pub fn enter(&mut self, signal: &str) {
        signal.clone_into(&mut self.signal);
    }

    /// Notes a loss; an equal loss at the same place counts once
    pub fn lose(&mut self, name: LossName, direction: Direction, span: Span, reason: &str) {
        let (reason, signal) = (reason.to_owned(), self.signal.clone());
        let loss = Loss { name, direction, reason, span, signal };
        if self.known.insert(loss.clone()) {
            self.losses.push(loss);
        }
    }

    /// Refuses the rule under the target's general code: the target cannot express it
    pub fn refuse(&mut self, span: Span, message: String, label: &str, help: &str) {
        self.refuse_with(self.target.refusal(), span, message, label, help);
    }

    /// Refuses the rule for a reason with a code of its own
    pub fn refuse_with(
        &mut self,
        code: Code,
        span: Span,
        message: String,
        label: &str,
        help: &str,
    ) {
        let found = Diagnostic::new(code, &self.rule.source, span, message, label);
        self.refusals.push(if help.is_empty() { found } else { found.help(help) });
    }

    /// Adds a warning; the rule is still emitted
    pub fn warn(&mut self, code: Code, span: Span, message: String, label: &str, help: &str) {
        let texts = [&*message, label, help].map(ToOwned::to_owned);
        if self.warned.insert((code, span, texts)) {
            let found = Diagnostic::new(code, &self.rule.source, span, message, label);
            self.refusals.push(found.help(help));
        }
    }

    /// The losses noted so far, in order
    pub fn noted(&self) -> &[Loss] {
        &self.losses
    }

    /// One sentence for each loss, for an artifact's own description
    pub fn sentences(&self) -> Vec<String> {
        self.with_gaps(sentences(self.losses.iter()))
    }

    /// One sentence for each loss of one signal
    pub fn sentences_of(&self, signal: &str) -> Vec<String> {
        self.with_gaps(sentences(self.losses.iter().filter(|loss| loss.signal == signal)))
    }

    fn with_gaps(&self, mut sentences: Vec<String>) -> Vec<String> {
        if !self.without.is_empty() {
            let names = self.without.join(", ");
            sentences.push(format!("Not part of this output: {names}."));
        }
        sentences
    }

    /// All diagnostics: refusals, losses that the author does not accept, and needless accepts
    pub fn finish(self) -> Diagnostics {
        let Losses { target, rule, losses, refusals, .. } = self;
        let mut found = refusals;
        let said = rule.targets.iter().filter(|said| said.target.value == target.name());
        let accepted: Vec<_> = said.flat_map(|said| &said.accept).collect();
        let names: HashSet<&str> = accepted.iter().map(|one| one.value.as_str()).collect();
        let lost: HashSet<&str> = losses.iter().map(|loss| loss.name.name()).collect();
        for loss in &losses {
            let name = loss.name.name();
            if names.contains(name) {
                continue;
            }
            let (code, verb) = match (loss.direction, target) {
                (Direction::Narrower, Target::Elastic) => (Code::E0604, "miss events"),
                (Direction::Narrower, _) => (Code::E0504, "miss events"),
                (Direction::Wider, Target::Elastic) => (Code::W0605, "match more"),
                (Direction::Wider, _) => (Code::W0505, "match more"),
            };
            let message = format!("on {} this may {verb}: {}", target.name(), loss.reason);
            let label = format!("loss `{name}`, {}", loss.direction);
            let found_loss = Diagnostic::new(code, &rule.source, loss.span, message, label);
            let help =
                format!("Accept it with `targets: {{{}: {{accept: [{name}]}}}}`.", target.name());
            found.push(found_loss.help(help));
        }
        for accepted in accepted {
            let known = LossName::ALL.iter().map(|loss| loss.name());
            let message = format!("no loss is called `{}`", accepted.value);
            let source = &rule.source;
            if !known.clone().any(|name| name == accepted.value) {
                let unknown =
                    Diagnostic::new(Code::E0112, source, accepted.span, message, "unknown word");
                found.push(match nearest_name(&accepted.value, known) {
                    Some(near) => unknown.replace(accepted.span, near),
                    None => unknown,
                });
            } else if !lost.contains(accepted.value.as_str()) {
                let message = format!("this rule has no loss `{}` here", accepted.value);
                let unneeded =
                    Diagnostic::new(Code::W0406, source, accepted.span, message, "not needed");
                found.push(unneeded);
            }
        }
        found
    }
}

fn sentences<'l>(losses: impl Iterator<Item = &'l Loss>) -> Vec<String> {
    let sentence = |loss: &Loss| match loss.direction {
        Direction::Wider => format!("May match more than the definition: {}.", loss.reason),
        Direction::Narrower => format!("May miss events: {}.", loss.reason),
    };
    let mut lines: Vec<String> = losses.map(sentence).collect();
    lines.sort();
    lines.dedup();
    lines
}
