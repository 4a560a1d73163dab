//! `list config`: the settings of the project, and where each comes from.
//!
//! In: the settings file and the overlay of a run. Out: a row for each setting: its name, its value,
//! and the place in the file, or `default`.

use super::input::Settings;
use crate::definition::{Setting, Settings as Values};
use crate::project::{Config, Failure, Layer};
use crate::source::Spanned;

/// The rows: name, value, origin
pub(super) fn rows(settings: &Settings) -> Result<Vec<[String; 3]>, Failure> {
    let config = settings.read()?;
    let layers = config.layers(settings.overlay.as_deref())?;
    let mut rows = Vec::new();
    match &*config.rules {
        [] => rows.push(["rules", "rules", "default"].map(ToOwned::to_owned)),
        paths => rows.extend(paths.iter().map(|path| row(&config, "rules", path))),
    }
    layers.iter().for_each(|layer| of_layer(&config, layer, &mut rows));
    Ok(rows)
}

fn row(config: &Config, name: &str, value: &Spanned<String>) -> [String; 3] {
    [name.to_owned(), value.value.clone(), config.place(value)]
}

fn of_layer(config: &Config, layer: &Layer, rows: &mut Vec<[String; 3]>) {
    rows.extend(layer.filters.iter().map(|path| row(config, "filters", path)));
    rows.extend(layer.mappings.iter().map(|path| row(config, "mappings", path)));
    rows.extend(layer.placeholders.iter().map(|path| row(config, "placeholders", path)));
    rows.extend(layer.disabled.iter().map(|path| row(config, "disabled", path)));
    for target in &layer.targets {
        let name = format!("targets.{}", target.target.value);
        of_settings(config, &name, &target.settings, rows);
    }
    for loss in &layer.losses {
        for name in &loss.names {
            let place = config.place(&loss.weight);
            let value = format!("{} ({})", loss.weight.value.name(), loss.reason);
            rows.push([format!("loss.{}", name.name()), value, place]);
        }
    }
    for check in &layer.checks {
        let weight = if check.deny { "deny" } else { "off" };
        for code in &check.codes {
            let place = config.place(code);
            rows.push([format!("check.{}", code.value), weight.to_owned(), place]);
        }
    }
}

fn of_settings(config: &Config, name: &str, settings: &Values, rows: &mut Vec<[String; 3]>) {
    for (key, setting) in &settings.entries {
        let name = format!("{name}.{}", key.value);
        let texts = match setting {
            Setting::Text(text) => std::slice::from_ref(text),
            Setting::Texts(texts) => texts,
            Setting::Settings(inner) => {
                of_settings(config, &name, inner, rows);
                continue;
            }
        };
        rows.extend(texts.iter().map(|text| row(config, &name, text)));
    }
}
