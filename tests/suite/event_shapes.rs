//! An event is the same event in whatever shape it is written: every rule gives the same verdicts.
//!
//! The writers here know nothing of the readers. Each writes flat events in a shape that people have.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufReader, Write};
use std::path::Path;

use rulecast::Rule;
use rulecast::matcher::{Collected, Engine, Found, Lines, Memory, Options, Stop, scan};
use rulecast::project;
use serde_json::{Map, Value, json};

use crate::support::{corpus, events_of, root, rules, sigmahq};

type Event = Map<String, Value>;

/// What a scan says of each event: its number, and rule, signal, level and evidence of its matches
type Verdicts = Vec<(usize, String)>;

/// What stands in the `System` part of an event of Windows
const SYSTEM: [&str; 4] = ["Channel", "EventID", "Provider_Name", "Computer"];

fn data(event: &Event) -> Event {
    let own = event.iter().filter(|(name, _)| !SYSTEM.contains(&name.as_str()));
    own.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// The `System` part, with the attributes of an element inside it or beside it
fn system(event: &Event, beside: bool) -> Value {
    let mut system = Map::new();
    for name in ["Channel", "Computer"] {
        system.extend(event.get(name).map(|value| (name.to_owned(), value.clone())));
    }
    if let Some(id) = event.get("EventID") {
        let id = if beside {
            id.clone()
        } else {
            json!({"#attributes": {"Qualifiers": 0}, "#text": id})
        };
        system.insert("EventID".to_owned(), id);
    }
    if let Some(name) = event.get("Provider_Name") {
        match beside {
            true => system.insert("Provider_attributes".to_owned(), json!({"Name": name})),
            false => system.insert("Provider".to_owned(), json!({"#attributes": {"Name": name}})),
        };
    }
    Value::Object(system)
}

fn evtx_dump(event: &Event) -> Value {
    json!({"Event": {"#attributes": {"xmlns": "x"}, "System": system(event, false), "EventData": data(event)}})
}

fn chainsaw_dump(event: &Event) -> Value {
    json!({"Event_attributes": {"xmlns": "x"}, "Event": {"System": system(event, true), "EventData": data(event)}})
}

/// Every `<Data Name="…">` as an item of a list
fn named_data(event: &Event) -> Value {
    let items: Vec<Value> =
        data(event).iter().map(|(name, value)| json!({"@Name": name, "#text": value})).collect();
    json!({"EventData": {"Data": items}})
}

fn list_of_data(event: &Event) -> Value {
    let mut whole = json!({"System": system(event, false)});
    whole["EventData"] = named_data(event)["EventData"].take();
    json!({"Event": whole})
}

fn user_data(event: &Event) -> Value {
    let own = json!({"#attributes": {"xmlns": "x"}});
    let own: Event = own.as_object().unwrap().clone().into_iter().chain(data(event)).collect();
    json!({"Event": {"System": system(event, false), "UserData": {"Any": own}}})
}

fn evtxecmd(event: &Event) -> Value {
    let mut record = Map::new();
    for (name, sigma) in [
        ("Channel", "Channel"),
        ("EventId", "EventID"),
        ("Provider", "Provider_Name"),
        ("Computer", "Computer"),
    ] {
        record.extend(event.get(sigma).map(|value| (name.to_owned(), value.clone())));
    }
    record.insert("MapDescription".to_owned(), json!(""));
    record.insert("Payload".to_owned(), json!(named_data(event).to_string()));
    Value::Object(record)
}

fn winlogbeat(event: &Event) -> Value {
    let mut log = Map::new();
    for (name, sigma) in [
        ("channel", "Channel"),
        ("event_id", "EventID"),
        ("provider_name", "Provider_Name"),
        ("computer_name", "Computer"),
    ] {
        log.extend(event.get(sigma).map(|value| (name.to_owned(), value.clone())));
    }
    log.insert("event_data".to_owned(), Value::Object(data(event)));
    json!({"winlog": log})
}

fn hit(event: &Event) -> Value {
    json!({"_index": "i", "_id": "1", "_source": winlogbeat(event)})
}

/// The fields of a hit as Kibana shows them: names written out, and each value a list
fn kibana_fields(event: &Event) -> Value {
    let mut fields = Map::new();
    let beat = winlogbeat(event);
    for (name, value) in beat["winlog"].as_object().unwrap() {
        let Value::Object(inside) = value else {
            fields.insert(format!("winlog.{name}"), json!([value]));
            continue;
        };
        for (inner, value) in inside {
            fields.insert(format!("winlog.{name}.{inner}"), json!([value]));
        }
    }
    json!({"_index": "i", "fields": fields})
}

fn splunk(event: &Event) -> Value {
    json!({"preview": false, "offset": 0, "result": event})
}

type Writer = fn(&Event) -> Value;

/// The shapes with a record for each event
const RECORDS: &[(&str, Writer)] = &[
    ("evtx_dump", evtx_dump),
    ("chainsaw dump", chainsaw_dump),
    ("a list of data", list_of_data),
    ("user data", user_data),
    ("EvtxECmd", evtxecmd),
    ("Winlogbeat", winlogbeat),
    ("a hit", hit),
    ("fields of a hit", kibana_fields),
    ("Splunk", splunk),
];

fn lines(records: impl IntoIterator<Item = Value>) -> String {
    records.into_iter().map(|record| format!("{record}\n")).collect()
}

fn list(events: &[Event], indented: bool) -> String {
    let events: Vec<Value> = events.iter().cloned().map(Value::Object).collect();
    if indented {
        serde_json::to_string_pretty(&events).unwrap()
    } else {
        json!(events).to_string()
    }
}

fn records(events: &[Event]) -> String {
    let events: Vec<Value> = events.iter().map(evtx_dump).collect();
    json!({"Records": events, "more": {"x": [1]}}).to_string()
}

fn indented(events: &[Event]) -> String {
    events.iter().map(|event| serde_json::to_string_pretty(event).unwrap() + "\n").collect()
}

/// A table of all fields of the events
fn table(events: &[Event], by: &str) -> String {
    let mut names: Vec<&String> = events.iter().flat_map(|event| event.keys()).collect();
    names.sort();
    names.dedup();
    let cell = |value: &str| match value.contains([',', '\t', '"', '\n', '\r']) {
        true => format!("\"{}\"", value.replace('"', "\"\"")),
        false => value.to_owned(),
    };
    let row = |cells: Vec<String>| cells.join(by) + "\n";
    let mut text = row(names.iter().map(|name| cell(name)).collect());
    for event in events {
        text += &row(names.iter().map(|name| cell(&text_of(event.get(*name)))).collect());
    }
    text
}

fn text_of(value: Option<&Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}

/// Whether a table can say the event: it has no null, no list, and no empty value
fn fits_a_table(event: &Event) -> bool {
    event.values().all(|value| match value {
        Value::String(text) => !text.is_empty() && text.trim() == text,
        Value::Number(_) | Value::Bool(_) => true,
        Value::Null | Value::Array(_) | Value::Object(_) => false,
    })
}

fn verdicts(engine: &Engine, mut lines: Lines<'_>) -> Verdicts {
    let mut collected = Collected::default();
    let stream = (0, &mut lines);
    let (census, _) = scan(engine, &mut Memory::default(), stream, &mut collected).unwrap();
    assert!(collected.unreadable.is_empty(), "{:?}", collected.unreadable.first());
    assert_eq!(census.without_field - census.recognized, 0, "{census:?}");
    let hits = collected.found.into_iter().filter_map(|found| match found {
        Found::Hit(hit) => {
            let matched = &hit.matched;
            let mut fields: BTreeMap<_, _> = matched
                .fields
                .iter()
                .map(|(field, values)| (field.name(), values.clone()))
                .collect();
            // The evidence of a keyword is all values, which stand in another order in each shape.
            fields.remove("*");
            let said = format!(
                "{} {} {} {fields:?}",
                matched.rule,
                matched.signal,
                matched.level.as_str()
            );
            Some((hit.line, said))
        }
        Found::Together(_) => None,
    });
    let mut hits: Verdicts = hits.collect();
    hits.sort();
    hits
}

fn of_text(engine: &Engine, text: &str) -> Verdicts {
    verdicts(engine, Lines::new(text.as_bytes()))
}

/// Compares verdicts and shows the first that differs
fn same(name: &str, wanted: &Verdicts, found: &Verdicts) {
    let differs = wanted.iter().zip(found).find(|(one, other)| one != other);
    assert!(wanted == found, "{name}: {} and {}: {differs:?}", wanted.len(), found.len());
}

/// Judges the events in every shape
fn judge(rules: &[Rule], events: &[Event]) -> usize {
    let engine = Engine::new(rules, &Options::default());
    let wanted = of_text(&engine, &lines(events.iter().cloned().map(Value::Object)));
    for (name, shape) in RECORDS {
        let found = of_text(&engine, &lines(events.iter().map(shape)));
        same(name, &wanted, &found);
    }
    for (name, text) in [
        ("an array", list(events, false)),
        ("an indented array", list(events, true)),
        ("indented objects", indented(events)),
        ("a list of records", records(events)),
    ] {
        same(name, &wanted, &of_text(&engine, &text));
    }
    let rows: Vec<Event> = events.iter().filter(|event| fits_a_table(event)).cloned().collect();
    let wanted_rows = of_text(&engine, &lines(rows.iter().cloned().map(Value::Object)));
    for (name, by) in [("CSV", ","), ("TSV", "\t")] {
        let mut found = of_text(&engine, &table(&rows, by));
        found.iter_mut().for_each(|(line, _)| *line -= 1);
        same(name, &wanted_rows, &found);
    }
    wanted.len() + wanted_rows.len()
}

/// The recorded events of the project
fn own_events() -> Vec<Event> {
    let mut events = Vec::new();
    for name in ["otrf", "recorded"] {
        let text = fs::read_to_string(root().join(format!("tests/events/{name}.jsonl"))).unwrap();
        for line in text.lines() {
            let mut line: Value = serde_json::from_str(line).unwrap();
            if let Value::Object(event) = line["event"].take() {
                events.push(event);
            }
        }
    }
    events.retain(|event| event.contains_key("Channel"));
    events
}

fn own_rules() -> Vec<Rule> {
    rules().into_iter().map(|loaded| loaded.rule).collect()
}

#[test]
fn an_event_is_the_same_in_every_shape() {
    let events = own_events();
    assert!(events.len() > 60, "{}", events.len());
    assert!(judge(&own_rules(), &events) > 10);
}

#[test]
fn recorded_events_of_all_channels_are_the_same_in_every_shape() {
    let Some(corpus) = corpus("recorded_events_of_all_channels_are_the_same_in_every_shape") else {
        return;
    };
    let sigma = sigmahq(&corpus).rules.iter().map(|loaded| loaded.rule.clone());
    let rules: Vec<Rule> = own_rules().into_iter().chain(sigma).collect();
    let path = corpus.join("data/events-channels/otrf-security-datasets.flat.jsonl.gz");
    let events = events_of(&path).map(|event| event.as_object().unwrap().clone());
    assert!(judge(&rules, &events.collect::<Vec<_>>()) > 200);
}

/// The verdicts on a file, read as `scan` reads it
fn of_file(engine: &Engine, path: &Path) -> Verdicts {
    let (sources, _) = project::sources(&[path]).unwrap();
    assert_eq!(sources.len(), 1);
    let lines = project::events(&sources[0], (1 << 24, None), Stop::default()).unwrap();
    verdicts(engine, lines)
}

#[test]
fn whatever_a_file_is_packed_in_its_events_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::new(own_rules(), &Options::default());
    let text = lines(own_events().iter().map(evtx_dump));
    let wanted = of_text(&engine, &text);
    assert!(wanted.len() > 10);
    let units: Vec<u16> = text.encode_utf16().collect();
    let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
    let big: Vec<u8> = [0xfeff].iter().chain(&units).flat_map(|unit| unit.to_be_bytes()).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&little).unwrap();
    let zstd = |text: &str| {
        let level = ruzstd::encoding::CompressionLevel::Fastest;
        ruzstd::encoding::compress_to_vec(text.as_bytes(), level)
    };
    let (first, second) = text.split_at(text.find('\n').unwrap() + 1);
    for (name, bytes) in [
        ("mark", [b"\xef\xbb\xbf", text.as_bytes()].concat()),
        ("little", little.clone()),
        ("big", big),
        ("utf16.gz", gzip.finish().unwrap()),
        ("zst", zstd(&text)),
        ("two_frames.zst", [zstd(first), zstd(second)].concat()),
        ("packed.zip", zipped(&text, zip::CompressionMethod::Deflated)),
        ("stored.zip", zipped(&text, zip::CompressionMethod::Stored)),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).unwrap();
        same(name, &wanted, &of_file(&engine, &path));
    }
}

fn zipped(text: &str, method: zip::CompressionMethod) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(method);
    archive.start_file("a/events.jsonl", options).unwrap();
    archive.write_all(text.as_bytes()).unwrap();
    archive.finish().unwrap().into_inner()
}

#[test]
fn event_logs_of_windows_are_read_like_their_json() {
    let Some(corpus) = corpus("event_logs_of_windows_are_read_like_their_json") else { return };
    let rules: Vec<Rule> =
        sigmahq(&corpus).rules.iter().map(|loaded| loaded.rule.clone()).collect();
    let engine = Engine::new(rules, &Options::default());
    let mut recorded: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    let folder = corpus.join("data/events-channels");
    for name in ["evtx-crate-samples", "evtx-to-mitre"] {
        for event in events_of(&folder.join(format!("{name}.nested.jsonl.gz"))) {
            recorded.entry(key(&event)).or_default().push(event);
        }
    }
    let (mut compared, mut matched) = (0, 0);
    for path in walkdir::WalkDir::new(folder.join("evtx")).sort_by_file_name() {
        let path = path.unwrap().into_path();
        if path.is_dir() {
            continue;
        }
        let found = of_file(&engine, &path);
        let mut parser = evtx::EvtxParser::from_path(&path).unwrap();
        for (at, record) in parser.records_json_value().enumerate() {
            let own: Vec<&String> =
                found.iter().filter(|(line, _)| *line == at + 1).map(|(_, said)| said).collect();
            let Some(events) = recorded.get(&key(&record.unwrap().data)) else { continue };
            let json = events.iter().map(|event| of_text(&engine, &event.to_string()));
            let json: Vec<Vec<String>> =
                json.map(|found| found.into_iter().map(|(_, said)| said).collect()).collect();
            assert!(json.iter().any(|json| json.iter().eq(own.iter().copied())), "{path:?} {at}");
            compared += 1;
            matched += own.len();
        }
    }
    assert!(compared > 100 && matched > 20, "{compared} {matched}");
}

/// What tells a recorded event from others
fn key(event: &Value) -> String {
    let system = &event["Event"]["System"];
    let id = system["EventRecordID"].to_string();
    format!("{} {} {}", system["Computer"], system["Channel"], id.trim_matches('"'))
}

#[test]
fn a_broken_event_log_gives_what_can_be_read_and_says_so() {
    let Some(corpus) = corpus("a_broken_event_log_gives_what_can_be_read_and_says_so") else {
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let path = corpus.join("data/events-channels/evtx/evtx-to-mitre/b922e3bd2178.evtx");
    let whole = fs::read(path).unwrap();
    let engine = Engine::new(own_rules(), &Options::default());
    let mut ends = Vec::new();
    // Torn in the chunk, and damaged in the head of the chunk.
    let torn = whole[..whole.len() - 30_000].to_vec();
    let damaged = |range: std::ops::Range<usize>| {
        let mut bytes = whole.clone();
        bytes[range].fill(0xee);
        bytes
    };
    for bytes in [torn, damaged(4_096..4_104)] {
        let path = folder.path().join("broken.evtx");
        fs::write(&path, bytes).unwrap();
        let (sources, _) = project::sources(&[&path]).unwrap();
        let mut lines = project::events(&sources[0], (1 << 24, None), Stop::default()).unwrap();
        let mut collected = Collected::default();
        let stream = (0, &mut lines);
        let (census, end) = scan(&engine, &mut Memory::default(), stream, &mut collected).unwrap();
        ends.push((census.events, format!("{end:?}").contains("Broken")));
    }
    assert!(ends.iter().all(|(_, is_broken)| *is_broken), "{ends:?}");
    assert!(ends[0].0 > 10, "what is not broken is read: {ends:?}");
}

#[test]
fn requests_are_found_in_the_logs_of_web_servers() {
    let engine = Engine::new(own_rules(), &Options::default());
    let flat = json!({
        "date": "2026-01-01", "time": "00:00:01", "c-ip": "203.0.113.9", "cs-method": "POST",
        "cs-uri-stem": "/aspnet_client/shell.aspx", "cs-uri-query": "cmd=whoami", "sc-status": 200,
        "cs-uri": "/aspnet_client/shell.aspx?cmd=whoami", "cs-user-agent": "curl/8",
    });
    let wanted = of_text(&engine, &format!("{flat}\n"));
    let rules_of = |found: &Verdicts| -> Vec<String> {
        found.iter().map(|(_, said)| said.split(" {").next().unwrap().to_owned()).collect()
    };
    assert!(!wanted.is_empty(), "the request is one that a rule finds");
    let iis = "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time c-ip cs-method \
               cs-uri-stem cs-uri-query cs(User-Agent) sc-status\n2026-01-01 00:00:01 203.0.113.9 POST \
               /aspnet_client/shell.aspx cmd=whoami curl/8 200\n";
    let access = "203.0.113.9 - - [01/Jan/2026:00:00:01 +0000] \"POST \
                  /aspnet_client/shell.aspx?cmd=whoami HTTP/1.1\" 200 - \"-\" \"curl/8\"\n";
    for text in [iis, access] {
        assert_eq!(rules_of(&of_text(&engine, text)), rules_of(&wanted), "{text}");
    }
    // The reader of a file gives the same as text in memory.
    let reader = BufReader::with_capacity(7, iis.as_bytes());
    assert_eq!(verdicts(&engine, Lines::new(reader)), of_text(&engine, iis));
}

#[test]
fn folders_globs_and_archives_give_each_of_their_files() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::create_dir_all(at("in/deep")).unwrap();
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in ["x/one.jsonl", "two.csv"] {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(b"{}\n").unwrap();
    }
    fs::write(at("in/both.zip"), archive.finish().unwrap().into_inner()).unwrap();
    for name in ["in/a.jsonl", "in/deep/b.JSON", "in/.hidden.jsonl", "in/readme.md"] {
        fs::write(at(name), "{}\n").unwrap();
    }
    let names = |path: &str| {
        let (sources, others) = project::sources(&[at(path)]).unwrap();
        let names =
            sources.iter().map(|source| source.name.rsplit("in/").next().unwrap().to_owned());
        (names.collect::<Vec<_>>(), others)
    };
    let (found, others) = names("in");
    assert_eq!(found, ["a.jsonl", "both.zip/x/one.jsonl", "both.zip/two.csv", "deep/b.JSON"]);
    assert_eq!(others, 1, "readme.md");
    assert_eq!(names("in/*.jsonl").0, ["a.jsonl"]);
    assert_eq!(names("in/**/*.JSON").0, ["deep/b.JSON"]);
    for wrong in ["in/*.nothing", "nowhere"] {
        assert!(project::sources(&[at(wrong)]).is_err(), "{wrong}");
    }
    fs::create_dir(at("empty")).unwrap();
    let why = project::sources(&[at("empty")]).unwrap_err().to_string();
    assert!(why.contains("no file of events") && why.contains("jsonl"), "{why}");
}

#[test]
fn events_as_sigmahq_keeps_them_match_the_rules_that_they_are_for() {
    let Some(corpus) = corpus("events_as_sigmahq_keeps_them_match_the_rules_that_they_are_for")
    else {
        return;
    };
    let sigma = sigmahq(&corpus);
    let folder = corpus.join("data/sigma-regression/upstream");
    let mut compared = 0;
    for path in walkdir::WalkDir::new(&folder).sort_by_file_name() {
        let path = path.unwrap().into_path();
        if path.extension().is_none_or(|end| end != "json") {
            continue;
        }
        // The folder of an event is named by its rule; a few rules have got other names since.
        let stem = path.parent().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let rule = sigma.rules.iter().find(|loaded| loaded.stem == stem);
        let Some(rule) = rule.map(|loaded| loaded.rule.clone()) else { continue };
        let found = of_file(&Engine::new(vec![rule], &Options::default()), &path);
        assert!(!found.is_empty(), "{}", path.display());
        compared += 1;
    }
    assert!(compared > 140, "{compared}");
}
