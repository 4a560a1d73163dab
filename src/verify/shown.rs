//! Which losses an event shows, and whether a sensor writes such an event.
//!
//! In: a [`Comparison`] of which the two sides differ. Out: whether a loss that the artifact names explains the
//! difference by a value of this event. A loss of another kind of value explains nothing.

use serde_json::{Map, Value, json};

use super::comparison::Comparison;
use super::observation::Side;
use super::pipeline::{Gaps, NOTHING, decoded, is_escaped};
use super::recordable::{is_always_there, is_whole};
use crate::ir::Op;
use crate::manifest::LossName;
use crate::matcher::Memory;
use crate::pattern::{Pattern, Token, fold_text};
use crate::taxonomy::{EventKind, Field, FieldType};

/// The actions that ECS writes in the same way as `action`
fn written_alike(kind: &EventKind, action: &str) -> &'static [&'static str] {
    match (kind, action.to_ascii_lowercase().as_str()) {
        (EventKind::RegistryEvent, "modified") => &["modified"],
        (EventKind::RegistryEvent, _) => &["created", "deleted", "renamed"],
        (_, "modified" | "renamed") => &["modified", "renamed"],
        (_, "created") => &["created"],
        _ => &["deleted"],
    }
}

/// Whether a pipeline takes a text for a missing value
fn is_nothing(text: &str) -> bool {
    NOTHING.contains(&text)
}

impl Comparison<'_> {
    /// Whether the event has a value that a loss concerns
    pub(super) fn shows(&self, loss: LossName, side: &Side) -> bool {
        let fields = &side.record.fields;
        let any = |test: fn(&String) -> bool| fields.values().flatten().any(test);
        match loss {
            LossName::Case => any(|value| !value.is_ascii()),
            LossName::LongValue => any(|value| value.chars().count() > 1_024),
            LossName::Actions => self.depends_on_action(side),
            // Whether a text is found by its words depends on all of the text.
            LossName::Keywords | LossName::Place | LossName::Words => true,
            LossName::Encoding => self.is_decoded_away(side),
            LossName::LevelCases => false,
            // A start whose parent is not seen has no grandparent, so nothing is excluded by one.
            LossName::Ancestry => {
                let of_grandparent =
                    fields.iter().filter(|(field, _)| field.name() == "GrandparentImage");
                of_grandparent.flat_map(|(_, values)| values).all(String::is_empty)
            }
            LossName::Empty => self.is_empty_somewhere(side),
            LossName::Gaps => self.agrees_in_full(),
            // Only Kusto has these losses.
            LossName::Inbound | LossName::Product | LossName::Repeats => false,
            // Only several events together show these.
            LossName::Alerts
            | LossName::Grid
            | LossName::Keys
            | LossName::Late
            | LossName::Lookback
            | LossName::Ties => false,
        }
    }

    /// Whether decoding explains the difference
    ///
    /// A match is lost with a broken escape, in the event or in a tested value. A match is won by an
    /// escape that the rule does not ask for, or by a tested value without its escapes.
    fn is_decoded_away(&self, side: &Side) -> bool {
        let as_sent = self.hit(Gaps::AsSent).is_some() == self.matched.is_some();
        let held = || side.record.fields.values().flatten().filter(|text| is_escaped(text));
        if self.matched.is_some() {
            let broken = held().chain(self.escaped().map(|(_, text)| text));
            return as_sent && broken.map(|text| decoded(text)).any(|text| text.is_none());
        }
        let asked_decoded = |(field, asked): (&Field, &String)| {
            let Some(asked) = decoded(asked) else { return false };
            let held = side.record.fields.get(field).into_iter().flatten();
            let mut held = held.filter_map(|text| decoded(text));
            held.any(|held| fold_text(&held).contains(&fold_text(&asked)))
        };
        as_sent && held().next().is_some() || self.escaped().any(asked_decoded)
    }

    /// The tested texts with an escape, beside their field
    fn escaped(&self) -> impl Iterator<Item = (&Field, &String)> {
        let texts = self.signal.tests().flat_map(|test| {
            let values = if let Op::Text(text) = &test.op { &text.values[..] } else { &[] };
            let tokens = values.iter().flat_map(Pattern::tokens);
            tokens.map(|token| (&test.subject.field, token))
        });
        texts.filter_map(|(field, token)| match token {
            Token::Literal(text) if is_escaped(text) => Some((field, text)),
            Token::Literal(_) | Token::Any | Token::One => None,
        })
    }

    /// Whether the sides differ because no sensor writes such an event
    ///
    /// A value that is not as sensors write it explains nothing while the document that has it in full
    /// differs as well.
    pub(super) fn is_unwritten(&self, side: &Side) -> bool {
        let product = side.product(self.signal.product);
        let whole = |field| is_whole((&side.record, field), &side.kind, product);
        let is_whole = self.signal.fields().all(whole);
        !side.is_held() || self.says_less(side) || !is_whole && self.agrees_in_full()
    }

    /// Whether Elastic agrees on a document without the gaps of its pipelines
    fn agrees_in_full(&self) -> bool {
        self.hit(Gaps::AllButEmpty).is_some() == self.matched.is_some()
    }

    /// Whether the signal asks for a field that every document has, and the event does not say it
    fn says_less(&self, side: &Side) -> bool {
        self.signal.fields().any(|field| {
            let said = side.record.fields.get(field);
            let empty = said.is_none_or(|values| values.iter().all(|value| is_nothing(value)));
            empty && is_always_there(&side.kind, field)
        })
    }

    /// Whether a field that the signal tests is empty or null, or is missing where the test looks for
    /// what stands in its place
    fn is_empty_somewhere(&self, side: &Side) -> bool {
        let is_empty = |field: &Field, values: &Vec<String>| {
            // An account may have an empty name, or an empty domain.
            let account = field.kind() == FieldType::Account;
            let empty =
                |value: &String| is_nothing(value) || account && value.split('\\').any(is_nothing);
            values.is_empty() || values.iter().any(empty)
        };
        let of = |field| side.record.fields.get(field);
        self.signal.fields().any(|field| of(field).is_some_and(|values| is_empty(field, values)))
            || self.signal.tests().any(|test| {
                let takes_dash = test.op.as_text().is_some_and(|text| text.has("-"));
                takes_dash && of(&test.subject.field).is_none()
            })
    }

    /// Whether the engine's verdict changes for an event that ECS writes in the same way
    ///
    /// Such an event has another action, or concerns a registry key instead of a value, or a value
    /// instead of a key.
    fn depends_on_action(&self, side: &Side) -> bool {
        let fields = side.record.fields.iter();
        let mut event: Map<String, Value> = fields
            .filter(|(field, _)| field.name() != "EventType")
            .map(|(field, values)| (field.name().to_owned(), json!(values)))
            .collect();
        let text = |event: &Map<String, Value>, name: &str| {
            event.get(name).and_then(|values| values[0].as_str()).map(ToOwned::to_owned)
        };
        let (key, value) = (text(&event, "RegistryKey"), text(&event, "RegistryValue"));
        let other = match (key, value) {
            (Some(key), Some(value)) => Some((format!("{key}\\{value}"), None)),
            (Some(key), None) => {
                key.rsplit_once('\\').map(|(above, last)| (above.to_owned(), Some(last.to_owned())))
            }
            (None, _) => None,
        };
        let happened = text(&event, "Action").unwrap_or_default();
        let differs = |event: &mut Map<String, Value>| {
            written_alike(&side.kind, &happened).iter().any(|action| {
                event.insert("Action".to_owned(), json!(action));
                let (event, kind) = (Value::Object(event.clone()), Some(&side.kind));
                let judged = self.import.engine.judge_value(&event, kind, &mut Memory::default());
                let matched = judged.is_ok_and(|all| all.iter().any(|one| one.signal == self.at));
                matched != self.matched.is_some()
            })
        };
        differs(&mut event)
            || other.is_some_and(|(key, value)| {
                event.remove("TargetObject");
                event.insert("RegistryKey".to_owned(), json!(key));
                event.remove("RegistryValue");
                event.extend(value.map(|value| ("RegistryValue".to_owned(), json!(value))));
                differs(&mut event)
            })
    }
}
