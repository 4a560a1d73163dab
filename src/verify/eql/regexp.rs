//! Regular expressions as a query of EQL has them.
//!
//! In: the pattern of `regex`. Out: an expression of the crate `regex` that fits the same whole values.
//! All optional operators of Lucene are on, so their characters mean something; patterns with them
//! are refused. `\d`, `\w` and `\s` are classes of ASCII.
//!
//! Source: Lucene, `RegExp`: `^` and `$` are letters; a mark behind a repetition repeats it.

use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

use crate::query::Error;
use crate::verify::elastic::regexp;

/// The most characters of a regular expression (Elasticsearch, `index.max_regex_length`)
const MOST: usize = 1_000;

/// What stands before the next character
#[derive(PartialEq)]
enum Before {
    /// The start, `(` or `|`
    Nothing(char),
    Item,
    /// A repetition, and whether the repeated part can be left out
    Repetition(bool),
}

/// Reads a regular expression; `fold` compares letters of ASCII without their case, but not in brackets
pub(super) fn read(written: &str, fold: bool) -> Result<Regex, Error> {
    let odd = || Error::new(format!("the regular expression `{written}` is not judged here"));
    if written.chars().count() > MOST {
        return Err(Error::new("a regular expression has more than 1,000 characters"));
    }
    let mut out = String::new();
    let mut before = Before::Nothing('^');
    let mut letters = written.chars().peekable();
    while let Some(letter) = letters.next() {
        before = match letter {
            '\\' => {
                out.push_str(&escaped(&mut letters).ok_or_else(odd)?);
                Before::Item
            }
            '[' => {
                class(&mut letters, &mut out).ok_or_else(odd)?;
                Before::Item
            }
            '"' | '#' | '&' | '<' | '>' | '@' | '~' => return Err(odd()),
            '(' if letters.peek() != Some(&'?') => pushed(letter, Before::Nothing('('), &mut out),
            '|' if matches!(before, Before::Nothing(_)) => return Err(odd()),
            '|' => pushed(letter, Before::Nothing('|'), &mut out),
            ')' if before == Before::Nothing('|') => return Err(odd()),
            ')' => pushed(letter, Before::Item, &mut out),
            '*' | '+' | '?' | '{' => {
                // Rust would read a lazy mark, where Lucene lets the repetition be left out.
                let lazy = before == Before::Repetition(false) && letter == '?';
                let unsaid = letter == '{' && letters.peek() == Some(&',');
                if lazy || unsaid || matches!(before, Before::Nothing(_)) {
                    return Err(odd());
                }
                out.push(letter);
                if letter == '{' {
                    out.extend(letters.by_ref().take_while(|letter| *letter != '}').chain(['}']));
                }
                Before::Repetition(matches!(letter, '*' | '?'))
            }
            '(' => return Err(odd()),
            other => pushed(other, Before::Item, &mut out),
        };
    }
    if before == Before::Nothing('|') { Err(odd()) } else { regexp::read(&out, fold) }
}

fn pushed(letter: char, before: Before, out: &mut String) -> Before {
    out.push(letter);
    before
}

/// The members of a class of ASCII
fn members(letter: char) -> Option<&'static str> {
    match letter.to_ascii_lowercase() {
        'd' => Some("0-9"),
        'w' => Some("0-9A-Z_a-z"),
        's' => Some(" \t\n\r"),
        _ => None,
    }
}

fn escaped(letters: &mut Peekable<Chars<'_>>) -> Option<String> {
    let letter = letters.next()?;
    Some(match members(letter) {
        Some(members) if letter.is_ascii_uppercase() => format!("[^{members}]"),
        Some(members) => format!("[{members}]"),
        None => format!("\\{letter}"),
    })
}

/// `[…]`, up to its end
fn class(letters: &mut Peekable<Chars<'_>>, out: &mut String) -> Option<()> {
    out.push('[');
    loop {
        let letter = letters.next()?;
        if letter != '\\' {
            out.push(letter);
            if letter == ']' {
                return Some(());
            }
            continue;
        }
        let letter = letters.next()?;
        let Some(members) = members(letter) else {
            out.extend(['\\', letter]);
            continue;
        };
        let in_range = out.ends_with('-') || letters.peek() == Some(&'-');
        if in_range || letter.is_ascii_uppercase() {
            return None;
        }
        out.push_str(members);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fits(written: &str, value: &str) -> bool {
        read(written, false).unwrap().is_match(value)
    }

    #[test]
    fn whole_values_are_compared_and_marks_of_position_are_letters() {
        assert!(fits("cmd", "cmd") && !fits("cmd", "cmd.exe"));
        assert!(fits("^cmd$", "^cmd$") && !fits("^cmd$", "cmd"));
        assert!(fits("a.b", "a\nb") && fits("a*?b{2,3}", "bb") && fits("", "") && fits("()", ""));
    }

    #[test]
    fn classes_have_only_ascii() {
        assert!(fits(r"php\d\.[\d.]+", "php8.1.2") && !fits(r"\d", "\u{668}"));
        assert!(fits(r"\S\s\W", "ä\t-") && !fits(r"\s", "\u{a0}"));
    }

    #[test]
    fn brackets_keep_their_case() {
        let read = |written: &str| read(written, true).unwrap();
        assert!(read("PHP[0-9]?").is_match("php8") && !read("[a]b").is_match("Ab"));
    }

    #[test]
    fn what_may_mean_something_else_is_refused() {
        let long = "a".repeat(1001);
        for odd in [
            "a@", "a&b", "~a", "<1-2>", "a#", "\"a\"", "(?i)a", "a+?", "a{2}?", "a{,2}", "a|", "|a",
        ] {
            assert!(read(odd, false).is_err(), "{odd}");
        }
        for odd in ["(|a)", "(a|)", "*a", r"\n", r"[\D]", "[a-]", "[a", "(a", long.as_str()] {
            assert!(read(odd, false).is_err(), "{odd}");
        }
    }
}
