//! The functions that a query may call.
//!
//! In: a name. Out: its [`Signature`]s: its parameters, its result, where it may stand, and the
//! name of a column that holds its result.

use std::fmt;
use std::sync::LazyLock;

use super::Type;

/// The table of facts as written
const TABLE: &str = include_str!("functions.tsv");

/// Where a function may stand
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Scalar,
    /// In `summarize`, over the rows of a group
    Aggregate,
    /// Where an earlier step has sorted the rows
    Window,
}

/// What an argument may be
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    Any,
    Exactly(Type),
    Text,
    Integer,
    Orderable,
    Key,
    /// A plain column, not a computed value
    Column,
    /// A string that does not depend on a row
    Pattern,
    /// One of the values that must have a common type
    Value,
}

impl Parameter {
    pub(super) fn takes(self, kind: Type) -> bool {
        match self {
            Parameter::Any | Parameter::Value | Parameter::Column => true,
            Parameter::Exactly(one) => kind == one,
            Parameter::Text => kind.is_text(),
            Parameter::Integer => kind.is_integer(),
            Parameter::Orderable => kind.is_orderable(),
            Parameter::Key => kind != Type::Dynamic,
            Parameter::Pattern => kind == Type::String,
        }
    }

    fn named(word: &str) -> Option<Parameter> {
        match word {
            "any" => Some(Parameter::Any),
            "text" => Some(Parameter::Text),
            "integer" => Some(Parameter::Integer),
            "orderable" => Some(Parameter::Orderable),
            "key" => Some(Parameter::Key),
            "column" => Some(Parameter::Column),
            "pattern" => Some(Parameter::Pattern),
            "value" => Some(Parameter::Value),
            word => Type::named(word).map(Parameter::Exactly),
        }
    }
}

impl fmt::Display for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Parameter::Any | Parameter::Value => "a value",
            Parameter::Column => "a column",
            Parameter::Exactly(one) => one.as_str(),
            Parameter::Text => "string or dynamic",
            Parameter::Integer => "int or long",
            Parameter::Orderable => "a number, a text or a time",
            Parameter::Key => "anything but dynamic",
            Parameter::Pattern => "string",
        })
    }
}

/// The result type of a function
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gives {
    Type(Type),
    /// The type of the first argument
    First,
    /// The common type of its values
    Common,
}

/// The name of a column that holds the result of a function
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Called {
    Numbered,
    /// This prefix, and the name of the first argument
    Prefixed(&'static str),
}

/// One way to call a function
#[derive(Debug)]
pub(crate) struct Signature {
    pub(crate) name: &'static str,
    pub(crate) stage: Stage,
    pub(crate) gives: Gives,
    pub(super) called: Called,
    before: Vec<Parameter>,
    optional: Vec<Parameter>,
    repeated: Vec<Parameter>,
    after: Vec<Parameter>,
}

impl Signature {
    /// Whether it takes so many arguments
    pub(crate) fn takes(&self, count: usize) -> bool {
        self.parameters(count).is_some()
    }

    /// The parameter for each of this many arguments; `None` when the function takes another number
    pub(super) fn parameters(&self, count: usize) -> Option<Vec<Parameter>> {
        let mut all = self.before.clone();
        let rest = count.checked_sub(self.before.len() + self.after.len())?;
        if self.repeated.is_empty() {
            all.extend(self.optional.get(..rest)?);
        } else {
            if rest == 0 || rest % self.repeated.len() != 0 {
                return None;
            }
            all.extend(self.repeated.iter().cycle().take(rest));
        }
        all.extend(&self.after);
        Some(all)
    }

    /// How many arguments it takes, in words
    pub(super) fn counts(&self) -> String {
        let least = self.before.len() + self.repeated.len() + self.after.len();
        let noun = |n: usize| if n == 1 { "argument" } else { "arguments" };
        match (self.repeated.is_empty(), self.optional.len()) {
            (true, 0) => format!("{least} {}", noun(least)),
            (true, more) => format!("{least} to {} arguments", least + more),
            (false, _) if self.repeated.len() == 1 => format!("{least} {} or more", noun(least)),
            (false, _) => format!("{least} arguments, or {} more at a time", self.repeated.len()),
        }
    }
}

static ROWS: LazyLock<Vec<Signature>> = LazyLock::new(|| TABLE.lines().filter_map(row).collect());

fn row(line: &'static str) -> Option<Signature> {
    let cells: Vec<&str> = line.split('\t').collect();
    let [name, stage, arguments, result, column] = cells[..] else { return None };
    let stage = match stage {
        "scalar" => Stage::Scalar,
        "aggregate" => Stage::Aggregate,
        "window" => Stage::Window,
        _ => return None,
    };
    let gives = match result {
        "first" => Gives::First,
        "value" => Gives::Common,
        result => Gives::Type(Type::named(result)?),
    };
    let called = match column {
        "-" => Called::Numbered,
        "argument" => Called::Prefixed(""),
        prefix => Called::Prefixed(prefix),
    };
    let (before, repeated, after) = match arguments.split_once('(') {
        None => (arguments, "", ""),
        Some((before, rest)) => {
            let (repeated, after) = rest.split_once(")+")?;
            (before, repeated, after)
        }
    };
    let words = |list: &'static str| list.split_whitespace().filter(|word| *word != "-");
    let all = |list| words(list).map(Parameter::named).collect::<Option<Vec<_>>>();
    let (optional, needed): (Vec<_>, Vec<_>) = words(before).partition(|word| word.ends_with('?'));
    let optional = optional.iter().map(|word| Parameter::named(word.trim_end_matches('?')));
    Some(Signature {
        name,
        stage,
        gives,
        called,
        before: needed.into_iter().map(Parameter::named).collect::<Option<_>>()?,
        optional: optional.collect::<Option<_>>()?,
        repeated: all(repeated)?,
        after: all(after)?,
    })
}

/// The signatures of a function; empty for an unknown function
pub(crate) fn named(name: &str) -> Vec<&'static Signature> {
    ROWS.iter().filter(|signature| signature.name == name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_read() {
        let lines: Vec<&str> = TABLE.lines().filter(|line| !line.starts_with('#')).collect();
        for line in &lines {
            assert!(row(line).is_some(), "{line}");
        }
        assert_eq!(ROWS.len(), lines.len());
        assert!(ROWS.is_sorted_by(|a, b| a.name <= b.name));
    }

    #[test]
    fn a_signature_takes_its_number_of_arguments() {
        let takes = |name: &str, count| named(name)[0].parameters(count).is_some();
        assert!(takes("case", 3) && takes("case", 5) && !takes("case", 4) && !takes("case", 1));
        assert!(takes("count", 0) && !takes("count", 1));
        assert!(takes("substring", 2) && takes("substring", 3) && !takes("substring", 4));
        assert!(takes("strcat", 1) && takes("strcat", 9) && !takes("strcat", 0));
        assert_eq!(named("substring")[0].counts(), "2 to 3 arguments");
        assert_eq!(named("not")[0].counts(), "1 argument");
    }
}
