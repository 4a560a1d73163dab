//! Finds the facts that hold for an event.
//!
//! In: facts, then the values of each slot. Out: the numbers of the facts that hold, each once per event.
//! A value is made flat once. Whole texts, base names and numbers are looked up by hash. Texts inside a
//! value are found by a window: each text has one window of a few bytes, the rarest it has. One pass over
//! the value looks at each of its windows in a small table of bits; a window that is some text's is
//! compared with the text. The work is linear in the value, whatever the number of rules.

use std::collections::HashMap;

use super::fact::{Fact, Says, whole_number};
use super::flat::flatten;
use super::found::Found;
use super::memo::Memo;
use super::windows::{Rarity, Windows};
use crate::matcher::event::Event;
use crate::matcher::slot::Slot;

type Map<K, V> = HashMap<K, V, foldhash::fast::RandomState>;

/// Facts about all slots
#[derive(Debug, Default)]
pub(super) struct Finder {
    pub(super) slots: Vec<Facts>,
}

/// Facts about one slot
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) slot: usize,
    pub(super) numbers: Vec<u32>,
    there: Option<u32>,
    wholes: Map<Box<[u8]>, u32>,
    names: Map<Box<[u8]>, u32>,
    values: Map<i64, u32>,
    windows: Windows<4>,
    short: Windows<2>,
    /// Texts of one byte
    bytes: Vec<(u8, u32)>,
    /// Whether some fact is about whole texts, or texts inside them
    reads_texts: bool,
}

impl Finder {
    /// A finder of these facts, each with its number
    pub(super) fn of<'f>(facts: impl Iterator<Item = (u32, &'f Fact)>, rarity: &Rarity) -> Finder {
        let mut slots: Vec<Facts> = Vec::new();
        let mut places: Map<usize, usize> = Map::default();
        for (number, fact) in facts {
            let at = *places.entry(fact.slot).or_insert_with(|| {
                slots.push(Facts::of(fact.slot));
                slots.len() - 1
            });
            slots[at].add(number, &fact.says, rarity);
        }
        slots.iter_mut().for_each(Facts::close);
        Finder { slots }
    }

    /// Adds the facts about all slots that hold for the event
    pub(super) fn find(&self, event: &Event<'_>, found: &mut Found) {
        self.slots.iter().for_each(|facts| facts.find(event, &mut Memo::default(), found));
    }
}

impl Facts {
    fn of(slot: usize) -> Facts {
        Facts {
            slot,
            numbers: Vec::new(),
            there: None,
            wholes: Map::default(),
            names: Map::default(),
            values: Map::default(),
            windows: Windows::default(),
            short: Windows::default(),
            bytes: Vec::new(),
            reads_texts: false,
        }
    }

    fn add(&mut self, number: u32, says: &Says, rarity: &Rarity) {
        self.numbers.push(number);
        match says {
            Says::There => self.there = Some(number),
            Says::Whole(text) => drop(self.wholes.insert(text.clone(), number)),
            Says::Name(text) => drop(self.names.insert(text.clone(), number)),
            Says::Number(value) => drop(self.values.insert(*value, number)),
            Says::Within(text) => match &**text {
                [byte] => self.bytes.push((*byte, number)),
                [_, _] | [_, _, _] => self.short.add(number, text, rarity),
                text => self.windows.add(number, text, rarity),
            },
        }
    }

    /// Makes the tables, after the last fact
    fn close(&mut self) {
        self.windows.close();
        self.short.close();
        let inside = !self.windows.is_empty() || !self.short.is_empty() || !self.bytes.is_empty();
        self.reads_texts = inside || !self.wholes.is_empty();
    }

    /// Adds the facts that hold for the event
    ///
    /// The memo is of this slot alone.
    pub(super) fn find(&self, event: &Event<'_>, memo: &mut Memo, found: &mut Found) {
        let slot = event.slot(self.slot);
        if matches!(slot, Slot::Missing) {
            return;
        }
        self.there.into_iter().for_each(|fact| found.add(fact));
        match slot.values() {
            [value] if self.reads_texts => {
                memo.find(value, found, |found| self.find_in(value, found))
            }
            values => values.iter().for_each(|value| self.find_in(value, found)),
        }
    }

    fn find_in(&self, value: &str, found: &mut Found) {
        if !self.values.is_empty()
            && let Some(number) = whole_number(value)
            && let Some(fact) = self.values.get(&number)
        {
            found.add(*fact);
        }
        if !self.names.is_empty() {
            let name = crate::matcher::part::base_name(value);
            flatten(name, &mut found.name);
            if let Some(fact) = self.names.get(&*found.name) {
                found.add(*fact);
            }
        }
        if !self.reads_texts {
            return;
        }
        let mut text = std::mem::take(&mut found.text);
        flatten(value, &mut text);
        if let Some(fact) = self.wholes.get(&*text) {
            found.add(*fact);
        }
        self.windows.find(&text, found);
        self.short.find(&text, found);
        for (byte, fact) in &self.bytes {
            if !found.has(*fact) && memchr::memchr(*byte, &text).is_some() {
                found.add(*fact);
            }
        }
        found.text = text;
    }
}
