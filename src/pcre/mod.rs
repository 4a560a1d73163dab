//! Reads a pattern of PCRE2 and prints it in the syntax of Rust's regex crate.
//!
//! In: a pattern, and the flags that hold from its start. Out: a pattern that is found in exactly
//! the same texts, or a [`Refusal`] with the place of what has no equivalent. What both dialects
//! read alike comes out unchanged.
//!
//! The pattern is read as PCRE2 reads it over Unicode text with its default options: `\w`, `\d`,
//! `\s`, `\b` and the POSIX classes know ASCII only (no UCP), letters are compared by Unicode's
//! simple case folding, a line ends with a line feed, `$` also stands before a last line feed. What
//! versions of PCRE read differently is refused. Only whether a text matches is kept: what a group
//! captures, and which of several matches is found, is not.
//!
//! INVARIANT: a character or a set of characters is printed only after the regex crate's own parser
//! has read the printed text back as the same set ([`set::choose`]).

mod class;
mod cursor;
mod escape;
mod flags;
mod follow;
mod group;
mod parse;
mod print;
mod set;
mod tree;

use std::ops::Range;

pub use flags::Flags;

/// The place in a pattern that cannot be had, and why
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Bytes of the pattern
    pub range: Range<usize>,
    /// Whether PCRE reads the place; else it is a mistake of the author
    pub reads: bool,
    /// A noun phrase for what stands there, or for what is wrong
    pub reason: String,
}

/// The same pattern in the syntax of Rust's regex crate
///
/// # Errors
/// The first place that PCRE cannot read, or that has no equivalent.
pub fn translate(pattern: &str, flags: Flags) -> Result<String, Refusal> {
    let tree = parse::parse(pattern, flags)?;
    follow::check(&tree)?;
    Ok(print::print(&tree))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pattern: &str) -> String {
        translate(pattern, Flags::default()).unwrap_or_else(|refusal| refusal.reason)
    }

    #[test]
    fn what_both_read_alike_stays_as_it_is() {
        for pattern in [
            r#"(?i)cmd(\.exe)?\" /c [^a-z]{2,}?|(?:x)+\-\/"#,
            r"^C:\\Users\\[^\\]+\\x\.dll",
            r"(?<name>é|[]a-f-]*)(?P<other>a)(?im-s:b)\x41\n",
            r"[[:alpha:]_.]{3}\z",
        ] {
            assert_eq!(read(pattern), pattern);
        }
    }

    #[test]
    fn what_they_read_differently_is_written_anew() {
        for (pattern, written) in [
            (r"\s\>\d\w", "[[:space:]]>[0-9][[:word:]]"),
            (r"x[|&&;]y[+--]", r"x[|\&\&;]y[+-\-]"),
            (r"[[a][\w-]", r"[\[a][[:word:]\-]"),
            ("{d}a{", r"\{d}a\{"),
            (r"(?:a|b$)", r"(?:a|b\n?$)"),
            (r"(?m)a$", "(?m)a$"),
            (r"\ba\Qx.y\E+", r"(?-u:\b)ax\.y+"),
            (r"(?x) a b # c", "ab"),
            (r"(?i)\w[\wk]", r"(?i)(?-i:[[:word:]])(?-i:[0-9A-Z_a-z\x{212a}])"),
            (r"a\Kb(?#c)\012\e(?'n'c)", r"ab\n\x{1b}(?<n>c)"),
            (r"(?>a+)", "(?:a+)"),
        ] {
            assert_eq!(read(pattern), written, "{pattern}");
        }
    }

    #[test]
    fn what_has_no_equivalent_is_refused_at_its_place() {
        for (pattern, place) in [
            (r"ab(?!c)", "(?!"),
            (r"(a)\1", r"\1"),
            ("a(?>b+)c", "(?>"),
            ("a++b", "++"),
            (r"a$\s", "$"),
            ("a{,3}", "{,3}"),
            (r"a\yb", r"\y"),
            (r"a[\w-z]", "z"),
            ("(*ACCEPT)a", "(*ACCEPT)"),
        ] {
            let refusal = translate(pattern, Flags::default()).unwrap_err();
            assert_eq!(&pattern[refusal.range], place, "{pattern}: {}", refusal.reason);
        }
    }
}
