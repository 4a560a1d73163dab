//! Which parts of a rule are findings by themselves, and a rule with parts removed.

use std::collections::BTreeSet;

use super::{Column, Fields, NewTerms, Origin, Rule};
use crate::definition::Form;
use crate::taxonomy::Field;

impl Rule {
    /// Whether an event of the signal is a finding by itself
    ///
    /// A signal used by a correlation is reported only through it, unless it sets `generate`.
    pub fn reports_signal(&self, at: usize) -> bool {
        self.reports(Origin::Signal(at))
    }

    /// Whether a match of the correlation is a finding by itself
    pub fn reports_correlation(&self, at: usize) -> bool {
        self.reports(Origin::Correlation(at))
    }

    /// Whether a correlation uses the signal
    pub fn correlates(&self, at: usize) -> bool {
        self.is_read(Origin::Signal(at))
    }

    /// Whether a correlation uses the events of another one
    pub fn correlates_again(&self, at: usize) -> bool {
        self.is_read(Origin::Correlation(at))
    }

    /// Whether the number of a signal's events or values takes a group out of a correlation
    pub fn judges_rarity_of(&self, signal: usize) -> bool {
        let mut rare = self.correlations.iter().filter(|one| one.test.is_rare());
        rare.any(|one| one.origins.iter().any(|origin| self.ends_of(*origin).contains(&signal)))
    }

    /// Whether an alert of the correlation shows one event, the completing one, and no part of another
    pub(crate) fn shows_one_event(&self, correlation: usize) -> bool {
        let one = &self.correlations[correlation];
        one.test.counts()
            && one.origins.iter().all(|origin| match origin {
                Origin::Signal(_) => true,
                Origin::Correlation(at) => self.shows_one_event(*at),
            })
    }

    /// The signals whose events are those of an origin
    pub(crate) fn ends_of(&self, origin: Origin) -> Vec<usize> {
        match origin {
            Origin::Signal(at) => vec![at],
            Origin::Correlation(at) => {
                let origins = self.correlations[at].origins.iter();
                origins.flat_map(|origin| self.ends_of(*origin)).collect()
            }
        }
    }

    fn is_read(&self, origin: Origin) -> bool {
        self.correlations.iter().any(|one| one.origins.contains(&origin))
    }

    /// The fields of a signal's events that correlations read
    pub fn correlated_fields(&self, at: usize) -> BTreeSet<&Field> {
        let mut fields = BTreeSet::new();
        for one in &self.correlations {
            fields.extend(one.keys.iter().filter_map(|key| key.fields.get(&at)));
            fields.extend(one.test.fields().iter().filter_map(|counted| counted.get(&at)));
        }
        fields
    }

    fn reports(&self, origin: Origin) -> bool {
        // Rules named by a Sigma correlation alert on their own, if at all.
        if self.form == Form::Correlation {
            return origin == Origin::Correlation(self.correlations.len().saturating_sub(1));
        }
        self.correlations.iter().all(|other| other.generate || !other.origins.contains(&origin))
    }

    /// The rule as a target gets it: without what its author leaves out there
    ///
    /// # Errors
    /// The name of a correlation that needs what is left out.
    pub fn of_target(&self, target: &str) -> Result<Rule, String> {
        let said = self.said_of(target).into_iter().flat_map(|said| &said.without);
        self.without(&said.map(|name| name.value.as_str()).collect::<Vec<_>>())
    }

    /// The rule without the signals and correlations of these names
    ///
    /// # Errors
    /// The name of a remaining correlation that uses a removed signal or correlation.
    pub fn without(&self, names: &[&str]) -> Result<Rule, String> {
        let mut rule = self.clone();
        let stays = |name: &str| !names.contains(&name);
        let mut signals = Vec::new();
        for signal in &self.signals {
            signals.push(stays(&signal.name));
        }
        let correlations: Vec<bool> =
            self.correlations.iter().map(|one| stays(&one.name)).collect();
        let place = |kept: &[bool], at: usize| {
            kept[at].then(|| kept[..at].iter().filter(|kept| **kept).count())
        };
        rule.correlations.retain(|one| stays(&one.name));
        for one in &mut rule.correlations {
            for origin in &mut one.origins {
                let moved = match *origin {
                    Origin::Signal(at) => place(&signals, at).map(Origin::Signal),
                    Origin::Correlation(at) => place(&correlations, at).map(Origin::Correlation),
                };
                *origin = moved.ok_or_else(|| one.name.clone())?;
            }
            one.ends = one.ends.iter().filter_map(|at| place(&signals, *at)).collect();
            let moved = |fields: &Fields| {
                fields
                    .iter()
                    .filter_map(|(at, field)| Some((place(&signals, *at)?, field.clone())))
                    .collect()
            };
            for key in &mut one.keys {
                key.fields = moved(&key.fields);
            }
            for fields in one.test.fields_mut() {
                *fields = moved(fields);
            }
        }
        rule.signals.retain(|signal| stays(&signal.name));
        rule.new_terms = rule
            .new_terms
            .and_then(|new| Some(NewTerms { signal: place(&signals, new.signal)?, ..new }));
        rule.columns = Column::of(&rule.signals);
        Ok(rule)
    }
}
