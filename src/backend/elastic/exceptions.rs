//! Exceptions: exclusions beside a rule of Kibana, in place of `not …` in its query.
//!
//! In: a signal. Out: its exclusions as items of an exception list, and the signal without them. An
//! exclusion stays in the signal when no item says exactly the same: an item folds no letter case,
//! and has no ranges and no regular expressions.
//!
//! The items are also filters, as Kibana makes them: so the rule stands in detection-rules' TOML,
//! which has no place for items.

use serde_json::{Value, json};
use uuid::Uuid;

use super::filter;
use super::registry::Seen;
use crate::backend::{Session, one_line};
use crate::ir::{Clause, ClauseOrigin, Role, Signal};
use crate::mapping::{Index, Mappings, Stream};
use crate::pattern::{Pattern, Token};
use crate::query::elasticsearch::{Bool, Entry, EntryTest, Item, Query, Scalar, Test};

/// The most items that one exclusion becomes; with more, nobody could read them
const MOST_ITEMS: usize = 16;

/// Takes the exclusions out of a signal that items say exactly
pub(super) fn split(
    signal: &Signal,
    (stream, indices): (&Stream, &[Index]),
    session: &mut Session<'_>,
) -> (Signal, Vec<Item>) {
    let seen = Seen::of(signal, stream, indices);
    let mut rest = signal.clone();
    let mut items: Vec<Item> = Vec::new();
    rest.clauses.retain(|clause| {
        let alternatives = match (clause.role, clause.origin) {
            (Role::Exclude, ClauseOrigin::Author) => of_clause(clause, seen, session),
            // What the log source leaves out is no false positive of the rule.
            (Role::Exclude, ClauseOrigin::LogSource) | (Role::Require, _) => None,
        };
        let stays = alternatives.is_none();
        let name = match one_line(&clause.label) {
            blank if blank.trim().is_empty() => "exclusion".to_owned(),
            label => label,
        };
        for entries in alternatives.into_iter().flatten() {
            // Kibana would refuse a second item with the same id.
            if !items.iter().any(|known| known.entries == entries) {
                items.push(Item { name: name.clone(), entries });
            }
        }
        stays
    });
    (rest, items)
}

/// The alternatives of an exclusion, each the entries of an item; `None` when an item would say it
/// less exactly
fn of_clause(
    clause: &Clause,
    seen: Seen<'_>,
    session: &mut Session<'_>,
) -> Option<Vec<Vec<Entry>>> {
    let mappings = session.mappings();
    session.without_more(|session| {
        let query = session.negated(|session| filter::query(seen, &clause.expr, session));
        alternatives(&query, mappings)
    })
}

/// A query as alternatives, each the entries that must all hold
fn alternatives(query: &Query, mappings: &Mappings) -> Option<Vec<Vec<Entry>>> {
    if let Some(entry) = entry(query, mappings) {
        return Some(vec![vec![entry]]);
    }
    if let Some(parts) = choice(query) {
        let parts = parts.iter().map(|part| alternatives(part, mappings));
        return Some(parts.collect::<Option<Vec<_>>>()?.concat());
    }
    let Query::Bool(Bool { must, filter, should, must_not, .. }) = query else { return None };
    if !should.is_empty() {
        return None;
    }
    let mut all = vec![Vec::new()];
    for part in must.iter().chain(filter) {
        let part = alternatives(part, mappings)?;
        if all.len() * part.len() > MOST_ITEMS {
            return None;
        }
        let with =
            |before: &Vec<Entry>| part.iter().map(|more| [&**before, more].concat()).collect();
        all = all.iter().flat_map::<Vec<Vec<Entry>>, _>(with).collect();
    }
    for part in must_not {
        // None of a choice is none of each.
        for one in choice(part).unwrap_or(std::slice::from_ref(part)) {
            let not = entry(one, mappings)?.negated();
            all.iter_mut().for_each(|entries| entries.push(not.clone()));
        }
    }
    all.iter().all(|entries| !entries.is_empty()).then_some(all)
}

/// A query as one entry
fn entry(query: &Query, mappings: &Mappings) -> Option<Entry> {
    let (field, test) = match query {
        Query::Exists(field) => (field, EntryTest::Exists),
        Query::Terms(field, values) => (field, whole_values(values)?),
        Query::Value { field, test, fold } => (field, one_value(test, *fold)?),
        Query::Bool(parts) => return of_bool(query, parts, mappings),
        Query::Everything | Query::Nothing | Query::Range(..) | Query::Words { .. } => return None,
    };
    let fits = match (&test, mappings.type_of(field)) {
        (EntryTest::Exists, _) | (_, "keyword" | "wildcard") => true,
        (EntryTest::Values(_), "ip" | "long" | "boolean") => true,
        // `match_phrase` would compare words of an analysed field.
        (EntryTest::Values(_) | EntryTest::Wildcard(_), _) => false,
    };
    fits.then(|| Entry { field: field.clone(), test, excluded: false })
}

/// The negation of one entry, or several values of one field
fn of_bool(query: &Query, parts: &Bool, mappings: &Mappings) -> Option<Entry> {
    let Some(choice) = choice(query) else {
        let alone = parts.must.is_empty() && parts.filter.is_empty() && parts.should.is_empty();
        let [only] = &*parts.must_not else { return None };
        return entry(only, mappings).filter(|_| alone).map(Entry::negated);
    };
    let mut entries = choice.iter().map(|part| entry(part, mappings));
    let mut first = entries.next()??;
    for next in entries {
        let next = next?;
        let same = next.field == first.field && !next.excluded && !first.excluded;
        match (&mut first.test, next.test) {
            (EntryTest::Values(all), EntryTest::Values(more)) if same => all.extend(more),
            (_, _) => return None,
        }
    }
    Some(first)
}

/// The parts of a query that is only a choice of one of them
fn choice(query: &Query) -> Option<&[Query]> {
    let Query::Bool(Bool { must, filter, should, minimum_should_match, must_not }) = query else {
        return None;
    };
    let only = must.is_empty() && filter.is_empty() && must_not.is_empty();
    (only && !should.is_empty() && *minimum_should_match == Some(1)).then_some(should)
}

/// Whole values; Kibana takes no blank ones
fn whole_values(values: &[Scalar]) -> Option<EntryTest> {
    let texts: Vec<String> = values.iter().map(ToString::to_string).collect();
    let written = !texts.is_empty() && texts.iter().all(|text| !text.trim().is_empty());
    written.then_some(EntryTest::Values(texts))
}

/// A test of a whole value; `None` when it folds letters, for no entry does
fn one_value(test: &Test, fold: bool) -> Option<EntryTest> {
    let pattern = match test {
        Test::Term(value) => Pattern::literal(&value.to_string()),
        Test::Prefix(value) => Pattern::of([Token::Literal(value.to_string()), Token::Any]),
        Test::Wildcard(pattern) => pattern.clone(),
        Test::Regexp(_) => return None,
    };
    // Elasticsearch folds letters of ASCII only, so a text without one has no case.
    let has_case = |text: &str| text.chars().any(|c| c.is_ascii_alphabetic());
    if fold && pattern.literals().any(has_case) {
        return None;
    }
    match pattern.as_literal() {
        Some(literal) => whole_values(&[literal.into()]),
        None => Some(EntryTest::Wildcard(pattern)),
    }
}

/// The exception list of a rule, in the lines of Kibana's import
#[derive(Debug)]
pub(super) struct List {
    id: Uuid,
    rule: String,
    items: Vec<Item>,
}

impl List {
    /// The list of the rule with this id and name; `None` without items
    pub(super) fn of(rule_id: &str, name: &str, items: Vec<Item>) -> Option<List> {
        let id = Uuid::try_parse(rule_id).ok()?;
        let id = Uuid::new_v5(&id, b"exceptions");
        (!items.is_empty()).then(|| List { id, rule: name.to_owned(), items })
    }

    /// The value of `exceptions_list` in the rule
    pub(super) fn reference(&self) -> Value {
        let id = self.id.hyphenated().to_string();
        json!([{"id": id, "list_id": id, "namespace_type": "single", "type": "rule_default"}])
    }

    /// The line of the list, then one for each item
    pub(super) fn lines(&self) -> Vec<Value> {
        let list_id = self.id.hyphenated().to_string();
        let container = json!({
            "description": format!("Exclusions of the rule {}", self.rule),
            "list_id": list_id,
            "name": format!("Exclusions of {}", self.rule),
            "namespace_type": "single",
            "os_types": [],
            "tags": [],
            "type": "rule_default",
        });
        let item = |item: &Item| {
            let entries: Value = item.entries.iter().map(Entry::to_json).collect();
            // Made of what it says: the item keeps its id when others come and go.
            let id = Uuid::new_v5(&self.id, entries.to_string().as_bytes());
            json!({
                "comments": [],
                "description": item.name,
                "entries": entries,
                "item_id": id.hyphenated().to_string(),
                "list_id": list_id,
                "name": item.name,
                "namespace_type": "single",
                "os_types": [],
                "tags": [],
                "type": "simple",
            })
        };
        std::iter::once(container).chain(self.items.iter().map(item)).collect()
    }
}
