//! `report`: what becomes of each rule on each target.
//!
//! In: rules and targets. Out: the rows of a [`Workspace`](crate::workspace::Workspace) and their
//! counts, as a table for people, as JSON or as CSV. Nothing is decided here.

mod csv;
mod json;
mod table;

use std::collections::BTreeSet;

use clap::Args;

use super::convert::target;
use super::input::Rules;
use super::pages::Pages;
use super::report::{self, Stream};
use super::{Format, Global, Outcome, Stop};
use crate::backend::Target;
use crate::definition::Looked;
use crate::diagnostic::{Diagnostic, Diagnostics, Severity};
use crate::workspace::{Row, Summary, Workspace};

/// The keys of the JSON object, and the examples, at the end of the long help
const KEYS: &str = "Keys of `--format json`:
  targets      for each target: rules, converted, share, and by outcome exact, noted, warned,
               refused, left_out (every signal is under `without:`)
  rules        file, line, title, id, log_sources; under `targets` by name: outcome, mappings,
               losses (name, weight), without, refusals (code, message, line, column, cause)
  refusals     target, code, title, cause, rules, alone, log_sources with the rules of each;
               alone: rules that are refused for nothing else; cause: kind, name, field
  losses       target, name, weight, rules, alone, log_sources
  log_sources  log_source, target, and the numbers of `targets`
  unread       the number of rules that were not tried, because they have errors themselves

";
const EXAMPLE: &str = "Example:
  rulecast report rules -t sentinel -t elastic
  rulecast report rules --format csv > report.csv
  rulecast report rules --format json | jq '.refusals[:10]'
  rulecast report rules -o pages --proof        # then open pages/index.html
  rulecast report rules -o pages --against main -e last_week.jsonl.gz
  rulecast report rules --navigator layer.json";

/// Report what becomes of each rule on each target
///
/// A line for each rule says, for each target, which mapping it takes and what it loses, by weight
/// (warn, note), or why it is refused and for how many further reasons. The counts come after it:
/// exact, noted, warned of and refused; refusals by reason; losses by name; and the share of the
/// rules of each log source that is converted. A rule of several log sources counts in each. Nothing
/// is written without `-o` or `--navigator`.
///
/// `--format csv` prints a row for each rule and target, with the message of the first refusal, and
/// no counts; `--format json` prints everything as one object.
///
/// `-o DIR` writes the same as pages for a browser, with a page for each rule: what it finds in words, its
/// definition beside its artifacts, its tests and what decides them. A page needs no server, no network and
/// no other file, so any of them can be sent by mail. `--navigator FILE` writes a layer for the ATT&CK
/// Navigator. Then nothing is printed but findings.
#[derive(Args)]
#[command(after_help = EXAMPLE, after_long_help = format!("{KEYS}{EXAMPLE}"))]
pub(super) struct Report {
    #[command(flatten)]
    rules: Rules,
    /// Report on these targets only, repeatable; without it, on those that `convert` writes
    #[arg(short, long = "target", value_name = "TARGET", value_parser = target)]
    targets: Vec<Target>,
    #[command(flatten)]
    pages: Pages,
}

impl Report {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Stop> {
        let workspace = self.rules.load()?;
        let unread = workspace.refused;
        let mut asked: Vec<Target> = Vec::new();
        for target in self.targets {
            if !asked.contains(&target) {
                asked.push(target);
            }
        }
        if self.pages.are_asked() {
            let of_targets = self.pages.write(global, &self.rules, workspace, &asked)?;
            return ended(global, workspace, of_targets);
        }
        let rows = workspace.rows(&asked);
        let summary = Summary::of(&rows);
        if asked.is_empty() {
            asked = summary.targets.keys().copied().collect();
        }
        match global.format {
            Format::Full
            | Format::Concise
            | Format::Sarif
            | Format::Github
            | Format::Junit
            | Format::Table => {
                table::print(&rows, &summary, &asked)?;
            }
            Format::Json => json::print(&rows, &summary, (&asked, unread))?,
            Format::Csv => csv::print(&rows)?,
        }
        let of_targets = rows.into_iter().map(|row| row.found).collect();
        ended(global, workspace, of_targets)
    }
}

/// Prints what is in no row; findings where some target refuses a rule, or a rule was not tried
fn ended(
    global: &Global,
    workspace: &mut Workspace,
    of_targets: Vec<Diagnostics>,
) -> Result<Outcome, Stop> {
    let (refused, unread) = (of_targets.iter().any(Diagnostics::has_errors), workspace.refused);
    let outcome = rest(global, workspace, of_targets)?;
    if unread > 0 {
        let rules = report::count(unread, "rule");
        report::say(global, &format!("{rules} with errors not reported on"))?;
    }
    Ok(if refused || unread > 0 { Outcome::Findings } else { outcome })
}

/// Prints the findings that fail the run and are in no row; returns whether any finding fails it
fn rest(
    global: &Global,
    workspace: &mut Workspace,
    of_targets: Vec<Diagnostics>,
) -> Result<Outcome, Stop> {
    let place = |one: &Diagnostic| (one.source.name().to_owned(), one.primary.span, one.code);
    let mut shown = BTreeSet::new();
    for diagnostics in of_targets {
        let refusals = diagnostics.iter().filter(|one| one.severity == Severity::Error);
        shown.extend(refusals.map(place));
        workspace.diagnostics.extend(diagnostics);
    }
    let mut findings = report::relevant(global, workspace, Looked::InPart);
    findings.retain(|one| report::fails(global, one));
    let fails = !findings.is_empty();
    findings.retain(|one| !shown.contains(&place(one)));
    if !findings.is_empty() {
        report::findings(global, &findings, Stream::Err)?;
    }
    Ok(if fails { Outcome::Findings } else { Outcome::Clean })
}
