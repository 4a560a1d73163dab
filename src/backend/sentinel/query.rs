//! The plan of a query: signals, novelty, correlations, and the reported rows.
//!
//! In: a [`Rule`]. Out: the queries of its packages, and the [`Shape`] of the result, which entity
//! mappings are checked against. Each signal becomes one projection; `union` joins several. A
//! rule over single events has no time filter: the schedule's lookback bounds it.
//!
//! A scheduled rule with new terms or correlations looks back further than one run, and reports
//! only rows since the last run. A hunting query covers the time range that a person picks, and
//! shows every event of a plain signal and every event that completes a correlation. Two tests
//! keep their window: "at most n" is counted before the last event of its group in the range, and
//! new terms are those of the last run (see [`super::novelty`]).

use super::columns::{Projected, Role, identified};
use super::context::Planning;
use super::correlation::{self, Rows};
use super::lets::Lets;
use super::novelty::Novelty;
use super::prepare;
use super::profile::Profile;
use super::schedule::{Run, Schedule, ago, schedule};
use super::settings::Settings;
use super::signal;
use crate::backend::{Closed, Place, Session, one_line};
use crate::ir::{Correlation, Rule};
use crate::manifest;
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
    /// Lists and prepared tables
    lets: Vec<Let>,
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
    let lets = lets.statements().into_iter().chain(prepared).collect();
    let plan = Plan {
        rule,
        profile,
        entities,
        schedule,
        lets,
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
        let mut lets = self.lets.clone();
        if several || self.new.is_some() {
            lets.extend((0..self.signals.len()).map(|at| self.signal(at)));
        }
        let result = match &self.new {
            None if several => self.reported(run),
            None => self.only(),
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
        let result = result.then(self.severity.then(severity_column)).then(self.identified());
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
        let Schedule { frequency, period } = self.schedule;
        manifest::Schedule { frequency, period, since: self.is_late().then_some(frequency) }
    }

    /// The number of characters in each part, as help for a query that is too long
    pub(super) fn lengths(&self) -> String {
        let length = |text: String| text.encode_utf16().count();
        let lists: usize = self.lets.iter().map(|one| length(print_let(one))).sum();
        let mut parts = Vec::new();
        for (signal, (_, rows)) in self.rule.signals.iter().zip(&self.signals) {
            parts.push(format!("{} {}", signal.name, length(print_pipeline(rows))));
        }
        let rest: usize = self.correlations.0.iter().map(|one| length(print_let(one))).sum();
        parts.extend([format!("lists {lists}"), format!("correlations {rest}")]);
        format!("Characters: {}.", parts.join(", "))
    }

    /// The rows of a rule with one signal
    fn only(&self) -> Pipeline {
        // INVARIANT: a rule has at least one signal.
        self.signals.first().map_or_else(|| Pipeline::of("", []), |(_, rows)| rows.clone())
    }

    /// The statement that names the rows of a signal
    fn signal(&self, at: usize) -> Let {
        let (named, rows) = &self.signals[at];
        let is_new = self.rule.new_terms.as_ref().is_some_and(|new| new.signal == at);
        // Kusto evaluates a plain `let` again at each use.
        let again = is_new || self.rule.correlates(at);
        let rows = if again { rows.clone().materialized() } else { rows.clone() };
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
        let signals = self.signals.iter().enumerate();
        for (at, (rows, _)) in signals.filter(|(at, _)| self.rule.reports_signal(*at)) {
            let new = self.rule.new_terms.as_ref().filter(|new| new.signal == at);
            legs.push(match (&self.new, new) {
                (Some((_, fresh)), Some(_)) => Pipeline::of(fresh, []),
                _ => Pipeline::of(&rows.name, self.recent(rows, run)),
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
            let steps = self.recent(rows, run).into_iter().chain(once).chain([labels]);
            legs.push(Pipeline::of(&rows.name, steps));
        }
        match <[Pipeline; 1]>::try_from(legs) {
            Ok([only]) => only,
            Err(legs) => {
                let lines = if self.is_late() { Lines::Own } else { Lines::Fit };
                Pipeline::union(legs, lines)
            }
        }
    }

    fn reported_correlations(&self) -> impl Iterator<Item = (&Rows, &Correlation)> {
        let all = self.correlations.1.iter().zip(&self.rule.correlations).enumerate();
        all.filter(|(at, _)| self.rule.reports_correlation(*at)).map(|(_, one)| one)
    }

    /// Whether the query looks back further than a run
    fn is_late(&self) -> bool {
        self.rule.new_terms.is_some() || !self.rule.correlations.is_empty()
    }

    /// Keeps the rows since the last run, so that a longer lookback does not report a row twice
    ///
    /// `None` for a hunting query, and for a rule over single events: there a longer period is the
    /// author's choice.
    fn recent(&self, rows: &Rows, run: Run) -> Option<Step> {
        if run == Run::Hunting || !self.is_late() {
            return None;
        }
        let time = Expression::name(self.profile.time());
        // The time of an alert decides, since the process in it is older than the alert.
        let raised = rows.columns.iter().find(|column| column.role == Role::Raised);
        let seen = match raised {
            Some(raised) => Expression::call("coalesce", [Expression::name(&raised.name), time]),
            None => time,
        };
        Some(Step::filter(seen.compare(">=", ago(self.schedule.frequency))))
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

/// The severity of an alert in Sentinel's words
fn severity_column() -> Step {
    let text = Expression::text;
    let level = || Expression::name("Level");
    let high = level().one_of("in", ["critical", "high"].map(text).to_vec());
    let is = |word: &str| level().compare("==", text(word));
    let branches = [high, text("High"), is("medium"), text("Medium"), is("low"), text("Low")];
    let other = [text("Informational")];
    let severity = Expression::call("case", branches.into_iter().chain(other));
    Step::extend([Item::named("Severity", severity)])
}
