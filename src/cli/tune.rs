//! `tune`: prints exclusions that silence an event, each tried on what it would hide.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::events::EventForm;
use super::examples::Files;
use super::input::Surroundings;
use super::report::{self, Stream, count};
use super::{Format, Global, Outcome, Stop, screen};
use crate::definition::{Form, Looked};
use crate::project::Failure;
use crate::verify::{Example, Place};
use crate::workspace::{Exclusion, Tuner};

/// Find the smallest exclusions that silence an event
///
/// Each compares whole values, and is tried on the rule's tests, on the usual targets, and on the other
/// events of the files and of `--corpus`. The best come first: those that keep every test and target, that
/// an attacker cannot write, and that hide the fewest other matches.
#[derive(Args)]
#[command(
    after_help = "Example:\n  rulecast tune rules/webshell/web_shell_activity.yml -e alert.jsonl \
                        --line 1 --corpus last_week.jsonl.gz"
)]
pub(super) struct Tune {
    /// Rule file
    #[arg(value_name = "RULE")]
    path: PathBuf,
    /// File of events, repeatable; `-` for standard input
    #[arg(short, long, value_name = "FILE", required = true)]
    events: Vec<PathBuf>,
    /// The line of the event; without it, the first event that the rule finds
    #[arg(long, value_name = "NUMBER")]
    line: Option<usize>,
    /// Other events to try each exclusion on, repeatable
    #[arg(long, value_name = "FILE")]
    corpus: Vec<PathBuf>,
    /// How many exclusions to print
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    most: usize,
    #[command(flatten)]
    form: EventForm,
    #[command(flatten)]
    surroundings: Surroundings,
}

impl Tune {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Stop> {
        let workspace = self.surroundings.load(std::slice::from_ref(&self.path))?;
        let rules: Vec<_> = workspace.rules.iter().map(|loaded| loaded.rule.clone()).collect();
        let mappings = workspace.policy.mappings.clone();
        let read = (&*rules, &mappings);
        let mut files = Files::open(&self.events, &self.form, read, global.quiet)?;
        let mut others = Vec::new();
        let mut tuned: Option<(String, Vec<(String, Tuner)>)> = None;
        files.each(|names, example| {
            let Place::Line { file, line } = example.place else { return Ok(()) };
            let is_asked = self.line.is_none_or(|asked| asked == line);
            if tuned.is_none() && is_asked {
                let mut tuners = Vec::new();
                for loaded in &workspace.rules {
                    let event = (&example.event, example.kind.as_ref());
                    for (at, signal) in loaded.rule.signals.iter().enumerate() {
                        let tuner = Tuner::new(loaded, at, event, &workspace.policy);
                        tuners.extend(tuner.map(|tuner| (signal.name.clone(), tuner)));
                    }
                }
                if !tuners.is_empty() {
                    tuned = Some((format!("{}:{line}", names[file]), tuners));
                    return Ok(());
                }
            }
            others.push(example.clone());
            Ok(())
        })?;
        let Some((place, mut tuners)) = tuned else {
            let line =
                self.line.map_or("no event".to_owned(), |line| format!("no event in line {line}"));
            let why =
                format!("{line} that the rule finds; `rulecast explain RULE -e FILE` says why");
            return Err(Failure::new(why).into());
        };
        let mut observe = |example: &Example| -> Result<(), Failure> {
            for (_, tuner) in &mut tuners {
                let seen = tuner.observe(&example.event, example.kind.as_ref());
                seen.map_err(|error| Failure::new(error.to_string()))?;
            }
            Ok(())
        };
        others.iter().try_for_each(&mut observe)?;
        if !self.corpus.is_empty() {
            let mut corpus = Files::open(&self.corpus, &self.form, read, global.quiet)?;
            corpus.each(|_, example| Ok(observe(example)?))?;
            corpus.finish(&mut workspace.diagnostics);
        }
        files.finish(&mut workspace.diagnostics);
        let sigma = workspace.rules.iter().any(|loaded| loaded.rule.form != Form::Definition);
        for (signal, tuner) in tuners {
            self.print(global, (&place, &signal, sigma), tuner)?;
        }
        let findings = report::relevant(global, workspace, Looked::InPart);
        Ok(report::findings(global, &findings, Stream::Err)?)
    }

    fn print(
        &self,
        global: &Global,
        (place, signal, sigma): (&str, &str, bool),
        tuner: Tuner,
    ) -> std::io::Result<()> {
        let of = tuner.found;
        let all = tuner.finish();
        let mut out = anstream::stdout().lock();
        if global.format == Format::Json {
            for one in all.iter().take(self.most) {
                let refused: Vec<&str> = one.refused.iter().map(|target| target.name()).collect();
                let object = json!({
                    "place": place, "signal": signal, "exclusion": one.yaml, "hides": one.hides,
                    "of": of, "failing_tests": one.failing, "refused_by": refused,
                    "written_by_an_attacker": one.is_open,
                });
                writeln!(out, "{object}")?;
            }
            return Ok(());
        }
        let key = if sigma { "a selection that the condition takes away" } else { "`exclusions`" };
        let text = format!("# {place}: for {key} of {signal}");
        writeln!(out, "{}", screen::line(&text))?;
        for one in all.iter().take(self.most) {
            writeln!(out, "{}", screen::line(&format!("# {}", says(one, of))))?;
            for line in one.yaml.lines() {
                writeln!(out, "{}", screen::line(line))?;
            }
        }
        if all.is_empty() {
            writeln!(out, "# no field of the event tells what happened")?;
        }
        Ok(())
    }
}

/// What an exclusion costs, in one line
fn says(one: &Exclusion, of: usize) -> String {
    let mut says = match (one.hides, of) {
        (_, 0) => "no other event to try it on".to_owned(),
        (0, of) => format!("hides none of {} beside this event", count(of, "match")),
        (hides, of) => format!("hides {hides} of {} beside this event", count(of, "match")),
    };
    if !one.failing.is_empty() {
        says.push_str(&format!("; these tests fail: {}", one.failing.join(", ")));
    }
    if !one.refused.is_empty() {
        let names: Vec<&str> = one.refused.iter().map(|target| target.name()).collect();
        says.push_str(&format!("; refused by {}", names.join(", ")));
    }
    if one.is_open {
        says.push_str("; an attacker can write all of it (W0239)");
    }
    says
}
