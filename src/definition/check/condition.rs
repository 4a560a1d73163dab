//! Conditions over `them`, which also takes in every selection added later.
//!
//! In: a detection. Out: a warning at every `all of them`, and at every `them` that stands for a
//! single selection.

use std::sync::Arc;

use crate::definition::{Condition, Detection, Quantifier};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{SourceText, Span, Spanned};

pub(super) fn check(
    source: &Arc<SourceText>,
    detection: &Detection,
    diagnostics: &mut Diagnostics,
) {
    // `them` leaves out names that begin with `_`.
    let names = detection.selections.iter().map(|(name, _)| name.value.as_str());
    let names: Vec<&str> = names.filter(|name| !name.starts_with('_')).collect();
    let mut open: Vec<&Condition> = detection.conditions.iter().collect();
    while let Some(condition) = open.pop() {
        match condition {
            Condition::And(parts) | Condition::Or(parts) => open.extend(parts),
            Condition::Not(part) => open.push(part),
            Condition::Selection(_) => {}
            Condition::Of(quantifier, target) if target.eq_ignore_ascii_case("them") => {
                of_them(source, &names, quantifier, target.span, diagnostics);
            }
            Condition::Of(..) => {}
        }
    }
}

fn of_them(
    source: &Arc<SourceText>,
    names: &[&str],
    quantifier: &Spanned<Quantifier>,
    them: Span,
    diagnostics: &mut Diagnostics,
) {
    let span = quantifier.span.cover(them);
    match (names, quantifier.value) {
        ([only], Quantifier::All | Quantifier::AtLeast(1)) => {
            let message = format!("`them` is selection `{only}` alone");
            let diagnostic = Diagnostic::new(Code::W0311, source, span, message, "the only one");
            diagnostics.push(diagnostic.replace(span, *only));
        }
        ([_, _, ..], Quantifier::All) => {
            let message = "`all of them` takes in every selection that will be added";
            let diagnostic =
                Diagnostic::new(Code::W0310, source, span, message, "name those meant");
            diagnostics.push(match shared(names) {
                Some(shared) => diagnostic.replace(them, format!("{shared}*")),
                None => diagnostic.help("Give them names that begin alike: `all of selection_*`."),
            });
        }
        (_, Quantifier::All | Quantifier::AtLeast(_)) => {}
    }
}

/// The common prefix of the names, if it has at least three letters
fn shared<'n>(names: &[&'n str]) -> Option<&'n str> {
    let first = names.first()?;
    let same = |other: &&str| first.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let length = names.iter().map(same).min()?;
    // Every name that a condition's grammar accepts is plain ASCII, so this cuts no character.
    let shared = first.get(..length)?;
    (length >= 3).then_some(shared)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_share_a_word_or_nothing() {
        assert_eq!(shared(&["selection_img", "selection_cli"]), Some("selection_"));
        assert_eq!(shared(&["selection", "selection2"]), Some("selection"));
        assert_eq!(shared(&["process", "parent"]), None);
    }
}
