//! `--summary`: the counts of a scan in place of its findings.
//!
//! In: a [`Tally`]. Out: tables for people, one JSON object, or comma-separated values.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::tally::{Count, Tally};
use crate::cli::aligned::{Table, aligned};
use crate::cli::{Format, spreadsheet};
use crate::ir::Rule;
use crate::source::visible_json;

/// What the counts are of
pub(super) struct Overview<'o> {
    pub(super) rules: &'o [Rule],
    pub(super) tally: &'o Tally,
    /// The number of events that were read
    pub(super) events: usize,
    /// The number of matches that are not new to `new_terms`
    pub(super) known: usize,
}

impl Overview<'_> {
    /// Prints the counts
    pub(super) fn print(&self, out: &mut impl Write, format: Format) -> io::Result<()> {
        match format {
            Format::Json => {
                let text = serde_json::to_string_pretty(&self.json()).map_err(io::Error::from)?;
                writeln!(out, "{}", visible_json(&text))
            }
            Format::Csv => self.csv(out),
            Format::Full
            | Format::Concise
            | Format::Sarif
            | Format::Github
            | Format::Junit
            | Format::Table => out.write_all(self.text().as_bytes()),
        }
    }

    fn text(&self) -> String {
        let table = |head: [&str; 4], rows: Vec<(String, &Count)>| -> Table {
            let mut table = vec![head.map(str::to_owned).to_vec()];
            table.extend(rows.into_iter().map(|(name, count)| {
                let (first, last) =
                    times(count, |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string());
                vec![count.number.to_string(), first, last, name]
            }));
            table
        };
        let rules = self.tally.rules().into_iter().map(|(at, count)| {
            let level = count.level.map_or("", |level| level.as_str());
            (format!("{} ({level})", self.rules[at].metadata.title.value), count)
        });
        let levels = self.tally.levels().map(|(level, count)| (level.to_string(), count));
        let mut hosts: Vec<(String, &Count)> =
            self.tally.hosts().into_iter().map(|(host, count)| (named(host), count)).collect();
        if self.tally.further_hosts.number > 0 {
            hosts.push(("(further hosts)".to_owned(), &self.tally.further_hosts));
        }
        let tables = [
            table(["hits", "first", "last", "rule"], rules.collect()),
            table(["hits", "first", "last", "host"], hosts),
            table(["hits", "first", "last", "level"], levels.collect()),
        ];
        // A table of one line has only a head.
        let tables = tables.iter().filter(|table| table.len() > 1).map(aligned);
        tables.collect::<Vec<_>>().join("\n")
    }

    fn json(&self) -> Value {
        let with = |mut names: Value, count: &Count| {
            let (first, last) = count.times.unzip();
            names["hits"] = json!(count.number);
            names["first"] = json!(first.map(|time| time.to_string()));
            names["last"] = json!(last.map(|time| time.to_string()));
            names
        };
        let rules = self.tally.rules().into_iter().map(|(at, count)| {
            let metadata = &self.rules[at].metadata;
            let id = metadata.id.as_ref().map(|id| &id.value);
            let level = count.level.map(|level| level.as_str());
            with(json!({"rule": metadata.title.value, "id": id, "level": level}), count)
        });
        let hosts = self.tally.hosts().into_iter();
        let hosts = hosts.map(|(host, count)| {
            with(json!({"host": Some(host).filter(|host| !host.is_empty())}), count)
        });
        let levels = self.tally.levels();
        let levels = levels.map(|(level, count)| with(json!({"level": level.as_str()}), count));
        let all = with(
            json!({"events": self.events, "rules_used": self.rules.len(), "known": self.known}),
            &self.tally.all,
        );
        let mut all = all;
        all["rules"] = rules.collect();
        all["hosts"] = hosts.collect();
        all["further_hosts"] = json!(self.tally.further_hosts.number);
        all["levels"] = levels.collect();
        all
    }

    fn csv(&self, out: &mut impl Write) -> io::Result<()> {
        spreadsheet::row(out, ["by", "name", "id", "hits", "first", "last"])?;
        let mut row = |by: &str, (name, id): (&str, &str), count: &Count| {
            let (first, last) = times(count, |time| time.to_string());
            spreadsheet::row(out, [by, name, id, &count.number.to_string(), &first, &last])
        };
        for (at, count) in self.tally.rules() {
            let metadata = &self.rules[at].metadata;
            let id = metadata.id.as_ref().map_or("", |id| &id.value);
            row("rule", (&metadata.title.value, id), count)?;
        }
        for (host, count) in self.tally.hosts() {
            row("host", (host, ""), count)?;
        }
        if self.tally.further_hosts.number > 0 {
            row("further hosts", ("", ""), &self.tally.further_hosts)?;
        }
        for (level, count) in self.tally.levels() {
            row("level", (level.as_str(), ""), count)?;
        }
        Ok(())
    }
}

fn named(host: &str) -> String {
    if host.is_empty() { "(no host)".to_owned() } else { host.to_owned() }
}

/// The first and the last time as texts, empty when no finding has a time
fn times(count: &Count, text: impl Fn(jiff::Timestamp) -> String) -> (String, String) {
    count.times.map_or_else(Default::default, |(first, last)| (text(first), text(last)))
}
