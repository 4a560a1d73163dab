//! Reads the settings of one target.
//!
//! In: the settings under `targets:` as written, and `settings.tsv`, which has the names that each
//! target knows. Out: checked values, and a refusal at the place of each setting with an unknown name
//! or an invalid value.

use super::{Session, Target};
use crate::definition::{Setting, Settings, nearest_name};
use crate::diagnostic::{Cause, Code};
use crate::mapping::Mappings;
use crate::source::{Span, Spanned};

/// The text of the table of settings
const TABLE: &str = include_str!("settings.tsv");

/// A setting that some targets have
#[derive(Debug, Clone, Copy)]
pub struct SettingRow {
    /// The names of the targets, with a blank between two
    targets: &'static str,
    /// Its name
    pub name: &'static str,
    /// What it takes, in words
    pub values: &'static str,
    /// What it decides, one line
    pub says: &'static str,
}

/// The settings that a target has, in the order of lists
pub fn settings_of(target: Target) -> impl Iterator<Item = SettingRow> {
    rows(target.name())
}

fn rows(target: &str) -> impl Iterator<Item = SettingRow> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let all = lines.filter_map(|line| {
        let mut cells = line.split('\t');
        let mut cell = || cells.next();
        Some(SettingRow { targets: cell()?, name: cell()?, values: cell()?, says: cell()? })
    });
    all.filter(move |row| row.targets.split(' ').any(|name| name == target))
}

/// The settings of one target, being read
pub(super) struct Asked<'a, 'r> {
    session: &'a mut Session<'r>,
    settings: Settings,
    code: Code,
}

impl<'a, 'r> Asked<'a, 'r> {
    /// The settings of the current target; refuses names that the target does not have at once
    pub(super) fn of(session: &'a mut Session<'r>, code: Code) -> Self {
        let settings = session.settings();
        let known: Vec<&str> = rows(session.target()).map(|row| row.name).collect();
        let mut asked = Asked { session, settings, code };
        asked.check(&asked.settings.clone(), &known);
        asked
    }

    fn check(&mut self, settings: &Settings, known: &[&str]) {
        for (name, _) in &settings.entries {
            if known.contains(&name.value.as_str()) {
                continue;
            }
            let target = self.session.target();
            let message = format!("{target} has no setting `{}`", name.value);
            let near = nearest_name(&name.value, known.iter().copied());
            let help = match near {
                Some(near) => format!("Did you mean `{near}`?"),
                None => format!("Settings: {}.", known.join(", ")),
            };
            let why = (Code::E0110, cause(&name.value));
            self.session.refuse_with(why, name.span, message, "not a key here", &help);
        }
    }

    /// The settings in a nested map; refuses a setting that is no map
    pub(super) fn inner(&mut self, name: &str, known: &[&str]) -> Option<Asked<'_, 'r>> {
        match self.settings.get(name)? {
            Setting::Settings(inner) => {
                let settings = inner.clone();
                self.check(&settings, known);
                Some(Asked { session: self.session, settings, code: self.code })
            }
            Setting::Text(_) | Setting::Texts(_) => {
                self.wrong(name, "a map");
                None
            }
        }
    }

    /// Whether a setting is there
    pub(super) fn has(&self, name: &str) -> bool {
        self.settings.get(name).is_some()
    }

    /// The place of a setting; that of the whole map if it is absent
    pub(super) fn span(&self, name: &str) -> Span {
        self.settings.get(name).map_or(self.settings.span, Setting::span)
    }

    /// Whether a setting is a map
    pub(super) fn is_map(&self, name: &str) -> bool {
        matches!(self.settings.get(name), Some(Setting::Settings(_)))
    }

    fn wrong(&mut self, name: &str, wanted: &str) {
        let Some(setting) = self.settings.get(name) else { return };
        let message = format!("`{name}` is not {wanted}");
        let label = format!("expected {wanted}");
        let span = setting.span();
        self.session.refuse_with((self.code, cause(name)), span, message, &label, "");
    }

    /// Refuses a setting; if it is absent, the diagnostic marks the whole map
    pub(super) fn refuse(&mut self, name: &str, message: &str) {
        self.refuse_at(name, self.span(name), message);
    }

    /// Refuses a setting for what stands at one place of it
    pub(super) fn refuse_at(&mut self, name: &str, span: Span, message: &str) {
        let why = (self.code, cause(name));
        self.session.refuse_with(why, span, message.to_owned(), "cannot be taken", "");
    }

    /// Refuses a setting if it is present
    pub(super) fn refuse_present(&mut self, name: &str, message: &str) {
        if self.settings.get(name).is_some() {
            self.refuse(name, message);
        }
    }

    /// The text of a setting; refuses lists and maps
    pub(super) fn text(&mut self, name: &str) -> Option<Spanned<String>> {
        match self.settings.get(name)? {
            Setting::Text(text) => Some(text.clone()),
            Setting::Texts(_) | Setting::Settings(_) => {
                self.wrong(name, "one text");
                None
            }
        }
    }

    /// The texts of a setting: a list, or one text; refuses maps
    pub(super) fn texts(&mut self, name: &str) -> Vec<Spanned<String>> {
        match self.settings.get(name) {
            None => Vec::new(),
            Some(Setting::Text(text)) => vec![text.clone()],
            Some(Setting::Texts(texts)) => texts.clone(),
            Some(Setting::Settings(_)) => {
                self.wrong(name, "a list");
                Vec::new()
            }
        }
    }

    /// Checks the names under `mappings`
    pub(super) fn check_mappings(&mut self) {
        let mappings = self.session.mappings();
        for text in self.texts("mappings") {
            if Mappings::is_rest(&text.value) || mappings.named(&text.value).is_some() {
                continue;
            }
            let names: Vec<&str> = mappings.all().map(|mapping| &*mapping.name.value).collect();
            let message = format!("no mapping is called `{}`", text.value);
            let help = match nearest_name(&text.value, names.iter().copied()) {
                Some(near) => format!("Did you mean `{near}`?"),
                None => format!("Mappings: {}.", names.join(", ")),
            };
            let why = (self.code, cause("mappings"));
            self.session.refuse_with(why, text.span, message, "unknown mapping", &help);
        }
    }

    /// The one of `words` that a setting names; refuses any other text
    pub(super) fn word(
        &mut self,
        name: &str,
        words: &[&'static str],
    ) -> Option<Spanned<&'static str>> {
        let text = self.text(name)?;
        let word = words.iter().find(|word| **word == text.value);
        if word.is_none() {
            self.wrong(name, &words.join(" or "));
        }
        word.map(|word| Spanned::new(*word, text.span))
    }

    /// `true` or `false`
    pub(super) fn truth(&mut self, name: &str) -> Option<Spanned<bool>> {
        let word = self.word(name, &["true", "false"])?;
        Some(Spanned::new(word.value == "true", word.span))
    }

    /// A whole number from `least` to `most`
    pub(super) fn number(&mut self, name: &str, least: u32, most: u32) -> Option<Spanned<u32>> {
        let text = self.text(name)?;
        let number = text.value.parse().ok().filter(|number| (least..=most).contains(number));
        if number.is_none() {
            self.wrong(name, &format!("a number from {least} to {most}"));
        }
        number.map(|number| Spanned::new(number, text.span))
    }

    /// A timespan such as `1h`, in whole minutes from `least` to `most`
    pub(super) fn minutes(&mut self, name: &str, least: u32, most: u32) -> Option<Spanned<u32>> {
        let text = self.text(name)?;
        let seconds = crate::ir::seconds(&text.value).filter(|seconds| seconds % 60 == 0);
        let minutes = seconds.map(|seconds| seconds / 60);
        let minutes = minutes.filter(|minutes| (least..=most).contains(minutes));
        if minutes.is_none() {
            self.wrong(
                name,
                &format!(
                    "a timespan from {} to {}, such as 90m, 1h or 7d",
                    span(least),
                    span(most)
                ),
            );
        }
        minutes.map(|minutes| Spanned::new(minutes, text.span))
    }
}

/// A refusal of the setting with this name
fn cause(setting: &str) -> Cause {
    Cause::Setting(setting.to_owned())
}

/// Minutes as authors, Kusto and schedules write them: `5m`, `1h`, `7d`
pub(super) fn span(minutes: u32) -> String {
    match minutes {
        m if m % (24 * 60) == 0 => format!("{}d", m / (24 * 60)),
        m if m % 60 == 0 => format!("{}h", m / 60),
        m => format!("{m}m"),
    }
}
