//! Resolves the ATT&CK names of a rule.
//!
//! In: technique ids and tactic slugs as the author wrote them. Out: [`Threat`]s in matrix order. A
//! technique adds all its tactics when the author named none of them. Names of groups and software
//! are skipped; unknown and retired names are reported.

use std::sync::Arc;

use crate::definition::Metadata;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{SourceText, Spanned};
use crate::taxonomy::attack::{self, Found, Tactic, Technique};

/// A tactic and the techniques that serve it in this rule
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Threat {
    /// An ATT&CK tactic
    pub tactic: &'static Tactic,
    /// Techniques of the rule that serve the tactic, sorted by id; empty when the author named only
    /// the tactic
    pub techniques: Vec<&'static Technique>,
}

/// Resolves the ATT&CK names of a rule
pub(super) fn threats(
    source: &Arc<SourceText>,
    metadata: &Metadata,
    diagnostics: &mut Diagnostics,
) -> Vec<Threat> {
    let mut tactics = Vec::new();
    let mut techniques: Vec<&'static Technique> = Vec::new();
    for name in &metadata.attack {
        if let Some(tactic) = attack::tactic(&name.value) {
            tactics.push(tactic);
        } else if is_group_or_software(&name.value) {
            continue;
        } else {
            match attack::technique(&name.value) {
                Found::Live(technique) => techniques.push(technique),
                Found::Dead { id, name: was, successors } => {
                    let message = format!("{id} ({was}) is no longer in ATT&CK");
                    let found = Diagnostic::new(Code::E0118, source, name.span, message, "retired");
                    diagnostics.push(match successors.first() {
                        Some(next) => found.help(format!("{next} has taken its place.")),
                        None => found.help("MITRE dropped it without a successor."),
                    });
                }
                Found::Unknown => diagnostics.push(unknown(source, name)),
            }
        }
    }
    techniques.sort_by_key(|technique| technique.id);
    techniques.dedup();
    let named = tactics.clone();
    for technique in &techniques {
        if !technique.tactics.iter().any(|tactic| named.contains(tactic)) {
            tactics.extend(&technique.tactics);
        }
    }
    let mine = |tactic: &Tactic| tactics.iter().any(|mine| mine.id == tactic.id);
    let served = |tactic: &'static Tactic| {
        techniques.iter().copied().filter(|t| t.tactics.contains(&tactic)).collect()
    };
    let threats = attack::tactics().iter().filter(|tactic| mine(tactic));
    threats.map(|tactic| Threat { tactic, techniques: served(tactic) }).collect()
}

/// Sigma tags also name groups (`g0016`) and software (`s0002`), which no target maps.
fn is_group_or_software(name: &str) -> bool {
    let digits = name.strip_prefix(['g', 'G', 's', 'S']).unwrap_or("");
    digits.len() == 4 && digits.bytes().all(|b| b.is_ascii_digit())
}

fn unknown(source: &Arc<SourceText>, name: &Spanned<String>) -> Diagnostic {
    if let Some(successors) = attack::retired_tactic(&name.value) {
        let next: Vec<_> = successors.iter().map(|tactic| tactic.slug).collect();
        let message = format!("tactic `{}` is no longer in ATT&CK", name.value);
        return Diagnostic::new(Code::E0118, source, name.span, message, "retired")
            .help(format!("ATT&CK 19 split it into {}.", next.join(" and ")));
    }
    let message = format!("`{}` is not in ATT&CK 19", name.value);
    Diagnostic::new(Code::E0117, source, name.span, message, "neither technique nor tactic")
}
