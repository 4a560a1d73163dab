//! Chooses what to look for.
//!
//! In: what each signal needs, and sample events. Out: for each signal the facts to look for, of which one
//! holds wherever the signal fits; the facts that hold for the fewest of the sample events. A signal that
//! needs nothing has no such list, and is tried on every event. The choice decides the speed, never a verdict.

use super::fact::Facts;
use super::finder::Finder;
use super::flat::flatten;
use super::found::Found;
use super::required::Need;
use super::windows::Rarity;
use crate::matcher::event::Event;

/// How often facts hold, and windows of texts are seen
pub(super) struct Frequency {
    /// By fact, the share of events for which it holds
    shares: Vec<f64>,
    pub(super) rarity: Rarity,
}

impl Frequency {
    /// Of the facts in these events, and in what is generally known
    pub(super) fn of(facts: &Facts, sample: &[Event<'_>]) -> Frequency {
        let mut rarity = Rarity::known();
        let mut counts = vec![0_u32; facts.all.len()];
        if !sample.is_empty() {
            let all = facts.all.iter().enumerate();
            let all = all.map(|(at, fact)| (u32::try_from(at).unwrap_or(u32::MAX), fact));
            let finder = Finder::of(all, &rarity);
            let mut found = Found::of(facts.all.len());
            for event in sample {
                found.start();
                finder.find(event, &mut found);
                found.facts.iter().for_each(|fact| counts[*fact as usize] += 1);
                see(&finder, event, &mut rarity);
            }
        }
        let share = |(fact, count): (&super::fact::Fact, &u32)| {
            (f64::from(*count) + fact.says.guess()) / (sample.len() as f64 + 1.0)
        };
        let shares = facts.all.iter().zip(&counts).map(share).collect();
        Frequency { shares, rarity }
    }

    /// The facts to look for, with the share of events for which one of them holds; `None` when nothing
    /// is needed
    pub(super) fn rarest(&self, need: &Need) -> Option<(f64, Vec<u32>)> {
        match need {
            Need::Nothing => None,
            Need::One(facts) => {
                let shares = facts.iter().map(|fact| self.shares[*fact as usize]);
                Some((shares.sum(), facts.clone()))
            }
            Need::All(parts) => {
                let lists = parts.iter().filter_map(|part| self.rarest(part));
                lists.min_by(|(one, _), (other, _)| one.total_cmp(other))
            }
            Need::Any(parts) => {
                let lists: Option<Vec<_>> = parts.iter().map(|part| self.rarest(part)).collect();
                let lists = lists?;
                let share = lists.iter().map(|(share, _)| share).sum();
                Some((share, lists.into_iter().flat_map(|(_, facts)| facts).collect()))
            }
        }
    }
}

/// Counts the windows of the values that rules look at
fn see(finder: &Finder, event: &Event<'_>, rarity: &mut Rarity) {
    let mut text = Vec::new();
    for facts in &finder.slots {
        for value in event.slot(facts.slot).values() {
            flatten(value, &mut text);
            rarity.see(&text);
        }
    }
}
