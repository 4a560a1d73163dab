//! The report as aligned text for people.
//!
//! In: rows and their counts. Out: a line for each rule, then tables of counts. The name of a rule
//! stands last, where no long name moves the columns; long lists are cut, and say what is missing.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::io::Write;

use super::{Row, Summary, Target};
use crate::backend::Weight;
use crate::cli::Stop;
use crate::cli::aligned::{Table, aligned};
use crate::manifest::LossName;
use crate::workspace::{Counted, Outcome, Outcomes, Reason, refused_for};

/// The most characters of a cell in the lines of rules
const WIDEST: usize = 44;
/// The most lines of a table of counts for each target, or for all log sources
const LONGEST: usize = 25;

/// Prints the rows and their counts, a blank line between two tables
pub(super) fn print(rows: &[Row<'_>], summary: &Summary, targets: &[Target]) -> Result<(), Stop> {
    let tables = [
        rules(rows, targets),
        outcomes(summary, targets),
        refusals(summary, targets),
        losses(summary, targets),
        sources(summary, targets),
    ];
    // A table of one line has only a head.
    let tables = tables.iter().filter(|table| table.len() > 1).map(aligned);
    let text = tables.collect::<Vec<_>>().join("\n");
    Ok(anstream::stdout().lock().write_all(text.as_bytes())?)
}

fn heads(words: &[&str]) -> Vec<String> {
    words.iter().map(ToString::to_string).collect()
}

/// A line for each rule
fn rules(rows: &[Row<'_>], targets: &[Target]) -> Table {
    let names = targets.iter().map(|target| target.name());
    let mut table = vec![heads(&names.chain(["log source", "rule"]).collect::<Vec<_>>())];
    let same = |one: &Row<'_>, other: &Row<'_>| std::ptr::eq(one.rule, other.rule);
    for of_rule in rows.chunk_by(same) {
        let Some(first) = of_rule.first() else { continue };
        let on = |target: &Target| of_rule.iter().find(|row| row.target == *target);
        let cells = targets.iter().map(|target| on(target).map_or("-".to_owned(), cell));
        let mut line: Vec<String> = cells.map(|cell| cut(&cell)).collect();
        line.push(cut(&few(&first.log_sources(), ", ")));
        line.push(match first.rule.folder.as_str() {
            "" => first.rule.stem.clone(),
            folder => format!("{folder}/{}", first.rule.stem),
        });
        table.push(line);
    }
    table
}

/// Mapping and losses, or why the rule is refused
fn cell(row: &Row<'_>) -> String {
    let mut said = match row.outcome() {
        Outcome::Refused => {
            let mut refusals = row.refusals();
            let first = refusals.next();
            let why =
                first.map_or_else(String::new, |one| refused_for(one.code, one.cause.as_ref()));
            return match refusals.count() {
                0 => format!("refused: {why}"),
                further => format!("refused: {why}, +{further}"),
            };
        }
        Outcome::LeftOut => return "left out".to_owned(),
        Outcome::Exact => "exact".to_owned(),
        Outcome::Noted | Outcome::Warned => lost(&row.losses),
    };
    if !row.mappings.is_empty() {
        said = format!("{}: {said}", few(&row.mappings, "+"));
    }
    if !row.without.is_empty() {
        said = format!("{said}, without {}", few(&row.without, ", "));
    }
    said
}

/// The losses by weight, the heaviest first: `warn words; note product`
fn lost(losses: &BTreeMap<LossName, Weight>) -> String {
    let of = |weight: Weight| {
        let names = losses.iter().filter(|(_, own)| **own == weight);
        let names: Vec<&str> = names.map(|(name, _)| name.name()).collect();
        (!names.is_empty()).then(|| format!("{} {}", weight.name(), names.join(", ")))
    };
    let parts: Vec<String> = Weight::ALL.into_iter().rev().filter_map(of).collect();
    parts.join("; ")
}

/// The outcomes of each target
fn outcomes(summary: &Summary, targets: &[Target]) -> Table {
    let words =
        ["target", "rules", "converted", "exact", "noted", "warned of", "refused", "left out"];
    let mut table = vec![heads(&words)];
    for target in targets {
        let Some(outcomes) = summary.targets.get(target) else { continue };
        let rules = outcomes.rules();
        let share = |number| match number {
            0 => "0".to_owned(),
            number => format!("{number} ({})", percent(number, rules)),
        };
        let mut line = vec![target.name().to_owned(), rules.to_string()];
        line.push(share(outcomes.converted()));
        line.extend(Outcome::ALL.map(|outcome| share(outcomes.of(outcome))));
        table.push(line);
    }
    table
}

/// Why rules are refused, the most frequent reasons of each target
fn refusals(summary: &Summary, targets: &[Target]) -> Table {
    let mut table = vec![heads(&["refused on", "rules", "only reason", "reason", "log sources"])];
    for target in targets {
        let of_target = summary.refusals.iter().filter(|one| one.what.target == *target);
        let line = |one: &Counted<Reason>| {
            let reason = format!(
                "{} {}",
                one.what.code,
                refused_for(one.what.code, one.what.cause.as_ref())
            );
            let (rules, alone) = (one.rules.to_string(), one.alone.to_string());
            vec![target.name().to_owned(), rules, alone, cut(&reason), one.most_sources()]
        };
        let all: Vec<Vec<String>> = of_target.map(line).collect();
        shorten(&mut table, all, &format!("reasons on {}", target.name()));
    }
    table
}

/// What rules lose on each target
fn losses(summary: &Summary, targets: &[Target]) -> Table {
    let mut table = vec![heads(&["lost on", "rules", "weight", "loss", "log sources"])];
    for target in targets {
        for one in summary.losses.iter().filter(|one| one.what.target == *target) {
            let (weight, name) = (one.what.weight.name(), one.what.name.name());
            let cells = [target.name(), &one.rules.to_string(), weight, name, &one.most_sources()];
            table.push(heads(&cells));
        }
    }
    table
}

/// The rules of each log source that are converted for each target, the log sources with most refusals first
fn sources(summary: &Summary, targets: &[Target]) -> Table {
    let names = targets.iter().map(|target| target.name());
    let head: Vec<&str> = names.chain(["converted of log source"]).collect();
    let mut sources: Vec<_> = summary.sources.iter().collect();
    let sum = |of: &BTreeMap<Target, Outcomes>, number: fn(&Outcomes) -> usize| -> usize {
        of.values().map(number).sum()
    };
    sources.sort_by_key(|(name, of)| {
        let refused = sum(of, |one| one.of(Outcome::Refused));
        (Reverse(refused), Reverse(sum(of, Outcomes::rules)), *name)
    });
    let line = |(name, of): (&String, &BTreeMap<Target, Outcomes>)| {
        let converted = |target: &Target| match of.get(target) {
            None => "-".to_owned(),
            Some(one) => {
                let (part, rules) = (one.converted(), one.rules());
                format!("{part}/{rules} ({})", percent(part, rules))
            }
        };
        targets.iter().map(converted).chain([name.clone()]).collect::<Vec<_>>()
    };
    let mut table = vec![heads(&head)];
    shorten(&mut table, sources.into_iter().map(line).collect(), "log sources");
    table
}

/// Adds the first lines, and says how many more there are
fn shorten(table: &mut Table, mut lines: Vec<Vec<String>>, what: &str) {
    let more = lines.len().saturating_sub(LONGEST);
    lines.truncate(LONGEST);
    table.extend(lines);
    if more > 0 {
        table.push(vec![format!("… {more} more {what}: `--format json` has them")]);
    }
}

/// A share, rounded down, so that only all of them are 100%
fn percent(part: usize, of: usize) -> String {
    let thousandths = part * 1_000 / of.max(1);
    format!("{}.{}%", thousandths / 10, thousandths % 10)
}

/// The first two of a list, and the number of the others
fn few(all: &[String], between: &str) -> String {
    match all {
        [one, two, rest @ ..] if !rest.is_empty() => {
            format!("{one}{between}{two}{between}{} more", rest.len())
        }
        all => all.join(between),
    }
}

/// A cell of at most [`WIDEST`] characters
fn cut(cell: &str) -> String {
    match cell.char_indices().nth(WIDEST) {
        None => cell.to_owned(),
        Some(_) => cell.chars().take(WIDEST - 1).chain(['…']).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_whole_only_when_nothing_is_missing() {
        assert_eq!(percent(2_352, 2_353), "99.9%");
        assert_eq!((percent(3, 3), percent(0, 0)), ("100.0%".to_owned(), "0.0%".to_owned()));
    }

    #[test]
    fn long_lists_and_cells_are_cut_and_say_so() {
        let names = ["a", "b", "c", "d"].map(str::to_owned);
        assert_eq!(few(&names, ", "), "a, b, 2 more");
        assert_eq!(few(&names[..2], "+"), "a+b");
        assert_eq!(cut(&"x".repeat(WIDEST)), "x".repeat(WIDEST));
        assert_eq!(cut(&"ä".repeat(99)), format!("{}…", "ä".repeat(WIDEST - 1)));
        let mut table = Table::new();
        shorten(&mut table, vec![heads(&["a", "b"]); LONGEST + 2], "rows");
        assert_eq!(table.len(), LONGEST + 1);
        assert_eq!(table.last().unwrap()[0], "… 2 more rows: `--format json` has them");
    }

    #[test]
    fn columns_are_aligned_and_a_note_does_not_widen_them() {
        let table =
            vec![heads(&["a", "rule"]), heads(&["long", "x"]), heads(&["a note, wider than all"])];
        assert_eq!(aligned(&table), "a     rule\nlong  x\na note, wider than all\n");
    }
}
