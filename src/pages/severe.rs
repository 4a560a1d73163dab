//! The findings that a page has room for.
//!
//! In: findings, one by one, any number of them. Out: the most severe, of one level the first; and how many
//! were left out. Values are cut, so that a hostile event cannot fill the memory or the page.

use std::collections::BTreeMap;

use super::events::Sighting;
use super::words::{grouped, short};
use crate::definition::Level;

/// The most findings of a page
pub(super) const MOST: usize = 20_000;
/// The most fields of a finding
const FIELDS: usize = 24;

/// The most severe findings
#[derive(Debug, Default)]
pub struct Severe {
    by_level: BTreeMap<Level, Vec<Sighting>>,
    left_out: BTreeMap<Level, usize>,
    kept: usize,
}

impl Severe {
    /// Takes a finding; drops the last of the lowest level when there is no room
    pub fn add(&mut self, sighting: Sighting) {
        self.by_level.entry(sighting.level).or_default().push(sighting.cut());
        self.kept += 1;
        if self.kept <= MOST {
            return;
        }
        let lowest = self.by_level.iter_mut().find(|(_, sightings)| !sightings.is_empty());
        if let Some((level, sightings)) = lowest {
            sightings.pop();
            *self.left_out.entry(*level).or_default() += 1;
            self.kept -= 1;
        }
    }

    /// The findings that were kept, the most severe first, and a sentence about those that were not
    pub fn finish(self) -> (Vec<Sighting>, Option<String>) {
        let left_out = self.left_out.iter().rev();
        let left_out: Vec<String> = left_out
            .map(|(level, number)| format!("{} of level {level}", grouped(*number)))
            .collect();
        let note = (!left_out.is_empty()).then(|| {
            format!(
                "The page has room for {} findings, the most severe. Left out: {}.",
                grouped(MOST),
                left_out.join(", ")
            )
        });
        (self.by_level.into_values().rev().flatten().collect(), note)
    }
}

impl Sighting {
    fn cut(self) -> Sighting {
        let fields = self.fields.into_iter().take(FIELDS);
        Sighting {
            host: short(&self.host),
            place: short(&self.place),
            fields: fields.map(|(name, value)| (short(&name), short(&value))).collect(),
            ..self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_severe_are_kept_and_the_others_are_counted() {
        let mut all = Severe::default();
        let sighting = |level, number: usize| Sighting {
            time: None,
            host: "é".repeat(1_000),
            rule: 0,
            what: String::new(),
            level,
            place: number.to_string(),
            fields: Vec::new(),
        };
        (0..MOST + 5).for_each(|number| all.add(sighting(Level::Low, number)));
        all.add(sighting(Level::High, 0));
        let (kept, note) = all.finish();
        assert_eq!((kept.len(), kept[0].level), (MOST, Level::High));
        assert_eq!(kept.last().unwrap().place, (MOST - 2).to_string());
        assert!(kept.iter().all(|one| one.host.chars().count() < 400));
        assert!(note.unwrap().ends_with("Left out: 6 of level low."));
    }
}
