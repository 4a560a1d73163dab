//! Judges correlations over the events that fit their signals.
//!
//! In: matches in any order, with their times. Out: completed correlations, as [`Correlation`]
//! defines them. Events wait until the end, or until too many wait: then complete correlations are
//! reported and the oldest events forgotten, so memory stays bounded. An event counts for each
//! signal that it fits.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

use jiff::Timestamp;

use super::group::{Waiting, compared, keys, values_of};
use super::measure::{Numbers, Tally, number};
use super::novelty::{MOST_COMBINATIONS, combinations};
use super::window::{earlier, ends_between, judged_together, within};
use crate::ir::{Bound, Correlation, CorrelationTest, Fields, Origin, Rule};

/// The most waiting events of one rule
const MOST: usize = 200_000;
/// The most events that a finding names
pub(crate) const MOST_SHOWN: usize = 100;

/// A completed correlation and its events
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Together {
    /// Index of the correlation
    pub correlation: usize,
    /// Time of the completing event
    pub time: Timestamp,
    /// File number and line of the completing event
    pub event: (usize, usize),
    /// The values that the events share, by the names of `group-by`
    pub group: Vec<(String, String)>,
    /// File number and line of each event that takes part, including the completing event
    pub places: Vec<(usize, usize)>,
    /// The number of different events, values or origins in the timespan; for a chain, of the events that its
    /// last one follows. `None` where they are not counted
    pub number: Option<u64>,
}

/// The waiting events of one rule
#[derive(Debug, Default)]
pub(super) struct Correlator {
    waiting: Vec<Waiting>,
    /// Time of the last event that was dropped to make room
    forgotten: Option<Timestamp>,
    reported: BTreeMap<(usize, Vec<String>), Timestamp>,
    /// Events that came too late, or that were dropped while a later judgement needed them
    pub lost: usize,
    /// Events with more groups or combinations of a correlation than the limit
    pub crowded: usize,
}

impl Correlator {
    /// Takes an event; returns the findings that could not wait for the end
    pub(super) fn observe(&mut self, rule: &Rule, event: Waiting) -> Vec<Together> {
        if self.forgotten.is_some_and(|forgotten| event.time <= forgotten) {
            self.lost += 1;
            return Vec::new();
        }
        let mut together = crowded(rule, &event);
        self.crowded += usize::from(!together.is_empty());
        self.waiting.push(event);
        if self.waiting.len() <= MOST {
            return together;
        }
        together.extend(self.judge(rule, false));
        // `judge` sorts by time. Events older than the reach of all timespans go first.
        let horizon: i64 = rule.correlations.iter().map(|one| i64::from(one.timespan)).sum();
        let newest = self.waiting.last().map_or(Timestamp::MIN, |event| event.time);
        let keep = earlier(newest, horizon);
        let old = self.waiting.partition_point(|event| event.time <= keep);
        let surplus = (self.waiting.len() - MOST / 2).min(self.waiting.len());
        let going = old.max(surplus);
        let needed = if rule.correlations.iter().any(|one| one.test.is_rare()) {
            going
        } else {
            going - old
        };
        self.lost += needed;
        self.forgotten = self.waiting.get(going - 1).map(|event| event.time);
        self.waiting.drain(..going);
        self.reported.retain(|_, time| *time > keep);
        together
    }

    /// Judges all waiting events
    pub(super) fn finish(&mut self, rule: &Rule) -> Vec<Together> {
        let together = self.judge(rule, true);
        self.waiting.clear();
        together
    }

    /// Every event that completes a correlation, also of a group that has been reported; of those that take part
    /// only the events of a chain, and of a pair where it is reported
    pub(super) fn completions(&mut self, rule: &Rule) -> Vec<Together> {
        let completed = self.completed(rule, true);
        let mut all = Vec::new();
        for (at, (correlation, own)) in rule.correlations.iter().zip(completed).enumerate() {
            for one in own {
                let is_pair =
                    correlation.test == CorrelationTest::Together && correlation.origins.len() == 2;
                let is_shown = is_pair || correlation.test == CorrelationTest::InOrder;
                let with = if is_shown { one.with } else { Vec::new() };
                all.push(self.together((at, correlation), &Completed { with, ..one }));
            }
        }
        all
    }

    /// What completes each correlation; correlations that ask for few events wait for the end
    fn completed(&mut self, rule: &Rule, at_end: bool) -> Vec<Vec<Completed>> {
        self.waiting.sort_by_key(|event| (event.time, event.place));
        let mut completed: Vec<Vec<Completed>> = Vec::new();
        for correlation in &rule.correlations {
            let completions = match at_end || !correlation.test.is_rare() {
                true => complete(correlation, &self.waiting, &completed),
                false => Vec::new(),
            };
            completed.push(completions);
        }
        completed
    }

    fn together(&self, (at, correlation): (usize, &Correlation), one: &Completed) -> Together {
        let names = correlation.keys.iter().map(|key| key.name.clone());
        let with = one.with.iter().chain([&one.event]);
        let places: BTreeSet<_> = with.map(|event| self.waiting[*event].place).collect();
        Together {
            correlation: at,
            time: self.waiting[one.event].time,
            event: self.waiting[one.event].place,
            group: names.zip(one.group.iter().cloned()).collect(),
            places: places.into_iter().collect(),
            number: one.number,
        }
    }

    /// The findings in the order of time
    fn judge(&mut self, rule: &Rule, at_end: bool) -> Vec<Together> {
        let completed = self.completed(rule, at_end);
        let mut out = Vec::new();
        for (at, (correlation, completions)) in rule.correlations.iter().zip(&completed).enumerate()
        {
            for one in completions {
                let time = self.waiting[one.event].time;
                let group = (at, one.group.clone());
                let before = self.reported.get(&group);
                if before.is_some_and(|before| within(*before, time, correlation.timespan)) {
                    continue;
                }
                self.reported.insert(group, time);
                out.push(self.together((at, correlation), one));
            }
        }
        out.sort_by_key(|one| (one.time, one.correlation));
        out
    }
}

/// An event that completes a correlation in a group
struct Completed {
    event: usize,
    group: Vec<String>,
    /// Events that take part, as indices of waiting events; incomplete when there are many
    with: Vec<usize>,
    /// The number of different things in the timespan, where they are counted
    number: Option<u64>,
}

/// By completing event, the events that take part and the number of what is counted
type Completing = BTreeMap<usize, (Vec<usize>, Option<u64>)>;

/// An event in a group, with its origin: a signal or another correlation
#[derive(Clone, Copy)]
struct Part {
    event: usize,
    time: Timestamp,
    origin: usize,
}

/// The completions of one correlation, by time
fn complete(
    correlation: &Correlation,
    waiting: &[Waiting],
    before: &[Vec<Completed>],
) -> Vec<Completed> {
    let mut groups: BTreeMap<Vec<String>, Vec<Part>> = BTreeMap::new();
    for (origin, what) in correlation.origins.iter().enumerate() {
        let events: BTreeSet<usize> = match what {
            Origin::Signal(signal) => {
                (0..waiting.len()).filter(|at| waiting[*at].signal == *signal).collect()
            }
            Origin::Correlation(at) => before[*at].iter().map(|one| one.event).collect(),
        };
        for event in events {
            let time = waiting[event].time;
            for group in keys(correlation, &waiting[event]) {
                groups.entry(group).or_default().push(Part { event, time, origin });
            }
        }
    }
    let mut completed = Vec::new();
    for (group, mut parts) in groups {
        parts.sort_by_key(|part| (part.time, part.origin, part.event));
        for (event, (with, number)) in judge_group(correlation, waiting, &parts) {
            completed.push(Completed { event, group: group.clone(), with, number });
        }
    }
    completed.sort_by_key(|one| one.event);
    completed
}

/// A finding for each correlation in which the event has more groups, or combinations of values,
/// than the limit
fn crowded(rule: &Rule, event: &Waiting) -> Vec<Together> {
    let correlations = rule.correlations.iter().enumerate();
    let number = |all: Vec<&Fields>| {
        let values = all.into_iter().map(|one| values_of(one, event).count());
        values.fold(1, usize::saturating_mul)
    };
    let most = |one: &Correlation| {
        // The values of a single field are counted without a limit.
        let counted = one.test.fields().iter().filter(|_| one.test.fields().len() > 1).collect();
        number(one.keys.iter().map(|key| &key.fields).collect()).max(number(counted))
    };
    let crowded = correlations.filter(|(_, one)| most(one) > MOST_COMBINATIONS);
    let alone = |(correlation, _)| Together {
        correlation,
        time: event.time,
        event: event.place,
        group: Vec::new(),
        places: vec![event.place],
        number: None,
    };
    crowded.map(alone).collect()
}

/// The completing events of one group
fn judge_group(correlation: &Correlation, waiting: &[Waiting], parts: &[Part]) -> Completing {
    let origin = |part: &Part| vec![vec![part.origin.to_string()]];
    match &correlation.test {
        CorrelationTest::InOrder => in_order(correlation, parts),
        CorrelationTest::Together => {
            let all = Bound { from: correlation.origins.len() as u64, to: None };
            counted(correlation, parts, Counted::of(all), origin)
        }
        CorrelationTest::Origins(bound) => counted(correlation, parts, Counted::of(*bound), origin),
        CorrelationTest::Events(bound) => {
            let event = |part: &Part| vec![vec![part.event.to_string()]];
            counted(correlation, parts, Counted::of(*bound), event)
        }
        CorrelationTest::Values(fields, bound) => {
            counted(correlation, parts, Counted::of(*bound), |part: &Part| {
                let event = &waiting[part.event];
                match &**fields {
                    [only] => compared(only, event).into_iter().map(|value| vec![value]).collect(),
                    all => {
                        let values: Vec<_> = all.iter().map(|one| compared(one, event)).collect();
                        combinations(&values).keys
                    }
                }
            })
        }
        CorrelationTest::Numbers(measure, fields, limits) => {
            let numbers = Numbers::new(*measure, limits);
            counted(correlation, parts, numbers, |part: &Part| {
                let event = &waiting[part.event];
                values_of(fields, event).filter_map(|value| number(value)).collect()
            })
        }
    }
}

/// Counts the distinct origins, events, or combinations of values of a timespan
struct Counted {
    bound: Bound,
    counts: HashMap<Vec<String>, usize>,
}

impl Counted {
    fn of(bound: Bound) -> Counted {
        Counted { bound, counts: HashMap::new() }
    }
}

impl Tally for Counted {
    type Thing = Vec<String>;

    fn enter(&mut self, thing: Vec<String>) {
        *self.counts.entry(thing).or_default() += 1;
    }

    fn leave(&mut self, thing: Vec<String>) {
        if let Some(count) = self.counts.get_mut(&thing) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&thing);
            }
        }
    }

    fn fits(&self) -> bool {
        let number = self.counts.len() as u64;
        number >= self.bound.from && self.bound.to.is_none_or(|to| number <= to)
    }

    fn number(&self) -> Option<u64> {
        Some(self.counts.len() as u64)
    }
}

/// Completions of a correlation that measures the events of a timespan
fn counted<T: Tally>(
    correlation: &Correlation,
    parts: &[Part],
    mut tally: T,
    things: impl Fn(&Part) -> Vec<T::Thing>,
) -> Completing {
    let rare = correlation.test.is_rare();
    let mut completions = Completing::new();
    let (mut start, mut end) = (0, 0);
    let mut shown = None;
    while end < parts.len() {
        // Simultaneous events count for each other.
        let (first, time) = (end, parts[end].time);
        while end < parts.len() && parts[end].time == time {
            things(&parts[end]).into_iter().for_each(|one| tally.enter(one));
            end += 1;
        }
        while !judged_together(correlation, parts[start].time, time) {
            things(&parts[start]).into_iter().for_each(|one| tally.leave(one));
            start += 1;
        }
        if !tally.fits() {
            continue;
        }
        // That there are few events is certain only after the last event.
        let is_last =
            || parts.get(end).is_none_or(|next| ends_between(correlation, time, next.time));
        let completing = match rare {
            false => first..end,
            true if is_last() => start..end,
            true => continue,
        };
        // Events are listed only for completions that will be reported.
        let apart = |shown| rare || !within(shown, time, correlation.timespan);
        let shows = shown.is_none_or(apart);
        shown = if shows { Some(time) } else { shown };
        for part in &parts[completing] {
            let with = parts[start..end].iter().take(if shows { MOST_SHOWN } else { 0 });
            completions
                .entry(part.event)
                .or_insert_with(|| (with.map(|part| part.event).collect(), tally.number()));
        }
    }
    completions
}

/// Events of the last origin that follow events of the other origins in order
fn in_order(correlation: &Correlation, parts: &[Part]) -> Completing {
    let last = correlation.origins.len() - 1;
    // Keep the latest chain per origin: if any chain fits the timespan, this one does.
    let mut chains: Vec<Option<(Timestamp, Vec<usize>)>> = vec![None; last + 1];
    // When the chains begin that lack only their last event: none begins earlier than one before it.
    let mut begun: VecDeque<Timestamp> = VecDeque::new();
    let mut completions = Completing::new();
    for part in parts {
        let chain = match part.origin {
            0 => Some((part.time, vec![part.event])),
            origin => chains[origin - 1].clone().map(|(start, mut events)| {
                events.push(part.event);
                (start, events)
            }),
        };
        let Some((start, events)) = chain else { continue };
        if part.origin == last && within(start, part.time, correlation.timespan) {
            let too_old = |start: &Timestamp| !within(*start, part.time, correlation.timespan);
            let old = begun.iter().take_while(|start| too_old(start)).count();
            begun.drain(..old);
            let number = Some(begun.len() as u64);
            completions.entry(part.event).or_insert_with(|| (events.clone(), number));
        } else if part.origin + 1 == last {
            begun.push_back(start);
        }
        chains[part.origin] = Some((start, events));
    }
    completions
}
