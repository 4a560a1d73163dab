//! What the suites share: where things are, and how a snapshot is named.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use flate2::read::MultiGzDecoder;
use rulecast::definition::{Setting, Settings, TargetSettings};
use rulecast::diagnostic::{Diagnostics, concise};
use rulecast::matcher::{Collected, Engine, Found, Lines, Memory, scan};
use rulecast::source::{Span, Spanned};
use rulecast::workspace::{Loaded, Text, Workspace};
use rulecast::{Rule, project};
use serde_json::Value;

/// The project's own folder
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The folder of more rules and events, when this machine has it
///
/// Says plainly which test was left out when it has not.
pub(crate) fn corpus(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("RULECAST_CORPUS").map(PathBuf::from);
    if folder.is_none() {
        // Straight to the terminal: the test harness would swallow `println!`.
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "left out: {test} (RULECAST_CORPUS is not set)");
    }
    folder
}

/// SigmaHQ's rules of the corpus, read once for all tests
///
/// INVARIANT: only the thread of a test asks. All workers read the rules, so a worker that waits for
/// them would wait for itself.
pub(crate) fn sigmahq(corpus: &Path) -> &'static Workspace {
    static READ: OnceLock<Workspace> = OnceLock::new();
    READ.get_or_init(|| project::load(&[corpus.join("data/sigma/rules")]).unwrap())
}

/// The files of recorded events of the corpus, each named by the kind of its events
pub(crate) fn recordings(corpus: &Path) -> Vec<PathBuf> {
    let files = walkdir::WalkDir::new(corpus.join("data/events")).sort_by_file_name().into_iter();
    let files = files.map(|entry| entry.unwrap().into_path());
    files.filter(|path| path.to_string_lossy().ends_with(".jsonl.gz")).collect()
}

/// The events of such a file
pub(crate) fn events_of(path: &Path) -> impl Iterator<Item = Value> + use<> {
    let lines = BufReader::new(MultiGzDecoder::new(File::open(path).unwrap())).lines();
    lines.map(|line| serde_json::from_str(&line.unwrap()).unwrap())
}

/// Snapshot settings of a room: `snapshots/<room>/<name>.snap`
pub(crate) fn room(name: &str) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(root().join("snapshots").join(name));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings
}

/// Compares a text with the snapshot of this name in a room
pub(crate) fn snapshot(room_name: &str, name: &str, text: &str) {
    room(room_name).bind(|| insta::assert_snapshot!(name.to_owned(), text));
}

/// A folder of this test's own
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("rulecast-{name}-{}", std::process::id()));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Every rule under `rules/`
pub(crate) fn rules() -> Vec<Loaded> {
    let project = project::load(&[root().join("rules")]).expect("rules/ can be read");
    assert!(!project.diagnostics.has_errors(), "{:?}", lines(project.diagnostics));
    project.rules
}

/// The one rule of a text, which must have no mistake
pub(crate) fn rule(text: &str) -> Rule {
    let Workspace { rules, diagnostics, .. } = Workspace::read(&Text::new("rule.yml", text).into());
    let rule = rules.into_iter().next().map(|loaded| loaded.rule);
    rule.unwrap_or_else(|| panic!("{text}\n{}", lines(diagnostics).join("\n")))
}

/// The languages in which Elastic may be asked for a rule
pub(crate) const LANGUAGES: [&str; 3] = ["auto", "kuery", "eql"];

/// The rule with the language that Elastic writes it in
pub(crate) fn in_language(rule: Rule, language: &str) -> Rule {
    with_setting(rule, ("query", language))
}

/// The rule with a setting for Elastic
pub(crate) fn with_setting(mut rule: Rule, (name, value): (&str, &str)) -> Rule {
    let spanned = |text: &str| Spanned::new(text.to_owned(), Span::default());
    let setting = (spanned(name), Setting::Text(spanned(value)));
    match rule.targets.iter_mut().find(|said| said.target.value == "elastic") {
        Some(said) => said.settings.entries.push(setting),
        None => rule.targets.push(TargetSettings {
            target: spanned("elastic"),
            accept: Vec::new(),
            without: Vec::new(),
            settings: Settings { span: Span::default(), entries: vec![setting] },
        }),
    }
    rule
}

/// A definition with one signal of this kind and these tests
pub(crate) fn definition(event: &str, tests: &str) -> String {
    let (kind, product) = match event {
        "p" => ("process_creation", ""),
        "pw" => ("process_creation", "\n    product: windows"),
        "pl" => ("process_creation", "\n    product: linux"),
        "f" => ("file_event", ""),
        "n" => ("network_connection", ""),
        "r" => ("registry_event", ""),
        "rv" => ("registry_event", "\n    actions: [modified]"),
        "w" => ("webserver", ""),
        "a" => ("security_alert", ""),
        "aw" => ("security_alert", "\n    product: windows"),
        other => panic!("no such event: {other}"),
    };
    let tests: Vec<String> = tests.lines().map(|line| format!("    {line}")).collect();
    format!(
        "title: One test\nid: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01\ndate: 2026-11-21\nsignals:\n  \
         only:\n    event: {kind}{product}\n{}\n",
        tests.join("\n")
    )
}

/// What a scan finds in lines that must all be events
pub(crate) fn found(engine: &Engine, lines: impl BufRead) -> Vec<Found> {
    let mut collected = Collected::default();
    let stream = (0, &mut Lines::new(lines));
    scan(engine, &mut Memory::default(), stream, &mut collected).unwrap();
    assert!(collected.unreadable.is_empty(), "{:?}", collected.unreadable);
    collected.found
}

/// Findings, a line each
pub(crate) fn lines(found: Diagnostics) -> Vec<String> {
    found.sorted().iter().map(concise).collect()
}
