//! What a definition asks of Sentinel, of ASIM or of Defender XDR.
//!
//! In: the settings under `targets:`. Out: [`Settings`] within the limits of the analytic rule
//! schema (Azure Sentinel repository, detection template models; service limits page).

use super::profile::Profile;
use crate::backend::Losses;
use crate::backend::settings::Asked;
use crate::diagnostic::Code;
use crate::source::Spanned;

/// What a custom detection looks back at each frequency (Microsoft, custom detection rules), in
/// minutes
pub(super) const DETECTIONS: &[(u32, u32)] =
    &[(60, 4 * 60), (3 * 60, 12 * 60), (12 * 60, 48 * 60), (24 * 60, 30 * 24 * 60)];

/// What a rule's author asks for
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// A near-real-time rule, and where it was asked for
    pub(super) nrt: Option<crate::source::Span>,
    /// Minutes between runs
    pub(super) frequency: Option<Spanned<u32>>,
    /// Minutes looked back
    pub(super) period: Option<Spanned<u32>>,
    /// An alert when there are more results than this
    pub(super) trigger: u32,
    /// One alert for all results of a run, not one each
    pub(super) single_alert: bool,
    /// Minutes without a further alert
    pub(super) suppression: Option<u32>,
}

const TWO_WEEKS: u32 = 14 * 24 * 60;

/// Reads the settings of a profile
pub(super) fn read(profile: Profile, losses: &mut Losses<'_>) -> Settings {
    let code = Code::E0506;
    let known: &[&str] = match profile {
        Profile::Defender | Profile::Asim => {
            &["kind", "frequency", "period", "trigger", "grouping", "suppression"]
        }
        Profile::Xdr => &["frequency"],
    };
    let mut asked = Asked::of(losses, code, known);
    let kind = asked.word("kind", &["scheduled", "nrt"]);
    let grouping = asked.word("grouping", &["alert_per_result", "single_alert"]);
    if kind.as_ref().is_some_and(|kind| kind.value == "nrt") {
        for name in ["frequency", "period", "trigger"] {
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
        trigger: asked.number("trigger", 0, 10_000).map_or(0, |number| number.value),
        single_alert: grouping.is_some_and(|grouping| grouping.value == "single_alert"),
        suppression: asked.minutes("suppression", 5, 24 * 60).map(|minutes| minutes.value),
    }
}
