//! One page about the findings of a scan, that can be sent by mail.
//!
//! In: [`Sightings`], and the rules that gave them. Out: the page of the events, with a section about each
//! rule that found something in place of links to pages of rules.

use serde::Serialize;

use super::events::{self, Named, Sightings};
use super::layout::{Layout, Sheaf};
use super::reading::{Reference, ThreatLink, references, threats};
use super::words::{self, Mark, paragraphs};
use crate::ir::Rule;

/// How the page says that rulecast made it; `report -o` does not take it for a page of its own
const GENERATOR: &str = r#"<meta name="generator" content="rulecast scan" />"#;

#[derive(Serialize)]
struct View {
    #[serde(flatten)]
    events: events::View,
    abouts: Vec<About>,
}

/// A rule that found something
#[derive(Serialize)]
struct About {
    anchor: String,
    title: String,
    level: Mark,
    file: String,
    id: String,
    description: Vec<String>,
    falsepositives: Vec<String>,
    investigation: Vec<String>,
    threats: Vec<ThreatLink>,
    references: Vec<Reference>,
}

/// Renders the page; a [`Sighting`](super::Sighting) names its rule by the index in `rules`
///
/// # Errors
/// When a template fails, which is a bug.
pub fn hunt(set: &str, rules: &[Rule], sightings: &Sightings) -> Result<String, String> {
    let layout = Layout::read(set, Vec::new(), GENERATOR)?;
    let named = |(at, rule): (usize, &Rule)| Named {
        href: format!("#{}", anchor(at)),
        title: rule.metadata.title.value.clone(),
    };
    let named: Vec<Named> = rules.iter().enumerate().map(named).collect();
    let mut places: Vec<usize> = sightings.found.iter().map(|one| one.rule).collect();
    places.sort_unstable();
    places.dedup();
    let abouts = places.into_iter().filter_map(|at| Some(about(at, rules.get(at)?)));
    let mut abouts: Vec<About> = abouts.collect();
    abouts
        .sort_by(|one, other| (one.level.rank, &one.title).cmp(&(other.level.rank, &other.title)));
    let view = View { events: events::view(sightings, &named), abouts };
    let page = Sheaf { template: "hunt", path: "", title: events::TITLE, has_script: true };
    layout.render(&page, view)
}

fn anchor(at: usize) -> String {
    format!("rule-{at}")
}

fn about(at: usize, rule: &Rule) -> About {
    let metadata = &rule.metadata;
    let text = |one: Option<&crate::source::Spanned<String>>| {
        one.map_or_else(String::new, |one| one.value.clone())
    };
    About {
        anchor: anchor(at),
        title: metadata.title.value.clone(),
        level: words::level(rule.level),
        file: rule.source.name().to_owned(),
        id: text(metadata.id.as_ref()),
        description: paragraphs(&text(metadata.description.as_ref())),
        falsepositives: metadata.falsepositives.iter().map(|one| one.value.clone()).collect(),
        investigation: metadata.investigation.iter().map(|one| one.value.clone()).collect(),
        threats: threats(rule),
        references: references(metadata),
    }
}
