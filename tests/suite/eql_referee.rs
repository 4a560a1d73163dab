//! The judge of EQL says what the referee of the corpus says.
//!
//! Both read the text of a query and the same documents. A query that the referee refuses is refused
//! here; one that only the judge leaves out says so in its words.

use std::path::Path;

use jiff::Timestamp;
use rulecast::Rule as Definition;
use rulecast::backend::Translation;
use rulecast::matcher::Recorder;
use rulecast::query::Error;
use rulecast::query::eql::{self, Eql, EventQuery, Sequence};
use rulecast::taxonomy::EventKind;
use rulecast::verify::elastic::Rule;
use rulecast::verify::eql::{FieldType, Index, Judge};
use rulecast::verify::near::chance::Dice;
use rulecast::verify::{Course, Gaps, document, guessed_product};
use rulecast::workspace::Loaded;
use serde_json::{Value, json};

use crate::documents::Near;
use crate::series::courses_of;
use crate::support::{corpus, root, sigmahq};
use crate::trials::{import, near, translated, translations};
use crate::{documents, eql_courses, eql_pairs, kuery};

/// How much was compared
#[derive(Debug, Default)]
struct Tally {
    /// Documents, or series of them
    compared: usize,
    /// Those that match, or in which a sequence is
    matching: usize,
    /// Queries that both refuse
    refused: usize,
    /// Queries that one of both leaves out
    unjudged: usize,
    differences: Vec<String>,
}

/// The judge of a query on an index with these types
fn judge(query: &Eql, types: &Value) -> Result<Judge, Error> {
    let types = |name: &str| types[name].as_str().and_then(FieldType::named);
    Judge::of(query, &Index::new(&types))
}

/// What is asked of both: an emitted rule, or a query on an index with these types, and documents
struct Case(Value);

impl Case {
    fn of_query(query: &Eql, types: &Value, events: Vec<Value>) -> Case {
        Case(json!({"eql": query.to_string(), "types": types, "events": events}))
    }

    fn of_rule(rule: &Value, events: Vec<Value>) -> Case {
        Case(json!({"rule": rule, "events": events}))
    }

    fn query(&self) -> &str {
        self.0["eql"].as_str().or(self.0["rule"]["query"].as_str()).unwrap()
    }

    fn events(&self) -> &[Value] {
        self.0["events"].as_array().unwrap()
    }

    /// What the judge says, in the referee's words
    fn verdict(&self) -> Result<Value, String> {
        let digits = |matches: &dyn Fn(&Value) -> bool| {
            let digit = |event| if matches(event) { '1' } else { '0' };
            Ok(json!(self.events().iter().map(digit).collect::<String>()))
        };
        if self.0["rule"].is_object() {
            let rule = Rule::of(&self.0["rule"]).map_err(|why| why.to_string())?;
            return digits(&|event| rule.matches(event));
        }
        let query = eql::parse(self.query()).map_err(|why| why.to_string())?;
        match judge(&query, &self.0["types"]).map_err(|why| why.to_string())? {
            Judge::Event(judge) => digits(&|event| judge.matches(event)),
            Judge::Sequence(judge) => Ok(json!(judge.sequences(self.events()).unwrap())),
        }
    }
}

impl Tally {
    fn add(&mut self, case: &Case, theirs: &Value) {
        let ours = case.verdict();
        match (&ours, theirs.as_str()) {
            (Err(_), Some("e")) => self.refused += 1,
            (_, Some("u")) => self.unjudged += 1,
            (Err(why), _) if why.contains("not judged here") => self.unjudged += 1,
            (Ok(Value::String(ours)), Some(theirs)) if theirs.len() == ours.len() => {
                self.compared += ours.len();
                self.matching += ours.bytes().filter(|one| *one == b'1').count();
                let pairs = ours.bytes().zip(theirs.bytes()).zip(case.events());
                for (_, event) in pairs.filter(|((ours, theirs), _)| ours != theirs) {
                    self.differences.push(format!("{}\n  {event}", case.query()));
                }
            }
            (Ok(ours @ Value::Array(found)), None) if ours == theirs => {
                self.compared += 1;
                self.matching += usize::from(!found.is_empty());
            }
            _ => {
                let (query, events) = (case.query(), json!(case.events()));
                let difference = format!("{query}\n  {ours:?} here, there {theirs}\n  {events}");
                self.differences.push(difference);
            }
        }
    }

    fn of(corpus: &Path, cases: &[Case]) -> Tally {
        let asked: Vec<Value> = cases.iter().map(|case| case.0.clone()).collect();
        let mut tally = Tally::default();
        for (case, theirs) in cases.iter().zip(kuery::referee(corpus, &asked)) {
            tally.add(case, &theirs);
        }
        let few: Vec<&str> = tally.differences.iter().take(5).map(String::as_str).collect();
        assert!(few.is_empty(), "{} differ\n{}", tally.differences.len(), few.join("\n"));
        tally
    }
}

#[test]
fn the_referee_gives_every_random_query_the_same_verdicts() {
    let Some(corpus) = corpus("the_referee_gives_every_random_query_the_same_verdicts") else {
        return;
    };
    let mut dice = Dice(0x6571_6c5f_3031);
    let fields = eql_pairs::FIELDS.iter();
    let types: Value = fields.map(|(name, kind, _)| ((*name).to_owned(), json!(kind))).collect();
    let case = |dice: &mut Dice| {
        let events = (0..30).map(|_| eql_pairs::document(dice)).collect();
        Case::of_query(&eql_pairs::query(dice), &types, events)
    };
    let cases: Vec<Case> = (0..1_200).map(|_| case(&mut dice)).collect();
    let tally = Tally::of(&corpus, &cases);
    println!("{} queries: {tally:?}", cases.len());
    let Tally { compared, matching, refused, unjudged, .. } = tally;
    assert!(compared > 20_000 && matching > compared / 10 && refused > 20, "{tally:?}");
    assert!(unjudged < cases.len() / 3, "{tally:?}");
}

#[test]
fn the_referee_finds_the_same_random_sequences() {
    let Some(corpus) = corpus("the_referee_finds_the_same_random_sequences") else { return };
    let mut dice = Dice(0x6571_6c5f_3032);
    let fields = eql_courses::FIELDS.iter();
    let types: Value = fields.map(|(name, kind)| ((*name).to_owned(), json!(kind))).collect();
    let cases: Vec<Case> = (0..800)
        .flat_map(|_| {
            let query = eql_courses::sequence(&mut dice);
            [(); 3].map(|()| Case::of_query(&query, &types, eql_courses::series(&mut dice, 25)))
        })
        .collect();
    let tally = Tally::of(&corpus, &cases);
    println!("{} queries: {tally:?}", cases.len());
    let Tally { compared, matching, refused, unjudged, .. } = tally;
    assert!(compared > 1_800 && matching > compared / 3 && refused > 40, "{tally:?}");
    assert!(unjudged < cases.len() / 8, "{tally:?}");
}

/// The document that Elastic's pipelines make of an event
fn piped(event: &Value, kind: &EventKind) -> Option<Value> {
    let record = Recorder::new(kind).read(event, Some(kind)).unwrap();
    let product = record.product.unwrap_or_else(|| guessed_product(&record, kind));
    document(&record, kind, product, Gaps::Left)
}

/// The rules in EQL among the lines for Kibana's import, each with its query
fn in_eql(made: &Translation) -> Vec<(Value, Eql)> {
    let rules = import(made).lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let rules = rules.filter(|rule| rule["language"] == "eql");
    let read = |rule: Value| {
        let query = eql::parse(rule["query"].as_str().unwrap()).unwrap();
        (rule, query)
    };
    rules.map(read).collect()
}

/// The types of the fields that an emitted rule names
fn types_of(rule: &Value) -> Value {
    let fields = rule["required_fields"].as_array().unwrap().iter();
    fields
        .map(|field| (field["name"].as_str().unwrap().to_owned(), field["type"].clone()))
        .collect()
}

/// The values that an event of a query looks for, as far as their fields can hold them
fn near_typed(event: &EventQuery, types: &Value) -> Near {
    let mut near = documents::near_event(event);
    for (field, values) in &mut near {
        let typed = |value: &Value| match (types[field].as_str(), value) {
            (Some("long"), Value::String(text)) => text.parse::<i64>().ok().map(Value::from),
            (Some("boolean"), Value::String(text)) => text.parse::<bool>().ok().map(Value::from),
            _ => Some(value.clone()),
        };
        *values = values.iter().filter_map(typed).collect();
    }
    near
}

/// Every emitted query of single events, on documents near its own values, on those of events near
/// the values of the definition, and on others
fn on_events(all: &[(Definition, Translation)], others: &[Value], most: usize) -> Vec<Case> {
    let mut dice = Dice(0x6571_6c5f_3033);
    let mut cases = Vec::new();
    for (_, made) in all {
        let examples = near(&made.rule, &mut dice, most / 4);
        let each = examples.len().div_ceil(most).max(1);
        let some = examples.iter().step_by(each);
        let near = some.filter_map(|one| piped(&one.event, one.kind.as_ref()?)).collect::<Vec<_>>();
        for (rule, query) in in_eql(made) {
            let Eql::Event(event) = &query else { continue };
            let types = types_of(&rule);
            let own = near_typed(event, &types);
            let mut events = near.clone();
            events.extend((0..most / 2).map(|_| documents::document(&own, &mut dice)));
            events.extend_from_slice(others);
            // Lucene keeps an IPv4 address that is written as IPv6 as the former, the referee as the latter.
            events.retain(|event| !event.to_string().contains("::ffff:"));
            // Names outside ECS may come with the events, and the referee knows only those of packages.
            let ecs = rule["required_fields"].as_array().unwrap().iter().all(|f| f["ecs"] == true);
            cases.push(match ecs {
                true => Case::of_rule(&rule, events),
                false => Case::of_query(&query, &types, events),
            });
        }
    }
    cases
}

#[test]
fn the_referee_gives_every_emitted_query_the_same_verdicts() {
    let Some(corpus) = corpus("the_referee_gives_every_emitted_query_the_same_verdicts") else {
        return;
    };
    let recorded = kuery::recorded(&corpus);
    let some: Vec<Value> = recorded.values().step_by(recorded.len() / 20).cloned().collect();
    let own = ["rules", "tests/operators"].map(|folder| translations(&root().join(folder), "eql"));
    let of_sigma: Vec<Loaded> = sigmahq(&corpus).rules.iter().step_by(8).cloned().collect();
    let mut cases = on_events(&own.concat(), &some, 80);
    assert!(cases.len() > 150, "only {} queries", cases.len());
    cases.extend(on_events(&translated(&of_sigma, "eql"), &[], 30));
    let tally = Tally::of(&corpus, &cases);
    println!("{} queries: {tally:?}", cases.len());
    let Tally { compared, matching, refused, unjudged, .. } = tally;
    assert!(compared > 20_000 && matching > compared / 20, "{tally:?}");
    // The referee knows no letters in brackets of `regex~`, and takes `"` in an expression for an operator.
    assert!(refused == 0 && unjudged * 50 <= cases.len(), "{tally:?}");
}

/// The documents of a course, each with its time
fn in_time(course: &Course) -> Vec<Value> {
    let timed = |(time, event, kind): &(Timestamp, Value, EventKind)| {
        let mut document = piped(event, kind)?;
        document["@timestamp"] = json!(time.as_millisecond());
        Some(document)
    };
    course.iter().filter_map(timed).collect()
}

/// A document with these values that the event's query fits, nearly always
fn fitting(near: &Near, judge: &Judge, dice: &mut Dice) -> Value {
    let fits = |event: &Value| matches!(judge, Judge::Event(judge) if judge.matches(event));
    let mut tries = (0..60).map(|_| documents::document(near, dice));
    let first = tries.next().unwrap();
    if fits(&first) { first } else { tries.find(fits).unwrap_or(first) }
}

/// Events near each step of a sequence, with few keys and with times about its span
fn near_steps(sequence: &Sequence, types: &Value, dice: &mut Dice) -> Vec<Value> {
    let keys = sequence.by.iter().chain(sequence.steps.iter().flat_map(|step| &step.by));
    let steps = sequence.steps.iter().map(|step| {
        let mut near = near_typed(&step.query, types);
        for key in keys.clone() {
            let ip = types[&key.name] == "ip";
            let texts = if ip { ["192.0.2.1"; 2] } else { ["k1", "k2"] };
            texts.iter().for_each(|text| documents::add(&mut near, &key.name, text));
        }
        let query = Eql::Event(step.query.clone());
        (near, judge(&query, types).unwrap())
    });
    let steps: Vec<(Near, Judge)> = steps.collect();
    let runs: u32 = sequence.steps.iter().map(|step| step.runs).sum();
    let span = sequence.maxspan.unwrap_or(1_000);
    let each = span / u64::from(runs - 1);
    let mut time = 0;
    let events = (0..20 + 4 * runs).map(|_| {
        // Now and then a time that no sequence can have, but not within many runs.
        time += [0, 1, each / 2, each, each + 1, span][dice.roll(if runs > 9 { 3 } else { 6 })];
        let (near, judge) = &steps[dice.roll(steps.len())];
        let mut event = fitting(near, judge, dice);
        event["@timestamp"] = json!(time);
        event
    });
    events.collect()
}

#[test]
fn the_referee_finds_the_same_sequences_of_emitted_queries() {
    let Some(corpus) = corpus("the_referee_finds_the_same_sequences_of_emitted_queries") else {
        return;
    };
    let mut dice = Dice(0x6571_6c5f_3034);
    let made = ["rules", "tests/operators"].map(|folder| translations(&root().join(folder), "eql"));
    let mut cases = Vec::new();
    for (_, made) in made.concat() {
        let courses = match made.rule.correlations.is_empty() {
            true => Vec::new(),
            false => courses_of(&made.rule, &mut dice, 5),
        };
        for (rule, query) in in_eql(&made) {
            let Eql::Sequence(sequence) = &query else { continue };
            let types = types_of(&rule);
            // Many runs take the referee long.
            let runs: u32 = sequence.steps.iter().map(|step| step.runs).sum();
            let some = courses.iter().step_by(if runs > 9 { 4 } else { 1 });
            let of_courses: Vec<_> = some.map(in_time).collect();
            let near = [(); 8].map(|()| near_steps(sequence, &types, &mut dice));
            let all = of_courses.into_iter().chain(near);
            let asked: Vec<Case> =
                all.map(|events| Case::of_query(&query, &types, events)).collect();
            let complete = asked.iter().filter(|case| case.verdict() != Ok(json!([]))).count();
            assert!(complete > 0, "{query} is complete in {complete} series");
            cases.extend(asked);
        }
    }
    let tally = Tally::of(&corpus, &cases);
    println!("{} queries: {tally:?}", cases.len());
    let Tally { compared, matching, .. } = tally;
    assert!(compared == cases.len() && compared >= 200 && matching > compared / 4, "{tally:?}");
}
