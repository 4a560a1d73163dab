//! Cuts bytes into the records of a form.
//!
//! In: bytes as they come. Out: records, each in one [`Block`]. The form shows at the beginning of the
//! stream, so nothing is cut before the first line is there. A block has one form: where a header changes
//! it, a new block begins. A record above the limit is skipped and reported.

use std::io;

use super::block::{Block, Line};
use super::form::{Cut, Documents, Form, HEAD, Rows, TextForm, columns, directive};

/// Cuts bytes into records
pub(super) struct Cutter {
    limit: usize,
    given: Option<TextForm>,
    /// The beginning of the stream, until its form is known
    head: Vec<u8>,
    /// Bytes of the head that are cut already
    cut: usize,
    form: Option<Form>,
    /// The beginning of a record whose end has not arrived
    begun: Vec<u8>,
    /// Whether the current record is above the limit
    skipping: bool,
    rows: Rows,
    documents: Documents,
    /// Why reading failed, while the records before the error are on their way
    pub(super) failed: Option<io::Error>,
}

impl Cutter {
    pub(super) fn new(limit: usize, given: Option<TextForm>) -> Cutter {
        Cutter {
            limit,
            given,
            head: Vec::new(),
            cut: 0,
            form: None,
            begun: Vec::new(),
            skipping: false,
            rows: Rows::default(),
            documents: Documents::default(),
            failed: None,
        }
    }

    /// Adds records until the block is full; returns the number of bytes taken
    pub(super) fn take(&mut self, chunk: &[u8], block: &mut Block) -> usize {
        if self.form.is_none() {
            let few = chunk.len().min(HEAD);
            self.head.extend_from_slice(&chunk[..few]);
            self.form = Form::of(&self.head, false, self.given);
            // A stream of blanks has no form, and need not be kept.
            if self.form.is_none() && self.head.len() >= HEAD {
                self.form = Some(Form::Lines);
            }
            // The first records do not wait for the next read: a slow stream may be silent for long.
            if self.form.is_some() {
                self.cut_head(block);
            }
            return few;
        }
        if self.cut < self.head.len() {
            self.cut_head(block);
            return 0;
        }
        self.records(chunk, block)
    }

    /// Adds the last records, when no line break ends them; true when nothing is left
    pub(super) fn finish(&mut self, block: &mut Block) -> bool {
        if self.form.is_none() {
            self.form = Some(Form::of(&self.head, true, self.given).unwrap_or(Form::Lines));
        }
        while self.cut < self.head.len() && !block.is_full() {
            self.cut_head(block);
        }
        if block.is_full() {
            return false;
        }
        block.form = self.form.clone();
        if self.form == Some(Form::Documents) {
            let cut = self.documents.finish();
            cut.into_iter().for_each(|cut| self.add(cut, block));
        } else if self.skipping || !self.begun.is_empty() {
            self.end(&[], block);
        }
        true
    }

    fn cut_head(&mut self, block: &mut Block) {
        let head = std::mem::take(&mut self.head);
        self.cut += self.records(&head[self.cut..], block);
        if self.cut < head.len() {
            self.head = head;
        } else {
            self.cut = 0;
        }
    }

    fn records(&mut self, chunk: &[u8], block: &mut Block) -> usize {
        if block.is_empty() {
            block.form = self.form.clone();
        }
        if self.form == Some(Form::Documents) {
            return self.objects(chunk, block);
        }
        let mut taken = 0;
        while taken < chunk.len() && !block.is_full() {
            let rest = &chunk[taken..];
            let end = match &self.form {
                Some(Form::Table(..)) => self.rows.end(rest),
                _ => memchr::memchr(b'\n', rest),
            };
            let Some(end) = end else {
                self.begin(rest);
                return chunk.len();
            };
            self.end(&rest[..end], block);
            taken += end + 1;
        }
        taken
    }

    fn objects(&mut self, chunk: &[u8], block: &mut Block) -> usize {
        for (at, byte) in chunk.iter().enumerate() {
            if let Some(cut) = self.documents.take(*byte, self.limit) {
                self.add(cut, block);
                if block.is_full() {
                    return at + 1;
                }
            }
        }
        chunk.len()
    }

    fn add(&self, cut: Cut, block: &mut Block) {
        match cut {
            Cut::Record(bytes) => block.push(&[&bytes]),
            Cut::TooLong => block.push_line(Line::TooLong(self.limit)),
        }
    }

    /// Keeps the beginning of a record
    fn begin(&mut self, bytes: &[u8]) {
        self.skipping |= self.begun.len() + bytes.len() > self.limit;
        if self.skipping {
            self.begun = Vec::new();
            // A quote without an end would take the whole table.
            self.rows.restart();
        } else {
            self.begun.extend_from_slice(bytes);
        }
    }

    /// Adds a record to the block; `bytes` are its last bytes
    fn end(&mut self, bytes: &[u8], block: &mut Block) {
        if self.skipping || self.begun.len() + bytes.len() > self.limit {
            block.push_line(Line::TooLong(self.limit));
        } else if let Some(form) = self.header(bytes) {
            // A header is no record, but it counts as a line.
            block.push(&[]);
            block.is_closed = self.form.as_ref() != Some(&form);
            self.form = Some(form);
        } else {
            block.push(&[&self.begun, bytes]);
        }
        self.begun.clear();
        self.skipping = false;
    }

    /// The form behind this line, when the line says what the fields are
    fn header(&self, bytes: &[u8]) -> Option<Form> {
        let whole = || [&self.begun, bytes].concat();
        match self.form.as_ref()? {
            Form::Table(by, None) => Some(Form::Table(*by, Some(columns(&whole(), *by)))),
            Form::W3c(before) if self.begun.first().or(bytes.first()) == Some(&b'#') => {
                let fields = directive(&whole(), before.as_deref());
                Some(Form::W3c(fields.or_else(|| before.clone())))
            }
            Form::Lines | Form::Documents | Form::Table(..) | Form::W3c(_) | Form::Access => None,
        }
    }
}
