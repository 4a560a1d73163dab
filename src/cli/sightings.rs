//! What rules find in events, for the pages of `report`.
//!
//! In: files of events. Out: [`Sightings`]: every match and every completed correlation with its time and
//! its host. Files are read and judged as `scan` does it.

use std::io;
use std::path::PathBuf;

use super::census::Complaints;
use super::events::{BadLines, EventForm};
use super::{Stop, interruption, scan as command};
use crate::definition::Level;
use crate::diagnostic::Diagnostics;
use crate::ir::Rule;
use crate::matcher::{
    End, Engine, Finding, Found, Hit, Listener, Memory, Options, Unreadable, scan,
};
use crate::pages::{EventFile, Sighting, Sightings};
use crate::project::{self, Failure};
use crate::taxonomy::Field;
use crate::workspace::Workspace;

/// Reads files of events; findings about their lines go to `found`
///
/// # Errors
/// When a file cannot be read to its end, or nothing in it could be judged.
pub(super) fn read(
    workspace: &Workspace,
    (paths, form): (&[PathBuf], &EventForm),
    found: &mut Diagnostics,
) -> Result<Sightings, Stop> {
    let reported = workspace.rules.iter().enumerate().filter(|(_, loaded)| loaded.reported);
    let (places, rules): (Vec<usize>, Vec<Rule>) =
        reported.map(|(at, loaded)| (at, loaded.rule.clone())).unzip();
    let host = Field::named("Computer");
    let shown = host.iter().cloned().collect();
    let options = Options { shown, ..form.options((&rules, &workspace.policy.mappings))? };
    let engine = Engine::new(rules, &options);
    let (sources, _) = project::sources(paths)?;
    let names: Vec<String> = sources.iter().map(|source| source.name.clone()).collect();
    let mut memory = Memory::default().until(command::tomorrow());
    let stop = interruption::listen()?;
    let mut sightings = Sightings::default();
    let mut seen = Seen {
        engine: &engine,
        names: &names,
        places: &places,
        host,
        file: 0,
        all: Vec::new(),
        bad: BadLines::default(),
    };
    for (file, source) in sources.iter().enumerate() {
        let mut lines = project::events(source, form.reading(), stop.clone())?;
        seen.file = file;
        let (census, end) = scan(&engine, &mut memory, (file, &mut lines), &mut seen)?;
        std::mem::take(&mut seen.bad).report(&names[file], found);
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
struct Seen<'s> {
    engine: &'s Engine,
    names: &'s [String],
    /// The index of each rule of the engine among all rules
    places: &'s [usize],
    host: Option<Field>,
    file: usize,
    all: Vec<Sighting>,
    bad: BadLines,
}

impl Seen<'_> {
    fn hit(&self, hit: Hit) -> Option<Sighting> {
        let Hit { line, matched, .. } = hit;
        let rule = &self.engine.rules()[matched.rule];
        if !rule.reports_signal(matched.signal) {
            return None;
        }
        let signal = &rule.signals[matched.signal];
        let host = self.host.as_ref().and_then(|host| matched.fields.get(host));
        let host = host.and_then(|values| values.first()).cloned().unwrap_or_default();
        let tested = |field: &Field| signal.tests().any(|test| test.subject.field == *field);
        let fields = matched.fields.iter().filter(|(field, _)| tested(field));
        Some(Sighting {
            time: matched.time,
            host,
            rule: self.places[matched.rule],
            what: signal.name.clone(),
            level: matched.level,
            place: format!("{}:{line}", self.names[self.file]),
            fields: fields
                .map(|(field, values)| (field.name().to_owned(), values.join(", ")))
                .collect(),
        })
    }

    fn together(&self, Finding { rule: at, together }: Finding) -> Option<Sighting> {
        let rule = &self.engine.rules()[at];
        if !rule.reports_correlation(together.correlation) {
            return None;
        }
        let one = &rule.correlations[together.correlation];
        let key = one
            .keys
            .iter()
            .find(|key| key.fields.values().any(|field| Some(field) == self.host.as_ref()));
        let host = key.and_then(|key| together.group.iter().find(|(name, _)| *name == key.name));
        let places =
            together.places.iter().map(|(file, line)| format!("{}:{line}", self.names[*file]));
        let level: Level = one.level;
        Some(Sighting {
            time: Some(together.time),
            host: host.map(|(_, value)| value.clone()).unwrap_or_default(),
            rule: self.places[at],
            what: one.name.clone(),
            level,
            place: places.collect::<Vec<_>>().join(", "),
            fields: together.group,
        })
    }
}

impl Listener for Seen<'_> {
    fn found(&mut self, found: Found) -> io::Result<()> {
        let one = match found {
            // What is not new is no alert.
            Found::Hit(Hit { new: Some(false), .. }) => None,
            Found::Hit(hit) => self.hit(hit),
            Found::Together(finding) => self.together(finding),
        };
        self.all.extend(one);
        Ok(())
    }

    fn unreadable(&mut self, line: Unreadable) {
        self.bad.push(line);
    }

    fn judged(&mut self, _: usize) -> io::Result<()> {
        Ok(())
    }
}
