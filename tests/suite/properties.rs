//! What holds for every input, hostile ones included: judged by the fuzzer (`tests/fuzz`) and by
//! the replay of its corpus (`replay.rs`).
//!
//! In: bytes. Out: nothing; a panic names the broken promise. Nothing here reads a file, so that
//! the fuzzer and the suite can share these lines.

use std::sync::{Arc, LazyLock};

use rulecast::Artifact;
use rulecast::backend::{self, Target, Translation};
use rulecast::definition::{Looked, Placeholders, Suppressions};
use rulecast::diagnostic::{self, Diagnostic, Diagnostics};
use rulecast::matcher::{Collected, Engine, Lines, Memory, Options, scan};
use rulecast::query::kusto::{Platform, Schema};
use rulecast::query::{kuery, kusto};
use rulecast::source::{SourceText, Span, is_unprintable};
use rulecast::verify::{Import, Verdict, elastic};
use rulecast::workspace::{Kept, Output, Sources, Text, Workspace};
use rulecast::{Rule, verify};
use serde_json::{Value, json};

/// A judge of bytes
type Property = fn(&[u8]);

/// The fuzz targets by name
pub(crate) const TARGETS: &[(&str, Property)] = &[
    ("artifact", artifact),
    ("event", event),
    ("kuery", query_of_kibana),
    ("kusto", query_of_kusto),
    ("rule", rule),
    ("settings", settings),
];

/// Judges bytes by the property of this name
pub(crate) fn hold(target: &str, bytes: &[u8]) {
    let (_, property) = TARGETS.iter().find(|(name, _)| *name == target).expect("a target");
    property(bytes);
}

/// The rules that the events and the state files are judged by
static RULES: LazyLock<Vec<Rule>> = LazyLock::new(|| {
    let texts = [
        include_str!("../../rules/webshell/server_software_component.yml"),
        include_str!("../../rules/webshell/web_requests.yml"),
        include_str!("../../rules/webshell/web_server_ancestry.yml"),
        include_str!("../../rules/webshell/web_shell_activity.yml"),
        include_str!("../../rules/webshell/web_shell_command_alert.yml"),
        include_str!("../../rules/webshell/web_shell_script_child.yml"),
        include_str!("../operators/addresses.yml"),
        include_str!("../operators/correlations.yml"),
        include_str!("../operators/registry_events.yml"),
        include_str!("../specification/fieldref.yml"),
        include_str!("../specification/keywords.yml"),
    ];
    texts.iter().flat_map(|text| read(text, None).rules).map(|loaded| loaded.rule).collect()
});

static ENGINE: LazyLock<Engine> =
    LazyLock::new(|| Engine::new(RULES.as_slice(), &Options::default()));

/// A text as far as it comes without targets
fn read(text: &str, placeholders: Option<&Arc<SourceText>>) -> Workspace {
    let texts = vec![Text::new("hostile.yml", text)];
    Workspace::read(&Sources { texts, placeholders: placeholders.cloned() })
}

/// Does everything with a text that is done with a rule file; `thorough` includes the targets
pub(crate) fn everything(text: &str, thorough: bool) -> (Vec<Diagnostic>, Vec<Output>) {
    let mut workspace = read(text, None);
    let outputs =
        if thorough { workspace.outputs(Target::ALL, Kept::Artifacts).0 } else { Vec::new() };
    (workspace.findings(Looked::Everywhere), outputs)
}

/// Every place that a finding names lies in the text, at whole characters
pub(crate) fn has_places_inside(found: &Diagnostic, text: &str) {
    let secondary = found.secondary.iter().map(|label| label.span);
    let edits = found.fix.iter().flat_map(|fix| fix.edits.iter().map(|(span, _)| *span));
    let spans: Vec<Span> =
        std::iter::once(found.primary.span).chain(secondary).chain(edits).collect();
    for span in spans {
        let inside = text.get(span.range()).is_some();
        assert!(inside, "{}: {} at {span:?} of:\n{text}", found.code, found.message);
    }
    if let Some(fix) = &found.fix {
        let apart = fix.edits.windows(2).all(|two| two[0].0.end <= two[1].0.start);
        assert!(apart, "{}: edits overlap: {fix:?} in:\n{text}", found.code);
    }
}

/// A text for people or machines holds no character that cannot be seen, but line breaks
fn is_visible(name: &str, text: &str) {
    let hidden = text.chars().find(|c| *c != '\n' && is_unprintable(*c));
    assert!(hidden.is_none(), "{hidden:?} in {name}:\n{text:?}");
}

/// Every form that findings are reported in
fn reports(found: &[Diagnostic]) -> Vec<String> {
    let mut all = Vec::new();
    for one in found {
        drop(diagnostic::full(one, true));
        let lines = [diagnostic::concise(one), diagnostic::github(one)];
        lines.iter().for_each(|line| assert_eq!(line.trim_end().lines().count(), 1, "{line:?}"));
        all.extend(lines);
        all.push(diagnostic::full(one, false));
    }
    for json in [diagnostic::json(found), diagnostic::sarif(found)] {
        serde_json::from_str::<Value>(&json).expect("reports are JSON");
        all.push(json);
    }
    all.iter().for_each(|text| is_visible("a report", text));
    all
}

/// A rule file is read to its end, and said and compiled the same way each time
fn rule(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let (found, outputs) = everything(text, true);
    found.iter().for_each(|one| has_places_inside(one, text));
    outputs.iter().for_each(|output| is_visible(&output.path, &output.text));
    let (found_again, outputs_again) = everything(text, true);
    assert_eq!(reports(&found), reports(&found_again), "{text}");
    assert_eq!(outputs, outputs_again, "{text}");
}

/// What is emitted for a rule without mistakes is read back by the parsers of its formats
fn artifact(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let workspace = read(text, None);
    if !workspace.diagnostics.has_errors() {
        workspace.rules.iter().for_each(|loaded| is_read_back(&loaded.rule));
    }
}

fn is_read_back(rule: &Rule) {
    for target in Target::ALL {
        let mut found = Diagnostics::default();
        let made = backend::translate(*target, rule, "hostile", &mut found);
        let Some(Translation { rule, artifacts, manifest }) = made else { continue };
        for artifact in &artifacts {
            parses(artifact);
        }
        let platform = match target {
            Target::Sentinel | Target::Asim => Some(Platform::Sentinel),
            Target::Xdr => Some(Platform::AdvancedHunting),
            Target::Elastic | Target::Native => None,
        };
        if let Some(platform) = platform {
            let verdict = verify::bind((platform, &Schema::default()), &artifacts);
            assert!(!matches!(verdict, Verdict::Broken(_)), "{verdict:#?}");
        }
        let faults = verify::compare_forms(&artifacts);
        assert!(faults.is_empty(), "{faults:#?}");
        for lines in artifacts.iter().filter(|artifact| artifact.name.ends_with(".ndjson")) {
            let import = Import::read(&rule, &manifest, &lines.text);
            assert!(import.is_ok(), "{:?}:\n{}", import.err(), lines.text);
        }
    }
}

fn parses(Artifact { name, text }: &Artifact) {
    let extension = name.rsplit('.').next().unwrap_or_default();
    let wrong = match extension {
        "json" => serde_json::from_str::<Value>(text).err().map(|why| why.to_string()),
        "ndjson" => text.lines().find_map(|line| {
            let line = serde_json::from_str::<Value>(line).map_err(|why| why.to_string());
            line.and_then(|line| elastic::Rule::of(&line).map_err(|why| why.to_string())).err()
        }),
        "rs" => syn::parse_file(text).err().map(|why| why.to_string()),
        "toml" => text.parse::<toml::Table>().err().map(|why| why.to_string()),
        "yaml" => serde_yaml::from_str::<serde_yaml::Value>(text).err().map(|why| why.to_string()),
        // The binder reads it, for the platform that it is for.
        "kql" => None,
        _ => Some("nothing reads such a file back".to_owned()),
    };
    assert!(wrong.is_none(), "{name}: {}\n{text}", wrong.unwrap_or_default());
}

/// A stream of events is judged to its end, and each event as its parsed form is
fn event(bytes: &[u8]) {
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok(line) = std::str::from_utf8(line) {
            is_judged_as_parsed(line);
        }
    }
    let (first, state) = scanned(bytes);
    assert_eq!((first, &state), (scanned(bytes).0, &state), "the same events, judged twice");
    let restored = Memory::restored(&ENGINE, &state).expect("a kept state");
    assert_eq!(restored.keep(&ENGINE), state);
}

fn is_judged_as_parsed(line: &str) {
    let judged = ENGINE.judge(line);
    // The engine skips what no rule reads, so it takes lines that a parser of everything refuses.
    let Ok(value) = serde_json::from_str::<Value>(line) else { return };
    let mut memory = Memory::default();
    let Ok(parsed) = ENGINE.judge_value(&value, None, &mut memory) else {
        assert!(judged.is_err() && !value.is_object(), "{line}");
        return;
    };
    assert_eq!(ENGINE.judge(&value.to_string()).expect("an object"), parsed, "{value}");
    let judged = judged.expect("an object");
    // A parsed object has a key once; YAML says whether the line has.
    if serde_yaml::from_str::<serde_yaml::Value>(line).is_ok() {
        assert_eq!(judged, parsed, "{line}");
    }
}

/// What is found in a stream, and the state afterwards
fn scanned(bytes: &[u8]) -> (Vec<String>, String) {
    let mut memory = Memory::default();
    let mut collected = Collected::default();
    let lines = bytes.split_inclusive(|byte| *byte == b'\n').count();
    let read = scan(&ENGINE, &mut memory, (0, &mut Lines::new(bytes)), &mut collected);
    let (read, _) = read.expect("bytes in memory can be read");
    let mut found: Vec<String> = collected.found.iter().map(|one| format!("{one:?}")).collect();
    let unreadable = collected.unreadable.len();
    let read = read.events;
    assert!(read + unreadable <= lines, "{read} and {unreadable} of {lines} lines");
    found.extend(memory.finish(&ENGINE).iter().map(|one| format!("{one:?}")));
    (found, memory.keep(&ENGINE))
}

/// A query of any form is bound, or refused at places inside it
fn query_of_kusto(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for platform in [Platform::Sentinel, Platform::AdvancedHunting] {
        let bound = kusto::bind(text, platform);
        assert_eq!(bound, kusto::bind(text, platform), "{text}");
        let Err(found) = bound else { continue };
        assert!(!found.is_empty(), "refused without a reason: {text}");
        assert!(found.is_sorted_by_key(|one| one.place.start), "{found:?}");
        for one in &found {
            assert!(text.get(one.place.clone()).is_some(), "{one:?} in {text:?}");
            let (line, _) = one.line_column(text);
            assert!(line <= text.matches('\n').count() + 1, "{one:?} in {text:?}");
        }
    }
}

/// Whether Kibana trims words by a character that does not part them: a word of it alone is empty,
/// and cannot be written
fn trimmed(c: char) -> bool {
    (c.is_whitespace() || c == '\u{feff}') && !" \t\r\n\u{a0}".contains(c)
}

/// Whether a field has no name, or is inside one that has none: rulecast emits no such query
fn nameless(field: &str) -> bool {
    field.split('.').any(str::is_empty)
}

/// A query of any form is judged, or refused at a place inside it; printed, it is the same again
fn query_of_kibana(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match kuery::parse(text) {
        Ok(query)
            if text.contains(trimmed) || query.fields().iter().any(|field| nameless(field)) => {}
        Ok(query) => {
            let printed = query.to_string();
            assert_eq!(kuery::parse(&printed).as_ref(), Ok(&query), "{text:?} as {printed:?}");
        }
        Err(why) => {
            let (line, column) = why.place.unwrap_or((1, 1));
            let at = text.split('\n').nth(line - 1).map(|line| line.chars().count());
            assert!(at.is_some_and(|length| column <= length + 1), "{why:?} in {text:?}");
        }
    }
    let documents = [
        json!({"process": {"name": "cmd.exe", "args": ["cmd", text], "pid": 4}}),
        json!({"process.name": text, "url.path": text, "source.ip": "::1", "@timestamp": text}),
    ];
    if let Ok(rule) = elastic::Rule::of(&json!({"query": text})) {
        let matches = documents.iter().filter(|document| rule.matches(document)).count();
        assert!(matches <= documents.len());
    }
}

/// A rule that needs what a file of placeholders says
const NEEDY: &str = "
title: Needy
id: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01
logsource: {category: process_creation, product: windows}
detection:
  who: {User|expand: '%administrators%'}
  what: {CommandLine|contains|expand: '-%servers%'}
  condition: 1 of them
";

/// Comments, placeholders and states of any form are taken, or refused at places inside them
fn settings(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let source = Arc::new(SourceText::new("settings.yml", text));
    let mut found = Diagnostics::default();
    let suppressions = Suppressions::read(&source, &mut found);
    Placeholders::parse(&source, &mut found);
    suppressions.apply(&mut found, Looked::Everywhere);
    let found = found.sorted();
    found.iter().for_each(|one| has_places_inside(one, text));
    reports(&found);
    let needy = read(NEEDY, Some(&source));
    needy.rules.iter().for_each(|loaded| is_read_back(&loaded.rule));
    if let Ok(memory) = Memory::restored(&ENGINE, text) {
        let kept = memory.keep(&ENGINE);
        let again = Memory::restored(&ENGINE, &kept).expect("a kept state");
        assert_eq!(again.keep(&ENGINE), kept, "{text}");
    }
}
