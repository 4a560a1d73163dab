//! What Kibana's language can say of a clause that it does not say exactly.
//!
//! In: an expression. Out: a query that matches at least the same documents and that a reader
//! understands: the names of a clause as phrases of the analysed sub-field, a pattern as the words that
//! begin like it, and of every other text that the field is there.
//!
//! A word that begins like `tomcat*` lies between `"tomcat"` and `"tomcau"`. Two limits say so where
//! detection-rules refuses a wildcard: its reader takes one on keywords only ("Unable to perform
//! wildcard on field of text"). Two words of one value may meet the two limits, which matches more.

use super::registry::Seen;
use super::{decoding, fields};
use crate::ir::{Expr, Op, Relation, Test};
use crate::mapping;
use crate::pattern::{Pattern, Token};
use crate::query::kuery::{Bound, Kuery, Literal, Values};

/// A query of at least the same documents
enum Wider {
    All(Vec<Wider>),
    Any(Vec<Wider>),
    /// The field is there
    There(String),
    Words(Words),
}

/// Words of an analysed field, of which a document has some
struct Words {
    /// The field with the whole value
    of: String,
    /// Its analysed form
    field: String,
    /// Words that follow each other, as texts
    phrases: Vec<String>,
    /// Beginnings of words, in lower case
    starts: Vec<String>,
}

/// A readable expression that matches at least the same documents
///
/// `None` when Elasticsearch could answer no such expression from an index.
pub(super) fn superset(seen: Seen<'_>, expr: &Expr) -> Option<Kuery> {
    wider(seen, expr).map(Wider::kuery)
}

fn wider(seen: Seen<'_>, expr: &Expr) -> Option<Wider> {
    match expr {
        Expr::All(parts) => {
            let parts: Vec<_> = parts.iter().filter_map(|part| wider(seen, part)).collect();
            (!parts.is_empty()).then_some(Wider::All(parts))
        }
        Expr::Any(parts) => {
            let parts: Option<Vec<_>> = parts.iter().map(|part| wider(seen, part)).collect();
            parts.map(joined)
        }
        Expr::Not(_) => None,
        Expr::Test(test) => of_test(seen, test),
    }
}

fn of_test(seen: Seen<'_>, test: &Test) -> Option<Wider> {
    let [ecs] = *fields::of_test(seen.stream, test) else { return None };
    if ecs.words != mapping::Words::Own || ecs.kind.is_analysed() {
        return None;
    }
    let there = Wider::There(ecs.name.clone());
    let Op::Text(text) = &test.op else {
        return matches!(test.op, Op::Regex(_) | Op::Segments(_)).then_some(there);
    };
    let escaped = |text: &str| text.contains(['%', '+']);
    let encoded = || text.values.iter().flat_map(Pattern::literals).any(escaped);
    if !(ecs.text && seen.text) || decoding::decodes(seen.stream, ecs) && encoded() {
        return Some(there);
    }
    let (of, field) = (ecs.name.clone(), ecs.analysed());
    let mut words = Words { of, field, phrases: Vec::new(), starts: Vec::new() };
    for pattern in &*text.values {
        match (text.relation, pattern.as_literal()) {
            (Relation::Equals, Some(text)) if is_phrase(text) => {
                words.phrases.push(text.to_owned())
            }
            (Relation::Starts | Relation::Wildcard, _) => match start(pattern) {
                Some(start) => words.starts.push(start),
                None => return Some(there),
            },
            _ => return Some(there),
        }
    }
    Some(Wider::Words(words))
}

/// Joins alternatives; those on one field become one list
fn joined(parts: Vec<Wider>) -> Wider {
    let mut all: Vec<Wider> = Vec::new();
    for part in parts {
        let known = all.iter_mut().find_map(|known| match (known, &part) {
            (Wider::Words(known), Wider::Words(part)) => {
                (known.field == part.field).then_some(known)
            }
            _ => None,
        });
        match (known, part) {
            (Some(known), Wider::Words(part)) => {
                known.phrases.extend(part.phrases);
                known.starts.extend(part.starts);
            }
            (_, part) => all.push(part),
        }
    }
    // A choice that asks for a field which another choice asks for alone adds nothing.
    let there: Vec<String> =
        all.iter().filter_map(Wider::as_there).map(ToOwned::to_owned).collect();
    let adds =
        |part: &Wider| part.as_there().is_some() || !there.iter().any(|field| part.has(field));
    all.retain(adds);
    all.dedup_by(|one, other| one.as_there().is_some() && one.as_there() == other.as_there());
    Wider::Any(all)
}

impl Wider {
    /// The field, where all that is asked for is that it is there
    fn as_there(&self) -> Option<&str> {
        match self {
            Wider::There(field) => Some(field),
            Wider::All(_) | Wider::Any(_) | Wider::Words(_) => None,
        }
    }

    /// Whether each matching document has the field
    fn has(&self, field: &str) -> bool {
        match self {
            Wider::There(own) => own == field,
            Wider::Words(words) => words.of == field,
            Wider::All(parts) => parts.iter().any(|part| part.has(field)),
            Wider::Any(parts) => !parts.is_empty() && parts.iter().all(|part| part.has(field)),
        }
    }

    fn kuery(self) -> Kuery {
        let many = |parts: Vec<Wider>| parts.into_iter().map(Wider::kuery).collect();
        match self {
            Wider::All(parts) => Kuery::And(many(parts)),
            Wider::Any(parts) => Kuery::Or(many(parts)),
            Wider::There(field) => Kuery::field(&field, Values::One(Literal::anything())),
            Wider::Words(words) => words.kuery(),
        }
    }
}

impl Words {
    /// The phrases as one list, then two limits for each beginning
    fn kuery(mut self) -> Kuery {
        self.starts.sort();
        self.starts.dedup_by(|one, shorter| one.starts_with(shorter.as_str()));
        self.phrases.sort_by_key(|phrase| phrase.to_lowercase());
        self.phrases.dedup();
        self.phrases.retain(|phrase| {
            let word = run(phrase).to_lowercase();
            !self.starts.iter().any(|start| word.starts_with(start))
        });
        let quoted = self.phrases.iter().filter_map(|phrase| Literal::quoted(phrase));
        let mut parts = Vec::new();
        if !self.phrases.is_empty() {
            parts.push(Kuery::field(&self.field, Values::any(quoted)));
        }
        let field = Pattern::literal(&self.field);
        let limit = |bound, text: String| Kuery::Range(field.clone(), bound, Literal::Quoted(text));
        for start in self.starts {
            let after = after(&start);
            let limits = [limit(Bound::AtLeast, start), limit(Bound::Below, after)];
            parts.push(Kuery::And(limits.into()));
        }
        Kuery::Or(parts)
    }
}

/// Whether equal values have equal words: a value without any word has no phrase
fn is_phrase(text: &str) -> bool {
    text.chars().any(char::is_alphanumeric) && Literal::quoted(text).is_some()
}

/// The letters, digits and underscores that a text begins with
///
/// The analyser never splits such a run, so the first word of the text begins with it. After the
/// run it may split anywhere: `tomcat9.exe` becomes `tomcat9` and `exe`.
fn run(text: &str) -> &str {
    let joins = |c: char| c.is_ascii_alphanumeric() || c == '_';
    &text[..text.find(|c: char| !joins(c)).unwrap_or(text.len())]
}

/// The start of the first word of each matching value, in lower case as in the index
fn start(pattern: &Pattern) -> Option<String> {
    let Some(Token::Literal(first)) = pattern.tokens().first() else { return None };
    let run = run(first);
    let speaks = run.len() >= 2 && run.starts_with(|c: char| c.is_ascii_alphanumeric());
    speaks.then(|| run.to_ascii_lowercase())
}

/// The first text after all that begin with this run of ASCII
fn after(start: &str) -> String {
    let (before, last) = start.split_at(start.len() - 1);
    let next = last.bytes().map(|byte| char::from(byte + 1));
    before.chars().chain(next).collect()
}
