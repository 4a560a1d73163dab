//! What becomes of a rule's alerts: incidents, and the alerts that one incident takes.
//!
//! In: the setting `incident`. Out: an [`Incident`] for the packages. An incident is grouped only by what
//! the rule's alerts have: a kind of entity that is not mapped is refused where the package is made.
//!
//! Source: `incidentConfiguration` of alertRules of the Microsoft.SecurityInsights resource provider.

use serde::Serialize;

use crate::backend::Closed;
use crate::backend::settings::Asked;
use crate::definition::nearest_name;
use crate::diagnostic::{Cause, Code};
use crate::mapping::{Entity, results};
use crate::source::{Span, Spanned};

/// What becomes of alerts
#[derive(Debug, Clone)]
pub(super) enum Incident {
    /// No alert makes an incident
    None,
    /// Alerts share an incident
    Shared(Shared),
}

/// The alerts that one incident takes
#[derive(Debug, Clone)]
pub(super) struct Shared {
    /// The kinds of entities that its alerts have in common; all entities when empty
    by: Vec<Spanned<String>>,
    /// Minutes after its first alert
    lookback: u32,
    /// Whether a closed incident is opened again
    reopen: bool,
    /// The place of the setting
    span: Span,
}

/// `incidentConfiguration`, with the names of YAML and JSON, which are the same
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Configuration {
    create_incident: bool,
    grouping_configuration: Grouping,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Grouping {
    enabled: bool,
    reopen_closed_incident: bool,
    lookback_duration: String,
    matching_method: &'static str,
    group_by_entities: Vec<String>,
    group_by_alert_details: [&'static str; 0],
    group_by_custom_details: [&'static str; 0],
}

/// Microsoft's own files look back for five hours
const USUAL: u32 = 5 * 60;

/// Reads the setting
pub(super) fn read(asked: &mut Asked<'_, '_>) -> Option<Incident> {
    if !asked.has("incident") {
        return None;
    }
    if !asked.is_map("incident") {
        return asked.word("incident", &["none"]).map(|_| Incident::None);
    }
    let span = asked.span("incident");
    let mut inner = asked.inner("incident", &["by", "lookback", "reopen"])?;
    let known: Vec<&str> = results().identifiers.iter().map(|one| one.kind.as_str()).collect();
    let (by, wrong): (Vec<_>, Vec<_>) =
        inner.texts("by").into_iter().partition(|kind| known.contains(&kind.value.as_str()));
    for Spanned { value, span } in wrong {
        let near = nearest_name(&value, known.iter().copied());
        let near = near.map_or_else(|| known.join(", "), |near| format!("did you mean `{near}`?"));
        inner.refuse_at("by", span, &format!("`{value}` is no kind of entity; {near}"));
    }
    let lookback = inner.minutes("lookback", 5, 7 * 24 * 60);
    Some(Incident::Shared(Shared {
        by,
        lookback: lookback.map_or(USUAL, |minutes| minutes.value),
        reopen: inner.truth("reopen").is_some_and(|truth| truth.value),
        span,
    }))
}

/// Refuses a kind of entity that the rule's alerts do not have
pub(super) fn check(incident: Option<&Incident>, mapped: &[Entity], closed: &mut Closed<'_>) {
    let Some(Incident::Shared(shared)) = incident else { return };
    let mapped: Vec<&str> = mapped.iter().map(|entity| entity.kind.as_str()).collect();
    let cause = || (Code::E0506, Cause::Setting("incident".to_owned()));
    for kind in shared.by.iter().filter(|kind| !mapped.contains(&kind.value.as_str())) {
        let message = format!("no alert of this rule has the entity {}", kind.value);
        let help = format!("Its alerts have {}.", mapped.join(", "));
        closed.refuse_with(cause(), kind.span, message, "cannot be grouped by", &help);
    }
    if mapped.is_empty() {
        let message = "alerts without entities share no incident".to_owned();
        closed.refuse_with(cause(), shared.span, message, "cannot be grouped", "");
    }
}

impl Incident {
    /// The configuration, with spans written by `duration`
    pub(super) fn configuration(&self, duration: impl Fn(u32) -> String) -> Configuration {
        let shared = if let Incident::Shared(shared) = self { Some(shared) } else { None };
        let by: Vec<String> =
            shared.iter().flat_map(|shared| &shared.by).map(|kind| kind.value.clone()).collect();
        Configuration {
            create_incident: shared.is_some(),
            grouping_configuration: Grouping {
                enabled: shared.is_some(),
                reopen_closed_incident: shared.is_some_and(|shared| shared.reopen),
                lookback_duration: duration(shared.map_or(USUAL, |shared| shared.lookback)),
                matching_method: if by.is_empty() { "AllEntities" } else { "Selected" },
                group_by_entities: by,
                group_by_alert_details: [],
                group_by_custom_details: [],
            },
        }
    }
}
