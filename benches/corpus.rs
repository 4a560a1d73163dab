//! A corpus of rules to IR, whole process and one thread, beside reading its YAML and no more.
//!
//! `RULECAST_CORPUS=… cargo bench --bench corpus`. Each way runs in a process of its own, so that
//! its memory is its own as well; the best of several runs counts, the others were disturbed.

use std::hint::black_box;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rulecast::diagnostic::Diagnostics;
use rulecast::source::SourceText;
use rulecast::yaml;
use rulecast::{Definition, Rule, definition, ir, project};
use serde::Deserialize;

const RUNS: usize = 7;
const WAYS: &[(&str, &str)] = &[
    ("yaml", "read the YAML only"),
    ("values", "serde_yaml to values"),
    ("ir", "text to IR"),
    ("project", "the same, with every check"),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, way, folder] = &*arguments
        && WAYS.iter().any(|(name, _)| name == way)
    {
        work(way, Path::new(folder));
        return ExitCode::SUCCESS;
    }
    let mut out = std::io::stdout().lock();
    let Some(corpus) = std::env::var_os("RULECAST_CORPUS") else {
        let _ = writeln!(out, "left out: corpus (RULECAST_CORPUS is not set)");
        return ExitCode::SUCCESS;
    };
    let folder = PathBuf::from(corpus).join("data/sigma/rules");
    let _ = writeln!(out, "corpus  {} files, one thread", files(&folder).len());
    let mut floor = None;
    for (way, says) in WAYS {
        let Some((time, memory)) = best(way, &folder) else { return ExitCode::FAILURE };
        let floor = *floor.get_or_insert(time);
        let ratio = time.as_secs_f64() / floor.as_secs_f64();
        let _ = writeln!(out, "  {says:26} {time:>10.1?}   {ratio:.2}   {memory} MB");
    }
    ExitCode::SUCCESS
}

/// The shortest time of a process that goes this way, and its most memory in MB
fn best(way: &str, folder: &Path) -> Option<(Duration, u64)> {
    let program = std::env::current_exe().ok()?;
    let run = |_| {
        let mut command = Command::new(&program);
        command.arg(way).arg(folder).env("RAYON_NUM_THREADS", "1");
        let started = Instant::now();
        let output = command.output().ok()?;
        let memory = String::from_utf8(output.stdout).ok()?.trim().parse().ok()?;
        Some((started.elapsed(), memory))
    };
    (0..RUNS).map(run).min()?
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let files = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter().flatten();
    let files = files.map(walkdir::DirEntry::into_path);
    files.filter(|path| path.extension().is_some_and(|extension| extension == "yml")).collect()
}

fn work(way: &str, folder: &Path) {
    match way {
        // As in the program: what a run has read is not taken apart before the process ends.
        "project" => std::mem::forget(black_box(project::load(&[folder.to_owned()]))),
        "ir" => std::mem::forget(black_box(to_ir(folder))),
        way => {
            for path in files(folder) {
                let text = std::fs::read_to_string(&path).unwrap_or_default();
                if way == "values" {
                    for document in serde_yaml::Deserializer::from_str(&text) {
                        black_box(serde_yaml::Value::deserialize(document).is_ok());
                    }
                    continue;
                }
                let source = Arc::new(SourceText::new(path.to_string_lossy(), text));
                black_box(yaml::parse(&source, &mut Diagnostics::default()));
            }
        }
    }
    let _ = writeln!(std::io::stdout(), "{}", most_memory().unwrap_or(0));
}

/// Every rule as meant, with its definition
fn to_ir(folder: &Path) -> Vec<(Definition, Option<Rule>)> {
    let mut found = Diagnostics::default();
    let mut all = Vec::new();
    for path in files(folder) {
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let source = Arc::new(SourceText::new(path.to_string_lossy(), text));
        for definition in definition::parse(&source, &mut found) {
            let rule = ir::lower(&definition, &mut found);
            all.push((definition, rule));
        }
    }
    all
}

/// The most memory that this process has had, in MB; Linux tells
fn most_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? / 1024)
}
