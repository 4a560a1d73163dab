//! `diff`: prints what a change of rules means.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::events::EventForm;
use super::examples::Files;
use super::input::Rules;
use super::report::{self, Stream, count};
use super::{Format, Global, Outcome, Stop, screen};
use crate::definition::Looked;
use crate::diagnostic::Severity;
use crate::ir::Rule;
use crate::matcher::{Engine, Memory};
use crate::project::{self, Failure};
use crate::review::{Change, Fate, compare};
use crate::verify::{Example, Place};

/// Say what a change of rules means
///
/// For each rule what changed, in words, and whether it finds more events or fewer. Where that is said, it is
/// certain: a rule that narrows finds nothing that it did not find before. Where it cannot be told, that is
/// said, and `--events` shows what the change does to events that you have.
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast diff rules --against main\n  \
                        rulecast diff rules --against ../released/rules -e last_week.jsonl.gz")]
pub(super) struct Diff {
    #[command(flatten)]
    rules: Rules,
    /// The rules before: a folder or a file, or a revision of git with the same paths
    #[arg(long, value_name = "REV|DIR", default_value = "HEAD")]
    against: String,
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

/// An event that is found by one side only
struct Moved {
    place: String,
    rule: String,
    signal: String,
    is_new: bool,
}

impl Diff {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Stop> {
        let after = self.rules.load()?;
        let before = PathBuf::from(&self.against);
        let before = match before.exists() {
            true => project::load(&[before])?,
            false => project::at_revision(&self.against, self.rules.paths())?,
        };
        let mut changes = compare(&before.rules, &after.rules);
        let with_errors = |file: &str| {
            let mut errors =
                after.diagnostics.iter().filter(|found| found.severity == Severity::Error);
            errors.any(|found| found.source.name() == file)
        };
        for change in &mut changes {
            if change.fate == Fate::Removed && with_errors(&change.file) {
                change.fate = Fate::Refused;
            }
        }
        let sides = [&before.rules, &after.rules].map(|rules| -> Vec<Rule> {
            let reported = rules.iter().filter(|loaded| loaded.reported);
            reported.map(|loaded| loaded.rule.clone()).collect()
        });
        let moved = match self.events.is_empty() {
            true => Vec::new(),
            false => self.moved(global, sides)?,
        };
        if global.format == Format::Json {
            print_json(&changes, &moved)?;
        } else {
            self.print(&changes, &moved)?;
        }
        let found = report::relevant(global, after, Looked::InPart);
        let outcome = report::findings(global, &found, Stream::Err)?;
        report::say(global, &format!("{} changed", count(changes.len(), "rule")))?;
        let means = |change: &&Change| {
            !matches!(change.fate, Fate::Reformatted | Fate::Changed(crate::review::Effect::Same))
        };
        let is_changed = changes.iter().any(|change| means(&change)) || !moved.is_empty();
        Ok(if self.fail_on_change && is_changed { Outcome::Findings } else { outcome })
    }

    /// The events that one side finds and the other does not, by rule and signal
    fn moved(&self, global: &Global, sides: [Vec<Rule>; 2]) -> Result<Vec<Moved>, Stop> {
        let mut files = Files::open(&self.events, &self.form, &sides[1], global.quiet)?;
        let options = self.form.options(&sides[1])?;
        let engines = sides.map(|rules| Engine::new(rules, &options));
        let mut memories = [Memory::default(), Memory::default()];
        let mut moved = Vec::new();
        files.each(|names, Example { place, event, kind }| {
            let Place::Line { file, line } = place else { return Ok(()) };
            let mut found = Vec::new();
            for (engine, memory) in engines.iter().zip(&mut memories) {
                let all = engine.judge_value(event, kind.as_ref(), memory);
                let all = all.map_err(|error| Failure::new(error.to_string()))?;
                let signals = all.iter().map(|one| {
                    let rule = &engine.rules()[one.rule];
                    let signal = rule.signals[one.signal].name.clone();
                    (rule.metadata.title.value.clone(), signal)
                });
                found.push(signals.collect::<std::collections::BTreeSet<_>>());
            }
            for (rule, signal) in found[0].symmetric_difference(&found[1]) {
                let is_new = found[1].contains(&(rule.clone(), signal.clone()));
                let place = format!("{}:{line}", names[*file]);
                let (rule, signal) = (rule.clone(), signal.clone());
                moved.push(Moved { place, rule, signal, is_new });
            }
            Ok(())
        })?;
        Ok(moved)
    }

    fn print(&self, changes: &[Change], moved: &[Moved]) -> std::io::Result<()> {
        let mut out = anstream::stdout().lock();
        let (head, item) = if self.markdown { ("### ", "- ") } else { ("", "  ") };
        if self.markdown {
            // A bot finds its own comment by this line.
            writeln!(out, "<!-- rulecast diff -->")?;
        }
        for change in changes {
            let line = format!("{head}{}: {} ({})", change.title, fate(&change.fate), change.file);
            writeln!(out, "{}", screen::line(&line))?;
            for line in &change.lines {
                writeln!(out, "{}", screen::line(&format!("{item}{line}")))?;
            }
            if change.is_undated {
                let line = "the meaning changed, and neither `modified` nor `version` did";
                writeln!(out, "{item}{line}")?;
            }
        }
        if changes.is_empty() {
            writeln!(out, "no rule changed")?;
        }
        for one in moved {
            let word = if one.is_new { "found newly" } else { "found no longer" };
            let line = format!("{item}{}: {word} by {}: {}", one.place, one.rule, one.signal);
            writeln!(out, "{}", screen::line(&line))?;
        }
        if !self.events.is_empty() {
            let new = moved.iter().filter(|one| one.is_new).count();
            let line = format!(
                "{head}{} found newly, {} no longer",
                count(new, "event"),
                count(moved.len() - new, "event")
            );
            writeln!(out, "{line}")?;
        }
        Ok(())
    }
}

fn fate(fate: &Fate) -> &'static str {
    match fate {
        Fate::Added => "new",
        Fate::Removed => "gone",
        Fate::Refused => "refused for its errors",
        Fate::Reformatted => "only its text changed",
        Fate::Changed(effect) => effect.name(),
    }
}

fn print_json(changes: &[Change], moved: &[Moved]) -> std::io::Result<()> {
    let changes = changes.iter().map(|change| {
        json!({
            "title": change.title, "file": change.file, "change": fate(&change.fate),
            "lines": change.lines, "undated": change.is_undated,
        })
    });
    let moved = moved.iter().map(|one| {
        let (place, rule, signal, is_new) = (&one.place, &one.rule, &one.signal, one.is_new);
        json!({"place": place, "rule": rule, "signal": signal, "found": if is_new { "newly" } else { "no longer" }})
    });
    let changes: Vec<_> = changes.collect();
    let moved: Vec<_> = moved.collect();
    writeln!(anstream::stdout().lock(), "{}", json!({"rules": changes, "events": moved}))
}
