//! What a change of rules does to events.
//!
//! In: two sets of rules, their changes, and files of events. Out: a [`Movement`]: the events that only one side
//! finds. The engine judges every rule; what targets get is executed for the rules that changed.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::events::EventForm;
use super::examples::Files;
use super::{Global, Stop};
use crate::backend::Target;
use crate::diagnostic::Diagnostics;
use crate::ir::Rule;
use crate::matcher::{Engine, Memory};
use crate::project::{Failure, OnTargets, Sights};
use crate::review::{Change, Moved, Movement, key};
use crate::verify::{Example, Place};
use crate::workspace::{Loaded, Workspace};

/// The name of the engine among the judges
const ENGINE: &str = "engine";

/// A match: the file and the line of the event, the key of the rule, and the signal
type Match = ((usize, usize), String, String);

/// The judges that find a match, before and after
type Finders = [BTreeSet<&'static str>; 2];

/// Reads the events, and judges each by both sides; `None` without a file. Lines that are no events go to `bad`
///
/// # Errors
/// When a file cannot be read, or no event could be tried as the options say.
pub(super) fn movement(
    global: &Global,
    sides: [&Workspace; 2],
    (changes, targets): (&[Change], &[Target]),
    (events, form): (&[PathBuf], &EventForm),
    bad: &mut Diagnostics,
) -> Result<Option<Movement>, Stop> {
    if events.is_empty() {
        return Ok(None);
    }
    let rules = sides
        .map(|side| -> Vec<Rule> { side.reported().map(|loaded| loaded.rule.clone()).collect() });
    let read = (&*rules[1], &sides[1].policy.mappings);
    let mut files = Files::open(events, form, read, global.quiet)?;
    let options = form.options(read)?;
    let engines = rules.map(|rules| Engine::new(rules, &options));
    let mut memories = [Memory::default(), Memory::default()];
    let changed: BTreeSet<&str> = changes.iter().map(|change| change.key.as_str()).collect();
    let emitted = sides.map(|side| on_targets(side, &changed, targets));
    let mut sights = emitted.each_ref().map(OnTargets::sights);
    let mut apart: BTreeMap<Match, Finders> = BTreeMap::new();
    loop {
        let examples = files.next()?;
        if examples.is_empty() {
            break;
        }
        let mut found: BTreeMap<Match, Finders> = BTreeMap::new();
        for side in 0..2 {
            let mut add = |example: &Example, (rule, signal): (&Rule, &str), judge| {
                let Place::Line { file, line } = example.place else { return };
                let one = ((file, line), key(rule), signal.to_owned());
                found.entry(one).or_default()[side].insert(judge);
            };
            for example in &examples {
                let kind = example.kind.as_ref();
                let all = engines[side].judge_value(&example.event, kind, &mut memories[side]);
                for one in all.map_err(|error| Failure::new(error.to_string()))? {
                    let rule = &engines[side].rules()[one.rule];
                    add(example, (rule, &rule.signals[one.signal].name), ENGINE);
                }
            }
            for one in sights[side].see(&examples) {
                let of = (&one.loaded.rule, one.signal);
                add(&examples[one.example], of, one.target.name());
            }
        }
        // What both sides find alike is not kept: there may be millions.
        apart.extend(found.into_iter().filter(|(_, [before, after])| before != after));
    }
    files.finish(bad);
    if let Some(failure) = files.failure() {
        return Err(failure.into());
    }
    let judges = Judges::of(sides, &sights);
    let moved = moved(apart, &judges, &files.names);
    Ok(Some(Movement { moved, untried: judges.untried() }))
}

/// What targets get of the rules that changed; without targets, of each rule what it is meant for
fn on_targets<'w>(
    side: &'w Workspace,
    changed: &BTreeSet<&str>,
    targets: &[Target],
) -> OnTargets<'w> {
    let rules = side.reported().filter(|loaded| changed.contains(key(&loaded.rule).as_str()));
    let rules: Vec<&Loaded> = rules.collect();
    OnTargets::of(&rules, &side.policy, targets)
}

/// The events that moved, in the order of the files
fn moved(apart: BTreeMap<Match, Finders>, judges: &Judges<'_>, names: &[String]) -> Vec<Moved> {
    let mut moved = Vec::new();
    for (((file, line), key, signal), [before, after]) in apart {
        let of_rule = judges.of_rule(&key);
        for (is_new, one, other) in [(false, &before, &after), (true, &after, &before)] {
            let moves = |judge: &&'static str| one.contains(judge) && !other.contains(judge);
            let (on, not_on): (Vec<_>, Vec<_>) = of_rule.iter().copied().partition(moves);
            if on.is_empty() {
                continue;
            }
            let (place, rule) = (format!("{}:{line}", names[file]), judges.title(&key));
            moved.push(Moved { place, rule, signal: signal.clone(), is_new, on, not_on });
        }
    }
    moved
}

/// Who judges each rule, by its key
struct Judges<'w> {
    /// The title that a rule has now
    titles: BTreeMap<String, &'w str>,
    executed: BTreeMap<String, BTreeSet<&'static str>>,
    unseen: BTreeMap<(String, &'static str), String>,
}

impl<'w> Judges<'w> {
    fn of(sides: [&'w Workspace; 2], sights: &[Sights<'w>; 2]) -> Judges<'w> {
        let rules = sides.iter().flat_map(|side| side.reported());
        let titles = rules.map(|one| (key(&one.rule), one.rule.metadata.title.value.as_str()));
        let (mut executed, mut unseen) = (BTreeMap::new(), BTreeMap::new());
        for side in sights {
            for one in side.unseen() {
                unseen.insert((key(&one.loaded.rule), one.target.name()), one.why);
            }
        }
        for (loaded, target) in sights.iter().flat_map(Sights::executed) {
            let of = (key(&loaded.rule), target.name());
            if !unseen.contains_key(&of) {
                executed.entry(of.0).or_insert_with(BTreeSet::new).insert(of.1);
            }
        }
        Judges { titles: titles.collect(), executed, unseen }
    }

    /// The judges of a rule; a target that executes it on one side has nothing on the other
    fn of_rule(&self, key: &str) -> Vec<&'static str> {
        let targets = self.executed.get(key).into_iter().flatten().copied();
        std::iter::once(ENGINE).chain(targets).collect()
    }

    fn title(&self, key: &str) -> String {
        self.titles.get(key).copied().unwrap_or_default().to_owned()
    }

    fn untried(&self) -> Vec<String> {
        let line = |((key, target), why): (&(String, &'static str), &String)| {
            format!("{target} does not tell of {}: {why}", self.title(key))
        };
        self.unseen.iter().map(line).collect()
    }
}
