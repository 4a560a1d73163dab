//! Correlations: signals that mean something together.
//!
//! In: an entry of `correlations:`. Out: a [`Correlation`] in Sigma's words. Whether the signals
//! are there, and carry the fields it groups by, is asked when lowering.

use super::metadata::{self, Level};
use super::shape::Reader;
use super::signal::identifier;
use super::yaml::{Kind, Node};
use crate::diagnostic::Code;
use crate::source::{Span, Spanned};

/// Signals that mean something together
#[derive(Debug, Clone)]
pub struct Correlation {
    /// Its key under `correlations:`
    pub name: Spanned<String>,
    /// One line for people
    pub title: Option<Spanned<String>>,
    /// What must hold between its signals
    pub kind: Spanned<CorrelationType>,
    /// Signals and other correlations, by name
    pub signals: Vec<Spanned<String>>,
    /// Fields, columns or aliases whose values must be equal
    pub group_by: Vec<Spanned<String>>,
    /// Names of `group_by` that stand for another field in each signal
    pub aliases: Vec<Alias>,
    /// How far apart the events may be, such as `5m`
    pub timespan: Spanned<String>,
    /// How many there must be
    pub condition: Option<Count>,
    /// How bad a match is, when not as bad as the rule says
    pub level: Option<Spanned<Level>>,
    /// Whether its signals are reported by themselves as well
    pub generate: bool,
}

/// A name that stands for a field of each signal
#[derive(Debug, Clone)]
pub struct Alias {
    /// The name
    pub name: Spanned<String>,
    /// Signal and field
    pub fields: Vec<(Spanned<String>, Spanned<String>)>,
}

/// How many events, or values of a field, there must be
#[derive(Debug, Clone)]
pub struct Count {
    /// Where it stands
    pub span: Span,
    /// The field whose values are counted
    pub field: Option<Spanned<String>>,
    /// Sigma's comparisons with their numbers
    pub bounds: Vec<(Spanned<Comparison>, u64)>,
}

/// What a correlation asks for
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CorrelationType {
    /// So many events
    EventCount,
    /// So many different values of a field
    ValueCount,
    /// Every signal, in any order
    Temporal,
    /// Every signal, in this order
    TemporalOrdered,
}

impl CorrelationType {
    const ALL: &[CorrelationType] = &[
        CorrelationType::EventCount,
        CorrelationType::ValueCount,
        CorrelationType::Temporal,
        CorrelationType::TemporalOrdered,
    ];

    /// Sigma's word
    pub fn as_str(self) -> &'static str {
        match self {
            CorrelationType::EventCount => "event_count",
            CorrelationType::ValueCount => "value_count",
            CorrelationType::Temporal => "temporal",
            CorrelationType::TemporalOrdered => "temporal_ordered",
        }
    }
}

/// How a count compares with a number
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// Greater
    Gt,
    /// Greater or equal
    Gte,
    /// Less
    Lt,
    /// Less or equal
    Lte,
    /// Equal
    Eq,
}

impl Comparison {
    const ALL: &[Comparison] =
        &[Comparison::Gt, Comparison::Gte, Comparison::Lt, Comparison::Lte, Comparison::Eq];

    /// Sigma's word
    pub fn as_str(self) -> &'static str {
        match self {
            Comparison::Gt => "gt",
            Comparison::Gte => "gte",
            Comparison::Lt => "lt",
            Comparison::Lte => "lte",
            Comparison::Eq => "eq",
        }
    }
}

const KEYS: &[&str] = &[
    "title",
    "type",
    "signals",
    "group-by",
    "aliases",
    "timespan",
    "condition",
    "level",
    "generate",
];

/// Reads an entry of `correlations:`
pub(super) fn read(reader: &mut Reader<'_>, name: &Node, body: &Node) -> Option<Correlation> {
    let name = identifier(reader, name, "a correlation's name")?;
    let place = format!("correlation `{}`", name.value);
    let entries = reader.map(body, &place);
    if entries.is_empty() {
        return None;
    }
    for (key, _) in entries {
        if !key.text().is_some_and(|text| KEYS.contains(&text)) {
            reader.unknown_key(key, &place, KEYS);
        }
    }
    for key in ["type", "signals", "timespan"] {
        if body.get(key).is_none() {
            reader.missing_key(name.span, &place, key);
        }
    }
    let kind = body.get("type").and_then(|node| {
        let text = reader.text(node, "`type`")?;
        metadata::word(reader, text, CorrelationType::ALL, CorrelationType::as_str)
    });
    let texts = |reader: &mut Reader<'_>, key: &str| match body.get(key) {
        Some(node) => reader.texts(node, &format!("`{key}`")),
        None => Vec::new(),
    };
    let signals = texts(reader, "signals");
    let group_by = texts(reader, "group-by");
    let aliases = body.get("aliases").map_or_else(Vec::new, |node| aliases(reader, node));
    let timespan = body.get("timespan").and_then(|node| reader.text(node, "`timespan`"));
    let condition = body.get("condition").and_then(|node| count(reader, node));
    let level = body.get("level").and_then(|node| metadata::level(reader, node));
    let generate = body.get("generate").is_some_and(|node| truth(reader, node));
    let title = body.get("title").and_then(|node| reader.text(node, "`title`"));
    let (kind, timespan) = (kind?, timespan?);
    Some(Correlation {
        name,
        title,
        kind,
        signals,
        group_by,
        aliases,
        timespan,
        condition,
        level,
        generate,
    })
}

fn aliases(reader: &mut Reader<'_>, node: &Node) -> Vec<Alias> {
    let mut aliases = Vec::new();
    for (name, body) in reader.map(node, "`aliases`") {
        let Some(name) = reader.text(name, "an alias") else { continue };
        let mut fields = Vec::new();
        for (signal, field) in reader.map(body, "an alias") {
            let signal = reader.text(signal, "a signal's name");
            let field = reader.text(field, "a field's name");
            fields.extend(signal.zip(field));
        }
        aliases.push(Alias { name, fields });
    }
    aliases
}

fn count(reader: &mut Reader<'_>, node: &Node) -> Option<Count> {
    let entries = reader.map(node, "`condition`");
    let known: Vec<&str> =
        Comparison::ALL.iter().map(|one| one.as_str()).chain(["field"]).collect();
    let mut bounds = Vec::new();
    for (key, value) in entries {
        let text = key.text().unwrap_or_default();
        let comparison = Comparison::ALL.iter().find(|one| one.as_str() == text);
        match (comparison, value.text().and_then(|number| number.parse().ok())) {
            (Some(one), Some(number)) => bounds.push((Spanned::new(*one, key.span), number)),
            (Some(_), None) => {
                let message = format!("`{text}` compares with a number");
                reader.error(Code::E0108, value.span, message, "expected a whole number");
            }
            (None, _) if text == "field" => {}
            (None, _) => reader.unknown_key(key, "`condition`", &known),
        }
    }
    let field = node.get("field").and_then(|node| reader.text(node, "`field`"));
    (!entries.is_empty()).then_some(Count { span: node.span, field, bounds })
}

fn truth(reader: &mut Reader<'_>, node: &Node) -> bool {
    match (&node.kind, node.text()) {
        (Kind::Scalar(..), Some("true")) => true,
        (Kind::Scalar(..), Some("false")) => false,
        _ => {
            reader.error(Code::E0112, node.span, "neither true nor false".into(), "unknown word");
            false
        }
    }
}
