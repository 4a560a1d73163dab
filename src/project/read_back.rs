//! What an emitted query returns is read back as the events that it found.
//!
//! In: the rules of the project, and events near their literals. Each query is executed,
//! and the engine judges the rows that come of it: it finds the signal that the row names, unless the rule asks for
//! what no result shows.

use std::path::Path;

use serde_json::Value;

use super::load::load;
use crate::backend::{Policy, Target, translate_by};
use crate::diagnostic::Diagnostics;
use crate::matcher::{Block, Engine, Flattener, Lines, Memory, Options};
use crate::query::kusto::Platform;
use crate::taxonomy::EventKind;
use crate::verify::{Asked, near_examples, returned};

/// Rows that were tried, and those of which the engine finds the signal
#[derive(Debug, Default)]
struct Count {
    rows: usize,
    matched: usize,
}

/// Executes the query of each rule, and judges what it returns
fn count(target: Target, platform: Platform) -> Count {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("rules");
    let workspace = load(&[folder]).unwrap();
    let policy = Policy::default();
    let schema = policy.mappings.schema();
    let mut count = Count::default();
    for loaded in workspace.reported() {
        let mut rule = loaded.rule.clone();
        rule.correlations.clear();
        rule.new_terms = None;
        let stem = &loaded.stem;
        let made = translate_by(&policy, target, &rule, stem, &mut Diagnostics::default());
        let Some(made) = made.translation.filter(|made| !made.artifacts.is_empty()) else {
            continue;
        };
        let of = (platform, &schema);
        let asked = Asked::read(&made.rule, &made.manifest, &made.artifacts, of);
        let Ok(asked) = asked else { continue };
        let rows = returned(&asked, &near_examples(&made.rule)).unwrap();
        let rules = std::slice::from_ref(&made.rule);
        let flattener = Flattener::new(&Options::default(), rules);
        let engine = Engine::new(rules, &Options::default());
        for row in rows {
            count.rows += 1;
            let text = row.to_string();
            let (event, kind) = event(&flattener, &text);
            let kind = kind.unwrap_or_else(|| panic!("{stem}: {target:?} returns {text}"));
            let event: Value = serde_json::from_str(&event).unwrap();
            let matches = engine.judge_value(&event, Some(&kind), &mut Memory::default()).unwrap();
            let shown = |at: usize| made.rule.signals[at].shown.as_str();
            let found = matches.iter().any(|one| row["Signal"] == shown(one.signal));
            count.matched += usize::from(found);
            let unheld = flattener.unheld(rules);
            assert!(found || unheld.rules > 0, "{stem}: {text} is {event}");
        }
    }
    count
}

/// The event that a row is read as, with its log source
fn event(flattener: &Flattener, row: &str) -> (String, Option<EventKind>) {
    let mut lines = Lines::new(row.as_bytes());
    let mut block = Block::default();
    assert!(lines.next(&mut block).is_none());
    let (event, kinds) = flattener.event(&block, 0).unwrap().unwrap();
    (event, kinds.into_iter().next())
}

#[test]
fn the_rows_of_every_emitted_query_are_events_of_their_signals() {
    for (target, platform) in [
        (Target::Sentinel, Platform::Sentinel),
        (Target::Asim, Platform::Sentinel),
        (Target::Xdr, Platform::AdvancedHunting),
    ] {
        let Count { rows, matched } = count(target, platform);
        assert!(rows > 3_000 && matched * 10 > rows * 6, "{target:?}: {matched} of {rows}");
    }
}
