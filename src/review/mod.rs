//! What a change of rules means.
//!
//! In: the rules before and after. Out: a [`Change`] for each rule that is not the same: what changed, in words,
//! and its [`Effect`]: whether more or fewer events are found. The effect is decided on the IR by a procedure that
//! is sound: where it says that a rule narrows, no event is found that was not found before. Where it cannot
//! tell, it says so. With what came of the rules on their targets, each change also says what the targets get:
//! its [`Emission`]. [`plan`] compares what is made with what a target has.

mod deployed;
mod emission;
mod implies;
mod plan;
mod signal;

pub use deployed::{Deployed, Export, emitted, read as read_export};
pub use emission::{ArtifactChange, ArtifactFate, Emission, IdChange, LossChange, OutcomeChange};
pub use plan::{FieldChange, Last, Planned, Step, plan};

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::definition::Metadata;
use crate::ir::Rule;
use crate::source::{SourceText, Spanned};
use crate::workspace::{Emitted, Loaded};

/// What a change does to the events that are found
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// The same events
    Same,
    /// At least the same events
    Widens,
    /// At most the same events
    Narrows,
    /// Some events more and some fewer, or none can tell
    Undecided,
}

impl Effect {
    /// Its name, as reports say it
    pub fn name(self) -> &'static str {
        match self {
            Effect::Same => "same meaning",
            Effect::Widens => "widens",
            Effect::Narrows => "narrows",
            Effect::Undecided => "widens or narrows",
        }
    }

    /// The effect of both together
    fn and(self, other: Effect) -> Effect {
        match (self, other) {
            (Effect::Same, other) => other,
            (one, Effect::Same) => one,
            (one, other) if one == other => one,
            _ => Effect::Undecided,
        }
    }
}

/// What became of a rule
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It is new
    Added,
    /// It is gone
    Removed,
    /// It has errors now, so nothing can be said of it
    Refused,
    /// It is another one
    Changed(Effect),
    /// Only its text is another one: layout, comments, order
    Reformatted,
    /// It is as it was, and targets get something else: a setting or a mapping changed
    Kept,
}

impl Fate {
    /// What became of the rule, in words
    pub fn name(&self) -> &'static str {
        match self {
            Fate::Added => "new",
            Fate::Removed => "gone",
            Fate::Refused => "refused for its errors",
            Fate::Reformatted => "only its text changed",
            Fate::Kept => "unchanged, but targets get something else",
            Fate::Changed(effect) => effect.name(),
        }
    }
}

/// A rule that is not the same
#[derive(Debug, Clone)]
pub struct Change {
    /// The title, of the rule after the change if it is still there
    pub title: String,
    /// What the rule is told by on both sides, see [`key`]
    pub key: String,
    /// The file, of the rule after the change if it is still there
    pub file: String,
    /// The same file, below the root of the rules
    pub path: String,
    /// What became of it
    pub fate: Fate,
    /// What changed, a line each
    pub lines: Vec<String>,
    /// Whether its meaning changed and neither `modified` nor `version` did
    pub is_undated: bool,
    /// What targets get; empty when only the rules are compared
    pub emission: Emission,
    /// The texts of the rule's file before and after; `None` on a side without the rule
    pub texts: [Option<Arc<SourceText>>; 2],
}

/// A set of rules, with what came of them on their targets
#[derive(Debug, Clone, Copy)]
pub struct Side<'w> {
    /// The rules
    pub rules: &'w [Loaded],
    /// What came of them
    pub emitted: &'w [Emitted<'w>],
}

/// A rule on both sides
#[derive(Default)]
struct Pair<'w> {
    rules: [Option<&'w Loaded>; 2],
    emitted: [Vec<&'w Emitted<'w>>; 2],
}

/// The rules after, by index, that are not as they were, or of which targets get something else
///
/// Rules that are only reported through a correlation count, too: they may have tests.
pub fn touched<'w>(before: Side<'w>, after: Side<'w>) -> BTreeSet<usize> {
    let rules = before.rules.iter().map(|loaded| (key(&loaded.rule), loaded));
    let rules: BTreeMap<String, &Loaded> = rules.collect();
    let mut emitted: [BTreeMap<String, Vec<&'w Emitted<'w>>>; 2] = Default::default();
    for (side, all) in [before, after].into_iter().zip(&mut emitted) {
        for one in side.emitted {
            all.entry(key(&one.row.rule.rule)).or_default().push(one);
        }
    }
    let is_touched = |loaded: &'w Loaded| {
        let key = key(&loaded.rule);
        let pair = [rules.get(&key).copied(), Some(loaded)];
        let of_side = |side: &BTreeMap<_, Vec<_>>| side.get(&key).cloned().unwrap_or_default();
        change(Pair { rules: pair, emitted: emitted.each_ref().map(of_side) }).is_some()
    };
    let all = after.rules.iter().enumerate().filter(|(_, loaded)| is_touched(loaded));
    all.map(|(at, _)| at).collect()
}

/// What a change does to events that were tried
#[derive(Debug, Clone, Default)]
pub struct Movement {
    /// The events that only one side finds, in their order
    pub moved: Vec<Moved>,
    /// What was not executed and why, a line each
    pub untried: Vec<String>,
}

/// An event that only one side finds
#[derive(Debug, Clone)]
pub struct Moved {
    /// The file and the line of the event
    pub place: String,
    /// The title of the rule
    pub rule: String,
    /// The name of the signal
    pub signal: String,
    /// Whether it is found after the change and not before
    pub is_new: bool,
    /// Where that is so: `engine`, and names of targets
    pub on: Vec<&'static str>,
    /// Where the rule was executed as well, and it is not so
    pub not_on: Vec<&'static str>,
}

impl Moved {
    /// Where it is so, where that is not everywhere; else an empty text
    pub fn places(&self) -> String {
        match self.not_on.is_empty() {
            true => String::new(),
            false => format!("on {}, not on {}", self.on.join(", "), self.not_on.join(", ")),
        }
    }
}

/// What changed between two sets of rules, in the order of their titles
///
/// Rules are told by their id, or by their file where they have none.
pub fn compare(before: &[Loaded], after: &[Loaded]) -> Vec<Change> {
    let side = |rules| Side { rules, emitted: &[] };
    compare_sides(side(before), side(after))
}

/// What changed between two sets of rules and between what targets get of them
pub fn compare_sides<'w>(before: Side<'w>, after: Side<'w>) -> Vec<Change> {
    let mut pairs: BTreeMap<String, Pair<'w>> = BTreeMap::new();
    for (at, side) in [before, after].into_iter().enumerate() {
        for loaded in side.rules.iter().filter(|loaded| loaded.reported) {
            pairs.entry(key(&loaded.rule)).or_default().rules[at] = Some(loaded);
        }
        for one in side.emitted {
            pairs.entry(key(&one.row.rule.rule)).or_default().emitted[at].push(one);
        }
    }
    let mut changes: Vec<Change> = pairs.into_values().filter_map(change).collect();
    changes.sort_by(|one, other| (&one.title, &one.file).cmp(&(&other.title, &other.file)));
    changes
}

/// What a rule is told by on both sides of a change: its id, or the name of its file where it has none
pub fn key(rule: &Rule) -> String {
    let file = rule.source.name().rsplit('/').next().unwrap_or_default();
    rule.metadata.id.as_ref().map_or_else(|| file.to_owned(), |id| id.value.clone())
}

fn change(Pair { rules: pair, emitted }: Pair<'_>) -> Option<Change> {
    let loaded = pair[1].or(pair[0])?;
    let pair = pair.map(|loaded| loaded.map(|loaded| &loaded.rule));
    let (rule, path) = (&loaded.rule, loaded.file());
    let emission = Emission::of(&emitted[0], &emitted[1]);
    let (title, file) = (rule.metadata.title.value.clone(), rule.source.name().to_owned());
    let (fate, lines, is_undated) = match pair {
        [Some(before), Some(after)] => {
            let (effect, mut lines) = signal::compare(before, after);
            lines.extend(facts(&before.metadata, &after.metadata));
            let is_dated = dating(&before.metadata) != dating(&after.metadata);
            if lines.is_empty() {
                match before.source.text() == after.source.text() {
                    true if emission.is_empty() => return None,
                    true => (Fate::Kept, lines, false),
                    false => (Fate::Reformatted, lines, false),
                }
            } else {
                (Fate::Changed(effect), lines, effect != Effect::Same && !is_dated)
            }
        }
        [None, _] => (Fate::Added, Vec::new(), false),
        [Some(_), None] => (Fate::Removed, Vec::new(), false),
    };
    let texts = pair.map(|rule| rule.map(|rule| Arc::clone(&rule.source)));
    let key = key(rule);
    Some(Change { title, key, file, path, fate, lines, is_undated, emission, texts })
}

/// What tells one version of a rule from another: the day of its last change, and its number
fn dating(metadata: &Metadata) -> (Option<&String>, Option<u32>) {
    let modified = metadata.modified.as_ref().map(|one| &one.value);
    (modified, metadata.version.as_ref().map(|one| one.value))
}

/// What changed of the facts about a rule
fn facts(before: &Metadata, after: &Metadata) -> Vec<String> {
    fn text<T: std::fmt::Display>(one: Option<&Spanned<T>>) -> String {
        one.map_or_else(|| "none".to_owned(), |one| one.value.to_string())
    }
    let mut lines = Vec::new();
    let mut short = |name: &str, before: String, after: String| {
        if before != after {
            lines.push(format!("{name} {before} -> {after}"));
        }
    };
    short("title", before.title.value.clone(), after.title.value.clone());
    short("level", text(before.level.as_ref()), text(after.level.as_ref()));
    short("status", text(before.status.as_ref()), text(after.status.as_ref()));
    short("modified", text(before.modified.as_ref()), text(after.modified.as_ref()));
    short("version", text(before.version.as_ref()), text(after.version.as_ref()));
    short("date", text(before.date.as_ref()), text(after.date.as_ref()));
    for (name, before, after) in [
        ("description", &before.description, &after.description),
        ("investigation", &before.investigation, &after.investigation),
    ] {
        if text(before.as_ref()) != text(after.as_ref()) {
            lines.push(format!("{name} is another text"));
        }
    }
    for (name, before, after) in [
        ("attack", &before.attack, &after.attack),
        ("tags", &before.tags, &after.tags),
        ("falsepositives", &before.falsepositives, &after.falsepositives),
        ("references", &before.references, &after.references),
        ("author", &before.author, &after.author),
    ] {
        let values = |all: &[Spanned<String>]| all.iter().map(|one| one.value.clone()).collect();
        lines.extend(signal::listed(name, &values(before), &values(after)));
    }
    lines
}
