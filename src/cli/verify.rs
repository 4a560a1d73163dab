//! `verify`: checks that artifacts mean the same as their rules.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::convert::target;
use super::events::EventForm;
use super::examples::Files;
use super::input::Rules;
use super::report::{self, Stream, count};
use super::templates::OwnTemplates;
use super::{Format, Global, Outcome, Stop, screen, verdict};
use crate::backend::Target;
use crate::definition::Looked;
use crate::ir::Rule;
use crate::project::{self, Digest, Verified};
use crate::source::visible_json;
use crate::verify::Verdict;

/// Check that what is emitted means what the rules say
///
/// Elastic's rules are read back as Kibana reads them and judge the events of each rule's own tests,
/// in the documents that Elastic's pipelines make of them: verdicts, severities and new terms must
/// be the engine's. Kusto is bound to the schema of its tables: columns, types, limits, and what the
/// packages around a query name. Then it is executed on the rows that Microsoft's tables have of those
/// tests, of events near every literal, and of series at the edges of each window, run after run of its
/// schedule: rows, levels, result columns, new terms and correlations must be the engine's. Native matchers
/// are compiled by `rustc`, where there is one, and judge the same events; source in a folder that is not what is
/// emitted now is `broken` and is not run. All of it happens on this machine.
///
/// Prints a line for each rule and target: `same` (executed), `binds` (not executed, and what was not),
/// `different`, `broken`, or `not checkable` and why. With `--format json` a line is an object: the verdict, the
/// number of events that were executed and matched, the losses that explain differences, and the SHA-256 of
/// the rule's file and of each artifact.
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast verify rules\n  \
                        rulecast verify rules -t elastic -e events.jsonl --event process_creation\n  \
                        rulecast verify rules --artifacts build")]
pub(super) struct Verify {
    #[command(flatten)]
    rules: Rules,
    /// Verify these targets only, repeatable; without it, those that `convert` writes
    #[arg(short, long = "target", value_name = "TARGET", value_parser = target)]
    targets: Vec<Target>,
    /// Verify the files that `convert -o DIR` has written, as they are now
    #[arg(long, value_name = "DIR")]
    artifacts: Option<PathBuf>,
    /// File of events to try the rules on besides their tests, repeatable; `-` for standard input
    #[arg(short, long, value_name = "FILE")]
    events: Vec<PathBuf>,
    #[command(flatten)]
    form: EventForm,
    #[command(flatten)]
    templates: OwnTemplates,
}

impl Verify {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Stop> {
        let workspace = self.rules.load()?;
        self.templates.give(workspace)?;
        let rules: Vec<Rule> = workspace.reported().map(|loaded| loaded.rule.clone()).collect();
        let read = (&*rules, &workspace.policy.mappings);
        let mut files = Files::open(&self.events, &self.form, read, global.quiet)?;
        let verified = project::verify(
            (&workspace.rules, &workspace.policy),
            &self.targets,
            self.artifacts.as_deref(),
            &mut || files.next(),
        )?;
        files.finish(&mut workspace.diagnostics);
        if let Some(failure) = files.failure() {
            return Err(failure.into());
        }
        let mut shown = Vec::new();
        for one in &verified {
            shown.push((one, verdict::detail(one, &files.names)));
            let folder = self.artifacts.as_deref();
            verdict::report(one, &files.names, folder, &mut workspace.diagnostics);
        }
        print(&shown, global.format == Format::Json)?;
        let judged = |word: &str| verified.iter().filter(|one| one.verdict.word() == word).count();
        let words = Verdict::WORDS.iter().filter(|word| judged(word) > 0);
        let words: Vec<String> = words.map(|word| format!("{} {word}", judged(word))).collect();
        let summary =
            if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) };
        let rules = count(rules.len(), "rule");
        let left_out = report::left_out(workspace.refused);
        let refused = workspace.refused > 0;
        let findings = report::relevant(global, workspace, Looked::InPart);
        let outcome = report::findings(global, &findings, Stream::Err)?;
        report::say(global, &format!("{rules}{left_out}{summary}"))?;
        Ok(if refused { Outcome::Findings } else { outcome })
    }
}

/// Prints a line for each rule and target, in columns or as objects
fn print(shown: &[(&Verified<'_>, String)], as_json: bool) -> Result<(), Stop> {
    let mut out = anstream::stdout().lock();
    let name = |one: &Verified<'_>| match one.loaded.folder.as_str() {
        "" => one.loaded.stem.clone(),
        folder => format!("{folder}/{}", one.loaded.stem),
    };
    let width = shown.iter().map(|(one, _)| name(one).chars().count()).max().unwrap_or(0);
    for (one, detail) in shown {
        let (target, word) = (one.target.name(), one.verdict.word());
        if as_json {
            let line = evidence(one, detail);
            writeln!(out, "{}", visible_json(&line.to_string()))?;
        } else {
            let name = name(one);
            let line = format!("{name:width$}  {target:8}  {word:13}  {detail}");
            writeln!(out, "{}", screen::line(&line))?;
        }
    }
    Ok(())
}

/// A verdict with what it stands on, to be kept with a release
fn evidence(one: &Verified<'_>, detail: &str) -> Value {
    let rule = &one.loaded.rule;
    let artifacts = one.artifacts.iter().map(|one| json!({"name": one.name, "sha256": one.sha256}));
    let executed = match &one.verdict {
        Verdict::Same(tally) | Verdict::Different(tally) => json!({
            "events": tally.events,
            "matched": tally.matched,
            "signals": tally.signals,
            "explained_by_losses": tally.lost,
            "losses": tally.losses,
            "unwritten": tally.unwritten,
            "differences": tally.differences.len(),
        }),
        Verdict::Binds { .. } | Verdict::Broken(_) | Verdict::Unchecked(_) => Value::Null,
    };
    json!({
        "rule": rule.metadata.title.value,
        "id": rule.metadata.id.as_ref().map(|id| &id.value),
        "file": rule.source.name(),
        "file_sha256": Digest::of(rule.source.name(), rule.source.text()).sha256,
        "target": one.target.name(),
        "verdict": one.verdict.word(),
        "detail": detail,
        "executed": executed,
        "artifacts": artifacts.collect::<Vec<_>>(),
        "rulecast": env!("CARGO_PKG_VERSION"),
    })
}
