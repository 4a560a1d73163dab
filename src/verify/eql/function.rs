//! Functions and arithmetic, as Elasticsearch's scripts compute them.
//!
//! In: values that are not null. Out: a value, or null. Deliberately absent: `cidrMatch`, which is
//! a test of a field, and the functions that no emitted query uses.
//!
//! Source: Elasticsearch, EQL function reference. A length is counted in units of UTF-16, and a part
//! of a text is cut between such units.

use super::datum::Datum;
use super::index::Kind;
use crate::query::Error;
use crate::query::eql::Operation;

/// A function; `true` compares without case
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Function {
    StartsWith(bool),
    EndsWith(bool),
    Contains(bool),
    Length,
    Spelled,
    Concat,
    Substring,
}

impl Function {
    /// The function with this name for arguments of these types, of which `None` is null
    pub(super) fn of(name: &str, fold: bool, kinds: &[Option<Kind>]) -> Result<Function, Error> {
        let (function, least, most, wanted): (_, _, _, &[Kind]) = match name {
            "startsWith" => (Function::StartsWith(fold), 2, 2, &[Kind::Text]),
            "endsWith" => (Function::EndsWith(fold), 2, 2, &[Kind::Text]),
            "stringContains" => (Function::Contains(fold), 2, 2, &[Kind::Text]),
            "length" => (Function::Length, 1, 1, &[Kind::Text]),
            "string" => {
                let known = &[Kind::Text, Kind::Whole, Kind::Ip, Kind::Boolean];
                (Function::Spelled, 1, 1, known)
            }
            "concat" => {
                let known = &[Kind::Text, Kind::Whole, Kind::Ip, Kind::Boolean];
                (Function::Concat, 1, usize::MAX, known)
            }
            "substring" => (Function::Substring, 2, 3, &[Kind::Text, Kind::Whole]),
            _ => return Err(Error::new(format!("the function `{name}` is not judged here"))),
        };
        if fold && !function.folds() {
            return Err(Error::new(format!("the function `{name}` has no form without case")));
        }
        if !(least..=most).contains(&kinds.len()) {
            return Err(Error::new(format!("`{name}` does not take {} arguments", kinds.len())));
        }
        let place = |at: usize| match function {
            Function::Substring => &wanted[at.min(1)..=at.min(1)],
            Function::StartsWith(_)
            | Function::EndsWith(_)
            | Function::Contains(_)
            | Function::Length
            | Function::Spelled
            | Function::Concat => wanted,
        };
        let mut kinds = kinds.iter().enumerate();
        if !kinds.all(|(at, kind)| kind.is_none_or(|kind| place(at).contains(&kind))) {
            return Err(Error::new(format!("an argument of `{name}` has the wrong type")));
        }
        Ok(function)
    }

    fn folds(self) -> bool {
        matches!(self, Function::StartsWith(_) | Function::EndsWith(_) | Function::Contains(_))
    }

    /// The type of its values
    pub(super) fn kind(self) -> Kind {
        match self {
            Function::StartsWith(_) | Function::EndsWith(_) | Function::Contains(_) => {
                Kind::Boolean
            }
            Function::Length => Kind::Whole,
            Function::Spelled | Function::Concat | Function::Substring => Kind::Text,
        }
    }

    /// Its value
    pub(super) fn call(self, arguments: &[Datum]) -> Option<Datum> {
        let texts = || arguments.iter().map(Datum::spelled);
        let fold = |fold: bool, text: String| if fold { text.to_lowercase() } else { text };
        let pair = |asked: bool| {
            let mut texts = texts().map(|text| fold(asked, text));
            texts.next().zip(texts.next())
        };
        match self {
            Function::StartsWith(fold) => {
                pair(fold).map(|(text, part)| Datum::Truth(text.starts_with(&part)))
            }
            Function::EndsWith(fold) => {
                pair(fold).map(|(text, part)| Datum::Truth(text.ends_with(&part)))
            }
            Function::Contains(fold) => pair(fold).map(|(text, part)| {
                Datum::Truth(!text.is_empty() && !part.is_empty() && text.contains(&part))
            }),
            Function::Length => Some(Datum::Whole(texts().next()?.encode_utf16().count() as i128)),
            Function::Spelled => texts().next().map(Datum::Text),
            Function::Concat => Some(Datum::Text(texts().collect())),
            Function::Substring => substring(&texts().next()?, arguments.get(1..)?),
        }
    }
}

/// The part of a text between two places; a negative place is counted from the end
fn substring(text: &str, places: &[Datum]) -> Option<Datum> {
    let units: Vec<u16> = text.encode_utf16().collect();
    let length = i128::try_from(units.len()).ok()?;
    let place = |datum: &Datum| match datum {
        Datum::Whole(place) if *place < 0 => Some((place + length).max(0)),
        Datum::Whole(place) => Some(*place.min(&length)),
        Datum::Text(_) | Datum::Float(_) | Datum::Truth(_) | Datum::Address(_) | Datum::Time => {
            None
        }
    };
    let from = place(places.first()?)?;
    let to = places.get(1).map_or(Some(length), place)?;
    let part = units.get(usize::try_from(from).ok()?..usize::try_from(to.max(from)).ok()?)?;
    Some(Datum::Text(String::from_utf16_lossy(part)))
}

/// The result of an operation on two numbers
///
/// Elasticsearch fails on a document that divides a whole number by zero; here the result is null.
pub(super) fn arithmetic(left: &Datum, operation: Operation, right: &Datum) -> Option<Datum> {
    if let (Datum::Whole(left), Datum::Whole(right)) = (left, right) {
        let result = match operation {
            Operation::Plus => left.checked_add(*right),
            Operation::Minus => left.checked_sub(*right),
            Operation::Times => left.checked_mul(*right),
            Operation::Over => left.checked_div(*right),
            Operation::Modulo => left.checked_rem(*right),
        };
        return result.map(Datum::Whole);
    }
    let float = |datum: &Datum| match datum {
        Datum::Whole(number) => Some(*number as f64),
        Datum::Float(number) => Some(*number),
        Datum::Text(_) | Datum::Truth(_) | Datum::Address(_) | Datum::Time => None,
    };
    let (left, right) = (float(left)?, float(right)?);
    Some(Datum::Float(match operation {
        Operation::Plus => left + right,
        Operation::Minus => left - right,
        Operation::Times => left * right,
        Operation::Over => left / right,
        Operation::Modulo => left % right,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(name: &str, fold: bool, arguments: &[Datum]) -> Option<Datum> {
        let kinds: Vec<_> = arguments.iter().map(|argument| Some(argument.kind())).collect();
        Function::of(name, fold, &kinds).unwrap().call(arguments)
    }

    fn text(text: &str) -> Datum {
        Datum::Text(text.to_owned())
    }

    #[test]
    fn texts_are_counted_in_units_of_utf_16() {
        assert_eq!(call("length", false, &[text("a\u{1f600}")]), Some(Datum::Whole(3)));
        let part = |from, to| {
            call("substring", false, &[text("hello"), Datum::Whole(from), Datum::Whole(to)])
        };
        assert_eq!(part(-3, -1), Some(text("ll")));
        assert_eq!(part(1, 99), Some(text("ello")));
        assert_eq!(part(4, 1), Some(text("")));
        let rest = call("substring", false, &[text("hello"), Datum::Whole(-9)]);
        assert_eq!(rest, Some(text("hello")));
    }

    #[test]
    fn values_are_spelled_and_joined() {
        let joined = call("concat", false, &[text("a"), Datum::Whole(4), Datum::Truth(true)]);
        assert_eq!(joined, Some(text("a4true")));
        assert_eq!(call("string", false, &[Datum::Whole(4)]), Some(text("4")));
        assert_eq!(call("startsWith", true, &[text("ÄB"), text("ä")]), Some(Datum::Truth(true)));
        assert_eq!(
            call("stringContains", false, &[text("a"), text("")]),
            Some(Datum::Truth(false))
        );
    }

    #[test]
    fn numbers_stay_whole_until_one_is_not() {
        let seven = |operation, right| arithmetic(&Datum::Whole(-7), operation, &right);
        assert_eq!(seven(Operation::Over, Datum::Whole(2)), Some(Datum::Whole(-3)));
        assert_eq!(seven(Operation::Modulo, Datum::Whole(2)), Some(Datum::Whole(-1)));
        assert_eq!(seven(Operation::Over, Datum::Float(2.0)), Some(Datum::Float(-3.5)));
        assert_eq!(seven(Operation::Over, Datum::Whole(0)), None);
    }

    #[test]
    fn wrong_arguments_are_refused() {
        let why = |name, fold, kinds: &[Kind]| {
            let kinds: Vec<_> = kinds.iter().copied().map(Some).collect();
            Function::of(name, fold, &kinds).unwrap_err().message
        };
        assert_eq!(
            why("length", false, &[Kind::Whole]),
            "an argument of `length` has the wrong type"
        );
        assert_eq!(
            why("length", true, &[Kind::Text]),
            "the function `length` has no form without case"
        );
        assert_eq!(why("length", false, &[]), "`length` does not take 0 arguments");
        assert_eq!(why("match", false, &[]), "the function `match` is not judged here");
        let places = [Kind::Text, Kind::Text];
        assert_eq!(
            why("substring", false, &places),
            "an argument of `substring` has the wrong type"
        );
    }
}
