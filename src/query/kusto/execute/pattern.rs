//! Regular expressions: `matches regex`, `extract`, `replace_regex` and `trim`.
//!
//! In: a pattern and a text. Out: whether the pattern is found, a group of it, the text with another in
//! place of each match, or the text without it at its ends. Kusto's patterns are those of Rust's `regex` (Microsoft, "Regular expressions").

use regex::{NoExpand, Regex, RegexBuilder};

use super::Fault;
use super::value::Value;

/// The most memory of a compiled pattern: lists of hundreds of alternatives with Unicode letters need it
const SIZE: usize = 64 << 20;

pub(super) fn compile(pattern: &str) -> Result<Regex, Fault> {
    let compiled = RegexBuilder::new(pattern).size_limit(SIZE).build();
    compiled.map_err(|_| Fault::new(format!("the pattern `{pattern}`")))
}

/// A group of the first match; the empty text without one
pub(super) fn extract(regex: &Regex, group: usize, text: &str) -> Value {
    let part = regex.captures(text).and_then(|captures| captures.get(group));
    Value::text(part.map_or("", |part| part.as_str()))
}

/// The text with another in place of each match
pub(super) fn rewrite(regex: &Regex, text: &str, by: &str) -> Value {
    Value::text(regex.replace_all(text, NoExpand(by)))
}

/// The text without all matches at its start and its end
pub(super) fn trim(regex: &Regex, text: &str) -> Value {
    let mut rest = text;
    while let Some(first) = regex.find(rest).filter(|first| first.start() == 0 && !first.is_empty())
    {
        rest = &rest[first.end()..];
    }
    let mut end = rest.len();
    while let Some(last) = regex.find_iter(&rest[..end]).last()
        && last.end() == end
        && !last.is_empty()
    {
        end = last.start();
    }
    Value::text(&rest[..end])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_are_trimmed_groups_taken_and_matches_replaced() {
        // Microsoft's examples of `trim` and `extract`.
        let trimmed = |pattern: &str, text: &str| trim(&compile(pattern).unwrap(), text);
        assert_eq!(trimmed("--", "--https://bing.com--"), Value::text("https://bing.com"));
        assert_eq!(trimmed(r"[^\w]+", "-  Te st1// $"), Value::text("Te st1"));
        let of =
            |pattern: &str, group, text: &str| extract(&compile(pattern).unwrap(), group, text);
        assert_eq!(of("User: ([^,]+)", 1, "User: JohnDoe, Age: 29"), Value::text("JohnDoe"));
        assert_eq!(of("x=(a)(b)?", 2, "x=a"), Value::text(""));
        assert_eq!(of("x=(a)", 1, "none"), Value::text(""));
        let blanks = compile(r"\s+").unwrap();
        assert_eq!(rewrite(&blanks, " a  $0\tb", "-"), Value::text("-a-$0-b"));
    }
}
