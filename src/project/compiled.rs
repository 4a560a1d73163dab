//! Verdicts on generated Rust that is compiled and run.
//!
//! In: rules with their matchers, and events. Out: a [`Verdict`] for each: `same` or `different` where a Rust compiler
//! is at hand. Only source that was emitted in this run is compiled: text of a folder is another's code.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rayon::prelude::*;
use tempfile::TempDir;

use super::case::{Case, Stage};
use crate::backend::Translation;
use crate::ir::Rule;
use crate::manifest::Artifact;
use crate::verify::{
    Asking, Example, Fault, JudgedNative, Program, Tally, Verdict, near_examples, own_examples,
};

/// The most matchers in a program: a compiler takes longer than linear over more
const TOGETHER: usize = 120;

/// A program runs for moments, so that compiling it is what takes time
const FLAGS: &[&str] = &[
    "--edition=2024",
    "-Funsafe-code",
    "-Cdebuginfo=0",
    "-Cdebug-assertions=off",
    "-Cpanic=abort",
    "-Ccodegen-units=1",
    "--cap-lints=allow",
    "-o",
];

/// The matchers on trial, and what their own events say
pub(super) struct Matchers<'c> {
    parts: Vec<Part<'c>>,
}

/// Matchers of one program
struct Part<'c> {
    judged: JudgedNative<'c>,
    number: usize,
    /// The program; else the verdict on each matcher without one
    program: Result<Compiled, Vec<Verdict>>,
    tallies: Vec<Result<Tally, String>>,
}

/// A program that can be run
struct Compiled {
    /// Is removed with the program
    _folder: TempDir,
    binary: PathBuf,
}

impl<'c> Matchers<'c> {
    /// Compiles the matchers, and tries them on their rules' tests and on events near every literal
    pub(super) fn read(cases: &'c [Case<'_>]) -> Matchers<'c> {
        let on_trial = cases.iter().filter_map(|case| match &case.stage {
            Stage::Native(made) => Some((&case.loaded.rule, &**made)),
            Stage::Done(_) | Stage::Trial(..) | Stage::Kusto(..) => None,
        });
        let on_trial: Vec<(&Rule, &Translation)> = on_trial.collect();
        // Each thread compiles programs, so that there are as many as threads at least.
        let together = on_trial.len().div_ceil(rayon::current_num_threads()).clamp(1, TOGETHER);
        Matchers { parts: on_trial.par_chunks(together).map(Part::of).collect() }
    }

    /// Judges the next events
    pub(super) fn observe(&mut self, examples: &[Example]) {
        for part in &mut self.parts {
            let all = vec![examples; part.number];
            part.count(|judged| judged.ask(&all));
        }
    }

    /// The verdict on each, in the order of the cases
    pub(super) fn verdicts(self) -> Vec<Verdict> {
        let parts = self.parts.into_iter().flat_map(|part| match part.program {
            Err(verdicts) => verdicts,
            Ok(_) => part.tallies.into_iter().map(verdict).collect(),
        });
        parts.collect()
    }
}

fn verdict(tally: Result<Tally, String>) -> Verdict {
    tally.map_or_else(Verdict::Unchecked, Verdict::of_trial)
}

impl<'c> Part<'c> {
    fn of(matchers: &[(&'c Rule, &'c Translation)]) -> Part<'c> {
        let rules: Vec<&Rule> = matchers.iter().map(|(_, made)| &made.rule).collect();
        let program = compile_all(matchers);
        let tallies = vec![Ok(Tally::default()); rules.len()];
        let judged = JudgedNative::new(&rules);
        let mut part = Part { judged, number: rules.len(), program, tallies };
        part.count(JudgedNative::ask_tables);
        let own = matchers.iter().map(|(rule, made)| {
            let mut examples = own_examples(rule).concat();
            examples.extend(near_examples(&made.rule));
            examples
        });
        let own: Vec<Vec<Example>> = own.collect();
        let own: Vec<&[Example]> = own.iter().map(Vec::as_slice).collect();
        part.count(|judged| judged.ask(&own));
        part
    }

    /// Asks the program, and adds what its answers come to
    fn count<'a>(&'a mut self, ask: impl FnOnce(&'a JudgedNative<'c>) -> Asking<'a>) {
        let Ok(program) = &self.program else { return };
        let asking = ask(&self.judged);
        let answers = program.run(&asking.lines);
        let new = answers.and_then(|answers| asking.judge(&answers));
        for (at, known) in self.tallies.iter_mut().enumerate() {
            let before = std::mem::replace(known, Ok(Tally::default()));
            let new = new.as_ref().map_err(Clone::clone).and_then(|all| all[at].clone());
            *known = before.and_then(|before| new.map(|new| before.joined(new)));
        }
    }
}

/// Compiles matchers into one program; else the verdict on each
fn compile_all(matchers: &[(&Rule, &Translation)]) -> Result<Compiled, Vec<Verdict>> {
    let text =
        |made: &'_ Translation| made.artifacts.first().map_or("", |one| &one.text).to_owned();
    let texts: Vec<String> = matchers.iter().map(|(_, made)| text(made)).collect();
    let rules = matchers.iter().map(|(_, made)| &made.rule);
    let all: Vec<(&Rule, &str)> = rules.zip(texts.iter().map(String::as_str)).collect();
    compile(&Program::of(&all)).map_err(|why| {
        // Of several, only the matcher that does not compile is broken.
        let alone = matchers.iter().zip(&all).map(|((_, made), one)| {
            let alone =
                if all.len() == 1 { Err(why.clone()) } else { compile(&Program::of(&[*one])) };
            match (alone, made.artifacts.first()) {
                (Err(NotCompiled::Fault(why)), Some(artifact)) => broken(artifact, why),
                (Err(NotCompiled::Fault(why) | NotCompiled::NoCompiler(why)), _) => {
                    Verdict::Unchecked(why)
                }
                (Ok(_), _) => {
                    Verdict::Unchecked("another matcher of its program does not compile".to_owned())
                }
            }
        });
        alone.collect()
    })
}

fn broken(artifact: &Artifact, why: String) -> Verdict {
    Verdict::Broken(vec![Fault::new(artifact, why)])
}

#[derive(Clone)]
enum NotCompiled {
    NoCompiler(String),
    Fault(String),
}

fn compile(program: &Program) -> Result<Compiled, NotCompiled> {
    let no_folder = |why: std::io::Error| {
        NotCompiled::NoCompiler(format!("its source cannot be written to be compiled: {why}"))
    };
    let folder = tempfile::tempdir().map_err(no_folder)?;
    for (name, text) in &program.files {
        fs::write(folder.path().join(name), text).map_err(no_folder)?;
    }
    let binary = folder.path().join(format!("judge{}", std::env::consts::EXE_SUFFIX));
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(rustc)
        .args(FLAGS)
        .arg(&binary)
        .arg(folder.path().join("main.rs"))
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|why| {
        NotCompiled::NoCompiler(format!("its source needs rustc, which cannot be run: {why}"))
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let first = said.lines().next().unwrap_or("rustc fails").to_owned();
        return Err(NotCompiled::Fault(first));
    }
    Ok(Compiled { _folder: folder, binary })
}

impl Compiled {
    /// What the program prints for these lines
    fn run(&self, lines: &str) -> Result<String, String> {
        let failed = |why: std::io::Error| format!("its compiled matcher does not run: {why}");
        let mut child = start(&self.binary).map_err(failed)?;
        let stdin = child.stdin.take();
        // The program answers while it is asked, so another thread asks.
        let output = std::thread::scope(|scope| {
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(lines.as_bytes())));
            child.wait_with_output()
        });
        Ok(String::from_utf8_lossy(&output.map_err(failed)?.stdout).into_owned())
    }
}

fn start(binary: &Path) -> std::io::Result<std::process::Child> {
    Command::new(binary).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
}
