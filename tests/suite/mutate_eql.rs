//! Single changes of a query in EQL.
//!
//! In: a query. Out: queries that differ from it in one place, each with the kind of change and what was
//! changed: the category dropped, an operator swapped, a part or a value dropped, a value cut, a star
//! removed, a `not` removed, the case of letters compared or not, a limit moved, a time or a key of a
//! sequence changed.

use rulecast::query::eql::{
    Comparison, Condition, Eql, EventQuery, Matching, Sequence, Step, Value,
};

use crate::mutate::Mutants;

/// Every query with one change
pub(crate) fn of_query(query: &Eql) -> Mutants<Eql> {
    match query {
        Eql::Event(event) => of_event(event).map_each(Eql::Event),
        Eql::Sequence(sequence) => of_sequence(sequence).map_each(Eql::Sequence),
    }
}

trait MapEach<T> {
    fn map_each<U>(self, to: impl Fn(T) -> U) -> Mutants<U>;
}

impl<T> MapEach<T> for Mutants<T> {
    fn map_each<U>(self, to: impl Fn(T) -> U) -> Mutants<U> {
        self.into_iter().map(|(kind, what, mutant)| (kind, what, to(mutant))).collect()
    }
}

fn of_sequence(sequence: &Sequence) -> Mutants<Sequence> {
    let mut all = Mutants::new();
    let changed = |change: &dyn Fn(&mut Sequence)| {
        let mut sequence = sequence.clone();
        change(&mut sequence);
        sequence
    };
    if let Some(span) = sequence.maxspan {
        for other in [span - 1, span + 1] {
            let what = format!("maxspan of {span} ms");
            all.push(("limit moved", what, changed(&|one| one.maxspan = Some(other))));
        }
    }
    for (at, key) in sequence.by.iter().enumerate() {
        let fewer = changed(&|one| drop(one.by.remove(at)));
        all.push(("key dropped", key.name.clone(), fewer));
    }
    for (at, step) in sequence.steps.iter().enumerate() {
        for (kind, what, mutant) in of_step(step) {
            all.push((kind, what, changed(&|one| one.steps[at] = mutant.clone())));
        }
        if at > 0 {
            let swapped = changed(&|one| one.steps.swap(at - 1, at));
            all.push(("order", format!("of step {at} and the next"), swapped));
        }
    }
    all.retain(|(_, _, mutant)| mutant != sequence);
    all
}

fn of_step(step: &Step) -> Mutants<Step> {
    let mut all = of_event(&step.query).map_each(|query| Step { query, ..step.clone() });
    for runs in [step.runs - 1, step.runs + 1] {
        if step.runs > 1 && runs > 0 {
            let what = format!("{} runs", step.runs);
            all.push(("limit moved", what, Step { runs, ..step.clone() }));
        }
    }
    all
}

fn of_event(event: &EventQuery) -> Mutants<EventQuery> {
    let with = |condition| EventQuery { condition, ..event.clone() };
    let mut all = of_condition(&event.condition).map_each(with);
    if let Some(category) = &event.category {
        all.push((
            "part dropped",
            category.clone(),
            EventQuery { category: None, ..event.clone() },
        ));
    }
    all
}

fn of_condition(condition: &Condition) -> Mutants<Condition> {
    let mut all = Mutants::new();
    match condition {
        Condition::All(parts) | Condition::Any(parts) => of_parts(condition, parts, &mut all),
        Condition::Not(part) => {
            all.push(("not removed", said(part), (**part).clone()));
            all.extend(of_condition(part).map_each(Condition::none));
        }
        Condition::Noted(_, part) => all.extend(of_condition(part)),
        Condition::Truth(Value::Call { function, fold, arguments }) => {
            let with = |arguments| {
                Condition::Truth(Value::Call { function: function.clone(), fold: *fold, arguments })
            };
            for at in 1..arguments.len() {
                let mut fewer = arguments.clone();
                let dropped = fewer.remove(at);
                if fewer.len() > 1 {
                    all.push(("value dropped", format!("{dropped:?}"), with(fewer)));
                }
            }
        }
        Condition::Truth(_) => {}
        Condition::Compare(left, comparison, right) => {
            let other = match comparison {
                Comparison::Equal => Comparison::NotEqual,
                Comparison::NotEqual => Comparison::Equal,
                Comparison::Below => Comparison::AtMost,
                Comparison::AtMost => Comparison::Below,
                Comparison::Above => Comparison::AtLeast,
                Comparison::AtLeast => Comparison::Above,
            };
            let kind = match comparison {
                Comparison::Equal | Comparison::NotEqual => "operator",
                Comparison::Below
                | Comparison::AtMost
                | Comparison::Above
                | Comparison::AtLeast => "limit moved",
            };
            let other = Condition::Compare(left.clone(), other, right.clone());
            all.push((kind, said(condition), other));
            if let Some(text) = shorter(right) {
                let cut = Condition::Compare(left.clone(), *comparison, text);
                all.push(("value cut", said(condition), cut));
            }
        }
        Condition::In { value, items, fold } => {
            for (at, item) in items.iter().enumerate() {
                let with = |items| Condition::In { value: value.clone(), items, fold: *fold };
                let what = || said(&with(vec![item.clone()]));
                let mut fewer = items.clone();
                fewer.remove(at);
                all.push(("value dropped", what(), with(fewer)));
                if let Some(text) = shorter(item) {
                    let mut items = items.clone();
                    items[at] = text;
                    all.push(("value cut", what(), with(items)));
                }
            }
        }
        Condition::Matches(value, way, patterns) => of_match((value, *way, patterns), &mut all),
    }
    all
}

fn of_parts(condition: &Condition, parts: &[Condition], all: &mut Mutants<Condition>) {
    let and = matches!(condition, Condition::All(_));
    let join = |parts| if and { Condition::All(parts) } else { Condition::Any(parts) };
    if parts.len() > 1 {
        let parts = parts.to_vec();
        let other = if and { Condition::Any(parts) } else { Condition::All(parts) };
        all.push(("operator", "and, or".to_owned(), other));
    }
    for (at, part) in parts.iter().enumerate() {
        let mut fewer = parts.to_vec();
        fewer.remove(at);
        let kind = if and { "part dropped" } else { "choice dropped" };
        all.push((kind, said(part), join(fewer)));
        for (kind, what, mutant) in of_condition(part) {
            let mut parts = parts.to_vec();
            parts[at] = mutant;
            all.push((kind, what, join(parts)));
        }
    }
}

fn of_match((value, way, patterns): (&Value, Matching, &[String]), all: &mut Mutants<Condition>) {
    let with = |way, patterns| Condition::Matches(value.clone(), way, patterns);
    let lettered = |text: &String| text.contains(|c: char| c.is_ascii_alphabetic());
    let other = match way {
        Matching::Colon | Matching::LikeFolded => Matching::Like,
        Matching::Like => Matching::LikeFolded,
        Matching::Regex => Matching::RegexFolded,
        Matching::RegexFolded => Matching::Regex,
    };
    // Without letters there is no case, and those of a regular expression may stand in brackets.
    if patterns.iter().any(lettered) && !way.is_regex() {
        all.push(("case", said(&with(way, patterns.to_vec())), with(other, patterns.to_vec())));
    }
    for (at, pattern) in patterns.iter().enumerate() {
        let what = || said(&with(way, vec![pattern.clone()]));
        if patterns.len() > 1 {
            let mut fewer = patterns.to_vec();
            fewer.remove(at);
            all.push(("value dropped", what(), with(way, fewer)));
        }
        if way.is_regex() {
            continue;
        }
        let mut change = |kind, pattern: &str| {
            let mut patterns = patterns.to_vec();
            pattern.clone_into(&mut patterns[at]);
            all.push((kind, what(), with(way, patterns)));
        };
        if let Some(rest) = pattern.strip_prefix('*').filter(|rest| !rest.is_empty()) {
            change("operator", rest);
        }
        match pattern.strip_suffix('*') {
            Some("") => {}
            Some(rest) => change("operator", rest),
            None if pattern.chars().count() > 1 => {
                let mut shorter = pattern.clone();
                shorter.pop();
                change("value cut", &shorter);
            }
            None => {}
        }
    }
}

/// A text without its last letter
fn shorter(value: &Value) -> Option<Value> {
    let Value::Text(text) = value else { return None };
    let mut text = text.clone();
    text.pop();
    (!text.is_empty()).then_some(Value::Text(text))
}

/// A condition as a query says it, on one line
fn said(condition: &Condition) -> String {
    let query = EventQuery { category: None, condition: condition.clone() };
    let text = Eql::Event(query).to_string();
    let words: Vec<&str> = text.split_whitespace().skip(2).collect();
    words.join(" ")
}
