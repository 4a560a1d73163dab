//! What stands behind an opening parenthesis.
//!
//! In: a cursor behind `(`. Out: an [`Opening`]: a group with the flags inside it, or flags for
//! what follows. Everything that looks around, back or into itself is refused with its name.

use std::collections::HashSet;

use super::Refusal;
use super::cursor::Cursor;
use super::flags::{self, Flags};

pub(super) enum Opening {
    /// A group: how it opens, its flags, and whether it captures
    Group { open: String, flags: Flags, captures: bool, atomic: bool },
    /// Flags from here on
    Flags { text: String, flags: Flags },
}

/// Reads the opening at `start`; `names` are those of earlier groups
pub(super) fn read<'p>(
    cursor: &mut Cursor<'p>,
    start: usize,
    flags: Flags,
    names: &mut HashSet<&'p str>,
) -> Result<Opening, Refusal> {
    if cursor.eat("*") {
        cursor.take(usize::MAX, |c| c != ')');
        cursor.eat(")");
        return Err(cursor.beyond(start, "a verb, which steers how PCRE searches"));
    }
    if !cursor.eat("?") {
        let open = if flags.no_capture { "(?:" } else { "(" }.to_owned();
        let captures = !flags.no_capture;
        return Ok(Opening::Group { open, flags, captures, atomic: false });
    }
    if let Some(reason) = refused(cursor) {
        return Err(cursor.beyond(start, reason));
    }
    let group = |open: &str, atomic| {
        Ok(Opening::Group { open: open.to_owned(), flags, captures: false, atomic })
    };
    if cursor.eat(">") {
        return group("(?:", true);
    }
    if cursor.eat("P<") || cursor.eat("<") {
        return named(cursor, start, '>', flags, names);
    }
    if cursor.eat("'") {
        return named(cursor, start, '\'', flags, names);
    }
    let (inside, text) = flags::read(cursor, flags)?;
    match cursor.next() {
        Some(')') => {
            let text = if text.is_empty() { text } else { format!("(?{text})") };
            Ok(Opening::Flags { text, flags: inside })
        }
        Some(_) => {
            let open = format!("(?{text}:");
            Ok(Opening::Group { open, flags: inside, captures: false, atomic: false })
        }
        None => Err(cursor.wrong(start, "a group that is not closed")),
    }
}

/// Why a group behind `(?` is refused
fn refused(cursor: &mut Cursor<'_>) -> Option<&'static str> {
    const REASONS: &[(&str, &str)] = &[
        ("<=", "look-behind"),
        ("<!", "look-behind"),
        ("<*", "look-behind"),
        ("=", "look-ahead"),
        ("!", "look-ahead"),
        ("*", "look-ahead"),
        ("(", "a condition"),
        ("C", "a call to the program that searches"),
        ("R", "a pattern inside itself"),
        ("&", "a pattern inside itself"),
        ("P>", "a pattern inside itself"),
        ("P=", "a reference to a group"),
        ("[", "an operation on sets"),
        ("|", "groups that share their numbers"),
    ];
    if let Some((_, reason)) = REASONS.iter().find(|(text, _)| cursor.eat(text)) {
        return Some(reason);
    }
    let mut ahead = cursor.clone();
    let signed = ahead.eat("+") || ahead.eat("-");
    let number = ahead.peek().is_some_and(|c| c.is_ascii_digit());
    (number || (signed && cursor.peek() == Some('+'))).then_some("a pattern inside itself")
}

/// Reads the name of a group and what ends it
fn named<'p>(
    cursor: &mut Cursor<'p>,
    start: usize,
    end: char,
    flags: Flags,
    names: &mut HashSet<&'p str>,
) -> Result<Opening, Refusal> {
    let name = cursor.take(usize::MAX, |c| c.is_ascii_alphanumeric() || c == '_');
    let digit = name.starts_with(|c: char| c.is_ascii_digit());
    if cursor.next() != Some(end) || name.is_empty() || digit {
        return Err(cursor.wrong(start, "a group whose name is not one of ASCII letters"));
    }
    if name.len() > 32 {
        return Err(cursor.beyond(start, "a name that only newer versions take"));
    }
    let new = names.insert(name);
    if !new && !flags.same_names {
        return Err(cursor.wrong(start, "a second group of the same name"));
    }
    let open = match cursor.since(start) {
        // The regex crate has no groups of the same name; what they capture is not asked.
        _ if !new => "(".to_owned(),
        written if end == '>' => written.to_owned(),
        _ => format!("(?<{name}>"),
    };
    Ok(Opening::Group { open, flags, captures: true, atomic: false })
}
