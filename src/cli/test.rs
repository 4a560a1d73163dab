//! `test`: runs the samples of rules.

use std::io::Write;

use clap::Args;

use super::input::Rules;
use super::report::{self, Stream, count};
use super::{Global, Outcome, Stop, screen};
use crate::definition::Looked;
use crate::workspace::{Loaded, run_samples, tested_parts};

/// Run each rule's own tests through the native engine
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast test rules --only 'tomcat'")]
pub(super) struct Test {
    #[command(flatten)]
    rules: Rules,
    /// Only tests whose name, or whose rule's title, holds this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Also name what no test is about: signals, exclusions, levels, correlations
    #[arg(long)]
    coverage: bool,
    /// Exit 1 when tests are about less than this share of them, in percent
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(..=100))]
    min_coverage: Option<u8>,
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
        let covered = match self.coverage || self.min_coverage.is_some() {
            true => Some(self.cover(&workspace.rules)?),
            false => None,
        };
        let found = report::relevant(global, workspace, Looked::InPart);
        let outcome = report::findings(global, &found, Stream::Out)?;
        let without = match untested {
            0 => String::new(),
            rules => format!(", {} without a test", count(rules, "rule")),
        };
        report::say(global, &format!("{passed} passed, {failed} failed{without}"))?;
        let Some((tried, all)) = covered else { return Ok(outcome) };
        let percent = if all == 0 { 100.0 } else { 100.0 * tried as f64 / all as f64 };
        report::say(global, &format!("{tried} of {all} parts are tested ({percent:.1}%)"))?;
        let least = self.min_coverage.map_or(0.0, f64::from);
        Ok(if percent < least { Outcome::Findings } else { outcome })
    }

    /// Prints the parts of rules that no test is about; returns how many are tested, and how many there are
    fn cover(&self, rules: &[Loaded]) -> std::io::Result<(usize, usize)> {
        let (mut tried, mut all) = (0, 0);
        for loaded in rules {
            for part in tested_parts(&loaded.rule) {
                all += 1;
                tried += usize::from(part.is_tried);
                if self.coverage && !part.is_tried {
                    let source = &loaded.rule.source;
                    let (line, column) = source.line_column(part.span.start);
                    let place = format!("{}:{line}:{column}", source.name());
                    let text = format!("{place}: no test is about {}", part.what);
                    writeln!(anstream::stdout().lock(), "{}", screen::line(&text))?;
                }
            }
        }
        Ok((tried, all))
    }
}
