//! `plan`: prints what it takes to bring a target to what the rules make.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value, json};

use super::input::Rules;
use super::report::{self, Stream, count};
use super::{Format, Global, Outcome, Stop, screen};
use crate::backend::Target;
use crate::definition::Looked;
use crate::project::{self, Failure};
use crate::review::{Export, FieldChange, Last, Planned, Step, emitted, plan, read_export};
use crate::workspace::{Kept, Workspace};

/// Compare the rules that a target has with those that are made
///
/// Reads an export of the target: an ARM template or a list of Sentinel's analytic rules, or the lines that
/// Kibana exports. Only fields that rulecast writes are compared. Whether a rule is on, its exceptions and the
/// version that the target counts are left to the target, and so are the rules of others.
#[derive(Args)]
#[command(after_help = "Example:\n  rulecast plan rules --deployed rules_export.ndjson\n  \
                        rulecast plan rules --deployed workspace.json --last build\n  \
                        rulecast plan rules --deployed workspace.json --against v1.4")]
pub(super) struct Plan {
    #[command(flatten)]
    rules: Rules,
    /// Export of a target, repeatable
    #[arg(long, value_name = "FILE", required = true)]
    deployed: Vec<PathBuf>,
    /// The output folder as it was when it was deployed; it tells what somebody changed on the target, and
    /// which rules there are rulecast's and have no definition any more
    #[arg(long, value_name = "DIR")]
    last: Option<PathBuf>,
    /// The rules as they were when they were deployed, where their output is not kept: a folder or a file, or a
    /// revision of git with the same paths; it tells the same
    #[arg(long, value_name = "REV|DIR", conflicts_with = "last")]
    against: Option<String>,
    /// The target that the export is of: sentinel, asim or elastic; without it, the export tells
    #[arg(short, long = "target", value_name = "TARGET", value_parser = exported)]
    targets: Vec<Target>,
}

/// Reads the name of a target that has exports
fn exported(name: &str) -> Result<Target, String> {
    match super::convert::target(name)? {
        Target::Xdr | Target::Native => Err("expected sentinel, asim or elastic".to_owned()),
        target @ (Target::Sentinel | Target::Asim | Target::Elastic) => Ok(target),
    }
}

impl Plan {
    pub(super) fn run(self, global: &Global) -> Result<Outcome, Stop> {
        let mut export = Export::default();
        for path in &self.deployed {
            let one = read(path)?;
            export.rules.extend(one.rules);
            export.others += one.others;
        }
        let mut targets = self.targets.clone();
        if targets.is_empty() {
            let told = |target: &Target| export.rules.iter().any(|rule| rule.target == *target);
            targets.extend(Target::ALL.iter().copied().filter(told));
        }
        if targets.is_empty() {
            let why = "the export holds no rule: name its target with `--target`";
            return Err(Failure::new(why).into());
        }
        let workspace = self.rules.load()?;
        let (outputs, refused) = workspace.outputs(&targets, Kept::Artifacts);
        let now: Vec<_> =
            outputs.iter().flat_map(|output| emitted(&output.path, &output.text)).collect();
        let last = self.last(&targets, workspace)?;
        let planned = plan(&now, &export.rules, last.as_ref());
        let others =
            export.rules.len() - planned.iter().filter(|one| one.step != Step::Create).count();
        match global.format {
            Format::Json => print_json(&planned, others)?,
            Format::Full
            | Format::Concise
            | Format::Sarif
            | Format::Github
            | Format::Csv
            | Format::Junit
            | Format::Table => print(&planned)?,
        }
        let findings = report::relevant(global, workspace, Looked::InPart);
        let outcome = report::findings(global, &findings, Stream::Err)?;
        let counts = counts(&planned);
        let told = counts.iter().map(|(step, number)| format!("{number} {step}"));
        let told: Vec<String> = told.collect();
        let of_others = match last {
            Some(_) => "of others",
            None => "of others or without a definition: `--last` or `--against` tells",
        };
        let others = count(others, "rule");
        report::say(global, &format!("{}; {others} {of_others}", told.join(", ")))?;
        let to_do = planned.iter().any(|one| one.step != Step::Same);
        let fails = to_do || refused + workspace.refused > 0;
        Ok(if fails { Outcome::Findings } else { outcome })
    }

    /// What was deployed: the last output, or what comes of the rules as they were
    fn last(&self, targets: &[Target], now: &Workspace) -> Result<Option<Last>, Stop> {
        if let Some(folder) = &self.last {
            return Ok(Some(project::last(folder, targets, now)?));
        }
        let Some(before) = &self.against else { return Ok(None) };
        let before = self.rules.load_before(before)?;
        Ok(Some(Last::of(&before.emitted(targets), &now.files_with_errors())))
    }
}

fn read(path: &Path) -> Result<Export, Failure> {
    let name = project::display(path);
    let failed = |why: String| Failure::new(format!("cannot read {name}: {why}"));
    let bytes = std::fs::read(path).map_err(|why| failed(why.to_string()))?;
    let text = String::from_utf8(bytes).map_err(|_| failed("it is not UTF-8".to_owned()))?;
    let export = read_export(&text);
    export.map_err(|why| failed(format!("it is no export of Sentinel or Kibana: {why}")))
}

/// How many rules have each step, in the order of reports
fn counts(planned: &[Planned]) -> Vec<(&'static str, usize)> {
    let mut counts: BTreeMap<Step, usize> = BTreeMap::new();
    planned.iter().for_each(|one| *counts.entry(one.step).or_default() += 1);
    let number = |step: Step| counts.get(&step).copied().unwrap_or_default();
    let all = Step::ALL.iter().map(|step| (step.name(), number(*step)));
    all.filter(|(name, number)| *number > 0 || *name == Step::Same.name()).collect()
}

fn print(planned: &[Planned]) -> std::io::Result<()> {
    let mut out = anstream::stdout().lock();
    for one in planned.iter().filter(|one| one.step != Step::Same) {
        let (step, target) = (one.step.name(), one.target.name());
        writeln!(out, "{}", screen::line(&format!("{step:<8} {target:<8} {}", one.name)))?;
        writeln!(out, "{}", screen::line(&format!("         {}", one.id)))?;
        for field in &one.fields {
            for line in lines(field) {
                writeln!(out, "{}", screen::line(&format!("    {line}")))?;
            }
        }
    }
    Ok(())
}

/// A field that differs, with its lines where it has several
fn lines(field: &FieldChange) -> Vec<String> {
    let hand = if field.by_hand == Some(true) { ", changed on the target" } else { "" };
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            format!("{value:#}")
        }
    };
    let (before, after) = (text(&field.deployed), text(&field.emitted));
    let mut lines = vec![format!("{}{hand}:", field.name)];
    lines.extend(project::edits(&before, &after).into_iter().map(|edit| {
        let sign = if edit.is_new { '+' } else { '-' };
        format!("  {sign} {}", edit.text)
    }));
    lines
}

fn print_json(planned: &[Planned], others: usize) -> std::io::Result<()> {
    let field = |field: &FieldChange| {
        json!({
            "name": field.name, "deployed": field.deployed, "emitted": field.emitted,
            "by_hand": field.by_hand,
        })
    };
    let steps = planned.iter().map(|one| {
        json!({
            "step": one.step.name(), "target": one.target.name(), "id": one.id, "name": one.name,
            "fields": one.fields.iter().map(field).collect::<Vec<_>>(),
        })
    });
    let steps: Vec<Value> = steps.collect();
    let document = json!({"version": 1, "rules": steps, "of_others": others});
    writeln!(anstream::stdout().lock(), "{document}")
}
