//! Elastic Security: Kibana's query language over ECS indices.
//!
//! In: a [`Rule`]. Out: one detection-rules TOML file per signal, and one NDJSON file for Kibana's
//! rule import with one line per signal. The signal that `new_terms` names becomes a rule of type
//! `new_terms`; every other signal becomes a `query`.

mod fields;
mod filter;
mod plan;
mod registry;
mod required;
mod settings;
mod severity;
mod threat;
mod toml;
mod view;

pub(super) use fields::stream;
pub use severity::severity;

use super::template::render;
use super::{Artifact, Losses};
use crate::diagnostic::Code;
use crate::ir::Rule;

/// Emits the rules
pub(super) fn emit(rule: &Rule, stem: &str, losses: &mut Losses<'_>) -> Option<Vec<Artifact>> {
    let settings = settings::read(losses);
    for correlation in &rule.correlations {
        let message = format!("Elastic's rules cannot hold the correlation `{}`", correlation.name);
        let help =
            "Name it under `targets: {elastic: {without: […]}}`; its signals then stand alone.";
        losses.refuse(correlation.span, message, "events of one rule see each other nowhere", help);
    }
    let planned = rule.signals.iter().map(|signal| {
        losses.enter(&signal.name);
        let Some(stream) = fields::stream(&signal.kind) else {
            let message = format!("Elastic has no index of {} events", signal.kind);
            let help = "Name the signal under `targets: {elastic: {without: […]}}`.";
            losses.refuse(signal.span, message, "no such index", help);
            return None;
        };
        let indices = fields::indices(stream, signal, &settings.index);
        if indices.is_empty() && !settings.index.is_empty() {
            let message = format!("no index of this rule holds {} events", signal.kind);
            let help = "Add one under `targets: {elastic: {index: […]}}`.";
            losses.refuse_with(Code::E0607, signal.span, message, "never searched", help);
        }
        let plan = plan::plan(signal, stream, &indices, losses);
        Some((plan, stream, indices, severity::severity_mapping(signal, stream, losses)))
    });
    let plans: Vec<_> = planned.collect();
    let mut lines = String::new();
    let mut artifacts = Vec::new();
    for (at, (signal, planned)) in rule.signals.iter().zip(plans).enumerate() {
        let Some((plan, stream, indices, mapping)) = planned else { continue };
        losses.enter(&signal.name);
        let new = rule.new_terms.as_ref().filter(|new| new.signal == at);
        let query = plan.query.to_string();
        if !toml::is_literal(&query) {
            let message = "three single quotes in a value".to_owned();
            losses.refuse(signal.span, message, "ends TOML's literal text", "");
        }
        let detection = view::detection(
            (rule, signal, new),
            stream,
            (plan, mapping),
            &indices,
            &settings,
            losses,
        );
        lines.push_str(&detection.import_line());
        lines.push('\n');
        match render("elastic/rule.toml", &detection.view(rule)) {
            Ok(text) => {
                // detection-rules accepts only lower-case letters, digits and `_` in file names.
                let name = format!("{stem}_{}", signal.name).to_lowercase();
                let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
                let name: String = name.chars().map(plain).collect();
                artifacts.push(Artifact { name: format!("{name}.toml"), text });
            }
            Err(why) => {
                let message = format!("a template failed: {why}");
                losses.refuse(signal.span, message, "while emitting", "This is a bug.");
            }
        }
    }
    artifacts.push(Artifact { name: format!("{stem}.ndjson"), text: lines });
    Some(artifacts)
}
