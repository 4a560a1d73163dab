//! Correlations as Elastic's sequences and thresholds say over courses of events what the engine says.
//!
//! A course is the one that a rule's own correlations make, or events of it drawn by chance: few groups,
//! and times between two events that lie at, just within and just beyond the timespans.

use std::time::Duration;

use jiff::Timestamp;
use rulecast::Rule;
use rulecast::backend::Translation;
use rulecast::ir::CorrelationTest;
use rulecast::verify::near;
use rulecast::verify::near::chance::Dice;
use rulecast::verify::{Course, Import, Observer, Tally, Watched, course, try_series, watch};
use serde_json::Value;

use crate::mutate::mutants;
use crate::support::root;
use crate::trials::{import, near as near_events, translations, tried};

/// How many courses by chance each rule is tried on
const COURSES: usize = 50;

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
        let (_, mut event, kind) = own[at].clone();
        if event["Computer"].is_string() {
            event["Computer"] = Value::from(["web01.example", "WEB01", "web02"][dice.roll(3)]);
        }
        course.push((time, event, kind));
    }
    course
}

/// As many events as a correlation asks for, and one more or less, over its timespan and a millisecond
/// more or less
fn bursts(own: &Course, rule: &Rule) -> Vec<Course> {
    let mut all = Vec::new();
    for one in &rule.correlations {
        let (CorrelationTest::Events(bound), Some(at)) = (&one.test, one.signals().next()) else {
            continue;
        };
        let kind = &rule.signals[at].kind;
        let Some((_, event, _)) = own.iter().find(|(_, _, other)| other == kind) else { continue };
        let span = u64::from(one.timespan) * 1_000;
        for (number, whole) in [-1, 0, 1].iter().flat_map(|n| [-1, 0, 1].map(|w| (n, w))) {
            let number = bound.from.saturating_add_signed(*number).max(2);
            let whole = span.saturating_add_signed(whole);
            let time = |at: u64| Duration::from_millis(whole * at / (number - 1));
            let times = (0..number).map(|at| Timestamp::UNIX_EPOCH.checked_add(time(at)).unwrap());
            all.push(times.map(|time| (time, event.clone(), kind.clone())).collect());
        }
        // Two clients with half of the events each
        let of_client = |at: u64| {
            let mut event = event.clone();
            event["c-ip"] = Value::from(format!("192.0.2.{}", at % 2));
            (
                Timestamp::UNIX_EPOCH.checked_add(Duration::from_millis(at)).unwrap(),
                event,
                kind.clone(),
            )
        };
        all.push((0..bound.from).map(of_client).collect());
    }
    all
}

/// An event of each signal in turn, from first to last over the timespan and a millisecond more or less
fn turns(rule: &Rule) -> Vec<Course> {
    let followers = near::series(rule);
    let event = |signal: usize| followers.iter().find(|one| one.signal == signal);
    let mut all = Vec::new();
    for one in &rule.correlations {
        let mut signals: Vec<usize> = one.signals().collect();
        let last = signals.len().max(2) - 1;
        for _ in 0..2 {
            for whole in [-1, 0, 1] {
                let whole = (u64::from(one.timespan) * 1_000).saturating_add_signed(whole);
                let timed = signals.iter().enumerate().filter_map(|(at, signal)| {
                    let after = Duration::from_millis(whole * at as u64 / last as u64);
                    let time = Timestamp::UNIX_EPOCH.checked_add(after).unwrap();
                    let event = Value::Object(event(*signal)?.event.clone());
                    Some((time, event, rule.signals[*signal].kind.clone()))
                });
                all.push(timed.collect());
            }
            signals.reverse();
        }
    }
    all
}

/// The rule's own course, courses by chance, and such about the borders of its correlations
pub(crate) fn courses_of(rule: &Rule, dice: &mut Dice, by_chance: usize) -> Vec<Course> {
    let own = course(rule, Timestamp::UNIX_EPOCH);
    let chance: Vec<Course> = (0..by_chance).map(|_| self::by_chance(&own, rule, dice)).collect();
    let bursts = bursts(&own, rule);
    std::iter::once(own).chain(chance).chain(bursts).chain(turns(rule)).collect()
}

fn courses(import: &Import<'_>, rule: &Rule, dice: &mut Dice) -> Vec<Watched> {
    let observer = Observer::default();
    let all = courses_of(rule, dice, COURSES);
    all.iter().map(|course| watch(import, &observer, course).unwrap()).collect()
}

fn judge_again<'m>(made: &'m Translation, text: &str) -> Import<'m> {
    Import::read(&made.rule, &made.manifest, text).unwrap()
}

fn over(import: &Import<'_>, courses: &[Watched]) -> Tally {
    let all = courses.iter().map(|course| try_series(import, course).unwrap());
    all.fold(Tally::default(), Tally::joined)
}

#[test]
fn sequences_and_thresholds_say_what_the_engine_says() {
    let mut total = Tally::default();
    let rules = correlated();
    for (_, made) in &rules {
        let title = &made.rule.metadata.title.value;
        let judge = Import::read(&made.rule, &made.manifest, import(made)).unwrap();
        let tally = over(&judge, &courses(&judge, &made.rule, &mut Dice(0x5eed_0008)));
        assert!(tally.differences.is_empty(), "{title}: {:?}", tally.differences[0]);
        assert!(tally.matched > 0, "{title} is complete in no course");
        total = total.joined(tally);
    }
    let Tally { events, matched, lost, .. } = &total;
    println!("{} rules: {events} bursts, {matched} complete, {lost} as a loss says", rules.len());
    assert!(rules.len() >= 5 && *matched > 1_000 && *lost * 3 < *events, "{total:?}");
}

#[test]
fn a_mistake_in_a_sequence_or_threshold_is_noticed() {
    let (mut all, mut survivors) = (0, Vec::new());
    for (_, made) in correlated() {
        let judge = Import::read(&made.rule, &made.manifest, import(&made)).unwrap();
        let courses = courses(&judge, &made.rule, &mut Dice(0x5eed_0009));
        let events = near_events(&made.rule, &mut Dice(0x5eed_000a), 50);
        let lines: Vec<&str> = import(&made).lines().collect();
        let of_correlations = lines.iter().enumerate().filter(|(_, line)| {
            let rule: Value = serde_json::from_str(line).unwrap();
            rule["type"] == "threshold" || rule["query"].as_str().unwrap().starts_with("sequence")
        });
        for (at, line) in of_correlations {
            let rule: Value = serde_json::from_str(line).unwrap();
            for (kind, what, mutant) in mutants(&rule) {
                // Events of several signals in one step have no rule by themselves.
                // Only events of another table tell the category from any.
                let category = !what.contains([' ', ':']);
                if kind == "severity"
                    || category
                    || rule["query"].as_str().unwrap().contains(") or")
                {
                    continue;
                }
                all += 1;
                let mutant = mutant.to_string();
                let mut text = lines.clone();
                text[at] = &mutant;
                let text = text.join("\n");
                // Kibana, or what reads it here, takes no such rule.
                let Ok(judge) = Import::read(&made.rule, &made.manifest, &text) else { continue };
                let notices =
                    |course: &Watched| !try_series(&judge, course).unwrap().differences.is_empty();
                let by_events = || {
                    !tried(judge_again(&made, &text), &made.rule, &events).differences.is_empty()
                };
                if !courses.iter().any(notices) && !by_events() {
                    survivors.push(format!("{}: {kind}: {what}", rule["name"]));
                }
            }
        }
    }
    println!("{all} mutants of correlations, {} survive", survivors.len());
    assert!(all > 150 && survivors.len() * 50 <= all, "{all}:\n{}", survivors.join("\n"));
}
