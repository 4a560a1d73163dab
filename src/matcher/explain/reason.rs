//! The first reason for a verdict, in one sentence.
//!
//! In: an [`Explained`]. Out: the test that decides first, with the event's value and what the rule asks
//! for. Of parts of which one must hold, the first stands for the others.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::{Explained, Fit, Had, Step, Trace, Tried};
use crate::ir::{
    Case, NON_PUBLIC, Op, Part, Relation, Role, Subject, Test, TextTest, test_text, verb,
};
use crate::pattern::{Pattern, compare_folded, fold_text};
use crate::taxonomy::Field;

/// The most values of a test that a sentence names
const MOST: usize = 3;

impl Explained<'_> {
    /// Why the event fits or does not, as a clause without a period
    pub fn reason(&self) -> String {
        match &self.fit {
            Fit::Fits => return "every required part holds, and no exclusion does".to_owned(),
            Fit::OfOthers(what) => {
                return format!(
                    "the event is {what}, and the signal looks at {}",
                    self.signal.events()
                );
            }
            Fit::Fails => {}
        }
        let mut failed = self.clauses.iter().filter(|tried| !tried.passes());
        let Some(first) = failed.next() else { return String::new() };
        let why = because(&first.trace);
        let mut reason = match first.clause.role {
            Role::Require => why,
            Role::Exclude if first.clause.label.is_empty() => format!("an exclusion fits: {why}"),
            Role::Exclude => format!("the exclusion \"{}\" fits: {why}", first.clause.label),
        };
        match failed.count() {
            0 => {}
            1 => reason.push_str("; another part decides against it too"),
            more => {
                let _ = write!(reason, "; {more} other parts decide against it too");
            }
        }
        reason
    }
}

impl Tried<'_> {
    /// Why its expression holds or does not, as a clause without a period
    pub fn because(&self) -> String {
        because(&self.trace)
    }
}

/// Why an expression holds, or why it does not
fn because(trace: &Trace<'_>) -> String {
    match &trace.step {
        Step::Not(part) => because(part),
        Step::Test(test, had) => sentence(test, had, trace.holds),
        Step::All(parts) | Step::Any(parts) => {
            let alike: Vec<_> = parts.iter().filter(|part| part.holds == trace.holds).collect();
            let every = matches!(trace.step, Step::All(_)) == trace.holds;
            match (&*alike, every) {
                ([], _) => "nothing is asked".to_owned(),
                ([only], _) => because(only),
                (all, true)
                    if !trace.holds
                        && let Some(reason) = not_in_list(all) =>
                {
                    reason
                }
                ([first, ..], false) => because(first),
                (all, true) if trace.holds => {
                    let all: Vec<String> = all.iter().map(|part| because(part)).collect();
                    all.join(", and ")
                }
                ([first, others @ ..], true) => {
                    format!("{}, and {}", because(first), others_of(others))
                }
            }
        }
    }
}

/// What an event has in place of every value of a list; `None` when the parts are about several
fn not_in_list(parts: &[&Trace<'_>]) -> Option<String> {
    let tests = parts.iter().map(|part| match &part.step {
        Step::Test(test, had) => Some((*test, had)),
        Step::All(_) | Step::Any(_) | Step::Not(_) => None,
    });
    let tests: Vec<(&Test, &Had)> = tests.collect::<Option<_>>()?;
    let (first, had) = tests.first()?;
    let alike =
        |(test, _): &(&Test, &Had)| test.subject == first.subject && test.list == first.list;
    let Had::Texts(texts) = had else { return Some(sentence(first, had, false)) };
    let (list, text) = (first.list.as_ref()?, texts.first()?);
    let what = subject(&first.subject);
    tests.iter().all(alike).then(|| format!("{what} is `{}`, not one of ${list}", short(text)))
}

/// What becomes of the other choices, none of which holds
fn others_of(others: &[&Trace<'_>]) -> String {
    match others {
        [only] => because(only),
        more => format!("none of {} other choices holds", more.len()),
    }
}

/// What an event has for a test, and what the test makes of it
fn sentence(test: &Test, had: &Had, holds: bool) -> String {
    let field = test.subject.field.name();
    let texts = match (had, &test.op) {
        (Had::Missing, _) => return format!("the event has no `{field}`"),
        (Had::Null, Op::Exists) => return format!("`{field}` is there, without a value"),
        (Had::Null, _) => return format!("`{field}` has no value"),
        (Had::Texts(texts), _) => texts,
    };
    let what = subject(&test.subject);
    let Some(text) = shown_of(test, texts, holds) else {
        return format!("`{field}` has no {}", part_of(test.subject.part));
    };
    let had = format!("{what} is `{}`", short(text));
    let not = if holds { "" } else { "not " };
    match &test.op {
        Op::Exists | Op::Null => had,
        Op::Text(asked) => format!("{had}, {}", of_text(asked, text, holds)),
        Op::Public => match text.parse::<IpAddr>() {
            Err(_) => format!("{had}, which is no address"),
            Ok(_) if holds => format!("`{text}` is public"),
            Ok(address) => {
                let address = address.to_canonical();
                let inside = NON_PUBLIC.iter().find(|network| network.contains(&address));
                let inside = inside.map_or_else(String::new, |network| format!(" ({network})"));
                format!("`{text}` is reserved{inside}, not public")
            }
        },
        Op::Networks(_) if text.parse::<IpAddr>().is_err() => format!("{had}, which is no address"),
        Op::Numbers(_) if text.trim().parse::<f64>().is_err() => {
            format!("{had}, which is no number")
        }
        Op::Regex(_) | Op::Segments(_) | Op::Networks(_) | Op::Numbers(_) | Op::Same(..) => {
            format!("{had}, for which `{}` does {not}hold", short(&test_text(test)))
        }
    }
}

/// The text that a sentence is about: the first that the values fit, else the first
fn shown_of<'t>(test: &Test, texts: &'t [String], holds: bool) -> Option<&'t String> {
    let fits = |text: &&String| {
        test.op
            .as_text()
            .is_some_and(|asked| asked.values.iter().any(|one| meets(asked, one, text)))
    };
    texts.iter().find(fits).filter(|_| holds).or(texts.first())
}

/// What a comparison of text makes of a text, after `X is Y`
fn of_text(asked: &TextTest, text: &str, holds: bool) -> String {
    let met = asked.values.iter().find(|value| meets(asked, value, text));
    if let Some(met) = met.filter(|_| holds) {
        if asked.relation == Relation::Equals {
            return "as asked".to_owned();
        }
        return format!("which {} `{}`", verb(asked.relation), short(&met.to_string()));
    }
    let folded =
        |value: &&Pattern| value.as_literal().is_some_and(|v| compare_folded(v, text).is_eq());
    if asked.case == Case::Sensitive && asked.values.iter().any(|value| folded(&value)) {
        return "which differs in its case only".to_owned();
    }
    let part = |value: &&Pattern| {
        let literal = value.as_literal().filter(|literal| !literal.is_empty());
        literal.is_some_and(|literal| fold_text(text).contains(&fold_text(literal)))
    };
    if let Some(part) =
        asked.values.iter().find(part).filter(|_| asked.relation == Relation::Equals)
    {
        return format!("which is not the whole value `{}`", short(&part.to_string()));
    }
    let values: Vec<String> = asked
        .values
        .iter()
        .take(MOST)
        .map(|value| format!("`{}`", short(&value.to_string())))
        .collect();
    let more = match asked.values.len().saturating_sub(MOST) {
        0 => String::new(),
        more => format!(" or {more} more"),
    };
    let values = values.join(", ");
    match asked.relation {
        Relation::Equals => format!("not {values}{more}"),
        Relation::Starts => format!("which does not start with {values}{more}"),
        Relation::Ends => format!("which does not end with {values}{more}"),
        Relation::Contains => format!("which does not contain {values}{more}"),
        Relation::Wildcard => format!("which does not fit {values}{more}"),
    }
}

/// Whether a text meets one value of a comparison
fn meets(asked: &TextTest, value: &Pattern, text: &str) -> bool {
    let fold = |text: &str| match asked.case {
        Case::Insensitive => fold_text(text),
        Case::Sensitive => text.to_owned(),
    };
    let (value, text) = (value.map_literals(fold), fold(text));
    match (asked.relation, value.as_literal()) {
        (Relation::Equals, Some(literal)) => text == literal,
        (Relation::Starts, Some(literal)) => text.starts_with(literal),
        (Relation::Ends, Some(literal)) => text.ends_with(literal),
        (Relation::Contains, Some(literal)) => text.contains(literal),
        _ => super::super::glob::fits(&value, &text),
    }
}

/// The subject of a test in words
fn subject(subject: &Subject) -> String {
    if subject.field == Field::EVERY {
        return "a value of the event".to_owned();
    }
    let field = subject.field.name();
    if subject.part == Part::Whole {
        return format!("`{field}`");
    }
    format!("the {} in `{field}`", part_of(subject.part))
}

fn part_of(part: Part) -> &'static str {
    match part {
        Part::Whole => "value",
        Part::Name => "name",
        Part::Extension => "extension",
        Part::Argument(_) => "argument",
        Part::Key => "key",
        Part::Time(_) => "time",
    }
}

/// The most characters of a value that a sentence shows
const LONGEST: usize = 80;

fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
