//! The web-shell vocabulary: words that mean what a detection engineer means.
//!
//! In: a key such as `parents`. Out: the field it stands for on each kind of event and how its
//! values are read. A word is never a second spelling of a field: it brings its own default
//! comparison, which Sigma modifiers change.

use crate::taxonomy::{EventKind, Field};

/// How the values of a word are read when no modifier says otherwise
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reading {
    /// A base name, whole; with a slash in it the whole path
    Program,
    /// The whole value
    Whole,
    /// One argument, whole
    Argument,
    /// An account name, whole; with a backslash in it domain and name
    Account,
    /// A run of whole directory segments
    Directories,
    /// The last extension, with or without its dot
    Extension,
    /// What happened to a file
    Action,
    /// `public`, `private`, `loopback` or networks
    Remote,
    /// Numbers and ranges of numbers
    Numbers,
}

/// A word of the vocabulary
#[derive(Debug)]
pub struct Word {
    /// The key
    pub name: &'static str,
    /// How its values are read
    pub reading: Reading,
    /// What it means, for `list fields`
    pub says: &'static str,
    fields: &'static [(EventKind, &'static str)],
}

impl Word {
    /// The word with this name
    pub fn named(name: &str) -> Option<&'static Word> {
        WORDS.iter().find(|word| word.name == name)
    }

    /// The field it stands for on this kind of event
    pub fn field(&self, kind: EventKind) -> Option<Field> {
        let (_, field) = self.fields.iter().find(|(on, _)| *on == kind)?;
        Field::named(field)
    }

    /// The kinds of event that have it
    pub fn events(&self) -> impl Iterator<Item = EventKind> {
        self.fields.iter().map(|(kind, _)| *kind)
    }
}

use EventKind::{FileEvent as File, NetworkConnection as Net, ProcessCreation as Start};

/// Every word, by name
pub const WORDS: &[Word] = &[
    Word {
        name: "actions",
        reading: Reading::Action,
        says: "what happened: created, modified, renamed, deleted",
        fields: &[(File, "Action")],
    },
    Word {
        name: "arguments",
        reading: Reading::Argument,
        says: "one argument of the command line, whole",
        fields: &[(Start, "CommandLine")],
    },
    Word {
        name: "children",
        reading: Reading::Program,
        says: "name of the started program; with a slash, its whole path",
        fields: &[(Start, "Image")],
    },
    Word {
        name: "command_lines",
        reading: Reading::Whole,
        says: "the command line, whole",
        fields: &[(Start, "CommandLine")],
    },
    Word {
        name: "extensions",
        reading: Reading::Extension,
        says: "the last extension of the file",
        fields: &[(File, "TargetFilename")],
    },
    Word {
        name: "grandparents",
        reading: Reading::Program,
        says: "name of the parent's parent; with a slash, its whole path",
        fields: &[(Start, "GrandparentImage")],
    },
    Word {
        name: "parent_arguments",
        reading: Reading::Argument,
        says: "one argument of the parent's command line, whole",
        fields: &[(Start, "ParentCommandLine")],
    },
    Word {
        name: "parent_command_lines",
        reading: Reading::Whole,
        says: "the parent's command line, whole",
        fields: &[(Start, "ParentCommandLine")],
    },
    Word {
        name: "parents",
        reading: Reading::Program,
        says: "name of the program that started it; with a slash, its whole path",
        fields: &[(Start, "ParentImage")],
    },
    Word {
        name: "paths",
        reading: Reading::Directories,
        says: "a run of whole directories anywhere in the path, never the file name",
        fields: &[(File, "TargetFilename"), (Start, "Image")],
    },
    Word {
        name: "ports",
        reading: Reading::Numbers,
        says: "the remote port: numbers and ranges",
        fields: &[(Net, "DestinationPort")],
    },
    Word {
        name: "processes",
        reading: Reading::Program,
        says: "name of the program that acted; with a slash, its whole path",
        fields: &[(File, "Image"), (Net, "Image")],
    },
    Word {
        name: "remote",
        reading: Reading::Remote,
        says: "the remote address: public, private, loopback, or networks",
        fields: &[(Net, "DestinationIp")],
    },
    Word {
        name: "users",
        reading: Reading::Account,
        says: "the account's name; with a backslash, domain and name",
        fields: &[(Start, "User"), (File, "User"), (Net, "User")],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted_and_stand_for_fields_that_their_events_have() {
        assert!(WORDS.iter().map(|word| word.name).is_sorted());
        for word in WORDS {
            for kind in word.events() {
                assert!(word.field(kind).is_some_and(|f| f.belongs_to(kind)), "{}", word.name);
            }
        }
    }
}
