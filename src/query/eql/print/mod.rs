//! Prints a query as text, in the style of Elastic's own rules.
//!
//! In: an [`Eql`]. Out: its text: lines end with `and` and `or`, what follows the head is indented by
//! two, what stands in brackets by two more, a long list has one value a line, and a comment stands
//! above its part after a blank line.
//!
//! INVARIANT: a text that is read back gives the tree without its comments. A group of one part is
//! the part, an empty list is `false`, and the empty groups are `true` and `false`.

mod value;

use std::fmt;

use self::value::{matching_word, sign, subject, value};
use super::quote;
use super::tree::{Comparison, Condition, Eql, EventQuery, FieldName, Sequence, Step, Value};
use crate::query::layout::Doc;
use crate::source::visible;

/// The width that lines keep to where words allow it
const WIDTH: usize = 100;

impl fmt::Display for Eql {
    /// The whole query, without a line break at its end
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let doc = match self {
            Eql::Event(query) => event(query, 0, "").nest(2),
            Eql::Sequence(sequence) => steps(sequence),
        };
        f.write_str(&doc.broken().print(WIDTH))
    }
}

fn steps(sequence: &Sequence) -> Doc {
    let mut head = format!("sequence{}", by(&sequence.by));
    if let Some(maxspan) = sequence.maxspan {
        head.push_str(&format!(" with maxspan={}", span(maxspan)));
    }
    let steps = sequence.steps.iter().map(|one| step(one, if one.absent { "![" } else { "[" }));
    let until = sequence.until.iter().map(|one| step(one, "until ["));
    Doc::all([Doc::text(head), Doc::all(steps.chain(until)).nest(2)])
}

fn step(step: &Step, open: &'static str) -> Doc {
    let runs = if step.runs == 1 { String::new() } else { format!(" with runs={}", step.runs) };
    let end = format!("]{}{runs}", by(&step.by));
    // Conditions are indented by two from the bracket.
    let depth = if open.starts_with('!') { 4 } else { 3 };
    let query = event(&step.query, 2 + open.len(), &end).nest(depth);
    Doc::all([Doc::line(), Doc::text(open), query])
}

fn by(keys: &[FieldName]) -> String {
    let keys: Vec<String> = keys.iter().map(quote::field).collect();
    if keys.is_empty() { String::new() } else { format!(" by {}", keys.join(", ")) }
}

/// Milliseconds in the largest unit that divides them
fn span(milliseconds: u64) -> String {
    let units = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "m"), (1_000, "s")];
    let whole = |(unit, _): &(u64, &str)| milliseconds > 0 && milliseconds.is_multiple_of(*unit);
    let (unit, name) = units.into_iter().find(whole).unwrap_or((1, "ms"));
    format!("{}{name}", milliseconds / unit)
}

/// A category and its condition, after `before` columns
///
/// What scopes the query stays on the line of the category as far as it fits, and so does any other
/// first part. Each further part has a line of its own.
fn event(query: &EventQuery, before: usize, end: &str) -> Doc {
    let category = query.category.as_deref().map_or("any".to_owned(), quote::category);
    let head = format!("{category} where");
    let mut used = before + head.len();
    let mut all = vec![Doc::text(head)];
    let parts = if let Condition::All(parts) = &query.condition
        && parts.len() > 1
    {
        parts.as_slice()
    } else {
        std::slice::from_ref(&query.condition)
    };
    let mut on_head = true;
    for (at, part) in parts.iter().enumerate() {
        let end = if at + 1 < parts.len() { " and" } else { end };
        let doc = if parts.len() == 1 { whole(part, end) } else { clause(part, "", end) };
        let width = doc.clone().flat().print(usize::MAX).len() + 1;
        let leads = at == 0 || parts[at - 1..=at].iter().all(is_scope);
        on_head &= leads && used + width <= WIDTH && notes(part).is_empty();
        if on_head {
            used += width;
            all.extend([Doc::text(" "), doc]);
        } else {
            all.push(Doc::line());
            all.extend(comments(part, at == 0));
            all.push(doc);
        }
    }
    Doc::all(all).broken()
}

/// Whether a part says exactly what a field is, as `host.os.type == "linux"` does
fn is_scope(part: &Condition) -> bool {
    match part {
        Condition::Compare(Value::Field(_), comparison, _) => *comparison == Comparison::Equal,
        Condition::In { value, .. } => matches!(value, Value::Field(_)),
        Condition::All(_)
        | Condition::Any(_)
        | Condition::Not(_)
        | Condition::Truth(_)
        | Condition::Compare(..)
        | Condition::Matches(..)
        | Condition::Noted(..) => false,
    }
}

/// The comments above a part, after a blank line unless the part is the first
fn comments(part: &Condition, first: bool) -> Vec<Doc> {
    let notes = notes(part);
    let blank = (!first && !notes.is_empty()).then(|| Doc::note(""));
    blank.into_iter().chain(notes.into_iter().map(|text| Doc::note(comment(text)))).collect()
}

/// The texts of the comments that stand above a part
fn notes(mut part: &Condition) -> Vec<&str> {
    let mut notes = Vec::new();
    loop {
        part = match part {
            Condition::Noted(text, inner) => {
                notes.push(text.as_str());
                inner
            }
            Condition::Not(inner) => inner,
            Condition::All(parts) | Condition::Any(parts) if parts.len() == 1 => &parts[0],
            Condition::All(_)
            | Condition::Any(_)
            | Condition::Truth(_)
            | Condition::Compare(..)
            | Condition::In { .. }
            | Condition::Matches(..) => return notes,
        };
    }
}

/// A comment on one line that its text cannot end
fn comment(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let text = words.join(" ").replace("*/", "* /").replace("/*", "/ *");
    format!("/* {} */", visible(&text))
}

/// A condition that stands alone, without brackets round it
fn whole(part: &Condition, end: &str) -> Doc {
    match group(part) {
        Ok((word, parts)) => Doc::all([joined(word, parts), Doc::text(end)]).group(),
        Err(_) => clause(part, "", end),
    }
}

/// The word and the parts of a group, or what stands for a condition that is none
fn group(mut part: &Condition) -> Result<(&'static str, &[Condition]), &Condition> {
    loop {
        part = match part {
            Condition::Noted(_, inner) => inner,
            Condition::All(parts) | Condition::Any(parts) if parts.len() == 1 => &parts[0],
            Condition::All(parts) if parts.len() > 1 => return Ok((" and", parts)),
            Condition::Any(parts) if parts.len() > 1 => return Ok((" or", parts)),
            Condition::All(_)
            | Condition::Any(_)
            | Condition::Not(_)
            | Condition::Truth(_)
            | Condition::Compare(..)
            | Condition::In { .. }
            | Condition::Matches(..) => return Err(part),
        };
    }
}

fn joined(word: &str, parts: &[Condition]) -> Doc {
    let mut all = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        if at > 0 {
            all.push(Doc::line());
        }
        all.extend(comments(part, at == 0));
        all.push(clause(part, "", if at + 1 < parts.len() { word } else { "" }));
    }
    Doc::all(all)
}

/// A part between `head` and `end`, on as many lines as its values need
fn clause(part: &Condition, head: &str, end: &str) -> Doc {
    let part = match group(part) {
        Ok((word, parts)) => return bracketed(head, joined(word, parts), end),
        Err(part) => part,
    };
    match part {
        Condition::Not(inner) => {
            let head = format!("{head}not ");
            match group(inner) {
                // Two words in a row would be read as one.
                Err(inner @ Condition::Not(_)) => bracketed(&head, clause(inner, "", ""), end),
                Ok(_) | Err(_) => clause(inner, &head, end),
            }
        }
        Condition::Matches(value, matching, patterns) => {
            let quote = if matching.is_regex() { quote::quote_regex } else { quote::quote };
            let test = format!("{head}{} {}", subject(value), matching_word(*matching));
            match patterns.as_slice() {
                [] => Doc::text(format!("{head}false{end}")),
                [one] => Doc::text(format!("{test} {}{end}", quote(one))),
                several => listed(&test, several.iter().map(|pattern| quote(pattern)), end),
            }
        }
        Condition::In { items, .. } if items.is_empty() => Doc::text(format!("{head}false{end}")),
        Condition::In { value: of, items, fold } => {
            let word = if *fold { "in~" } else { "in" };
            listed(&format!("{head}{} {word}", subject(of)), items.iter().map(value), end)
        }
        Condition::Truth(Value::Call { function, fold, arguments }) => {
            let head = format!("{head}{function}{}", if *fold { "~" } else { "" });
            bracketed(&head, Doc::list(arguments.iter().map(value).map(Doc::text)), end)
        }
        Condition::Truth(of) => Doc::text(format!("{head}{}{end}", value(of))),
        Condition::Compare(left, comparison, right) => {
            let sign = sign(*comparison);
            Doc::text(format!("{head}{} {sign} {}{end}", value(left), value(right)))
        }
        // Only an empty group is left: `group` has taken the others and the comments away.
        Condition::All(_) | Condition::Noted(..) => Doc::text(format!("{head}true{end}")),
        Condition::Any(_) => Doc::text(format!("{head}false{end}")),
    }
}

fn listed(head: &str, items: impl Iterator<Item = String>, end: &str) -> Doc {
    bracketed(&format!("{head} "), Doc::list(items.map(Doc::text)), end)
}

/// Brackets: on one line when all fits there, else each part on a line of its own
fn bracketed(head: &str, inner: Doc, end: &str) -> Doc {
    let inner = Doc::all([Doc::soft(), inner]).nest(2);
    let (open, close) = (Doc::text(format!("{head}(")), Doc::text(format!("){end}")));
    Doc::all([open, inner, Doc::soft(), close]).group()
}
