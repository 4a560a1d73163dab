//! The coverage of ATT&CK as a layer of the ATT&CK Navigator, format 4.5.
//!
//! In: rules. Out: the layer as JSON: a score for each technique and tactic that rules name, which is the
//! number of rules, with their titles. The layer names the version of ATT&CK that the ids are of.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::attack::Coverage;
use super::words::count;
use crate::source::{visible, visible_json};
use crate::taxonomy::attack;
use crate::workspace::Loaded;

/// The most rules that the comment of a technique names
const MOST: usize = 20;
/// The colour of few rules and of many, which the Navigator blends
const COLOURS: [&str; 2] = ["#d6e9f8", "#1464a5"];

/// The layer of a set of rules with this name
pub fn layer(name: &str, rules: &[Loaded]) -> String {
    let coverage = Coverage::of(rules);
    let mut techniques = Vec::new();
    let (mut scored, mut opened) = (BTreeSet::new(), BTreeSet::new());
    let mut most = 1;
    for (tactic, technique, at) in coverage.cells() {
        let Some(tactic) = attack::tactic(tactic) else { continue };
        let titles: Vec<String> = at.iter().filter_map(|at| rules.get(*at)).map(title).collect();
        most = most.max(titles.len());
        scored.insert((tactic.slug, technique));
        if let Some((parent, _)) = technique.split_once('.') {
            opened.insert((tactic.slug, parent));
        }
        techniques
            .push(((technique, tactic.slug), of_technique((technique, tactic.slug), &titles)));
    }
    // The sub-techniques of a technique that no rule names are shown as well.
    for (tactic, parent) in opened.difference(&scored) {
        techniques.push(((parent, tactic), entry((parent, tactic))));
    }
    techniques.sort_by_key(|(key, _)| *key);
    let techniques = techniques.into_iter().map(|((id, tactic), mut one)| {
        if opened.contains(&(tactic, id)) {
            one.insert("showSubtechniques".to_owned(), json!(true));
        }
        Value::Object(one)
    });
    let techniques: Vec<Value> = techniques.collect();
    let layer = json!({
        "name": visible(&format!("Detection rules in {name}")),
        "versions": {"attack": attack::version(), "navigator": "5.2.0", "layer": "4.5"},
        "domain": "enterprise-attack",
        "description": format!(
            "{}: the score of a technique is the number of rules that name it. Made by rulecast {}.",
            count(rules.len(), "rule"), env!("CARGO_PKG_VERSION")
        ),
        "sorting": 3,
        "layout": {"layout": "side", "showID": true, "showName": true, "expandedSubtechniques": "annotated"},
        "hideDisabled": false,
        "techniques": techniques,
        "gradient": {"colors": COLOURS, "minValue": 1, "maxValue": most.max(2)},
        "legendItems": [
            {"label": "1 rule", "color": COLOURS[0]},
            {"label": count(most.max(2), "rule"), "color": COLOURS[1]},
        ],
        "showTacticRowBackground": false,
        "selectTechniquesAcrossTactics": false,
        "selectSubtechniquesWithParent": false,
    });
    visible_json(&format!("{layer:#}\n"))
}

fn title(loaded: &Loaded) -> String {
    visible(&loaded.rule.metadata.title.value)
}

fn entry((id, tactic): (&str, &str)) -> Map<String, Value> {
    Map::from_iter([("techniqueID".to_owned(), json!(id)), ("tactic".to_owned(), json!(tactic))])
}

fn of_technique(key: (&str, &str), titles: &[String]) -> Map<String, Value> {
    let mut one = entry(key);
    let mut comment = titles.iter().take(MOST).cloned().collect::<Vec<_>>().join("; ");
    if let Some(more) = titles.len().checked_sub(MOST).filter(|more| *more > 0) {
        comment.push_str(&format!("; {more} more"));
    }
    one.insert("score".to_owned(), json!(titles.len()));
    one.insert("comment".to_owned(), json!(comment));
    one.insert(
        "metadata".to_owned(),
        json!([{"name": "rules", "value": titles.len().to_string()}]),
    );
    one
}
