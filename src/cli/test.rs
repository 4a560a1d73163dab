//! `test`: runs the samples of rules.

use std::io::Write;

use clap::Args;

use super::input::Rules;
use super::report::{self, Stream, count};
use super::{Global, Outcome, Stop, screen};
use crate::definition::Looked;
use crate::workspace::run_samples;

/// Run each rule's own tests through the native engine
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast test rules --only 'tomcat'")]
pub(super) struct Test {
    #[command(flatten)]
    rules: Rules,
    /// Only tests whose name, or whose rule's title, holds this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Also name the tests that passed
    #[arg(short, long)]
    verbose: bool,
}

impl Test {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Stop> {
        let workspace = self.rules.load()?;
        let (mut passed, mut failed, mut untested) = (0, 0, 0);
        for loaded in &mut workspace.rules {
            if let Some(only) = &self.only {
                let title = loaded.rule.metadata.title.value.contains(only.as_str());
                loaded.rule.tests.retain(|test| title || test.name.value.contains(only.as_str()));
            }
            let results = run_samples(loaded, &mut workspace.diagnostics);
            untested += usize::from(results.is_empty() && self.only.is_none());
            for result in results {
                if result.passed {
                    passed += 1
                } else {
                    failed += 1
                }
                if self.verbose && result.passed {
                    let passed = screen::line(&format!("ok  {}: {}", result.rule, result.sample));
                    writeln!(anstream::stdout().lock(), "{passed}")?;
                }
            }
        }
        let found = report::relevant(global, workspace, Looked::InPart);
        let outcome = report::findings(global, &found, Stream::Out)?;
        let without = match untested {
            0 => String::new(),
            rules => format!(", {} without a test", count(rules, "rule")),
        };
        report::say(global, &format!("{passed} passed, {failed} failed{without}"))?;
        Ok(outcome)
    }
}
