//! Verdicts on emitted Kusto that is executed.
//!
//! In: rules whose queries bind, and what came of the events. Out: a [`Verdict`] for each: `same` or `different`
//! where everything was executed, else `binds` with what was not.

use rayon::prelude::*;

use super::case::{Case, Stage};
use crate::backend::Policy;
use crate::verify::{Asked, Observer, Tally, Trials, Verdict, Watcher};

/// The queries on trial, and what their own events say
pub(super) struct Queries<'c> {
    before: Vec<&'c Verdict>,
    asked: Vec<Option<Asked<'c>>>,
    tallies: Vec<Result<Tally, String>>,
}

impl<'c> Queries<'c> {
    /// Reads the queries, and tries them on their rules' tests and on events near every literal
    pub(super) fn read(cases: &'c [Case<'_>], policy: &'c Policy) -> Queries<'c> {
        let schema = policy.mappings.schema();
        let on_trial = cases.iter().filter_map(|case| match &case.stage {
            Stage::Kusto(made, platform, before) => Some((case.loaded, made, *platform, before)),
            Stage::Done(_) | Stage::Trial(..) | Stage::Native(_) => None,
        });
        let on_trial: Vec<_> = on_trial.collect();
        let before = on_trial.iter().map(|(.., before)| *before).collect();
        let observer = Observer::default();
        let read = on_trial.into_par_iter().map(|(loaded, made, platform, _)| {
            let of = (platform, &schema);
            let asked = match Asked::read(&made.rule, &made.manifest, &made.artifacts, of) {
                Ok(asked) => asked,
                Err(why) => return (None, Err(why)),
            };
            let all = Trials::default().judge(&asked, &loaded.rule, &observer);
            (Some(asked), all)
        });
        let (asked, tallies) = read.unzip();
        Queries { before, asked, tallies }
    }

    /// A trial of all queries over a stream of events
    pub(super) fn watcher(&self) -> Watcher<'_> {
        Watcher::new(&self.asked)
    }

    /// The verdict on each, with what came of the stream
    pub(super) fn verdicts(&self, of_events: Vec<Result<Tally, String>>) -> Vec<Verdict> {
        let all = self.before.iter().zip(&self.tallies).zip(of_events);
        all.map(|((before, own), of_events)| {
            let tally = own.clone().and_then(|own| of_events.map(|events| own.joined(events)));
            match (tally, before) {
                (Ok(tally), _) => Verdict::of_trial(tally),
                (Err(why), Verdict::Binds { columns, named, .. }) => {
                    Verdict::Binds { columns: *columns, named: *named, why }
                }
                (Err(why), _) => Verdict::Unchecked(why),
            }
        })
        .collect()
    }
}
