//! Shows the progress of a long run to a person at a terminal.
//!
//! In: what is done. Out: one line on stderr, written over itself; nothing when stderr is no terminal, when
//! the run is quiet, or in the first second.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use terminal_size::{Width, terminal_size_of};

use crate::pages::{grouped, plural};

/// The line of a run
pub(super) struct Progress {
    shown: bool,
    started: Instant,
    next: Instant,
    active: bool,
}

/// What a scan has done
#[derive(Clone, Copy)]
pub(super) struct Done {
    /// The bytes of files that were read, packed or not
    pub(super) bytes: u64,
    /// The bytes of all files; `None` when one is a pipe or standard input
    pub(super) of: Option<u64>,
    pub(super) events: usize,
    pub(super) matches: usize,
}

impl Progress {
    pub(super) fn new(quiet: bool) -> Self {
        let active = !quiet && io::stderr().is_terminal();
        let started = Instant::now();
        Progress { shown: false, started, next: started + Duration::from_secs(1), active }
    }

    pub(super) fn tell(&mut self, done: &str) {
        self.tell_with(|_| done.to_owned());
    }

    /// Tells how far a scan is
    pub(super) fn scanned(&mut self, done: impl FnOnce() -> Done) {
        self.tell_with(|passed| said(done(), passed));
    }

    fn tell_with(&mut self, done: impl FnOnce(Duration) -> String) {
        let now = Instant::now();
        if !self.active || now < self.next {
            return;
        }
        self.next = now + Duration::from_millis(200);
        self.shown = true;
        // A line that wraps could not be written over.
        let width = terminal_size_of(io::stderr()).map_or(80, |(Width(width), _)| width.into());
        let line: String = done(now - self.started).chars().take(width.max(1) - 1).collect();
        // A progress line that cannot be written does not stop the run.
        let _ = write!(io::stderr(), "\r{line}\u{1b}[K");
    }

    /// Removes the line, before other text is printed
    pub(super) fn clear(&mut self) {
        if self.shown {
            self.shown = false;
            let _ = write!(io::stderr(), "\r\u{1b}[K");
        }
    }
}

/// `1.2 GB of 3.4 GB, 1,234,567 events, 410,000/s, 12 matches, 2 min left`
fn said(done: Done, passed: Duration) -> String {
    let passed = passed.as_secs_f64().max(0.001);
    let of = done.of.map_or_else(String::new, |of| format!(" of {}", size(of)));
    let rate = (done.events as f64 / passed) as usize;
    let mut line = format!(
        "{}{of}, {} events, {}/s, {} {}",
        size(done.bytes),
        grouped(done.events),
        grouped(rate),
        grouped(done.matches),
        plural(done.matches, "match")
    );
    // Nothing can be said from little.
    if let Some(of) = done.of.filter(|of| done.bytes > 0 && done.bytes * 100 >= *of) {
        let left = of.saturating_sub(done.bytes) as f64 * passed / done.bytes as f64;
        line.push_str(&format!(", {} left", span(left)));
    }
    line
}

/// A number of bytes in the unit that a file manager would choose
fn size(bytes: u64) -> String {
    let units = [("GB", 1e9), ("MB", 1e6), ("kB", 1e3)];
    let unit = units.into_iter().find(|(_, unit)| bytes as f64 >= *unit);
    unit.map_or_else(
        || format!("{bytes} B"),
        |(name, unit)| format!("{:.1} {name}", bytes as f64 / unit),
    )
}

/// A span of time in its two greatest units at most
fn span(seconds: f64) -> String {
    let seconds = seconds.ceil() as u64;
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_tells_bytes_events_matches_and_what_is_left() {
        let done =
            Done { bytes: 500_000_000, of: Some(2_000_000_000), events: 1_000_000, matches: 7 };
        assert_eq!(
            said(done, Duration::from_secs(30)),
            "500.0 MB of 2.0 GB, 1,000,000 events, 33,333/s, 7 matches, 1 min 30 s left"
        );
        let pipe = Done { of: None, ..done };
        assert_eq!(
            said(pipe, Duration::from_secs(30)),
            "500.0 MB, 1,000,000 events, 33,333/s, 7 matches"
        );
        let first = Done { bytes: 999, ..done };
        assert!(said(first, Duration::ZERO).starts_with("999 B of 2.0 GB, "));
        assert!(!said(first, Duration::ZERO).contains("left"));
    }

    #[test]
    fn a_span_is_short() {
        assert_eq!([0.2, 61.0, 7_265.0].map(span), ["1 s", "1 min 1 s", "2 h 1 min"]);
    }
}
