//! `diff`: prints what a change of rules means.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::changes::{self, Told};
use super::events::EventForm;
use super::examples::Files;
use super::input::Rules;
use super::report::{self, Stream, count};
use super::{Format, Global, Outcome, Stop};
use crate::backend::Target;
use crate::definition::Looked;
use crate::diagnostic::Severity;
use crate::ir::Rule;
use crate::matcher::{Engine, Memory};
use crate::project::Failure;
use crate::review::{self, Change, Effect, Fate, Moved, Side, compare_sides};
use crate::verify::{Example, Place};
use crate::workspace::{Emitted, Workspace};

/// Say what a change of rules means
///
/// For each rule what changed, in words, and whether it finds more events or fewer. Where that is said, it is
/// certain: a rule that narrows finds nothing that it did not find before. Where it cannot be told, that is
/// said, and `--events` shows what the change does to events that you have. Below it stands what targets get:
/// artifacts, ids and losses that are not the same. Either side is read with the settings, filters, lists and
/// mappings of its own `rulecast.toml`.
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast diff rules --against main\n  \
                        rulecast diff rules --against ../released/rules -e last_week.jsonl.gz")]
pub(super) struct Diff {
    #[command(flatten)]
    rules: Rules,
    /// The rules before: a folder or a file, or a revision of git with the same paths
    #[arg(long, value_name = "REV|DIR", default_value = "HEAD")]
    against: String,
    /// Compare what these targets get only, repeatable; without it, sentinel, elastic, native and those a
    /// rule has settings for
    #[arg(short, long = "target", value_name = "TARGET", value_parser = super::convert::target)]
    targets: Vec<Target>,
    /// File of events, repeatable: those that are found newly, and those no longer
    #[arg(short, long, value_name = "FILE")]
    events: Vec<PathBuf>,
    /// As a comment for a pull request, in Markdown
    #[arg(long)]
    markdown: bool,
    /// Exit 1 when the meaning of some rule changed
    #[arg(long)]
    fail_on_change: bool,
    #[command(flatten)]
    form: EventForm,
}

impl Diff {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Stop> {
        let loaded = self.rules.load()?;
        let findings = report::relevant(global, loaded, Looked::InPart);
        let after: &'static Workspace = loaded;
        let before: &'static Workspace = self.rules.load_before(&self.against)?;
        let emitted = [before.emitted(&self.targets), after.emitted(&self.targets)];
        let with_errors = |file: &str| {
            let mut errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
            errors.any(|finding| finding.source.name() == file)
        };
        let changes = compared((before, &emitted[0]), (after, &emitted[1]), with_errors);
        let moved = match self.events.is_empty() {
            true => Vec::new(),
            false => moved(global, [before, after], (&self.events, &self.form))?,
        };
        let told = Told { changes: &changes, moved: self.tried(&moved) };
        match global.format {
            Format::Json => changes::print_json(told)?,
            Format::Full
            | Format::Concise
            | Format::Sarif
            | Format::Github
            | Format::Junit
            | Format::Csv
            | Format::Table => {
                changes::print(told, self.markdown)?;
            }
        }
        let outcome = report::findings(global, &findings, Stream::Err)?;
        report::say(global, &format!("{} changed", count(changes.len(), "rule")))?;
        let means = |change: &&Change| {
            !matches!(change.fate, Fate::Reformatted | Fate::Kept | Fate::Changed(Effect::Same))
        };
        let is_changed = changes.iter().any(|change| means(&change)) || !moved.is_empty();
        Ok(if self.fail_on_change && is_changed { Outcome::Findings } else { outcome })
    }

    /// The events that moved; `None` when none were tried
    fn tried<'m>(&self, moved: &'m [Moved]) -> Option<&'m [Moved]> {
        (!self.events.is_empty()).then_some(moved)
    }
}

/// What changed between two sets of rules, with what came of them
///
/// A rule that is gone is refused where its file has errors now.
pub(super) fn compared<'w>(
    before: (&'w Workspace, &'w [Emitted<'w>]),
    after: (&'w Workspace, &'w [Emitted<'w>]),
    with_errors: impl Fn(&str) -> bool,
) -> Vec<Change> {
    let side = |(side, emitted): (&'w Workspace, _)| Side { rules: &side.rules, emitted };
    let mut changes = compare_sides(side(before), side(after));
    for change in &mut changes {
        if change.fate == Fate::Removed && with_errors(&change.file) {
            change.fate = Fate::Refused;
        }
    }
    changes
}

/// The events that one side finds and the other does not, by rule and signal
pub(super) fn moved(
    global: &Global,
    sides: [&Workspace; 2],
    (events, form): (&[PathBuf], &EventForm),
) -> Result<Vec<Moved>, Stop> {
    let mappings = &sides[1].policy.mappings;
    let sides = sides
        .map(|side| -> Vec<Rule> { side.reported().map(|loaded| loaded.rule.clone()).collect() });
    // A rule keeps its id under another title; it is called as it is now.
    let titles = sides.iter().flatten();
    let titles = titles.map(|rule| (review::key(rule), rule.metadata.title.value.clone()));
    let titles: BTreeMap<String, String> = titles.collect();
    let read = (&*sides[1], mappings);
    let mut files = Files::open(events, form, read, global.quiet)?;
    let options = form.options(read)?;
    let engines = sides.map(|rules| Engine::new(rules, &options));
    let mut memories = [Memory::default(), Memory::default()];
    let mut moved = Vec::new();
    files.each(|names, Example { place, event, kind }| {
        let Place::Line { file, line } = place else { return Ok(()) };
        let mut matched = Vec::new();
        for (engine, memory) in engines.iter().zip(&mut memories) {
            let all = engine.judge_value(event, kind.as_ref(), memory);
            let all = all.map_err(|error| Failure::new(error.to_string()))?;
            let signals = all.iter().map(|one| {
                let rule = &engine.rules()[one.rule];
                let signal = rule.signals[one.signal].name.clone();
                (review::key(rule), signal)
            });
            matched.push(signals.collect::<std::collections::BTreeSet<_>>());
        }
        for (rule, signal) in matched[0].symmetric_difference(&matched[1]) {
            let is_new = matched[1].contains(&(rule.clone(), signal.clone()));
            let place = format!("{}:{line}", names[*file]);
            let (rule, signal) = (titles.get(rule).cloned().unwrap_or_default(), signal.clone());
            moved.push(Moved { place, rule, signal, is_new });
        }
        Ok(())
    })?;
    Ok(moved)
}
