//! Correlations as Elastic's sequences and thresholds say over courses of events what the engine says.
//!
//! A course is the one that a rule's own correlations make, or events of it drawn by chance: few groups,
//! and times between two events that lie at, just within and just beyond the timespans.

use std::time::Duration;

use jiff::Timestamp;
use rayon::prelude::*;
use rulecast::Rule;
use rulecast::backend::Translation;
use rulecast::verify::near::chance::Dice;
use rulecast::verify::{Course, Import, Tally, course, try_series};
use serde_json::Value;

use crate::mutate::mutants;
use crate::support::root;
use crate::trials::{import, translations};

/// How many courses by chance each rule is tried on
const COURSES: usize = 150;

/// How many events such a course has
const EVENTS: usize = 40;

fn correlated() -> Vec<(Rule, Translation)> {
    let folders = ["rules", "tests/operators"].into_iter();
    let made = folders.flat_map(|folder| translations(&root().join(folder), "auto"));
    made.filter(|(_, made)| !made.rule.correlations.is_empty()).collect()
}

/// Events of the rule's own course, in another order and at other times
fn by_chance(own: &Course, rule: &Rule, dice: &mut Dice) -> Course {
    let spans: Vec<u64> = rule.correlations.iter().map(|one| u64::from(one.timespan)).collect();
    let few: Vec<usize> = (0..6).map(|_| dice.roll(own.len())).collect();
    let mut time = Timestamp::UNIX_EPOCH;
    let mut course = Course::new();
    for _ in 0..EVENTS {
        let span = spans[dice.roll(spans.len())] * 1_000;
        let after = [1, 1, span / 7 + 1, span / 2, span - 1, span, span + 1, 0][dice.roll(8)];
        time = time.checked_add(Duration::from_millis(after)).unwrap();
        // Few kinds of events meet often; now and then there is any other.
        let at = if dice.roll(8) == 0 { dice.roll(own.len()) } else { few[dice.roll(6)] };
        course.push((time, own[at].1.clone(), own[at].2.clone()));
    }
    course
}

fn courses(rule: &Rule, dice: &mut Dice) -> Vec<Course> {
    let own = course(rule, Timestamp::UNIX_EPOCH);
    let chance: Vec<Course> = (0..COURSES).map(|_| by_chance(&own, rule, dice)).collect();
    std::iter::once(own).chain(chance).collect()
}

fn tried(import: &Import<'_>, courses: &[Course]) -> Tally {
    let all = courses.par_iter().map(|course| try_series(import, course).unwrap());
    all.reduce(Tally::default, Tally::joined)
}

#[test]
fn sequences_and_thresholds_say_what_the_engine_says() {
    let mut total = Tally::default();
    let rules = correlated();
    for (_, made) in &rules {
        let title = &made.rule.metadata.title.value;
        let judge = Import::read(&made.rule, &made.manifest, import(made)).unwrap();
        let tally = tried(&judge, &courses(&made.rule, &mut Dice(0x5eed_0008)));
        assert!(tally.differences.is_empty(), "{title}: {:?}", tally.differences[0]);
        assert!(tally.matched > 0, "{title} is complete in no course");
        total = total.joined(tally);
    }
    let Tally { events, matched, lost, .. } = &total;
    println!("{} rules: {events} bursts, {matched} complete, {lost} as a loss says", rules.len());
    assert!(rules.len() >= 5 && *matched > 2_000 && *lost * 3 < *events, "{total:?}");
}

#[test]
fn a_mistake_in_a_sequence_or_threshold_is_noticed() {
    let (mut all, mut survivors) = (0, Vec::new());
    for (_, made) in correlated() {
        let courses = courses(&made.rule, &mut Dice(0x5eed_0009));
        let lines: Vec<&str> = import(&made).lines().collect();
        let of_correlations = lines.iter().enumerate().filter(|(_, line)| {
            let rule: Value = serde_json::from_str(line).unwrap();
            rule["type"] == "threshold" || rule["query"].as_str().unwrap().starts_with("sequence")
        });
        for (at, line) in of_correlations {
            let rule: Value = serde_json::from_str(line).unwrap();
            for (kind, what, mutant) in mutants(&rule) {
                if kind == "severity" {
                    continue;
                }
                all += 1;
                let mutant = mutant.to_string();
                let mut text = lines.clone();
                text[at] = &mutant;
                let text = text.join("\n");
                // Kibana, or what reads it here, takes no such rule.
                let Ok(judge) = Import::read(&made.rule, &made.manifest, &text) else { continue };
                if tried(&judge, &courses).differences.is_empty() {
                    survivors.push(format!("{}: {kind}: {what}", rule["name"]));
                }
            }
        }
    }
    println!("{all} mutants of correlations, {} survive", survivors.len());
    assert!(all > 150 && survivors.len() * 50 <= all, "{all}:\n{}", survivors.join("\n"));
}
