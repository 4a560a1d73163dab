//! Findings about the losses of a rule.
//!
//! In: losses with their weights, and the names that the author accepts. Out: a diagnostic for each
//! loss that is more than a note, and for each accepted name that is no loss of the rule.

use super::{Target, Weight};
use crate::definition::nearest_name;
use crate::diagnostic::{Cause, Code, Diagnostic};
use crate::ir::Rule;
use crate::manifest::{Direction, Loss, LossName};
use crate::source::Spanned;

/// The loss as a finding of a rule; `None` for a note
pub(super) fn finding(
    loss: &Loss,
    weight: Weight,
    target: Target,
    rule: &Rule,
) -> Option<Diagnostic> {
    let code = match (weight, target) {
        (Weight::Note, _) => return None,
        (Weight::Warn, Target::Elastic) => Code::W0605,
        (Weight::Warn, _) => Code::W0505,
        (Weight::Deny, Target::Elastic) => Code::E0604,
        (Weight::Deny, _) => Code::E0504,
    };
    let verb = match loss.direction {
        Direction::Narrower => "miss events",
        Direction::Wider => "match more",
    };
    let (target, name) = (target.name(), loss.name.name());
    let message = format!("on {target} this may {verb}: {}", loss.reason);
    let label = format!("loss `{name}`, {}", loss.direction);
    let help = format!(
        "Accept it with `targets: {{{target}: {{accept: [{name}]}}}}`, or `--accept {name}`."
    );
    let diagnostic = Diagnostic::new(code, &rule.source, loss.span, message, label).help(help);
    Some(if weight == Weight::Deny { diagnostic.because(Cause::Loss(name)) } else { diagnostic })
}

/// A finding about a name under `accept:` that is no loss of this rule
pub(super) fn needless(
    rule: &Rule,
    accepted: &Spanned<String>,
    losses: &[(Loss, Weight)],
) -> Option<Diagnostic> {
    let (name, span) = (accepted.value.as_str(), accepted.span);
    let known = || LossName::ALL.iter().map(|loss| loss.name());
    if !known().any(|loss| loss == name) {
        let message = format!("no loss is called `{name}`");
        let unknown = Diagnostic::new(Code::E0112, &rule.source, span, message, "unknown word")
            .because(Cause::Setting("accept".to_owned()));
        return Some(match nearest_name(name, known()) {
            Some(near) => unknown.replace(span, near),
            None => unknown,
        });
    }
    let is_lost = losses.iter().any(|(loss, _)| loss.name.name() == name);
    let message = format!("this rule has no loss `{name}` here");
    (!is_lost).then(|| Diagnostic::new(Code::W0406, &rule.source, span, message, "not needed"))
}
