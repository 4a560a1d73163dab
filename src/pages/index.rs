//! The page of the set: what a reader should know first, then every rule.
//!
//! In: the facts and the sheets. Out: the page: the numbers, what needs attention, the outcomes by target
//! with reasons and losses, the coverage of ATT&CK, and the table of rules. What was not computed is said
//! to be so.

use serde::Serialize;

use super::attack::{Coverage, OfTactic};
use super::counts::{self, Counted, OfSource, OnTarget};
use super::layout::{Layout, Sheaf};
use super::rows::{RuleRow, rows};
use super::sheet::Sheet;
use super::words::{self, count, grouped, percent};
use super::{Facts, link};
use crate::definition::Level;
use crate::taxonomy::attack;
use crate::workspace::{Outcome, Summary};

/// The most errors that are listed
const MOST_ERRORS: usize = 50;

#[derive(Serialize)]
struct View {
    lead: String,
    tiles: Vec<Tile>,
    attention: Vec<Attention>,
    errors: Vec<ErrorLine>,
    more_errors: Vec<String>,
    targets: Vec<OnTarget>,
    names: Vec<&'static str>,
    words: Vec<Word>,
    refusals: Vec<Counted>,
    losses: Vec<Counted>,
    sources: Vec<OfSource>,
    number_of_sources: usize,
    is_proven: bool,
    attack: &'static str,
    tactics: Vec<OfTactic>,
    levels: Vec<&'static str>,
    rules: String,
    rows: Vec<RuleRow>,
}

/// A number with its name
#[derive(Serialize)]
struct Tile {
    number: String,
    name: String,
    says: String,
}

/// What a reader should look at
#[derive(Serialize)]
struct Attention {
    tone: &'static str,
    text: String,
    href: String,
}

#[derive(Serialize)]
struct ErrorLine {
    place: String,
    code: String,
    message: String,
}

/// A word of the table, explained
#[derive(Serialize)]
struct Word {
    mark: words::Mark,
    says: &'static str,
}

/// Renders the page
pub(super) fn render(
    layout: &Layout,
    facts: &Facts<'_>,
    sheets: &[Sheet<'_>],
    coverage: &Coverage,
) -> Result<String, String> {
    let summary = Summary::of(facts.emitted.iter().map(|one| &one.row));
    let sources = counts::sources(&summary, &facts.targets);
    let title = format!("Detection rules in {}", facts.name);
    let errors = facts.errors.iter().take(MOST_ERRORS).map(|one| {
        let line = one.source.line_column(one.primary.span.start).0;
        let place = format!("{}:{line}", one.source.name());
        ErrorLine { place, code: one.code.to_string(), message: one.message.clone() }
    });
    let more = facts.errors.len().saturating_sub(MOST_ERRORS);
    let view = View {
        lead: lead(facts),
        tiles: tiles(facts, sheets, coverage),
        attention: attention(facts, sheets, &summary),
        errors: errors.collect(),
        more_errors: (more > 0).then(|| count(more, "more error")).into_iter().collect(),
        targets: counts::targets(&summary, &facts.targets),
        names: facts.targets.iter().map(|target| target.name()).collect(),
        words: Outcome::ALL
            .map(|one| Word { mark: words::outcome(one), says: words::meaning(one) })
            .into(),
        refusals: counts::refusals(&summary),
        losses: counts::losses(&summary),
        number_of_sources: sources.len(),
        sources,
        is_proven: facts.proofs.is_some(),
        attack: attack::version(),
        tactics: coverage.tactics(),
        levels: Level::ALL.iter().rev().map(|level| level.as_str()).collect(),
        rules: count(sheets.len(), "rule"),
        rows: rows(facts, sheets),
    };
    let page = Sheaf { template: "index", path: link::INDEX, title: &title, has_script: true };
    layout.render(&page, view)
}

/// What the page is about, in a sentence
fn lead(facts: &Facts<'_>) -> String {
    let targets: Vec<&str> = facts.targets.iter().map(|target| target.name()).collect();
    let proof = match facts.proofs {
        Some(_) => "what was emitted was verified",
        None => "nothing was verified for this page (the option --proof does it)",
    };
    format!("{} on {}; {proof}.", count(facts.rules.len(), "rule"), targets.join(", "))
}

fn tiles(facts: &Facts<'_>, sheets: &[Sheet<'_>], coverage: &Coverage) -> Vec<Tile> {
    let tile =
        |number: String, name: &str, says: String| Tile { number, name: name.to_owned(), says };
    let reported: Vec<_> = sheets.iter().filter(|sheet| !sheet.emitted.is_empty()).collect();
    let whole = reported
        .iter()
        .filter(|sheet| sheet.emitted.iter().all(|one| one.row.outcome() != Outcome::Refused));
    let whole = whole.count();
    let with_test = sheets.iter().filter(|sheet| !sheet.results.is_empty()).count();
    let (passed, tests) = sum(sheets.iter().map(Sheet::tests));
    let (tried, parts) = sum(sheets.iter().map(Sheet::tested));
    let (covered, techniques) = coverage.techniques();
    let mut tiles = vec![
        tile(
            grouped(sheets.len()),
            "rules",
            match facts.unread {
                0 => "none has an error".to_owned(),
                more => format!("{} more have errors", grouped(more)),
            },
        ),
        tile(
            format!("{}%", percent(whole, reported.len())),
            "refused by no target",
            format!("{} of {}", grouped(whole), count(reported.len(), "rule")),
        ),
        tile(
            grouped(with_test),
            if with_test == 1 { "rule has tests" } else { "rules have tests" },
            match tests {
                0 => "no test was run".to_owned(),
                all => format!("{} of {} pass", grouped(passed), count(all, "test")),
            },
        ),
        tile(
            format!("{}%", percent(tried, parts)),
            "of the parts tested",
            format!("{} of {} signals, exclusions, levels", grouped(tried), grouped(parts)),
        ),
        tile(
            grouped(covered),
            "ATT&CK techniques",
            format!("of {}, ATT&CK {}", grouped(techniques), attack::version()),
        ),
    ];
    tiles.push(match &facts.proofs {
        None => tile("–".to_owned(), "proof", "not run".to_owned()),
        Some(proofs) => {
            let same = proofs.values().filter(|one| one.word == "same").count();
            let says =
                format!("of {}: executed, with the engine's verdicts", grouped(proofs.len()));
            tile(grouped(same), "outputs proven", says)
        }
    });
    tiles
}

/// The sums of parts and wholes
fn sum(pairs: impl Iterator<Item = (usize, usize)>) -> (usize, usize) {
    pairs.fold((0, 0), |(part, all), (one, of)| (part + one, all + of))
}

/// What a reader should look at, the most urgent first
fn attention(facts: &Facts<'_>, sheets: &[Sheet<'_>], summary: &Summary) -> Vec<Attention> {
    let mut all = Vec::new();
    let mut add = |tone, number: usize, text: String, href: &str| {
        if number > 0 {
            all.push(Attention { tone, text, href: href.to_owned() });
        }
    };
    let unread = facts.unread;
    add("bad", unread, format!("{} with errors are left out", count(unread, "rule")), "#errors");
    let failed: usize = sheets.iter().map(Sheet::tests).map(|(passed, all)| all - passed).sum();
    add("bad", failed, format!("{} of rules fail", count(failed, "test")), "#tests=fail");
    for word in ["broken", "different"] {
        let proofs = facts.proofs.iter().flatten();
        let number = proofs.filter(|(_, proof)| proof.word == word).count();
        let text = format!("{} that `verify` calls {word}", count(number, "output"));
        add("bad", number, text, &format!("#q={word}"));
    }
    for (target, outcomes) in &summary.targets {
        let (number, name) = (outcomes.of(Outcome::Refused), target.name());
        let text = format!("{} refused on {name}", count(number, "rule"));
        add("warn", number, text, &format!("#{name}=refused"));
    }
    for (target, outcomes) in &summary.targets {
        let (number, name) = (outcomes.of(Outcome::Warned), target.name());
        let text = format!("{} converted with a warning on {name}", count(number, "rule"));
        add("warn", number, text, &format!("#{name}=warned"));
    }
    let untested = sheets.iter().filter(|sheet| sheet.results.is_empty()).count();
    add("fair", untested, format!("{} without a test", count(untested, "rule")), "#tests=none");
    all
}
