//! `convert`: compiles rules for the targets.

use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;

use super::input::Rules;
use super::report::{self, Stream, count};
use super::templates::OwnTemplates;
use super::{Global, Outcome, Stop, bump, outdated, screen};
use crate::backend::Target;
use crate::definition::Looked;
use crate::project::{self, Change, Failure, Owners};
use crate::workspace::{Kept, Output, Workspace};

/// Compile rules for the targets
///
/// Files are laid out by target, then by the folder of the rule below the root of the rules: the folders of
/// `rules` in `rulecast.toml`, else the folder `rules`, else the path that is given. A rule that a target
/// refuses is left out there, every other rule is written; unchanged files are not touched.
///
/// `rulecast-outputs.json` in the output folder says which rule owns which file. One folder holds the
/// outputs of one set of rules.
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast convert rules -o build\n  \
                        rulecast convert rules -o build --check\n  \
                        rulecast convert rules -o build --prune   # after a rule was deleted or renamed\n  \
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
    /// Write nothing; report files that are out of date, missing, or orphaned: written for a rule that is
    /// gone, has moved, or does not make them any more
    #[arg(long, requires = "output")]
    check: bool,
    /// Remove orphaned files, each only if it still holds what rulecast wrote
    ///
    /// Files of rules that this run does not read stay, and so do those of a rule with an error, and those of
    /// a target that only a run with `-t` makes.
    #[arg(long, requires = "output", conflicts_with = "check")]
    prune: bool,
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
    /// Write `native/mod.rs` as well: the matchers of this run behind one trait, with a function that judges an
    /// event by all of them
    #[arg(long)]
    module: bool,
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
        let (mut outputs, refused) = workspace.outputs(&self.targets, kept);
        if self.module {
            let module = workspace.native_module(&outputs);
            outputs.extend(module.map_err(|why| Failure::new(format!("`--module`: {why}")))?);
        }
        let refused = refused + workspace.refused;
        let left_out = report::left_out(refused);
        let rules = count(workspace.rules.len() + workspace.refused, "rule");
        let (done, stream) = match &self.output {
            None => {
                print(&outputs)?;
                (format!("{rules}{left_out}"), Stream::Err)
            }
            Some(folder) => {
                let done = self.fill(global, folder, (&outputs, workspace))?;
                (format!("{rules}{left_out}{done}"), Stream::Out)
            }
        };
        let findings = report::relevant(global, workspace, Looked::InPart);
        let outcome = report::findings(global, &findings, stream)?;
        report::say(global, &done)?;
        report::reasons(global, &findings, refused)?;
        report::losses(global, workspace)?;
        Ok(if refused > 0 { Outcome::Findings } else { outcome })
    }

    /// Compares the outputs with a folder, or writes them there; returns the end of the summary
    fn fill(
        &self,
        global: &Global,
        folder: &Path,
        (outputs, workspace): (&[Output], &mut Workspace),
    ) -> Result<String, Stop> {
        must_be_a_folder(folder)?;
        let (earlier, manifest) = Owners::read(folder)?;
        let known = (&earlier, &manifest);
        let orphans = project::orphans(folder, known, outputs, (workspace, &self.targets));
        let mut findings = project::changed_ids(folder, &earlier, (outputs, workspace));
        findings.extend(project::left_over(folder, &earlier, (outputs, workspace)));
        findings.into_iter().for_each(|finding| workspace.diagnostics.push(finding));
        if self.check {
            return outdated::report(folder, known, (outputs, workspace), &orphans);
        }
        // The manifest goes first: a run that is killed leaves no file without an owner.
        let now = Owners::of(outputs, workspace);
        let pruned = if self.prune { outdated::prune(folder, &orphans)? } else { Vec::new() };
        let gone = pruned.iter().map(|one| one.owned.path.clone()).collect();
        project::own(folder, &now.after(&earlier, &gone))?;
        project::tidy(folder, outputs);
        let mut written = 0;
        for output in outputs {
            written += usize::from(project::write(folder, output)? != Change::Same);
        }
        for one in &pruned {
            let path = project::display(&folder.join(&one.owned.path));
            report::say(global, &format!("removed {path}: {}", one.why))?;
        }
        let same = outputs.len() - written;
        let left = match orphans.len() - pruned.len() {
            0 => String::new(),
            _ if self.prune => String::new(),
            left => {
                format!(
                    ", {} left of rules that do not make them: see --prune",
                    count(left, "file")
                )
            }
        };
        let folder = project::display(folder);
        let written = count(written, "file");
        Ok(format!(": {written} written to {folder}, {same} unchanged{left}"))
    }
}

/// Refuses a path that is something else than a folder
pub(super) fn must_be_a_folder(path: &Path) -> Result<(), Failure> {
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
