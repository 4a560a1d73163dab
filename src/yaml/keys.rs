//! Tables of keys: which keys a map of a document has, and what each of them takes.
//!
//! In: a table of tab-separated lines, the place of a map first. Out: [`Keys`], by place. The readers
//! of documents ask it which keys are known; the JSON Schema and the editor are made from the same
//! rows, so that none of them can know another key than the reader.
//!
//! A place is a kind of map, such as `signal`. The key `*` stands for every other key of the map.

use std::collections::HashMap;

/// A key of a map
#[derive(Debug)]
pub(crate) struct KeyRow {
    /// Its name; `*` for every other key
    pub(crate) name: &'static str,
    /// Whether the map is wrong without it
    pub(crate) must: bool,
    /// What it takes
    pub(crate) shape: Shape,
    /// What it means, one line
    pub(crate) says: &'static str,
    /// An example of its value; empty without one
    pub(crate) example: &'static str,
}

/// What a key takes
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A text, number or truth value, taken as text
    Text,
    /// Something that a text can be checked for: `date`, `uuid`, `span` …
    Format(&'static str),
    /// A whole number in bounds
    Whole(u64, u64),
    /// `true` or `false`
    Truth,
    /// A word of a list that has this name
    Word(&'static str),
    /// Values of a test
    Values,
    /// Whatever YAML can write
    Any,
    /// A shape that only its reader knows, by name: `selection`, `targets` …
    Own(&'static str),
    /// A map of this place
    In(&'static str),
    /// One, or a list of them
    Some(Box<Shape>),
    /// A list
    List(Box<Shape>),
    /// A map from plain names, which the author gives
    Names(Box<Shape>),
    /// A map from any text
    Map(Box<Shape>),
    /// One of two shapes
    Either(Box<Shape>, Box<Shape>),
}

impl Shape {
    /// The shape of each value, where one or a list of them may stand
    #[cfg(feature = "cli")]
    pub(crate) fn each(&self) -> &Shape {
        if let Shape::Some(inner) | Shape::List(inner) = self { inner.each() } else { self }
    }

    /// Reads a cell such as `list in test`
    fn read(cell: &'static str) -> Option<Shape> {
        let (word, rest) = cell.split_once(' ').unwrap_or((cell, ""));
        let inner = || Shape::read(rest).map(Box::new);
        // `map text or in type`: the alternatives are those of the values.
        let outer = ["some", "list", "names", "map"].contains(&word);
        if let Some((one, other)) = cell.split_once(" or ").filter(|_| !outer) {
            return Some(Shape::Either(Box::new(Shape::read(one)?), Box::new(Shape::read(other)?)));
        }
        Some(match word {
            "text" => Shape::Text,
            "texts" => Shape::Some(Box::new(Shape::Text)),
            "date" | "uuid" | "span" | "title" => Shape::Format(word),
            "whole" => {
                let (least, most) = rest.split_once(' ')?;
                Shape::Whole(least.parse().ok()?, most.parse().ok()?)
            }
            "truth" => Shape::Truth,
            "word" => Shape::Word(rest),
            "values" => Shape::Values,
            "any" => Shape::Any,
            "own" => Shape::Own(rest),
            "in" => Shape::In(rest),
            "some" => Shape::Some(inner()?),
            "list" => Shape::List(inner()?),
            "names" => Shape::Names(inner()?),
            "map" => Shape::Map(inner()?),
            _ => return None,
        })
    }

    /// The place of the maps that a value of this shape has in it
    #[cfg(test)]
    pub(crate) fn place(&self) -> Option<&'static str> {
        match self {
            Shape::In(place) => Some(place),
            Shape::Some(inner) | Shape::List(inner) | Shape::Names(inner) | Shape::Map(inner) => {
                inner.place()
            }
            Shape::Either(one, other) => one.place().or_else(|| other.place()),
            Shape::Text
            | Shape::Format(_)
            | Shape::Whole(..)
            | Shape::Truth
            | Shape::Word(_)
            | Shape::Values
            | Shape::Any
            | Shape::Own(_) => None,
        }
    }
}

/// The keys of the maps of some kinds of document
#[derive(Debug)]
pub(crate) struct Keys {
    rows: HashMap<&'static str, Vec<KeyRow>>,
    names: HashMap<&'static str, Vec<&'static str>>,
}

impl Keys {
    /// Reads a table; lines that begin with `#` are remarks
    pub(crate) fn read(table: &'static str) -> Keys {
        let (mut rows, mut names) = (HashMap::<_, Vec<KeyRow>>::new(), HashMap::<_, Vec<_>>::new());
        for (place, row) in lines(table).filter_map(row) {
            let known = names.entry(place).or_default();
            if row.name != "*" {
                known.push(row.name);
            }
            rows.entry(place).or_default().push(row);
        }
        Keys { rows, names }
    }

    /// The names of the keys of a place, in the order of the table
    pub(crate) fn names(&self, place: &str) -> &[&'static str] {
        self.names.get(place).map_or(&[], Vec::as_slice)
    }

    /// Every key of every place
    #[cfg(test)]
    pub(crate) fn all(&self) -> impl Iterator<Item = &KeyRow> {
        self.rows.values().flatten()
    }

    /// The keys of a place, in the order of the table
    pub(crate) fn of(&self, place: &str) -> &[KeyRow] {
        self.rows.get(place).map_or(&[], Vec::as_slice)
    }
}

/// The lines of a table that are rows
fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().filter(|line| !line.starts_with('#'))
}

fn row(line: &'static str) -> Option<(&'static str, KeyRow)> {
    let cells: Vec<&'static str> = line.split('\t').collect();
    let [place, name, must, shape, says, example] = *cells else { return None };
    let (must, shape) = (must == "must", Shape::read(shape)?);
    Some((place, KeyRow { name, must, shape, says, example }))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::{Keys, lines};

    /// Every line of a table must be read, and name places that the table has
    pub(crate) fn assert_whole(table: &'static str, keys: &Keys) {
        let rows: usize = keys.rows.values().map(Vec::len).sum();
        let unread: Vec<_> = lines(table).filter(|line| super::row(line).is_none()).collect();
        assert!(unread.is_empty(), "{unread:#?}");
        assert_eq!(rows, lines(table).count());
        for row in keys.rows.values().flatten() {
            assert!(!row.says.is_empty() && !row.says.ends_with('.'), "{row:?}");
            assert!(row.shape.place().is_none_or(|place| keys.rows.contains_key(place)), "{row:?}");
        }
    }
}
