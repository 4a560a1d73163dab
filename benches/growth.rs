//! How the time of each thing that authors can write many of grows with their number: `cargo bench
//! --bench growth`.
//!
//! Every kind is measured at sizes that double until one takes long enough to be told from noise;
//! the exponent is that of CPU time over number, fitted over the last of them. An exponent above
//! `MOST` fails the run: there, twice as much takes far more than twice as long. At the end stands
//! the memory that each file of a large project takes, which has a limit as well.

use std::fmt::Write as _;
use std::hint::black_box;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use rulecast::backend::Target;
use rulecast::definition::Looked;
use rulecast::diagnostic::full;
use rulecast::matcher::{Collected, Engine, Lines, Memory, Options, scan};
use rulecast::project;
use rulecast::workspace::{Kept, Text, Workspace};

/// The largest exponent: n log n is far below it
const MOST: f64 = 1.2;
/// Sizes double until one takes so long
const LONG: Duration = Duration::from_millis(100);
/// A size is measured in batches of runs that take so long: the clock of the processor is coarse
const BATCH: Duration = Duration::from_millis(40);
/// The largest number of a kind
const LARGEST: usize = 1 << 17;
/// How many of the sizes the exponent is fitted over
const SIZES: usize = 4;
/// The best of so many batches of a size counts; the others were disturbed
const BATCHES: usize = 3;
/// The most memory of a rule file, in bytes
const MEMORY: u64 = 15 << 10;

/// Something that authors can write many of
struct Kind {
    name: &'static str,
    command: Command,
    /// The largest size is not below this one: a finding shows what stands around it, so that each
    /// of a few takes longer the more there are
    least: usize,
    text: fn(usize) -> String,
}

/// What is done with the text
#[derive(Clone, Copy)]
enum Command {
    /// Every finding for every target, shown
    Check,
    /// One target
    Convert(Target),
    /// Events, made of the same number
    Scan(fn(usize) -> String),
}

const HEAD: &str = "title: t\nid: 6f3a1d1e-58a7-4a7c-9d0e-0b8f5d3c2a10\nlevel: low\n";
const SOURCE: &str = "logsource: {category: process_creation, product: windows}\ndetection:\n";

const CHECK: Command = Command::Check;
const SENTINEL: Command = Command::Convert(Target::Sentinel);
const ELASTIC: Command = Command::Convert(Target::Elastic);
const NATIVE: Command = Command::Convert(Target::Native);

#[rustfmt::skip]
const KINDS: &[Kind] = &[
    Kind { name: "keys of a map", command: CHECK, least: 2048, text: |n| one("a", &flow(n, |i| format!("f{i}: x"), "{}")) },
    Kind { name: "values", command: SENTINEL, least: 64, text: values },
    Kind { name: "values", command: ELASTIC, least: 64, text: values },
    Kind { name: "values", command: NATIVE, least: 64, text: values },
    Kind { name: "values alike", command: CHECK, least: 2048, text: |n| one("a", &format!("{{Image: {}}}", flow(n, |_| "v".to_owned(), "[]"))) },
    Kind { name: "values with all", command: NATIVE, least: 64, text: all },
    Kind { name: "values with all", command: SENTINEL, least: 64, text: all },
    Kind { name: "values with all", command: ELASTIC, least: 64, text: all },
    Kind { name: "maps in a list", command: NATIVE, least: 64, text: maps },
    Kind { name: "maps in a list", command: SENTINEL, least: 64, text: maps },
    Kind { name: "maps in a list", command: ELASTIC, least: 64, text: maps },
    Kind { name: "findings in a line", command: CHECK, least: 2048, text: |n| one("a", &format!("{{Image: {}}}", flow(n, |i| format!("\"a\\tb{i}\""), "[]"))) },
    Kind { name: "findings, a line each", command: CHECK, least: 2048, text: |n| one("a", &format!("\n    Image:{}", repeated(n, |i| format!("\n      - \"a\\tb{i}\"")))) },
    Kind { name: "far findings", command: CHECK, least: 2048, text: |n| one("a", &format!("\n    Image:{}", repeated(n, |_| "\n      - v".to_owned()))) },
    Kind { name: "tags", command: CHECK, least: 2048, text: |n| one("a", "{Image: x}") + &format!("tags: {}\n", flow(n, |i| format!("attack.t{i}"), "[]")) },
    Kind { name: "references", command: CHECK, least: 2048, text: |n| one("a", "{Image: x}") + &format!("references: {}\n", flow(n, |_| "https://x".to_owned(), "[]")) },
    Kind { name: "dashes in a value", command: CHECK, least: 64, text: |n| one("a", &format!("{{CommandLine|windash|contains: [\"{}\"]}}", " -a".repeat(n.min(10_000)).repeat(n.div_ceil(10_000).max(1)))) },
    Kind { name: "values with dashes", command: CHECK, least: 2048, text: |n| one("a", &format!("{{CommandLine|windash|contains: {}}}", flow(n, |i| format!("\"{} -a{i}\"", " -b".repeat(9)), "[]"))) },
    Kind { name: "modifiers of a key", command: CHECK, least: 64, text: |n| one("a", &format!("{{\"Im\\x61ge{}\": x}}", "|contains".repeat(n))) },
    Kind { name: "networks", command: ELASTIC, least: 64, text: |n| network(&format!("{{DestinationIp|cidr: {}}}", flow(n, |i| format!("{}.{}.{}.0/25", i >> 16 & 255, i >> 8 & 255, i & 255), "[]"))) },
    Kind { name: "numbers", command: CHECK, least: 64, text: |n| network(&format!("{{DestinationPort: {}}}", flow(n, |i| (i % 65_536).to_string(), "[]"))) },
    Kind { name: "selections", command: CHECK, least: 64, text: |n| selections(n, "1 of a*") },
    Kind { name: "unused selections", command: CHECK, least: 2048, text: |n| selections(n, "a0") },
    Kind { name: "unknown selections", command: CHECK, least: 4096, text: |n| selections(n, &conditions(n, |i| format!("x{i}"))) },
    Kind { name: "conditions", command: CHECK, least: 2048, text: |n| selections(n, &conditions(n, |i| format!("a{i}"))) },
    Kind { name: "names in a condition", command: CHECK, least: 64, text: |n| selections(n, &flow(n.div_ceil(1_000), |i| (0..1_000).map(|j| format!("a{}", (i * 1_000 + j) % n)).collect::<Vec<_>>().join(" or "), "[]")) },
    Kind { name: "keywords", command: CHECK, least: 64, text: |n| one("a", &flow(n, |i| format!("word{i}"), "[]")) },
    Kind { name: "comments", command: CHECK, least: 2048, text: |n| one("a", "{Image: x}") + &repeated(n, |i| format!("# allow[W0213]: reason {i}\n\n")) },
    Kind { name: "rules of a file", command: CHECK, least: 64, text: |n| documents(n, "") },
    Kind { name: "rules without id", command: CHECK, least: 64, text: |n| repeated(n, |i| format!("---\ntitle: t{i}\nstatus: test\nx{i}: 1\n{SOURCE}  a: {{Image: 'C:\\*x'}}\n  condition: a\n")) },
    Kind { name: "filters of rules", command: CHECK, least: 64, text: |n| documents(n, "") + &repeated(n, |i| format!("---\ntitle: f{i}\nlogsource: {{category: process_creation, product: windows}}\nfilter:\n  rules: [r{i}]\n  a: {{User: x}}\n  condition: not a\n")) },
    Kind { name: "correlations of rules", command: CHECK, least: 64, text: |n| documents(n, "") + &repeated(n, |i| format!("---\ntitle: c{i}\nname: c{i}\ncorrelation: {{type: event_count, rules: [r{i}], group-by: [User], timespan: 5m, condition: {{gte: 5}}}}\n")) },
    Kind { name: "rules of a correlation", command: CHECK, least: 64, text: |n| documents(n, "") + &format!("---\ntitle: c\nname: c\ncorrelation: {{type: temporal, rules: {}, group-by: [User], timespan: 5m}}\n", flow(n, |i| format!("r{i}"), "[]")) },
    Kind { name: "signals", command: CHECK, least: 64, text: |n| HEAD.to_owned() + "signals:\n" + &repeated(n, |i| format!("  s{i}: {{event: process_creation, Image: x{i}}}\n")) },
    Kind { name: "named lists", command: CHECK, least: 64, text: |n| HEAD.to_owned() + "lists:\n" + &repeated(n, |i| format!("  l{i}: [a{i}, b]\n")) + "signals:\n  s:\n    event: process_creation\n    exclusions:\n" + &repeated(n, |i| format!("      - {{Image: $l{i}}}\n")) + "    children: [cmd.exe]\n" },
    Kind { name: "values of a list", command: CHECK, least: 64, text: |n| HEAD.to_owned() + &format!("lists:\n  l: {}\nsignals:\n  s: {{event: process_creation, children: $l}}\n", flow(n, |i| format!("v{i}.exe"), "[]")) },
    Kind { name: "exclusions", command: CHECK, least: 64, text: |n| HEAD.to_owned() + "signals:\n  s:\n    event: process_creation\n    children: [cmd.exe]\n    exclusions:\n" + &repeated(n, |i| format!("      - {{note: n{i}, Image: x{i}}}\n")) },
    Kind { name: "tests", command: CHECK, least: 64, text: |n| HEAD.to_owned() + "signals:\n  s: {event: process_creation, children: [cmd.exe]}\ntests:\n" + &repeated(n, |i| format!("  - {{name: t{i}, signal: s{}, event: {{Image: x}}}}\n", i % 2)) },
    Kind { name: "lists of two fields", command: Command::Scan(two_lists), least: 64, text: |_| one("a", "{CommandLine|fieldref: Image}") },
    Kind { name: "lists, starts", command: Command::Scan(two_lists), least: 64, text: |_| one("a", "{CommandLine|fieldref|startswith: Image}") },
    Kind { name: "lists, ends", command: Command::Scan(two_lists), least: 64, text: |_| one("a", "{CommandLine|fieldref|endswith: Image}") },
    Kind { name: "lists, contains", command: Command::Scan(two_lists), least: 64, text: |_| one("a", "{CommandLine|fieldref|contains: Image}") },
    Kind { name: "events", command: Command::Scan(|n| repeated(n, |i| format!("{{\"CommandLine\": \"x{i}\", \"Image\": \"b\"}}\n"))), least: 64, text: |_| one("a", "{CommandLine: x7}") },
    Kind { name: "fields of an event", command: Command::Scan(|n| format!("{{{}}}\n", (0..n).map(|i| format!("\"f{i}\": \"x\"")).collect::<Vec<_>>().join(", "))), least: 64, text: |n| one("a", &flow(n, |i| format!("f{i}: x"), "{}")) },
];

fn main() -> ExitCode {
    let mut out = std::io::stdout().lock();
    let wanted = std::env::args().nth(1).filter(|argument| !argument.starts_with("--"));
    let mut failed = false;
    for kind in KINDS.iter().filter(|kind| wanted.as_ref().is_none_or(|one| kind.name == one)) {
        let measured = measure(kind);
        let exponent = exponent(&measured);
        failed |= exponent > MOST;
        let command = match kind.command {
            Command::Check => "check".to_owned(),
            Command::Convert(target) => format!("convert -t {}", target.name()),
            Command::Scan(_) => "scan".to_owned(),
        };
        let mut line = format!("{:24} {command:20}", kind.name);
        for (n, time) in &measured {
            let _ = write!(line, " {n:>7}: {:>6.1} ms", time.as_secs_f64() * 1e3);
        }
        let verdict = if exponent > MOST { "  TOO STEEP" } else { "" };
        let _ = writeln!(out, "{line}  n^{exponent:.2}{verdict}");
    }
    if wanted.is_none()
        && let Some(bytes) = memory()
    {
        failed |= bytes > MEMORY;
        let verdict = if bytes > MEMORY { "  TOO MUCH" } else { "" };
        let _ = writeln!(out, "memory of a rule file: {bytes} bytes{verdict}");
    }
    if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS }
}

/// The last sizes with their times
fn measure(kind: &Kind) -> Vec<(usize, Duration)> {
    let inputs = |n: usize| match kind.command {
        Command::Check | Command::Convert(_) => ((kind.text)(n), String::new()),
        Command::Scan(events) => ((kind.text)(n), events(n)),
    };
    let once = |(text, events): &(String, String)| {
        let start = cpu();
        run(kind.command, text, events);
        cpu().saturating_sub(start)
    };
    let mut largest = kind.least;
    while largest < LARGEST && once(&inputs(largest)) < LONG {
        largest *= 2;
    }
    let batch = |input: &(String, String)| {
        let (mut runs, mut time) = (0, Duration::ZERO);
        while time < BATCH {
            (runs, time) = (runs + 1, time + once(input));
        }
        time / runs
    };
    let sizes = (0..SIZES).rev().map(|halved| (largest >> halved).max(1));
    let measured = sizes.map(|n| {
        let input = inputs(n);
        (n, (0..BATCHES).map(|_| batch(&input)).min().unwrap_or_default())
    });
    measured.collect()
}

/// The time that the threads of this process have had a processor; Linux tells. Elsewhere the time
/// that has passed, which other programs disturb
fn cpu() -> Duration {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let threads = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let of = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
        text.split(' ').next()?.parse::<u64>().ok()
    };
    match threads.filter_map(of).sum() {
        0 => START.elapsed(),
        nanoseconds => Duration::from_nanos(nanoseconds),
    }
}

/// The bytes that each file of a project takes, with everything that is found in it; `None` where
/// nothing tells
fn memory() -> Option<u64> {
    let load = |from: usize, to: usize| {
        let folder = tempfile::tempdir().ok()?;
        for i in from..to {
            let head = format!("title: Rule {i}\nid: 6f3a1d1e-58a7-4a7c-9d0e-{i:012x}");
            let text = format!("{head}{SAMPLE}");
            std::fs::write(folder.path().join(format!("rule_number_{i}.yml")), text).ok()?;
        }
        let mut workspace = project::load(&[folder.path().to_owned()]).ok()?;
        black_box(workspace.refused_by(&[]));
        Some((workspace, resident()?))
    };
    let (first, before) = load(0, 1_000)?;
    let (second, after) = load(1_000, 4_000)?;
    black_box((first, second));
    Some(after.saturating_sub(before) / 3_000)
}

/// A rule of the size that SigmaHQ's have on average
const SAMPLE: &str = r"
status: test
description: Detects the execution of a tool that copies credentials from the memory of a process, by
    the names that it is known under and by the options of its command line
references:
    - https://example.org/blog/2024/01/credentials-from-memory-and-how-to-see-it
    - https://example.org/atomics/T1003.001/T1003.001.md#atomic-test-1
author: Somebody Who Wrote It, Another Person
date: 2024-01-31
modified: 2025-02-28
tags:
    - attack.credential-access
    - attack.t1003.001
logsource:
    category: process_creation
    product: windows
detection:
    selection_img:
        - Image|endswith:
              - '\\dumper.exe'
              - '\\dumper64.exe'
              - '\\dumper64a.exe'
        - OriginalFileName: 'dumper'
    selection_cli:
        CommandLine|contains|windash:
            - ' -ma '
            - ' -mm '
            - ' -mp '
    selection_target:
        CommandLine|contains:
            - ' ls'
            - ' keyiso'
            - ' samss'
    filter_main_parent:
        ParentImage|startswith:
            - 'C:\\Program Files\\'
            - 'C:\\Program Files (x86)\\'
        User|contains: 'SYSTEM'
    condition: all of selection_* and not 1 of filter_main_*
falsepositives:
    - An administrator who looks for the cause of a crash
    - Other tools with the same options
level: high
";

fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? << 10)
}

/// The slope of the line through the logarithms that fits best
fn exponent(measured: &[(usize, Duration)]) -> f64 {
    let points: Vec<(f64, f64)> =
        measured.iter().map(|(n, time)| ((*n as f64).ln(), time.as_secs_f64().ln())).collect();
    let count = points.len() as f64;
    let (x, y) = points.iter().fold((0.0, 0.0), |(x, y), p| (x + p.0 / count, y + p.1 / count));
    let above: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    above / points.iter().map(|p| (p.0 - x).powi(2)).sum::<f64>()
}

fn run(command: Command, text: &str, events: &str) {
    let mut workspace = Workspace::read(&Text::new("rule.yml", text).into());
    let targets = match &command {
        Command::Check => &Target::USUAL[..],
        Command::Convert(target) => std::slice::from_ref(target),
        Command::Scan(_) => &[],
    };
    if !targets.is_empty() {
        black_box(workspace.outputs(targets, Kept::Artifacts));
    }
    if let Command::Scan(_) = command {
        let engine = Engine::new(workspace.take_reported(), &Options::default());
        let mut lines = Lines::new(events.as_bytes());
        let mut collected = Collected::default();
        let done = scan(&engine, &mut Memory::default(), (0, &mut lines), &mut collected);
        black_box(done.is_ok());
    }
    for one in workspace.findings(Looked::Everywhere) {
        black_box(full(&one, false));
    }
}

/// A Sigma rule of one selection
fn one(name: &str, body: &str) -> String {
    format!("{HEAD}{SOURCE}  {name}: {body}\n  condition: {name}\n")
}

fn network(body: &str) -> String {
    let source = "logsource: {category: network_connection, product: windows}\ndetection:\n";
    format!("{HEAD}{source}  a: {body}\n  condition: a\n")
}

/// Items on one line, in these brackets
fn flow(n: usize, item: impl Fn(usize) -> String, brackets: &str) -> String {
    let items: Vec<String> = (0..n.max(1)).map(item).collect();
    let (open, close) = brackets.split_at(1);
    format!("{open}{}{close}", items.join(", "))
}

fn repeated(n: usize, item: impl Fn(usize) -> String) -> String {
    (0..n).map(item).collect()
}

fn values(n: usize) -> String {
    one("a", &format!("{{Image: {}}}", flow(n, |i| format!("v{i}"), "[]")))
}

fn all(n: usize) -> String {
    one("a", &format!("{{CommandLine|contains|all: {}}}", flow(n, |i| format!("v{i}"), "[]")))
}

fn maps(n: usize) -> String {
    one("a", &repeated(n, |i| format!("\n    - {{Image: x{i}, User: y}}")))
}

fn selections(n: usize, condition: &str) -> String {
    let selections = repeated(n, |i| format!("  a{i}: {{Image: x{i}, User: y}}\n"));
    format!("{HEAD}{SOURCE}{selections}  condition: {condition}\n")
}

fn conditions(n: usize, one: impl Fn(usize) -> String) -> String {
    repeated(n, |i| format!("\n    - {}", one(i)))
}

fn documents(n: usize, more: &str) -> String {
    repeated(n, |i| {
        let id = format!("6f3a1d1e-58a7-4a7c-9d0e-{i:012x}");
        let head = format!("title: t{i}\nname: r{i}\nid: {id}\nlevel: low\n");
        format!("---\n{head}{SOURCE}  a: {{Image: x{i}}}\n  condition: a\n{more}")
    })
}

/// Two fields that hold lists without a common value
fn two_lists(n: usize) -> String {
    let list = |start: &str| {
        let items: Vec<String> = (0..n).map(|i| format!("\"{start}{i}{start}\"")).collect();
        items.join(", ")
    };
    format!("{{\"CommandLine\": [{}], \"Image\": [{}]}}\n", list("a"), list("b"))
}
