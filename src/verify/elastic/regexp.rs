//! Regular expressions as Lucene reads them.
//!
//! In: the text of a `regexp` query with `flags: NONE`. Out: an expression of the crate `regex` that
//! fits the same whole values. What Lucene versions read differently is refused.
//!
//! Source: Lucene, `RegExp`: `.` is any character; a backslash takes the meaning of the next
//! character, but a letter or digit behind it may be a class; brackets have no empty class.

use std::fmt::Write;
use std::iter::Peekable;
use std::str::Chars;

use regex::Regex;

use crate::query::Error;

/// Reads a regular expression; `fold` compares letters of ASCII without their case
pub(in crate::verify) fn read(written: &str, fold: bool) -> Result<Regex, Error> {
    let mut out = String::from(r"\A(?s)(?:");
    let mut letters = written.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => push(escaped(&mut letters, written)?, fold, &mut out),
            '[' => class(&mut letters, written, &mut out)?,
            // Lucene takes the next sign after these two as text, but for `()`.
            '(' if letters.peek() == Some(&'|') => return Err(odd(written)),
            '|' if matches!(letters.peek(), None | Some('|' | ')')) => return Err(odd(written)),
            '|' if out.ends_with("(?:") => return Err(odd(written)),
            '(' => out.push_str("(?:"),
            '.' | ')' | '|' | '*' | '+' | '?' => out.push(letter),
            '{' => repetition(&mut letters, written, &mut out)?,
            other => push(other, fold, &mut out),
        }
    }
    out.push_str(r")\z");
    Regex::new(&out).map_err(|_| odd(written))
}

fn odd(written: &str) -> Error {
    Error::new(format!("the regular expression `{written}` is not judged here"))
}

fn push(letter: char, fold: bool, out: &mut String) {
    if fold && letter.is_ascii_alphabetic() {
        let (lower, upper) = (letter.to_ascii_lowercase(), letter.to_ascii_uppercase());
        out.extend(['[', lower, upper, ']']);
    } else {
        out.push_str(&regex::escape(letter.encode_utf8(&mut [0; 4])));
    }
}

fn escaped(letters: &mut Peekable<Chars<'_>>, written: &str) -> Result<char, Error> {
    letters.next().filter(|letter| !letter.is_alphanumeric()).ok_or_else(|| odd(written))
}

/// `[…]`, up to its end
fn class(letters: &mut Peekable<Chars<'_>>, written: &str, out: &mut String) -> Result<(), Error> {
    out.push('[');
    if letters.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    loop {
        let start = match letters.next().ok_or_else(|| odd(written))? {
            ']' => break,
            '\\' => escaped(letters, written)?,
            letter => letter,
        };
        let mut end = start;
        if letters.next_if_eq(&'-').is_some() {
            end = match letters.next().ok_or_else(|| odd(written))? {
                '\\' => escaped(letters, written)?,
                letter => letter,
            };
        }
        // A `String` takes every text.
        let _ = write!(out, r"\x{{{:x}}}-\x{{{:x}}}", u32::from(start), u32::from(end));
    }
    out.push(']');
    Ok(())
}

/// `{n}`, `{n,}` or `{n,m}`
fn repetition(
    letters: &mut Peekable<Chars<'_>>,
    written: &str,
    out: &mut String,
) -> Result<(), Error> {
    out.push('{');
    for letter in letters.by_ref() {
        out.push(letter);
        match letter {
            '}' => return Ok(()),
            ',' | '0'..='9' => {}
            _ => break,
        }
    }
    Err(odd(written))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::elasticsearch::lucene;

    #[test]
    fn a_value_is_compared_as_a_whole() {
        let fits = |written: &str, value: &str| read(written, false).unwrap().is_match(value);
        assert!(fits(r"a\.b", "a.b") && !fits(r"a\.b", "a.bc") && !fits(r"a\.b", "axb"));
        assert!(fits("a.*", "a\n") && fits("[^a-c]", "d") && !fits("[^a-c]", "b"));
        assert!(fits("(ab|c){2,3}", "abc") && !fits("(ab|c){2,3}", "c") && fits("()", ""));
        assert!(read("a", true).unwrap().is_match("A"));
        assert!(read(r"\d", false).is_err() && read("[a", false).is_err());
        assert!(["a|", "|a", "(|a)", "(a|)", "a||b"].iter().all(|odd| read(odd, false).is_err()));
    }

    #[test]
    fn it_means_what_the_expression_of_a_rule_means() {
        let expressions = [
            "a+b",
            "^a.c$",
            r"(?i)ps\s*-e",
            "^(?:cmd|powershell)",
            r"\.(?:exe|dll)$",
            "x{2,4}y?",
            "[^a-z]{2}",
            r"a\\b",
            "^$",
            "a|^b|c$",
            r"(?s)a.b",
            r"\$\{[^}]+\}",
            "(?:^|x)ab|b(?:$|c)",
        ];
        let texts = [
            "",
            "ab",
            "aab x",
            "abc",
            "a\nc",
            "PS -E",
            "ps\u{a0}-e",
            "cmd.exe",
            "x.DLL",
            "xxy",
            "XX12",
            r"a\b",
            "b",
            "zc",
            "a\nb",
            "${jndi}",
        ];
        for expression in expressions {
            let (one, other) = (Regex::new(expression).unwrap(), lucene(expression).unwrap());
            let other = read(&other.written, other.fold).unwrap();
            for text in texts {
                assert_eq!(one.is_match(text), other.is_match(text), "{expression} on {text:?}");
            }
        }
    }
}
