//! Parts of a field that a target keeps apart.
//!
//! In: a word of a mapping. Out: the part of the field that a column or an index field holds.

/// The part of a field that a column or an index field holds
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Holds {
    /// All of it
    Whole,
    /// The base name of a path, or the name of an account
    Name,
    /// The domain of an account
    Domain,
    /// The extension of a path
    Extension,
    /// Each argument of a command line
    Argument,
    /// A registry key with the name of the value behind it
    Key,
    /// The value by which a new term is known
    Term,
}

impl Holds {
    const WORDS: &[(&str, Holds)] = &[
        ("whole", Holds::Whole),
        ("name", Holds::Name),
        ("domain", Holds::Domain),
        ("extension", Holds::Extension),
        ("argument", Holds::Argument),
        ("key", Holds::Key),
        ("term", Holds::Term),
    ];

    /// The part with this word
    pub(super) fn named(word: &str) -> Option<Holds> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, part)| *part)
    }

    /// Its word
    pub(super) fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, part)| *part == self).map_or("", |(word, _)| word)
    }

    /// The words for parts
    pub(super) fn words() -> impl Iterator<Item = &'static str> {
        Self::WORDS.iter().map(|(word, _)| *word)
    }
}
