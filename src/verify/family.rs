//! Sequences about a program and its parent.
//!
//! In: a rule of the import file whose query is a sequence of two starts, and the document of the
//! program's start. Out: whether the sequence is complete with the start of the parent before it. That
//! start is made of what the program's document says about the parent.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::elastic::{Known, sequence_of};
use super::eql::SequenceJudge;

/// The beginning of the names of fields about the parent
const OF_PARENT: &str = "process.parent.";

/// The field of the id in the start of the parent, and in that of the program
const IDS: [&str; 2] = ["process.entity_id", "process.parent.entity_id"];

/// The most milliseconds between both starts, as the loss `ancestry` says
const SPAN: i64 = 300_000;

/// A judge of two starts
#[derive(Debug)]
pub(super) struct Family(SequenceJudge);

/// How the two starts stand to each other
#[derive(Debug, Clone, Copy)]
struct Pair {
    /// The milliseconds from the start of the parent to that of the program
    apart: i64,
    same_host: bool,
    same_id: bool,
}

const PAIR: Pair = Pair { apart: 1_000, same_host: true, same_id: true };

/// Pairs of starts that belong together, in words
const BELONG: &[(&str, Pair)] =
    &[("a parent that started five minutes before", Pair { apart: SPAN, ..PAIR })];

/// Pairs of starts that do not
const STRANGE: &[(&str, Pair)] = &[
    ("a parent that started more than five minutes before", Pair { apart: SPAN + 1, ..PAIR }),
    ("a parent on another host", Pair { same_host: false, ..PAIR }),
    ("the parent of another program", Pair { same_id: false, ..PAIR }),
];

impl Family {
    /// Reads a rule; an error is a clause without a period
    pub(super) fn of(rule: &Value, known: &Known) -> Result<Family, String> {
        sequence_of(rule, known).map(Family).map_err(|why| why.to_string())
    }

    /// Whether the start of the program completes the sequence
    ///
    /// Without a grandparent in the document nobody has seen the start of the parent.
    pub(super) fn matches(&self, document: &Value) -> bool {
        parent_of(document).is_some_and(|parent| self.takes(&parent, document, PAIR))
    }

    /// Whether one of the starts may be this other document
    pub(super) fn takes_another(&self, document: &Value, other: &Value) -> bool {
        let beside = parent_of(document).is_some_and(|parent| self.takes(&parent, other, PAIR));
        beside || parent_of(other).is_some_and(|parent| self.takes(&parent, document, PAIR))
    }

    /// A pair that the rule judges wrongly, in words; `document` is a match
    pub(super) fn misjudged(&self, document: &Value) -> Option<(&'static str, bool)> {
        let parent = parent_of(document)?;
        let takes = |pair: &Pair| self.takes(&parent, document, *pair);
        let missed = BELONG.iter().find(|(_, pair)| !takes(pair)).map(|(what, _)| (*what, false));
        missed
            .or_else(|| STRANGE.iter().find(|(_, pair)| takes(pair)).map(|(what, _)| (*what, true)))
    }

    fn takes(&self, parent: &Value, child: &Value, pair: Pair) -> bool {
        let start = Timestamp::UNIX_EPOCH;
        let later = start + SignedDuration::from_millis(pair.apart);
        let other = |same: bool| if same { "one" } else { "another" };
        let starts = [
            (parent, start, IDS[0], "one", "one"),
            (child, later, IDS[1], other(pair.same_host), other(pair.same_id)),
        ];
        let dated = starts.map(|(document, time, id_field, host, id)| {
            let mut document = document.clone();
            document["@timestamp"] = json!(time.to_string());
            document["host.id"] = json!([host]);
            document[id_field] = json!([id]);
            document
        });
        let sequences = self.0.sequences(&dated).unwrap_or_default();
        sequences.iter().any(|events| events.iter().flatten().eq([&0, &1]))
    }
}

/// The document of the parent's start; `None` where the grandparent is not known
fn parent_of(child: &Value) -> Option<Value> {
    let mut parent = Map::new();
    for (field, values) in child.as_object()? {
        match field.strip_prefix(OF_PARENT) {
            Some(own) => parent.insert(format!("process.{own}"), values.clone()),
            None if field.starts_with("process.") => None,
            None => parent.insert(field.clone(), values.clone()),
        };
    }
    let is_known = parent.keys().any(|field| field.starts_with(OF_PARENT));
    is_known.then_some(Value::Object(parent))
}
