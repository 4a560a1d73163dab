//! `test`: runs the samples of rules.

use std::io::Write;

use clap::Args;

use super::input::Rules;
use super::junit::{self, Case};
use super::report::{self, Stream, count};
use super::{Format, Global, Outcome, Stop, screen};
use crate::definition::Looked;
use crate::diagnostic::Diagnostics;
use crate::review::{Side, touched};
use crate::workspace::{Loaded, SampleResult, Workspace, run_samples, tested_parts};

/// Run each rule's own tests through the native engine
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast test rules --only 'tomcat'\n  \
                        rulecast test rules --changed main --format junit > tests.xml")]
pub(super) struct Test {
    #[command(flatten)]
    rules: Rules,
    /// Only tests whose name, or whose rule's title, holds this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Only rules that are not as they were at a revision of git, or in a folder: in their text, or through a
    /// filter, list, mapping or setting
    #[arg(long, value_name = "REV|DIR")]
    changed: Option<String>,
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
        let is_xml = global.format == Format::Junit;
        if let Some(before) = &self.changed {
            self.keep_changed(global, workspace, before)?;
        }
        let mut cases = Vec::new();
        let mut untested = 0;
        for loaded in &mut workspace.rules {
            if let Some(only) = &self.only {
                let title = loaded.rule.metadata.title.value.contains(only.as_str());
                loaded.rule.tests.retain(|test| title || test.name.value.contains(only.as_str()));
            }
            let mut diagnostics = Diagnostics::default();
            let results = run_samples(loaded, &mut diagnostics);
            let failures: Vec<_> = diagnostics.iter().cloned().collect();
            let mut failures = failures.into_iter();
            untested += usize::from(results.is_empty() && self.only.is_none());
            for SampleResult { rule, sample, passed } in results {
                let file = loaded.rule.source.name().to_owned();
                // INVARIANT: each sample that failed has one finding, in the order of the samples.
                let failure = if passed { None } else { failures.next() };
                if self.verbose && passed && !is_xml {
                    let passed = screen::line(&format!("ok  {rule}: {sample}"));
                    writeln!(anstream::stdout().lock(), "{passed}")?;
                }
                cases.push(Case { rule, file, name: sample, failure });
            }
            workspace.diagnostics.extend(diagnostics);
        }
        let covered = match self.coverage || self.min_coverage.is_some() {
            true => Some(self.cover(&workspace.rules, !is_xml)?),
            false => None,
        };
        let findings = report::relevant(global, workspace, Looked::InPart);
        if is_xml {
            anstream::stdout().lock().write_all(junit::report(&cases, &findings)?.as_bytes())?;
        }
        let stream = if is_xml { Stream::None } else { Stream::Out };
        let outcome = report::findings(global, &findings, stream)?;
        let without = match untested {
            0 => String::new(),
            rules => format!(", {} without a test", count(rules, "rule")),
        };
        let failed = cases.iter().filter(|case| case.failure.is_some()).count();
        let passed = cases.len() - failed;
        report::say(global, &format!("{passed} passed, {failed} failed{without}"))?;
        let Some((tried, all)) = covered else { return Ok(outcome) };
        let percent = if all == 0 { 100.0 } else { 100.0 * tried as f64 / all as f64 };
        report::say(global, &format!("{tried} of {all} parts are tested ({percent:.1}%)"))?;
        let least = self.min_coverage.map_or(0.0, f64::from);
        Ok(if percent < least { Outcome::Findings } else { outcome })
    }

    /// Leaves only the rules that are not as they were
    fn keep_changed(
        &self,
        global: &Global,
        workspace: &mut Workspace,
        before: &str,
    ) -> Result<(), Stop> {
        let earlier = self.rules.load_before(before)?;
        let emitted = [earlier.emitted(&[]), workspace.emitted(&[])];
        let side = |rules, emitted| Side { rules, emitted };
        let touched =
            touched(side(&earlier.rules, &emitted[0]), side(&workspace.rules, &emitted[1]));
        drop(emitted);
        let all = workspace.rules.len();
        let mut at = 0;
        workspace.rules.retain(|_| {
            at += 1;
            touched.contains(&(at - 1))
        });
        let rules = count(all, "rule");
        report::say(global, &format!("{} of {rules} changed since {before}", touched.len()))?;
        Ok(())
    }

    /// Prints the parts of rules that no test is about; returns how many are tested, and how many there are
    fn cover(&self, rules: &[Loaded], told: bool) -> std::io::Result<(usize, usize)> {
        let (mut tried, mut all) = (0, 0);
        for loaded in rules {
            for part in tested_parts(&loaded.rule) {
                all += 1;
                tried += usize::from(part.is_tried);
                if told && self.coverage && !part.is_tried {
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
