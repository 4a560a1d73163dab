//! The plan of a query: signals, novelty, correlations, and the reported rows.
//!
//! In: a [`Rule`]. Out: the queries of its packages, and the [`Shape`] of the result, which entity
//! mappings are checked against. Each signal becomes one projection; `union` joins several.
//!
//! A scheduled rule looks back further than one run, and reports only rows that are new to a run: see
//! [`super::fresh`]. A hunting query covers the time range that a person picks, and shows every
//! event of a plain signal and every event that completes a correlation. "At most n" keeps its
//! window, the one before the last event of its group in the range.

use super::columns::{Projected, Role, identified};
use super::context::Planning;
use super::correlation::{self, Rows};
use super::fresh::Fresh;
use super::lets::Lets;
use super::novelty::Novelty;
use super::prepare;
use super::profile::Profile;
use super::schedule::{Run, Schedule, schedule};
use super::settings::Settings;
use super::severity;
use super::signal;
use crate::backend::{Closed, Place, Session, one_line};
use crate::definition::Level;
use crate::ir::{Correlation, Rule};
use crate::manifest::{self, Kept};
use crate::mapping::Table;
use crate::query::kusto::{
    Expression, Item, Let, Lines, Pipeline, Query, Step, Type, print, print_let, print_pipeline,
};

/// The parts that the queries of a rule share
#[derive(Debug)]
pub(super) struct Plan<'r> {
    rule: &'r Rule,
    profile: Profile,
    /// Whether the result has the columns that only identify entities
    entities: bool,
    schedule: Schedule,
    fresh: Fresh,
    lists: Vec<Let>,
    /// The prepared tables that several signals read
    prepared: Vec<Let>,
    /// The rows of each signal
    signals: Vec<(Rows, Pipeline)>,
    /// The table of each signal
    tables: Vec<Option<&'r Table>>,
    new: Option<(Novelty<'r>, String)>,
    /// The statements of correlations, and the rows they name
    correlations: (Vec<Let>, Vec<Rows>),
    severity: bool,
}

/// The result of a query, and its schedule
#[derive(Debug)]
pub(super) struct Shape<'m> {
    /// Result columns
    pub(super) columns: Vec<String>,
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
/// The columns that only identify entities are left out of a query that would be too long with them.
pub(super) fn plan<'r>(
    profile: Profile,
    rule: &'r Rule,
    settings: &Settings,
    session: &mut Session<'r>,
) -> (Plan<'r>, Shape<'r>) {
    let whole = profile.maps_entities().then(|| {
        session.attempt(
            |session| plan_with((profile, true), rule, settings, session),
            |(plan, _)| plan.length() + HEADING <= MAX_QUERY,
        )
    });
    whole.flatten().unwrap_or_else(|| plan_with((profile, false), rule, settings, session))
}

fn plan_with<'r>(
    (profile, entities): (Profile, bool),
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
    let mut planning = Planning { profile, entities, rule, lets: &mut lets, session };
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
    let rows: Vec<Rows> = signals.iter().map(|(rows, _)| rows.clone()).collect();
    let correlations = correlation::statements(&mut planning, &rows);
    let severity = rule.signals.iter().any(|signal| !signal.cases.is_empty())
        || rule.correlations.iter().any(|one| one.level != rule.level);
    let prepared =
        prepare::statements(&sources, planning.lets, signals.iter_mut().map(|(_, rows)| rows));
    let plan = Plan {
        rule,
        profile,
        entities,
        schedule,
        fresh: fresh(rule, schedule, settings, &tables),
        lists: lets.statements(),
        prepared,
        signals,
        tables,
        new,
        correlations,
        severity,
    };
    let columns = plan.columns();
    let tables = plan.tables.iter().copied().flatten().collect();
    (plan, Shape { columns, tables, severity, schedule })
}

/// How a run tells new rows: by their arrival, where every table says it and no events are compared
fn fresh(rule: &Rule, schedule: Schedule, settings: &Settings, tables: &[Option<&Table>]) -> Fresh {
    let tells_arrival = tables.iter().flatten().all(|table| !table.is_parsed());
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
        lets.extend(self.correlations.0.iter().cloned());
        let result = result
            .then(self.severity.then(|| severity::column(self.levels())))
            .then(self.identified());
        Query { heading, lets, result }
    }

    /// For each signal the name of its rows, and its table
    pub(super) fn places(&self) -> Vec<Place> {
        let place = |((rows, _), table): (&(Rows, Pipeline), &Option<&Table>)| Place {
            rows: Some(rows.name.clone()).filter(|name| !name.is_empty()),
            searched: table.iter().map(|table| table.name.clone()).collect(),
            mapping: table.map(|table| table.mapping.to_string()),
        };
        self.signals.iter().zip(&self.tables).map(place).collect()
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
        let lists = self.lists.iter().chain(&self.prepared);
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

    /// The statement that names the rows of a signal
    fn signal(&self, at: usize, run: Run) -> Let {
        let (named, rows) = &self.signals[at];
        let rows = self.new_to(rows.clone(), run);
        let is_new = self.rule.new_terms.as_ref().is_some_and(|new| new.signal == at);
        // Kusto evaluates a plain `let` again at each use.
        let again = is_new || self.rule.correlates(at);
        let rows = if again { rows.materialized() } else { rows };
        let title = &self.rule.signals[at].title;
        let one = Let::new(&named.name, rows);
        match *title == self.rule.metadata.title.value || one_line(title).is_empty() {
            true => one,
            false => one.under(one_line(title)),
        }
    }

    /// The rows of all signals and correlations that are reported
    fn reported(&self, run: Run) -> Pipeline {
        let mut legs: Vec<Pipeline> = Vec::new();
        let mut columns: Vec<&Projected> = Vec::new();
        let signals = self.signals.iter().enumerate();
        for (at, (rows, _)) in signals.filter(|(at, _)| self.rule.reports_signal(*at)) {
            let new = self.rule.new_terms.as_ref().filter(|new| new.signal == at);
            legs.push(match (&self.new, new) {
                (Some((_, fresh)), Some(_)) => Pipeline::of(fresh, []),
                _ => {
                    columns.extend(&rows.columns);
                    Pipeline::of(&rows.name, [])
                }
            });
        }
        for (rows, one) in self.reported_correlations() {
            let earliest = [Expression::name(self.profile.time()), Expression::star()];
            let earliest = Expression::call("arg_min", earliest);
            // A run reports a group once; a hunting query shows every event.
            let once = (run == Run::Scheduled)
                .then(|| Step::summarize([Item::plain(earliest)], ["Group"]));
            let labels = Step::extend([
                Item::named("Signal", Expression::text(&one.name)),
                Item::named("Level", Expression::text(one.level.as_str())),
            ]);
            let recent = self.recent(rows.columns.iter(), run).into_iter();
            legs.push(Pipeline::of(&rows.name, recent.chain(once).chain([labels])));
        }
        let rows = match <[Pipeline; 1]>::try_from(legs) {
            Ok([only]) => only,
            Err(legs) => Pipeline::union(legs, Lines::Fit),
        };
        rows.then(if columns.is_empty() { None } else { self.recent(columns, run) })
    }

    fn reported_correlations(&self) -> impl Iterator<Item = (&Rows, &Correlation)> {
        let all = self.correlations.1.iter().zip(&self.rule.correlations).enumerate();
        all.filter(|(at, _)| self.rule.reports_correlation(*at)).map(|(_, one)| one)
    }

    /// Keeps the rows that are new to a run, so that a longer lookback does not report a row twice
    ///
    /// `None` where the rows of the tables have been filtered.
    fn recent<'c>(
        &self,
        columns: impl IntoIterator<Item = &'c Projected>,
        run: Run,
    ) -> Option<Step> {
        if run == Run::Hunting || self.fresh != Fresh::Settled {
            return None;
        }
        let time = Expression::name(self.profile.time());
        // The time of an alert decides, since the process in it is older than the alert.
        let raised = columns.into_iter().find(|column| column.role == Role::Raised);
        let seen = match raised {
            Some(raised) => Expression::call("coalesce", [Expression::name(&raised.name), time]),
            None => time,
        };
        self.fresh.filter(self.schedule, seen)
    }

    /// The levels that rows of the result may have
    fn levels(&self) -> Vec<Level> {
        let signals = self.rule.signals.iter().enumerate();
        let signals = signals.filter(|(at, _)| self.rule.reports_signal(*at));
        let mut levels = Vec::new();
        for (_, signal) in signals {
            levels.push(self.rule.level);
            levels.extend(signal.cases.iter().map(|(level, _)| *level));
        }
        levels.extend(self.reported_correlations().map(|(_, one)| one.level));
        levels
    }

    /// The step that makes the columns of entities out of others
    fn identified(&self) -> Option<Step> {
        let items: Vec<Item> = self.made().iter().map(Projected::item).collect();
        (!items.is_empty()).then(|| Step::extend(items).on_own_lines())
    }

    /// The columns of entities that are made of others
    fn made(&self) -> Vec<Projected> {
        if self.entities { identified(&self.shown()) } else { Vec::new() }
    }

    /// The columns of the result, each once
    fn columns(&self) -> Vec<String> {
        self.shown().into_iter().chain(self.made().into_iter().map(|column| column.name)).collect()
    }

    /// The columns of the signals and correlations, each once
    fn shown(&self) -> Vec<String> {
        let signals = self.signals.iter().enumerate();
        let signals = signals.filter(|(at, _)| self.rule.reports_signal(*at));
        let mut shown: Vec<Projected> =
            signals.flat_map(|(_, (rows, _))| rows.columns.iter().cloned()).collect();
        for (rows, _) in self.reported_correlations() {
            shown.extend(rows.columns.iter().cloned());
            let label = |name| Projected::own(name, Type::String, Role::Label);
            shown.extend(["Signal", "Level"].map(label));
        }
        let mut columns: Vec<String> = Vec::new();
        let severity = self.severity.then(|| "Severity".to_owned());
        for name in shown.into_iter().map(|column| column.name).chain(severity) {
            if !columns.contains(&name) {
                columns.push(name);
            }
        }
        columns
    }
}
