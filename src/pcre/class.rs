//! Sets in brackets.
//!
//! In: a cursor behind `[`. Out: the set of characters, and how the regex crate writes it. PCRE
//! knows no operations on sets: `&&`, `--`, `~~` and a second `[` are characters.

use regex_syntax::hir::ClassUnicode;

use super::Refusal;
use super::cursor::Cursor;
use super::escape::{self, At, Escape};
use super::flags::Flags;
use super::set::{self, Named, inside};

/// What a hyphen means after the last piece
#[derive(Clone, Copy)]
enum Last {
    /// Itself: nothing stands before it, or a whole range
    Start,
    /// A range from this character
    Char(char),
    /// A range from this character has begun
    Range(char),
    /// A mistake, unless the brackets end: a set stands before it
    Set,
    /// Such a hyphen has been read
    Hyphen,
}

/// A set while it is read
struct Brackets {
    members: ClassUnicode,
    /// The same as the regex crate writes it, without the brackets
    text: String,
    last: Last,
    flags: Flags,
}

/// Reads a set, from behind its bracket; the text is how the regex crate writes it
pub(super) fn read(cursor: &mut Cursor<'_>, at: At) -> Result<(ClassUnicode, String), Refusal> {
    let start = cursor.at - 1;
    if ["[:<:]]", "[:>:]]"].iter().any(|word| cursor.eat(word)) {
        return Err(cursor.beyond(start, "a place at one end of a word"));
    }
    if cursor.rest().starts_with([':', '.', '=']) && posix_end(cursor.rest()).is_some() {
        return Err(cursor.wrong(start, "the name of a set outside of brackets"));
    }
    let mut set = Brackets {
        members: ClassUnicode::empty(),
        text: String::new(),
        last: Last::Start,
        flags: at.flags,
    };
    let negated = begin(cursor, at.flags);
    if cursor.eat("]") {
        set.character(cursor, start, ']')?;
    }
    let mut quoted = false;
    loop {
        let from = cursor.at;
        let Some(c) = cursor.next() else {
            cursor.at = start + 1;
            return Err(cursor.wrong(start, "brackets that are not closed"));
        };
        match c {
            '\\' if cursor.eat("E") => quoted = false,
            _ if quoted => set.character(cursor, from, c)?,
            '\\' if cursor.eat("Q") => quoted = true,
            ' ' | '\t' if at.flags.extended_more => {}
            ']' => break,
            '\\' => match escape::read(cursor, from, At { class: true, ..at })? {
                Escape::Char(c) => set.character(cursor, from, c)?,
                Escape::Letter('b') => set.character(cursor, from, '\u{8}')?,
                Escape::Letter(_) => return Err(cursor.wrong(from, "no set of characters")),
                Escape::Set(named) => set.named(cursor, from, &named)?,
            },
            '[' if posix_end(cursor.rest()).is_some() => {
                let named = posix(cursor, from, at.flags)?;
                set.named(cursor, from, &named)?;
            }
            '-' => set.hyphen(cursor, from)?,
            c => set.character(cursor, from, c)?,
        }
    }
    set.end();
    if negated {
        set.members.negate();
    }
    let text = format!("[{}{}]", if negated { "^" } else { "" }, set.text);
    let text = set::choose(&[cursor.since(start), &text], &set.members, at.flags);
    Ok((set.members, text))
}

/// Reads `^` and what may stand around it; whether the set is negated
fn begin(cursor: &mut Cursor<'_>, flags: Flags) -> bool {
    let mut negated = false;
    loop {
        let blank = flags.extended_more && (cursor.eat(" ") || cursor.eat("\t"));
        if blank || cursor.eat("\\E") || cursor.eat("\\Q\\E") {
            continue;
        }
        if negated || !cursor.eat("^") {
            return negated;
        }
        negated = true;
    }
}

impl Brackets {
    fn character(&mut self, cursor: &Cursor<'_>, from: usize, c: char) -> Result<(), Refusal> {
        let own = inside(c);
        match self.last {
            Last::Range(first) if first > c => {
                return Err(cursor.wrong(from, "a range that ends before it begins"));
            }
            Last::Range(first) => {
                self.members.union(&set::range(first, c, self.flags));
                self.text.push_str(&format!("-{own}"));
                self.last = Last::Start;
            }
            Last::Hyphen => return Err(cursor.wrong(from, "a range that begins with a set")),
            Last::Start | Last::Char(_) | Last::Set => {
                self.members.union(&set::range(c, c, self.flags));
                // A hyphen in front needs no backslash.
                let bare = c == '-' && self.text.is_empty();
                self.text.push_str(if bare { "-" } else { &own });
                self.last = Last::Char(c);
            }
        }
        Ok(())
    }

    fn hyphen(&mut self, cursor: &Cursor<'_>, from: usize) -> Result<(), Refusal> {
        match self.last {
            Last::Char(first) => self.last = Last::Range(first),
            Last::Set => {
                self.character(cursor, from, '-')?;
                self.last = Last::Hyphen;
            }
            Last::Start | Last::Range(_) | Last::Hyphen => self.character(cursor, from, '-')?,
        }
        Ok(())
    }

    fn named(&mut self, cursor: &Cursor<'_>, from: usize, set: &Named) -> Result<(), Refusal> {
        if matches!(self.last, Last::Range(_) | Last::Hyphen) {
            return Err(cursor.wrong(from, "a range that begins or ends with a set"));
        }
        self.members.union(&set.set());
        self.text.push_str(&set.0);
        self.last = Last::Set;
        Ok(())
    }

    /// A hyphen before the closing bracket is itself
    fn end(&mut self) {
        if matches!(self.last, Last::Range(_)) {
            self.members.union(&set::range('-', '-', self.flags));
            self.text.push('-');
        }
    }
}

/// The end of the name in `:name:]`, behind its `[`; `[.x.]` and `[=x=]` as well
///
/// As in PCRE2: the name is over at another `[` that begins a name, at `]` or at a backslash.
fn posix_end(rest: &str) -> Option<usize> {
    let mark = rest.chars().next().filter(|c| matches!(c, ':' | '.' | '='))?;
    let bytes = rest.as_bytes();
    let mut at = 1;
    while at + 1 < bytes.len() {
        match bytes[at] {
            b'\\' if matches!(bytes[at + 1], b']' | b'\\') => at += 1,
            b'[' if bytes[at + 1] == mark as u8 => return None,
            b']' => return None,
            byte if byte == mark as u8 && bytes[at + 1] == b']' => return Some(at),
            _ => {}
        }
        at += 1;
    }
    None
}

const POSIX: &[&str] = &[
    "alpha", "lower", "upper", "alnum", "ascii", "blank", "cntrl", "digit", "graph", "print",
    "punct", "space", "word", "xdigit",
];

/// Reads `:name:]`
fn posix(cursor: &mut Cursor<'_>, from: usize, flags: Flags) -> Result<Named, Refusal> {
    let end = posix_end(cursor.rest()).unwrap_or(0);
    let whole = cursor.rest().get(..end).unwrap_or("");
    cursor.at += end + 2;
    let Some(name) = whole.strip_prefix(':') else {
        return Err(cursor.wrong(from, "a set of characters that sort alike"));
    };
    let negated = name.starts_with('^');
    let name = name.trim_start_matches('^');
    if !POSIX.contains(&name) || whole.contains("^^") {
        return Err(cursor.wrong(from, "a set whose name PCRE does not know"));
    }
    let name = if flags.ignore_case && matches!(name, "lower" | "upper") { "alpha" } else { name };
    Ok(Named(format!("[:{}{name}:]", if negated { "^" } else { "" })))
}
