//! Findings about the losses of a rule.
//!
//! In: losses, and the names that the author accepts. Out: a diagnostic for each loss that is not
//! accepted, and for each name that is no loss of the rule. A loss that may miss events is an
//! error, and a loss that may match more is a warning.

use super::Target;
use crate::definition::nearest_name;
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::Rule;
use crate::manifest::{Direction, Loss, LossName};
use crate::source::Spanned;

/// The loss as a finding of a rule whose author does not accept it
pub(super) fn finding(loss: &Loss, target: Target, rule: &Rule) -> Diagnostic {
    let (code, verb) = match (loss.direction, target) {
        (Direction::Narrower, Target::Elastic) => (Code::E0604, "miss events"),
        (Direction::Narrower, _) => (Code::E0504, "miss events"),
        (Direction::Wider, Target::Elastic) => (Code::W0605, "match more"),
        (Direction::Wider, _) => (Code::W0505, "match more"),
    };
    let (target, name) = (target.name(), loss.name.name());
    let message = format!("on {target} this may {verb}: {}", loss.reason);
    let label = format!("loss `{name}`, {}", loss.direction);
    let help = format!("Accept it with `targets: {{{target}: {{accept: [{name}]}}}}`.");
    Diagnostic::new(code, &rule.source, loss.span, message, label).help(help)
}

/// A finding about a name under `accept:` that is no loss of this rule
pub(super) fn needless(
    rule: &Rule,
    accepted: &Spanned<String>,
    losses: &[Loss],
) -> Option<Diagnostic> {
    let (name, span) = (accepted.value.as_str(), accepted.span);
    let known = || LossName::ALL.iter().map(|loss| loss.name());
    if !known().any(|loss| loss == name) {
        let message = format!("no loss is called `{name}`");
        let unknown = Diagnostic::new(Code::E0112, &rule.source, span, message, "unknown word");
        return Some(match nearest_name(name, known()) {
            Some(near) => unknown.replace(span, near),
            None => unknown,
        });
    }
    let is_lost = losses.iter().any(|loss| loss.name.name() == name);
    let message = format!("this rule has no loss `{name}` here");
    (!is_lost).then(|| Diagnostic::new(Code::W0406, &rule.source, span, message, "not needed"))
}
