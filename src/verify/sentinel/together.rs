//! What the row of a correlation shows of its events.
//!
//! In: what a run of a query returned for events at their times, and what the engine finds in what the run knows. Out:
//! the first column of a row that shows something else than it should: of the event that completes the correlation,
//! of the first event of a chain or the other one of a pair, the number of events that the last one of a chain
//! follows, or of the row's own level, clients and entities. Where several events fit in the place of one, a row may
//! show any of them, and none is compared.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::asked::Asked;
use super::evidence::{Evidence, Wrong};
use super::judge::severity_of;
use super::parts::{Columns, Earlier, Part};
use super::played::{Played, group, group_of};
use crate::ir::{Correlation, CorrelationTest};
use crate::matcher::{self, MOST_SHOWN};
use crate::query::kusto::execute::{Data, instant, instant_text};
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
            let row = (instant(finding.together.time), group_of(self.one, finding));
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
}

impl<'d> Rows<'d> {
    fn of(of: Together<'d>, data: &'d Data) -> Option<Rows<'d>> {
        let keys: Option<Vec<_>> = of.keys.iter().map(|key| data.texts(key)).collect();
        let own = Columns { asked: of.asked, one: of.one };
        let listed = ["ClientIP", "UserAgent", "Clients"].into_iter().filter(|name| own.has(name));
        let named = ["Signal", "Level", "Severity"].into_iter().chain(listed);
        let texts = named.filter_map(|name| Some((name, data.texts(name)?)));
        Some(Rows {
            of,
            instants: data.instants(of.asked.time())?,
            starts: data.instants(START),
            texts: texts.collect(),
            keys: keys?,
            itself: Evidence::of(data, "", &[]),
            completing: own.completing(data),
            earlier: own.earlier(data),
            followed: own.followed().and_then(|name| data.texts(&name).map(|texts| (name, texts))),
        })
    }

    /// The time and the group that a row names
    fn group(&self, row: usize) -> (i64, String) {
        let keys = self.keys.iter().map(|texts| &*texts[row]);
        (self.instants[row], group(self.of.one, keys))
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
