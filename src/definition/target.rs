//! Settings of a definition for single targets.
//!
//! In: the entries of `targets:`. Out: one [`TargetSettings`] per entry. Only the shape is read
//! here; each target checks the names and values of its settings itself.

use crate::source::{Span, Spanned};
use crate::yaml::Reader;
use crate::yaml::{Kind, Node};

/// The entry of one target under `targets:`
#[derive(Debug, Clone)]
pub struct TargetSettings {
    /// The target's name
    pub target: Spanned<String>,
    /// Names of the losses that the author accepts for this target
    pub accept: Vec<Spanned<String>>,
    /// Signals and correlations that are left out for this target
    pub without: Vec<Spanned<String>>,
    /// The remaining settings, which only the target knows
    pub settings: Settings,
}

/// Settings by name
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// Their place in the file
    pub span: Span,
    /// Name and value, in the author's order
    pub entries: Vec<(Spanned<String>, Setting)>,
}

/// The value of a setting
#[derive(Debug, Clone)]
pub enum Setting {
    /// A text, number or truth value as written
    Text(Spanned<String>),
    /// A list of texts, numbers or truth values as written
    Texts(Vec<Spanned<String>>),
    /// A map of nested settings
    Settings(Settings),
}

impl Settings {
    /// The setting with this name
    pub fn get(&self, name: &str) -> Option<&Setting> {
        self.entries.iter().find(|(known, _)| known.value == name).map(|(_, setting)| setting)
    }
}

impl Setting {
    /// Gives the value and all values in it another place
    #[cfg(feature = "project")]
    pub(crate) fn set_span(&mut self, span: Span) {
        match self {
            Setting::Text(text) => text.span = span,
            Setting::Texts(texts) => texts.iter_mut().for_each(|text| text.span = span),
            Setting::Settings(settings) => {
                settings.span = span;
                for (name, setting) in &mut settings.entries {
                    name.span = span;
                    setting.set_span(span);
                }
            }
        }
    }

    /// The place of the value
    pub fn span(&self) -> Span {
        match self {
            Setting::Text(text) => text.span,
            Setting::Texts(texts) => {
                texts.iter().map(|text| text.span).reduce(Span::cover).unwrap_or_default()
            }
            Setting::Settings(settings) => settings.span,
        }
    }
}

/// Reads `targets:`
pub(crate) fn read(reader: &mut Reader<'_>, node: &Node) -> Vec<TargetSettings> {
    let mut targets = Vec::new();
    for (name, body) in reader.map(node, "`targets`") {
        let Some(target) = reader.text(name, "a target's name") else { continue };
        // An empty map is allowed: it names the target without any settings.
        if !matches!(&body.kind, Kind::Map(entries) if entries.is_empty()) {
            reader.map(body, "a target");
        }
        let names = |reader: &mut Reader<'_>, key: &str| match body.get(key) {
            Some(node) => reader.texts(node, &format!("`{key}`")),
            None => Vec::new(),
        };
        let accept = names(reader, "accept");
        let without = names(reader, "without");
        let mut settings = settings(reader, body);
        settings.entries.retain(|(name, _)| !matches!(&*name.value, "accept" | "without"));
        targets.push(TargetSettings { target, accept, without, settings });
    }
    targets
}

fn settings(reader: &mut Reader<'_>, node: &Node) -> Settings {
    let mut entries = Vec::new();
    if let Kind::Map(map) = &node.kind {
        for (name, value) in map {
            let Some(text) = reader.key(name) else { continue };
            let name = Spanned::new(text.to_owned(), name.span);
            let what = format!("`{text}`");
            let setting = match &value.kind {
                Kind::Scalar(..) => reader.text(value, &what).map(Setting::Text),
                Kind::List(_) => Some(Setting::Texts(reader.texts(value, &what))),
                Kind::Map(_) => Some(Setting::Settings(settings(reader, value))),
            };
            entries.extend(setting.map(|setting| (name, setting)));
        }
    }
    Settings { span: node.span, entries }
}
