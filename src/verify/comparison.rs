//! Compares the engine with Elastic on one signal and one event.
//!
//! In: the engine's match, if any, and the documents of the event. Out: a [`Finding`]: the two
//! verdicts agree, or they differ. A difference is explained by a loss that the artifact names and
//! the event shows. It tells nothing where no sensor writes such an event. Any other is a
//! [`Difference`].

use std::borrow::Cow;

use serde_json::Value;

use super::elastic::Import;
use super::finding::{Difference, Finding};
use super::import::{Imported, rank, severity};
use super::near_misses;
use super::novelty::Terms;
use super::observation::{Observation, Side};
use super::own_document;
use super::pipeline::{Gaps, is_escaped};
use crate::ir::Signal;
use crate::manifest::{Direction, LossName, LossOutput};
use crate::mapping::Stream;
use crate::matcher::Match;
use crate::taxonomy::Field;

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
                    None if self.is_unwritten(own) => Finding::Unwritten,
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
        let Some(shown) = self.line.severity_of(document) else { return Finding::Same(true) };
        let wanted = severity(matched.level);
        let filled = || {
            self.hit(Gaps::Filled).and_then(|hit| self.line.severity_of(&hit).map(str::to_owned))
        };
        // A case that Kibana cannot express gets the rule's severity, or that of a lower level.
        let default = severity(self.import.rule.level);
        let mut cases = self.signal.cases.iter().map(|(level, _)| severity(*level));
        let lower = rank(shown) < rank(wanted) && cases.any(|case| case == shown);
        let other = shown == default || lower;
        let dropped = || self.dropped().filter(|_| filled().as_deref() == Some(wanted));
        let named = self.named(|loss| loss.name == LossName::LevelCases && other);
        match named.map(Finding::Lost) {
            _ if wanted == shown => Finding::Same(true),
            Some(lost) => lost,
            None => dropped().unwrap_or_else(|| {
                Finding::Different(Difference {
                    signal: self.signal.name.clone(),
                    engine: format!("level {}", matched.level),
                    target: format!("severity {shown}"),
                    event: None,
                })
            }),
        }
    }

    /// The event as each kind it may be; if its kind is unknown, only as the signal's kind
    fn sides(&self) -> impl Iterator<Item = &Side> {
        let fits = |side: &&Side| self.observation.known || side.kind == self.signal.kind;
        self.observation.sides.iter().filter(fits)
    }

    /// The document that Elastic's rule matches
    pub(super) fn hit(&self, gaps: Gaps) -> Option<Cow<'_, Value>> {
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

    /// What explains that a document lacks a value: a loss that the artifact names, or that no sensor writes
    /// the event
    fn dropped(&self) -> Option<Finding> {
        let own = self.sides().find(|side| side.kind == self.signal.kind)?;
        let loss = self.named(|loss| matches!(loss.name, LossName::Empty | LossName::Gaps));
        loss.map(Finding::Lost).or_else(|| (!own.is_held()).then_some(Finding::Unwritten))
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
            dropped: self.dropped(),
        })
    }
}
