//! Small words and marks that several pages share.
//!
//! In: outcomes, levels, verdicts, numbers. Out: a [`Mark`], which is a word and the colour that goes with
//! it; a colour never says anything that no word says.

use serde::Serialize;

use crate::definition::Level;
use crate::workspace::Outcome;

/// A word with a colour
#[derive(Debug, Clone, Serialize, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) word: String,
    /// The class of the colour: `good`, `fair`, `warn`, `bad`, `calm`
    pub(super) tone: &'static str,
    /// Where it stands when a table is sorted, the best first
    pub(super) rank: usize,
}

fn mark(word: impl Into<String>, tone: &'static str, rank: usize) -> Mark {
    Mark { word: word.into(), tone, rank }
}

/// The outcome of a rule on a target
pub(super) fn outcome(outcome: Outcome) -> Mark {
    match outcome {
        Outcome::Exact => mark("exact", "good", 0),
        Outcome::Noted => mark("noted", "fair", 1),
        Outcome::Warned => mark("warned", "warn", 2),
        Outcome::Refused => mark("refused", "bad", 3),
        Outcome::LeftOut => mark("left out", "calm", 4),
    }
}

/// What an outcome means, in a sentence
pub(super) fn meaning(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Exact => "Nothing of the meaning is lost.",
        Outcome::Noted => "Differs only where it hardly matters; each difference has a name.",
        Outcome::Warned => {
            "Differs in a way that may add matches or miss events; each difference has a name."
        }
        Outcome::Refused => {
            "Not written: the target cannot say the rule, or would say something else."
        }
        Outcome::LeftOut => "Its author leaves it out on this target.",
    }
}

/// The level of a rule
pub(super) fn level(level: Level) -> Mark {
    let tone = match level {
        Level::Critical | Level::High => "bad",
        Level::Medium => "warn",
        Level::Low => "fair",
        Level::Informational => "calm",
    };
    let rank = Level::ALL.iter().rev().position(|one| *one == level).unwrap_or_default();
    mark(level.as_str(), tone, rank)
}

/// The verdict on a rule and a target
pub(super) fn proof(word: &str) -> Mark {
    match word {
        "same" => mark(word, "good", 0),
        "binds" => mark(word, "fair", 1),
        "different" => mark(word, "bad", 3),
        "broken" => mark(word, "bad", 4),
        _ => mark(word, "calm", 2),
    }
}

/// `1 rule`, `2 rules`, `2 matches`
pub(super) fn count(number: usize, noun: &str) -> String {
    format!("{} {}", grouped(number), plural(number, noun))
}

/// A noun as it stands after a number
pub(crate) fn plural(number: usize, noun: &str) -> String {
    let end = match number {
        1 => "",
        _ if noun.ends_with("ch") => "es",
        _ => "s",
    };
    format!("{noun}{end}")
}

/// A number with a comma before each three digits
pub(crate) fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A share in whole percent, rounded down, so that only all of them are 100%
pub(super) fn percent(part: usize, of: usize) -> usize {
    (part * 100).checked_div(of).unwrap_or(0)
}

/// The most characters of a value of an event
const LONGEST: usize = 300;

/// A value of an event, cut where it is long
pub(crate) fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The paragraphs of a text, which empty lines divide
pub(super) fn paragraphs(text: &str) -> Vec<String> {
    let all = text.split("\n\n").map(str::trim).filter(|one| !one.is_empty());
    all.map(ToOwned::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        assert_eq!([0, 999, 1_000, 1_234_567].map(grouped), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn the_most_severe_level_stands_first() {
        assert_eq!((level(Level::Critical).rank, level(Level::Informational).rank), (0, 4));
        assert_eq!((percent(2_352, 2_353), percent(3, 3), percent(0, 0)), (99, 100, 0));
    }
}
