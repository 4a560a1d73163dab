//! ATT&CK threats of a detection rule.
//!
//! In: the rule's threats, by ATT&CK 19. Out: the same threats by the ATT&CK version of Elastic's
//! stack, as a view for the template and as JSON for the import line.

use serde::Serialize;
use serde_json::{Value, json};

use crate::ir::{Rule, Threat};

#[derive(Debug, Serialize)]
pub(super) struct ThreatView {
    pub(super) tactic: Name,
    techniques: Vec<TechniqueView>,
}

#[derive(Debug, Serialize)]
struct TechniqueView {
    name: Name,
    subtechniques: Vec<Name>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Name {
    id: String,
    pub(super) name: String,
    reference: String,
}

/// Threats by ATT&CK 18, for Elastic's stack before 9.5: Stealth and Defense Impairment are one
/// tactic there
pub(super) fn rule_threats(rule: &Rule) -> Vec<ThreatView> {
    let mut views: Vec<ThreatView> = Vec::new();
    for threat in &rule.threats {
        let view = threat_view(threat);
        match views.iter_mut().find(|known| known.tactic.id == view.tactic.id) {
            Some(known) => known.techniques.extend(view.techniques),
            None => views.push(view),
        }
    }
    views
}

fn threat_view(threat: &Threat) -> ThreatView {
    let tactic = match threat.tactic.slug {
        "stealth" | "defense-impairment" => Name {
            id: "TA0005".to_owned(),
            name: "Defense Evasion".to_owned(),
            reference: "https://attack.mitre.org/tactics/TA0005/".to_owned(),
        },
        _ => Name {
            id: threat.tactic.id.to_owned(),
            name: threat.tactic.name.to_owned(),
            reference: threat.tactic.url(),
        },
    };
    let mut techniques: Vec<TechniqueView> = Vec::new();
    for technique in &threat.techniques {
        let parent = technique.parent().unwrap_or(technique);
        let name = |technique: &crate::taxonomy::attack::Technique| Name {
            id: technique.id.to_owned(),
            name: technique.name.to_owned(),
            reference: technique.url(),
        };
        if !techniques.iter().any(|known| known.name.id == parent.id) {
            techniques.push(TechniqueView { name: name(parent), subtechniques: Vec::new() });
        }
        if let Some(known) = techniques.iter_mut().find(|known| known.name.id == parent.id)
            && technique.id != parent.id
        {
            known.subtechniques.push(name(technique));
        }
    }
    ThreatView { tactic, techniques }
}

pub(super) fn threat_json(threat: &ThreatView) -> Value {
    let techniques: Vec<Value> = threat
        .techniques
        .iter()
        .map(|technique| {
            let mut object = json!(technique.name);
            if !technique.subtechniques.is_empty() {
                object["subtechnique"] = json!(technique.subtechniques);
            }
            object
        })
        .collect();
    json!({"framework": "MITRE ATT&CK", "tactic": threat.tactic, "technique": techniques})
}
