//! The facts that hold for one event.
//!
//! In: the numbers of facts as they are found, some of them again and again. Out: each once. The room is
//! used for one event after another, so that an event allocates nothing here.

/// The facts that hold for an event, and the room to find them
#[derive(Debug, Default)]
pub(super) struct Found {
    /// The facts that hold, each once
    pub(super) facts: Vec<u32>,
    /// By fact, the event for which it last held
    seen: Vec<u32>,
    event: u32,
    /// Room for the flat text of a value, and of its base name
    pub(super) text: Vec<u8>,
    pub(super) name: Vec<u8>,
}

impl Found {
    /// Room for so many facts
    pub(super) fn of(facts: usize) -> Found {
        Found { seen: vec![0; facts], ..Found::default() }
    }

    /// Forgets the last event
    pub(super) fn start(&mut self) {
        self.facts.clear();
        self.event = self.event.wrapping_add(1);
        if self.event == 0 {
            self.seen.fill(0);
            self.event = 1;
        }
    }

    pub(super) fn has(&self, fact: u32) -> bool {
        self.seen[fact as usize] == self.event
    }

    pub(super) fn add(&mut self, fact: u32) {
        if !self.has(fact) {
            self.seen[fact as usize] = self.event;
            self.facts.push(fact);
        }
    }
}
