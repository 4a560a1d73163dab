//! Compares the engine with Elastic on one signal and one event.
//!
//! In: the engine's match, if any, and the documents of the event. Out: a [`Finding`]: the two
//! verdicts agree, or they differ. A difference is explained by a loss that the artifact names and
//! the event shows, or by a value that Elastic's pipelines drop; an unexplained one is a
//! [`Difference`].

use std::borrow::Cow;

use serde_json::{Map, Value, json};

use super::elastic::Import;
use super::finding::{Difference, Finding};
use super::import::{Imported, rank, severity};
use super::near_misses;
use super::novelty::Terms;
use super::observation::{Observation, Side};
use super::own_document;
use super::pipeline::{Gaps, decoded};
use super::recordable::is_always_there;
use crate::ir::{Op, Signal};
use crate::manifest::{Direction, LossName, LossOutput};
use crate::mapping::Stream;
use crate::matcher::{Match, Memory};
use crate::pattern::{Pattern, Token, fold_text};
use crate::taxonomy::{EventKind, Field, FieldType};

/// Whether a text has what a pipeline decodes
fn is_escaped(text: &str) -> bool {
    text.contains(['%', '+'])
}

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

/// A signal, its rule on Elastic, and an event
pub(super) struct Comparison<'p> {
    pub(super) import: &'p Import<'p>,
    pub(super) at: usize,
    pub(super) signal: &'p Signal,
    pub(super) line: &'p Imported,
    pub(super) observation: &'p Observation,
    pub(super) matched: Option<&'p Match>,
}

impl Comparison<'_> {
    /// Compares the two verdicts; `None` for an event of another kind
    pub(super) fn judge(&self) -> Option<Finding> {
        let hit = self.hit(Gaps::Left);
        let Some(own) = self.sides().find(|side| side.kind == self.signal.kind) else {
            // The engine does not judge events of another kind.
            return hit.map(|_| self.different(true));
        };
        match (self.matched, hit) {
            (None, None) => Some(match own.document(self.signal.product, Gaps::Left) {
                Some(document)
                    if self.own_stream().is_none()
                        && near_misses::alike(document)
                            .iter()
                            .any(|one| self.line.matches(one)) =>
                {
                    self.different(true)
                }
                _ => Finding::Same(false),
            }),
            (Some(matched), Some(document)) => Some(
                self.judge_scope(own, &document)
                    .unwrap_or_else(|| self.judge_severity(matched, &document)),
            ),
            (matched, hit) => {
                let way = if matched.is_some() { Direction::Narrower } else { Direction::Wider };
                let explains =
                    |loss: &LossOutput| loss.direction == way && self.shows(loss.name, own);
                Some(match self.named(explains) {
                    Some(loss) => Finding::Lost(loss),
                    None if !own.held || self.says_less(own) => Finding::Dropped,
                    None if self.hit(Gaps::AllButEmpty).is_some() == matched.is_some() => {
                        Finding::Dropped
                    }
                    None => self.different(hit.is_some()),
                })
            }
        }
    }

    /// Checks that near misses do not match and equivalents do
    ///
    /// What lies beside the documents in an index of the user is not known.
    fn judge_scope(&self, side: &Side, document: &Value) -> Option<Finding> {
        if self.own_stream().is_some() {
            return None;
        }
        let others = near_misses::others(document, &side.kind, self.signal.product);
        let strange =
            others.into_iter().find(|(_, other)| self.line.takes_another(document, other));
        let alike = || {
            let sent = side.document(self.signal.product, Gaps::AsSent);
            let sent =
                sent.filter(|_| side.record.fields.values().flatten().any(|text| is_escaped(text)));
            near_misses::alike(document).iter().chain(sent).all(|one| self.line.matches(one))
        };
        let strange = strange.map(|(what, _)| (what, true));
        let (engine, target) = match strange.or_else(|| self.line.misjudged(document)) {
            Some((what, true)) => ("no match".to_owned(), format!("match of {what}")),
            Some((what, false)) => (format!("match of {what}"), "no match".to_owned()),
            None if alike() => return None,
            None => ("match".to_owned(), "no match in another pipeline's words".to_owned()),
        };
        let signal = self.signal.name.clone();
        Some(Finding::Different(Difference { signal, engine, target, event: None }))
    }

    fn judge_severity(&self, matched: &Match, document: &Value) -> Finding {
        let Some(found) = self.line.severity_of(document) else { return Finding::Same(true) };
        let wanted = severity(matched.level);
        let filled = || {
            self.hit(Gaps::Filled).and_then(|hit| self.line.severity_of(&hit).map(str::to_owned))
        };
        // A case that Kibana cannot express gets the rule's severity, or that of a lower level.
        let default = severity(self.import.rule.level);
        let mut cases = self.signal.cases.iter().map(|(level, _)| severity(*level));
        let lower = rank(found) < rank(wanted) && cases.any(|case| case == found);
        let other = found == default || lower;
        match self.named(|loss| loss.name == LossName::LevelCases && other) {
            _ if wanted == found => Finding::Same(true),
            Some(loss) => Finding::Lost(loss),
            None if filled().as_deref() == Some(wanted) => Finding::Dropped,
            None => Finding::Different(Difference {
                signal: self.signal.name.clone(),
                engine: format!("level {}", matched.level),
                target: format!("severity {found}"),
                event: None,
            }),
        }
    }

    /// The event as each kind it may be; if its kind is unknown, only as the signal's kind
    fn sides(&self) -> impl Iterator<Item = &Side> {
        let fits = |side: &&Side| self.observation.known || side.kind == self.signal.kind;
        self.observation.sides.iter().filter(fits)
    }

    /// The document that Elastic's rule matches
    fn hit(&self, gaps: Gaps) -> Option<Cow<'_, Value>> {
        if let Some(stream) = self.own_stream() {
            let made = self.sides().map(|side| {
                own_document::document(&side.record, stream, side.product(self.signal.product))
            });
            return made.map(Cow::Owned).find(|document| self.line.matches(document));
        }
        let documents = self.sides().filter_map(|side| side.document(self.signal.product, gaps));
        documents.into_iter().find(|document| self.line.matches(document)).map(Cow::Borrowed)
    }

    /// The stream of the user's own mapping that the signal is searched in
    fn own_stream(&self) -> Option<&Stream> {
        let name = self.import.manifest.signals.get(self.at)?.mapping.as_ref()?;
        let mapping = self.import.mappings.named(name).filter(|own| own.source.is_some())?;
        mapping.streams.iter().find(|stream| stream.events == self.signal.kind)
    }

    fn named(&self, explains: impl Fn(&LossOutput) -> bool) -> Option<LossName> {
        let mut own =
            self.import.manifest.losses.iter().filter(|loss| loss.signal == self.signal.name);
        own.find(|loss| explains(loss)).map(|loss| loss.name)
    }

    fn different(&self, hit: bool) -> Finding {
        let engine = self.matched.map(|matched| {
            let fields: Vec<_> = matched.fields.keys().map(Field::name).collect();
            format!("match by {}", fields.join(", "))
        });
        Finding::Different(Difference {
            signal: self.signal.name.clone(),
            engine: engine.unwrap_or_else(|| "no match".to_owned()),
            target: if hit { "match" } else { "no match" }.to_owned(),
            event: None,
        })
    }

    /// The combinations of values that may be new, as each side makes them
    pub(super) fn terms(&self) -> Option<Terms> {
        let (matched, history) = (self.matched?, self.line.history.as_ref()?);
        let of = |gaps| self.hit(gaps).map(|document| history.combinations(&document));
        Some(Terms {
            time: matched.time,
            engine: matched.terms.clone()?.keys,
            elastic: of(Gaps::Left).unwrap_or_default(),
            filled: of(Gaps::Filled).unwrap_or_default(),
        })
    }

    /// Whether the event has a value that a loss concerns
    fn shows(&self, loss: LossName, side: &Side) -> bool {
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

    /// Whether the signal asks for a field that every document has, and the event does not say it
    fn says_less(&self, side: &Side) -> bool {
        let mut tested = self.signal.tests().map(|test| &test.subject.field);
        tested.any(|field| {
            let said = side.record.fields.get(field);
            let empty = said.is_none_or(|values| values.iter().all(String::is_empty));
            empty && is_always_there(&side.kind, field)
        })
    }

    /// Whether a field that the signal tests is empty or null, or is missing where the test looks for
    /// what stands in its place
    fn is_empty_somewhere(&self, side: &Side) -> bool {
        self.signal.tests().any(|test| match side.record.fields.get(&test.subject.field) {
            Some(values) => {
                // The name of an account without a name is empty, too.
                let account = test.subject.field.kind() == FieldType::Account;
                let empty = |value: &String| {
                    matches!(value.as_str(), "" | "-") || account && value.ends_with('\\')
                };
                values.is_empty() || values.iter().any(empty)
            }
            None => test.op.as_text().is_some_and(|text| text.has("-")),
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
