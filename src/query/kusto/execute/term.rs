//! Tests of text: parts, ends, and the terms of `has`.
//!
//! In: a text and what is sought in it. Out: whether it is there. A term is a longest run of letters and
//! digits; `has` finds what stands between the borders of terms wherever it begins or ends with a
//! letter or digit itself.
//!
//! Source: Microsoft's reference, "String operators" (Understanding string terms).

use std::borrow::Cow;

/// A relation between a text and what is sought
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    Equals,
    Contains,
    Starts,
    Ends,
    Has,
}

/// A test of a text
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct TextTest {
    pub(super) relation: Relation,
    pub(super) cased: bool,
    pub(super) negated: bool,
}

impl TextTest {
    /// The test of an operator; `None` when it is no test of texts alone
    pub(super) fn of(operator: &str) -> Option<TextTest> {
        let (relation, cased, negated) = match operator {
            "=~" => (Relation::Equals, false, false),
            "!~" => (Relation::Equals, false, true),
            _ => {
                let (word, negated) = match operator.strip_prefix('!') {
                    Some(word) => (word, true),
                    None => (operator, false),
                };
                let (word, cased) = match word.strip_suffix("_cs") {
                    Some(word) => (word, true),
                    None => (word, false),
                };
                let relation = match word {
                    "contains" => Relation::Contains,
                    "startswith" => Relation::Starts,
                    "endswith" => Relation::Ends,
                    "has" => Relation::Has,
                    _ => return None,
                };
                (relation, cased, negated)
            }
        };
        Some(TextTest { relation, cased, negated })
    }

    /// What a text is compared as
    pub(super) fn folded<'t>(&self, text: &'t str) -> Cow<'t, str> {
        if self.cased { Cow::Borrowed(text) } else { fold(text) }
    }

    /// Whether a folded text passes with what is sought, folded too
    pub(super) fn holds(&self, text: &str, sought: &str) -> bool {
        let found = match self.relation {
            Relation::Equals => text == sought,
            Relation::Contains => text.contains(sought),
            Relation::Starts => text.starts_with(sought),
            Relation::Ends => text.ends_with(sought),
            Relation::Has => has(text, sought),
        };
        found != self.negated
    }
}

/// A text without letter case
pub(super) fn fold(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        return match text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            true => Cow::Owned(text.to_ascii_lowercase()),
            false => Cow::Borrowed(text),
        };
    }
    let lower = |c: char| {
        let mut all = c.to_lowercase();
        // A letter that becomes two stays as it is.
        all.next().filter(|_| all.next().is_none()).unwrap_or(c)
    };
    Cow::Owned(text.chars().map(lower).collect())
}

/// Whether a text has what is sought, between the borders of terms
pub(super) fn has(text: &str, sought: &str) -> bool {
    let is_term = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    if sought.is_empty() {
        return true;
    }
    let (first, last) = (is_term(sought.chars().next()), is_term(sought.chars().next_back()));
    let step = sought.chars().next().map_or(1, char::len_utf8);
    let mut from = 0;
    while let Some(at) = text[from..].find(sought).map(|at| at + from) {
        let (before, after) = (&text[..at], &text[at + sought.len()..]);
        let cut =
            first && is_term(before.chars().next_back()) || last && is_term(after.chars().next());
        if !cut {
            return true;
        }
        from = at + step;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(text: &str, operator: &str, sought: &str) -> bool {
        let test = TextTest::of(operator).unwrap();
        test.holds(&test.folded(text), &test.folded(sought))
    }

    #[test]
    fn terms_are_whole_and_separators_are_not_letters() {
        // Microsoft, "String operators": "North America" has no "amer", and contains it.
        assert!(test("North America", "!has", "amer") && test("North America", "contains", "amer"));
        assert!(
            test("North America", "has", "america") && !test("North America", "has_cs", "america")
        );
        // A separator at an end of what is sought needs no border.
        assert!(test("a/resourcegroups/test.rg1?api", "has", "/resourcegroups/test.rg1?"));
        assert!(test(r"C:\inetpub\x", "has", r"\inetpub\"));
        assert!(test("a.php-old", "has", ".php") && !test("a.php5", "has", ".php"));
        assert!(test("x_cmd.exe", "has", "cmd.exe") && !test("mycmd.exe", "has", "cmd.exe"));
        assert!(test("xabc abc", "has", "abc"), "the second place counts");
        assert!(test("anything", "has", ""));
    }

    #[test]
    fn letter_case_counts_where_the_operator_says_so() {
        // Microsoft's table of string operators.
        assert!(test("abc", "=~", "ABC") && !test("aBc", "!~", "AbC"));
        assert!(test("FooBarBar", "contains", "ARba") && test("FooBarBar", "!contains_cs", "ARba"));
        assert!(test("Fabrikam", "endswith", "Kam") && !test("Fabrikam", "endswith_cs", "Kam"));
        assert!(test("Fabrikam", "startswith", "fab") && test("Fabrikam", "!startswith_cs", "fab"));
        assert!(test("GRÜẞE", "=~", "grüße"));
    }
}
