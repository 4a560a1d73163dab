//! The page of the events: what the rules found, by host and time.
//!
//! In: [`Sightings`], in any order. Out: the page: a line a host with its findings on one axis of time, what
//! each rule found, and the findings themselves. An axis is drawn; beside it stand the same facts in words.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::layout::{Layout, Sheaf};
use super::link;
use super::sheet::Sheet;
use super::words::{self, Mark, count, grouped, short};
use crate::definition::Level;

/// What rules found in events
#[derive(Debug, Default)]
pub struct Sightings {
    /// The files that were read
    pub files: Vec<EventFile>,
    /// The findings
    pub found: Vec<Sighting>,
    /// What could not be judged, a sentence each
    pub notes: Vec<String>,
}

/// A file of events
#[derive(Debug, Default)]
pub struct EventFile {
    /// Its name
    pub name: String,
    /// The number of its events
    pub events: usize,
}

/// A finding in events
#[derive(Debug, Clone)]
pub struct Sighting {
    /// The time of the event; `None` when it has no readable time
    pub time: Option<Timestamp>,
    /// The host that recorded the event; empty when it names none
    pub host: String,
    /// The index of the rule
    pub rule: usize,
    /// The name of the signal or correlation
    pub what: String,
    /// The level
    pub level: Level,
    /// Where the event stands
    pub place: String,
    /// The fields that the rule asked for, with their values
    pub fields: Vec<(String, String)>,
}

/// The parts of the axis of time
const PARTS: i128 = 120;
/// The most hosts that have a line, and the most findings that are listed
const MOST_HOSTS: usize = 200;
const MOST: usize = 2_000;
/// The title of a page with findings
pub(super) const TITLE: &str = "What the rules found in events";

/// A rule as a finding links to it
pub(super) struct Named {
    pub(super) href: String,
    pub(super) title: String,
}

/// Findings by host, by rule, and one by one
#[derive(Serialize)]
pub(super) struct View {
    lead: String,
    notes: Vec<String>,
    files: Vec<(String, String)>,
    from: String,
    to: String,
    has_times: bool,
    /// The levels and the hosts to choose from
    levels: Vec<String>,
    names: Vec<String>,
    hosts: Vec<Host>,
    more_hosts: Vec<String>,
    rules: Vec<OfRule>,
    found: Vec<Finding>,
    more: Vec<String>,
    is_any: bool,
}

/// A host on the axis of time
#[derive(Serialize)]
struct Host {
    name: String,
    number: usize,
    level: Mark,
    first: String,
    last: String,
    rules: usize,
    bars: Vec<Bar>,
    says: String,
}

/// The findings of a host in one part of the time
#[derive(Serialize)]
struct Bar {
    at: i128,
    tone: &'static str,
    /// Where it begins from above, and how tall it is, of 20
    top: usize,
    height: usize,
    says: String,
}

#[derive(Serialize)]
struct OfRule {
    href: String,
    title: String,
    level: Mark,
    number: usize,
    hosts: usize,
}

#[derive(Serialize)]
struct Finding {
    time: String,
    host: String,
    level: Mark,
    href: String,
    title: String,
    what: String,
    place: String,
    fields: Vec<(String, String)>,
}

/// Renders the page
pub(super) fn render(
    layout: &Layout,
    sightings: &Sightings,
    sheets: &[Sheet<'_>],
) -> Result<String, String> {
    let named = |sheet: &Sheet<'_>| Named {
        href: link::href(&sheet.path),
        title: sheet.title().to_owned(),
    };
    let named: Vec<Named> = sheets.iter().map(named).collect();
    let page = Sheaf { template: "events", path: link::EVENTS, title: TITLE, has_script: true };
    layout.render(&page, view(sightings, &named))
}

/// What the page shows; a finding names its rule by the index in `rules`
pub(super) fn view(sightings: &Sightings, rules: &[Named]) -> View {
    let mut findings: Vec<&Sighting> = sightings.found.iter().collect();
    // Findings without a time come last, in the order of the lines.
    findings.sort_by_key(|one| (one.time.is_none(), one.time));
    let times: Vec<Timestamp> = findings.iter().filter_map(|one| one.time).collect();
    let span = times.first().copied().zip(times.last().copied());
    let mut hosts = hosts(&findings, span);
    let more_hosts = hosts.len().saturating_sub(MOST_HOSTS);
    let events: usize = sightings.files.iter().map(|file| file.events).sum();
    let lead = format!(
        "{} in {} of {}, on {}.",
        count(findings.len(), "finding"),
        count(events, "event"),
        count(sightings.files.len(), "file"),
        count(hosts.len(), "host"),
    );
    hosts.truncate(MOST_HOSTS);
    let more = findings.len().saturating_sub(MOST);
    let listed = most_severe(&findings);
    View {
        levels: Level::ALL.iter().rev().map(ToString::to_string).collect(),
        names: hosts.iter().map(|host| host.name.clone()).collect(),
        lead,
        notes: sightings.notes.clone(),
        files: sightings.files.iter().map(|one| (one.name.clone(), grouped(one.events))).collect(),
        from: span.map_or_else(String::new, |(from, _)| shown(Some(from))),
        to: span.map_or_else(String::new, |(_, to)| shown(Some(to))),
        has_times: span.is_some(),
        hosts,
        more_hosts: (more_hosts > 0).then(|| count(more_hosts, "more host")).into_iter().collect(),
        rules: by_rule(&findings, rules),
        is_any: !findings.is_empty(),
        found: listed.into_iter().map(|one| finding(one, rules)).collect(),
        more: (more > 0).then(|| count(more, "more finding")).into_iter().collect(),
    }
}

/// The findings that are listed, in the order of time: the most severe
fn most_severe<'f>(findings: &[&'f Sighting]) -> Vec<&'f Sighting> {
    let mut listed = findings.to_vec();
    listed.sort_by_key(|one| std::cmp::Reverse(one.level));
    listed.truncate(MOST);
    listed.sort_by_key(|one| (one.time.is_none(), one.time));
    listed
}

/// A time to the second; a word for none
fn shown(time: Option<Timestamp>) -> String {
    match time {
        None => "no time".to_owned(),
        Some(time) => time.strftime("%Y-%m-%d %H:%M:%S").to_string(),
    }
}

fn named(host: &str) -> String {
    if host.is_empty() { "(no host)".to_owned() } else { host.to_owned() }
}

/// The hosts, those with the most severe findings first
fn hosts(findings: &[&Sighting], span: Option<(Timestamp, Timestamp)>) -> Vec<Host> {
    let mut by_host: BTreeMap<&str, Vec<&Sighting>> = BTreeMap::new();
    for one in findings {
        by_host.entry(&one.host).or_default().push(one);
    }
    let mut hosts: Vec<Host> =
        by_host.into_iter().map(|(name, of_host)| host(name, &of_host, span)).collect();
    hosts.sort_by(|one, other| {
        let key = |host: &Host| (host.level.rank, std::cmp::Reverse(host.number));
        (key(one), &one.name).cmp(&(key(other), &other.name))
    });
    hosts
}

fn host(name: &str, findings: &[&Sighting], span: Option<(Timestamp, Timestamp)>) -> Host {
    let level = findings.iter().map(|one| one.level).max().unwrap_or(Level::Informational);
    let mut times = findings.iter().filter_map(|one| one.time);
    let first = times.next();
    let last = times.next_back().or(first);
    let rules: BTreeSet<usize> = findings.iter().map(|one| one.rule).collect();
    let number = findings.len();
    Host {
        says: format!(
            "{}: {} from {} to {}",
            named(name),
            count(number, "finding"),
            shown(first),
            shown(last)
        ),
        name: named(name),
        number,
        level: words::level(level),
        first: shown(first),
        last: shown(last),
        rules: rules.len(),
        bars: span.map_or_else(Vec::new, |span| bars(findings, span)),
    }
}

fn bars(findings: &[&Sighting], (from, to): (Timestamp, Timestamp)) -> Vec<Bar> {
    let length = (to.as_nanosecond() - from.as_nanosecond()).max(1);
    let part = |time: Timestamp| {
        ((time.as_nanosecond() - from.as_nanosecond()) * PARTS / length).min(PARTS - 1)
    };
    let mut parts: BTreeMap<i128, (usize, Level, Timestamp)> = BTreeMap::new();
    for (one, time) in findings.iter().filter_map(|one| Some((one, one.time?))) {
        let (number, level, _) = parts.entry(part(time)).or_insert((0, one.level, time));
        *number += 1;
        *level = (*level).max(one.level);
    }
    let bar = |(at, (number, level, time)): (i128, (usize, Level, Timestamp))| {
        let height = 8 + 3 * number.min(4);
        let (tone, says) = (words::level(level).tone, count(number, "finding"));
        let says = format!("{says}, {level}, {}", shown(Some(time)));
        Bar { at, tone, top: 20 - height, height, says }
    };
    parts.into_iter().map(bar).collect()
}

/// What each rule found, most first
fn by_rule(findings: &[&Sighting], named: &[Named]) -> Vec<OfRule> {
    let mut rules: BTreeMap<usize, (usize, BTreeSet<&str>, Level)> = BTreeMap::new();
    for one in findings {
        let (number, hosts, level) =
            rules.entry(one.rule).or_insert((0, BTreeSet::new(), one.level));
        *number += 1;
        *level = (*level).max(one.level);
        hosts.insert(&one.host);
    }
    let rule = |(at, (number, hosts, level)): (usize, (usize, BTreeSet<&str>, Level))| {
        let Named { href, title } = named.get(at)?;
        let (href, title) = (href.clone(), title.clone());
        Some(OfRule { href, title, level: words::level(level), number, hosts: hosts.len() })
    };
    let mut rules: Vec<OfRule> = rules.into_iter().filter_map(rule).collect();
    rules.sort_by_key(|one| (one.level.rank, std::cmp::Reverse(one.number)));
    rules
}

fn finding(one: &Sighting, rules: &[Named]) -> Finding {
    let rule = rules.get(one.rule);
    let fields = one.fields.iter().map(|(name, value)| (name.clone(), short(value)));
    Finding {
        time: shown(one.time),
        host: named(&one.host),
        level: words::level(one.level),
        href: rule.map_or_else(String::new, |rule| rule.href.clone()),
        title: rule.map_or_else(String::new, |rule| rule.title.clone()),
        what: one.what.clone(),
        place: short(&one.place),
        fields: fields.collect(),
    }
}
