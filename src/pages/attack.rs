//! The ATT&CK matrix of a set: techniques with rules, and those without.
//!
//! In: rules and the table of ATT&CK. Out: [`Coverage`], and the page with a column a tactic. A technique is
//! covered where a rule names it or one of its sub-techniques; that a rule names it is no promise that
//! every way to use it is found, and the page says so.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::layout::{Layout, Sheaf};
use super::sheet::Sheet;
use super::words::{self, count, percent};
use super::{Facts, link};
use crate::taxonomy::attack::{self, Tactic, Technique};
use crate::workspace::Loaded;

/// The rules of each technique, as they name it for a tactic
#[derive(Debug, Default)]
pub struct Coverage {
    /// Indices of rules by tactic and technique
    cells: BTreeMap<(&'static str, &'static str), BTreeSet<usize>>,
    /// Indices of rules by tactic
    tactics: BTreeMap<&'static str, BTreeSet<usize>>,
    /// Indices of rules by technique
    techniques: BTreeMap<&'static str, BTreeSet<usize>>,
}

/// A tactic with its share of techniques that rules name
#[derive(Serialize)]
pub(super) struct OfTactic {
    id: &'static str,
    name: &'static str,
    rules: usize,
    covered: usize,
    all: usize,
    gaps: usize,
    percent: usize,
}

impl Coverage {
    /// The coverage of rules
    pub fn of(rules: &[Loaded]) -> Coverage {
        let mut coverage = Coverage::default();
        for (at, loaded) in rules.iter().enumerate() {
            for threat in &loaded.rule.threats {
                coverage.tactics.entry(threat.tactic.id).or_default().insert(at);
                for technique in &threat.techniques {
                    let cell = (threat.tactic.id, technique.id);
                    coverage.cells.entry(cell).or_default().insert(at);
                    coverage.techniques.entry(technique.id).or_default().insert(at);
                }
            }
        }
        coverage
    }

    /// The rules of a technique for a tactic, by index
    pub(super) fn rules(&self, tactic: &Tactic, technique: &Technique) -> Option<&BTreeSet<usize>> {
        self.cells.get(&(tactic.id, technique.id))
    }

    /// The tactics and techniques that rules name, with the rules
    pub(super) fn cells(
        &self,
    ) -> impl Iterator<Item = (&'static str, &'static str, &BTreeSet<usize>)> {
        self.cells.iter().map(|((tactic, technique), rules)| (*tactic, *technique, rules))
    }

    /// The numbers of techniques with their sub-techniques: those that a rule names, and all
    pub(super) fn techniques(&self) -> (usize, usize) {
        (self.techniques.len(), attack::techniques().count())
    }

    /// The number of rules that name a technique for a tactic, or a sub-technique of it
    fn with_subs(&self, tactic: &Tactic, technique: &Technique) -> usize {
        let own = self.rules(tactic, technique).into_iter();
        let all = own.chain(subs(technique).filter_map(|sub| self.rules(tactic, sub)));
        all.flatten().collect::<BTreeSet<_>>().len()
    }

    /// The share of each tactic, in the order of the matrix
    pub(super) fn tactics(&self) -> Vec<OfTactic> {
        let of = |tactic: &'static Tactic| {
            let all: Vec<_> = parents(tactic).collect();
            let covered = all.iter().filter(|one| self.with_subs(tactic, one) > 0).count();
            OfTactic {
                id: tactic.id,
                name: tactic.name,
                rules: self.tactics.get(tactic.id).map_or(0, BTreeSet::len),
                covered,
                all: all.len(),
                gaps: all.len() - covered,
                percent: percent(covered, all.len()),
            }
        };
        attack::tactics().iter().map(of).collect()
    }
}

/// The techniques of a tactic, without their sub-techniques
fn parents(tactic: &'static Tactic) -> impl Iterator<Item = &'static Technique> {
    attack::techniques().filter(move |one| one.parent().is_none() && one.tactics.contains(&tactic))
}

/// The sub-techniques of a technique
fn subs(technique: &Technique) -> impl Iterator<Item = &'static Technique> {
    let id = technique.id;
    let of = move |one: &&Technique| one.id.split_once('.').is_some_and(|(parent, _)| parent == id);
    attack::techniques().filter(of)
}

#[derive(Serialize)]
struct View {
    attack: &'static str,
    lead: String,
    columns: Vec<Column>,
    techniques: Vec<Named>,
}

/// A tactic of the matrix
#[derive(Serialize)]
struct Column {
    tactic: OfTactic,
    url: String,
    cells: Vec<Cell>,
}

/// A technique of a tactic
#[derive(Serialize)]
struct Cell {
    id: &'static str,
    name: &'static str,
    rules: usize,
    says: String,
    is_covered: bool,
    /// Whether a rule names the technique itself, and not only a sub-technique
    is_named: bool,
    /// How dark the colour is, 1 to 4; 0 for a gap
    shade: usize,
    has_subs: bool,
    subs: Vec<Sub>,
    covered_subs: usize,
    all_subs: usize,
}

#[derive(Serialize)]
struct Sub {
    id: &'static str,
    name: &'static str,
    rules: usize,
    is_covered: bool,
}

/// A technique with the rules that name it
#[derive(Serialize)]
struct Named {
    id: &'static str,
    name: String,
    url: String,
    count: String,
    rules: Vec<RuleLink>,
}

#[derive(Serialize)]
struct RuleLink {
    href: String,
    title: String,
    level: words::Mark,
}

/// Renders the page
pub(super) fn render(
    layout: &Layout,
    facts: &Facts<'_>,
    sheets: &[Sheet<'_>],
    coverage: &Coverage,
) -> Result<String, String> {
    let (covered, all) = coverage.techniques();
    let tagged = sheets.iter().filter(|sheet| !sheet.loaded.rule.threats.is_empty()).count();
    let lead = format!(
        "{} of {} name a tactic or technique: {covered} of {all} techniques and sub-techniques. A technique \
         counts as covered when a rule names it; that is no promise that every way to use it is found.",
        words::grouped(tagged),
        count(facts.rules.len(), "rule"),
    );
    let columns = coverage.tactics().into_iter().zip(attack::tactics());
    let columns = columns.map(|(of, tactic)| Column {
        tactic: of,
        url: tactic.url(),
        cells: parents(tactic).map(|one| cell(coverage, tactic, one)).collect(),
    });
    let view = View {
        attack: attack::version(),
        lead,
        columns: columns.collect(),
        techniques: named(sheets, coverage),
    };
    let title = "ATT&CK coverage";
    layout.render(&Sheaf { template: "attack", path: link::ATTACK, title, has_script: false }, view)
}

fn cell(coverage: &Coverage, tactic: &'static Tactic, technique: &'static Technique) -> Cell {
    let number = |one: &Technique| coverage.rules(tactic, one).map_or(0, BTreeSet::len);
    let of = |one: &'static Technique| {
        let rules = number(one);
        Sub { id: one.id, name: one.name, rules, is_covered: rules > 0 }
    };
    let subs: Vec<Sub> =
        subs(technique).filter(|one| one.tactics.contains(&tactic)).map(of).collect();
    let covered_subs = subs.iter().filter(|sub| sub.is_covered).count();
    let rules = coverage.with_subs(tactic, technique);
    Cell {
        id: technique.id,
        name: technique.name,
        rules,
        says: count(rules, "rule"),
        is_covered: rules > 0,
        is_named: number(technique) > 0,
        shade: match rules {
            0 => 0,
            1 => 1,
            2..=4 => 2,
            5..=19 => 3,
            _ => 4,
        },
        has_subs: !subs.is_empty(),
        all_subs: subs.len(),
        covered_subs,
        subs,
    }
}

/// Every technique that a rule names, with its rules
fn named(sheets: &[Sheet<'_>], coverage: &Coverage) -> Vec<Named> {
    let covered = attack::techniques().filter_map(|one| {
        let rules = coverage.techniques.get(one.id)?;
        let rule = |at: &usize| {
            let sheet = sheets.get(*at)?;
            let (href, title) = (link::href(&sheet.path), sheet.title().to_owned());
            Some(RuleLink { href, title, level: words::level(sheet.loaded.rule.level) })
        };
        let rules: Vec<RuleLink> = rules.iter().filter_map(rule).collect();
        Some(Named {
            id: one.id,
            name: one.whole_name(),
            url: one.url(),
            count: count(rules.len(), "rule"),
            rules,
        })
    });
    covered.collect()
}
