//! `diff`: prints what a change of rules means.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::Args;

use super::changes::{self, Told};
use super::events::EventForm;
use super::input::Rules;
use super::movement::movement;
use super::report::{self, Stream, count};
use super::{Format, Global, Outcome, Stop};
use crate::backend::Target;
use crate::definition::Looked;
use crate::diagnostic::Diagnostics;
use crate::review::{Change, Effect, Fate, Side, compare_sides};
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
    /// File of events, repeatable: those that are found newly, and those no longer, by the engine and by what
    /// each target gets
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
        let wrong = loaded.files_with_errors();
        let mut findings = report::relevant(global, loaded, Looked::InPart);
        let after: &'static Workspace = loaded;
        let before: &'static Workspace = self.rules.load_before(&self.against)?;
        let emitted = [before.emitted(&self.targets), after.emitted(&self.targets)];
        let changes = compared((before, &emitted[0]), (after, &emitted[1]), &wrong);
        let (of, events) = ((&*changes, &*self.targets), (&*self.events, &self.form));
        let mut bad = Diagnostics::default();
        let movement = movement(global, [before, after], of, events, &mut bad)?;
        findings.extend(bad.sorted());
        let told = Told { changes: &changes, movement: movement.as_ref() };
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
        let moves = movement.is_some_and(|movement| !movement.moved.is_empty());
        let is_changed = moves || changes.iter().any(|change| means(&change));
        Ok(if self.fail_on_change && is_changed { Outcome::Findings } else { outcome })
    }
}

/// What changed between two sets of rules, with what came of them
///
/// A rule that is gone is refused where its file has errors now; `wrong` are these files.
pub(super) fn compared<'w>(
    before: (&'w Workspace, &'w [Emitted<'w>]),
    after: (&'w Workspace, &'w [Emitted<'w>]),
    wrong: &BTreeSet<String>,
) -> Vec<Change> {
    let side = |(side, emitted): (&'w Workspace, _)| Side { rules: &side.rules, emitted };
    let mut changes = compare_sides(side(before), side(after));
    for change in &mut changes {
        if change.fate == Fate::Removed && wrong.contains(&change.path) {
            change.fate = Fate::Refused;
        }
    }
    changes
}
