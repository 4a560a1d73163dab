//! When a rule runs.
//!
//! In: the settings of a rule, and the timespan of a correlation or a sequence. Out: the minutes between two runs and
//! those that a run looks back, with the losses that follow from them.

use super::settings::Settings;
use crate::backend::Session;
use crate::ir::Correlation;
use crate::manifest::{Direction, Kept, LossName, Schedule};
use crate::source::Span;

/// The minutes that a run looks back; it runs every five, as Elastic's own rules do, so that late
/// events are not missed
const FROM_MINUTES: u32 = 9;

/// The minutes between two runs
const INTERVAL_MINUTES: u32 = 5;

/// The minutes that an event of a correlation may come late, where the settings do not say otherwise
const LATE_MINUTES: u32 = 3;

/// The schedule of a rule about single events
pub(super) fn of_events(settings: &Settings) -> Schedule {
    let frequency = settings.interval.unwrap_or(INTERVAL_MINUTES);
    Schedule { frequency, period: settings.from.unwrap_or(FROM_MINUTES), keeps: Kept::All }
}

/// The schedule of a sequence: a run sees all of its timespan
///
/// detection-rules wants the runs of a sequence to be half a timespan apart at least, once that is
/// longer than two and a half minutes. Both ends of a sequence must lie in what one run sees.
/// `timespan` is in seconds; `place` is where a loss is told.
pub(super) fn of_sequence(
    timespan: u32,
    place: Span,
    settings: &Settings,
    session: &mut Session<'_>,
) -> Schedule {
    let span = timespan.div_ceil(60);
    let usual = if timespan > 150 { timespan.div_ceil(120) } else { 0 };
    let frequency = settings.interval.unwrap_or(INTERVAL_MINUTES.max(usual));
    let whole = span + frequency;
    let period = settings.from.unwrap_or(FROM_MINUTES.max(whole + LATE_MINUTES));
    if period < whole {
        let reason = format!(
            "a run that looks back {period} minutes every {frequency} does not see each sequence of \
             {span} as a whole"
        );
        session.lose(LossName::Lookback, Direction::Narrower, place, &reason);
    } else {
        let late = period - whole;
        let reason =
            format!("an event that arrives more than {late} minutes late is in no sequence");
        session.lose(LossName::Late, Direction::Narrower, place, &reason);
    }
    Schedule { frequency, period, keeps: Kept::All }
}

/// The schedule of a threshold rule, which counts the events that one run sees
///
/// A run that looks back longer than the timespan counts events that are further apart, and one that
/// does not look back longer cuts groups in two.
pub(super) fn of_threshold(
    one: &Correlation,
    settings: &Settings,
    session: &mut Session<'_>,
) -> Schedule {
    let span = one.timespan.div_ceil(60);
    let frequency = settings.interval.unwrap_or(INTERVAL_MINUTES);
    let period = settings.from.unwrap_or(span + frequency);
    let (direction, what) = match period >= span + frequency {
        true => (Direction::Wider, "events that are further apart count together"),
        false => (Direction::Narrower, "events of two runs do not count together"),
    };
    let reason =
        format!("a run counts what it sees in {period} minutes, every {frequency}: {what}");
    session.lose(LossName::Grid, direction, one.span, &reason);
    Schedule { frequency, period, keeps: Kept::All }
}
