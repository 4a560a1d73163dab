//! `convert`: compiles rules for the targets.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::Args;

use super::input::Rules;
use super::report::{self, Stream, count};
use super::templates::OwnTemplates;
use super::{Global, Outcome, Stop, bump, screen};
use crate::backend::Target;
use crate::definition::Looked;
use crate::diagnostic::{Code, Diagnostic};
use crate::project::{self, Change, Failure};
use crate::source::{SourceText, Span};
use crate::workspace::{Kept, Output};

/// Compile rules for the targets
///
/// Files are laid out by target, then by the folder of the rule. A rule that a target refuses is
/// left out there, every other rule is written; unchanged files are not touched.
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast convert rules -o build\n  \
                        rulecast convert rules -o build --check\n  \
                        rulecast convert rules -o build --bump    # after a change of a rule")]
pub(super) struct Convert {
    #[command(flatten)]
    rules: Rules,
    /// Compile for these targets only, repeatable; without it, for sentinel, elastic, native and
    /// those a rule has settings for
    #[arg(short, long = "target", value_name = "TARGET", value_parser = target)]
    targets: Vec<Target>,
    /// Write files here; without it, print them
    #[arg(short, long, value_name = "DIR")]
    output: Option<PathBuf>,
    /// Write nothing; report files that are out of date
    #[arg(long, requires = "output")]
    check: bool,
    /// Raise the version of each definition whose meaning differs from the files under DIR, and set
    /// its `modified` to today, in the definition itself
    ///
    /// The meaning is the query with its filters, indices, terms, schedule, thresholds and severity,
    /// on any target; descriptions, tags, dates and ids are not. `version:` and `modified:` are the
    /// only lines that change. Sentinel's version, and Elastic's version and updated_date, follow.
    /// Sigma documents are never edited. `SOURCE_DATE_EPOCH` sets another day.
    #[arg(long, requires = "output", conflicts_with = "check")]
    bump: bool,
    /// Write a manifest beside the files of each rule: `<rule>.manifest.json` says which files
    /// there are, what they search and when, and what they lose
    #[arg(long)]
    manifest: bool,
    #[command(flatten)]
    templates: OwnTemplates,
}

/// Reads a target's name; the error lists the names of all targets
pub(super) fn target(name: &str) -> Result<Target, String> {
    let known: Vec<_> = Target::ALL.iter().map(|target| target.name()).collect();
    Target::named(name).ok_or_else(|| format!("expected {}", known.join(", ")))
}

impl Convert {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Stop> {
        if self.bump && self.rules.are_on_stdin() {
            return Err(Failure::new("`--bump` edits files, and `-` is none").into());
        }
        if let Some(folder) = self.output.as_ref().filter(|_| self.bump) {
            let workspace = self.rules.load()?;
            self.templates.give(workspace)?;
            bump::bump(global, workspace, (&self.targets, folder))?;
        }
        let workspace = self.rules.load()?;
        self.templates.give(workspace)?;
        let kept = if self.manifest { Kept::WithManifests } else { Kept::Artifacts };
        let (outputs, refused) = workspace.outputs(&self.targets, kept);
        let refused = refused + workspace.refused;
        let left_out = report::left_out(refused);
        let rules = count(workspace.rules.len() + workspace.refused, "rule");
        if let Some(folder) = &self.output {
            must_be_a_folder(folder)?;
            let mut found = project::changed_ids(folder, &outputs, workspace);
            found.extend(project::left_over(folder, &outputs, workspace));
            found.into_iter().for_each(|found| workspace.diagnostics.push(found));
        }
        let done = match (&self.output, self.check) {
            (None, _) => {
                print(&outputs)?;
                format!("{rules}{left_out}")
            }
            (Some(folder), true) => {
                let mut stale = 0;
                for output in &outputs {
                    if project::pending(folder, output)? != Change::Same {
                        stale += 1;
                        workspace.diagnostics.push(out_of_date(folder, output));
                    }
                }
                format!("{rules}{left_out}: {} out of date", count(stale, "file"))
            }
            (Some(folder), false) => {
                project::tidy(folder, &outputs);
                let mut written = 0;
                for output in &outputs {
                    written += usize::from(project::write(folder, output)? != Change::Same);
                }
                let same = outputs.len() - written;
                let folder = project::display(folder);
                format!(
                    "{rules}{left_out}: {} written to {folder}, {same} unchanged",
                    count(written, "file")
                )
            }
        };
        let found = report::relevant(global, workspace, Looked::InPart);
        let outcome = report::findings(global, &found, Stream::Err)?;
        report::say(global, &done)?;
        report::reasons(global, &found, refused)?;
        report::losses(global, workspace)?;
        Ok(if refused > 0 { Outcome::Findings } else { outcome })
    }
}

/// Refuses a path that is something else than a folder
fn must_be_a_folder(path: &Path) -> Result<(), Failure> {
    if path.exists() && !path.is_dir() {
        let why = format!("cannot write to {}: it is no folder", project::display(path));
        return Err(Failure::new(why));
    }
    Ok(())
}

/// Prints outputs one after another, each under its name
pub(super) fn print(outputs: &[Output]) -> Result<(), Stop> {
    let mut out = anstream::stdout().lock();
    for (at, output) in outputs.iter().enumerate() {
        let blank = if at > 0 { "\n" } else { "" };
        writeln!(out, "{blank}==> {} <==", screen::line(&output.path))?;
        screen::body(&mut out, &output.text)?;
    }
    Ok(())
}

fn out_of_date(folder: &std::path::Path, output: &Output) -> Diagnostic {
    let path = folder.join(&output.path);
    let name = project::display(&path);
    let have = std::fs::read_to_string(&path).unwrap_or_default();
    let same = have.lines().zip(output.text.lines()).take_while(|(a, b)| a == b);
    let start: usize = same.map(|(line, _)| line.len() + 1).sum();
    let start = start.min(have.len());
    let end = have[start..].find('\n').map_or(have.len(), |at| start + at);
    let label = if have.is_empty() { "not there" } else { "differs from here on" };
    let source = Arc::new(SourceText::new(name, have));
    let span = Span::new(start as u32, end as u32);
    let message = format!("{} is out of date", output.path);
    Diagnostic::new(Code::E0803, &source, span, message, label).help("Run `convert` again.")
}
