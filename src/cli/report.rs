//! Prints findings in the format that the user asked for. (The command `report` is in
//! [`matrix`](super::matrix).)
//!
//! In: the findings of a run. Out: the findings that remain after suppressions, `--select` and
//! `--ignore`, printed; and whether they fail the run.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::process::ExitCode;

use super::{FailOn, Format, Global, Outcome, screen, select};
use crate::backend::{Target, Weight};
use crate::definition::Looked;
use crate::diagnostic::{Code, Diagnostic, Severity, concise, full, github, json, sarif};
use crate::pages::plural;
use crate::workspace::Workspace;

/// Where findings go
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Stream {
    /// Stdout: the findings are the command's data
    Out,
    /// Stderr: the command has other data
    Err,
    /// Nowhere: the command has told them in its own form
    None,
}

/// The findings of a run after suppressions, `--select` and `--ignore`, sorted
pub(super) fn relevant(
    global: &Global,
    workspace: &mut Workspace,
    looked: Looked,
) -> Vec<Diagnostic> {
    let mut findings = workspace.findings(looked);
    findings.retain(|one| select::reported(one, &global.select, &global.ignore));
    findings
}

/// Prints findings; returns whether they fail the run
pub(super) fn findings(
    global: &Global,
    findings: &[Diagnostic],
    stream: Stream,
) -> io::Result<Outcome> {
    let text = match global.format {
        // Findings have no columns.
        Format::Full | Format::Csv | Format::Table | Format::Junit => {
            screen::lines(findings.iter().map(|d| full(d, true) + "\n\n").collect())
        }
        Format::Concise => screen::lines(lines(findings, concise)),
        Format::Github => lines(findings, github),
        Format::Json => json(findings),
        Format::Sarif => sarif(findings),
    };
    match stream {
        Stream::Out => anstream::stdout().lock().write_all(text.as_bytes())?,
        Stream::Err => anstream::stderr().lock().write_all(text.as_bytes())?,
        Stream::None => {}
    }
    let fail = findings.iter().any(|one| fails(global, one));
    Ok(if fail { Outcome::Findings } else { Outcome::Clean })
}

/// Whether a finding fails the run
pub(super) fn fails(global: &Global, finding: &Diagnostic) -> bool {
    match global.fail_on {
        FailOn::Error => finding.severity == Severity::Error,
        FailOn::Warning => true,
    }
}

fn lines(findings: &[Diagnostic], print: impl Fn(&Diagnostic) -> String) -> String {
    findings.iter().map(|diagnostic| print(diagnostic) + "\n").collect()
}

/// Says why rules were left out, a line for each reason, the most frequent first
pub(super) fn reasons(global: &Global, findings: &[Diagnostic], left_out: usize) -> io::Result<()> {
    // For a single rule, its findings are enough.
    if left_out < 2 {
        return Ok(());
    }
    let errors = findings.iter().filter(|one| one.severity == Severity::Error);
    let mut reasons: BTreeMap<Code, BTreeSet<&str>> = BTreeMap::new();
    for one in errors {
        reasons.entry(one.code).or_default().insert(one.source.name());
    }
    let mut reasons: Vec<(usize, Code)> =
        reasons.into_iter().map(|(code, files)| (files.len(), code)).collect();
    reasons.sort_by_key(|(files, code)| (Reverse(*files), *code));
    for (files, code) in reasons {
        say(global, &format!("  {:>12}  {code} {}", count(files, "file"), code.title()))?;
    }
    Ok(())
}

/// The end of a summary: `, 2 rules left out`; empty when no rule was left out
pub(super) fn left_out(rules: usize) -> String {
    if rules == 0 { String::new() } else { format!(", {} left out", count(rules, "rule")) }
}

/// Prints a message about the run on stderr, unless the run is quiet
pub(super) fn say(global: &Global, text: &str) -> io::Result<()> {
    if global.quiet {
        return Ok(());
    }
    writeln!(anstream::stderr().lock(), "{}", screen::line(text))
}

/// Prints a finding that keeps the run from its work
pub(super) fn complain(finding: &Diagnostic) {
    let text = screen::lines(full(finding, true) + "\n\n");
    // A failure to write this message cannot be reported anywhere.
    let _ = anstream::stderr().lock().write_all(text.as_bytes());
}

/// Says which losses the outputs of a run have, a line for each target and weight
pub(super) fn losses(global: &Global, workspace: &Workspace) -> io::Result<()> {
    let mut lines: BTreeMap<(Target, Weight), Vec<String>> = BTreeMap::new();
    for ((target, name, weight), number) in &workspace.losses {
        let line = lines.entry((*target, *weight)).or_default();
        line.push(format!("{} {number}", name.name()));
    }
    for ((target, weight), losses) in lines {
        let word = match weight {
            Weight::Note => "noted",
            Weight::Warn => "warned of",
            Weight::Deny => "refused",
        };
        say(global, &format!("  losses on {}, {word}: {}", target.name(), losses.join(", ")))?;
    }
    Ok(())
}

/// Prints why the run could not do its work; returns exit code 2
pub(super) fn failed(why: &str) -> ExitCode {
    error(why);
    ExitCode::from(2)
}

/// Prints why a part of the run could not do its work
pub(super) fn error(why: &str) {
    // A failure to write this message cannot be reported anywhere.
    let why = screen::line(why.trim_end_matches('.'));
    let _ = writeln!(anstream::stderr().lock(), "error: {why}");
}

/// Prints a warning about the run, even when the run is quiet
pub(super) fn warn(why: &str) {
    // A failure to write this message cannot be reported anywhere.
    let _ = writeln!(anstream::stderr().lock(), "warning: {}", screen::line(why));
}

/// `1 rule`, `2 rules`, `2 matches`
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{number} {}", plural(number, noun))
}
