//! The settings for Sentinel, ASIM and Defender XDR.
//!
//! In: the settings under `targets:`. Out: [`Settings`] within the limits of the analytic rule
//! schema (Azure Sentinel repository, detection template models; service limits page).

use super::entities;
use super::incident::{self, Incident};
use super::profile::Profile;
use crate::backend::Session;
use crate::backend::settings::Asked;
use crate::diagnostic::Code;
use crate::mapping::Entity;
use crate::source::Spanned;

/// Each frequency of a custom detection with its lookback, in minutes (Microsoft, custom detection
/// rules)
pub(super) const DETECTIONS: &[(u32, u32)] =
    &[(60, 4 * 60), (3 * 60, 12 * 60), (12 * 60, 48 * 60), (24 * 60, 30 * 24 * 60)];

/// The checked settings of a rule
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// The place of `kind: nrt`, which makes a near-real-time rule
    pub(super) nrt: Option<crate::source::Span>,
    /// Minutes between runs
    pub(super) frequency: Option<Spanned<u32>>,
    /// Minutes that a run looks back
    pub(super) period: Option<Spanned<u32>>,
    /// Minutes that an event may take to arrive
    pub(super) delay: Option<Spanned<u32>>,
    /// A run alerts on more results than this
    pub(super) trigger: u32,
    /// One alert for all results of a run, instead of one per result
    pub(super) single_alert: bool,
    /// Minutes without further alerts, after an alert
    pub(super) suppression: Option<u32>,
    /// What becomes of alerts; Sentinel's own default without it
    pub(super) incident: Option<Incident>,
    /// The entities that are not mapped as usual; one without identifiers is left out
    pub(super) entities: Vec<Entity>,
}

const DAY: u32 = 24 * 60;
const TWO_WEEKS: u32 = 14 * DAY;

/// Reads the settings of a profile; refuses invalid settings
pub(super) fn read(profile: Profile, session: &mut Session<'_>) -> Settings {
    let code = Code::E0506;
    let mut asked = Asked::of(session, code);
    asked.check_mappings();
    let entities = entities::read(&mut asked);
    let incident = incident::read(&mut asked);
    let kind = asked.word("kind", &["scheduled", "nrt"]);
    let grouping = asked.word("grouping", &["alert_per_result", "single_alert"]);
    if kind.as_ref().is_some_and(|kind| kind.value == "nrt") {
        for name in ["frequency", "period", "delay", "trigger"] {
            asked.refuse_present(name, "a near-real-time rule has no schedule and no threshold");
        }
    }
    let frequency = asked.minutes("frequency", 5, TWO_WEEKS);
    let known = |minutes: u32| DETECTIONS.iter().any(|(known, _)| *known == minutes);
    if profile == Profile::Xdr && frequency.as_ref().is_some_and(|f| !known(f.value)) {
        asked.refuse("frequency", "custom detections run every 1h, 3h, 12h or 24h");
    }
    Settings {
        nrt: kind.filter(|kind| kind.value == "nrt").map(|kind| kind.span),
        frequency,
        period: asked.minutes("period", 5, TWO_WEEKS),
        delay: asked.minutes("delay", 1, DAY),
        trigger: asked.number("trigger", 0, 10_000).map_or(0, |number| number.value),
        single_alert: grouping.is_some_and(|grouping| grouping.value == "single_alert"),
        suppression: asked.minutes("suppression", 5, 24 * 60).map(|minutes| minutes.value),
        incident,
        entities,
    }
}
