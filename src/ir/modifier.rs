//! Checks that the modifiers of a key fit the key and each other.
//!
//! In: a key with its modifiers, and the [`Meaning`] of the key. Out: nothing, or an error at each
//! modifier that contradicts another modifier or the field. The modifiers take effect in
//! [`value`](super::value) and [`encode`].

use super::scope::{Meaning, Scope};
use super::{Numbers, TimeUnit, encode};
use crate::definition::vocabulary::Reading as Word;
use crate::definition::{Entry, Modifier, Scalar, Value};
use crate::diagnostic::Code;
use crate::taxonomy::{Field, FieldType};

/// Comparison modifiers, which are exclusive; only `fieldref` combines with `startswith`,
/// `endswith` and `contains`
const COMPARING: &[Modifier] = &[
    Modifier::Contains,
    Modifier::StartsWith,
    Modifier::EndsWith,
    Modifier::Re,
    Modifier::Cidr,
    Modifier::Gt,
    Modifier::Gte,
    Modifier::Lt,
    Modifier::Lte,
    Modifier::Exists,
    Modifier::FieldRef,
];

/// Whether every modifier of a key fits; reports each that does not
pub(super) fn all_fit(scope: &mut Scope<'_>, entry: &Entry, meaning: &Meaning) -> bool {
    let mut before: Vec<Modifier> = Vec::new();
    let mut fits = true;
    for modifier in &entry.key.modifiers {
        if let Err(why) = fits_after(entry, meaning, modifier.value, &before) {
            let message = format!("modifier `{}` does not fit here", modifier.value.name());
            scope.error(Code::E0207, modifier.span, message, &why);
            fits = false;
        }
        before.push(modifier.value);
    }
    fits
}

/// Checks a modifier of a key after the modifiers `before` it; the error is the reason
fn fits_after(
    entry: &Entry,
    meaning: &Meaning,
    modifier: Modifier,
    before: &[Modifier],
) -> Result<(), String> {
    use Modifier::{
        All, Cased, Cidr, Contains, EndsWith, Exists, FieldRef, Gt, Gte, Lt, Lte, Neq, Re,
        ReDotAll, ReIgnoreCase, ReMultiLine, StartsWith,
    };
    const ENDS: &[Modifier] = &[Contains, StartsWith, EndsWith];
    let has = |wanted| entry.key.modifier(wanted).is_some();
    let compares = |one: &Modifier| COMPARING.contains(one);
    if before.contains(&modifier) {
        return Err("said before".to_owned());
    }
    if compares(&modifier) {
        let other = before.iter().copied().find(compares);
        return match other {
            // `fieldref` names the other field, the others give the relation.
            Some(other) if modifier == FieldRef && ENDS.contains(&other) => Ok(()),
            Some(FieldRef) if ENDS.contains(&modifier) => Ok(()),
            Some(other) => Err(format!("contradicts `{}`", other.name())),
            // After a date modifier such as `hour` a number is compared.
            None if before.iter().any(|one| TimeUnit::of(*one).is_some()) => Ok(()),
            None => comparison_fits(modifier, meaning),
        };
    }
    if let Some(unit) = TimeUnit::of(modifier) {
        return unit_fits(unit, entry, meaning, before);
    }
    if encode::changes_text(modifier) {
        return change_fits(modifier, entry, meaning, before);
    }
    let needs_re = [ReIgnoreCase, ReMultiLine, ReDotAll].contains(&modifier);
    let why = match () {
        () if needs_re && !before.contains(&Re) => "only after `re`",
        () if modifier == Neq && entry.values.negated => "`not` says it already",
        () if [Neq, All, Cased].contains(&modifier) && has(Exists) => {
            "`exists` takes true or false only"
        }
        () if modifier == Cased && has(ReIgnoreCase) => "contradicts `i`",
        () if modifier == Cased && [Cidr, Gt, Gte, Lt, Lte].into_iter().any(has) => {
            "addresses and numbers have no case"
        }
        () => return Ok(()),
    };
    Err(why.to_owned())
}

/// Checks a comparison modifier against the key; the error is the reason
fn comparison_fits(modifier: Modifier, meaning: &Meaning) -> Result<(), String> {
    use Modifier::{Cidr, Exists, Gt, Gte, Lt, Lte};
    let kind = meaning.kind;
    let name = meaning.field.name();
    match (modifier, meaning.reading) {
        (Exists, _) => Ok(()),
        (Cidr | Gt | Gte | Lt | Lte, _) if meaning.field == Field::EVERY => {
            Err("keywords are text".into())
        }
        // Only the events of a log tell what such a field holds.
        (Cidr | Gt | Gte | Lt | Lte, _) if kind == FieldType::Any => Ok(()),
        _ if kind == FieldType::Number && meaning.open => Ok(()),
        (_, Some(Word::Directories | Word::Key | Word::Action)) => {
            Err("this key has only one meaning".into())
        }
        (Modifier::Cidr, _) if kind == FieldType::Address => Ok(()),
        (Modifier::Cidr, _) => Err(format!("{name} is no address")),
        (Modifier::Gt | Modifier::Gte | Modifier::Lt | Modifier::Lte, _) => {
            let number = kind == FieldType::Number;
            number.then_some(()).ok_or_else(|| format!("{name} is no number"))
        }
        (_, Some(Word::Remote)) => Err("addresses take networks".into()),
        _ if kind == FieldType::Number => Err(format!("{name} is a number")),
        _ => Ok(()),
    }
}

impl TimeUnit {
    /// The unit that a modifier names
    pub(super) fn of(modifier: Modifier) -> Option<TimeUnit> {
        [
            (Modifier::Minute, TimeUnit::Minute),
            (Modifier::Hour, TimeUnit::Hour),
            (Modifier::Day, TimeUnit::Day),
            (Modifier::Week, TimeUnit::Week),
            (Modifier::Month, TimeUnit::Month),
            (Modifier::Year, TimeUnit::Year),
        ]
        .into_iter()
        .find_map(|(named, unit)| (named == modifier).then_some(unit))
    }

    /// The numbers of the unit, both ends included
    pub(super) fn range(self) -> Numbers {
        let (from, to) = match self {
            TimeUnit::Minute => (0, 59),
            TimeUnit::Hour => (0, 23),
            TimeUnit::Day => (1, 31),
            TimeUnit::Week => (1, 53),
            TimeUnit::Month => (1, 12),
            TimeUnit::Year => (0, 9999),
        };
        Numbers::between(from, to)
    }
}

/// Checks a date modifier against the key and its other modifiers; the error is the reason
fn unit_fits(
    unit: TimeUnit,
    entry: &Entry,
    meaning: &Meaning,
    before: &[Modifier],
) -> Result<(), String> {
    use Modifier::{All, Gt, Gte, Lt, Lte, Neq};
    let name = meaning.field.name();
    let beside = |one: &Modifier| [All, Gt, Gte, Lt, Lte, Neq].contains(one);
    let others = entry.key.modifiers.iter().map(|one| one.value);
    let mut others = others.filter(|one| TimeUnit::of(*one) != Some(unit));
    match (meaning.kind, others.find(|one| !beside(one))) {
        _ if meaning.field == Field::EVERY => Err("keywords are text".to_owned()),
        (_, Some(other)) => Err(format!("contradicts `{}`", other.name())),
        (FieldType::Text | FieldType::Host | FieldType::Any, None) => match before.last() {
            Some(other) if [Gt, Gte, Lt, Lte].contains(other) => {
                Err(format!("stands before `{}`", other.name()))
            }
            _ => Ok(()),
        },
        _ => Err(format!("{name} is no date")),
    }
}

/// Checks a modifier that changes values against the key; the error is the reason
fn change_fits(
    modifier: Modifier,
    entry: &Entry,
    meaning: &Meaning,
    before: &[Modifier],
) -> Result<(), String> {
    use Modifier::{
        Cidr, Contains, EndsWith, Exists, Expand, FieldRef, Gt, Gte, Lt, Lte, Re, StartsWith,
    };
    const NO_TEXT: &[Modifier] = &[Cidr, Exists, FieldRef, Gt, Gte, Lt, Lte, Re];
    let other = entry.key.modifiers.iter().find(|one| NO_TEXT.contains(&one.value));
    if let Some(other) = other {
        return Err(format!("changes text, and `{}` takes none", other.value.name()));
    }
    let number = |value: &Value| matches!(value.scalar, Scalar::Number(_) | Scalar::Bool(_));
    if entry.values.items.iter().any(number) {
        return Err("changes text, and a value is none".to_owned());
    }
    let changed = before.iter().find(|one| encode::changes_text(**one));
    if let (Some(changed), Expand) = (changed, modifier) {
        return Err(format!("stands before `{}`", changed.name()));
    }
    // Modifiers apply in order: a wildcard of `contains` would be encoded with the value.
    let end = before.iter().find(|one| [Contains, StartsWith, EndsWith].contains(one));
    if let (Some(end), true) = (end, encode::encodes(modifier)) {
        return Err(format!("stands before `{}`", end.name()));
    }
    let text = match meaning.reading {
        None | Some(Word::Whole | Word::Argument) => true,
        // A placeholder may stand for a program or an account.
        Some(Word::Program | Word::Account | Word::Extension) => modifier == Expand,
        Some(Word::Directories | Word::Action | Word::Key | Word::Remote | Word::Numbers) => false,
    };
    if text { Ok(()) } else { Err("this key has only one meaning".to_owned()) }
}
