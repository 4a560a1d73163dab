//! What a change of a rule does to what targets get.
//!
//! In: what came of a rule on its targets, before and after. Out: an [`Emission`]: the artifacts that are
//! created, replaced and removed, the ids that change, the losses that come and go, and the targets that
//! take or refuse the rule now.

use std::collections::{BTreeMap, BTreeSet};

use crate::backend::{Target, Weight};
use crate::manifest::LossName;
use crate::workspace::{Emitted, Outcome, Output};

/// What a change does to what targets get; empty where they get the same
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Emission {
    /// The artifacts that are not the same, in the order of targets and paths
    pub artifacts: Vec<ArtifactChange>,
    /// The ids that are not the same
    pub ids: Vec<IdChange>,
    /// The losses that are not the same
    pub losses: Vec<LossChange>,
    /// The targets on which the outcome is another one
    pub outcomes: Vec<OutcomeChange>,
}

/// What becomes of an artifact
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ArtifactFate {
    /// It is new
    Created,
    /// It has another text
    Replaced,
    /// Nothing makes it any more
    Removed,
}

impl ArtifactFate {
    /// Its name in reports
    pub fn name(self) -> &'static str {
        match self {
            ArtifactFate::Created => "created",
            ArtifactFate::Replaced => "replaced",
            ArtifactFate::Removed => "removed",
        }
    }
}

/// An artifact that is not the same
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArtifactChange {
    /// Its target
    pub target: Target,
    /// What becomes of it
    pub fate: ArtifactFate,
    /// Its path below the output folder
    pub path: String,
}

/// An id by which a target knows a rule
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdChange {
    /// The target
    pub target: Target,
    /// The id that is gone; `None` for one more
    pub before: Option<String>,
    /// The id that has come; `None` for one less
    pub after: Option<String>,
}

/// A loss with another weight, or with none
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LossChange {
    /// The target
    pub target: Target,
    /// The kind of loss
    pub loss: LossName,
    /// Its weight before; `None` without the loss
    pub before: Option<Weight>,
    /// Its weight after; `None` without the loss
    pub after: Option<Weight>,
}

/// A target that keeps more or less of the rule
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutcomeChange {
    /// The target
    pub target: Target,
    /// How much it kept; `None` when the rule was not for it
    pub before: Option<Outcome>,
    /// How much it keeps; `None` when the rule is not for it
    pub after: Option<Outcome>,
}

impl Emission {
    /// Whether targets get the same
    pub fn is_empty(&self) -> bool {
        *self == Emission::default()
    }

    /// What targets get, a line each
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut files: BTreeMap<(&str, ArtifactFate), Vec<&str>> = BTreeMap::new();
        for one in &self.artifacts {
            let name = one.path.rsplit('/').next().unwrap_or_default();
            files.entry((one.target.name(), one.fate)).or_default().push(name);
        }
        for ((target, fate), names) in files {
            lines.push(format!("{target}: {} {}", fate.name(), short(&names)));
        }
        for one in &self.ids {
            let target = one.target.name();
            lines.push(match (&one.before, &one.after) {
                (Some(before), Some(after)) => format!("{target}: id {before} -> {after}"),
                (Some(before), None) => format!("{target}: id {before} is gone"),
                (None, after) => {
                    format!("{target}: id {} is new", after.as_deref().unwrap_or_default())
                }
            });
        }
        for one in &self.losses {
            let (target, loss) = (one.target.name(), one.loss.name());
            lines.push(match (one.before, one.after) {
                (Some(before), Some(after)) => {
                    format!("{target}: loss {loss} {} -> {}", before.name(), after.name())
                }
                (None, Some(after)) => format!("{target}: + loss {loss} ({})", after.name()),
                (before, None) => {
                    format!("{target}: - loss {loss} ({})", before.map_or("none", Weight::name))
                }
            });
        }
        for one in &self.outcomes {
            let name = |outcome: Option<Outcome>| outcome.map_or("not made", said);
            let (before, after) = (name(one.before), name(one.after));
            lines.push(format!("{}: {before} -> {after}", one.target.name()));
        }
        lines
    }

    /// The change between two sides
    pub(super) fn of(before: &[&Emitted<'_>], after: &[&Emitted<'_>]) -> Emission {
        let mut emission = Emission::default();
        for target in Target::ALL.iter().copied() {
            emission.add(target, on(before, target), on(after, target));
        }
        emission
    }

    fn add(&mut self, target: Target, before: Option<&Emitted<'_>>, after: Option<&Emitted<'_>>) {
        fn outputs<'e>(side: Option<&'e Emitted<'_>>) -> &'e [Output] {
            side.map_or(&[], |one| &one.outputs)
        }
        let (old, new) = (outputs(before), outputs(after));
        self.artifacts.extend(artifacts(target, old, new));
        let ids = |side: &[Output]| -> BTreeSet<String> {
            side.iter().flat_map(|output| output.ids.iter().cloned()).collect()
        };
        let (old, new) = (ids(old), ids(new));
        let mut gone = old.difference(&new).cloned();
        let mut come = new.difference(&old).cloned();
        loop {
            let (before, after) = (gone.next(), come.next());
            if before.is_none() && after.is_none() {
                break;
            }
            self.ids.push(IdChange { target, before, after });
        }
        let weight = |side: Option<&Emitted<'_>>, loss: &LossName| {
            side.and_then(|one| one.row.losses.get(loss).copied())
        };
        for loss in LossName::ALL.iter().copied() {
            let (before, after) = (weight(before, &loss), weight(after, &loss));
            if before != after {
                self.losses.push(LossChange { target, loss, before, after });
            }
        }
        let outcome = |side: Option<&Emitted<'_>>| side.map(|one| one.row.outcome());
        let (before, after) = (outcome(before), outcome(after));
        if before != after {
            self.outcomes.push(OutcomeChange { target, before, after });
        }
    }
}

/// What came of a rule on a target
fn on<'e>(side: &[&'e Emitted<'e>], target: Target) -> Option<&'e Emitted<'e>> {
    side.iter().copied().find(|one| one.row.target == target)
}

fn artifacts(target: Target, old: &[Output], new: &[Output]) -> Vec<ArtifactChange> {
    fn text<'o>(side: &'o [Output], path: &str) -> Option<&'o str> {
        side.iter().find(|one| one.path == path).map(|one| one.text.as_str())
    }
    let paths: BTreeSet<&String> = old.iter().chain(new).map(|output| &output.path).collect();
    let change = |path: &String| {
        let fate = match (text(old, path), text(new, path)) {
            (None, _) => ArtifactFate::Created,
            (_, None) => ArtifactFate::Removed,
            (before, after) if before == after => return None,
            (Some(_), Some(_)) => ArtifactFate::Replaced,
        };
        Some(ArtifactChange { target, fate, path: path.clone() })
    };
    paths.into_iter().filter_map(change).collect()
}

/// Names of files; those that differ in their endings only as `rule.{arm.json, kql}`
fn short(names: &[&str]) -> String {
    let parts: Option<Vec<(&str, &str)>> = names.iter().map(|name| name.split_once('.')).collect();
    let parts = parts.unwrap_or_default();
    match parts.first() {
        Some((stem, _)) if parts.len() > 1 && parts.iter().all(|(other, _)| other == stem) => {
            let ends: Vec<&str> = parts.iter().map(|(_, end)| *end).collect();
            format!("{stem}.{{{}}}", ends.join(", "))
        }
        _ => names.join(", "),
    }
}

fn said(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Exact => "exact",
        Outcome::Noted => "losses noted",
        Outcome::Warned => "losses warned of",
        Outcome::Refused => "refused",
        Outcome::LeftOut => "left out",
    }
}
