//! `check`: every mistake and every loss of every rule.

use clap::Args;

use super::input::Rules;
use super::report::{self, Stream, count};
use super::{Global, Outcome, Stop};
use crate::backend::Target;
use crate::definition::Looked;
use crate::diagnostic::Severity;
use crate::workspace::run_samples;

/// Report every mistake in the rules, and what each target loses
///
/// Runs the rules' own tests too. Nothing is written.
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast check rules --format sarif > findings.sarif")]
pub(super) struct Check {
    #[command(flatten)]
    rules: Rules,
    /// Check for these targets only, repeatable; without it, for sentinel, elastic, native and
    /// those a rule has settings for
    #[arg(short, long = "target", value_name = "TARGET", value_parser = super::convert::target)]
    targets: Vec<Target>,
}

impl Check {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Stop> {
        let workspace = self.rules.load()?;
        let refused = workspace.refused_by(&self.targets);
        for loaded in &workspace.rules {
            run_samples(loaded, &mut workspace.diagnostics);
        }
        // A suppression may be about a loss on a target that this run leaves out.
        let looked = if self.targets.is_empty() { Looked::Everywhere } else { Looked::InPart };
        let found = report::relevant(global, workspace, looked);
        let errors = found.iter().filter(|d| d.severity == Severity::Error).count();
        let warnings = found.len() - errors;
        let outcome = report::findings(global, &found, Stream::Out)?;
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
        report::reasons(global, &found, workspace.refused + refused)?;
        report::losses(global, workspace)?;
        Ok(outcome)
    }
}
