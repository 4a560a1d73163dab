//! The table of rules: a row a rule, a cell a target.
//!
//! In: the sheets. Out: the views of the rows. A cell says the outcome in a word, then what is lost or why
//! the rule is refused.

use std::collections::BTreeMap;

use serde::Serialize;

use super::sheet::Sheet;
use super::words::{self, Mark};
use super::{Facts, link};
use crate::backend::Weight;
use crate::manifest::LossName;
use crate::workspace::{Outcome, Row, refused_for};

/// A rule
#[derive(Serialize)]
pub(super) struct RuleRow {
    href: String,
    title: String,
    file: String,
    id: String,
    level: Mark,
    sources: String,
    cells: Vec<Cell>,
    tests: Tests,
    techniques: Vec<&'static str>,
    modified: String,
}

/// A rule on a target
#[derive(Serialize)]
struct Cell {
    target: &'static str,
    key: &'static str,
    mark: Mark,
    says: String,
    proofs: Vec<Mark>,
}

/// The tests of a rule
#[derive(Serialize)]
struct Tests {
    key: &'static str,
    says: String,
    parts: String,
    tone: &'static str,
    /// Where it stands when the table is sorted: failures first, then rules without a test
    rank: usize,
}

/// The rows of all rules
pub(super) fn rows(facts: &Facts<'_>, sheets: &[Sheet<'_>]) -> Vec<RuleRow> {
    sheets.iter().map(|sheet| row(facts, sheet)).collect()
}

fn row(facts: &Facts<'_>, sheet: &Sheet<'_>) -> RuleRow {
    let rule = &sheet.loaded.rule;
    let metadata = &rule.metadata;
    let cells = facts.targets.iter().map(|target| {
        let Some(one) = sheet.on(*target) else {
            let says = if sheet.loaded.reported { "" } else { "through a correlation" };
            let mark = Mark { word: "–".to_owned(), tone: "calm", rank: 9 };
            let (key, says) = ("none", says.to_owned());
            return Cell { target: target.name(), key, mark, says, proofs: Vec::new() };
        };
        let proof = sheet.proof(facts, *target);
        Cell {
            target: target.name(),
            key: one.row.outcome().name(),
            mark: words::outcome(one.row.outcome()),
            says: says(&one.row),
            proofs: proof.map(|proof| words::proof(proof.word)).into_iter().collect(),
        }
    });
    RuleRow {
        href: link::href(&sheet.path),
        title: metadata.title.value.clone(),
        file: sheet.loaded.file(),
        id: metadata.id.as_ref().map_or_else(String::new, |id| id.value.clone()),
        level: words::level(rule.level),
        sources: sheet.log_sources().join(", "),
        cells: cells.collect(),
        tests: tests(sheet),
        techniques: sheet.techniques().into_iter().map(|one| one.id).collect(),
        modified: modified(sheet),
    }
}

/// The day of the last change, as the rule says
fn modified(sheet: &Sheet<'_>) -> String {
    let metadata = &sheet.loaded.rule.metadata;
    let day = metadata.modified.as_ref().or(metadata.date.as_ref());
    day.map_or_else(String::new, |day| day.value.clone())
}

/// What is lost, or why the rule is refused, in few words
fn says(row: &Row<'_>) -> String {
    match row.outcome() {
        Outcome::Refused => {
            let mut refusals = row.refusals();
            let first = refusals.next();
            let why =
                first.map_or_else(String::new, |one| refused_for(one.code, one.cause.as_ref()));
            match refusals.count() {
                0 => why,
                further => format!("{why}, +{further}"),
            }
        }
        Outcome::Exact | Outcome::LeftOut => without(row),
        Outcome::Noted | Outcome::Warned => [lost(&row.losses), without(row)]
            .into_iter()
            .filter(|one| !one.is_empty())
            .collect::<Vec<_>>()
            .join("; "),
    }
}

fn without(row: &Row<'_>) -> String {
    if row.outcome() == Outcome::LeftOut || row.without.is_empty() {
        return String::new();
    }
    format!("without {}", row.without.join(", "))
}

/// The losses, those that weigh most first
fn lost(losses: &BTreeMap<LossName, Weight>) -> String {
    let of = |weight: Weight| losses.iter().filter(move |(_, own)| **own == weight);
    let names = Weight::ALL.into_iter().rev().flat_map(of).map(|(name, _)| name.name());
    names.collect::<Vec<_>>().join(", ")
}

fn tests(sheet: &Sheet<'_>) -> Tests {
    let (passed, all) = sheet.tests();
    let (tried, parts) = sheet.tested();
    let rest = match parts {
        0 => String::new(),
        parts => format!("{tried} of {parts} parts"),
    };
    match all {
        0 => Tests {
            key: "none",
            says: "none".to_owned(),
            parts: String::new(),
            tone: "calm",
            rank: 1,
        },
        all if passed < all => {
            let says = format!("{} of {all} fail", all - passed);
            Tests { key: "fail", says, parts: rest, tone: "bad", rank: 0 }
        }
        all => {
            let tone = if tried == parts { "good" } else { "fair" };
            let rank = 2 + words::percent(tried, parts);
            Tests { key: "pass", says: format!("{all} pass"), parts: rest, tone, rank }
        }
    }
}
