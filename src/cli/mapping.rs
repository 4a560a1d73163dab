//! `list mappings` and `show mapping`: where targets keep what rules ask for.
//!
//! In: the mappings of the settings, or of files that the user names, and the built-in ones. Out: a
//! row for each mapping, or the tables and streams of one mapping with the place of every field.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::PathBuf;

use super::input::Settings;
use super::report::count;
use super::{Outcome, Stop, screen};
use crate::mapping::{Mapping, Mappings, Placement};
use crate::project::{self, Failure};

/// Name and content of each mapping
pub(super) fn rows(settings: &Settings) -> Result<Vec<(String, String)>, Failure> {
    let mappings = read(settings)?;
    Ok(mappings.all().map(|mapping| (mapping.name.value.clone(), content(mapping))).collect())
}

fn content(mapping: &Mapping) -> String {
    let targets: BTreeSet<&str> = mapping.placements().flat_map(|one| one.targets).collect();
    let targets: Vec<&str> = targets.into_iter().collect();
    let sources = count(mapping.placements().count(), "log source");
    let own = mapping.source.as_ref().map(|source| format!(", {}", source.name()));
    let own = own.unwrap_or_default();
    let request = if mapping.on_request { ", on request" } else { "" };
    format!("{sources} on {}{request}{own}", targets.join(", "))
}

/// Prints the mapping with this name
pub(super) fn show(settings: &Settings, name: &str) -> Result<Outcome, Stop> {
    let mappings = read(settings)?;
    let mapping = mappings.find(name).map_err(Failure::new)?;
    let mut out = anstream::stdout().lock();
    for (at, Placement { events, targets, place, rows, fields, keywords, parameters }) in
        mapping.placements().enumerate()
    {
        let blank = if at > 0 { "\n" } else { "" };
        writeln!(
            out,
            "{blank}{}",
            screen::line(&format!("{events} on {}: {place}", targets.join(", ")))
        )?;
        if !rows.is_empty() {
            writeln!(out, "  where {}", screen::line(&rows))?;
        }
        let width = fields.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        for (field, place) in &fields {
            writeln!(out, "  {}", screen::line(&format!("{field:width$}  {place}")))?;
        }
        for (parameter, fields) in parameters {
            let (parameter, fields) = (screen::line(&parameter), screen::line(&fields));
            writeln!(out, "  {parameter} is passed terms of {fields}")?;
        }
        if !keywords.is_empty() {
            writeln!(out, "  keywords in {}", screen::line(&keywords))?;
        }
    }
    Ok(Outcome::Clean)
}

/// The mappings that the settings name, and the built-in ones
fn read(settings: &Settings) -> Result<Mappings, Failure> {
    let config = settings.read()?;
    let layers = config.layers(settings.overlay.as_deref())?;
    let paths = layers.iter().flat_map(|layer| &layer.mappings);
    let paths: Vec<PathBuf> = paths.map(|path| config.path(&path.value)).collect();
    if paths.is_empty() {
        return Ok(Mappings::default());
    }
    let workspace = project::load(&paths)?;
    let mut diagnostics = workspace.diagnostics;
    diagnostics.retain(|one| one.severity == crate::diagnostic::Severity::Error);
    diagnostics.sorted().iter().for_each(super::report::complain);
    Ok(workspace.policy.mappings)
}
