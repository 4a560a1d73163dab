//! The settings for Elastic.
//!
//! In: the settings under `targets:`. Out: [`Settings`] that the detection engine accepts
//! (Kibana's rule schema; detection-rules' checks of a repository).

use super::language::Languages;
use crate::backend::Session;
use crate::backend::settings::Asked;
use crate::diagnostic::{Cause, Code};
use crate::manifest::Schedule;
use crate::mapping::Index;
use crate::source::{Spanned, is_unprintable};

/// The checked settings of a rule
#[derive(Debug, Default)]
pub(super) struct Settings {
    /// Index patterns in place of the default ones
    pub(super) index: Vec<Index>,
    /// The languages that a signal may be written in
    pub(super) query: Languages,
    /// Minutes between runs
    pub(super) interval: Option<u32>,
    /// Minutes that a run looks back
    pub(super) from: Option<u32>,
    /// The most alerts of a run
    pub(super) max_signals: Option<u32>,
    pub(super) risk_score: Option<u32>,
    pub(super) tags: Vec<String>,
    /// Markdown
    pub(super) setup: Option<String>,
    pub(super) suppression: Option<Suppression>,
    pub(super) investigation_fields: Vec<String>,
    /// Whether its alerts are building blocks: hidden, and there for other rules
    pub(super) building_block: bool,
    /// Whether Kibana runs the rule after an import; `None` leaves that to Kibana
    pub(super) enabled: Option<bool>,
    /// Whether exclusions are exceptions beside the rule, where these say the same
    pub(super) exceptions: bool,
}

/// How alerts are grouped (suppression)
#[derive(Debug)]
pub(super) struct Suppression {
    pub(super) by: Vec<String>,
    /// Minutes; `None` groups the alerts of each run
    pub(super) duration: Option<u32>,
    /// The treatment of alerts that lack one of the fields, in Kibana's word
    pub(super) missing: &'static str,
}

const DAY: u32 = 24 * 60;

impl Settings {
    /// Whether detection-rules would refuse the times of a building block
    ///
    /// Source: `validate_bbr` of its loader, which wants an hour between two runs and a look back
    /// of two hours less a minute, unless the file says that its times are meant.
    pub(super) fn has_times_of_its_own(&self, schedule: &Schedule) -> bool {
        self.building_block && (schedule.frequency < 60 || schedule.period < 119)
    }
}

/// Reads the settings; refuses invalid settings
pub(super) fn read(session: &mut Session<'_>) -> Settings {
    let mut asked = Asked::of(session, Code::E0607);
    asked.check_mappings();
    let patterns = asked.texts("index");
    let texts = |texts: Vec<Spanned<String>>| -> Vec<String> {
        texts.into_iter().map(|text| text.value).collect()
    };
    let query = asked.word("query", Languages::WORDS);
    let mut settings = Settings {
        query: query.map(|word| Languages::named(word.value)).unwrap_or_default(),
        interval: asked.minutes("interval", 1, DAY).map(|minutes| minutes.value),
        from: asked.minutes("from", 1, 7 * DAY).map(|minutes| minutes.value),
        max_signals: asked.number("max_signals", 1, 1_000).map(|number| number.value),
        risk_score: asked.number("risk_score", 0, 100).map(|number| number.value),
        tags: texts(asked.texts("tags")),
        setup: asked.text("setup").map(|text| text.value),
        investigation_fields: texts(asked.texts("investigation_fields")),
        building_block: asked.truth("building_block").is_some_and(|truth| truth.value),
        enabled: asked.truth("enabled").map(|truth| truth.value),
        exceptions: asked.truth("exceptions").is_some_and(|truth| truth.value),
        ..Settings::default()
    };
    if let Some(mut inner) = asked.inner("suppression", &["by", "duration", "missing"]) {
        let by = inner.texts("by");
        let duration = inner.minutes("duration", 1, 7 * DAY).map(|minutes| minutes.value);
        let missing = inner.word("missing", &["suppress", "doNotSuppress"]);
        let missing = missing.map_or("suppress", |missing| missing.value);
        if (1..=3).contains(&by.len()) {
            settings.suppression = Some(Suppression { by: texts(by), duration, missing });
        } else {
            inner.refuse("by", "alerts are suppressed by one to three fields");
        }
    }
    settings.index = indices(patterns, session);
    let names = settings.suppression.iter().flat_map(|suppression| &suppression.by);
    let names = names.map(|name| ("suppression", name));
    let shown = settings.investigation_fields.iter().map(|name| ("investigation_fields", name));
    let is_field = |name: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_.@".contains(c);
        !name.is_empty() && name.chars().all(plain)
    };
    let bad = names.chain(shown).find(|(_, name)| !is_field(name));
    let bad = bad.map(|(setting, name)| (setting, format!("`{name}` is no name of a field")));
    let tag = settings.tags.iter().find(|tag| tag.chars().any(is_unprintable));
    let bad = bad.or(tag.map(|_| ("tags", "a tag is one line of text".to_owned())));
    if let Some((setting, message)) = bad {
        let span = session.settings().span;
        let why = (Code::E0607, Cause::Setting(setting.to_owned()));
        session.refuse_with(why, span, message, "cannot be taken", "");
    }
    settings
}

/// The indices of these patterns; a pattern that no mapping knows is refused
fn indices(patterns: Vec<Spanned<String>>, session: &mut Session<'_>) -> Vec<Index> {
    let mut all = Vec::new();
    for pattern in patterns {
        let known = session.mappings().indices(&pattern.value).next();
        match known {
            Some(index) => all.push(index.clone()),
            None => {
                let message = format!("the fields of `{}` are not known here", pattern.value);
                let help = "Use an index pattern of an integration that holds such events.";
                let why = (Code::E0607, Cause::Setting("index".to_owned()));
                session.refuse_with(why, pattern.span, message, "unknown index", help);
            }
        }
    }
    all.sort_by(|a, b| a.pattern.cmp(&b.pattern));
    all
}
