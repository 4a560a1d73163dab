//! Says why the events of a file could not match.
//!
//! In: the [`Census`] of a file, and the options that its events were read with. Out: an error for a
//! file of which nothing could be judged, a warning for one of which only a part could. Each names the
//! fix: "0 matches" alone would read as "nothing happened".

use super::report::{self, count};
use crate::matcher::{Census, Engine, Options, Unheld};

/// What is wrong with the events of a file
#[derive(Debug, Default)]
pub(super) struct Complaints {
    /// Nothing in the file could be judged as the user meant it
    pub(super) error: Option<String>,
    /// A part of the file could not be judged, or no rule is about it
    pub(super) warnings: Vec<String>,
}

impl Complaints {
    /// What the census of a file says
    pub(super) fn of(census: &Census, file: &str, engine: &Engine, options: &Options) -> Self {
        let mut complaints = Complaints::default();
        if census.events == 0 {
            complaints.warnings.push(format!("{file} holds no event"));
            return complaints;
        }
        let fix = || fix(census, engine);
        if let Some(field) = &options.field {
            let what = format!("the object `{field}` that `--field` names");
            complaints.lacking(census, census.without_object, file, (&what, &fix()));
        }
        if let Some(field) = &options.kind_field {
            let what = format!("the field `{field}` that `--event-field` names");
            let hint = ": without it the log source of an event is unknown";
            complaints.lacking(census, census.without_kind, file, (&what, hint));
        }
        if let Some(field) = &options.time_field {
            let what = format!("the field `{field}` that `--time-field` names");
            let hint = ": novelty and correlations need the time";
            complaints.lacking(census, census.without_time, file, (&what, hint));
        }
        if let Some(kind) = &options.kind {
            let says = "by channel and id they are something else: leave out `--event`";
            complaints.partial(census.contradicted, census.events, |part| {
                format!("{part} of {file} are no `{kind}` events as `--event` says; {says}")
            });
        }
        complaints.partial(census.partly_read, census.events, |part| {
            format!(
                "{part} of {file} are rows or documents that no mapping knows as events: keep the columns \
                 `Type` and `ActionType` of rows, or write a mapping (`rulecast list mappings`)"
            )
        });
        complaints.unlooked(census, file);
        complaints.fieldless(census, file, &fix());
        complaints
    }

    /// Every complaint, the error first
    pub(super) fn all(&self) -> impl Iterator<Item = &String> {
        self.error.iter().chain(&self.warnings)
    }

    /// Events that lack what an option names
    fn lacking(&mut self, census: &Census, number: usize, file: &str, words: (&str, &str)) {
        let (what, hint) = words;
        self.partial(number, census.events, |part| match number == census.events {
            true => format!("no event of {file} has {what}{hint}"),
            false => format!("{part} of {file} lack {what}{hint}"),
        });
    }

    /// An error when all events are meant, a warning when some are
    fn partial(&mut self, number: usize, all: usize, say: impl Fn(&str) -> String) {
        if number == 0 {
            return;
        }
        if number < all {
            self.warnings.push(say(&format!("{number} of {all} events")));
        } else if self.error.is_none() {
            self.error = Some(say(&format!("all {}", count(all, "event"))));
        }
    }

    fn unlooked(&mut self, census: &Census, file: &str) {
        if census.all_unlooked() < census.events {
            return;
        }
        let kinds = census.unlooked.iter().map(|(kind, number)| format!("{kind} {number}"));
        let kinds: Vec<String> = kinds.collect();
        self.warnings.push(format!("no rule looks at any event of {file}: {}", kinds.join(", ")));
    }

    /// Events that rules look at, of which none has a field of a rule
    fn fieldless(&mut self, census: &Census, file: &str, fix: &str) {
        let looked_at = census.events - census.all_unlooked();
        let strange = census.without_field - census.recognized;
        if census.without_field < looked_at && strange > 0 {
            let all = census.events;
            self.warnings.push(format!(
                "{strange} of {all} events of {file} have no field that a rule reads{fix}"
            ));
        }
        if looked_at == 0 || census.without_field < looked_at || self.error.is_some() {
            return;
        }
        let why = format!("no event of {file} has a field that a rule reads{fix}");
        // The channel tells what they are, so the rules just ask for other fields.
        if census.recognized == looked_at {
            self.warnings.push(why);
        } else {
            self.error = Some(why);
        }
    }
}

/// How many fields a warning names
const NAMED: usize = 6;

/// That rules ask rows and documents for what those do not hold; nothing when none does
pub(super) fn unheld(unheld: &Unheld) -> Option<String> {
    let mut fields: Vec<(&String, &usize)> = unheld.fields.iter().collect();
    fields.sort_by_key(|(name, rules)| (std::cmp::Reverse(**rules), *name));
    let named: Vec<&str> = fields.iter().take(NAMED).map(|(name, _)| name.as_str()).collect();
    let more = fields.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    (unheld.rules > 0).then(|| {
        format!(
            "{} cannot be judged in full: the rows or documents do not hold {}{more}",
            count(unheld.rules, "rule"),
            named.join(", ")
        )
    })
}

/// Prints the warnings; returns the errors
pub(super) fn tell(complaints: Vec<Complaints>) -> Vec<String> {
    let mut errors = Vec::new();
    for complaint in complaints {
        complaint.warnings.iter().for_each(|why| report::warn(why));
        errors.extend(complaint.error);
    }
    errors
}

/// The end of a sentence: where the fields are
fn fix(census: &Census, engine: &Engine) -> String {
    let sample = census.sample.as_deref();
    match sample.and_then(|sample| engine.object_with_fields(sample)) {
        Some(path) if path.is_empty() => ": the event itself holds them; leave it out".to_owned(),
        Some(path) => format!(": `{path}` holds such fields; try `--field {path}`"),
        None => ": `rulecast list fields` shows their names".to_owned(),
    }
}
