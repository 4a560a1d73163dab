//! Reads `rulecast.toml`.
//!
//! In: its text. Out: a [`Config`], and a finding for every unknown key, unknown name and value of
//! another form. Parts without mistakes are kept.

use std::path::PathBuf;
use std::sync::Arc;

use super::{CheckDecision, Config, Layer, LossDecision, is_warning, keys};
use crate::backend::{self, Target, Weight};
use crate::definition::read_targets;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::manifest::LossName;
use crate::source::{SourceText, Spanned};
use crate::yaml::{Node, Reader, nearest, parse_toml};

pub(super) fn config(
    source: &Arc<SourceText>,
    folder: PathBuf,
    findings: &mut Diagnostics,
) -> Config {
    let mut config = Config { source: Some(Arc::clone(source)), folder, ..Config::default() };
    let Some(document) = parse_toml(source, findings) else { return config };
    let mut reader = Reader { source, diagnostics: findings, has_lists: false, lenient: false };
    let known = keys::names("project").iter().chain(keys::names("layer"));
    reader.known_keys(&document, "the settings", &known.copied().collect::<Vec<_>>());
    config.rules = reader.texts_of(&document, "rules");
    config.common = layer(&mut reader, &document);
    let overlays = document.get("overlay").map(|node| reader.map(node, "`overlay`"));
    for (name, node) in overlays.into_iter().flatten() {
        reader.known_keys(node, "an overlay", keys::names("layer"));
        if let Some(text) = reader.key(name) {
            let name = Spanned::new(text.to_owned(), name.span);
            config.overlays.push((name, layer(&mut reader, node)));
        }
    }
    let layers = std::iter::once(&config.common).chain(config.overlays.iter().map(|(_, one)| one));
    for settings in layers.flat_map(|layer| &layer.targets) {
        backend::check_settings(settings, source, reader.diagnostics);
    }
    config
}

fn layer(reader: &mut Reader<'_>, node: &Node) -> Layer {
    let items = |reader: &mut Reader<'_>, key: &str| match node.get(key) {
        Some(node) => reader.list(node, &format!("`{key}`")).to_vec(),
        None => Vec::new(),
    };
    let losses = items(reader, "loss");
    let checks = items(reader, "check");
    Layer {
        filters: reader.texts_of(node, "filters"),
        mappings: reader.texts_of(node, "mappings"),
        placeholders: reader.texts_of(node, "placeholders").into_iter().next(),
        targets: node.get("targets").map_or_else(Vec::new, |node| read_targets(reader, node)),
        losses: losses.iter().filter_map(|node| loss(reader, node)).collect(),
        checks: checks.iter().filter_map(|node| check(reader, node)).collect(),
        disabled: reader.texts_of(node, "disabled"),
    }
}

fn loss(reader: &mut Reader<'_>, node: &Node) -> Option<LossDecision> {
    reader.known_keys(node, "a decision about losses", keys::names("loss"));
    needed(reader, node, ("a decision about losses", "loss"));
    let losses = || LossName::ALL.iter().map(|loss| (loss.name(), *loss));
    let targets = || Target::ALL.iter().map(|target| (target.name(), *target));
    let weights = || Weight::ALL.iter().map(|weight| (weight.name(), *weight));
    let names = reader.texts_of(node, "names");
    let names = names.into_iter().filter_map(|name| word(reader, "loss", &name, losses()));
    let names: Vec<LossName> = names.collect();
    let of = reader.texts_of(node, "targets");
    let of = of.into_iter().filter_map(|name| word(reader, "target", &name, targets()));
    let of: Vec<Target> = of.collect();
    let weight = reader.texts_of(node, "weight").into_iter().next()?;
    let decided = word(reader, "weight", &weight, weights())?;
    let until = reader.texts_of(node, "until").into_iter().next();
    let is_day = |day: &Spanned<String>| day.value.parse::<jiff::civil::Date>().is_ok();
    if let Some(day) = until.as_ref().filter(|day| !is_day(day)) {
        let message = format!("`{}` is no day", day.value);
        reader.error(Code::E0108, day.span, message, "expected YYYY-MM-DD");
    }
    let reason = reader.texts_of(node, "reason").into_iter().next()?.value;
    let weight = Spanned::new(decided, weight.span);
    let paths = reader.texts_of(node, "paths");
    // Without a name that is known the decision would be about every loss.
    (!names.is_empty()).then_some(LossDecision { names, targets: of, paths, weight, reason, until })
}

/// The words of the `weight` of a decision about warnings, and whether the warnings are errors then
pub(crate) const CHECK_WEIGHTS: &[(&str, bool)] = &[("off", false), ("deny", true)];

fn check(reader: &mut Reader<'_>, node: &Node) -> Option<CheckDecision> {
    reader.known_keys(node, "a decision about warnings", keys::names("check"));
    needed(reader, node, ("a decision about warnings", "check"));
    let codes = reader.texts_of(node, "codes");
    for code in codes.iter().filter(|code| !is_warning(&code.value)) {
        let message = format!("no warning begins with `{}`", code.value);
        let diagnostic = Diagnostic::new(Code::E0112, reader.source, code.span, message, "unknown");
        reader.report(
            diagnostic.help("`rulecast list codes` shows them all; errors cannot be left out."),
        );
    }
    let weight = reader.texts_of(node, "weight").into_iter().next()?;
    let deny = word(reader, "weight", &weight, CHECK_WEIGHTS.iter().copied())?;
    Some(CheckDecision { codes, paths: reader.texts_of(node, "paths"), deny })
}

/// The value of a known word; reports an unknown one
fn word<T: Copy>(
    reader: &mut Reader<'_>,
    what: &str,
    said: &Spanned<String>,
    known: impl Iterator<Item = (&'static str, T)> + Clone,
) -> Option<T> {
    let meant = known.clone().find(|(name, _)| *name == said.value);
    if meant.is_none() {
        let message = format!("no {what} is called `{}`", said.value);
        let names: Vec<&str> = known.map(|(name, _)| name).collect();
        let diagnostic =
            Diagnostic::new(Code::E0112, reader.source, said.span, message, "unknown word");
        reader.report(match nearest(&said.value, names.iter().copied()) {
            Some(near) => diagnostic.replace(said.span, format!("\"{near}\"")),
            None => diagnostic.note(format!("known: {}", names.join(", "))),
        });
    }
    meant.map(|(_, value)| value)
}

fn needed(reader: &mut Reader<'_>, node: &Node, (what, place): (&str, &str)) {
    for key in keys::KEYS.of(place).iter().filter(|key| key.must) {
        if node.get(key.name).is_some() {
            continue;
        }
        let message = format!("{what} has no `{}`", key.name);
        reader.error(Code::E0111, node.span, message, &format!("add `{} = …`", key.name));
    }
}
