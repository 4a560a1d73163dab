//! Executes generated Rust matchers.
//!
//! In: matchers as text, their rules, and events. Out: the source of one [`Program`] that holds all of them, the lines
//! to give it, and from the lines that it prints a [`Tally`] for each rule: every signal of every event has the
//! engine's verdict and level, and the table of signals says what the rule says. Another room compiles and runs the program.
//!
//! The program judges fields only. Kind, log and operating system of an event are for the caller of a
//! matcher to compare with the matcher's table of signals, and here they are.

mod judge;
mod shared;
mod wire;

pub use judge::{Asking, Judged};

use crate::ir::Rule;
use shared::Shared;

/// The `main` of a program; the matchers and a function `ask` are added to it
const HARNESS: &str = include_str!("harness.rs");

/// A program of several matchers
#[derive(Debug)]
pub struct Program {
    /// The text of each file by its name; `main.rs` is the crate
    pub files: Vec<(String, String)>,
}

impl Program {
    /// A program of these matchers, each with its rule as it is emitted
    pub fn of(matchers: &[(&Rule, &str)]) -> Program {
        let (mut modules, mut arms) = (String::new(), String::new());
        let (mut files, mut shared) = (Vec::new(), Shared::default());
        for (at, (rule, text)) in matchers.iter().enumerate() {
            files.push((format!("m{at}.rs"), shared.taken_out(text)));
            let regex = if rule.asks_regex() { ", is_found" } else { "" };
            modules.push_str(&format!("matcher!(m{at}{regex});\n"));
            arms.push_str(&format!("        {at} => ask!(m{at}, question, answer),\n"));
        }
        let ask = format!(
            "fn ask(matcher: usize, question: Question<'_>, answer: &mut Vec<String>) {{\n    match matcher {{\n\
             {arms}        _ => {{}}\n    }}\n}}\n"
        );
        files.push((
            "main.rs".to_owned(),
            format!("{HARNESS}\n{modules}\n{ask}{}", shared.module()),
        ));
        Program { files }
    }
}
