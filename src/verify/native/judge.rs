//! Compares the answers of compiled matchers with the engine's verdicts.
//!
//! In: rules and events, then the lines that the program prints. Out: a [`Tally`] for each rule, or the fault
//! of its table of signals.

use std::collections::BTreeSet;

use rayon::prelude::*;
use regex::RegexSet;

use super::wire;
use crate::ir::{Op, RegexPattern, Rule, Signal, Subject, Test};
use crate::matcher::{Engine, Match, Memory, Options, Record, Recorder, any_part};
use crate::taxonomy::{EventKind, Field, Log, Product};
use crate::verify::finding::{Difference, Finding};
use crate::verify::trial::{Example, Tally};

/// The rules of a program, each with the engine's view of it
pub struct Judged<'r> {
    rules: Vec<Of<'r>>,
}

struct Of<'r> {
    rule: &'r Rule,
    engine: Engine,
    recorder: Recorder,
    reads: Vec<BTreeSet<Field>>,
    patterns: Vec<Pattern<'r>>,
}

/// A regular expression of a test
struct Pattern<'r> {
    subject: &'r Subject,
    written: &'r str,
    compiled: Vec<RegexSet>,
}

impl<'r> Pattern<'r> {
    /// Those of a test, each by itself
    fn of(test: &'r Test) -> Vec<Pattern<'r>> {
        let patterns = if let Op::Regex(patterns) = &test.op { &**patterns } else { &[] };
        let one = |pattern: &'r RegexPattern| Pattern {
            subject: &test.subject,
            written: pattern,
            compiled: RegexPattern::compile(std::slice::from_ref(pattern)),
        };
        patterns.iter().map(one).collect()
    }

    /// The texts of an event that it is asked about and found in
    fn found_in(&self, record: &Record) -> Vec<(&'r str, String)> {
        let mut found = Vec::new();
        for value in record.fields.get(&self.subject.field).into_iter().flatten() {
            any_part(self.subject, value, |text| {
                if self.compiled.iter().any(|set| set.is_match(text)) {
                    found.push((self.written, text.to_owned()));
                }
                false
            });
        }
        found
    }
}

/// Questions for a program, with the engine's answers
pub struct Asking<'a> {
    /// The lines that the program reads
    pub lines: String,
    expected: Vec<Expected<'a>>,
    rules: &'a [Of<'a>],
}

enum Expected<'a> {
    Table,
    /// For each signal: the level of the engine; nothing where the signal is not for such an event
    Levels(&'a Example, Vec<Option<Option<&'static str>>>),
}

impl<'r> Judged<'r> {
    /// Prepares the rules of a program, in the program's order
    pub fn new(rules: &[&'r Rule]) -> Judged<'r> {
        let of = |rule: &&'r Rule| {
            let fields = |signal: &Signal| signal.fields().cloned().collect();
            let reads: Vec<BTreeSet<Field>> = rule.signals.iter().map(fields).collect();
            let recorder = Recorder::of(reads.iter().flatten());
            let engine = Engine::new(vec![(*rule).clone()], &Options::default());
            let tests = rule.signals.iter().flat_map(Signal::tests);
            let patterns = tests.flat_map(Pattern::of).collect();
            Of { rule, engine, recorder, reads, patterns }
        };
        Judged { rules: rules.iter().map(of).collect() }
    }

    /// Asks each rule for its table of signals
    pub fn ask_tables(&self) -> Asking<'_> {
        let lines = (0..self.rules.len()).map(|at| wire::table(at) + "\n").collect();
        let expected = self.rules.iter().map(|_| Expected::Table).collect();
        Asking { lines, expected, rules: &self.rules }
    }

    /// Asks the rules about events: each about its own list, in the order of the rules
    pub fn ask<'a>(&'a self, examples: &[&'a [Example]]) -> Asking<'a> {
        let all: Vec<(usize, &Example)> = (0..)
            .zip(examples)
            .flat_map(|(at, examples)| examples.iter().map(move |one| (at, one)))
            .collect();
        let asked = all.par_iter().filter_map(|(at, example)| {
            let (line, levels) = self.rules[*at].ask(*at, example)?;
            Some((line + "\n", Expected::Levels(example, levels)))
        });
        let (lines, expected): (Vec<String>, Vec<Expected<'a>>) = asked.unzip();
        let lines = std::iter::zip(lines, &expected).map(|(line, _)| line).collect();
        Asking { lines, expected, rules: &self.rules }
    }
}

impl Of<'_> {
    /// The line about an event, and the engine's answer; nothing for an event that is for no signal
    fn ask(
        &self,
        at: usize,
        example: &Example,
    ) -> Option<(String, Vec<Option<Option<&'static str>>>)> {
        let kind = example.kind.as_ref();
        let record = self.recorder.read(&example.event, kind).ok()?;
        let matches = self.engine.judge_value(&example.event, kind, &mut Memory::default()).ok()?;
        let level = |signal: usize| {
            let of: Option<&Match> = matches.iter().find(|one| one.signal == signal);
            of.map(|one| one.level.as_str())
        };
        let signals = self.rule.signals.iter().enumerate().map(|(signal, sought)| {
            is_for(sought, &self.reads[signal], &record).then(|| level(signal))
        });
        let levels: Vec<_> = signals.collect();
        levels.iter().any(Option::is_some).then(|| {
            let found = self.patterns.iter().flat_map(|pattern| pattern.found_in(&record));
            (wire::event(at, &record, &found.collect::<Vec<_>>()), levels)
        })
    }

    fn table(&self) -> String {
        let rows = self.rule.signals.iter().enumerate().map(|(at, signal)| {
            let new = self.rule.new_terms.as_ref().filter(|new| new.signal == at);
            let terms: Vec<&str> =
                new.map_or_else(Vec::new, |new| new.fields.iter().map(Field::name).collect());
            let row = (
                signal.name.as_str(),
                signal.title.as_str(),
                signal.kind.name(),
                signal.log.as_ref().map(Log::name),
                signal.product.map(Product::name),
                terms,
                new.map_or(0, |new| new.window),
            );
            format!("{row:?}")
        });
        rows.collect::<Vec<_>>().join("\t")
    }
}

/// Whether an event is of the kind, log and operating system of a signal
fn is_for(signal: &Signal, reads: &BTreeSet<Field>, record: &Record) -> bool {
    let Some(kinds) = &record.kinds else {
        // The engine takes no event of an unknown kind that has none of the fields.
        return reads.iter().any(|field| record.fields.contains_key(field));
    };
    let same = |wanted| record.product.is_none_or(|product| product == wanted);
    signal.product.is_none_or(same)
        && kinds.iter().any(|kind| signal.kind.takes(kind, record.product))
        && signal.log.as_ref().is_none_or(|log| EventKind::may_be_in(kinds, log))
}

impl Asking<'_> {
    /// Compares the program's answers, a line for each question; a tally or a fault for each rule
    ///
    /// # Errors
    /// When the program does not answer every question.
    pub fn judge(self, printed: &str) -> Result<Vec<Result<Tally, String>>, String> {
        let names = |of: &Of<'_>| {
            let signals = of.rule.signals.iter().map(|signal| (signal.name.clone(), 0));
            Ok(Tally { signals: signals.collect(), ..Tally::default() })
        };
        let mut tallies: Vec<Result<Tally, String>> = self.rules.iter().map(names).collect();
        let (questions, answers) = (self.lines.lines(), printed.lines());
        if questions.clone().count() != answers.clone().count() {
            return Err("the compiled matchers do not answer every question".to_owned());
        }
        for ((question, answer), expected) in questions.zip(answers).zip(&self.expected) {
            let rule = question.split(' ').next().and_then(|at| at.parse::<usize>().ok());
            let Some((rule, of)) = rule.and_then(|at| Some((at, self.rules.get(at)?))) else {
                continue;
            };
            match expected {
                Expected::Table if of.table() != answer => {
                    tallies[rule] = Err(format!(
                        "its table of signals is\n{answer}\nand the rule says\n{}",
                        of.table()
                    ));
                }
                Expected::Table => {}
                Expected::Levels(example, levels) => {
                    if let Ok(tally) = &mut tallies[rule] {
                        count(tally, of.rule, example, (levels, answer));
                    }
                }
            }
        }
        Ok(tallies)
    }
}

fn count(
    tally: &mut Tally,
    rule: &Rule,
    example: &Example,
    (levels, answer): (&[Option<Option<&'static str>>], &str),
) {
    let mut findings = Vec::new();
    for ((signal, wanted), told) in rule.signals.iter().zip(levels).zip(answer.split('\t')) {
        let Some(wanted) = *wanted else { continue };
        let given = (told != "-").then_some(told);
        if wanted.is_some() {
            *tally.signals.entry(signal.name.clone()).or_default() += 1;
        }
        findings.push(if wanted == given {
            Finding::Same(wanted.is_some())
        } else {
            let word = |level: Option<&str>| {
                level.map_or_else(|| "no match".to_owned(), |level| format!("match, {level}"))
            };
            let (engine, target) = (word(wanted), word(given));
            Finding::Different(Difference {
                signal: signal.name.clone(),
                engine,
                target,
                event: None,
            })
        });
    }
    tally.take_of(example, findings.iter());
}
