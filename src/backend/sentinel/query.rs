//! The plan of a query: signals, novelty, correlations, and the reported rows.
//!
//! In: a [`Rule`]. Out: the queries of its packages, and the [`Shape`] of the result, which entity
//! mappings are checked against. Each signal becomes one projection; `union` joins several.
//!
//! A scheduled rule looks back further than one run, and reports only rows that are new to a run: see
//! [`super::fresh`]. A hunting query covers the time range that a person picks. "At most n" keeps its
//! window there, the one before the last event of its group in the range.

use super::columns::{Detail, Rows};
use super::context::{Planning, own_title};
use super::correlation::{self, Correlated};
use super::fresh::{self, Fresh};
use super::gather::{Gathered, gathered};
use super::keys::Keys;
use super::lets::Lets;
use super::novelty::Novelty;
use super::prepare;
use super::profile::Profile;
use super::schedule::{Run, Schedule, schedule};
use super::settings::Settings;
use super::severity;
use super::signal;
use crate::backend::{Closed, Place, Session, one_line};
use crate::ir::Rule;
use crate::manifest::{self, Kept};
use crate::mapping::Table;
use crate::query::kusto::{
    Expression, Let, Pipeline, Query, Step, print, print_let, print_pipeline,
};

/// The parts that the queries of a rule share
#[derive(Debug)]
pub(super) struct Plan<'r> {
    pub(super) rule: &'r Rule,
    pub(super) profile: Profile,
    pub(super) detail: Detail,
    pub(super) schedule: Schedule,
    pub(super) fresh: Fresh,
    pub(super) lists: Vec<Let>,
    /// The prepared tables that several signals read
    pub(super) prepared: Vec<Let>,
    /// The rows of each signal
    pub(super) signals: Vec<(Rows, Pipeline)>,
    /// Signals that show the same columns
    pub(super) gathered: Vec<Gathered>,
    /// The table of each signal
    pub(super) tables: Vec<Option<&'r Table>>,
    pub(super) new: Option<(Novelty<'r>, String)>,
    /// The statements of correlations, and the rows they name
    pub(super) correlations: (Vec<Let>, Vec<Correlated>),
    pub(super) severity: bool,
}

/// The result of a query, and its schedule
#[derive(Debug)]
pub(super) struct Shape<'m> {
    /// Result columns
    pub(super) columns: Vec<String>,
    /// Those among them that an alert shows beside its entities
    pub(super) details: Vec<String>,
    /// The tables that the query reads
    pub(super) tables: Vec<&'m Table>,
    /// Whether rows carry a severity of their own
    pub(super) severity: bool,
    pub(super) schedule: Schedule,
}

/// The most characters of a query (Microsoft, Sentinel service limits)
pub(super) const MAX_QUERY: usize = 10_000;

/// Characters that the title of a rule and its losses may take in a query
const HEADING: usize = 1_000;

/// Plans the queries of a rule
///
/// A query that would be too long shows less.
pub(super) fn plan<'r>(
    profile: Profile,
    rule: &'r Rule,
    settings: &Settings,
    session: &mut Session<'r>,
) -> (Plan<'r>, Shape<'r>) {
    let most = if profile.maps_entities() { Detail::Entities } else { Detail::Events };
    for detail in [Detail::Entities, Detail::Events].into_iter().filter(|one| *one <= most) {
        let whole = session.attempt(
            |session| plan_with((profile, detail), rule, settings, session),
            |(plan, _)| plan.length() + HEADING <= MAX_QUERY,
        );
        if let Some(whole) = whole {
            return whole;
        }
    }
    plan_with((profile, Detail::Least), rule, settings, session)
}

fn plan_with<'r>(
    (profile, detail): (Profile, Detail),
    rule: &'r Rule,
    settings: &Settings,
    session: &mut Session<'r>,
) -> (Plan<'r>, Shape<'r>) {
    let mut lets = Lets::default();
    let schedule = schedule(profile, rule, settings, session);
    let sources = prepare::shared(profile, rule, session, &mut lets);
    let named = is_several(rule) || rule.new_terms.is_some();
    let name = |signal: &crate::ir::Signal| match named {
        true => lets.name(&signal.name),
        false => String::new(),
    };
    let names: Vec<String> = rule.signals.iter().map(name).collect();
    let mut planning = Planning { profile, detail, rule, lets: &mut lets, session };
    let (mut signals, mut tables) = (Vec::new(), Vec::new());
    for (at, name) in names.into_iter().enumerate() {
        let planned = signal::rows(&mut planning, &sources, at);
        signals.push((Rows { name, columns: planned.columns }, planned.rows));
        tables.push(planned.table);
    }
    let new = rule.new_terms.as_ref().map(|new| {
        let rows = &signals[new.signal].0;
        let novelty = Novelty::of(&mut planning, (new, tables[new.signal]), rows);
        let name = match is_several(rule) {
            true => planning.lets.name(&format!("new_{}", rows.name)),
            false => String::new(),
        };
        (novelty, name)
    });
    let keys = Keys::of(rule, &mut signals);
    let rows: Vec<Rows> = signals.iter().map(|(rows, _)| rows.clone()).collect();
    let correlations = correlation::statements(&mut planning, (&rows, &keys));
    let severity = rule.signals.iter().any(|signal| !signal.cases.is_empty())
        || rule.correlations.iter().any(|one| one.level != rule.level);
    let prepared =
        prepare::statements(&sources, planning.lets, signals.iter_mut().map(|(_, rows)| rows));
    let gathered = gathered(rule, &mut signals, &tables, planning.lets);
    let plan = Plan {
        rule,
        profile,
        detail,
        schedule,
        fresh: fresh(rule, schedule, settings, &tables),
        lists: lets.statements(),
        prepared,
        signals,
        gathered,
        tables,
        new,
        correlations,
        severity,
    };
    let (columns, details) = (plan.columns(), plan.details());
    let tables = plan.tables.iter().copied().flatten().collect();
    (plan, Shape { columns, details, tables, severity, schedule })
}

/// How a run tells new rows: by their arrival, where every table says it and no events are compared
fn fresh(rule: &Rule, schedule: Schedule, settings: &Settings, tables: &[Option<&Table>]) -> Fresh {
    let tells_arrival = tables.iter().flatten().all(|table| table.tells_arrival());
    match () {
        () if looks_back(rule) => Fresh::Settled,
        () if settings.nrt.is_some() || schedule.period == schedule.frequency => Fresh::Scheduled,
        () if tells_arrival => Fresh::Arrived,
        () => Fresh::Settled,
    }
}

/// Whether a row is judged by rows before it
fn looks_back(rule: &Rule) -> bool {
    rule.new_terms.is_some() || !rule.correlations.is_empty()
}

/// Whether the result is a union of named rows
fn is_several(rule: &Rule) -> bool {
    rule.signals.len() > 1 || !rule.correlations.is_empty()
}

impl Plan<'_> {
    /// The query that a rule or a person runs, under the title and the losses of the rule
    pub(super) fn query(&self, run: Run, closed: &Closed<'_>) -> Query {
        let mut heading = vec![one_line(&self.rule.metadata.title.value)];
        heading.extend(closed.sentences());
        self.under(heading, run)
    }

    /// The number of characters of the scheduled query without its heading
    fn length(&self) -> usize {
        print(&self.under(Vec::new(), Run::Scheduled)).encode_utf16().count()
    }

    fn under(&self, heading: Vec<String>, run: Run) -> Query {
        let several = is_several(self.rule);
        let mut lets = self.lists.clone();
        lets.extend(self.prepared.iter().cloned().map(|mut prepared| {
            prepared.value = self.new_to(prepared.value, run);
            prepared
        }));
        if let Some((novelty, _)) = self.new.as_ref().filter(|_| run == Run::Hunting) {
            lets.extend(novelty.range());
        }
        if several || self.new.is_some() {
            lets.extend((0..self.signals.len()).map(|at| self.signal(at, run)));
            lets.extend(self.gathered.iter().map(|one| one.rows.clone()));
        }
        let result = match &self.new {
            None if several => self.reported(run),
            None => self.only(run),
            Some((novelty, name)) => {
                let rows = novelty.rows(self.schedule, run);
                match several {
                    true => {
                        lets.push(Let::new(name, rows).under(novelty.note()));
                        self.reported(run)
                    }
                    false => rows,
                }
            }
        };
        lets.extend(self.correlated(run));
        let result = match self.severity {
            true => result.extended(severity::column(self.levels())),
            false => result,
        };
        Query { heading, lets, result: result.then(self.identified()) }
    }

    /// For each signal the name of the rows that show it, and its table
    pub(super) fn places(&self) -> Vec<Place> {
        let place = |(at, table): (usize, &Option<&Table>)| {
            let named = self.gathered_with(at).map_or(&*self.signals[at].0.name, Gathered::name);
            Place {
                rows: Some(named.to_owned()).filter(|name| !name.is_empty()),
                searched: table.iter().map(|table| table.name.clone()).collect(),
                mapping: table.map(|table| table.mapping.to_string()),
            }
        };
        self.tables.iter().enumerate().map(place).collect()
    }

    /// The statement that shows a signal with others
    pub(super) fn gathered_with(&self, signal: usize) -> Option<&Gathered> {
        self.gathered.iter().find(|one| one.signals.contains(&signal))
    }

    /// The columns of each correlation's keys
    pub(super) fn keys(&self) -> Vec<Vec<String>> {
        self.correlations.1.iter().map(|one| one.keys.clone()).collect()
    }

    /// When the rule runs
    pub(super) fn schedule(&self) -> manifest::Schedule {
        let Schedule { frequency, period, delay } = self.schedule;
        let keeps = match self.fresh {
            Fresh::Scheduled => Kept::All,
            Fresh::Arrived => Kept::Arrived { since: frequency },
            Fresh::Settled => Kept::Happened { since: frequency + delay, until: delay },
        };
        manifest::Schedule { frequency, period, keeps }
    }

    /// The number of characters in each part, as help for a query that is too long
    pub(super) fn lengths(&self) -> String {
        let length = |text: String| text.encode_utf16().count();
        let gathered = self.gathered.iter().map(|one| &one.rows);
        let lists = self.lists.iter().chain(&self.prepared).chain(gathered);
        let lists: usize = lists.map(|one| length(print_let(one))).sum();
        let mut parts = Vec::new();
        for (signal, (_, rows)) in self.rule.signals.iter().zip(&self.signals) {
            parts.push(format!("{} {}", signal.name, length(print_pipeline(rows))));
        }
        let rest: usize = self.correlations.0.iter().map(|one| length(print_let(one))).sum();
        parts.extend([format!("lists {lists}"), format!("correlations {rest}")]);
        format!("Characters: {}.", parts.join(", "))
    }

    /// The rows of a rule with one signal
    fn only(&self, run: Run) -> Pipeline {
        // INVARIANT: a rule has at least one signal.
        let first = self.signals.first();
        first.map_or_else(|| Pipeline::of("", []), |(_, rows)| self.new_to(rows.clone(), run))
    }

    /// Rows of a table that are new to a run; other rows, and those that are filtered later, as they are
    fn new_to(&self, mut rows: Pipeline, run: Run) -> Pipeline {
        let is_later =
            self.fresh == Fresh::Settled && (is_several(self.rule) || looks_back(self.rule));
        let is_prepared = self.prepared.iter().any(|one| rows.reads(&one.name.text));
        if run == Run::Scheduled && !is_later && !is_prepared {
            let time = Expression::name(self.profile.time());
            rows.steps.splice(0..0, self.fresh.filter(self.schedule, time));
        }
        rows
    }

    /// Of a signal whose rarity a run judges, the rows of which the run knows all
    ///
    /// Any other correlation is complete with an event, and looks at none after that.
    fn counted(&self, at: usize, mut rows: Pipeline, run: Run) -> Pipeline {
        if run == Run::Scheduled && self.rule.judges_rarity_of(at) {
            let seen = self.seen(&self.signals[at].0.columns);
            // A time of the table is tested first, the time of an alert once it is there.
            let place = if seen.is_name() { 0 } else { rows.steps.len() };
            rows.steps.splice(place..place, fresh::arrived(self.schedule, seen).map(Step::filter));
        }
        rows
    }

    /// The statement that names the rows of a signal
    fn signal(&self, at: usize, run: Run) -> Let {
        let (named, rows) = &self.signals[at];
        let rows = self.counted(at, self.new_to(rows.clone(), run), run);
        let is_new = self.rule.new_terms.as_ref().is_some_and(|new| new.signal == at);
        // Kusto evaluates a plain `let` again at each use.
        let again = is_new || correlation::reads_again(self.rule, at);
        let rows = if again { rows.materialized() } else { rows };
        let mut one = Let::new(&named.name, rows);
        one.comments.extend(own_title(self.rule, &self.rule.signals[at].title));
        one
    }
}
