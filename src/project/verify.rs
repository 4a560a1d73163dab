//! Verdicts on the artifacts of a project's rules.
//!
//! In: loaded rules, targets and events. Out: a [`Verdict`] for each rule and target. The artifacts
//! are the artifacts that `convert` would write, or the files that it has written.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use rayon::prelude::*;

use super::case::{Case, Stage};
use super::compiled::Matchers;
use super::digest::Digest;
use super::executed::Queries;
use super::{Failure, inside};
use crate::backend::{Policy, Target, Translation, translate_by};
use crate::diagnostic::{Code, Diagnostics, Severity};
use crate::ir::Rule;
use crate::manifest::Artifact;
use crate::query::kusto::Platform;
use crate::verify::{
    Example, Fault, Import, Observer, Tally, Trial, Verdict, bind, check_packages, compare_forms,
    course, try_near_events, try_series, try_tests, watch,
};
use crate::workspace::Loaded;

/// A rule on a target, with its verdict
#[derive(Debug)]
pub struct Verified<'l> {
    /// The rule
    pub loaded: &'l Loaded,
    /// The target
    pub target: Target,
    /// The verdict on the rule's artifacts
    pub verdict: Verdict,
    /// The artifacts, each with the digest of the text that was judged; none where nothing is emitted
    pub artifacts: Vec<Digest>,
}

impl Verified<'_> {
    /// The path of an artifact of the rule below the output folder
    pub fn place(&self, artifact: &str) -> String {
        self.loaded.place(self.target, artifact)
    }
}

/// Returns the next events; an empty list at the end
pub type Events<'e> = dyn FnMut() -> Result<Vec<Example>, Failure> + 'e;

/// Verifies every reported rule for these targets; for the rule's own targets when none is given
///
/// With `folder`, the artifacts are read from this folder instead of being emitted now.
///
/// # Errors
/// When events cannot be read.
pub fn verify<'l>(
    (rules, policy): (&'l [Loaded], &Policy),
    targets: &[Target],
    folder: Option<&Path>,
    events: &mut Events<'_>,
) -> Result<Vec<Verified<'l>>, Failure> {
    let rules: Vec<&Loaded> = rules.iter().filter(|loaded| loaded.reported).collect();
    let cases: Vec<Case<'l>> = rules
        .par_iter()
        .flat_map_iter(|loaded| {
            let meant =
                if targets.is_empty() { Target::of(&loaded.rule) } else { targets.to_vec() };
            let cases = meant.into_iter().map(|target| Case::of((loaded, policy), target, folder));
            cases.collect::<Vec<_>>()
        })
        .collect();
    let [mut tried, mut executed, mut compiled] =
        try_all((&cases, policy), events)?.map(Vec::into_iter);
    let verified = cases.into_iter().filter_map(|case| {
        let Case { loaded, target, stage, artifacts } = case;
        let verdict = match stage {
            Stage::Done(verdict) => verdict,
            Stage::Trial(..) => tried.next()?,
            Stage::Kusto(..) => executed.next()?,
            Stage::Native(_) => compiled.next()?,
        };
        Some(Verified { loaded, target, verdict, artifacts })
    });
    Ok(verified.collect())
}

impl<'l> Case<'l> {
    /// Emits a rule for a target, or reads what was emitted to a folder
    pub(super) fn of(
        (loaded, policy): (&'l Loaded, &Policy),
        target: Target,
        folder: Option<&Path>,
    ) -> Case<'l> {
        let mut artifacts = Vec::new();
        let stage = stage((loaded, policy), target, folder, &mut artifacts);
        Case { loaded, target, stage, artifacts }
    }
}

/// The verdict on a rule if it needs no events, else the trial to run
///
/// `digests` gets those of the artifacts.
fn stage(
    (loaded, policy): (&Loaded, &Policy),
    target: Target,
    folder: Option<&Path>,
    digests: &mut Vec<Digest>,
) -> Stage {
    let unchecked = |why: String| Stage::Done(Verdict::Unchecked(why));
    let mut findings = Diagnostics::default();
    let made = translate_by(policy, target, &loaded.rule, &loaded.stem, &mut findings).translation;
    let Some(mut made) = made else {
        let errors = findings.sorted().into_iter().filter(|one| one.severity == Severity::Error);
        let mut codes: Vec<Code> = errors.map(|one| one.code).collect();
        codes.dedup();
        let codes: Vec<String> =
            codes.iter().map(|code| format!("{code} {}", code.title())).collect();
        return unchecked(format!("refused: {}", codes.join(", ")));
    };
    if made.artifacts.is_empty() {
        return unchecked("the rule leaves every signal out here".to_owned());
    }
    if let Some(folder) = folder {
        for artifact in &mut made.artifacts {
            let path = inside(folder, &loaded.place(target, &artifact.name));
            let read = path.map_err(|why| why.to_string()).and_then(|path| {
                fs::read_to_string(path).map_err(|why| format!("it cannot be read: {why}"))
            });
            match read {
                // Another's code is not run, be it in a folder of ours.
                Ok(text) if target == Target::Native && text != artifact.text => {
                    let why = "it is not the source that is emitted now, which alone is compiled";
                    return Stage::Done(Verdict::Broken(vec![Fault::new(artifact, why)]));
                }
                Ok(text) => artifact.text = text,
                Err(why) => {
                    artifact.text.clear();
                    let fault = Fault::new(artifact, why);
                    return Stage::Done(Verdict::Broken(vec![fault]));
                }
            }
        }
    }
    digests.extend(made.artifacts.iter().map(|one| Digest::of(&one.name, &one.text)));
    match target {
        Target::Sentinel | Target::Asim => bound(policy, made, Platform::Sentinel),
        Target::Xdr => bound(policy, made, Platform::AdvancedHunting),
        Target::Native => Stage::Native(Box::new(made)),
        Target::Elastic => {
            let mut faults = compare_forms(&made.artifacts);
            faults.extend(packages_of(&made, policy));
            if !faults.is_empty() {
                return Stage::Done(Verdict::Broken(faults));
            }
            let lines = made.artifacts.iter().find(|one| one.name.ends_with(".ndjson")).cloned();
            match lines {
                Some(lines) => Stage::Trial(Box::new(made), lines),
                None => unchecked("there is nothing to import".to_owned()),
            }
        }
    }
}

fn packages_of(made: &Translation, policy: &Policy) -> Vec<Fault> {
    check_packages((&made.rule, &made.manifest), &made.artifacts, &policy.mappings)
}

/// The query of a rule on trial, once it and its packages bind
fn bound(policy: &Policy, made: Translation, platform: Platform) -> Stage {
    let verdict = bind((platform, &policy.mappings.schema()), &made.artifacts);
    match verdict {
        Verdict::Binds { .. } => match packages_of(&made, policy) {
            faults if faults.is_empty() => Stage::Kusto(Box::new(made), platform, verdict),
            faults => Stage::Done(Verdict::Broken(faults)),
        },
        Verdict::Same(_) | Verdict::Different(_) | Verdict::Broken(_) | Verdict::Unchecked(_) => {
            Stage::Done(verdict)
        }
    }
}

/// A rule of Elastic on trial, as it was loaded and translated, and its import file
type Imported<'c> = (&'c Loaded, &'c Translation, &'c Artifact);

/// Tries the rules on their own tests, then on the events
///
/// Returns a verdict for each rule of Elastic, for each query, and for each matcher. The compiler of the
/// matchers is a process of its own, so that the others are tried beside it.
fn try_all(
    (cases, policy): (&[Case<'_>], &Policy),
    events: &mut Events<'_>,
) -> Result<[Vec<Verdict>; 3], Failure> {
    let on_trial = cases.iter().filter_map(|case| match &case.stage {
        Stage::Trial(made, lines) => Some((case.loaded, &**made, lines)),
        Stage::Done(_) | Stage::Kusto(..) | Stage::Native(_) => None,
    });
    let on_trial: Vec<Imported<'_>> = on_trial.collect();
    let rules: Arc<[Rule]> = on_trial.iter().map(|(_, made, _)| made.rule.clone()).collect();
    let (mut matchers, (queries, (imports, of_tests))) = rayon::join(
        || Matchers::read(cases),
        || rayon::join(|| Queries::read(cases, policy), || imports(&on_trial, &rules, policy)),
    );
    let mut watcher = queries.watcher();
    let mut trial = Trial::new(Arc::clone(&rules), &imports);
    loop {
        let next = events()?;
        if next.is_empty() {
            break;
        }
        trial.observe(&next);
        watcher.observe(&next);
        matchers.observe(&next);
    }
    let verdicts =
        of_tests.into_iter().zip(trial.finish()).map(|(of_tests, of_events)| match of_tests {
            Ok(tally) => Verdict::of_trial(tally.joined(of_events)),
            Err(fault) => Verdict::Broken(vec![fault]),
        });
    Ok([verdicts.collect(), queries.verdicts(watcher.finish()), matchers.verdicts()])
}

/// What came of the tests of each rule, or why its import file is broken
type OfTests = Vec<Result<Tally, Fault>>;

/// Reads the import files, and tries each on its rule's tests and on events near every literal
fn imports<'r>(
    on_trial: &[Imported<'r>],
    rules: &'r [Rule],
    policy: &'r Policy,
) -> (Vec<Option<Import<'r>>>, OfTests) {
    let observer = Observer::default();
    let read = on_trial.par_iter().zip(rules).map(|((loaded, made, lines), rule)| {
        match Import::read_known(rule, &made.manifest, &lines.text, &policy.mappings) {
            Ok(import) => {
                let mut tally = try_tests(&import, &loaded.rule);
                // Where the author's own tests differ, more of the same would only hide them.
                if tally.differences.is_empty() {
                    tally = tally.joined(try_near_events(&import, &observer));
                }
                let course = course(rule, Timestamp::UNIX_EPOCH);
                let watched = watch(&import, &observer, &course);
                let series = watched.and_then(|watched| try_series(&import, &watched));
                let tally = series.map(|series| tally.joined(series));
                (Some(import), tally.map_err(|why| Fault::new(lines, why)))
            }
            Err(why) => (None, Err(Fault::new(lines, why))),
        }
    });
    read.unzip()
}
