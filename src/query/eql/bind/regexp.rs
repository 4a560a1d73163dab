//! Tells whether Lucene reads a regular expression.
//!
//! In: its text. Out: nothing, or why Lucene refuses it or its versions read it differently. All
//! optional operators are on in EQL: `~`, `&`, `#`, `@`, quotes and `<1-9>`.
//!
//! Source: Elasticsearch, regular expression syntax; Lucene, `RegExp`. `^` and `$` are letters.

use std::iter::Peekable;
use std::str::Chars;

/// The most characters of a regular expression (Elasticsearch, `index.max_regex_length`)
const MOST: usize = 1_000;

/// Reads a regular expression
///
/// # Errors
/// What Lucene does not take: a clause without a period.
pub(super) fn check(written: &str) -> Result<(), &'static str> {
    if written.chars().count() > MOST {
        return Err("it is longer than the 1,000 characters of Elasticsearch");
    }
    let mut letters = written.chars().peekable();
    let mut depth = 0usize;
    // Whether the alternative has nothing in it yet
    let mut empty = true;
    while let Some(letter) = letters.next() {
        match letter {
            '(' if letters.next_if_eq(&')').is_some() => empty = false,
            '(' => {
                depth += 1;
                empty = true;
            }
            ')' => {
                depth = depth.checked_sub(1).ok_or("a bracket is closed that is not open")?;
                filled(empty)?;
            }
            '|' | '&' => {
                filled(empty)?;
                empty = true;
            }
            // What is repeated or taken back must stand there.
            '*' | '+' | '?' | '{' if empty => return Err("it repeats nothing"),
            '*' | '+' | '?' | '~' => {}
            '{' => repetition(&mut letters)?,
            '[' => {
                class(&mut letters)?;
                empty = false;
            }
            '\\' => {
                escaped(&mut letters)?;
                empty = false;
            }
            '"' => {
                letters.find(|c| *c == '"').ok_or("a quotation mark has no partner")?;
                empty = false;
            }
            '<' => {
                interval(&mut letters)?;
                empty = false;
            }
            _ => empty = false,
        }
    }
    if depth > 0 {
        return Err("a bracket is not closed");
    }
    if written.is_empty() { Ok(()) } else { filled(empty) }
}

fn filled(empty: bool) -> Result<(), &'static str> {
    if empty { Err("an alternative is empty") } else { Ok(()) }
}

fn escaped(letters: &mut Peekable<Chars<'_>>) -> Result<char, &'static str> {
    let letter = letters.next().ok_or("a backslash stands at its end")?;
    let known = !letter.is_alphanumeric() || "dDsSwW".contains(letter);
    if known { Ok(letter) } else { Err("a letter or digit stands behind a backslash") }
}

/// `{n}`, `{n,}` or `{n,m}`, behind its bracket
fn repetition(letters: &mut Peekable<Chars<'_>>) -> Result<(), &'static str> {
    const WRONG: &str = "a repetition is not `{n}`, `{n,}` or `{n,m}`";
    let inside: String = letters.by_ref().take_while(|c| *c != '}').collect();
    let (least, most) = inside.split_once(',').unwrap_or((&inside, ""));
    let number = |digits: &str| digits.parse::<u16>().map_err(|_| WRONG);
    let least = number(least)?;
    if !most.is_empty() && number(most)? < least { Err(WRONG) } else { Ok(()) }
}

/// `<n-m>`, behind its bracket
fn interval(letters: &mut Peekable<Chars<'_>>) -> Result<(), &'static str> {
    let inside: String = letters.by_ref().take_while(|c| *c != '>').collect();
    let numbers = inside.split_once('-').map(|(one, other)| [one, other]);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    match numbers {
        Some(numbers) if numbers.into_iter().all(digits) => Ok(()),
        _ => Err("`<` begins a range of numbers"),
    }
}

/// `[…]`, behind its first bracket
fn class(letters: &mut Peekable<Chars<'_>>) -> Result<(), &'static str> {
    const OPEN: &str = "a square bracket is not closed";
    letters.next_if_eq(&'^');
    if letters.peek() == Some(&']') {
        return Err("square brackets are empty");
    }
    loop {
        let start = match letters.next().ok_or(OPEN)? {
            ']' => return Ok(()),
            '\\' => escaped(letters)?,
            letter => letter,
        };
        if letters.next_if_eq(&'-').is_some() {
            let end = match letters.next().ok_or(OPEN)? {
                ']' => return Err("a `-` stands at the end of square brackets"),
                '\\' => escaped(letters)?,
                letter => letter,
            };
            if end < start {
                return Err("a range in square brackets runs backwards");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lucene_takes_is_taken() {
        for fine in [
            "",
            "^cmd$",
            r"php\d\.\d",
            "a{2,3}b{1,}c{4}",
            "()",
            "(a|b)*?",
            "[^a-z_.]",
            r#""a|"<1-20>~(x)&y"#,
            r"[\d\-]",
            "#",
            "@",
        ] {
            assert_eq!(check(fine), Ok(()), "{fine}");
        }
    }

    #[test]
    fn what_lucene_refuses_is_refused() {
        let long = "a".repeat(1_001);
        for wrong in [
            r"\n", r"\x41", r"a\", "a{,3}", "a{3,2}", "a{", "a|", "(|a)", "|a", "(a|)", "[a-]",
            "[]", "[a", "[z-a]", "(a", "a)", "*a", "\"a", "<a>", "a&", &long,
        ] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }
}
