//! Comparisons of text.
//!
//! In: nothing; these are types. Out: [`TextTest`], the one form in which a relation travels with
//! its values and its case. [`Op`](super::Op) says what a missing field means.

use crate::pattern::{Pattern, fold_text};

/// A comparison of text with patterns; true when one of the patterns fits
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct TextTest {
    /// How the text compares with each pattern
    pub relation: Relation,
    /// The patterns
    pub values: Vec<Pattern>,
    /// Whether letter case counts
    pub case: Case,
}

/// How text and pattern compare
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Relation {
    /// The whole text is the literal
    Equals,
    /// The text starts with the literal
    Starts,
    /// The text ends with the literal
    Ends,
    /// The literal occurs in the text
    Contains,
    /// The whole text fits the pattern with its wildcards
    Wildcard,
}

impl Relation {
    /// Whether a text and a literal compare so, both folded or both not; never for a pattern with wildcards
    pub fn holds(self, text: &str, literal: &str) -> bool {
        match self {
            Relation::Equals => text == literal,
            Relation::Starts => text.starts_with(literal),
            Relation::Ends => text.ends_with(literal),
            Relation::Contains => text.contains(literal),
            Relation::Wildcard => false,
        }
    }

    /// Its name, as Sigma's modifiers call it where they have it
    pub fn name(self) -> &'static str {
        match self {
            Relation::Equals => "equals",
            Relation::Starts => "startswith",
            Relation::Ends => "endswith",
            Relation::Contains => "contains",
            Relation::Wildcard => "wildcard",
        }
    }
}

/// Whether letter case counts
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Case {
    /// Letters are equal as [`fold`](crate::pattern::fold) defines
    Insensitive,
    /// Every character equals only itself
    Sensitive,
}

impl TextTest {
    /// A test of one pattern
    pub fn one(relation: Relation, value: Pattern, case: Case) -> TextTest {
        TextTest { relation, values: vec![value], case }
    }

    /// Equality with a word, whatever its letter case
    pub fn word(word: &str) -> TextTest {
        TextTest::one(Relation::Equals, Pattern::literal(word), Case::Insensitive)
    }

    /// The same comparison with other patterns
    #[must_use]
    pub fn with(&self, values: Vec<Pattern>) -> TextTest {
        TextTest { relation: self.relation, values, case: self.case }
    }

    /// Whether letters are equal to those of the other case
    pub fn folds(&self) -> bool {
        self.case == Case::Insensitive
    }

    /// The patterns without wildcards
    pub fn literals(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter_map(Pattern::as_literal)
    }

    /// Whether one of the patterns is this literal
    pub fn has(&self, literal: &str) -> bool {
        self.literals().any(|value| value == literal)
    }

    /// Whether a text may pass, letter case aside; a text that passes a pattern with wildcards has each
    /// of its literals
    pub fn may_take(&self, text: &str) -> bool {
        let text = fold_text(text);
        self.values.iter().any(|value| match value.as_literal() {
            Some(literal) if self.relation != Relation::Wildcard => {
                self.relation.holds(&text, &fold_text(literal))
            }
            Some(_) | None => value.literals().all(|part| text.contains(&fold_text(part))),
        })
    }

    /// The pattern, when it is the only one and has no wildcard
    pub fn only(&self) -> Option<&str> {
        match &*self.values {
            [only] => only.as_literal(),
            _ => None,
        }
    }
}
