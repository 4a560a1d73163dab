//! Facts: what the index can look up in an event.
//!
//! In: the texts and numbers of tests. Out: a [`Fact`] about one slot, numbered once however many rules
//! ask for it. A fact is weaker than the test that it comes from, never stronger.

use std::collections::HashMap;

use super::flat::flattened;

/// Something that holds for the values of a slot, or does not
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Fact {
    pub(super) slot: usize,
    pub(super) says: Says,
}

/// What a fact says of the values; texts are flat
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Says {
    /// The event has the field, be it null
    There,
    /// A value is this text
    Whole(Box<[u8]>),
    /// What follows the last `\` or `/` of a value is this text
    Name(Box<[u8]>),
    /// A value holds this text, which is not empty
    Within(Box<[u8]>),
    /// A value is this number
    Number(i64),
}

/// Whole numbers below this are exact in every way that an event may write them
pub(super) const EXACT: i64 = 1 << 53;

impl Says {
    /// That a value holds the text; only that there is one, when the text is empty
    pub(super) fn within(text: &str) -> Says {
        if text.is_empty() { Says::There } else { Says::Within(flattened(text)) }
    }

    /// How often the fact holds, as far as can be told without looking at events
    pub(super) fn guess(&self) -> f64 {
        match self {
            Says::There => 0.5,
            Says::Number(_) => 0.02,
            Says::Name(_) => 0.01,
            Says::Whole(_) => 0.005,
            Says::Within(text) => match text.len() {
                ..=1 => 0.4,
                2 => 0.2,
                3 => 0.1,
                4 | 5 => 0.03,
                6..=8 => 0.008,
                _ => 0.004,
            },
        }
    }
}

/// Facts by number, each once
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) all: Vec<Fact>,
    numbers: HashMap<Fact, u32, foldhash::fast::RandomState>,
}

impl Facts {
    /// The number of a fact
    pub(super) fn number(&mut self, slot: usize, says: Says) -> u32 {
        let fact = Fact { slot, says };
        if let Some(number) = self.numbers.get(&fact) {
            return *number;
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        self.all.push(fact.clone());
        self.numbers.insert(fact, number);
        number
    }
}

/// The whole number that a value is, as tests of numbers read it
pub(super) fn whole_number(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole);
    }
    let number = text.parse::<f64>().ok()?;
    let is_whole = number.fract() == 0.0 && number.abs() < EXACT as f64;
    is_whole.then_some(number as i64)
}
