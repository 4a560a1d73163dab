//! Prints matches as lines of JSON.
//!
//! In: the results of a scan. Out: one JSON object per line on stdout, flushed after each block of
//! events. Results that only a correlation reports are left out.

use std::io::{self, Write};

use serde_json::{Map, Value, json};

use super::events::{BadLines, Progress};
use crate::ir::Rule;
use crate::matcher::{Finding, Found, Listener, Unreadable};
use crate::source::visible_json;

/// Prints the results of a scan
pub(super) struct Hits<'s, W: Write> {
    rules: &'s [Rule],
    /// Names of the files of events in messages
    files: &'s [String],
    /// Index of the current file
    pub(super) file: usize,
    /// Whether to print signals that are reported only through a correlation
    pub(super) signals: bool,
    pub(super) out: W,
    /// The number of lines printed
    pub(super) printed: usize,
    /// Lines of the current file that are not events
    pub(super) bad: BadLines,
    pub(super) progress: Progress,
}

impl<'s, W: Write> Hits<'s, W> {
    /// A printer at the first file, with nothing printed yet
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
        self.progress.tell(&format!("{events} events, {} matches", self.printed));
        self.out.flush()
    }
}

/// The JSON object of a result; `None` when only a correlation reports it
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
