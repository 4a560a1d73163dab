//! What a rule and its author's settings say that its packages must say.
//!
//! In: a rule and the manifest of a target. Out: [`Facts`] by name, in words of this table; a fact that a package
//! is free in is not among them.
//!
//! Source of the words: Microsoft's schema of analytic rules, Elastic's rule schema and its usual pairs of
//! severity and risk score.

use std::collections::BTreeMap;

use serde_json::Value;

use super::written::joined;
use crate::definition::{Level, Setting, Settings};
use crate::ir::Rule;
use crate::manifest::Manifest;
use crate::verify::correlated::Correlated;
use crate::verify::import::is_sequence;

/// Facts by name
#[derive(Debug, Default)]
pub(super) struct Facts(BTreeMap<&'static str, String>);

/// The tactics that both targets know; others of ATT&CK 19 are parts of Defense Evasion there
const TACTICS: [&str; 13] = [
    "reconnaissance",
    "resource-development",
    "initial-access",
    "execution",
    "persistence",
    "privilege-escalation",
    "credential-access",
    "discovery",
    "lateral-movement",
    "collection",
    "command-and-control",
    "exfiltration",
    "impact",
];

/// The id of Defense Evasion
const DEFENSE_EVASION: &str = "TA0005";

/// Severity and risk score as Elastic's own rules pair them
const RISKS: [(&str, &str); 4] =
    [("low", "21"), ("medium", "47"), ("high", "73"), ("critical", "99")];

impl Facts {
    /// The fact with this name; `None` where a package is free
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    fn set(&mut self, name: &'static str, value: impl Into<String>) {
        self.0.insert(name, value.into());
    }

    /// The facts of a rule of Sentinel or Defender XDR
    pub(super) fn of(rule: &Rule, manifest: &Manifest) -> Facts {
        let mut facts = Facts::default();
        let settings = rule.settings_for(manifest.target);
        let said = |name: &str| text(settings?, name);
        facts.set("title", rule.metadata.title.value.as_str());
        facts.set(
            "severity",
            match rule.level {
                Level::Informational => "Informational",
                Level::Low => "Low",
                Level::Medium => "Medium",
                Level::High | Level::Critical => "High",
            },
        );
        facts.set("enabled", "true");
        facts.set("status", "enabled");
        let near_real_time = said("kind") == Some("nrt");
        facts.set("kind", if near_real_time { "NRT" } else { "Scheduled" });
        let of_run = |value: String| if near_real_time { "none".to_owned() } else { value };
        if let Some(schedule) = &manifest.schedule {
            facts.set("frequency", of_run(schedule.frequency.to_string()));
            facts.set("period", of_run(schedule.period.to_string()));
        }
        facts.set("operator", of_run("GreaterThan".to_owned()));
        facts.set("trigger", of_run(said("trigger").unwrap_or("0").to_owned()));
        let single = said("grouping") == Some("single_alert");
        facts.set("grouping", if single { "SingleAlert" } else { "AlertPerResult" });
        facts.set(
            "suppressed",
            settings.is_some_and(|said| said.get("suppression").is_some()).to_string(),
        );
        facts.set("severity column", "Severity");
        facts.add_attack(rule);
        facts
    }

    fn add_attack(&mut self, rule: &Rule) {
        let slugs = rule.threats.iter().map(|threat| threat.tactic.slug);
        let tactics =
            slugs.map(|slug| if TACTICS.contains(&slug) { slug } else { "defense-evasion" });
        let tactics: Vec<&str> = tactics.collect();
        self.set("tactics", joined(tactics.clone()));
        let techniques = rule.threats.iter().flat_map(|threat| &threat.techniques);
        let techniques: Vec<&str> = techniques.map(|technique| technique.id).collect();
        let whole = techniques.iter().filter_map(|id| id.split('.').next());
        self.set("whole techniques", joined(whole.collect()));
        let below = techniques.iter().copied().filter(|id| id.contains('.'));
        self.set("sub-techniques", joined(below.collect()));
        self.set("attack names", joined([&tactics[..], &techniques].concat()));
        // Elastic has the technique around each sub-technique.
        let of_tactics = rule.threats.iter().map(|threat| {
            let is_known = TACTICS.contains(&threat.tactic.slug);
            if is_known { threat.tactic.id } else { DEFENSE_EVASION }
        });
        let around = techniques.iter().filter_map(|id| id.split('.').next());
        let ids = of_tactics.chain(techniques.iter().copied()).chain(around);
        self.set("attack", joined(ids.collect()));
        self.set("techniques", joined(techniques));
    }

    /// The facts of each rule in an import file of Kibana: those of signals, then those of correlations
    pub(super) fn of_lines(rule: &Rule, manifest: &Manifest, lines: &[Value]) -> Vec<Facts> {
        let signals = (0..rule.signals.len()).filter(|at| rule.reports_signal(*at)).map(Some);
        let correlations = (0..rule.correlations.len()).filter(|at| rule.reports_correlation(*at));
        let correlations =
            correlations.flat_map(|at| vec![None; Correlated::rules_of(&rule.correlations[at])]);
        let of = signals.chain(correlations).zip(lines);
        of.map(|(signal, line)| Facts::of_line(rule, manifest, signal, line)).collect()
    }

    fn of_line(rule: &Rule, manifest: &Manifest, signal: Option<usize>, line: &Value) -> Facts {
        let mut facts = Facts::default();
        facts.add_attack(rule);
        let settings = rule.settings_for(manifest.target);
        let said = |name: &str| text(settings?, name);
        // The severity itself is judged by what the rule matches.
        let pair = RISKS.iter().find(|(severity, _)| line["severity"] == **severity);
        if let Some(risk) = said("risk_score").or(pair.map(|(_, risk)| *risk)) {
            facts.set("risk", risk);
        }
        facts.set("most alerts", said("max_signals").unwrap_or("100"));
        let hidden = said("building_block") == Some("true");
        facts.set("building block", if hidden { "default" } else { "none" });
        facts.set("enabled", said("enabled").unwrap_or("not there"));
        let several = line["type"] == "threshold" || is_sequence(line);
        // A query that orders events knows their own time only.
        facts.set("time", if is_sequence(line) { "none" } else { "event.ingested" });
        let Some(at) = signal else { return facts };
        if let (Some(schedule), false) = (&manifest.schedule, several) {
            facts.set("frequency", schedule.frequency.to_string());
            facts.set("period", schedule.period.to_string());
        }
        let new = rule.new_terms.as_ref().filter(|new| new.signal == at);
        facts.set("history", new.map_or("none".to_owned(), |new| new.window.to_string()));
        let output = manifest.signals.iter().find(|one| one.name == rule.signals[at].name);
        if let (Some(output), false) = (output, several) {
            facts.set("indices", joined(output.tables.iter().map(String::as_str).collect()));
        }
        facts
    }
}

fn text<'s>(settings: &'s Settings, name: &str) -> Option<&'s str> {
    match settings.get(name)? {
        Setting::Text(text) => Some(&text.value),
        Setting::Texts(_) | Setting::Settings(_) => None,
    }
}
