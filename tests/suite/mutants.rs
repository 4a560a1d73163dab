//! Whether the trial of Elastic's rules would notice a mistake in one.
//!
//! Each emitted rule is changed in one place, as `mutate.rs` does it. Of the changes that alter a
//! meaning, the events near each literal, the recorded ones and those of the rules' own tests catch
//! nearly all; `survivors.tsv` says of every other change why none tells it from the rule.

use std::path::Path;

use rayon::prelude::*;
use regex::Regex;
use rulecast::Rule;
use rulecast::backend::Translation;
use rulecast::manifest::Manifest;
use rulecast::matcher::{Engine, Match, Memory, Options};
use rulecast::verify::{Example, Finding, Import, Observation, Observer, Place, Seen, try_tests};
use serde_json::Value;

use crate::mutate::mutants;
use crate::support::root;
use crate::trials::{import, near, recorded, translations};
use rulecast::verify::near::chance::Dice;

/// An event as both sides see it
struct Known {
    observation: Observation,
    matches: Vec<Match>,
}

/// A signal by itself, with what Elastic takes for it and the events to try it on
struct Subject<'r> {
    rule: Rule,
    whole: &'r Rule,
    manifest: Manifest,
    line: &'r str,
    known: Vec<Known>,
}

impl<'r> Subject<'r> {
    fn new(whole: &'r Rule, made: &'r Translation, signal: usize, recorded: &[Example]) -> Self {
        let names: Vec<&str> = made.rule.signals.iter().map(|s| s.name.as_str()).collect();
        let correlations = made.rule.correlations.iter().map(|one| one.name.as_str());
        let others: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| *name != names[signal])
            .chain(correlations)
            .collect();
        let rule = made.rule.without(&others).unwrap();
        let (sought, place) = (&rule.signals[0], Place::Line { file: 0, line: 0 });
        let tests = whole.tests.iter().flat_map(|sample| &sample.events).map(|event| Example {
            place,
            event: sought.sample_event(&event.value),
            kind: Some(sought.kind.clone()),
        });
        let mut examples = near(&rule, &mut Dice(0x5eed_0006), 100);
        examples.extend(tests);
        let observer = Observer::default();
        let engine = Engine::new(std::slice::from_ref(&rule), &Options::default());
        let of_kind = recorded.iter().filter(|example| example.kind.as_ref() == Some(&sought.kind));
        let known = examples.iter().chain(of_kind).map(|example| Known {
            observation: observer.look(&example.event, example.kind.as_ref()).unwrap(),
            matches: engine
                .judge_value(&example.event, example.kind.as_ref(), &mut Memory::default())
                .unwrap(),
        });
        let before = (0..signal).filter(|at| made.rule.reports_signal(*at)).count();
        let (known, line) = (known.collect(), import(made).lines().nth(before).unwrap());
        let mut manifest = made.manifest.clone();
        manifest.signals = vec![manifest.signals.swap_remove(signal)];
        manifest.correlations.clear();
        Subject { known, rule, whole, manifest, line }
    }

    /// Whether an event tells the changed line from what the rule means
    ///
    /// `order` is the one to try the events in: what told a mistake likely tells the next one as well.
    fn notices(&self, line: &str, order: &mut [usize]) -> bool {
        // Kibana, or what reads it here, takes no such rule.
        let Ok(import) = Import::read(&self.rule, &self.manifest, line) else { return true };
        let differs = |known: &Known| {
            let judged = import.compare(&known.observation, known.matches.iter());
            judged.iter().any(|one| matches!(one.finding, Finding::Different(_)))
        };
        if let Some(place) = order.iter().position(|at| differs(&self.known[*at])) {
            order[..=place].rotate_right(1);
            return true;
        }
        // What is new, only a sequence of events can tell.
        self.rule.new_terms.is_some()
            && (self.notices_terms(&import)
                || !try_tests(&import, self.whole).differences.is_empty())
    }

    /// Whether the events in their order tell that other things are new
    fn notices_terms(&self, import: &Import<'_>) -> bool {
        let mut seen = Seen::default();
        let mut differs = |known: &Known| {
            let judged = import.compare(&known.observation, known.matches.iter());
            let new = judged.iter().filter_map(|one| import.compare_terms(&mut seen, one));
            new.fold(false, |told, one| told | matches!(one, Finding::Different(_)))
        };
        self.known.iter().any(&mut differs)
    }

    /// How many changes were noticed, and those that were not: kind and what is changed
    fn survivors(&self) -> (usize, Vec<[String; 4]>) {
        let emitted: Value = serde_json::from_str(self.line).unwrap();
        let (mut caught, mut survivors) = (0, Vec::new());
        let mut order: Vec<usize> = (0..self.known.len()).collect();
        for (kind, what, mutant) in mutants(&emitted) {
            if self.notices(&mutant.to_string(), &mut order) {
                caught += 1;
            } else {
                let what = what.split_whitespace().collect::<Vec<_>>().join(" ");
                let title = &self.whole.metadata.title.value;
                let signal = &self.rule.signals[0].name;
                survivors.push([title.clone(), signal.clone(), kind.to_owned(), what]);
            }
        }
        (caught, survivors)
    }
}

/// A line of a list of survivors
pub(crate) struct Listed {
    pub(crate) line: String,
    pub(crate) equal: bool,
    pub(crate) patterns: Vec<Regex>,
}

/// The lines of a list with so many patterns; a `*` in one stands for any text, `[star]` for a star
pub(crate) fn listed(path: &Path, number: usize) -> Vec<Listed> {
    let text = std::fs::read_to_string(path).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let cells: Vec<&str> = line.split('\t').collect();
        let [class @ ("equal" | "missed"), patterns @ .., _reason] = &cells[..] else {
            panic!("not a line of the list: {line}")
        };
        let any = |text: &str| regex::escape(text).replace(r"\*", ".*");
        let pattern = |cell: &&str| {
            let parts: Vec<String> = cell.split("[star]").map(any).collect();
            Regex::new(&format!("^{}$", parts.join(r"\*"))).unwrap()
        };
        let patterns: Vec<Regex> = patterns.iter().map(pattern).collect();
        assert_eq!(patterns.len(), number, "{line}");
        Listed { line: line.to_owned(), equal: *class == "equal", patterns }
    });
    lines.collect()
}

#[test]
fn a_mistake_in_an_emitted_rule_is_noticed() {
    let recorded = recorded();
    let made: Vec<(Rule, Translation)> = ["rules", "tests/operators"]
        .iter()
        .flat_map(|folder| ["kuery", "eql"].map(|language| (folder, language)))
        .flat_map(|(folder, language)| translations(&root().join(folder), language))
        .collect();
    let signals: Vec<_> = made
        .iter()
        .flat_map(|(whole, made)| (0..made.rule.signals.len()).map(move |at| (whole, made, at)))
        .filter(|(_, made, at)| made.rule.reports_signal(*at))
        .collect();
    let tried: Vec<(usize, Vec<[String; 4]>)> = signals
        .into_par_iter()
        .map(|(whole, made, at)| Subject::new(whole, made, at, &recorded).survivors())
        .collect();
    let caught: usize = tried.iter().map(|(caught, _)| caught).sum();
    let survivors: Vec<&[String; 4]> = tried.iter().flat_map(|(_, survivors)| survivors).collect();

    let listed = listed(&root().join("tests/suite/survivors.tsv"), 4);
    let mut used = vec![0; listed.len()];
    let mut unlisted = Vec::new();
    for survivor in &survivors {
        let mut cells = listed.iter().map(|one| one.patterns.iter().zip(*survivor));
        match cells.position(|mut cells| cells.all(|(pattern, cell)| pattern.is_match(cell))) {
            Some(at) => used[at] += 1,
            None => unlisted.push(survivor.join("\t")),
        }
    }
    let count = |equal| -> usize {
        let lines = listed.iter().zip(&used).filter(|(one, _)| one.equal == equal);
        lines.map(|(_, used)| used).sum()
    };
    let (all, equal, missed) = (caught + survivors.len(), count(true), count(false));
    println!("{all} mutants: {caught} caught, {equal} equal, {missed} missed");
    assert!(unlisted.is_empty(), "nobody notices, or says why:\n{}", unlisted.join("\n"));
    let unused = listed.iter().zip(&used).filter(|(_, used)| **used == 0);
    let unused: Vec<&str> = unused.map(|(one, _)| one.line.as_str()).collect();
    assert!(unused.is_empty(), "the list says what is noticed:\n{}", unused.join("\n"));
    // At least 98 of 100 that change a meaning.
    assert!(caught * 100 >= (all - equal) * 98, "{caught} of {}", all - equal);
}
