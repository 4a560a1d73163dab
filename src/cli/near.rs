//! `near`: prints the events that the proof tries a rule on, for programs and not for people.
//!
//! In: a rule file, and events with Sigma's category under `category`. Out: a line of JSON for each
//! event near a literal, made from scratch or from the first event that the signal matches; and a
//! line for each event of a series that correlations count and order.

use std::io;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Value, json};

use super::input::Surroundings;
use super::{Outcome, Stop};
use crate::ir::{self, Rule};
use crate::matcher::{Engine, Memory, Options, Recorder};
use crate::taxonomy::{EventKind, Field};
use crate::verify::near::{self, Care, Fields, Near};

/// Fields of sensors that combine other fields: made events hold the other fields instead
const WRITTEN_AS_ONE: [&str; 3] = ["TargetObject", "Details", "EventType"];

/// Print events near each literal of a rule, a line of JSON each
#[derive(Args)]
pub(super) struct NearEvents {
    /// Rule file
    #[arg(value_name = "RULE")]
    path: PathBuf,
    #[command(flatten)]
    around: Surroundings,
    /// File of events to change in one place each
    #[arg(short, long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// How many literals of a test to try in every way
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    thorough: usize,
}

impl NearEvents {
    pub(super) fn run(self) -> Result<Outcome, Stop> {
        let project = self.around.load(std::slice::from_ref(&self.path))?;
        let text = self.events.map_or(Ok(String::new()), std::fs::read_to_string)?;
        let lines = text.lines().map(serde_json::from_str);
        let recorded: Vec<Value> = lines.collect::<Result<_, _>>().map_err(io::Error::from)?;
        let care = Care { thorough: self.thorough };
        let mut out = anstream::stdout().lock();
        for loaded in &project.rules {
            print(&mut out, &loaded.rule, &recorded, care)?;
        }
        Ok(Outcome::Clean)
    }
}

fn print(out: &mut impl io::Write, rule: &Rule, recorded: &[Value], care: Care) -> io::Result<()> {
    let matched = matched(rule, recorded);
    for (at, signal) in rule.signals.iter().enumerate() {
        let line = |near: Near, base: Option<usize>| {
            json!({
                "signal": signal.name, "kind": signal.kind.name(), "field": near.field.name(),
                "base": base, "event": near.event,
            })
        };
        for near in near::near(signal, care) {
            writeln!(out, "{}", line(near, None))?;
        }
        if let Some((base, event)) = &matched[at] {
            for near in near::near_match(signal, event, care) {
                writeln!(out, "{}", line(near, Some(*base)))?;
            }
        }
    }
    for follower in near::series(rule) {
        let signal = &rule.signals[follower.signal];
        let line = json!({
            "signal": signal.name, "kind": signal.kind.name(),
            "after": follower.after.as_secs_f64(), "event": follower.event,
        });
        writeln!(out, "{line}")?;
    }
    Ok(())
}

/// For each signal, the first event that it matches, with the event's index
fn matched(rule: &Rule, recorded: &[Value]) -> Vec<Option<(usize, Fields)>> {
    let engine = Engine::new(std::slice::from_ref(rule), &Options::default());
    let mut firsts = vec![None; rule.signals.len()];
    for (at, event) in recorded.iter().enumerate() {
        let Some((kind, action)) = event["category"].as_str().and_then(EventKind::category) else {
            continue;
        };
        let mut event = event.clone();
        ir::say_action(&mut event, action);
        let matches = engine.judge_value(&event, Some(&kind), &mut Memory::default());
        for one in matches.unwrap_or_default() {
            firsts[one.signal].get_or_insert_with(|| (at, spelled_out(&event, &kind)));
        }
    }
    firsts
}

/// An event with rulecast's own registry fields in place of Sysmon's, to be changed one by one
fn spelled_out(event: &Value, kind: &EventKind) -> Fields {
    let mut fields = event.as_object().cloned().unwrap_or_default();
    fields.remove("category");
    if *kind == EventKind::RegistryEvent
        && let Ok(record) = Recorder::new(kind).read(event, Some(kind))
    {
        WRITTEN_AS_ONE.iter().for_each(|name| drop(fields.remove(*name)));
        for name in ["Action", "RegistryKey", "RegistryValue", "RegistryData"] {
            let value = Field::named(name).and_then(|field| record.fields.get(&field)?.first());
            fields.extend(value.map(|value| (name.to_owned(), json!(value))));
        }
    }
    fields
}
