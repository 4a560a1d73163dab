//! Remembers what was found in the values of a slot.
//!
//! In: a value. Out: the facts that hold for it, looked up when the same value was there before. Events
//! repeat their values: the same programs, the same command lines. What is remembered has a limit, and an
//! attacker who makes every value new costs little: where values do not come again, none is remembered for
//! a while.

use std::collections::HashMap;

use super::found::Found;

/// The most values that are remembered of a slot
const MOST: usize = 512;

/// The longest value that is remembered, in bytes
const LONGEST: usize = 256;

/// How many values are passed over where values do not come again
const PAUSE: u32 = 1 << 14;

/// Values of one slot, with the facts that hold for each
#[derive(Debug, Default)]
pub(super) struct Memo {
    values: HashMap<Box<str>, Box<[u32]>, foldhash::fast::RandomState>,
    /// Values that were remembered when they came, since the last pause
    again: usize,
    /// Values to pass over
    pause: u32,
}

impl Memo {
    /// Adds the facts that hold for the value: those remembered, else those that `find` adds
    ///
    /// No fact that `find` may add is found yet.
    pub(super) fn find(&mut self, value: &str, found: &mut Found, find: impl FnOnce(&mut Found)) {
        if self.pause > 0 || value.len() > LONGEST {
            self.pause = self.pause.saturating_sub(1);
            return find(found);
        }
        if let Some(facts) = self.values.get(value) {
            self.again += 1;
            return facts.iter().for_each(|fact| found.add(*fact));
        }
        let before = found.facts.len();
        find(found);
        if self.values.len() >= MOST {
            self.values.clear();
            self.pause = if self.again < MOST { PAUSE } else { 0 };
            self.again = 0;
        }
        self.values.insert(value.into(), found.facts[before..].into());
    }
}
