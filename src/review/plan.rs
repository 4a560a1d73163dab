//! What it takes to bring a target to what rules make.
//!
//! In: the rules that are made now, those that the target has, and those of the last output, if its manifest
//! is known. Out: a [`Planned`] for each rule that rulecast makes or has made: what is to do, and the fields
//! that differ. Rules of others on the target are no part of it.
//!
//! Only fields that rulecast writes are compared, for a target adds some of its own. Those that people set on
//! the target are left out: whether a rule is on, its exceptions, and the version that the target counts.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::deployed::{Deployed, emitted};
use crate::backend::Target;
use crate::workspace::Emitted;

/// What is to do about a rule on a target
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// The target does not have it
    Create,
    /// The target has it as it was emitted last, and it is emitted in another way now
    Update,
    /// Somebody changed it on the target after it was emitted
    Drifted,
    /// The target has it in another way; whether by hand cannot be told
    Differs,
    /// The target has it, and nothing makes it any more
    Delete,
    /// The target has it as it is emitted
    Same,
    /// The target has it, and its rule has errors now, so nothing can be said of it
    Refused,
}

impl Step {
    /// Every step, in the order of reports
    pub const ALL: [Step; 7] = [
        Step::Create,
        Step::Update,
        Step::Drifted,
        Step::Differs,
        Step::Delete,
        Step::Refused,
        Step::Same,
    ];

    /// Its name in reports
    pub fn name(self) -> &'static str {
        match self {
            Step::Create => "create",
            Step::Update => "update",
            Step::Drifted => "drifted",
            Step::Differs => "differs",
            Step::Delete => "delete",
            Step::Same => "same",
            Step::Refused => "refused",
        }
    }
}

/// A field that differs
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// Its name on the target
    pub name: String,
    /// Its value on the target; null without one
    pub deployed: Value,
    /// Its value as it is emitted now; null without one
    pub emitted: Value,
    /// Whether somebody changed it on the target; `None` when that cannot be told
    pub by_hand: Option<bool>,
}

/// What is to do about a rule
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    /// The target
    pub target: Target,
    /// The id by which the target knows it
    pub id: String,
    /// Its name, as it is emitted now, or else as the target has it
    pub name: String,
    /// What is to do
    pub step: Step,
    /// The fields that differ
    pub fields: Vec<FieldChange>,
}

/// What was emitted when the target was deployed
#[derive(Debug, Clone, Default)]
pub struct Last {
    /// The rules in it, as they were emitted
    pub rules: Vec<Deployed>,
    /// The ids of all rules that rulecast has emitted, in lower case
    pub ids: BTreeSet<String>,
    /// Those ids whose rule has errors now
    pub refused: BTreeSet<String>,
}

impl Last {
    /// What came of rules as they were; `wrong` are the files that have errors now, below the
    /// root of the rules
    pub fn of(before: &[Emitted<'_>], wrong: &BTreeSet<String>) -> Last {
        let mut last = Last::default();
        for one in before {
            let is_wrong = wrong.contains(&one.row.rule.file());
            for output in &one.outputs {
                last.know(&output.ids, is_wrong);
                last.rules.extend(emitted(&output.path, &output.text));
            }
        }
        last
    }

    /// Adds the ids of a rule; `is_wrong` when it has errors now
    pub fn know(&mut self, ids: &[String], is_wrong: bool) {
        let ids = || ids.iter().map(|id| id.to_lowercase());
        self.ids.extend(ids());
        self.refused.extend(ids().filter(|_| is_wrong));
    }
}

/// Fields that people set on the target, or that the target counts
const OF_TARGET: &[&str] =
    &["enabled", "exceptions_list", "lastModifiedUtc", "revision", "templateVersion", "version"];

/// What is to do, in the order of steps, targets and names
pub fn plan(now: &[Deployed], deployed: &[Deployed], last: Option<&Last>) -> Vec<Planned> {
    let known = by_id(deployed);
    let before = last.map(|last| by_id(&last.rules));
    let mut planned: Vec<Planned> = now
        .iter()
        .map(|one| {
            let of_last = before.as_ref().and_then(|all| all.get(&*one.id).copied());
            compared(one, known.get(&*one.id).copied(), of_last)
        })
        .collect();
    let made: BTreeSet<&str> = now.iter().map(|one| one.id.as_str()).collect();
    let ours = |one: &&Deployed| last.is_some_and(|last| last.ids.contains(&one.id));
    let gone = known.into_values().filter(|one| !made.contains(one.id.as_str())).filter(ours);
    planned.extend(gone.map(|one| {
        let refused = last.is_some_and(|last| last.refused.contains(&one.id));
        let step = if refused { Step::Refused } else { Step::Delete };
        Planned { step, fields: Vec::new(), ..of(one) }
    }));
    let place = |step: Step| Step::ALL.iter().position(|one| *one == step);
    planned.sort_by(|one, other| {
        let key =
            |one: &Planned| (place(one.step), one.target.name(), one.name.clone(), one.id.clone());
        key(one).cmp(&key(other))
    });
    planned
}

fn by_id(rules: &[Deployed]) -> BTreeMap<&str, &Deployed> {
    rules.iter().map(|one| (one.id.as_str(), one)).collect()
}

fn of(rule: &Deployed) -> Planned {
    let (id, name) = (rule.id.clone(), rule.name.clone());
    Planned { target: rule.target, id, name, step: Step::Same, fields: Vec::new() }
}

fn compared(now: &Deployed, deployed: Option<&Deployed>, last: Option<&Deployed>) -> Planned {
    let Some(deployed) = deployed else { return Planned { step: Step::Create, ..of(now) } };
    let names = now.fields.keys().chain(last.into_iter().flat_map(|last| last.fields.keys()));
    let names: BTreeSet<&String> =
        names.filter(|name| !OF_TARGET.contains(&name.as_str())).collect();
    let value = |rule: &Deployed, name: &str| rule.fields.get(name).map_or(Value::Null, plain);
    let change = |name: &String| {
        let (there, here) = (value(deployed, name), value(now, name));
        // A field that is emitted no longer, and that the target fills by itself.
        let is_default = here.is_null() && last.is_none_or(|last| value(last, name).is_null());
        if fits(&here, &there) || is_default {
            return None;
        }
        let by_hand = last.map(|last| !fits(&value(last, name), &there));
        Some(FieldChange { name: name.clone(), deployed: there, emitted: here, by_hand })
    };
    let fields: Vec<FieldChange> = names.into_iter().filter_map(change).collect();
    let step = match last {
        _ if fields.is_empty() => Step::Same,
        None => Step::Differs,
        Some(_) if fields.iter().any(|field| field.by_hand == Some(true)) => Step::Drifted,
        Some(_) => Step::Update,
    };
    Planned { step, fields, ..of(now) }
}

/// Whether a target has a value as it was emitted; to the objects of a list, a target adds keys of its own
fn fits(emitted: &Value, there: &Value) -> bool {
    let (Value::Array(emitted), Value::Array(there)) = (emitted, there) else {
        return emitted == there;
    };
    let one = |(emitted, there): (&Value, &Value)| match (emitted, there) {
        (Value::Object(emitted), Value::Object(there)) => emitted
            .iter()
            .all(|(key, value)| there.get(key).is_some_and(|there| fits(value, there))),
        (emitted, there) => fits(emitted, there),
    };
    emitted.len() == there.len() && emitted.iter().zip(there).all(one)
}

/// A value without what has no meaning: line breaks of another kind, blanks at the end of lines, the order of
/// words in a list, empty values, and how a timespan is written
fn plain(value: &Value) -> Value {
    match value {
        Value::String(text) => {
            if let Some(seconds) = timespan(text) {
                return Value::from(seconds);
            }
            let lines: Vec<&str> = text.trim_end().lines().map(str::trim_end).collect();
            match &*lines.join("\n") {
                "" => Value::Null,
                text => Value::String(text.to_owned()),
            }
        }
        Value::Array(all) => {
            let mut all: Vec<Value> = all.iter().map(plain).collect();
            if all.iter().all(Value::is_string) {
                all.sort_by(|one, other| one.as_str().cmp(&other.as_str()));
            }
            if all.is_empty() { Value::Null } else { Value::Array(all) }
        }
        Value::Object(all) => {
            let mut all: Vec<(String, Value)> =
                all.iter().map(|(key, value)| (key.clone(), plain(value))).collect();
            all.retain(|(_, value)| !value.is_null());
            all.sort_by(|one, other| one.0.cmp(&other.0));
            if all.is_empty() { Value::Null } else { Value::Object(all.into_iter().collect()) }
        }
        Value::Number(number) => match number.as_f64() {
            // `3` and `3.0` are one number.
            Some(number) => Value::from(number),
            None => value.clone(),
        },
        Value::Null | Value::Bool(_) => value.clone(),
    }
}

/// The seconds of a timespan of ISO 8601: `P1D` and `PT24H` are the same
fn timespan(text: &str) -> Option<i64> {
    let span: jiff::Span = text.starts_with('P').then(|| text.parse().ok())??;
    let seconds = span.to_duration(jiff::SpanRelativeTo::days_are_24_hours()).ok()?;
    Some(seconds.as_secs())
}

#[cfg(test)]
mod tests {
    use std::slice;

    use serde_json::json;

    use super::*;

    fn rule(id: &str, fields: Value) -> Deployed {
        let fields = fields.as_object().cloned().unwrap_or_default();
        Deployed { target: Target::Elastic, id: id.to_owned(), name: id.to_owned(), fields }
    }

    fn steps(planned: &[Planned]) -> Vec<(&str, &str)> {
        planned.iter().map(|one| (one.id.as_str(), one.step.name())).collect()
    }

    #[test]
    fn each_step_is_told_from_the_others() {
        let query = |id: &str, query: &str| rule(id, json!({"query": query}));
        let now = [query("new", "n"), query("old", "2"), query("hand", "1"), query("same", "1")];
        let there = [
            query("old", "1"),
            query("hand", "x"),
            query("same", "1\r\n"),
            query("gone", "1"),
            query("wrong", "1"),
            query("other", "1"),
        ];
        let told = steps_of(&now, &there, None);
        assert_eq!(told, ["new create", "hand differs", "old differs", "same same"]);
        let ids = |all: &[&str]| all.iter().map(|id| (*id).to_owned()).collect();
        let last = Last {
            rules: vec![query("old", "1"), query("hand", "1"), query("same", "1")],
            ids: ids(&["old", "hand", "same", "gone", "wrong"]),
            refused: ids(&["wrong"]),
        };
        let told = steps_of(&now, &there, Some(&last));
        let wanted = [
            "new create",
            "old update",
            "hand drifted",
            "gone delete",
            "wrong refused",
            "same same",
        ];
        assert_eq!(told, wanted);
    }

    fn steps_of(now: &[Deployed], there: &[Deployed], last: Option<&Last>) -> Vec<String> {
        let planned = plan(now, there, last);
        steps(&planned).into_iter().map(|(id, step)| format!("{id} {step}")).collect()
    }

    #[test]
    fn what_a_target_adds_or_writes_otherwise_is_no_difference() {
        let now = rule(
            "a",
            json!({
                "queryPeriod": "PT26H", "tags": ["a", "b"], "risk_score": 21, "note": "x\ny",
                "required_fields": [{"name": "n", "type": "keyword"}], "version": 2
            }),
        );
        let there = rule(
            "a",
            json!({
                "queryPeriod": "P1DT2H", "tags": ["b", "a"], "risk_score": 21.0, "note": "x  \r\ny\n",
                "required_fields": [{"name": "n", "type": "keyword", "ecs": true}], "version": 7,
                "created_at": "2026-11-29", "references": []
            }),
        );
        assert_eq!(steps_of(slice::from_ref(&now), slice::from_ref(&there), None), ["a same"]);
        let mut other = there;
        other.fields.insert("risk_score".to_owned(), json!(47));
        let planned = plan(&[now], &[other], None);
        assert_eq!((planned[0].step, planned[0].fields.len()), (Step::Differs, 1));
        assert_eq!(planned[0].fields[0].name, "risk_score");
    }
}
