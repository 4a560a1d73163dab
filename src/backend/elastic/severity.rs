//! Severity, for the rule and for single matches.
//!
//! In: the levels of a rule and its signals. Out: Elastic's severity and risk score, a severity
//! mapping for the cases that Kibana can express, and a loss for the other cases.

use serde_json::{Value, json};

use super::fields;
use crate::backend::Session;
use crate::definition::Level;
use crate::ir::{Relation, Signal};
use crate::manifest::{Direction, LossName};
use crate::mapping::{FieldKind, IndexField, Stream, Words};

/// Severity and risk score as Elastic's own rules pair them
pub fn severity(level: Level) -> (&'static str, u8) {
    match level {
        Level::Informational | Level::Low => ("low", 21),
        Level::Medium => ("medium", 47),
        Level::High => ("high", 73),
        Level::Critical => ("critical", 99),
    }
}

/// The cases of a signal that Kibana can express: one field equal to one value
pub(super) fn severity_mapping(
    signal: &Signal,
    stream: &Stream,
    session: &mut Session<'_>,
) -> Vec<Value> {
    let mut mapping = Vec::new();
    let mut lost = None;
    let levels: Vec<Level> = signal.cases.iter().map(|(level, _)| *level).collect();
    if levels.windows(2).any(|pair| pair[0] < pair[1]) {
        // Kibana takes the highest severity that matches, a rule the first.
        lost = Some("that fits a higher level further down");
    }
    for (level, expr) in &signal.cases {
        let equality = expr.as_test().and_then(|test| {
            let text = test.op.as_text()?;
            (text.relation == Relation::Equals).then_some((&test.subject, text))
        });
        let ecs =
            equality.and_then(|(subject, _)| fields::of_part(stream, &subject.field, subject.part));
        // ECS has its own words for actions and directions.
        let plain = |ecs: &&IndexField| {
            ecs.words == Words::Own && matches!(ecs.kind, FieldKind::Keyword | FieldKind::Wildcard)
        };
        let (Some((_, text)), Some(ecs)) = (equality, ecs.filter(plain)) else {
            lost = Some("that Kibana cannot tell by one field with one value");
            continue;
        };
        if text.folds() && lost.is_none() {
            lost = Some("whose value is written in another letter case");
        }
        let severity = severity(*level).0;
        for value in text.literals() {
            mapping.push(json!({
                "field": ecs.name, "operator": "equals", "severity": severity, "value": value,
            }));
        }
    }
    if let Some(which) = lost {
        let name = &signal.name;
        let reason = format!("a match of {name} {which} does not get the severity of that level");
        session.lose(LossName::LevelCases, Direction::Wider, signal.span, &reason);
    }
    mapping
}
