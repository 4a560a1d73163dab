//! The page of a rule.
//!
//! In: a sheet. Out: the page: what the rule finds in words, what becomes of it on each target, the
//! definition beside the artifacts, the notes on false positives, its tests, and its history.

use std::sync::Arc;

use serde::Serialize;

use super::Facts;
use super::artifacts::{self, artifacts};
use super::counts::weight;
use super::layout::{Layout, Sheaf};
use super::meaning::{Meaning, meaning};
use super::reading::{Reference, ThreatLink, references, threats};
use super::samples::{self, tests};
use super::sheet::Sheet;
use super::words::{self, Mark, paragraphs};
use crate::project::Dated;
use crate::source::Spanned;
use crate::workspace::{Emitted, Outcome};

#[derive(Serialize)]
struct View {
    level: Mark,
    file: String,
    description: Vec<String>,
    facts: Vec<(&'static str, String)>,
    meaning: Meaning,
    is_reported: bool,
    targets: Vec<OnTarget>,
    definition: String,
    artifacts: Vec<artifacts::OnTarget>,
    falsepositives: Vec<String>,
    investigation: Vec<String>,
    tests: Vec<samples::Test>,
    tests_say: String,
    untried: Vec<String>,
    threats: Vec<ThreatLink>,
    references: Vec<Reference>,
    has_references: bool,
    related: Vec<String>,
    dates: Vec<(&'static str, String)>,
    history: Vec<Change>,
    history_says: &'static str,
}

/// What becomes of the rule on a target
#[derive(Serialize)]
struct OnTarget {
    name: &'static str,
    mark: Mark,
    says: &'static str,
    mappings: String,
    without: String,
    losses: Vec<Loss>,
    refusals: Vec<Refusal>,
    proofs: Vec<Proved>,
    is_proven: bool,
}

#[derive(Serialize)]
struct Loss {
    name: &'static str,
    says: &'static str,
    mark: Mark,
}

#[derive(Serialize)]
struct Refusal {
    code: String,
    message: String,
    line: usize,
}

#[derive(Serialize)]
struct Proved {
    mark: Mark,
    detail: String,
}

#[derive(Serialize)]
struct Change {
    day: String,
    lines: String,
    subject: String,
}

/// Renders the page
pub(super) fn render(
    layout: &Layout,
    facts: &Facts<'_>,
    sheet: &Sheet<'_>,
) -> Result<String, String> {
    let rule = &sheet.loaded.rule;
    let metadata = &rule.metadata;
    let text =
        |one: Option<&Spanned<String>>| one.map_or_else(String::new, |one| one.value.clone());
    let alone =
        facts.rules.iter().filter(|one| Arc::ptr_eq(&one.rule.source, &rule.source)).count() == 1;
    let definition = if alone { rule.source.text() } else { rule.source.slice(rule.span) };
    let untried = sheet.parts.iter().filter(|part| !part.is_tried);
    let history = facts.history.as_ref();
    let changes = history.and_then(|all| all.get(rule.source.name())).into_iter().flatten();
    let view = View {
        level: words::level(rule.level),
        file: sheet.loaded.file(),
        description: paragraphs(&text(metadata.description.as_ref())),
        facts: known(sheet),
        meaning: meaning(rule),
        is_reported: sheet.loaded.reported,
        targets: sheet.emitted.iter().map(|one| on_target(facts, sheet, one)).collect(),
        definition: definition.trim_end().to_owned(),
        artifacts: artifacts(sheet),
        falsepositives: metadata.falsepositives.iter().map(|one| one.value.clone()).collect(),
        investigation: metadata.investigation.iter().map(|one| one.value.clone()).collect(),
        tests: tests(sheet),
        tests_say: tests_say(sheet),
        untried: untried.map(|part| part.what.clone()).collect(),
        threats: threats(rule),
        references: references(metadata),
        has_references: !metadata.references.is_empty(),
        related: metadata
            .related
            .iter()
            .map(|one| format!("{} {}", one.relation.value, one.id.value))
            .collect(),
        dates: dates(sheet),
        history: changes.map(change).collect(),
        history_says: match history {
            Some(_) => "",
            None => "Earlier dates were not read; `--history` takes them from git.",
        },
    };
    let page =
        Sheaf { template: "rule", path: &sheet.path, title: sheet.title(), has_script: false };
    layout.render(&page, view)
}

/// What the author says of the rule, but for texts and dates
fn known(sheet: &Sheet<'_>) -> Vec<(&'static str, String)> {
    let metadata = &sheet.loaded.rule.metadata;
    let joined = |all: &[Spanned<String>]| {
        all.iter().map(|one| one.value.as_str()).collect::<Vec<_>>().join(", ")
    };
    let all = [
        ("Log source", sheet.log_sources().join(", ")),
        ("Status", metadata.status.as_ref().map_or_else(String::new, |one| one.value.to_string())),
        ("Id", metadata.id.as_ref().map_or_else(String::new, |one| one.value.clone())),
        ("Author", joined(&metadata.author)),
        ("Scope", joined(&metadata.scope)),
        ("Tags", joined(&metadata.tags)),
        ("Licence", metadata.license.as_ref().map_or_else(String::new, |one| one.value.clone())),
    ];
    all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

fn dates(sheet: &Sheet<'_>) -> Vec<(&'static str, String)> {
    let metadata = &sheet.loaded.rule.metadata;
    let all = [
        ("First version", metadata.date.as_ref().map(|one| one.value.clone())),
        ("Last change", metadata.modified.as_ref().map(|one| one.value.clone())),
        ("Version of its meaning", metadata.version.as_ref().map(|one| one.value.to_string())),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

fn change(one: &Dated) -> Change {
    Change { day: one.day.clone(), lines: one.lines.join(", "), subject: one.subject.clone() }
}

fn on_target(facts: &Facts<'_>, sheet: &Sheet<'_>, one: &Emitted<'_>) -> OnTarget {
    let row = &one.row;
    let losses = row.losses.iter();
    let losses =
        losses.map(|(name, own)| Loss { name: name.name(), says: name.says(), mark: weight(*own) });
    let refusals = row.refusals().map(|refusal| Refusal {
        code: refusal.code.to_string(),
        message: refusal.message.clone(),
        line: refusal.source.line_column(refusal.primary.span.start).0,
    });
    let proof = sheet.proof(facts, row.target);
    let proof =
        proof.map(|one| Proved { mark: words::proof(one.word), detail: one.detail.clone() });
    OnTarget {
        name: row.target.name(),
        mark: words::outcome(row.outcome()),
        says: words::meaning(row.outcome()),
        mappings: row.mappings.join(", "),
        without: match row.outcome() {
            Outcome::LeftOut => String::new(),
            Outcome::Exact | Outcome::Noted | Outcome::Warned | Outcome::Refused => {
                row.without.join(", ")
            }
        },
        losses: losses.collect(),
        refusals: refusals.collect(),
        is_proven: proof.is_some(),
        proofs: proof.into_iter().collect(),
    }
}

fn tests_say(sheet: &Sheet<'_>) -> String {
    let ((passed, all), (tried, parts)) = (sheet.tests(), sheet.tested());
    match all {
        0 => "The rule has no test.".to_owned(),
        all => format!(
            "{passed} of {} pass. They are about {tried} of {parts} signals, exclusions, levels and correlations.",
            words::count(all, "test")
        ),
    }
}
