//! An event as a target keeps it gets the verdicts of the event itself.
//!
//! The rows and documents were made by others than this project: no mapping of ours took part.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;

use rulecast::matcher::{Block, Collected, Engine, Flattener, Found, Lines, Memory, Options, scan};
use rulecast::project::{self, Surroundings};

use crate::support::{corpus, definition, events_of, found, recordings, root, rule, sigmahq};

/// Rules that read a field that the target does not keep, or an operating system that it does not tell
const APART: &[(&str, &str, &str)] = &[
    ("ecs", "Unsigned DLL Loaded by Windows Utility", "library events have no signature here"),
    ("mde", "Unsigned DLL Loaded by Windows Utility", "Defender keeps no signature of a library"),
    ("mde", "Hacktool Execution - Imphash", "Defender keeps no such hash"),
    ("mde", "Decode Base64 Encoded Text -MacOs", "rows do not tell Linux from macOS"),
];

/// What each line matches: rule and signal
type Verdicts = BTreeMap<usize, BTreeSet<(String, String)>>;

fn verdicts(engine: &Engine, lines: &str) -> (Verdicts, usize) {
    let mut found = Collected::default();
    let mut memory = Memory::default();
    let mut lines = Lines::new(BufReader::new(lines.as_bytes()));
    let (census, _) = scan(engine, &mut memory, (0, &mut lines), &mut found).unwrap();
    assert!(found.unreadable.is_empty(), "{:?}", found.unreadable);
    let mut verdicts = Verdicts::new();
    for one in found.found {
        let Found::Hit(hit) = one else { continue };
        let rule = &engine.rules()[hit.matched.rule];
        let signal = rule.signals[hit.matched.signal].name.to_string();
        let title = rule.metadata.title.value.clone();
        verdicts.entry(hit.line).or_default().insert((title, signal));
    }
    (verdicts, census.partly_read)
}

#[test]
fn rows_and_documents_of_others_get_the_verdicts_of_the_events() {
    let Some(corpus) = corpus("rows_and_documents_of_others_get_the_verdicts_of_the_events") else {
        return;
    };
    let rules: Vec<_> = sigmahq(&corpus).rules.iter().map(|loaded| loaded.rule.clone()).collect();
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    for path in recordings(&corpus) {
        for mut event in events_of(&path) {
            let kind = event["kind"].take();
            for shape in ["sigma", "mde", "ecs"] {
                let mut one = event[shape].take();
                if shape == "sigma" {
                    one["kind of event"] = kind.clone();
                }
                let text = texts.entry(shape).or_default();
                text.push_str(&one.to_string());
                text.push('\n');
            }
        }
    }
    let by_kind = Options { kind_field: Some("kind of event".to_owned()), ..Options::default() };
    let (wanted, _) = verdicts(&Engine::new(rules.clone(), &by_kind), &texts["sigma"]);
    let engine = Engine::new(rules, &Options::default());
    let mut told = BTreeSet::new();
    for shape in ["mde", "ecs"] {
        let (found, partly_read) = verdicts(&engine, &texts[shape]);
        assert_eq!(partly_read, 0, "{shape}");
        let lines: BTreeSet<usize> = wanted.keys().chain(found.keys()).copied().collect();
        let (mut wrong, mut same) = (Vec::new(), 0);
        for line in lines {
            let none = BTreeSet::new();
            let [wanted, found] = [&wanted, &found].map(|all| all.get(&line).unwrap_or(&none));
            same += wanted.intersection(found).count();
            for one in wanted.symmetric_difference(found) {
                match APART.iter().find(|(of, title, _)| *of == shape && *title == one.0) {
                    Some(apart) => drop(told.insert(apart)),
                    None => wrong.push(format!("{shape}, event {line}: {one:?}")),
                }
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        assert!(same > 1_500, "{shape}: {same}");
    }
    assert_eq!(told.len(), APART.len(), "a reason that explains nothing: {told:?}");
}

#[test]
fn rows_and_documents_of_an_own_mapping_are_read() {
    let folder = root().join("tests/projects/own_tables");
    let mut workspace = project::load_with(
        &[folder.join("rules")],
        &Surroundings { filters: vec![folder.join("mappings")], ..Surroundings::default() },
    )
    .unwrap();
    let mappings = workspace.policy.mappings.clone();
    let engine =
        Engine::new(workspace.take_reported(), &Options { mappings, ..Options::default() });
    let events = r#"
{"Type":"AcmeProxy_CL","TimeGenerated":"2026-11-28T10:00:00Z","query_s":"cmd=whoami","host_s":"h","method_s":"GET","agent_s":"python-requests/2"}
{"_index":"acme-proxy-2026","_source":{"event":{"dataset":"acme.proxy"},"ecs.version":"8","acme":{"query":"cmd=whoami"},"http.request.method":"GET","user_agent":{"original":"python-requests/2"}}}
{"Type":"AcmeFileEvents_CL","TimeGenerated":"2026-11-28T10:00:00Z","ActionType":"FileCreated","Path":"C:\\inetpub\\wwwroot\\x.aspx","FileName":"x.aspx"}
{"Type":"AcmeFileEvents_CL","TimeGenerated":"2026-11-28T10:00:00Z","ActionType":"FileDeleted","Path":"C:\\inetpub\\wwwroot\\x.aspx","FileName":"x.aspx"}
"#;
    let (found, partly_read) = verdicts(&engine, events.trim_start());
    assert_eq!(partly_read, 0);
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [1, 2, 3], "{found:?}");
    let unheld = engine.unheld();
    assert_eq!((unheld.rules, unheld.fields.len()), (0, 0), "{unheld:?}");
}

#[test]
fn an_object_that_the_user_names_may_be_a_row_or_a_document() {
    let rule = rule(&definition("p", "children: cmd.exe"));
    let engine = |field: &str| {
        let field = Some(field.to_owned());
        Engine::new(vec![rule.clone()], &Options { field, ..Options::default() })
    };
    let row = r#"{"Type":"DeviceProcessEvents","TimeGenerated":"t","ActionType":"ProcessCreated","FolderPath":"C:\\W\\cmd.exe","FileName":"cmd.exe"}"#;
    let beat = r#"{"winlog":{"channel":"Microsoft-Windows-Sysmon/Operational","event_id":1,"event_data":{"Image":"C:\\W\\cmd.exe"}}}"#;
    let flat = r#"{"Image":"C:\\W\\cmd.exe","EventID":1,"Channel":"Microsoft-Windows-Sysmon/Operational"}"#;
    for one in [row, beat, flat] {
        for (path, line) in [
            ("raw", format!(r#"{{"id":1,"raw":{one}}}"#)),
            ("a.raw", format!(r#"{{"a":{{"raw":{one}}},"id":1}}"#)),
        ] {
            let (found, _) = verdicts(&engine(path), &line);
            assert_eq!(found.len(), 1, "{path}: {line}");
        }
    }
}

#[test]
fn rows_that_a_query_returned_are_events_of_the_signal_that_they_name() {
    let rule = rule(&definition("p", "children: cmd.exe\nparents: w3wp.exe"));
    let engine = Engine::new(vec![rule], &Options::default());
    let row = |signal: &str, time: &str, parent: &str| {
        format!(
            r#"{{"TimeGenerated [UTC]":"{time}","Signal":"{signal}","Level":"high","DeviceName":"w","FileName":"cmd.exe","FolderPath":"C:\\W\\cmd.exe","CommandLine":"cmd.exe","InitiatingProcessFileName":"{parent}","ReportId":1}}"#
        )
    };
    let portal = "11/28/2026, 10:00:00.000 AM";
    let lines = [
        row("only", portal, "w3wp.exe"),
        row("only", "2026-11-28T10:00:00Z", "w3wp.exe"),
        row("only", portal, "explorer.exe"),
        row("of_another_rule", portal, "w3wp.exe"),
    ];
    let (found, partly_read) = verdicts(&engine, &lines.join("\n"));
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [1, 2], "{found:?}");
    // Nobody knows what such a row is of.
    assert_eq!(partly_read, 1);
}

#[test]
fn a_row_of_a_correlation_that_counts_is_the_event_that_completes_it() {
    let text = definition("p", "children: cmd.exe")
        + "correlations:\n\
           \x20 often: {type: event_count, signals: [only], group-by: [host], timespan: 1h, condition: {gte: 2}}\n\
           \x20 often_many: {type: value_count, signals: [often], group-by: [host], timespan: 1h, condition: {field: Image, gte: 2}}\n\
           \x20 after: {type: temporal_ordered, signals: [only, often], group-by: [host], timespan: 1h}\n";
    let engine = Engine::new(vec![rule(&text)], &Options::default());
    let row = |signal: &str| {
        format!(
            r#"{{"TimeGenerated":"2026-11-28T10:00:00Z","Signal":"{signal}","Level":"high","DeviceName":"w","FileName":"cmd.exe","FolderPath":"C:\\W\\cmd.exe","StartTime":"2026-11-28T09:00:00Z","EventCount":2,"ReportId":1}}"#
        )
    };
    let lines = ["often", "often_many", "after"].map(row);
    let (found, partly_read) = verdicts(&engine, &lines.join("\n"));
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [1, 2], "{found:?}");
    // A row of a chain has parts of several events.
    assert_eq!(partly_read, 1);
}

#[test]
fn a_row_with_paths_of_linux_is_no_event_of_windows() {
    let rules =
        ["pw", "pl", "p"].map(|event| rule(&definition(event, "children: [bash, cmd.exe]")));
    let engine = Engine::new(rules.to_vec(), &Options::default());
    let flattener = Flattener::new(&Options::default(), &rules);
    let row = |path: &str| {
        format!(
            r#"{{"Type":"DeviceProcessEvents","TimeGenerated":"t","ActionType":"ProcessCreated","FolderPath":"{path}"}}"#
        )
    };
    for (path, wanted) in [("/usr/bin/bash", [1, 2]), (r"C:\\W\\cmd.exe", [0, 2])] {
        let row = row(path);
        let scanned: Vec<usize> = found(&engine, row.as_bytes())
            .into_iter()
            .filter_map(|one| if let Found::Hit(hit) = one { Some(hit.matched.rule) } else { None })
            .collect();
        assert_eq!(scanned, wanted, "{row}");
        // `explain` and `tune` read it so.
        let (mut lines, mut block) = (Lines::new(row.as_bytes()), Block::default());
        assert!(lines.next(&mut block).is_none());
        let (event, kinds) = flattener.event(&block, 0).unwrap().unwrap();
        let event = serde_json::from_str(&event).unwrap();
        let judged = engine.judge_value(&event, kinds.first(), &mut Memory::default()).unwrap();
        assert_eq!(judged.iter().map(|one| one.rule).collect::<Vec<_>>(), wanted, "{event}");
    }
}
