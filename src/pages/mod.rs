//! Pages that show a set of rules to a reader with a browser and nothing else.
//!
//! In: [`Facts`]: rules, what became of them on their targets, verdicts, a review, findings in events; all
//! of them computed elsewhere. Out: [`Page`]s of HTML: one about the set, one about ATT&CK, one a rule, and
//! those of the review and of the events where there are any. [`layer`] is the same coverage for the ATT&CK
//! Navigator, and [`hunt`] a page about the findings of a scan, alone.
//!
//! INVARIANT: a page needs no other file, no server and no network: its style and its script stand in it,
//! and its policy forbids everything else. Without the script everything can still be read. Nothing of a
//! rule or an event is markup: templates escape every value. The same facts give the same bytes.

mod artifacts;
mod attack;
mod changes;
mod counts;
mod events;
mod hunt;
mod index;
mod layout;
mod link;
mod meaning;
mod navigator;
mod reading;
mod rows;
mod rule;
mod samples;
mod severe;
mod sheet;
mod words;

use std::collections::BTreeMap;

use rayon::prelude::*;

use crate::backend::Target;
use crate::diagnostic::Diagnostic;
use crate::project::Dated;
use crate::workspace::{Emitted, Loaded};
pub use attack::Coverage;
pub use changes::Review;
pub use events::{EventFile, Sighting, Sightings};
pub use hunt::hunt;
pub use layout::GENERATOR;
use layout::Layout;
pub use navigator::layer;
pub use severe::Severe;
use sheet::Sheet;
pub(crate) use words::{grouped, plural, short};

/// What the pages tell
#[derive(Debug)]
pub struct Facts<'w> {
    /// The name of the set of rules, such as its folder
    pub name: String,
    /// The rules
    pub rules: &'w [Loaded],
    /// What became of each reported rule on each target
    pub emitted: &'w [Emitted<'w>],
    /// The targets, in the order of the columns
    pub targets: Vec<Target>,
    /// The number of rules that were left out, because they have errors themselves
    pub unread: usize,
    /// The errors of these rules
    pub errors: Vec<Diagnostic>,
    /// The verdicts, by the index of the rule and by target; `None` when nothing was verified
    pub proofs: Option<BTreeMap<(usize, Target), Proof>>,
    /// The dates of changes, by file; `None` when no history was read
    pub history: Option<BTreeMap<String, Vec<Dated>>>,
    /// What a change means; `None` when nothing was compared
    pub review: Option<Review>,
    /// What the rules found in events; `None` when no event was read
    pub sightings: Option<Sightings>,
}

/// A verdict on a rule and a target, in words
#[derive(Debug, Clone)]
pub struct Proof {
    /// One or two words, such as `same`
    pub word: &'static str,
    /// What the verdict stands on
    pub detail: String,
}

/// A page, and its path below the folder of the pages, with `/`
#[derive(Debug)]
pub struct Page {
    /// The path
    pub path: String,
    /// The text
    pub text: String,
}

/// Renders every page
///
/// # Errors
/// When a template fails, which is a bug.
pub fn render(facts: &Facts<'_>) -> Result<Vec<Page>, String> {
    let mut others = vec![(link::INDEX, "Rules"), (link::ATTACK, "ATT&CK")];
    others.extend(facts.review.as_ref().map(|_| (link::CHANGES, "Changes")));
    others.extend(facts.sightings.as_ref().map(|_| (link::EVENTS, "Events")));
    let layout = Layout::read(&facts.name, others, GENERATOR)?;
    let sheets = Sheet::all(facts);
    let coverage = Coverage::of(facts.rules);
    let page = |path: &str, text: String| Page { path: path.to_owned(), text };
    let mut pages = vec![
        page(link::INDEX, index::render(&layout, facts, &sheets, &coverage)?),
        page(link::ATTACK, attack::render(&layout, facts, &sheets, &coverage)?),
    ];
    if let Some(review) = &facts.review {
        pages.push(page(link::CHANGES, changes::render(&layout, review, &sheets)?));
    }
    if let Some(sightings) = &facts.sightings {
        pages.push(page(link::EVENTS, events::render(&layout, sightings, &sheets)?));
    }
    let of_rules = sheets.par_iter().map(|sheet| {
        let text = rule::render(&layout, facts, sheet)?;
        Ok(Page { path: sheet.path.clone(), text })
    });
    let of_rules: Vec<Page> = of_rules.collect::<Result<_, String>>()?;
    pages.extend(of_rules);
    Ok(pages)
}
