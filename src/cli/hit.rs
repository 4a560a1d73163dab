//! Matches as lines of JSON.
//!
//! In: what a scan finds. Out: one JSON object a line on stdout, printed as soon as the lines that
//! have come are judged; nothing of what is reported through a correlation only.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::events::{BadLines, Progress};
use crate::ir::Rule;
use crate::matcher::{Finding, Found, Listener, Unreadable};
use crate::source::visible_json;

/// Prints what a scan finds
pub(super) struct Hits<'s, W: Write> {
    rules: &'s [Rule],
    /// The files of events, as messages call them
    files: &'s [String],
    /// Which of them is read
    pub(super) file: usize,
    /// Whether signals are printed that a correlation reports in their place
    pub(super) signals: bool,
    pub(super) out: W,
    /// How many lines were printed
    pub(super) printed: usize,
    /// What was no event in the file at hand
    pub(super) bad: BadLines,
    pub(super) progress: Progress,
}

impl<'s, W: Write> Hits<'s, W> {
    /// Nothing printed yet, and the first file at hand
    pub(super) fn new(rules: &'s [Rule], files: &'s [String], out: W, progress: Progress) -> Self {
        let (file, signals, printed, bad) = (0, false, 0, BadLines::default());
        Hits { rules, files, file, signals, out, printed, bad, progress }
    }
}

impl<W: Write> Listener for Hits<'_, W> {
    fn found(&mut self, found: Found) -> io::Result<()> {
        if let Some(line) = line(self.rules, self.files, self.file, &found, self.signals) {
            self.printed += 1;
            writeln!(self.out, "{}", visible_json(&line.to_string()))?;
        }
        Ok(())
    }

    fn unreadable(&mut self, line: Unreadable) {
        self.bad.push(line);
    }

    fn judged(&mut self, events: usize) -> io::Result<()> {
        self.progress.tell(events);
        self.out.flush()
    }
}

/// What is printed of a finding; nothing of what is reported through a correlation only
fn line(
    rules: &[Rule],
    files: &[String],
    file: usize,
    found: &Found,
    signals: bool,
) -> Option<Value> {
    let head = |rule: &Rule| {
        let id = rule.metadata.id.as_ref().map(|id| id.value.clone());
        Map::from_iter([
            ("rule".to_owned(), json!(rule.metadata.title.value)),
            ("id".to_owned(), json!(id)),
        ])
    };
    let (mut line, rest) = match found {
        Found::Hit(hit) => {
            let rule = &rules[hit.matched.rule];
            if !signals && !rule.reports_signal(hit.matched.signal) {
                return None;
            }
            let mut rest = json!({
                "signal": rule.signals[hit.matched.signal].name,
                "level": hit.matched.level.as_str(),
                "file": files[file],
                "line": hit.line,
                "fields": hit.matched.fields,
            });
            if let Some(new) = hit.new {
                rest["new"] = json!(new);
            }
            (head(rule), rest)
        }
        Found::Together(Finding { rule, together }) => {
            let rule = &rules[*rule];
            if !rule.reports_correlation(together.correlation) {
                return None;
            }
            let correlation = &rule.correlations[together.correlation];
            let place = |(file, line): &(usize, usize)| json!({"file": files[*file], "line": line});
            let events: Vec<_> = together.places.iter().map(place).collect();
            let group: Map<String, Value> =
                together.group.iter().map(|(key, value)| (key.clone(), json!(value))).collect();
            let rest = json!({
                "correlation": correlation.name,
                "level": correlation.level.as_str(),
                "time": together.time.to_string(),
                "group": group,
                "events": events,
            });
            (head(rule), rest)
        }
    };
    if let Value::Object(rest) = rest {
        line.extend(rest);
    }
    Some(Value::Object(line))
}
