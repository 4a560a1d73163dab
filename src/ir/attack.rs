//! Resolves the ATT&CK names of a rule.
//!
//! In: technique ids and tactic slugs as the author wrote them. Out: [`Threat`]s in matrix order. A
//! technique adds all its tactics when the author named none of them. Names of groups and software
//! are skipped; unknown and retired names are reported and left out.

use crate::definition::{Definition, Form};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::Spanned;
use crate::taxonomy::attack::{self, Found, Tactic, Technique};
use crate::yaml::misspelt;

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
pub(super) fn threats(definition: &Definition, diagnostics: &mut Diagnostics) -> Vec<Threat> {
    let mut tactics = Vec::new();
    let mut techniques: Vec<&'static Technique> = Vec::new();
    for name in &definition.metadata.attack {
        if let Some(tactic) = attack::tactic(&name.value) {
            tactics.push(tactic);
        } else if is_group_or_software(&name.value) {
            continue;
        } else {
            match attack::technique(&name.value) {
                Found::Live(technique) => techniques.push(technique),
                gone @ (Found::Dead { .. } | Found::Unknown) => {
                    diagnostics.push(left_out(definition, name, &gone));
                }
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

/// The finding about a name that ATT&CK does not have: in a Sigma document only a warning
fn left_out(definition: &Definition, name: &Spanned<String>, found: &Found) -> Diagnostic {
    let source = &definition.source;
    let of_others = definition.form != Form::Definition;
    let new = |code, message: String, label| {
        let code = if of_others { Code::W0138 } else { code };
        Diagnostic::new(code, source, name.span, message, label)
    };
    let said = &name.value;
    if let Found::Dead { id, name: was, successors } = found {
        let message = format!("{id} ({was}) is no longer in ATT&CK");
        let diagnostic = new(Code::E0118, message, "retired");
        let diagnostic = match successors.first() {
            Some(next) => diagnostic.help(format!("{next} has taken its place.")),
            None => diagnostic.help("MITRE dropped it without a successor."),
        };
        let next: Vec<String> = successors.iter().map(|id| id.to_lowercase()).collect();
        return if of_others { edited(diagnostic, definition, name, &next) } else { diagnostic };
    }
    if let Some(successors) = attack::retired_tactic(&said.to_lowercase()) {
        let next: Vec<_> = successors.iter().map(|tactic| tactic.slug.to_owned()).collect();
        let message = format!("tactic `{said}` is no longer in ATT&CK");
        let diagnostic = new(Code::E0118, message, "retired")
            .help(format!("ATT&CK 19 split it into {}.", next.join(" and ")));
        return if of_others { edited(diagnostic, definition, name, &next) } else { diagnostic };
    }
    let message = match attack::other_matrix(said) {
        Some(matrix) => format!("`{said}` is of ATT&CK's matrix {matrix}"),
        None => format!("`{said}` is not in ATT&CK 19"),
    };
    let diagnostic = new(Code::E0117, message, "neither technique nor tactic for enterprises");
    let plain = said.to_lowercase().replace([' ', '_'], "-");
    let slugs = || attack::tactics().iter().map(|tactic| tactic.slug);
    match slugs().find(|slug| *slug == plain).or_else(|| misspelt(&plain, slugs())) {
        Some(near) if of_others => edited(diagnostic, definition, name, &[near.to_owned()]),
        Some(_) | None => diagnostic,
    }
}

/// Adds the edit that writes the successors of a tag in its place, those that the rule does not
/// name yet
fn edited(
    diagnostic: Diagnostic,
    definition: &Definition,
    name: &Spanned<String>,
    successors: &[String],
) -> Diagnostic {
    let attack = &definition.metadata.attack;
    let named = |next: &&String| attack.iter().any(|name| name.value.eq_ignore_ascii_case(next));
    let next: Vec<String> = successors
        .iter()
        .filter(|next| !named(next))
        .map(|next| format!("attack.{next}"))
        .collect();
    let text = definition.source.text();
    let head = text.get(..name.span.start as usize).unwrap_or_default();
    let before = &head[head.rfind('\n').map_or(0, |at| at + 1)..];
    match &*next {
        [] => diagnostic,
        [one] => diagnostic.replace(name.span, one.clone()),
        // Several need a line each, so the tag must have a line of its own.
        [..] if before.trim() == "-" => {
            let edit = (name.span, next.join(&format!("\n{before}")));
            diagnostic.fix(format!("change it to {}", next.join(" and ")), vec![edit])
        }
        [..] => diagnostic,
    }
}
