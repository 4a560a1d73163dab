//! What the row of a correlation shows of its events.
//!
//! In: what a run of a query returned for events at their times, and what the engine finds in what the run knows. Out:
//! the first column of a row that shows something else than it should: of the event that completes the correlation,
//! of the first event of a chain or the other one of a pair, the number of events that the last one of a chain
//! follows, or of the row's own level, clients and entities. Where several events fit in the place of one, a row may
//! show any of them, and none is compared.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::asked::Asked;
use super::evidence::{Evidence, Wrong};
use super::judge::severity_of;
use super::played::{Played, group_of};
use crate::ir::{Correlation, CorrelationTest, Origin};
use crate::matcher::{self, MOST_SHOWN};
use crate::query::kusto::execute::{Data, instant, instant_text};
use crate::query::kusto::{Item, Kind, Operator, Pipeline, Source};
use crate::verify::finding::Difference;

/// The column with the time of the first event
const START: &str = "StartTime";

/// A correlation, and the events at their times that it was tried on
#[derive(Clone, Copy)]
pub(super) struct Together<'t> {
    pub(super) asked: &'t Asked<'t>,
    pub(super) one: &'t Correlation,
    /// The columns of the values that the events of a group share
    pub(super) keys: &'t [String],
    pub(super) played: &'t Played,
}

/// The columns that show an event of one of some signals
#[derive(Default)]
struct Part<'d> {
    signals: Vec<usize>,
    /// By signal, its table and the columns
    shown: BTreeMap<usize, (&'d str, Evidence<'d>)>,
}

/// The columns that show an event before the completing one
struct Earlier<'d> {
    /// The signals of which the completing event is one
    before: Vec<usize>,
    part: Part<'d>,
}

/// The rows that a run returned
struct Rows<'d> {
    of: Together<'d>,
    instants: Vec<i64>,
    starts: Option<Vec<i64>>,
    texts: BTreeMap<&'static str, Vec<Arc<str>>>,
    keys: Vec<Vec<Arc<str>>>,
    itself: Evidence<'d>,
    completing: Part<'d>,
    earlier: Vec<Earlier<'d>>,
    /// The name of the column with the number of events that the last one of a chain follows, and its texts
    followed: Option<(String, Vec<Arc<str>>)>,
}

impl<'t> Together<'t> {
    /// The first column of a row of a run that shows something else; `found` is what the engine finds in the run
    pub(super) fn wrong(self, data: &Data, found: &[&matcher::Finding]) -> Option<Difference> {
        let rows = Rows::of(self, data)?;
        let mut of_row: BTreeMap<(i64, String), Vec<&matcher::Finding>> = BTreeMap::new();
        for finding in found {
            let row = (instant(finding.together.time), group_of(finding));
            of_row.entry(row).or_default().push(finding);
        }
        let signals = rows.texts.get("Signal")?;
        let mut own = (0..rows.instants.len()).filter(|row| *signals[*row] == *self.one.name);
        let (column, meant, shown) = own.find_map(|row| {
            let of_events = match of_row.get(&rows.group(row)).map(Vec::as_slice) {
                Some([only]) => rows
                    .of_completing(row, only)
                    .or_else(|| rows.of_earlier(row, only))
                    .or_else(|| rows.of_followed(row, only)),
                Some(_) | None => None,
            };
            of_events.or_else(|| rows.of_itself(row))
        })?;
        let [engine, target] = [meant, shown].map(|text| format!("{column} {text:?}"));
        Some(Difference { signal: self.one.name.clone(), engine, target, event: None })
    }

    /// Origins whose event a row shows beside the completing one, each with the signals of which that one is
    fn before(self) -> Vec<(Origin, Vec<usize>)> {
        match (&self.one.test, &*self.one.origins) {
            (CorrelationTest::InOrder, [first, ..]) => vec![(*first, self.one.ends.clone())],
            (CorrelationTest::Together, [one, other]) => {
                let ends = |origin| self.asked.rule.ends_of(origin);
                vec![(*one, ends(*other)), (*other, ends(*one))]
            }
            _ => Vec::new(),
        }
    }

    /// The name of an origin and the signals that its rows are of, unless it is a chain or a pair itself
    fn rows_of(self, origin: Origin) -> Option<(&'t str, Vec<usize>)> {
        let rule = self.asked.rule;
        match origin {
            Origin::Signal(at) => Some((&rule.signals[at].name, vec![at])),
            Origin::Correlation(at) => {
                let one = &rule.correlations[at];
                one.test.counts().then(|| (&*one.name, one.ends.clone()))
            }
        }
    }

    /// The column with the number of events that the last one of a chain follows
    fn followed(self) -> Option<String> {
        let [.., before, _] = &*self.one.origins else { return None };
        let name = match *before {
            Origin::Signal(at) => &self.asked.rule.signals[at].name,
            Origin::Correlation(at) => &self.asked.rule.correlations[at].name,
        };
        (self.one.test == CorrelationTest::InOrder).then(|| called(name) + "Count")
    }

    /// The columns of a result that show an event of each of these signals; `of` says which column of a signal one
    /// of the result is
    fn part<'d>(
        self,
        data: &'d Data,
        signals: Vec<usize>,
        of: impl Fn(&'d str, &BTreeSet<&str>) -> Option<&'d str>,
    ) -> Part<'d>
    where
        't: 'd,
    {
        let shown = |signal: &usize| {
            let output = self.asked.output(&self.asked.rule.signals[*signal].name)?;
            let [table] = &*output.tables else { return None };
            let (columns, shown) = (self.asked.tables.get(table)?, self.shown_by(*signal)?);
            let evidence = Evidence::of_part(data, table, columns, |name| of(name, &shown));
            Some((*signal, (table.as_str(), evidence)))
        };
        let shown = signals.iter().filter_map(shown).collect();
        Part { signals, shown }
    }

    /// The columns that a signal shows
    fn shown_by(self, signal: usize) -> Option<BTreeSet<&'t str>> {
        let output = self.asked.output(&self.asked.rule.signals[signal].name)?;
        let rows = output.rows.as_ref()?;
        let named = self.asked.query.lets.iter().find(|one| one.name.text == *rows)?;
        let Operator::Project(items) = &inside(&named.value).steps.last()?.operator else {
            return None;
        };
        let name = |item: &'t Item| match &item.name {
            Some(name) => Some(name.text.as_str()),
            None => item.value.as_name(),
        };
        Some(items.iter().filter_map(name).collect())
    }
}

impl<'d> Rows<'d> {
    fn of(of: Together<'d>, data: &'d Data) -> Option<Rows<'d>> {
        let keys: Option<Vec<_>> = of.keys.iter().map(|key| data.texts(key)).collect();
        let named = ["Signal", "Level", "Severity", "ClientIP", "UserAgent", "Clients"];
        let texts = named.into_iter().filter_map(|name| Some((name, data.texts(name)?)));
        let own = |name: &'d str, shown: &BTreeSet<&str>| shown.contains(name).then_some(name);
        let completing = of.part(data, of.one.ends.clone(), own);
        let earlier = of.before().into_iter().filter_map(|(origin, before)| {
            let (name, signals) = of.rows_of(origin)?;
            let others = of.one.origins.iter().filter(|other| **other != origin);
            let others = others.flat_map(|other| of.asked.rule.ends_of(*other));
            let later: BTreeSet<&str> =
                others.filter_map(|signal| of.shown_by(signal)).flatten().collect();
            let prefix = called(name);
            let part = of.part(data, signals, |name, shown| {
                let earlier = name.strip_prefix(&*prefix).filter(|rest| shown.contains(*rest));
                let alone = || (shown.contains(name) && !later.contains(name)).then_some(name);
                earlier.or_else(alone)
            });
            Some(Earlier { before, part })
        });
        Some(Rows {
            of,
            instants: data.instants(of.asked.time())?,
            starts: data.instants(START),
            texts: texts.collect(),
            keys: keys?,
            itself: Evidence::of(data, "", &[]),
            completing,
            earlier: earlier.collect(),
            followed: of.followed().and_then(|name| data.texts(&name).map(|texts| (name, texts))),
        })
    }

    /// The time and the group that a row names
    fn group(&self, row: usize) -> (i64, String) {
        let keys: Vec<&str> = self.keys.iter().map(|texts| &*texts[row]).collect();
        (self.instants[row], keys.join("\x1f"))
    }

    /// A wrong column of the completing event
    fn of_completing(&self, row: usize, found: &matcher::Finding) -> Option<Wrong> {
        self.of_event(&self.completing, row, found.together.event.1)
    }

    /// A wrong column of the first event of a chain, or of the other one of a pair
    fn of_earlier(&self, row: usize, found: &matcher::Finding) -> Option<Wrong> {
        let Played { times, matches, .. } = self.of.played;
        let is_one =
            |event: usize, of: &[usize]| matches[event].iter().any(|m| of.contains(&m.signal));
        let (completing, places) = (found.together.event.1, &found.together.places);
        let mut earlier = self.earlier.iter().filter(|one| is_one(completing, &one.before));
        let (Some(Earlier { part, .. }), None) = (earlier.next(), earlier.next()) else {
            return None;
        };
        let events = places.iter().map(|(_, event)| *event);
        let event = if self.of.one.test == CorrelationTest::InOrder {
            events.min_by_key(|event| times[*event])
        } else {
            // A list that may be cut does not say which one is the last.
            let own = events.filter(|event| is_one(*event, &part.signals));
            own.max_by_key(|event| times[*event]).filter(|_| places.len() < MOST_SHOWN)
        }?;
        let (meant, shown) = (instant(times[event]), self.starts.as_ref()?[row]);
        if shown != meant {
            return Some((START.to_owned(), instant_text(meant), instant_text(shown)));
        }
        let fits = |other: &usize| times[*other] == times[event] && is_one(*other, &part.signals);
        let is_alone = (0..times.len()).filter(fits).count() == 1;
        is_alone.then(|| self.of_event(part, row, event)).flatten()
    }

    /// A wrong number of events that the last one of a chain follows
    fn of_followed(&self, row: usize, found: &matcher::Finding) -> Option<Wrong> {
        let (name, texts) = self.followed.as_ref()?;
        let (meant, shown) = (found.together.number?.to_string(), &texts[row]);
        (**shown != *meant).then(|| (name.clone(), meant, shown.to_string()))
    }

    /// A column that shows something else than the row of an event
    fn of_event(&self, part: &Part<'_>, row: usize, event: usize) -> Option<Wrong> {
        let Played { matches, scene, .. } = self.of.played;
        let is_found = |signal: &&usize| matches[event].iter().any(|one| one.signal == **signal);
        let mut signals = part.signals.iter().filter(is_found);
        let (Some(signal), None) = (signals.next(), signals.next()) else { return None };
        let (table, evidence) = part.shown.get(signal)?;
        let sides = scene.sides.iter().filter(|side| side.example == event);
        let mut rows = sides.flat_map(|side| &side.rows);
        let (_, of_table) = rows.find(|(known, _)| known == table)?;
        evidence.other(row, of_table)
    }

    /// A wrong identifier of an entity, severity or list of clients
    fn of_itself(&self, row: usize) -> Option<Wrong> {
        let text = |name: &str| Some(&*self.texts.get(name)?[row]);
        let severity = || {
            let (level, shown) = (text("Level")?, text("Severity")?);
            let meant = severity_of(level);
            (shown != meant).then(|| ("Severity".to_owned(), meant.to_owned(), shown.to_owned()))
        };
        let lists_clients = match &self.of.one.test {
            CorrelationTest::Together | CorrelationTest::InOrder => true,
            CorrelationTest::Values(_, bound) => bound.to.is_none(),
            CorrelationTest::Events(_)
            | CorrelationTest::Origins(_)
            | CorrelationTest::Numbers(..) => false,
        };
        let clients = || {
            let (address, agent) = (text("ClientIP")?, text("UserAgent")?);
            let (own, shown) = (format!("{address} {agent}"), text("Clients")?);
            let lacks = lists_clients
                && !address.is_empty()
                && !shown.split('\n').any(|client| client == own);
            lacks.then(|| ("Clients".to_owned(), own, shown.to_owned()))
        };
        self.itself.unidentified(row).or_else(severity).or_else(clients)
    }
}

/// The rows that `materialize` keeps, if it does
fn inside(rows: &Pipeline) -> &Pipeline {
    let Source::Expression(source) = &rows.source else { return rows };
    let Kind::Call { name, arguments } = &source.kind else { return rows };
    match arguments.first().map(|one| &one.kind) {
        Some(Kind::Pipeline(kept)) if name.text == "materialize" => kept,
        Some(_) | None => rows,
    }
}

/// What columns about the event of an origin begin with: `rare_page` is `RarePage`
fn called(name: &str) -> String {
    let words = name.split(|c: char| !c.is_ascii_alphanumeric()).map(|word| {
        let (first, rest) = word.split_at(word.len().min(1));
        first.to_ascii_uppercase() + rest
    });
    words.collect()
}
