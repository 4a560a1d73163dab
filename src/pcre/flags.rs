//! Flags: those from outside, and those inside a pattern as in `(?i)`.
//!
//! In: the letters after `(?`. Out: the [`Flags`] that hold from there on, and the letters for the
//! regex crate. `x` and `n` are spent while reading and never printed; neither does `U` change
//! whether a text matches, nor do the ASCII flags of newer versions, which is the default here.

use super::Refusal;
use super::cursor::Cursor;

/// The flags at one place of a pattern
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    /// `i`: letters compare without case
    pub(super) ignore_case: bool,
    /// `m`: `^` and `$` stand at every line
    pub(super) multi_line: bool,
    /// `s`: a dot is any character
    pub(super) dot_all: bool,
    /// `x`: white space and comments are skipped
    pub(super) extended: bool,
    /// `xx`: blanks in brackets as well
    pub(super) extended_more: bool,
    /// `n`: plain parentheses do not capture
    pub(super) no_capture: bool,
    /// `J`: names of groups may repeat
    pub(super) same_names: bool,
}

impl Flags {
    /// The flags of some letters; those that are none mean nothing
    pub fn of(letters: &str) -> Flags {
        let mut flags = Flags::default();
        letters.chars().for_each(|letter| {
            flags.set(letter, true);
        });
        flags
    }

    /// The letters that the regex crate knows, each with its value
    fn shared(self) -> [(char, bool); 3] {
        [('i', self.ignore_case), ('m', self.multi_line), ('s', self.dot_all)]
    }

    fn set(&mut self, letter: char, on: bool) -> bool {
        match letter {
            'i' => self.ignore_case = on,
            'm' => self.multi_line = on,
            's' => self.dot_all = on,
            // A single `x` also ends `xx`; the second letter of `xx` is read by the caller.
            'x' => (self.extended, self.extended_more) = (on, false),
            'n' => self.no_capture = on,
            'J' => self.same_names = on,
            'U' => {}
            _ => return false,
        }
        true
    }
}

/// Reads the letters up to `)` or `:`, which is left
pub(super) fn read(cursor: &mut Cursor<'_>, before: Flags) -> Result<(Flags, String), Refusal> {
    let start = cursor.at;
    let (mut flags, mut on, mut minus) = (before, true, true);
    if cursor.eat("^") {
        let same_names = before.same_names;
        (flags, minus) = (Flags { same_names, ..Flags::default() }, false);
    }
    while let Some(c) = cursor.peek().filter(|c| !matches!(c, ')' | ':')) {
        let at = cursor.at;
        cursor.next();
        match c {
            '-' if minus => (on, minus) = (false, false),
            'x' if cursor.eat("x") => {
                flags.set('x', on);
                flags.extended_more = on;
            }
            'a' | 'r' => return Err(cursor.beyond(at, "a flag that only newer versions know")),
            c if flags.set(c, on) => {}
            _ => return Err(cursor.wrong(at, "an unknown flag or group")),
        }
    }
    Ok((flags, printed(cursor.since(start), before, flags)))
}

/// The letters as written when the regex crate reads them alike, else what changes
fn printed(written: &str, before: Flags, after: Flags) -> String {
    let known = written.chars().all(|c| "imsU-".contains(c));
    if known && regex_syntax::ast::parse::Parser::new().parse(&format!("(?{written})")).is_ok() {
        return written.to_owned();
    }
    let changed = |wanted: bool| -> String {
        let pairs = before.shared().into_iter().zip(after.shared());
        pairs
            .filter(|((_, was), (_, is))| was != is && *is == wanted)
            .map(|(_, (c, _))| c)
            .collect()
    };
    let (on, off) = (changed(true), changed(false));
    if off.is_empty() { on } else { format!("{on}-{off}") }
}
