//! Which rows of a run are reported.
//!
//! In: the schedule of a rule and the tables it reads. Out: filters that give each event to one run,
//! also an event that arrives as late as the schedule's delay allows.
//!
//! Two forms report every such event once (facts: Microsoft, ingestion-delay.md, and a simulation of
//! runs). A rule over single events asks when a row has arrived, so that nothing waits. A test that
//! compares events waits until all that happened at a time have arrived. A parser has no time of
//! arrival: `ingestion_time()` is null for rows that are not those of a table (Kusto reference,
//! ingestion-time-function.md).

use super::schedule::{Schedule, ago};
use crate::query::kusto::{Expression, Step};

/// How the rows of a run are told from those of other runs
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fresh {
    /// The schedule alone says which rows a run has
    Scheduled,
    /// Rows that have arrived since the run before, whenever their events happened
    Arrived,
    /// Rows of events that happened before the delay, so that all events of their time have arrived
    Settled,
}

impl Fresh {
    /// The filter on rows of a table, whose events became known at `time`
    pub(super) fn filter(self, schedule: Schedule, time: Expression) -> Option<Step> {
        match self {
            Fresh::Scheduled => None,
            Fresh::Arrived => {
                let arrived = Expression::call("ingestion_time", []);
                Some(Step::filter(arrived.compare(">", ago(schedule.frequency))))
            }
            Fresh::Settled => Some(Step::filter(settled(schedule, time))),
        }
    }
}

/// Whether all events of a time and before it have arrived; `None` where nothing is waited for
pub(super) fn arrived(schedule: Schedule, time: Expression) -> Option<Expression> {
    (schedule.delay > 0).then(|| time.compare("<", ago(schedule.delay)))
}

/// Whether a time is in the run: after the run before, and before the delay
pub(super) fn settled(schedule: Schedule, time: Expression) -> Expression {
    let since = time.clone().compare(">=", begins(schedule));
    Expression::all([since].into_iter().chain(arrived(schedule, time)))
}

/// The earliest time in the run
pub(super) fn begins(schedule: Schedule) -> Expression {
    ago(schedule.frequency + schedule.delay)
}
