//! Cuts objects of JSON that stand in an array, over several lines, or in a list inside an object.
//!
//! In: bytes as they come. Out: each object as a record. The brackets around objects are passed over,
//! and so is the object around a list (`{"Records":[…]}` of CloudTrail, `{"hits":{"hits":[…]}}` of a
//! search). An object that is not closed ends where another one begins at the start of a line.

/// What lists of events are called, where they come first in the object around them
const LISTS: &[&str] = &[
    "Records", "records", "Events", "events", "hits", "results", "Results", "value", "logs", "rows",
];

/// The longest text before a list of events
const BEFORE: usize = 1 << 16;

/// Cuts bytes into objects
#[derive(Debug, Default)]
pub(in crate::matcher) struct Documents {
    /// The beginning of an object whose end has not arrived
    begun: Vec<u8>,
    /// How many objects and lists are open inside the object; 0 between objects
    depth: usize,
    in_string: bool,
    is_escaped: bool,
    /// The number of objects that are open around the list
    around: usize,
    /// The number of lists that are open, inside those or around all objects
    lists: usize,
    /// The number of lists that were open before those objects
    outer: usize,
    /// How many objects are open behind a list: nothing in them is an event
    behind: usize,
    after_break: bool,
    is_too_long: bool,
}

/// What a byte completes
#[derive(Debug, PartialEq, Eq)]
pub(in crate::matcher) enum Cut {
    /// An object, or a text that is none
    Record(Vec<u8>),
    /// An object above the limit
    TooLong,
}

/// Whether an object goes on behind this line
pub(super) fn goes_on(line: &[u8]) -> bool {
    line == b"{" || matches!(line.last(), Some(b',' | b'{' | b'['))
}

/// Whether an object begins with a list of events
pub(super) fn begins_list(line: &[u8]) -> bool {
    let mut cut = Documents::default();
    for byte in line.iter().take(BEFORE) {
        cut.take(*byte, BEFORE);
        if cut.around > 0 {
            return true;
        }
    }
    false
}

impl Documents {
    /// Takes a byte; returns what it completes
    pub(in crate::matcher) fn take(&mut self, byte: u8, limit: usize) -> Option<Cut> {
        let at_start = std::mem::replace(&mut self.after_break, byte == b'\n');
        if self.behind > 0 {
            self.pass(byte);
            return None;
        }
        if self.depth == 0 {
            return self.between(byte);
        }
        // A line break inside a string, or an object that begins where another goes on, tells that the
        // end is missing.
        let torn = at_start && byte == b'{';
        if torn {
            let cut = self.end();
            self.open();
            return Some(cut);
        }
        self.keep(byte, limit);
        if self.in_string {
            self.inside_string(byte);
            return None;
        }
        match byte {
            b'"' => self.in_string = true,
            b'[' if self.is_list() => self.begin_list(),
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth -= 1;
                if self.depth == 0 {
                    return Some(self.end());
                }
            }
            _ => {}
        }
        None
    }

    /// Whatever has begun and has no end
    pub(in crate::matcher) fn finish(&mut self) -> Option<Cut> {
        let has_begun = self.depth > 0 || self.is_too_long || !self.begun.is_empty();
        // A list without its end: what stood behind is lost, and told as a record that is none.
        if !has_begun && self.lists + self.behind > 0 {
            self.begun.push(b'[');
            return Some(self.end());
        }
        has_begun.then(|| self.end())
    }

    /// A byte between objects
    fn between(&mut self, byte: u8) -> Option<Cut> {
        if !self.begun.is_empty() {
            // No object: a text up to the end of the line.
            if byte == b'\n' {
                return Some(self.end());
            }
            self.keep(byte, BEFORE);
            return None;
        }
        match byte {
            b'{' => self.open(),
            b'[' => self.lists += 1,
            b']' => {
                self.lists = self.lists.saturating_sub(1);
                if self.lists == self.outer {
                    self.behind = std::mem::take(&mut self.around);
                }
            }
            b',' => {}
            _ if byte.is_ascii_whitespace() => {}
            _ => self.begun.push(byte),
        }
        None
    }

    /// A byte behind a list, in the objects around it
    fn pass(&mut self, byte: u8) {
        if self.in_string {
            self.inside_string(byte);
            return;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' => self.behind += 1,
            b'}' => self.behind -= 1,
            _ => {}
        }
    }

    fn inside_string(&mut self, byte: u8) {
        match byte {
            // No string holds a line break as it is: its end is missing.
            b'\n' => (self.in_string, self.is_escaped) = (false, false),
            _ if self.is_escaped => self.is_escaped = false,
            b'\\' => self.is_escaped = true,
            b'"' => self.in_string = false,
            _ => {}
        }
    }

    fn open(&mut self) {
        self.begun.push(b'{');
        self.depth = 1;
    }

    fn keep(&mut self, byte: u8, limit: usize) {
        if self.begun.len() >= limit {
            self.is_too_long = true;
        }
        if !self.is_too_long {
            self.begun.push(byte);
        }
    }

    fn end(&mut self) -> Cut {
        (self.depth, self.in_string, self.is_escaped) = (0, false, false);
        let record = std::mem::take(&mut self.begun);
        if std::mem::take(&mut self.is_too_long) { Cut::TooLong } else { Cut::Record(record) }
    }

    /// Whether the bracket that has come opens a list of events
    fn is_list(&self) -> bool {
        let text = &self.begun[..self.begun.len() - 1];
        if self.depth > 2 || text.len() > BEFORE {
            return false;
        }
        let Some((before, name)) = key_at_end(text) else { return false };
        let Ok(name) = std::str::from_utf8(name) else { return false };
        let begins = |key: &str| memchr::memmem::find(text, key.as_bytes()).is_some();
        let is_first = before.trim_ascii() == b"{";
        match self.depth {
            1 if is_first => LISTS.contains(&name),
            // Advanced hunting's API, OData, and a search of Elasticsearch.
            1 => {
                (name == "Results" && begins("\"Schema\""))
                    || (name == "value" && begins("\"@odata."))
            }
            _ => name == "hits" && begins("\"_shards\""),
        }
    }

    fn begin_list(&mut self) {
        self.around = std::mem::take(&mut self.depth);
        self.outer = self.lists;
        self.lists += 1;
        self.begun.clear();
    }
}

/// The key that a text ends with, and what stands before it
fn key_at_end(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = text.trim_ascii_end().strip_suffix(b":")?.trim_ascii_end().strip_suffix(b"\"")?;
    let start = memchr::memrchr(b'"', text)?;
    Some((&text[..start], &text[start + 1..]))
}
