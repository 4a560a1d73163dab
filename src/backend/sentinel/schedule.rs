//! How often a query runs and how far it looks back.
//!
//! In: the windows of a rule's new terms and correlations, and the author's settings. Out: a
//! [`Schedule`] whose lookback covers every window, and events that arrive late, within the limits of
//! the target.

use super::profile::Profile;
use super::settings::{DETECTIONS, Settings};
use crate::backend::Session;
use crate::backend::settings::span;
use crate::diagnostic::{Cause, Code};
use crate::ir::{CorrelationTest, Origin, Rule};
use crate::manifest::{Direction, LossName};
use crate::query::kusto::Expression;
use crate::source::Span;

/// When a rule runs, in minutes
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Schedule {
    /// From one run to the next
    pub(super) frequency: u32,
    /// That a run looks back
    pub(super) period: u32,
    /// That an event may take to arrive; a run reports it all the same
    pub(super) delay: u32,
}

/// Minutes between the runs of a rule; 5 for new terms with a window under twice this
const FREQUENCY: u32 = 60;
/// The longest lookback of an analytic rule (Microsoft, scheduled rules overview): 14 days
const LONGEST: u32 = 14 * 24 * 60;
/// Minutes that an event may take to arrive, where the author does not say
const DELAY: u32 = 10;

/// The schedule of a rule; refuses windows and settings that the target cannot run
pub(super) fn schedule(
    profile: Profile,
    rule: &Rule,
    settings: &Settings,
    session: &mut Session<'_>,
) -> Schedule {
    let window = rule.new_terms.as_ref().map_or(0, |new| new.window);
    let horizon = (0..rule.correlations.len()).map(|at| horizon(rule, at)).max().unwrap_or(0);
    let place = longest(rule, window >= horizon);
    if profile == Profile::Xdr {
        return of_detection(rule, window.max(horizon), place, settings, session);
    }
    let short = window > 0 && window < 2 * FREQUENCY;
    let frequency = settings.frequency.as_ref().map(|frequency| frequency.value);
    let frequency = frequency.unwrap_or(if short { 5 } else { FREQUENCY });
    let shortest = frequency + horizon;
    let delay = delay(settings, window.max(horizon) + frequency, shortest);
    let needed = match horizon {
        0 => window + frequency + delay,
        // Whole hours are easier to read.
        horizon => (window.max(horizon) + frequency + delay).next_multiple_of(60),
    };
    if window > LONGEST || shortest > LONGEST {
        let message = "the window is longer than the 14 days a rule can look back".to_owned();
        session.refuse_with(
            (Code::E0503, Cause::Schedule),
            place,
            message,
            "too long",
            "Shorten the window.",
        );
    }
    if needed > LONGEST && (1..=LONGEST).contains(&window) {
        let reached = span(LONGEST - frequency - delay);
        let reason = format!("a term last seen more than {reached} ago may count as new");
        session.lose(LossName::Repeats, Direction::Wider, place, &reason);
    }
    let needed = needed.min(LONGEST);
    let period = settings.period.as_ref().map_or(needed, |period| period.value);
    let settled = settings.period.as_ref().or(settings.delay.as_ref());
    let place = settled.or(settings.frequency.as_ref()).map_or(place, |at| at.span);
    if period < needed {
        let message = format!("a period of {} does not hold {}", span(period), span(needed));
        let help = "The period covers the frequency, the delay, and the windows of new terms and \
             correlations.";
        session.refuse_with((Code::E0506, Cause::Schedule), place, message, "too short", help);
    }
    if period >= 2 * 24 * 60 && frequency < 60 {
        let message =
            "a period of two days or more needs a frequency of an hour or more".to_owned();
        session.refuse_with((Code::E0506, Cause::Schedule), place, message, "too often", "");
    }
    note_repeats(rule, frequency, session);
    Schedule { frequency, period, delay }
}

/// The place of what looks back furthest: new terms, where they do, or a correlation
fn longest(rule: &Rule, by_terms: bool) -> Span {
    let terms = rule.new_terms.as_ref().map(|new| new.span).filter(|_| by_terms);
    let correlation = rule.correlations.first().map(|one| one.span);
    terms.or(correlation).unwrap_or(rule.metadata.title.span)
}

/// The delay that a rule allows: what its author says, else the usual one, or as much of that as the
/// period leaves beside `whole`, or the longest lookback beside the `shortest` one
fn delay(settings: &Settings, whole: u32, shortest: u32) -> u32 {
    let room = match &settings.period {
        Some(period) => period.value.saturating_sub(whole),
        None => LONGEST.saturating_sub(shortest),
    };
    match &settings.delay {
        _ if settings.nrt.is_some() => 0,
        Some(delay) => delay.value,
        None => DELAY.min(room),
    }
}

/// The schedule of a custom detection: the first of [`DETECTIONS`] with the author's frequency
/// whose lookback covers the frequency and `window`, and the delay where one does
fn of_detection(
    rule: &Rule,
    window: u32,
    place: Span,
    settings: &Settings,
    session: &mut Session<'_>,
) -> Schedule {
    let asked = settings.frequency.as_ref().map(|frequency| frequency.value);
    let delay = settings.delay.as_ref().map(|delay| delay.value);
    let fits = |(frequency, period): &&(u32, u32)| {
        window + *frequency + delay.unwrap_or(0) <= *period
            && asked.is_none_or(|asked| asked == *frequency)
    };
    let known = |asked: u32| DETECTIONS.iter().any(|(minutes, _)| *minutes == asked);
    if asked.is_some_and(|asked| !known(asked)) {
        // Already reported when the setting was read.
        return Schedule { frequency: DETECTIONS[0].0, period: DETECTIONS[0].1, delay: DELAY };
    }
    let fitting = DETECTIONS.iter().find(fits).copied();
    let (frequency, period) = fitting.unwrap_or_else(|| {
        let message = "no schedule of a custom detection holds the window".to_owned();
        let help = "They run every 1, 3, 12 or 24 hours and look back 4, 12 or 48 hours, or 30 \
                    days.";
        session.refuse_with((Code::E0503, Cause::Schedule), place, message, "too long", help);
        DETECTIONS[0]
    });
    note_repeats(rule, frequency, session);
    let room = period.saturating_sub(window + frequency);
    Schedule { frequency, period, delay: delay.unwrap_or(DELAY.min(room)) }
}

/// Notes groups that are reported more than once: by each event that completes a chain, or by several
/// runs, since a run does not know the reports of earlier runs
fn note_repeats(rule: &Rule, frequency: u32, session: &mut Session<'_>) {
    let reported = rule.correlations.iter().enumerate();
    for (_, one) in reported.filter(|(at, _)| rule.reports_correlation(*at)) {
        let name = &one.name;
        if matches!(one.test, CorrelationTest::InOrder | CorrelationTest::Together) {
            let reason =
                format!("each event that completes {name} is an alert, not each group once");
            session.lose(LossName::Alerts, Direction::Wider, one.span, &reason);
        } else if one.timespan > frequency * 60 {
            let reason =
                format!("a group of {name} is reported in every run of its timespan, not once");
            session.lose(LossName::Repeats, Direction::Wider, one.span, &reason);
        }
    }
}

/// The most minutes from the first event of a correlation to the last, inner correlations included
fn horizon(rule: &Rule, at: usize) -> u32 {
    let one = &rule.correlations[at];
    let inner = one.origins.iter().map(|origin| match origin {
        Origin::Signal(_) => 0,
        Origin::Correlation(at) => horizon(rule, *at),
    });
    one.timespan.div_ceil(60) + inner.max().unwrap_or(0)
}

/// The way a query is run
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    /// By a rule, on its schedule
    Scheduled,
    /// By a person, over a time range
    Hunting,
}

/// `ago(1h)`
pub(super) fn ago(minutes: u32) -> Expression {
    Expression::call("ago", [Expression::timespan(span(minutes))])
}
