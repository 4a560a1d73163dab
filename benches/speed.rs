//! How fast, beside a floor measured in the same run: `cargo bench`.
//!
//! - compile: one rule from text to both text targets, beside reading its YAML and no more;
//! - scan: the recorded events of the tests, many times over, beside the time `serde_json` needs
//!   to read the same lines into values, and to skip over them, and beside the engine without its index;
//! - with `RULECAST_CORPUS`, the same of the rules and the recorded process creations of that folder.
//!
//! Ratios are what counts; the times are this machine's.

use std::fs::File;
use std::hint::black_box;
use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use flate2::read::MultiGzDecoder;
use rulecast::backend::Target;
use rulecast::diagnostic::Diagnostics;
use rulecast::matcher::{Collected, Engine, Lines, Memory, Options, scan};
use rulecast::source::SourceText;
use rulecast::workspace::{Kept, Sources, Text, Workspace};
use rulecast::{Rule, project, yaml};
use serde::de::IgnoredAny;

/// The best of several runs: the others were disturbed
fn best(runs: usize, mut work: impl FnMut()) -> Duration {
    let time = |_| {
        let start = Instant::now();
        work();
        start.elapsed()
    };
    (0..runs).map(time).min().unwrap_or_default()
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut out = std::io::stdout().lock();
    let mut say = |line: String| {
        let _ = writeln!(out, "{line}");
    };
    let rule_file = root.join("rules/webshell/web_shell_activity.yml");
    let text = std::fs::read_to_string(rule_file).unwrap_or_default();
    compile(&text, &mut say);
    let loaded = project::load(&[root.join("rules")]).map(|workspace| workspace.rules);
    let rules: Vec<Rule> = loaded.unwrap_or_default().into_iter().map(|l| l.rule).collect();
    let events = std::fs::read_to_string(root.join("tests/events/otrf.jsonl")).unwrap_or_default();
    let options = Options { field: Some("event".to_owned()), ..Options::default() };
    scan_events(&rules, &options, &events.repeat(400), &mut say);
    match std::env::var_os("RULECAST_CORPUS") {
        Some(corpus) => scan_corpus(Path::new(&corpus), &mut say),
        None => say("left out: the corpus (RULECAST_CORPUS is not set)".to_owned()),
    }
}

fn scan_corpus(corpus: &Path, say: &mut impl FnMut(String)) {
    let loaded = project::load(&[corpus.join("data/sigma/rules")]).map(|read| read.rules);
    let rules: Vec<Rule> = loaded.unwrap_or_default().into_iter().map(|l| l.rule).collect();
    let path = "data/events/otrf-security-datasets/process_creation.jsonl.gz";
    let mut events = String::new();
    let read = File::open(corpus.join(path))
        .and_then(|file| MultiGzDecoder::new(file).read_to_string(&mut events));
    if let Err(error) = read {
        say(format!("cannot read {path}: {error}"));
    }
    let name = |name: &str| Some(name.to_owned());
    let options = Options { field: name("sigma"), kind_field: name("kind"), ..Options::default() };
    scan_events(&rules, &options, &events.repeat(2), say);
}

fn compile(text: &str, say: &mut impl FnMut(String)) {
    let source = Arc::new(SourceText::new("rule.yml", text));
    let floor = best(50, || {
        black_box(yaml::parse(&source, &mut Diagnostics::default()));
    });
    let sources = Sources::from(Text::of(&source));
    let to_ir = best(50, || {
        black_box(Workspace::read(&sources));
    });
    let to_targets = best(50, || {
        black_box(
            Workspace::read(&sources)
                .outputs(&[Target::Sentinel, Target::Elastic], Kept::Artifacts),
        );
    });
    let ratio = |time: Duration| time.as_secs_f64() / floor.as_secs_f64();
    say(format!("compile  {} bytes of YAML", text.len()));
    say(format!("  read the YAML only         {floor:>10.1?}   1.00"));
    say(format!("  text to IR                 {to_ir:>10.1?}   {:.2}", ratio(to_ir)));
    say(format!("  text to Sentinel, Elastic  {to_targets:>10.1?}   {:.2}", ratio(to_targets)));
}

fn scan_events(rules: &[Rule], options: &Options, events: &str, say: &mut impl FnMut(String)) {
    let count = events.lines().count();
    let values = best(5, || {
        for line in events.lines() {
            black_box(serde_json::from_str::<serde_json::Value>(line).is_ok());
        }
    });
    let skipped = best(5, || {
        for line in events.lines() {
            black_box(serde_json::from_str::<IgnoredAny>(line).is_ok());
        }
    });
    let engine = Engine::new(rules, options);
    let naive = Engine::new(rules, &Options { naive: true, ..options.clone() });
    let mut hits = 0;
    let without = best(2, || {
        hits = events.lines().map(|line| naive.judge(line).map_or(0, |m| m.len())).sum();
    });
    let expected = hits;
    let one = best(5, || {
        hits = events.lines().map(|line| engine.judge(line).map_or(0, |m| m.len())).sum();
    });
    let all = best(5, || {
        let mut lines = Lines::new(events.as_bytes());
        let done =
            scan(&engine, &mut Memory::default(), (0, &mut lines), &mut Collected::default());
        black_box(done.is_ok());
    });
    let line = |name: &str, time: Duration| {
        let (rate, ratio) =
            (count as f64 / time.as_secs_f64(), time.as_secs_f64() / values.as_secs_f64());
        format!("  {name:26} {rate:>10.0}/s   {ratio:.2}")
    };
    let bytes = events.len() / count.max(1);
    say(format!("scan  {count} events of {bytes} bytes, {} rule(s), {hits} matches", rules.len()));
    say(line("serde_json to values", values));
    say(line("serde_json, skipped", skipped));
    say(line("engine without its index", without));
    say(line("engine, one thread", one));
    say(line("scan, all cores", all));
    let ratio = without.as_secs_f64() / one.as_secs_f64();
    let same = if hits == expected { "the same matches" } else { "OTHER MATCHES" };
    say(format!("  the index makes it {ratio:.1} times as fast, with {same}"));
}
