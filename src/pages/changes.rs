//! The page of a change: what it means, rule by rule.
//!
//! In: the [`Change`]s that a review found, and events that only one side finds. Out: the page, the rules
//! that find something else before those of which only the text is another.

use serde::Serialize;

use super::layout::{Layout, Sheaf};
use super::link;
use super::sheet::Sheet;
use super::words::{Mark, count};
use crate::project::unified;
use crate::review::{Change, Effect, Fate, Moved, Movement};

/// A review to show
#[derive(Debug)]
pub struct Review {
    /// What the rules are compared with, such as the name of a revision
    pub against: String,
    /// The rules that are not the same
    pub changes: Vec<Change>,
    /// What it does to events; `None` when none were tried
    pub movement: Option<Movement>,
}

/// The most events that are listed
const MOST: usize = 1_000;

#[derive(Serialize)]
struct View {
    against: String,
    lead: String,
    counts: Vec<(Mark, usize)>,
    changes: Vec<OfRule>,
    tried: bool,
    events_say: String,
    moved: Vec<MovedLine>,
    untried: Vec<String>,
}

#[derive(Serialize)]
struct OfRule {
    title: String,
    file: String,
    /// Empty for a rule without a page
    href: String,
    mark: Mark,
    lines: Vec<String>,
    targets: Vec<String>,
    is_undated: bool,
    has_targets: bool,
    says_nothing: bool,
    /// The lines of the file that came and went, where both sides have it
    edits: Vec<Edit>,
}

/// A line of a difference of two texts
#[derive(Serialize)]
struct Edit {
    text: String,
    is_new: bool,
    is_gone: bool,
}

#[derive(Serialize)]
struct MovedLine {
    mark: Mark,
    place: String,
    rule: String,
    signal: String,
    /// Where it is so, where that is not everywhere
    places: String,
}

/// Renders the page
pub(super) fn render(
    layout: &Layout,
    review: &Review,
    sheets: &[Sheet<'_>],
) -> Result<String, String> {
    let mut changes: Vec<OfRule> = review.changes.iter().map(|one| of_rule(one, sheets)).collect();
    changes.sort_by_key(|one| one.mark.rank);
    let mut counts: Vec<(Mark, usize)> = Vec::new();
    for change in &changes {
        match counts.last_mut() {
            Some((mark, number)) if *mark == change.mark => *number += 1,
            _ => counts.push((change.mark.clone(), 1)),
        }
    }
    let movement = review.movement.as_ref();
    let moved = movement.map_or(&[][..], |movement| &movement.moved);
    let new = moved.iter().filter(|one| one.is_new).count();
    let view = View {
        against: review.against.clone(),
        lead: match changes.len() {
            0 => "No rule changed, and targets get what they got.".to_owned(),
            number => format!("{} changed.", count(number, "rule")),
        },
        counts,
        changes,
        tried: movement.is_some(),
        events_say: format!(
            "{} found newly, {} no longer.{}",
            count(new, "event"),
            count(moved.len() - new, "event"),
            if moved.len() > MOST {
                format!(" The first {MOST} are listed.")
            } else {
                String::new()
            }
        ),
        moved: moved.iter().take(MOST).map(event).collect(),
        untried: movement.map(|movement| movement.untried.clone()).unwrap_or_default(),
    };
    let title = format!("Changes against {}", review.against);
    layout.render(
        &Sheaf { template: "changes", path: link::CHANGES, title: &title, has_script: false },
        view,
    )
}

fn of_rule(change: &Change, sheets: &[Sheet<'_>]) -> OfRule {
    let sheet = sheets.iter().find(|sheet| {
        sheet.loaded.rule.source.name() == change.file && sheet.title() == change.title
    });
    let targets = change.emission.lines();
    OfRule {
        title: change.title.clone(),
        file: change.file.clone(),
        href: sheet.map_or_else(String::new, |sheet| link::href(&sheet.path)),
        mark: fate(&change.fate),
        lines: change.lines.clone(),
        is_undated: change.is_undated,
        has_targets: !targets.is_empty(),
        says_nothing: targets.is_empty() && change.lines.is_empty(),
        edits: edits(change),
        targets,
    }
}

/// The lines that differ with three around them, without the head that names the files
fn edits(change: &Change) -> Vec<Edit> {
    let [Some(before), Some(after)] = &change.texts else { return Vec::new() };
    let diff = unified(&change.file, before.text(), after.text());
    let edit = |line: &str| Edit {
        text: line.to_owned(),
        is_new: line.starts_with('+'),
        is_gone: line.starts_with('-'),
    };
    diff.lines().skip(2).map(edit).collect()
}

fn event(one: &Moved) -> MovedLine {
    let (word, tone, rank) =
        if one.is_new { ("found newly", "good", 0) } else { ("found no longer", "warn", 1) };
    let mark = Mark { word: word.to_owned(), tone, rank };
    MovedLine {
        mark,
        place: one.place.clone(),
        rule: one.rule.clone(),
        signal: one.signal.clone(),
        places: one.places(),
    }
}

/// What became of a rule, what may miss events first
fn fate(fate: &Fate) -> Mark {
    let (tone, rank) = match fate {
        Fate::Refused => ("bad", 0),
        Fate::Removed => ("bad", 1),
        Fate::Changed(Effect::Narrows) => ("warn", 2),
        Fate::Changed(Effect::Undecided) => ("warn", 3),
        Fate::Changed(Effect::Widens) => ("fair", 4),
        Fate::Added => ("good", 5),
        Fate::Kept => ("fair", 6),
        Fate::Changed(Effect::Same) => ("calm", 7),
        Fate::Reformatted => ("calm", 8),
    };
    Mark { word: fate.name().to_owned(), tone, rank }
}
