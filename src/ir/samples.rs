//! The samples of a rule, as events.
//!
//! In: a sample as written. Out: its signal, and its events with the action that Sigma's category
//! implies.

use serde_json::Value;

use super::{Rule, Signal};
use crate::definition::Sample;

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
}

/// Adds the action of Sigma's category as `Action`, unless the event has `EventType` or `Action`
pub fn say_action(event: &mut Value, action: Option<&str>) {
    if let (Some(action), Value::Object(fields)) = (action, event)
        && !fields.contains_key("EventType")
    {
        fields.entry("Action").or_insert_with(|| action.into());
    }
}
