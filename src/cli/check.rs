//! `check`: every mistake and every loss of every rule, and the fixes of those that have one.

use clap::Args;

use super::input::Rules;
use super::report::{self, Stream, count};
use super::{Global, Outcome, Stop, screen};
use crate::backend::Target;
use crate::definition::Looked;
use crate::diagnostic::{Diagnostic, Severity};
use crate::project::{self, Failure, Fixed};
use crate::workspace::{Workspace, run_samples};

/// Report every mistake in the rules, and what each target loses
///
/// Runs the rules' own tests too. Nothing is written, except with `--fix`.
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast check rules --format sarif > findings.sarif\n  \
                        rulecast check rules --fix --diff")]
pub(super) struct Check {
    #[command(flatten)]
    rules: Rules,
    /// Check for these targets only, repeatable; without it, for sentinel, elastic, native and
    /// those a rule has settings for
    #[arg(short, long = "target", value_name = "TARGET", value_parser = super::convert::target)]
    targets: Vec<Target>,
    /// Carry out the fixes of findings in the files, then report what is left
    ///
    /// A fix is what a finding's help offers, such as the known word nearest to a misspelt one: look at it
    /// first, with `--diff`. Comments and layout stay. With `--select` and `--ignore`, only the fixes of the
    /// findings that are reported.
    #[arg(long)]
    fix: bool,
    /// With `--fix`: show the fixes as a unified diff and write nothing; exit 1 when there are any
    #[arg(long, requires = "fix")]
    diff: bool,
}

impl Check {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Stop> {
        if self.fix {
            if self.rules.are_on_stdin() && !self.diff {
                return Err(Failure::new("`--fix` edits files, and `-` is none").into());
            }
            let (_, _, findings) = self.look(global)?;
            let fixes = project::fixes(&findings);
            if self.diff {
                return show(global, &fixes);
            }
            write(global, &fixes)?;
        }
        let (workspace, refused, findings) = self.look(global)?;
        let errors = findings.iter().filter(|d| d.severity == Severity::Error).count();
        let warnings = findings.len() - errors;
        let outcome = report::findings(global, &findings, Stream::Out)?;
        let left_out = match workspace.refused + refused {
            0 => String::new(),
            refused => format!(", {refused} refused"),
        };
        let through = match workspace.rules.len() - workspace.reported().count() {
            0 => String::new(),
            through => format!(", {through} through a correlation"),
        };
        let rules = workspace.rules.len() + workspace.refused;
        report::say(
            global,
            &format!(
                "{} in {}{through}{left_out}: {}, {}",
                count(rules, "rule"),
                count(workspace.files, "file"),
                count(errors, "error"),
                count(warnings, "warning")
            ),
        )?;
        report::reasons(global, &findings, workspace.refused + refused)?;
        report::losses(global, workspace)?;
        Ok(outcome)
    }

    /// The rules, how many of them targets refuse, and every finding about them
    fn look(
        &self,
        global: &Global,
    ) -> Result<(&'static mut Workspace, usize, Vec<Diagnostic>), Stop> {
        let workspace = self.rules.load()?;
        let refused = workspace.refused_by(&self.targets);
        for loaded in &workspace.rules {
            run_samples(loaded, &mut workspace.diagnostics);
        }
        // A suppression may be about a loss on a target that this run leaves out.
        let looked = if self.targets.is_empty() { Looked::Everywhere } else { Looked::InPart };
        let findings = report::relevant(global, workspace, looked);
        Ok((workspace, refused, findings))
    }
}

/// Shows fixes as a unified diff
fn show(global: &Global, fixes: &[Fixed]) -> Result<Outcome, Stop> {
    let mut out = anstream::stdout().lock();
    for one in fixes {
        screen::body(&mut out, &project::unified(&one.name, &one.before, &one.after))?;
    }
    let done: usize = fixes.iter().map(|one| one.done).sum();
    let files = fixes.iter().filter(|one| one.done > 0).count();
    report::say(global, &format!("{} in {}", number(done), count(files, "file")))?;
    Ok(if done > 0 { Outcome::Findings } else { Outcome::Clean })
}

/// Carries fixes out
fn write(global: &Global, fixes: &[Fixed]) -> Result<(), Stop> {
    for one in fixes.iter().filter(|one| one.done > 0) {
        one.write()?;
        report::say(global, &format!("{} in {}", number(one.done), one.name))?;
    }
    let left: usize = fixes.iter().map(|one| one.left).sum();
    if left > 0 {
        let why = "they want the same words, or would bring an error";
        report::say(global, &format!("{} left for another run: {why}", number(left)))?;
    }
    Ok(())
}

/// `1 fix`, `2 fixes`
fn number(fixes: usize) -> String {
    if fixes == 1 { "1 fix".to_owned() } else { format!("{fixes} fixes") }
}
