//! The samples of a rule, as events.
//!
//! In: a sample as written. Out: its signal, and its events with the action that Sigma's category
//! implies; also the actions that events of a signal have.

use serde_json::Value;

use super::{Relation, Role, Rule, Signal};
use crate::definition::Sample;
use crate::taxonomy::FieldType;

impl Rule {
    /// The signal that a sample is for; `None` when it is for all of them, or for a correlation
    pub fn sampled(&self, sample: &Sample) -> Option<usize> {
        let named = sample.signal.as_ref()?;
        self.signals.iter().position(|signal| signal.name == named.value)
    }
}

impl Signal {
    /// A copy of a sample's event, with the action that Sigma's category implies
    pub fn sample_event(&self, event: &Value) -> Value {
        let mut event = event.clone();
        say_action(&mut event, self.action);
        event
    }

    /// The actions that a clause requires, one of which each event of the signal has; none for any action
    pub fn required_actions(&self) -> Vec<String> {
        let requiring = self.clauses.iter().filter(|clause| clause.role == Role::Require);
        let mut actions = requiring.filter_map(|clause| {
            let test = clause.expr.as_test()?;
            let text = test.op.as_text().filter(|text| text.relation == Relation::Equals)?;
            let of_action = test.subject.field.kind() == FieldType::Action;
            of_action.then(|| text.literals().map(ToOwned::to_owned).collect())
        });
        actions.next().unwrap_or_default()
    }
}

/// Adds the action of Sigma's category as `Action`, unless the event has `EventType` or `Action`
pub fn say_action(event: &mut Value, action: Option<&str>) {
    if let (Some(action), Value::Object(fields)) = (action, event)
        && !fields.contains_key("EventType")
    {
        fields.entry("Action").or_insert_with(|| action.into());
    }
}
