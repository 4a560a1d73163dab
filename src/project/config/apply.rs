//! Carries out the decisions of a project on its rules.
//!
//! In: a loaded workspace, and the layers of settings that hold. Out: the workspace without the
//! disabled rules, with the defaults of targets in the rules that do not set them, and with what
//! losses and warnings weigh in each file. A decision whose last day has passed is told, and holds
//! no longer.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

use super::super::absolute;
use super::{Config, Layer, today};
use crate::backend::{Decision, Files};
use crate::definition::{Setting, Settings, TargetSettings};
use crate::diagnostic::{Code, Diagnostic};
use crate::ir::Rule;
use crate::mapping::Mappings;
use crate::source::Spanned;
use crate::workspace::{Check, Workspace};

impl Config {
    /// Carries out these layers, the stronger one last
    pub fn apply(&self, layers: &[&Layer], workspace: &mut Workspace) {
        let names: BTreeSet<String> =
            workspace.rules.iter().map(|loaded| loaded.rule.source.name().to_owned()).collect();
        for layer in layers {
            let disabled = self.files(&layer.disabled, &names);
            if !layer.disabled.is_empty() {
                workspace.rules.retain(|loaded| !disabled.hold(loaded.rule.source.name()));
            }
            self.decide(layer, &names, workspace);
        }
        // The stronger layer first: a default is taken where nothing is set.
        for settings in layers.iter().rev().flat_map(|layer| &layer.targets) {
            if self.knows_mappings(settings, workspace) {
                workspace.rules.iter_mut().for_each(|loaded| set(&mut loaded.rule, settings));
            }
        }
    }

    /// Whether every mapping that settings of a target name exists; reports the others
    fn knows_mappings(&self, settings: &TargetSettings, workspace: &mut Workspace) -> bool {
        let names = match (settings.settings.get("mappings"), &self.source) {
            (Some(Setting::Text(name)), Some(source)) => (std::slice::from_ref(name), source),
            (Some(Setting::Texts(names)), Some(source)) => (&**names, source),
            (_, _) => return true,
        };
        let (names, source) = names;
        let before = workspace.diagnostics.len();
        for name in names.iter().filter(|name| !Mappings::is_rest(&name.value)) {
            if let Err(why) = workspace.policy.mappings.find(&name.value) {
                let diagnostic =
                    Diagnostic::new(Code::E0112, source, name.span, why, "unknown mapping");
                workspace.diagnostics.push(diagnostic);
            }
        }
        workspace.diagnostics.len() == before
    }

    fn decide(&self, layer: &Layer, names: &BTreeSet<String>, workspace: &mut Workspace) {
        for decision in &layer.losses {
            let ended = decision.until.as_ref().filter(|day| day.value < today());
            if let (Some(day), Some(source)) = (ended, &self.source) {
                let losses: Vec<&str> = decision.names.iter().map(|name| name.name()).collect();
                let message = format!("the decision about {} ended", losses.join(", "));
                let diagnostic =
                    Diagnostic::new(Code::W0810, source, day.span, message, "has passed");
                workspace
                    .diagnostics
                    .push(diagnostic.note(format!("its reason: {}", decision.reason)));
                continue;
            }
            workspace.policy.decisions.push(Decision {
                losses: decision.names.clone(),
                targets: decision.targets.clone(),
                files: self.files(&decision.paths, names),
                weight: decision.weight.value,
            });
        }
        for check in &layer.checks {
            let codes = check.codes.iter().map(|code| code.value.clone()).collect();
            let files = self.files(&check.paths, names);
            workspace.checks.push(Check { codes, files, deny: check.deny });
        }
    }

    /// The files with these paths; every file without a path
    fn files(&self, paths: &[Spanned<String>], names: &BTreeSet<String>) -> Files {
        if paths.is_empty() {
            return Files::All;
        }
        let set = self.paths(paths);
        let fits = |name: &&String| set.is_match(absolute(Path::new(name.as_str())));
        Files::Named(Arc::new(names.iter().filter(fits).cloned().collect()))
    }

    /// Paths with wildcards as absolute ones; a folder stands for all below it
    fn paths(&self, paths: &[Spanned<String>]) -> GlobSet {
        let folder = absolute(&self.folder);
        let folder = globset::escape(&folder.to_string_lossy());
        let mut set = GlobSetBuilder::new();
        for path in paths {
            let written = path.value.trim_end_matches('/');
            for pattern in [format!("{folder}/{written}"), format!("{folder}/{written}/**")] {
                let glob = GlobBuilder::new(&pattern).literal_separator(true).build();
                // A path that is no pattern fits nothing.
                if let Ok(glob) = glob {
                    set.add(glob);
                }
            }
        }
        set.build().unwrap_or_default()
    }
}

/// Adds settings of a target to a rule, where the rule does not set them itself
///
/// Their place becomes that of the rule's title, since the rule's file does not hold them.
fn set(rule: &mut Rule, settings: &TargetSettings) {
    let title = rule.metadata.title.span;
    let own = rule.targets.iter_mut().find(|own| own.target.value == settings.target.value);
    let Some(own) = own else {
        let mut new = settings.clone();
        new.target.span = title;
        new.accept.clear();
        new.without.clear();
        new.settings = Settings { span: title, entries: Vec::new() };
        rule.targets.push(new);
        return set(rule, settings);
    };
    for (name, setting) in &settings.settings.entries {
        if own.settings.get(&name.value).is_none() {
            let mut setting = setting.clone();
            setting.set_span(title);
            own.settings.entries.push((Spanned::new(name.value.clone(), title), setting));
        }
    }
}
