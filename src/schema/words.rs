//! The lists of words that keys take, by the names that the tables of keys give them.
//!
//! In: the name of a list, such as `level`. Out: its words, from the types and tables that the readers
//! check them with.

use crate::backend::{Target, Weight};
use crate::definition::vocabulary;
use crate::definition::{CorrelationType, EXPECTATIONS, Level, RELATIONS, Status, Window};
use crate::manifest::LossName;
use crate::mapping;
use crate::taxonomy::{EventKind, Log, Product};

/// The words of a list
#[derive(Debug)]
pub(crate) struct Words {
    /// The words, in the order of their table
    pub(crate) words: Vec<&'static str>,
    /// Whether the reader takes no other word
    pub(crate) closed: bool,
}

/// The words of a list with this name; `None` when there is no such list
pub(crate) fn of(list: &str) -> Option<Words> {
    let words: Vec<&'static str> = match list {
        "level" => Level::ALL.iter().map(|one| one.as_str()).collect(),
        "status" => Status::ALL.iter().map(|one| one.as_str()).collect(),
        "taxonomy" => vec!["sigma"],
        "relation" => RELATIONS.to_vec(),
        "event" => EventKind::ALL.iter().map(EventKind::name).chain(Log::names()).collect(),
        "product" => Product::ALL.iter().map(|one| one.name()).collect(),
        "correlation" => CorrelationType::ALL.iter().map(|one| one.as_str()).collect(),
        "window" => Window::ALL.iter().map(|one| one.as_str()).collect(),
        "expectation" => EXPECTATIONS.iter().map(|(word, _)| *word).collect(),
        "category" => return Some(open(EventKind::categories().chain(Log::words_of(0)))),
        "log product" => {
            let systems = Product::ALL.iter().map(|one| one.name());
            return Some(open(systems.chain(Log::words_of(1))));
        }
        "service" => return Some(open(Log::words_of(2))),
        "loss" => LossName::ALL.iter().map(|one| one.name()).collect(),
        "target" => Target::ALL.iter().map(|one| one.name()).collect(),
        "weight" => Weight::ALL.iter().map(|one| one.name()).collect(),
        #[cfg(feature = "project")]
        "check weight" => {
            crate::project::config::CHECK_WEIGHTS.iter().map(|(word, _)| *word).collect()
        }
        "action" => crate::taxonomy::ACTIONS.to_vec(),
        "word" => vocabulary::WORDS.iter().map(|word| word.name).collect(),
        other => return mapping::words(other).map(|words| Words { words, closed: true }),
    };
    Some(Words { words, closed: true })
}

/// A list beside which the reader takes any other word
fn open(words: impl Iterator<Item = &'static str>) -> Words {
    let mut words: Vec<&str> = words.collect();
    words.sort_unstable();
    words.dedup();
    Words { words, closed: false }
}

#[test]
fn every_list_that_a_table_names_exists() {
    use crate::yaml::Shape;
    fn lists(shape: &Shape) -> Vec<&'static str> {
        match shape {
            Shape::Word(list) => vec![list],
            Shape::Some(inner) | Shape::List(inner) | Shape::Names(inner) | Shape::Map(inner) => {
                lists(inner)
            }
            Shape::Either(one, other) => [lists(one), lists(other)].concat(),
            Shape::Text
            | Shape::Format(_)
            | Shape::Whole(..)
            | Shape::Truth
            | Shape::Values
            | Shape::Any
            | Shape::Own(_)
            | Shape::In(_) => Vec::new(),
        }
    }
    for list in super::tables().flat_map(|keys| keys.all().flat_map(|row| lists(&row.shape))) {
        let pattern = matches!(list, "technique" | "tag");
        assert!(pattern || of(list).is_some_and(|one| !one.words.is_empty()), "{list}");
    }
}
