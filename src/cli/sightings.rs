//! What rules find in events, for the pages of `report`.
//!
//! In: files of events. Out: [`Sightings`]: every match and every completed correlation with its time and
//! its host. Files are read and judged as `scan` does it.

use std::io;
use std::path::PathBuf;

use super::census::Complaints;
use super::events::{BadLines, EventForm};
use super::seen::{Columns, reported};
use super::{Stop, interruption, scan as command};
use crate::diagnostic::Diagnostics;
use crate::ir::Rule;
use crate::matcher::{End, Engine, Found, Listener, Memory, Options, Unreadable, scan};
use crate::pages::{EventFile, Sighting, Sightings};
use crate::project::{self, Failure};
use crate::workspace::Workspace;

/// Reads files of events; findings about their lines go to `diagnostics`
///
/// # Errors
/// When a file cannot be read to its end, or nothing in it could be judged.
pub(super) fn read(
    workspace: &Workspace,
    (paths, form): (&[PathBuf], &EventForm),
    diagnostics: &mut Diagnostics,
) -> Result<Sightings, Stop> {
    let reported = workspace.rules.iter().enumerate().filter(|(_, loaded)| loaded.reported);
    let (places, rules): (Vec<usize>, Vec<Rule>) =
        reported.map(|(at, loaded)| (at, loaded.rule.clone())).unzip();
    let columns = Columns::of(&rules);
    let options = form.options((&rules, &workspace.policy.mappings))?;
    let options = Options { shown: columns.shown(), ..options };
    let engine = Engine::new(rules, &options);
    let (sources, _) = project::sources(paths)?;
    let names: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
    let mut memory = Memory::default().until(command::tomorrow());
    let stop = interruption::listen()?;
    let mut sightings = Sightings::default();
    let mut seen = Sights {
        engine: &engine,
        names: &names,
        places: &places,
        columns: &columns,
        file: 0,
        all: Vec::new(),
        bad: BadLines::default(),
    };
    for (file, source) in sources.iter().enumerate() {
        let mut lines = project::events(source, form.reading(), stop.clone())?;
        seen.file = file;
        let (census, end) = scan(&engine, &mut memory, (file, &mut lines), &mut seen)?;
        std::mem::take(&mut seen.bad).report(&names[file], diagnostics);
        let complaints = Complaints::of(&census, &names[file], &engine, &options);
        if let Some(why) = complaints.error {
            return Err(Failure::new(why).into());
        }
        sightings.notes.extend(complaints.warnings);
        sightings.files.push(EventFile { name: names[file].clone(), events: census.events });
        match end {
            End::Whole => {}
            End::Broken(error) => {
                return Err(Failure::new(format!("cannot read {}: {error}", names[file])).into());
            }
            End::Stopped => return Err(Failure::new("interrupted").into()),
        }
    }
    for finding in memory.finish(&engine) {
        seen.found(Found::Together(finding))?;
    }
    sightings.notes.extend(command::shortfalls(memory.shortfall()));
    sightings.found = seen.all;
    Ok(sightings)
}

/// Keeps what is found
struct Sights<'s> {
    engine: &'s Engine,
    names: &'s [String],
    /// The index of each rule of the engine among all rules
    places: &'s [usize],
    columns: &'s Columns,
    file: usize,
    all: Vec<Sighting>,
    bad: BadLines,
}

impl Listener for Sights<'_> {
    fn found(&mut self, found: Found) -> io::Result<()> {
        let rules = self.engine.rules();
        if reported(rules, &found) {
            let seen = self.columns.seen(rules, self.file, &found);
            // What is not new is no alert.
            if seen.new != Some(false) {
                let rule = self.places[seen.rule];
                self.all.push(seen.sighting(rule, self.columns, self.names));
            }
        }
        Ok(())
    }

    fn unreadable(&mut self, line: Unreadable) {
        self.bad.push(line);
    }

    fn judged(&mut self, _: usize) -> io::Result<()> {
        Ok(())
    }
}
