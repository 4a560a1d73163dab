//! Takes the results of a scan, and prints those that are asked for.
//!
//! In: results, in the order of the lines. Out: findings on stdout in the form that the user asks for,
//! flushed after each block of events; counts of them; and those that the page of `--html` shows.

use std::io::{self, IsTerminal, Write};

use terminal_size::{Width, terminal_size_of};

use super::choice::{Choice, Verdict};
use super::table::{Table, WIDTH};
use super::tally::Tally;
use super::{csv, line};
use crate::cli::Format;
use crate::cli::events::BadLines;
use crate::cli::progress::{Done, Progress};
use crate::cli::seen::Columns;
use crate::ir::Rule;
use crate::matcher::{Found, Listener, Unreadable};
use crate::pages::Severe;
use crate::project::Source;

/// How findings are printed
pub(super) enum Form {
    /// A line of JSON each
    Lines,
    Csv,
    Table(Table),
    /// Not at all: the user asks for counts
    Counts,
}

impl Form {
    /// The form for a format of the command line
    pub(super) fn of(format: Format, is_summary: bool) -> Form {
        match format {
            _ if is_summary => Form::Counts,
            Format::Csv => Form::Csv,
            Format::Table => {
                let terminal = Some(io::stdout()).filter(IsTerminal::is_terminal);
                let width = terminal.and_then(terminal_size_of);
                Form::Table(Table::new(width.map_or(WIDTH, |(Width(width), _)| width.into())))
            }
            Format::Full
            | Format::Concise
            | Format::Json
            | Format::Sarif
            | Format::Github
            | Format::Junit => Form::Lines,
        }
    }
}

/// What a run needs to know of its rules and events
pub(super) struct About<'s> {
    pub(super) rules: &'s [Rule],
    pub(super) columns: &'s Columns,
    pub(super) choice: &'s Choice,
    pub(super) sources: &'s [Source],
    /// The names of the sources
    pub(super) files: &'s [String],
}

/// Prints the results of a scan
pub(super) struct Hits<'s, W: Write> {
    about: About<'s>,
    form: Form,
    out: W,
    /// Index of the current file
    pub(super) file: usize,
    /// The number of events in the files before it
    pub(super) events: usize,
    /// Findings that were printed
    pub(super) tally: Tally,
    /// Matches that are not new to `new_terms`
    pub(super) known: usize,
    /// Matches that lack a value that `new_terms` asks for
    pub(super) termless: usize,
    /// Matches without a time, where only those of a range of time are asked for
    pub(super) untimed: usize,
    /// Lines that are not events, of all files
    pub(super) unreadable: usize,
    /// The findings of the page; `None` when no page is asked for
    pub(super) page: Option<Severe>,
    /// Lines of the current file that are not events
    pub(super) bad: BadLines,
    pub(super) progress: Progress,
    /// The size of all files; `None` when it is unknown
    size: Option<u64>,
}

impl<'s, W: Write> Hits<'s, W> {
    /// A printer at the first file; prints the names of the columns
    pub(super) fn begin(
        about: About<'s>,
        (form, page): (Form, Option<Severe>),
        mut out: W,
        progress: Progress,
    ) -> io::Result<Self> {
        match &form {
            Form::Csv => csv::head(&mut out, about.columns)?,
            Form::Table(table) => table.head(&mut out)?,
            Form::Lines | Form::Counts => {}
        }
        let (file, events, unreadable) = (0, 0, 0);
        let (known, termless, untimed) = (0, 0, 0);
        let (tally, bad) = (Tally::default(), BadLines::default());
        let size = about.sources.iter().map(Source::size).sum();
        Ok(Hits {
            about,
            form,
            out,
            file,
            events,
            tally,
            known,
            termless,
            untimed,
            unreadable,
            page,
            bad,
            progress,
            size,
        })
    }

    /// Prints what is left of the output; returns it for more
    pub(super) fn end(&mut self) -> io::Result<&mut W> {
        self.progress.clear();
        self.out.flush()?;
        Ok(&mut self.out)
    }

    fn print(&mut self, found: &Found) -> io::Result<()> {
        let About { rules, columns, files, .. } = self.about;
        let seen = columns.seen(rules, self.file, found);
        // The line of the progress and the findings may share a terminal.
        self.progress.clear();
        match &self.form {
            Form::Lines => {
                writeln!(self.out, "{}", line::line(rules, (columns, files), (found, &seen)))?;
            }
            Form::Csv => csv::row(&mut self.out, (&rules[seen.rule], files), &seen)?,
            Form::Table(table) => table.row(&mut self.out, (&rules[seen.rule], columns), &seen)?,
            Form::Counts => {}
        }
        self.tally.add(&seen);
        if let Some(page) = &mut self.page {
            page.add(seen.sighting(seen.rule, columns, files));
        }
        Ok(())
    }
}

impl<W: Write> Listener for Hits<'_, W> {
    fn found(&mut self, found: Found) -> io::Result<()> {
        match self.about.choice.verdict(self.about.rules, &found) {
            Verdict::Reported => self.print(&found)?,
            Verdict::Known => self.known += 1,
            Verdict::Termless => self.termless += 1,
            Verdict::Untimed => self.untimed += 1,
            Verdict::Unasked => {}
        }
        Ok(())
    }

    fn unreadable(&mut self, line: Unreadable) {
        self.unreadable += 1;
        self.bad.push(line);
    }

    fn judged(&mut self, events: usize) -> io::Result<()> {
        self.progress.scanned(|| Done {
            bytes: self.about.sources.iter().map(Source::read).sum(),
            of: self.size,
            events: self.events + events,
            matches: self.tally.all.number,
        });
        self.out.flush()
    }
}
