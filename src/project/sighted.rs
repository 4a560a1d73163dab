//! What the artifacts of rules match in events, judged as their targets judge.
//!
//! In: rules, targets, and events in blocks. Out: a [`Sight`] for each event that matches, and an [`Unseen`] for
//! each artifact that cannot be executed. A target that refuses a rule matches nothing. The engine is not asked.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::case::{Case, Stage};
use crate::backend::{Policy, Target};
use crate::verify::{Asked, Example, Import, Observation, Observer, Verdict, matching};
use crate::workspace::Loaded;

/// Rules as they are emitted, before any event
pub struct OnTargets<'l> {
    cases: Vec<Case<'l>>,
    policy: &'l Policy,
}

/// An event that matches
#[derive(Debug, Clone, Copy)]
pub struct Sight<'c> {
    /// The target
    pub target: Target,
    /// The rule
    pub loaded: &'c Loaded,
    /// The name of the signal
    pub signal: &'c str,
    /// The place of the event in its block
    pub example: usize,
}

/// An artifact that is not executed
#[derive(Debug, Clone)]
pub struct Unseen<'c> {
    /// The target
    pub target: Target,
    /// The rule
    pub loaded: &'c Loaded,
    /// Why, as a clause without a period
    pub why: String,
}

impl<'l> OnTargets<'l> {
    /// Emits rules for these targets; for the rule's own targets when none is given
    ///
    /// The native target has the engine's own verdicts and is left out.
    pub fn of(rules: &[&'l Loaded], policy: &'l Policy, targets: &[Target]) -> OnTargets<'l> {
        let cases = rules.par_iter().flat_map_iter(|loaded| {
            let meant =
                if targets.is_empty() { Target::of(&loaded.rule) } else { targets.to_vec() };
            let executed = meant.into_iter().filter(|target| *target != Target::Native);
            executed.map(|target| Case::of((loaded, policy), target, None))
        });
        OnTargets { cases: cases.collect(), policy }
    }

    /// Reads what was emitted
    pub fn sights(&self) -> Sights<'_> {
        let schema = self.policy.mappings.schema();
        let read = self.cases.par_iter().filter_map(|case| {
            let judge = match &case.stage {
                Stage::Trial(made, lines) => {
                    let (rule, manifest) = (&made.rule, &made.manifest);
                    Import::read_known(rule, manifest, &lines.text, &self.policy.mappings)
                        .map(|import| Judge::Elastic(Box::new(import)))
                }
                Stage::Kusto(made, platform, _) => {
                    let of = (*platform, &schema);
                    Asked::read(&made.rule, &made.manifest, &made.artifacts, of)
                        .map(|asked| Judge::Kusto(Box::new(asked)))
                }
                Stage::Done(Verdict::Broken(faults)) => {
                    Err(faults.first().map_or(String::new(), |fault| fault.message.clone()))
                }
                Stage::Done(_) | Stage::Native(_) => return None,
            };
            Some(Seer { target: case.target, loaded: case.loaded, judge })
        });
        Sights { seers: read.collect(), observer: Observer::default() }
    }
}

/// Emitted rules that judge events
pub struct Sights<'c> {
    seers: Vec<Seer<'c>>,
    observer: Observer,
}

/// An emitted rule, or why it is not executed
struct Seer<'c> {
    target: Target,
    loaded: &'c Loaded,
    judge: Result<Judge<'c>, String>,
}

enum Judge<'c> {
    Elastic(Box<Import<'c>>),
    Kusto(Box<Asked<'c>>),
}

impl<'c> Sights<'c> {
    /// What matches in the next block of events, in the order of rules and targets
    pub fn see(&mut self, examples: &[Example]) -> Vec<Sight<'c>> {
        let observer = &self.observer;
        let looked: Vec<Option<Observation>> = examples
            .iter()
            .map(|example| observer.look(&example.event, example.kind.as_ref()).ok())
            .collect();
        let mut sights = Vec::new();
        for seer in &mut self.seers {
            let seen = match &seer.judge {
                Ok(Judge::Elastic(import)) => Ok(in_documents(import, &looked)),
                Ok(Judge::Kusto(asked)) => matching(asked, examples, observer),
                Err(_) => continue,
            };
            match seen {
                Ok(seen) => sights.extend(seen.into_iter().filter_map(|(example, signal)| {
                    let signal = seer.signal(signal)?;
                    Some(Sight { target: seer.target, loaded: seer.loaded, signal, example })
                })),
                Err(why) => seer.judge = Err(why),
            }
        }
        sights
    }

    /// The rules that are executed, each with its target
    pub fn executed(&self) -> impl Iterator<Item = (&'c Loaded, Target)> {
        self.seers.iter().filter(|seer| seer.judge.is_ok()).map(|seer| (seer.loaded, seer.target))
    }

    /// The artifacts that are not executed, so that nothing is said of their matches
    pub fn unseen(&self) -> Vec<Unseen<'c>> {
        let unseen = self.seers.iter().filter_map(|seer| {
            let why = seer.judge.as_ref().err()?.clone();
            Some(Unseen { target: seer.target, loaded: seer.loaded, why })
        });
        unseen.collect()
    }
}

impl<'c> Seer<'c> {
    fn signal(&self, at: usize) -> Option<&'c str> {
        let rule = match self.judge.as_ref().ok()? {
            Judge::Elastic(import) => import.rule(),
            Judge::Kusto(asked) => asked.rule(),
        };
        Some(rule.signals.get(at)?.name.as_str())
    }
}

fn in_documents(import: &Import<'_>, looked: &[Option<Observation>]) -> BTreeSet<(usize, usize)> {
    let mut seen = BTreeSet::new();
    for (at, observation) in looked.iter().enumerate() {
        let Some(observation) = observation else { continue };
        seen.extend(import.matching(observation).into_iter().map(|signal| (at, signal)));
    }
    seen
}
