//! Elastic's rules against the engine.
//!
//! In: the lines that Kibana imports, the rule they are of, and events with what the engine says of
//! them. Out: for each event and signal whether both say the same, and where they do not, why:
//! a loss that the artifact names, a value that Elastic's pipelines drop, or nothing, which is a
//! [`Difference`].

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::document::Gaps;
use super::import::{Imported, rank};
use super::scope;
use super::sight::{Side, Sight};
use crate::backend::elastic::severity;
use crate::backend::{Direction, Loss, LossName};
use crate::ir::{Rule, Signal};
use crate::matcher::state::NewTerms;
use crate::matcher::{Engine, Match, Memory, Options};
use crate::taxonomy::EventKind;

/// What Kibana imports for a rule
pub struct Import<'r> {
    rule: &'r Rule,
    engine: Engine<'r>,
    losses: &'r [Loss],
    lines: Vec<Imported>,
}

/// What was found of an event and a signal
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// Index of the signal
    pub signal: usize,
    /// How the two sides stand to each other
    pub finding: Finding,
    /// What may be new about the event, where both sides say that it matches
    terms: Option<Terms>,
}

/// How the two sides stand to each other
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// Both say that the event matches, or both that it does not
    Same(bool),
    /// They differ as a loss says that the artifact names
    Lost(LossName),
    /// They differ because Elastic's pipelines drop what the event says, or cannot hold it
    Dropped,
    /// They differ
    Different(Difference),
}

/// What each side says of an event
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The signal
    pub signal: String,
    /// What the engine says
    pub engine: String,
    /// What the target says
    pub target: String,
}

/// The combinations of an event's values, as each side makes them
#[derive(Debug, Clone, PartialEq, Eq)]
struct Terms {
    time: Option<Timestamp>,
    engine: Vec<Vec<String>>,
    elastic: Vec<Vec<String>>,
    filled: Vec<Vec<String>>,
}

/// What each side has seen in a sequence of events
#[derive(Debug, Default)]
pub struct Seen {
    engine: NewTerms,
    elastic: NewTerms,
    filled: NewTerms,
}

impl<'r> Import<'r> {
    /// Reads the lines emitted for a rule: one a signal, in their order
    ///
    /// # Errors
    /// What is wrong with a line, as a clause without a period.
    pub fn read(rule: &'r Rule, losses: &'r [Loss], text: &str) -> Result<Self, String> {
        let written = text.lines().count();
        if written != rule.signals.len() {
            return Err(format!("{written} rules stand for {} signals", rule.signals.len()));
        }
        let mut lines = Vec::new();
        for (at, (line, signal)) in text.lines().zip(&rule.signals).enumerate() {
            let of_signal = |why| format!("the rule of {}: {why}", signal.name);
            let imported = Imported::read(line).map_err(of_signal)?;
            let asks = rule.new_terms.as_ref().is_some_and(|new| new.signal == at);
            if asks != imported.history.is_some() {
                let word = if asks { "remembers no terms" } else { "asks for new terms" };
                return Err(of_signal(word.to_owned()));
            }
            lines.push(imported);
        }
        let engine = Engine::new(std::slice::from_ref(rule), &Options::default());
        Ok(Import { rule, engine, losses, lines })
    }

    /// The names of the signals that the target has
    pub(super) fn signals(&self) -> impl Iterator<Item = &str> {
        self.rule.signals.iter().map(|signal| signal.name.as_str())
    }

    pub(super) fn signal(&self, at: usize) -> &str {
        &self.rule.signals[at].name
    }

    /// The engine of this rule alone
    pub(super) fn engine(&self) -> &Engine<'r> {
        &self.engine
    }

    /// Whether some signal is about such events
    pub(super) fn looks_at(&self, sight: &Sight) -> bool {
        let kinds = sight.sides.iter().map(|side| side.kind);
        let sought = |kind| self.rule.signals.iter().any(|signal| signal.kind == kind);
        kinds.into_iter().any(sought)
    }

    /// Compares the verdicts on an event, of every signal that looks at such events
    ///
    /// `matches` are the engine's, of this rule.
    pub fn compare<'m>(
        &self,
        sight: &Sight,
        matches: impl Iterator<Item = &'m Match> + Clone,
    ) -> Vec<Judged> {
        let signals = self.rule.signals.iter().zip(&self.lines).enumerate();
        let judged = signals.filter_map(|(signal, (sought, line))| {
            let matched = matches.clone().find(|one| one.signal == signal);
            let pair = Pair { import: self, at: signal, signal: sought, line, sight, matched };
            let finding = pair.judge()?;
            let terms = pair.terms().filter(|_| finding == Finding::Same(true));
            Some(Judged { signal, finding, terms })
        });
        judged.collect()
    }

    /// Compares what is new, in the order of the events
    pub fn compare_terms(&self, seen: &mut Seen, judged: &Judged) -> Option<Finding> {
        let (terms, new) = (judged.terms.as_ref()?, self.rule.new_terms.as_ref()?);
        let history = self.lines[judged.signal].history.as_ref()?;
        let time = terms.time;
        let observe = |seen: &mut NewTerms, terms: &[Vec<String>], window: u32| {
            let observed = |key: &Vec<String>| seen.observe(key.clone(), time, window);
            // Each is remembered, also after one that is new.
            terms.iter().map(observed).fold(false, |new, this| new | this)
        };
        let engine = observe(&mut seen.engine, &terms.engine, new.window);
        let elastic = observe(&mut seen.elastic, &terms.elastic, history.window);
        let filled = observe(&mut seen.filled, &terms.filled, history.window);
        let word = |new: bool| if new { "new terms" } else { "nothing new" }.to_owned();
        Some(match (engine == elastic, engine == filled) {
            (true, _) => Finding::Same(true),
            (false, true) => Finding::Dropped,
            (false, false) => Finding::Different(Difference {
                signal: self.rule.signals[judged.signal].name.clone(),
                engine: word(engine),
                target: word(elastic),
            }),
        })
    }
}

/// What may have happened where ECS writes the same as for this
fn written_alike(kind: EventKind, action: &str) -> &'static [&'static str] {
    match (kind, action.to_ascii_lowercase().as_str()) {
        (EventKind::RegistryEvent, "modified") => &["modified"],
        (EventKind::RegistryEvent, _) => &["created", "deleted", "renamed"],
        (_, "modified" | "renamed") => &["modified", "renamed"],
        (_, "created") => &["created"],
        _ => &["deleted"],
    }
}

/// A signal, what stands for it, and an event
struct Pair<'p> {
    import: &'p Import<'p>,
    at: usize,
    signal: &'p Signal,
    line: &'p Imported,
    sight: &'p Sight,
    matched: Option<&'p Match>,
}

impl Pair<'_> {
    fn judge(&self) -> Option<Finding> {
        let hit = self.hit(Gaps::Left);
        let Some(own) = self.sides().find(|side| side.kind == self.signal.kind) else {
            // The engine does not look at such events.
            return hit.map(|_| self.different(true));
        };
        match (self.matched, hit) {
            (None, None) => Some(match own.document(self.signal.product, Gaps::Left) {
                Some(document)
                    if scope::alike(document).iter().any(|one| self.line.matches(one)) =>
                {
                    self.different(true)
                }
                _ => Finding::Same(false),
            }),
            (Some(matched), Some(document)) => Some(
                self.judge_scope(own, document)
                    .unwrap_or_else(|| self.judge_severity(matched, document)),
            ),
            (matched, hit) => {
                let way = if matched.is_some() { Direction::Narrower } else { Direction::Wider };
                let explains = |loss: &Loss| loss.direction == way && self.shows(loss.name, own);
                Some(match self.named(explains) {
                    Some(loss) => Finding::Lost(loss),
                    None if !own.held => Finding::Dropped,
                    None if self.hit(Gaps::Filled).is_some() == matched.is_some() => {
                        Finding::Dropped
                    }
                    None => self.different(hit.is_some()),
                })
            }
        }
    }

    /// Whether documents beside the one that is found are not found, or found with it
    fn judge_scope(&self, own: &Side, document: &Value) -> Option<Finding> {
        let others = scope::others(document, own.kind, self.signal.product);
        let strange = others.into_iter().find(|(_, other)| self.line.matches(other));
        let alike = || scope::alike(document).into_iter().all(|one| self.line.matches(&one));
        let (engine, target) = match strange {
            Some((what, _)) => ("no match".to_owned(), format!("match of {what}")),
            None if alike() => return None,
            None => ("match".to_owned(), "no match in another integration's words".to_owned()),
        };
        let signal = self.signal.name.clone();
        Some(Finding::Different(Difference { signal, engine, target }))
    }

    fn judge_severity(&self, matched: &Match, document: &Value) -> Finding {
        let (wanted, found) = (severity(matched.level).0, self.line.severity_of(document));
        let filled = || Some(self.line.severity_of(self.hit(Gaps::Filled)?));
        // What Kibana cannot tell keeps the severity of the whole rule, or that of another case.
        let default = severity(self.import.rule.level).0;
        let lower = found == default || rank(found) < rank(wanted);
        match self.named(|loss| loss.name == LossName::LevelCases && lower) {
            _ if wanted == found => Finding::Same(true),
            Some(loss) => Finding::Lost(loss),
            None if filled() == Some(wanted) => Finding::Dropped,
            None => Finding::Different(Difference {
                signal: self.signal.name.clone(),
                engine: format!("level {}", matched.level),
                target: format!("severity {found}"),
            }),
        }
    }

    /// The event as each kind that it may be; where that is unknown, as what the signal looks for
    fn sides(&self) -> impl Iterator<Item = &Side> {
        let fits = |side: &&Side| self.sight.known || side.kind == self.signal.kind;
        self.sight.sides.iter().filter(fits)
    }

    /// The document that Elastic's rule finds
    fn hit(&self, gaps: Gaps) -> Option<&Value> {
        let documents = self.sides().filter_map(|side| side.document(self.signal.product, gaps));
        documents.into_iter().find(|document| self.line.matches(document))
    }

    fn named(&self, explains: impl Fn(&Loss) -> bool) -> Option<LossName> {
        let mut own = self.import.losses.iter().filter(|loss| loss.signal == self.signal.name);
        own.find(|loss| explains(loss)).map(|loss| loss.name)
    }

    fn different(&self, hit: bool) -> Finding {
        let engine = self.matched.map(|matched| {
            let fields: Vec<_> = matched.fields.keys().copied().collect();
            format!("match by {}", fields.join(", "))
        });
        Finding::Different(Difference {
            signal: self.signal.name.clone(),
            engine: engine.unwrap_or_else(|| "no match".to_owned()),
            target: if hit { "match" } else { "no match" }.to_owned(),
        })
    }

    fn terms(&self) -> Option<Terms> {
        let (matched, history) = (self.matched?, self.line.history.as_ref()?);
        let of = |gaps| self.hit(gaps).map(|document| history.combinations(document));
        Some(Terms {
            time: matched.time,
            engine: matched.terms.clone()?,
            elastic: of(Gaps::Left).unwrap_or_default(),
            filled: of(Gaps::Filled).unwrap_or_default(),
        })
    }

    /// Whether an event has what a loss is about
    fn shows(&self, loss: LossName, side: &Side) -> bool {
        let fields = &side.record.fields;
        let any = |test: fn(&String) -> bool| fields.values().flatten().any(test);
        match loss {
            LossName::Case => any(|value| !value.is_ascii()),
            LossName::Empty => any(String::is_empty),
            LossName::LongValue => any(|value| value.chars().count() > 1_024),
            LossName::Actions => self.depends_on_action(side),
            LossName::Inbound | LossName::Product | LossName::Repeats => true,
            // Documents are made here of what the log says, before it is decoded.
            LossName::Encoding | LossName::LevelCases => false,
        }
    }

    /// Whether the engine's verdict would be another one for what ECS may write in the same way:
    /// something else that happened, or to a key instead of a value of it
    fn depends_on_action(&self, side: &Side) -> bool {
        let fields = side.record.fields.iter();
        let mut event: Map<String, Value> = fields
            .filter(|(field, _)| !["EventType", "TargetObject"].contains(&field.name()))
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
            written_alike(side.kind, &happened).iter().any(|action| {
                event.insert("Action".to_owned(), json!(action));
                let (event, kind) = (Value::Object(event.clone()), Some(side.kind));
                let judged = self.import.engine.judge_value(&event, kind, &mut Memory::default());
                let matched = judged.is_ok_and(|all| all.iter().any(|one| one.signal == self.at));
                matched != self.matched.is_some()
            })
        };
        differs(&mut event)
            || other.is_some_and(|(key, value)| {
                event.insert("RegistryKey".to_owned(), json!(key));
                event.remove("RegistryValue");
                event.extend(value.map(|value| ("RegistryValue".to_owned(), json!(value))));
                differs(&mut event)
            })
    }
}
