//! What follows a backslash.
//!
//! In: a cursor behind the backslash. Out: an [`Escape`]: a character, a named set, or a letter
//! whose meaning hangs on where it stands. References and what versions of PCRE read differently
//! are refused here.

use super::Refusal;
use super::cursor::Cursor;
use super::flags::Flags;
use super::set::Named;

pub(super) enum Escape {
    Char(char),
    Set(Named),
    /// One of `b B A Z z G K N R X`, whose meaning hangs on where it stands
    Letter(char),
}

/// Where an escape stands
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    /// Inside brackets
    pub(super) class: bool,
    /// The groups opened so far
    pub(super) groups: usize,
    pub(super) flags: Flags,
}

/// Blanks inside one line
const HORIZONTAL: &str = r"\t \x{a0}\x{1680}\x{180e}\x{2000}-\x{200a}\x{202f}\x{205f}\x{3000}";
/// The characters that end a line
pub(super) const VERTICAL: &str = r"\n-\r\x{85}\x{2028}\x{2029}";

/// Reads what follows the backslash at `start`
pub(super) fn read(cursor: &mut Cursor<'_>, start: usize, at: At) -> Result<Escape, Refusal> {
    let Some(c) = cursor.next() else {
        return Err(cursor.wrong(start, "a backslash with nothing after it"));
    };
    let set = |inside: &str| Ok(Escape::Set(Named(inside.to_owned())));
    match c {
        'd' => set("0-9"),
        'D' => set("[^0-9]"),
        'w' => set("[:word:]"),
        'W' => set("[:^word:]"),
        's' => set("[:space:]"),
        'S' => set("[:^space:]"),
        'h' => set(HORIZONTAL),
        'H' => set(&format!("[^{HORIZONTAL}]")),
        'v' => set(VERTICAL),
        'V' => set(&format!("[^{VERTICAL}]")),
        'p' | 'P' => property(cursor, start, c == 'P', at.flags).map(Escape::Set),
        'N' if cursor.eat("{U+") => hexadecimal(cursor, start),
        'g' | 'k' if at.class => Ok(Escape::Char(c)),
        'g' | 'k' => Err(cursor.beyond(start, "a reference to a group")),
        '1'..='9' if !at.class && refers(cursor, c, at.groups) => {
            cursor.take(usize::MAX, |c| c.is_ascii_digit());
            Err(cursor.beyond(start, "a reference to a group"))
        }
        'b' | 'B' | 'A' | 'Z' | 'z' | 'G' | 'K' | 'N' | 'R' | 'X' => Ok(Escape::Letter(c)),
        'C' => Err(cursor.beyond(start, "a single byte")),
        c => character(cursor, start, c).map(Escape::Char),
    }
}

/// A character by its number, by a letter or by itself
fn character(cursor: &mut Cursor<'_>, start: usize, c: char) -> Result<char, Refusal> {
    match c {
        'a' => Ok('\u{7}'),
        'e' => Ok('\u{1b}'),
        'f' => Ok('\u{c}'),
        'n' => Ok('\n'),
        'r' => Ok('\r'),
        't' => Ok('\t'),
        'c' => match cursor.next() {
            Some(c @ ' '..='~') => Ok((c.to_ascii_uppercase() as u8 ^ 0x40) as char),
            _ => Err(cursor.wrong(start, r"`\c` without a character of ASCII after it")),
        },
        'x' if cursor.eat("{") => braces(cursor, start, 16),
        'x' => match cursor.take(2, |c| c.is_ascii_hexdigit()) {
            // Older versions read NUL, newer ones nothing at all.
            "" => Err(cursor.wrong(start, r"`\x` without a number")),
            digits => number(cursor, start, digits, 16),
        },
        'o' if cursor.eat("{") => braces(cursor, start, 8),
        '0'..='7' => {
            cursor.take(2, |c| matches!(c, '0'..='7'));
            let digits = cursor.since(start + 1);
            number(cursor, start, digits, 8)
        }
        '8' | '9' => Ok(c),
        c if c.is_ascii_alphanumeric() => {
            Err(cursor.wrong(start, "an escape that PCRE does not know"))
        }
        c => Ok(c),
    }
}

fn hexadecimal(cursor: &mut Cursor<'_>, start: usize) -> Result<Escape, Refusal> {
    braces(cursor, start, 16).map(Escape::Char)
}

/// A number up to the closing brace
fn braces(cursor: &mut Cursor<'_>, start: usize, radix: u32) -> Result<char, Refusal> {
    let digits = cursor.take(usize::MAX, |c| c.is_digit(radix));
    if digits.is_empty() || !cursor.eat("}") {
        return Err(cursor.wrong(start, "a character whose number cannot be read"));
    }
    number(cursor, start, digits, radix)
}

fn number(cursor: &Cursor<'_>, start: usize, digits: &str, radix: u32) -> Result<char, Refusal> {
    let digits = digits.trim_start_matches('0');
    let code = if digits.is_empty() { Ok(0) } else { u32::from_str_radix(digits, radix) };
    let character = code.ok().and_then(char::from_u32);
    character.ok_or_else(|| cursor.wrong(start, "a number that no character has"))
}

/// Whether digits refer to a group: one digit always does, more do when so many groups are open
/// before, and else are octal
fn refers(cursor: &Cursor<'_>, first: char, groups: usize) -> bool {
    let rest = cursor.rest();
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let number = format!("{first}{}", &rest[..end]).parse::<usize>();
    matches!(first, '8' | '9') || number.is_ok_and(|number| number < 10 || number <= groups)
}

/// General categories: their members are the same in both dialects, but for new characters
const CATEGORIES: &[&str] = &[
    "C", "Cc", "Cf", "Cn", "Co", "L", "Ll", "Lm", "Lo", "Lt", "Lu", "M", "Mc", "Me", "Mn", "N",
    "Nd", "Nl", "No", "P", "Pc", "Pd", "Pe", "Pf", "Pi", "Po", "Ps", "S", "Sc", "Sk", "Sm", "So",
    "Z", "Zl", "Zp", "Zs",
];

/// `\p` and `\P`
fn property(
    cursor: &mut Cursor<'_>,
    start: usize,
    negated: bool,
    flags: Flags,
) -> Result<Named, Refusal> {
    let (name, inverse) = match cursor.eat("{") {
        true => {
            let inverse = cursor.eat("^");
            let name = cursor.take(usize::MAX, |c| c != '}');
            if !cursor.eat("}") {
                return Err(cursor.wrong(start, "a property without a closing brace"));
            }
            (name, inverse)
        }
        false => (cursor.take(1, |_| true), false),
    };
    let name = if name == "L&" { "LC" } else { name };
    let letter = if negated == inverse { 'p' } else { 'P' };
    if matches!(name, "Lu" | "Ll" | "Lt") && flags.ignore_case {
        let reason =
            "a letter case without regard to case, which versions of PCRE read differently";
        return Err(cursor.beyond(start, reason));
    }
    if name != "LC" && !CATEGORIES.contains(&name) {
        let reason = "a property of characters other than a general category";
        return Err(cursor.beyond(start, reason));
    }
    Ok(Named(format!("\\{letter}{{{name}}}")))
}
