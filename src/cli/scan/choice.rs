//! Which rules a scan uses, and which of their findings it reports.
//!
//! In: `--level`, `--tag`, `--since` and the other options. Out: the rules that can give such a finding,
//! and a [`Verdict`] on each finding. All events are judged whatever their time: an event before `--since`
//! still belongs to the history that novelty, correlations and the process tree need.

use clap::Args;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan, civil};

use crate::cli::seen::reported;
use crate::definition::{Level, Metadata, nearest_name};
use crate::ir::Rule;
use crate::matcher::{Finding, Found, Hit, fits, novelty};
use crate::pattern::{Pattern, fold_text};
use crate::project::Failure;

/// Options about rules and findings
#[derive(Args)]
pub(super) struct Choice {
    /// Report findings of at least this level
    #[arg(long, value_name = "LEVEL", value_parser = level, help_heading = "Findings")]
    level: Option<Level>,
    /// Use rules with this tag only, repeatable: `attack.t1505.003`; `*` stands for any text
    #[arg(long = "tag", value_name = "TAG", help_heading = "Findings")]
    tags: Vec<String>,
    /// Report findings from this time on: RFC 3339, a day, or a span back from now such as `2h` or `7d`
    ///
    /// A time without a zone is UTC. Earlier events are still read: they are the history of novelty and
    /// correlations. The time of a correlation is that of its last event. A match without a time is not
    /// reported; it is counted, with a warning.
    #[arg(long, value_name = "TIME", value_parser = since, help_heading = "Findings")]
    since: Option<Timestamp>,
    /// Report findings up to this time, or to the end of this day; written as for `--since`
    #[arg(long, value_name = "TIME", value_parser = until, help_heading = "Findings")]
    until: Option<Timestamp>,
    /// Also report matches that are not new to `new_terms`
    #[arg(long, help_heading = "Findings")]
    known: bool,
    /// Also report signals that a correlation reports in their place
    #[arg(long, help_heading = "Findings")]
    signals: bool,
}

/// What becomes of a result
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is reported
    Reported,
    /// It is not asked for
    Unasked,
    /// `new_terms` rules it out: its values were seen before
    Known,
    /// `new_terms` rules it out: a value is missing, so nothing of it is new
    Termless,
    /// It has no time, so `--since` and `--until` say nothing about it
    Untimed,
}

impl Choice {
    /// The rules that can give a finding that is asked for
    ///
    /// # Errors
    /// When a tag fits no rule, or no rule is left.
    pub(super) fn rules(&self, rules: Vec<Rule>) -> Result<Vec<Rule>, Failure> {
        if let (Some(since), Some(until)) = (self.since, self.until)
            && since > until
        {
            return Err(Failure::new(format!("`--since` {since} is after `--until` {until}")));
        }
        let all = rules.len();
        let rules = self.tagged(rules)?;
        let tagged = rules.len();
        let least = self.level.unwrap_or(Level::Informational);
        let rules: Vec<Rule> = rules.into_iter().filter(|rule| most(rule) >= least).collect();
        if rules.is_empty() && all > 0 {
            let which = if tagged < all { " with these tags" } else { "" };
            return Err(Failure::new(format!("no rule{which} is of level `{least}` or above")));
        }
        Ok(rules)
    }

    fn tagged(&self, rules: Vec<Rule>) -> Result<Vec<Rule>, Failure> {
        if self.tags.is_empty() {
            return Ok(rules);
        }
        let tags: Vec<Vec<String>> = rules.iter().map(|rule| tags(&rule.metadata)).collect();
        let mut is_asked = vec![false; rules.len()];
        for asked in &self.tags {
            let pattern = Pattern::read(&comparable(asked));
            let fit = |tags: &Vec<String>| tags.iter().any(|tag| fits(&pattern, tag));
            let fitting: Vec<bool> = tags.iter().map(fit).collect();
            if !fitting.contains(&true) {
                return Err(unknown(asked, &tags));
            }
            is_asked.iter_mut().zip(fitting).for_each(|(is_asked, fits)| *is_asked |= fits);
        }
        let asked = rules.into_iter().zip(is_asked).filter(|(_, is_asked)| *is_asked);
        Ok(asked.map(|(rule, _)| rule).collect())
    }

    /// Whether only findings of a range of time are reported
    fn is_timed(&self) -> bool {
        self.since.is_some() || self.until.is_some()
    }

    /// What becomes of a result
    pub(super) fn verdict(&self, rules: &[Rule], found: &Found) -> Verdict {
        let (level, time, ruled_out) = match found {
            Found::Hit(hit) => (hit.matched.level, hit.matched.time, ruled_out(hit)),
            Found::Together(Finding { rule, together }) => {
                let correlation = &rules[*rule].correlations[together.correlation];
                (correlation.level, Some(together.time), None)
            }
        };
        let is_early = time.zip(self.since).is_some_and(|(time, since)| time < since);
        let is_late = time.zip(self.until).is_some_and(|(time, until)| time > until);
        let is_low = self.level.is_some_and(|least| level < least);
        if is_early || is_late || is_low || !(self.signals || reported(rules, found)) {
            Verdict::Unasked
        } else if let Some(why) = ruled_out.filter(|_| !self.known) {
            why
        } else if time.is_none() && self.is_timed() {
            Verdict::Untimed
        } else {
            Verdict::Reported
        }
    }
}

/// Why `new_terms` rules a match out; `None` where it does not
fn ruled_out(hit: &Hit) -> Option<Verdict> {
    let has_terms = hit.matched.terms.as_ref().is_some_and(|terms| !terms.keys.is_empty());
    let why = if has_terms { Verdict::Known } else { Verdict::Termless };
    (hit.new == Some(false)).then_some(why)
}

/// A tag that no rule has
fn unknown(asked: &str, tags: &[Vec<String>]) -> Failure {
    // Only a name of the same namespace is near: the namespace itself would make every name alike.
    let asked_name = comparable(asked);
    let (space, name) = asked_name.split_at(asked_name.find('.').map_or(0, |at| at + 1));
    let known = tags.iter().flatten().filter_map(|tag| tag.strip_prefix(space));
    let near = nearest_name(name, known);
    let hint = near.map(|near| format!("; did you mean `{space}{near}`?")).unwrap_or_default();
    Failure::new(format!("no rule has the tag `{asked}`{hint}"))
}

/// The highest level that a finding of the rule can have
fn most(rule: &Rule) -> Level {
    let cases = rule.signals.iter().flat_map(|signal| &signal.cases).map(|(level, _)| *level);
    let correlations = rule.correlations.iter().map(|correlation| correlation.level);
    cases.chain(correlations).fold(rule.level, Level::max)
}

/// The tags of a rule, as [`comparable`] texts
fn tags(metadata: &Metadata) -> Vec<String> {
    let attack = metadata.attack.iter().map(|name| format!("attack.{}", name.value));
    let others = metadata.tags.iter().map(|tag| tag.value.clone());
    attack.chain(others).map(|tag| comparable(&tag)).collect()
}

/// A tag without the differences that mean nothing: Sigma has written tactics with `_` and with `-`
fn comparable(tag: &str) -> String {
    fold_text(&tag.replace('_', "-"))
}

/// Reads the name of a level; the error lists all names
fn level(name: &str) -> Result<Level, String> {
    let known: Vec<_> = Level::ALL.iter().map(|level| level.as_str()).collect();
    let level = Level::ALL.iter().copied().find(|level| level.as_str() == name);
    level.ok_or_else(|| format!("expected {}", known.join(", ")))
}

fn since(text: &str) -> Result<Timestamp, String> {
    moment(text, Timestamp::now()).map(|(first, _)| first)
}

fn until(text: &str) -> Result<Timestamp, String> {
    moment(text, Timestamp::now()).map(|(_, last)| last)
}

/// The first and the last moment that a text means
fn moment(text: &str, now: Timestamp) -> Result<(Timestamp, Timestamp), String> {
    let expected = || {
        "expected a time such as 2026-11-21T10:00:00Z, a day such as 2026-11-21, or a span back from \
         now such as 2h or 7d"
            .to_owned()
    };
    let is_day = text.len() == "2026-11-21".len();
    if let Some(day) = text.parse::<civil::Date>().ok().filter(|_| is_day) {
        let start = |day: civil::Date| day.to_zoned(TimeZone::UTC).map(|zoned| zoned.timestamp());
        let first = start(day).map_err(|_| expected())?;
        let next = day.tomorrow().and_then(start).unwrap_or(Timestamp::MAX);
        return Ok((first, next.checked_sub(1.nanosecond()).unwrap_or(next)));
    }
    if let Some(time) = novelty::timestamp(text) {
        return Ok((time, time));
    }
    // Days have 24 hours in UTC.
    let span = text.parse::<Span>().ok().filter(|span| !span.is_negative());
    let back = span.and_then(|span| now.to_zoned(TimeZone::UTC).checked_sub(span).ok());
    let time = back.ok_or_else(expected)?.timestamp();
    Ok((time, time))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_a_moment_a_day_or_a_span_back() {
        let now: Timestamp = "2026-11-21T12:00:00Z".parse().unwrap();
        let read = |text: &str| {
            moment(text, now).map(|(first, last)| (first.to_string(), last.to_string()))
        };
        let at = |text: &str| Ok((text.to_owned(), text.to_owned()));
        assert_eq!(read("2026-11-20T10:00:00+02:00"), at("2026-11-20T08:00:00Z"));
        assert_eq!(read("2026-11-20 10:00"), at("2026-11-20T10:00:00Z"));
        assert_eq!(read("2h"), at("2026-11-21T10:00:00Z"));
        assert_eq!(read("7d"), at("2026-11-14T12:00:00Z"));
        let day = ("2026-11-20T00:00:00Z", "2026-11-20T23:59:59.999999999Z");
        assert_eq!(read("2026-11-20"), Ok((day.0.to_owned(), day.1.to_owned())));
        for wrong in ["", "yesterday", "-2h", "2026-13-01", "99999999d"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_tag_is_compared_without_case_and_dashes() {
        let pattern = Pattern::read(&comparable("ATTACK.initial_*"));
        assert!(fits(&pattern, &comparable("attack.Initial-Access")));
        assert!(!fits(&pattern, &comparable("attack.execution")));
    }
}
