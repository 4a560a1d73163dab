//! What a project has decided: what losses weigh, and its mappings.
//!
//! In: decisions of a rule's author, of a project and of a run. Out: the [`Weight`] of each loss.
//! Without a decision, a loss that cannot matter outside an attack on the index, that the table
//! implies, or that only values show which sensors hardly write, is a note; a loss that may miss events
//! is denied; a loss that may match more is a warning.

use super::Target;
use super::template::Templates;
use crate::ir::Rule;
use crate::manifest::{Direction, Loss, LossName};
use crate::mapping::Mappings;

/// How much a loss weighs
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Weight {
    /// Said in the artifact and counted, no more
    Note,
    /// A warning
    Warn,
    /// An error: the rule is refused on the target
    Deny,
}

impl Weight {
    /// Every weight, the lightest first
    pub const ALL: [Weight; 3] = [Weight::Note, Weight::Warn, Weight::Deny];

    /// Its name in settings
    pub fn name(self) -> &'static str {
        match self {
            Weight::Note => "note",
            Weight::Warn => "warn",
            Weight::Deny => "deny",
        }
    }

    /// The weight of a loss for which nobody has decided anything
    pub fn usual(loss: &Loss) -> Weight {
        match (loss.name, loss.direction) {
            _ if loss.rare => Weight::Note,
            (LossName::LongValue | LossName::Product, _) => Weight::Note,
            // No sequence is without them, and a group still has its alert.
            (LossName::Alerts | LossName::Keys | LossName::Late | LossName::Ties, _) => {
                Weight::Note
            }
            // A row of a table has every column, so that no sensor's event shows the difference; the
            // words of a text are all that an index has of it.
            (LossName::Empty | LossName::Words, _) => Weight::Warn,
            (_, Direction::Wider) => Weight::Warn,
            (_, Direction::Narrower) => Weight::Deny,
        }
    }
}

/// The decisions of a project and of a run
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// The mappings that rules may ask
    pub mappings: Mappings,
    /// The names of the only mappings that a run asks, in order; those that settings name when empty
    pub asked: Vec<String>,
    /// In the order in which they were made: of those about a loss the last one holds
    pub decisions: Vec<Decision>,
    /// The templates that lay out artifacts
    pub templates: Templates,
}

/// What some losses weigh
#[derive(Debug, Clone)]
pub struct Decision {
    /// The kinds of loss; every kind when empty
    pub losses: Vec<LossName>,
    /// The targets; every target when empty
    pub targets: Vec<Target>,
    /// The files of the rules
    pub files: Files,
    /// The weight
    pub weight: Weight,
}

/// Which files of rules a decision is about
#[derive(Debug, Clone, Default)]
pub enum Files {
    /// Every file
    #[default]
    All,
    /// The files with these names, as findings name them
    Named(std::sync::Arc<std::collections::BTreeSet<String>>),
}

impl Files {
    /// Whether a file is one of them
    pub fn hold(&self, name: &str) -> bool {
        match self {
            Files::All => true,
            Files::Named(names) => names.contains(name),
        }
    }
}

impl Decision {
    fn fits(&self, loss: LossName, target: Target, rule: &Rule) -> bool {
        let of_loss = self.losses.is_empty() || self.losses.contains(&loss);
        of_loss
            && self.files.hold(rule.source.name())
            && (self.targets.is_empty() || self.targets.contains(&target))
    }
}

/// Whether the author of a rule accepts a loss on a target
pub(super) fn is_accepted(loss: LossName, target: Target, rule: &Rule) -> bool {
    let said = rule.said_of(target.name()).into_iter();
    let mut accepted = said.flat_map(|said| &said.accept);
    accepted.any(|name| name.value == loss.name())
}

impl Policy {
    /// The weight of a loss of a rule on a target
    ///
    /// What the rule's author accepts is a note.
    pub(super) fn weight(&self, loss: &Loss, target: Target, rule: &Rule) -> Weight {
        if is_accepted(loss.name, target, rule) {
            return Weight::Note;
        }
        let mut decisions = self.decisions.iter().rev();
        let decided = decisions.find(|decision| decision.fits(loss.name, target, rule));
        decided.map_or(Weight::usual(loss), |decision| decision.weight)
    }
}
