//! Whether the trial of emitted Kusto would notice a mistake in a query.
//!
//! Each emitted query is changed in one place, as if the change stood in every file that holds the query: an operator, a
//! `not`, a list item, a literal, a level, a filter, a length of time, the kind of a join, a column, an anchor. Of the
//! changes that the binder takes, the rule's own tests, the events near its literals and the runs of its
//! schedule notice nearly all; `kusto_survivors.tsv` says of others why not.

use std::collections::BTreeMap;

use rayon::prelude::*;
use rulecast::backend::{Target, Translation, translate};
use rulecast::diagnostic::Diagnostics;
use rulecast::ir::Rule;
use rulecast::manifest::Artifact;
use rulecast::project;
use rulecast::query::kusto::{Platform, Schema, bind};
use rulecast::verify::{Asked, Observer, Trials};

use crate::mutants::{Listed, listed};
use crate::mutate_kusto::{Mutant, mutants};
use crate::support::root;

/// The rules of the project; all their changes are tried with `RULECAST_MUTANTS=all`, or all of one kind with its
/// name, else of each kind so many a query
const OWN: (&str, usize) = ("rules", 2);

/// The rules that try operators and mappings: of one rule in so many, and one kind in so many, one change a query
const OPERATORS: (&str, usize) = ("tests/operators", 2);

/// A query with more correlations is slow to try: fewer by this factor
const CORRELATED: (usize, usize) = (4, 6);

/// The kind of the changes to try, `all` for every kind, nothing for a sample
fn asked_for() -> Option<String> {
    std::env::var("RULECAST_MUTANTS").ok()
}

/// A rule with what it becomes on Sentinel, and the changes of its query to try
struct Subject {
    rule: Rule,
    made: Translation,
    query: Artifact,
    mutants: Vec<Mutant>,
}

/// The rules of a folder that have a query on Sentinel, with what they become
fn made(folder: &str) -> Vec<(Rule, Translation, Artifact)> {
    let loaded = project::load(&[root().join(folder)]).expect("the rules can be read").rules;
    let made = loaded.into_iter().filter_map(|loaded| {
        let mut found = Diagnostics::default();
        let made = translate(Target::Sentinel, &loaded.rule, &loaded.stem, &mut found)?;
        let query = made.artifacts.iter().find(|one| one.name.ends_with(".kql"))?.clone();
        Some((loaded.rule, made, query))
    });
    made.collect()
}

/// The rules that have a query, each with changes to try
fn subjects(asked: Option<&str>) -> Vec<Subject> {
    let mut subjects = Vec::new();
    for (rule, made, query) in made(OWN.0) {
        let some = by_kind(&query).into_iter().flat_map(|(kind, all)| match asked {
            None => some(all, OWN.1, 0),
            Some(asked) if asked == "all" || asked == kind => all,
            Some(_) => Vec::new(),
        });
        let mutants = some.collect();
        subjects.push(Subject { rule, made, query, mutants });
    }
    let operators = if asked.is_none() { made(OPERATORS.0) } else { Vec::new() };
    let some_rules = operators.into_iter().enumerate().step_by(OPERATORS.1);
    for (number, (rule, made, query)) in some_rules {
        let (many, fewer) = CORRELATED;
        let each = OPERATORS.1 * if rule.correlations.len() > many { fewer } else { 1 };
        let kinds = by_kind(&query).into_values().skip(number / OPERATORS.1 % each).step_by(each);
        let mutants = kinds.flat_map(|all| some(all, 1, number)).collect();
        subjects.push(Subject { rule, made, query, mutants });
    }
    subjects
}

fn by_kind(query: &Artifact) -> BTreeMap<&'static str, Vec<Mutant>> {
    let mut of_kind: BTreeMap<&str, Vec<Mutant>> = BTreeMap::new();
    for mutant in mutants(&query.text) {
        of_kind.entry(mutant.0).or_default().push(mutant);
    }
    of_kind
}

/// So many of all, evenly spread; `turn` says which
fn some(all: Vec<Mutant>, most: usize, turn: usize) -> Vec<Mutant> {
    let each = all.len().div_ceil(most);
    all.into_iter().skip(turn % each).step_by(each).collect()
}

impl Subject {
    /// The changes that the binder takes, each with its kind and whether the trial notices it
    fn judged(&self, observer: &Observer) -> Vec<(&'static str, String, bool)> {
        let Subject { rule, made, query, mutants } = self;
        let schema = Schema::default();
        let read = |artifacts: &[Artifact]| {
            let of = (Platform::Sentinel, &schema);
            Asked::read(&made.rule, &made.manifest, artifacts, of)
        };
        let (whole, trials) = (read(std::slice::from_ref(query)).unwrap(), Trials::default());
        let tally = trials.judge(&whole, rule, observer).unwrap();
        assert_eq!(tally.differences.len(), 0, "{}", query.name);
        let unmatched: Vec<_> = tally.signals.iter().filter(|(_, number)| **number == 0).collect();
        assert!(unmatched.is_empty(), "{}: never matched: {unmatched:?}", query.name);
        let tried = |asked: &Asked<'_>, trials: &Trials| {
            let tally = trials.judge(asked, rule, observer);
            tally.is_err() || tally.is_ok_and(|tally| !tally.differences.is_empty())
        };
        let judged = mutants.par_iter().filter_map(|(kind, what, text)| {
            bind(text, Platform::Sentinel).ok()?;
            let noticed = match whole.instead(text, &schema) {
                Err(_) => true,
                Ok(Some(asked)) => tried(&asked, &trials),
                Ok(None) => {
                    let asked = read(&[Artifact { name: query.name.clone(), text: text.clone() }]);
                    asked.is_err() || asked.is_ok_and(|asked| tried(&asked, &Trials::default()))
                }
            };
            Some((*kind, what.clone(), noticed))
        });
        judged.collect()
    }
}

#[test]
fn nearly_every_mistake_in_a_query_is_noticed() {
    let listed = listed(&root().join("tests/suite/kusto_survivors.tsv"), 3);
    let observer = Observer::default();
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    let mut survivors = Vec::new();
    let asked = asked_for();
    for subject in subjects(asked.as_deref()) {
        for (kind, what, noticed) in subject.judged(&observer) {
            let cells = [subject.rule.metadata.title.value.as_str(), kind, &what];
            let fits = |one: &Listed| one.patterns.iter().zip(cells).all(|(p, c)| p.is_match(c));
            let known = (!noticed).then(|| listed.iter().find(|one| fits(one))).flatten();
            if known.is_some_and(|one| one.equal) {
                continue;
            }
            let (all, caught) = counts.entry(kind).or_default();
            *all += 1;
            *caught += usize::from(noticed);
            if !noticed {
                let reason = known.map_or("no reason is known", |one| &one.line);
                survivors.push(format!("{}: {reason}", cells.join(": ")));
            }
        }
    }
    let (all, caught) = counts.values().fold((0, 0), |(a, c), (x, y)| (a + x, c + y));
    println!("{caught} of {all} noticed: {counts:?}\n{}", survivors.join("\n"));
    assert!(all > if asked.is_some() { 20 } else { 300 }, "{all}");
    // A sample may meet the survivors.
    let least = match asked.as_deref() {
        Some("all") => 95,
        Some(_) | None => 90,
    };
    let of_kind =
        counts.iter().filter(|_| asked.is_some()).map(|(kind, counts)| (*kind, *counts, 90));
    for (what, (all, caught), least) in of_kind.chain([("all", (all, caught), least)]) {
        let noticed = || format!("{what}: {caught} of {all}\n{}", survivors.join("\n"));
        assert!(caught * 100 >= all * least, "{}", noticed());
    }
}

#[test]
fn a_row_that_shows_another_event_or_number_of_a_pair_or_chain_is_noticed() {
    let changes = [
        ("RunFileName = FileName", "RunFileName = FolderPath"),
        ("WrittenFileName = FileName", "WrittenFileName = FolderPath"),
        ("RunCount = count()", "RunCount = count_distinct(CommandLine)"),
    ];
    let all = made(OPERATORS.0);
    for (from, to) in changes {
        let mut of_rows = all.iter().filter(|(.., query)| query.text.contains(from));
        let (rule, made, query) =
            of_rows.next().unwrap_or_else(|| panic!("no row has {from}")).clone();
        let mutants = vec![("by hand", from.to_owned(), query.text.replace(from, to))];
        let judged = Subject { rule, made, query, mutants }.judged(&Observer::default());
        assert!(matches!(&judged[..], [(_, _, true)]), "{to}: {judged:?}");
    }
}
