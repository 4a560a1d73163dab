//! Counts over the rows of a run.
//!
//! In: [`Row`]s. Out: a [`Summary`]: how many rules each target takes, refuses and why, what is lost,
//! and the same for each log source. A rule of several log sources counts in each of them.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Outcome, Row};
use crate::backend::{Target, Weight};
use crate::diagnostic::{Cause, Code, Diagnostic};
use crate::manifest::LossName;

/// The counts of a run
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// The outcomes on each target
    pub targets: BTreeMap<Target, Outcomes>,
    /// The outcomes of each log source on each target
    pub sources: BTreeMap<String, BTreeMap<Target, Outcomes>>,
    /// Why rules are refused: by target, the most frequent first
    pub refusals: Vec<Counted<Reason>>,
    /// What is lost: by target, the heaviest first, then the most frequent
    pub losses: Vec<Counted<Lost>>,
}

/// Numbers of rules by outcome
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outcomes(BTreeMap<Outcome, usize>);

impl Outcomes {
    /// The number of rules with this outcome
    pub fn of(&self, outcome: Outcome) -> usize {
        self.0.get(&outcome).copied().unwrap_or(0)
    }

    /// The number of rules
    pub fn rules(&self) -> usize {
        self.0.values().sum()
    }

    /// The number of rules that the target takes
    pub fn converted(&self) -> usize {
        Outcome::ALL.into_iter().filter(|one| one.is_converted()).map(|one| self.of(one)).sum()
    }
}

/// Why a target refuses rules
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// The target
    pub target: Target,
    /// The code of the refusal
    pub code: Code,
    /// The field, operator, log source or other part of the rule that is refused
    pub cause: Option<Cause>,
}

/// What rules lose on a target
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lost {
    /// The target
    pub target: Target,
    /// The heaviest weight of the loss in a rule
    pub weight: Weight,
    /// The kind of loss
    pub name: LossName,
}

/// Something, with the number of rules that it is true of
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted<T> {
    /// What is counted
    pub what: T,
    /// The number of rules
    pub rules: usize,
    /// Of them, those of which nothing else of its sort is true on the target
    pub alone: usize,
    /// The number of rules of each log source
    pub sources: BTreeMap<String, usize>,
}

impl<T> Counted<T> {
    /// The three log sources with most rules, and the number of the others
    pub fn most_sources(&self) -> String {
        let mut all: Vec<(&String, &usize)> = self.sources.iter().collect();
        all.sort_by_key(|(name, rules)| (Reverse(**rules), *name));
        let mut said: Vec<String> =
            all.iter().take(3).map(|(name, rules)| format!("{name} {rules}")).collect();
        match all.len().saturating_sub(3) {
            0 => {}
            1 => said.push("1 other".to_owned()),
            more => said.push(format!("{more} others")),
        }
        said.join(", ")
    }
}

impl Summary {
    /// Counts rows
    pub fn of<'r, 'w: 'r>(rows: impl IntoIterator<Item = &'r Row<'w>>) -> Summary {
        let mut summary = Summary::default();
        let (mut refusals, mut losses) = (Counts::default(), Counts::default());
        for row in rows {
            let (target, outcome, sources) = (row.target, row.outcome(), row.log_sources());
            *summary.targets.entry(target).or_default().0.entry(outcome).or_default() += 1;
            for source in &sources {
                let of_source = summary.sources.entry(source.clone()).or_default();
                *of_source.entry(target).or_default().0.entry(outcome).or_default() += 1;
            }
            let why = |refusal: &Diagnostic| Reason {
                target,
                code: refusal.code,
                cause: refusal.cause.clone(),
            };
            refusals.add(row.refusals().map(why).collect(), &sources);
            let lost = row.losses.iter();
            let lost = lost.map(|(name, weight)| Lost { target, weight: *weight, name: *name });
            losses.add(lost.collect(), &sources);
        }
        summary.refusals = refusals.sorted(|reason| reason.target);
        summary.losses = losses.sorted(|lost| (lost.target, Reverse(lost.weight)));
        summary
    }
}

/// Counts that grow row by row
struct Counts<T>(BTreeMap<T, Counted<T>>);

impl<T> Default for Counts<T> {
    fn default() -> Self {
        Counts(BTreeMap::new())
    }
}

impl<T: Ord + Clone> Counts<T> {
    /// Adds what is true of one rule on one target
    fn add(&mut self, all: BTreeSet<T>, sources: &[String]) {
        let alone = usize::from(all.len() == 1);
        for what in all {
            let new =
                || Counted { what: what.clone(), rules: 0, alone: 0, sources: BTreeMap::new() };
            let counted = self.0.entry(what.clone()).or_insert_with(new);
            counted.rules += 1;
            counted.alone += alone;
            for source in sources {
                *counted.sources.entry(source.clone()).or_default() += 1;
            }
        }
    }

    /// The counts in groups, within a group the most frequent first
    fn sorted<K: Ord>(self, group: impl Fn(&T) -> K) -> Vec<Counted<T>> {
        let mut all: Vec<Counted<T>> = self.0.into_values().collect();
        all.sort_by_key(|one| (group(&one.what), Reverse(one.rules)));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::{Sources, Text, Workspace};

    /// A Sigma rule on Windows whose selection has this test
    fn rule(number: u32, test: &str) -> Text {
        let text = format!(
            "title: Rule {number}\nid: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c{number:02}\nlogsource: {{category: \
             process_creation, product: windows}}\ndetection: {{one: {{{test}}}, condition: one}}\n"
        );
        Text::new(format!("rule_{number}.yml"), text)
    }

    #[test]
    fn the_log_sources_with_most_rules_stand_for_all() {
        let names = ["a", "b", "c", "d"].map(str::to_owned);
        let sources = names.into_iter().zip([1, 9, 5, 5]).collect();
        let counted = Counted { what: (), rules: 20, alone: 0, sources };
        assert_eq!(counted.most_sources(), "b 9, c 5, d 5, 1 other");
    }

    #[test]
    fn refusals_and_losses_are_counted_by_reason_target_and_log_source() {
        let texts = vec![
            rule(1, "Image|endswith: \\a.exe"),
            rule(2, "GrandparentImage|endswith: \\a.exe"),
            rule(3, "GrandparentImage|endswith: \\a.exe, Nowhere: b"),
        ];
        let sources = Sources { texts, placeholders: None };
        let workspace = Workspace::read(&sources);
        let summary = Summary::of(&workspace.rows(&[Target::Elastic, Target::Sentinel]));
        let elastic = &summary.targets[&Target::Elastic];
        assert_eq!((elastic.rules(), elastic.converted()), (3, 1));
        assert_eq!(elastic.of(Outcome::Refused), 2);
        let windows = "windows/process_creation";
        assert_eq!(summary.sources[windows][&Target::Sentinel].converted(), 2);
        let reasons = summary.refusals.iter().map(|one| {
            let cause = one.what.cause.as_ref().map(ToString::to_string).unwrap_or_default();
            assert_eq!(one.sources[windows], one.rules);
            (one.what.target, cause, one.rules, one.alone)
        });
        let reasons: Vec<_> = reasons.collect();
        let field =
            |target, name: &str, rules, alone| (target, format!("no field {name}"), rules, alone);
        let expected = [
            field(Target::Sentinel, "Nowhere", 1, 1),
            (Target::Elastic, "loss ancestry".to_owned(), 2, 1),
            field(Target::Elastic, "Nowhere", 1, 0),
        ];
        assert_eq!(reasons, expected);
        let lost = summary.losses.iter().map(|one| (one.what.name, one.what.weight, one.rules));
        assert!(
            lost.clone().any(|one| one == (LossName::Product, Weight::Note, 2)),
            "{:?}",
            summary.losses
        );
    }
}
