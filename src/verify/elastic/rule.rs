//! An emitted rule as Kibana and Elasticsearch run it, for one document at a time.
//!
//! ```text
//!  query   ──► kuery::parse ──► Kuery ──► translate ──┐
//!                                                     ├─► Query ──► evaluate ──► yes or no
//!  filters ───────────────────────────────► filter ───┘                             │ and
//!  query   ──► eql::parse ──► Eql ──► the judge of EQL ─────────────────────────► yes or no
//! ```
//!
//! In: a rule of an import file, then ECS documents. Out: whether they match. The types of fields
//! are those of the indices that the rule searches. After reading, nothing of Kibana's language is
//! left: a [`Query`] has only types and values.
//!
//! INVARIANT: nothing here uses the rule that the compiler read. An emitted rule is read as Elastic
//! reads it, so that its verdict can be compared with the matcher's. A part that cannot be judged
//! is refused, never guessed.

use serde_json::Value;

use super::document::remove;
use super::fields::{Field, Groups, Known, Type};
use super::indices::Indices;
use super::query::Query;
use super::{evaluate, filter, loads, translate};
use crate::query::eql::Eql;
use crate::query::{Error, eql, kuery};
use crate::verify::eql::{EventJudge, FieldType, Index, Judge, Kind, SequenceJudge};

/// An emitted rule, ready to judge documents
#[derive(Debug, Clone)]
pub struct Rule {
    /// The filters, and the query in Kibana's language
    query: Query,
    /// The query in EQL
    events: Option<Events>,
    indices: Indices,
}

/// A query in EQL over single events
#[derive(Debug, Clone)]
struct Events {
    judge: EventJudge,
    /// The fields that it names, as far as they are known
    fields: Vec<Field>,
}

impl Rule {
    /// Reads one rule of an import file: its `query`, `filters` and `index`
    ///
    /// # Errors
    /// When Kibana would not read the rule, Elasticsearch would refuse it, or a part of it is not
    /// judged here.
    pub fn of(rule: &Value) -> Result<Rule, Error> {
        Rule::of_known(rule, &Known::default())
    }

    /// Like [`Rule::of`], with the fields and indices of the user
    ///
    /// # Errors
    /// As [`Rule::of`].
    pub fn of_known(rule: &Value, known: &Known) -> Result<Rule, Error> {
        let text = |key: &str| rule.get(key).and_then(Value::as_str);
        let query = text("query").ok_or_else(|| Error::new("the rule has no query".to_owned()))?;
        let list = |key: &str| match rule.get(key) {
            None | Some(Value::Null) => Ok(&[][..]),
            Some(Value::Array(items)) => Ok(items.as_slice()),
            Some(_) => Err(Error::new(format!("`{key}` is not a list"))),
        };
        let indices = Indices::of(list("index")?, known)?;
        let (mut parts, mut events) = (Vec::new(), None);
        match text("language") {
            Some("eql") => events = Some(Events::of(query, &indices, known)?),
            None | Some("kuery") => parts.push(translate::query(&kuery::parse(query)?, known)?),
            Some(_) => {
                return Err(Error::new("the language of the rule is not judged".to_owned()));
            }
        }
        for filter in list("filters")? {
            parts.extend(filter::of(filter, known)?);
        }
        Ok(Rule { query: Query::All(parts), events, indices })
    }

    /// What Elastic's own loader of rules refuses of the query, as clauses without a period
    pub(in crate::verify) fn refused_by_the_loader(rule: &Value, known: &Known) -> Vec<String> {
        let text = rule["query"].as_str().unwrap_or_default();
        if rule["language"] != "eql" {
            return kuery::parse(text).map(|query| loads::kuery(&query, known)).unwrap_or_default();
        }
        let patterns = rule["index"].as_array().map(Vec::as_slice).unwrap_or_default();
        let (Ok(query), Ok(indices)) = (eql::parse(text), Indices::of(patterns, known)) else {
            return Vec::new();
        };
        let searched = indices.groups();
        let types = |name: &str| {
            let field = known.named(name).ok().filter(|field| field.is_in(searched));
            field.map(|field| field.kind)
        };
        loads::eql(&query, &types)
    }

    /// Whether a document matches; its fields may be nested, dotted or both
    ///
    /// A document that names a data stream (`data_stream.dataset`) is in the index of that stream.
    /// Outside the rule's index patterns it does not match. Fields that the index does not map are
    /// missing.
    pub fn matches(&self, document: &Value) -> bool {
        self.indices.of_document(document).is_some_and(|groups| {
            evaluate::holds(&self.query, document, groups)
                && self.events.as_ref().is_none_or(|events| events.matches(document, groups))
        })
    }
}

/// The judge of a rule's sequences of events, which looks at documents of any of its indices
///
/// # Errors
/// As [`Rule::of`]; and when the query is about single events.
pub(in crate::verify) fn sequence_of(rule: &Value, known: &Known) -> Result<SequenceJudge, Error> {
    let patterns = rule["index"].as_array().map(Vec::as_slice).unwrap_or_default();
    let query = eql::parse(rule["query"].as_str().unwrap_or_default())?;
    match judge_of(&query, &Indices::of(patterns, known)?, known)? {
        Judge::Sequence(judge) => Ok(judge),
        Judge::Event(_) => Err(Error::new("its query is about single events".to_owned())),
    }
}

fn judge_of(query: &Eql, indices: &Indices, known: &Known) -> Result<Judge, Error> {
    let searched = indices.groups();
    let types = |name: &str| {
        let field = known.named(name).ok()?;
        let kind = match field.kind {
            Type::Keyword | Type::Wildcard => Kind::Text,
            Type::Lowercase | Type::Text => Kind::Analysed,
            Type::Long => Kind::Whole,
            Type::Ip => Kind::Ip,
            Type::Date => Kind::Date,
            Type::Boolean => Kind::Boolean,
        };
        field.is_in(searched).then_some(FieldType { kind, limit: field.limit })
    };
    Judge::of(query, &Index::new(&types))
}

impl Events {
    fn of(query: &str, indices: &Indices, known: &Known) -> Result<Events, Error> {
        let read = eql::parse(query)?;
        let names = read.fields().into_iter().map(|field| field.name.as_str());
        let fields = names.filter_map(|name| known.named(name).ok().cloned()).collect();
        match judge_of(&read, indices, known)? {
            Judge::Event(judge) => Ok(Events { judge, fields }),
            Judge::Sequence(_) => Err(Error::new("a sequence is no single event".to_owned())),
        }
    }

    /// Whether a document of an index in these groups matches; the index has only what it maps
    fn matches(&self, document: &Value, groups: Groups) -> bool {
        let mut beyond = self.fields.iter().filter(|field| !field.is_in(groups)).peekable();
        if beyond.peek().is_none() {
            return self.judge.matches(document);
        }
        let mut seen = document.clone();
        beyond.for_each(|field| remove(&mut seen, &field.name));
        self.judge.matches(&seen)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const PROCESS: &str = "logs-endpoint.events.process-*";

    fn rule(query: &str, filters: Value) -> Result<Rule, Error> {
        Rule::of(&json!({
            "language": "kuery",
            "index": [PROCESS, "winlogbeat-*"],
            "query": query,
            "filters": filters,
        }))
    }

    #[test]
    fn a_rule_is_its_query_and_all_its_filters() {
        let any = json!({"wildcard": {"process.command_line": {"value": "*WHO*", "case_insensitive": true}}});
        let filters = json!([
            {"meta": {"negate": false}, "query": any},
            {"meta": {"negate": true}, "query": {"term": {"user.name": {"value": "a"}}}},
            {"meta": {"disabled": true}, "query": {"term": {"user.name": {"value": "z"}}}},
        ]);
        let rule = rule("process.name.text:\"CMD.exe\"", filters).unwrap();
        let document = |line: &str, user: &str| {
            json!({
                "process": {"name": "cmd.exe", "command_line": line},
                "user.name": user,
            })
        };
        assert!(rule.matches(&document("whoami", "b")));
        assert!(!rule.matches(&document("whoami", "a")));
        assert!(!rule.matches(&document("dir", "b")));
    }

    #[test]
    fn an_index_sees_only_what_it_maps() {
        let caseless = rule("process.name.caseless:cmd.exe", json!([])).unwrap();
        let of = |stream: Option<&str>| {
            let mut document = json!({"process": {"name": "CMD.EXE"}});
            if let Some(stream) = stream {
                document["data_stream"] = json!({"dataset": stream});
            }
            caseless.matches(&document)
        };
        assert!(of(Some("endpoint.events.process")) && of(None));
        assert!(!of(Some("endpoint.events.file")), "outside the rule's index patterns");
        let beats = json!({"index": ["winlogbeat-*"], "query": "process.name.caseless:cmd.exe"});
        assert!(!Rule::of(&beats).unwrap().matches(&json!({"process": {"name": "cmd.exe"}})));
    }

    #[test]
    fn what_is_not_judged_is_refused() {
        let why = |query: &str| rule(query, json!([])).unwrap_err().to_string();
        assert_eq!(
            why("cmd.exe"),
            "the value `cmd.exe` has no field, and all fields are not known here"
        );
        assert_eq!(why("process.nam:a"), "the type of the field `process.nam` is not known here");
        assert_eq!(why("process.pid:a"), "`a` is no value of process.pid, which is a number");
        assert_eq!(why("process.pid:8*"), "process.pid is a number, and has no wildcards");
        assert!(rule("*:*", json!([{"query": {"fuzzy": {"user.name": "a"}}}])).is_err());
        let index = json!({"index": ["logs-*"], "query": "user.name:a"});
        assert_eq!(
            Rule::of(&index).unwrap_err().to_string(),
            "the fields of the index `logs-*` are not known here"
        );
    }
}
