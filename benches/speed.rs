//! How fast, beside a floor measured in the same run: `cargo bench`.
//!
//! - compile: one rule from text to both text targets, beside reading its YAML and no more;
//! - scan: the recorded events of the tests, many times over, beside the time `serde_json` needs
//!   to read the same lines into values, and to skip over them.
//!
//! Ratios are what counts; the times are this machine's.

use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

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
    scan_events(&rules, &events.repeat(400), &mut say);
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

fn scan_events(rules: &[Rule], events: &str, say: &mut impl FnMut(String)) {
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
    let options = Options { field: Some("event".to_owned()), ..Options::default() };
    let engine = Engine::new(rules, &options);
    let mut hits = 0;
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
    say(line("engine, one thread", one));
    say(line("scan, all cores", all));
}
