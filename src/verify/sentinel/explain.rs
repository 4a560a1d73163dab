//! Differences that a named loss explains.
//!
//! In: an event on which the engine and a query differ. Out: the loss of the manifest that says so, and that the event
//! shows; `None` where nothing does. A row that cannot hold a value is no reason by itself: the loss has to name
//! it.

use serde_json::Value;

use super::asked::Asked;
use super::scene::Side;
use crate::ir::Signal;
use crate::manifest::{Direction, LossName};
use crate::taxonomy::Field;
use crate::verify::finding::Finding;
use crate::verify::trial::Example;

/// The loss that explains why a query finds an event that the engine does not match, or the reverse
pub(super) fn explain(
    asked: &Asked<'_>,
    (at, signal): (usize, &Signal),
    (side, example): (&Side, &Example),
    found: bool,
) -> Option<Finding> {
    let way = if found { Direction::Wider } else { Direction::Narrower };
    let own = asked.manifest.losses.iter().filter(|loss| {
        loss.direction == way && (loss.signal == signal.name || loss.signal.is_empty())
    });
    let shown = own.map(|loss| loss.name).find(|loss| match loss {
        LossName::Empty => is_empty_somewhere(asked, (at, signal), example, found),
        LossName::Case => has(&example.event, |text| !text.is_ascii()),
        LossName::Product => side.product.is_some_and(|product| Some(product) != signal.product),
        LossName::Inbound => has(&example.event, |text| text == "false"),
        LossName::Keywords => !found || is_in_row(asked, at, side, example),
        // Only Elastic has these losses, or several events together show them.
        LossName::Actions
        | LossName::Alerts
        | LossName::Ancestry
        | LossName::Encoding
        | LossName::Gaps
        | LossName::Grid
        | LossName::Keys
        | LossName::Late
        | LossName::LevelCases
        | LossName::LongValue
        | LossName::Lookback
        | LossName::Place
        | LossName::Repeats
        | LossName::Ties
        | LossName::Words => false,
    });
    shown.map(Finding::Lost)
}

/// Whether some text of an event passes a test
fn has(event: &Value, test: fn(&str) -> bool) -> bool {
    match event {
        Value::String(text) => test(text),
        Value::Array(all) => all.iter().any(|one| has(one, test)),
        Value::Object(fields) => fields.values().any(|one| has(one, test)),
        Value::Bool(truth) => test(&truth.to_string()),
        Value::Null | Value::Number(_) => false,
    }
}

/// Whether the engine finds the signal where the texts of the event's rows are values of the event: columns in
/// which keywords are searched hold more than those
fn is_in_row(asked: &Asked<'_>, at: usize, side: &Side, example: &Example) -> bool {
    let mut event = example.event.clone();
    let Some(fields) = event.as_object_mut() else { return false };
    for (table, row) in &side.rows {
        for (column, value) in row {
            let text = value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned);
            fields.insert(format!("{table} {column}"), Value::String(text));
        }
    }
    asked.finds(at, &event, example.kind.as_ref())
}

/// Whether the engine agrees on the event with its empty values left out, or with what it lacks as empty
/// values: Kusto's texts have no null
fn is_empty_somewhere(
    asked: &Asked<'_>,
    (at, signal): (usize, &Signal),
    example: &Example,
    found: bool,
) -> bool {
    let Some(fields) = example.event.as_object() else { return false };
    let is_empty = |value: &Value| value.is_null() || *value == "" || *value == "-";
    let mut cut = fields.clone();
    cut.retain(|_, value| !is_empty(value));
    let mut filled = cut.clone();
    for name in signal.fields().map(Field::name) {
        filled.entry(name).or_insert_with(|| Value::String(String::new()));
    }
    let finds = |event| asked.finds(at, &Value::Object(event), example.kind.as_ref());
    [cut, filled].into_iter().any(|event| finds(event) == found)
}
