//! Counts of findings: a rule, a host, a level.
//!
//! In: findings, one by one. Out: how many each has, and the first and the last time. The number of hosts
//! and the length of their names are bounded, since an event may name any host: findings on further hosts
//! are counted together.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::cli::seen::Seen;
use crate::definition::Level;
use crate::pages::short;

/// The most hosts that are counted by name
const MOST_HOSTS: usize = 100_000;

/// The counts of a run
#[derive(Default)]
pub(super) struct Tally {
    pub(super) all: Count,
    rules: BTreeMap<usize, Count>,
    hosts: BTreeMap<String, Count>,
    levels: BTreeMap<Level, Count>,
    /// Findings on hosts beyond the limit
    pub(super) further_hosts: Count,
}

/// Findings with something in common
#[derive(Clone, Default)]
pub(super) struct Count {
    pub(super) number: usize,
    /// The highest level
    pub(super) level: Option<Level>,
    /// The times of the first and the last; `None` when no finding has a time
    pub(super) times: Option<(Timestamp, Timestamp)>,
}

impl Count {
    fn add(&mut self, seen: &Seen) {
        self.number += 1;
        self.level = self.level.max(Some(seen.level));
        if let Some(time) = seen.time {
            let (first, last) = self.times.unwrap_or((time, time));
            self.times = Some((first.min(time), last.max(time)));
        }
    }
}

impl Tally {
    /// Counts a finding
    pub(super) fn add(&mut self, seen: &Seen) {
        self.all.add(seen);
        self.rules.entry(seen.rule).or_default().add(seen);
        self.levels.entry(seen.level).or_default().add(seen);
        let has_room = self.hosts.len() < MOST_HOSTS;
        let host = short(&seen.host);
        match self.hosts.get_mut(&host) {
            Some(host) => host.add(seen),
            None if has_room => self.hosts.entry(host).or_default().add(seen),
            None => self.further_hosts.add(seen),
        }
    }

    /// The rules by index: the most severe first, then those with the most findings
    pub(super) fn rules(&self) -> Vec<(usize, &Count)> {
        let mut rules: Vec<_> = self.rules.iter().map(|(rule, count)| (*rule, count)).collect();
        rules.sort_by_key(|(rule, count)| (Reverse((count.level, count.number)), *rule));
        rules
    }

    /// The hosts by name, in the same order; an event without a host has an empty name
    pub(super) fn hosts(&self) -> Vec<(&str, &Count)> {
        let mut hosts: Vec<_> =
            self.hosts.iter().map(|(host, count)| (host.as_str(), count)).collect();
        hosts.sort_by_key(|(host, count)| (Reverse((count.level, count.number)), *host));
        hosts
    }

    /// The levels, the most severe first
    pub(super) fn levels(&self) -> impl Iterator<Item = (Level, &Count)> {
        self.levels.iter().rev().map(|(level, count)| (*level, count))
    }
}
