//! Correlations: several events that together raise an alert.
//!
//! In: an entry of `correlations:`, or `correlation:` of a Sigma document. Out: a [`Correlation`]
//! in Sigma's words. Lowering checks whether its signals or rules exist and have the fields that
//! it groups by.

use super::metadata::{self, Level};
use super::signal::identifier;
use super::{keys, spelling};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Span, Spanned};
use crate::yaml::Reader;
use crate::yaml::{Kind, Node};

/// A condition over the events of several signals or rules
#[derive(Debug, Clone)]
pub struct Correlation {
    /// Its key under `correlations:`; for Sigma the `name:`, or `correlation` without one
    pub name: Spanned<String>,
    /// A title of one line, as alerts show it
    pub title: Option<Spanned<String>>,
    /// The kind of condition: a count, an order or a statistic
    pub kind: Spanned<CorrelationType>,
    /// Names of signals and other correlations; for Sigma, names or ids of rules
    pub signals: Vec<Spanned<String>>,
    /// Fields, columns or aliases whose values must be equal
    pub group_by: Vec<Spanned<String>>,
    /// Names of `group_by` that stand for another field in each signal
    pub aliases: Vec<Alias>,
    /// The longest time between the first and the last event, such as `5m`
    pub timespan: Spanned<String>,
    /// The bounds of the count or the statistic
    pub condition: Option<Count>,
    /// The severity of a match, if it differs from the rule's level
    pub level: Option<Spanned<Level>>,
    /// Whether its signals or rules also alert on their own
    pub generate: bool,
}

/// A name that stands for a field of each signal
#[derive(Debug, Clone)]
pub struct Alias {
    /// The alias itself
    pub name: Spanned<String>,
    /// Pairs of a signal (or rule) and the field that the alias stands for in it
    pub fields: Vec<(Spanned<String>, Spanned<String>)>,
}

/// The bounds of a correlation's count or statistic
#[derive(Debug, Clone)]
pub struct Count {
    /// Its place in the file
    pub span: Span,
    /// The field whose values are counted; of several fields, the combinations of their values
    pub fields: Vec<Spanned<String>>,
    /// The percentile that `value_percentile` computes
    pub percentile: Option<Spanned<u64>>,
    /// Sigma's comparisons with their numbers
    pub bounds: Vec<(Spanned<Comparison>, u64)>,
    /// Which events of a group an upper bound is judged over
    pub window: Option<Spanned<Window>>,
}

/// Which events of a group an upper bound is judged over
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Window {
    /// Those of the timespan that ends with the group's last event
    #[default]
    Last,
    /// All that are searched: the files of a scan, the time range of a hunt, the lookback of a run
    Lookback,
    /// Those of each timespan by itself, one after another since the first day of the year 1
    Each,
}

impl Window {
    /// Every window
    pub const ALL: &[Window] = &[Window::Last, Window::Lookback, Window::Each];

    /// Its word
    pub fn as_str(self) -> &'static str {
        match self {
            Window::Last => "last",
            Window::Lookback => "lookback",
            Window::Each => "each",
        }
    }
}

/// The types of correlation
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CorrelationType {
    /// The number of events is within the bounds
    EventCount,
    /// The number of different values of a field is within the bounds
    ValueCount,
    /// Every signal occurs, in any order
    Temporal,
    /// Every signal occurs, in the order of the list
    TemporalOrdered,
    /// The sum of a numeric field is within the bounds
    ValueSum,
    /// The mean of a numeric field is within the bounds
    ValueAvg,
    /// The median of a numeric field is within the bounds
    ValueMedian,
    /// A percentile of a numeric field is within the bounds
    ValuePercentile,
}

impl CorrelationType {
    /// Every type
    pub const ALL: &[CorrelationType] = &[
        CorrelationType::EventCount,
        CorrelationType::ValueCount,
        CorrelationType::Temporal,
        CorrelationType::TemporalOrdered,
        CorrelationType::ValueSum,
        CorrelationType::ValueAvg,
        CorrelationType::ValueMedian,
        CorrelationType::ValuePercentile,
    ];

    /// Sigma's spelling, such as `event_count`
    pub fn as_str(self) -> &'static str {
        match self {
            CorrelationType::EventCount => "event_count",
            CorrelationType::ValueCount => "value_count",
            CorrelationType::Temporal => "temporal",
            CorrelationType::TemporalOrdered => "temporal_ordered",
            CorrelationType::ValueSum => "value_sum",
            CorrelationType::ValueAvg => "value_avg",
            CorrelationType::ValueMedian => "value_median",
            CorrelationType::ValuePercentile => "value_percentile",
        }
    }
}

/// The comparison of a count or statistic with a number
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
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
    /// Different
    Neq,
}

impl Comparison {
    /// Every comparison
    pub const ALL: &[Comparison] = &[
        Comparison::Gt,
        Comparison::Gte,
        Comparison::Lt,
        Comparison::Lte,
        Comparison::Eq,
        Comparison::Neq,
    ];

    /// Sigma's spelling, such as `gte`
    pub fn as_str(self) -> &'static str {
        match self {
            Comparison::Gt => "gt",
            Comparison::Gte => "gte",
            Comparison::Lt => "lt",
            Comparison::Lte => "lte",
            Comparison::Eq => "eq",
            Comparison::Neq => "neq",
        }
    }

    /// The usual sign, such as `>=`
    pub fn sign(self) -> &'static str {
        match self {
            Comparison::Gt => ">",
            Comparison::Gte => ">=",
            Comparison::Lt => "<",
            Comparison::Lte => "<=",
            Comparison::Eq => "==",
            Comparison::Neq => "!=",
        }
    }
}

/// Reads an entry of `correlations:`
pub(super) fn read(reader: &mut Reader<'_>, name: &Node, body: &Node) -> Option<Correlation> {
    let name = identifier(reader, name, "a correlation's name")?;
    let place = format!("correlation `{}`", name.value);
    let level = body.get("level").and_then(|node| metadata::level(reader, node));
    let title = body.get("title").and_then(|node| reader.text(node, "`title`"));
    let read = parts(reader, name, body, (&place, "signals", "correlation"))?;
    Some(Correlation { title, level, ..read })
}

/// Reads `correlation:` of a Sigma document
///
/// `generate` is read in both places: the specification puts it beside `correlation:`, tools
/// inside it.
pub(super) fn read_sigma(
    reader: &mut Reader<'_>,
    document: &Node,
    body: &Node,
    name: Option<&Spanned<String>>,
) -> Option<Correlation> {
    let start = Span::new(body.span.start, body.span.start);
    let unnamed = || Spanned::new("correlation".to_owned(), start);
    let name = name.cloned().unwrap_or_else(unnamed);
    let read = parts(reader, name, body, ("`correlation`", "rules", "sigma correlation"))?;
    let beside = document.get("generate").is_some_and(|node| truth(reader, node));
    Some(Correlation { generate: read.generate || beside, ..read })
}

/// Reads the keys that both forms share
///
/// The tuple holds the place for messages, the key of the signals and the kind of map.
fn parts(
    reader: &mut Reader<'_>,
    name: Spanned<String>,
    body: &Node,
    (place, signals, kind): (&str, &str, &str),
) -> Option<Correlation> {
    if reader.known_keys(body, place, keys::names(kind)).is_empty() {
        return None;
    }
    for key in keys::needed(kind) {
        if body.get(key).is_none() {
            reader.missing_key(name.span, place, key);
        }
    }
    let kind = body.get("type").and_then(|node| {
        let text = reader.text(node, "`type`")?;
        spelling::word(reader, text, CorrelationType::ALL, CorrelationType::as_str)
    });
    let texts = |reader: &mut Reader<'_>, key: &str| match body.get(key) {
        Some(node) => reader.texts(node, &format!("`{key}`")),
        None => Vec::new(),
    };
    let signals = texts(reader, signals);
    let group_by = texts(reader, "group-by");
    let aliases = body.get("aliases").map_or_else(Vec::new, |node| aliases(reader, node));
    let timespan = body.get("timespan").and_then(|node| reader.text(node, "`timespan`"));
    let condition = body.get("condition").and_then(|node| count(reader, node));
    let generate = body.get("generate").is_some_and(|node| truth(reader, node));
    let (kind, timespan) = (kind?, timespan?);
    Some(Correlation {
        name,
        title: None,
        kind,
        signals,
        group_by,
        aliases,
        timespan,
        condition,
        level: None,
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
    if let Kind::Scalar(..) = node.kind {
        let message = "a correlation's `condition` is text".to_owned();
        let diagnostic =
            Diagnostic::new(Code::E0410, reader.source, node.span, message, "not read");
        reader
            .report(diagnostic.help("Write a map such as `gte: 2`; chain correlations for more."));
        return None;
    }
    let entries = reader.map(node, "`condition`");
    let own = keys::names("count");
    let known: Vec<&str> =
        Comparison::ALL.iter().map(|one| one.as_str()).chain(own.iter().copied()).collect();
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
            (None, _) if own.contains(&text) => {}
            (None, _) => reader.unknown_key(key, "`condition`", &known),
        }
    }
    let fields = reader.texts_of(node, "field");
    let percentile = node.get("percentile").and_then(|node| {
        let number = node.text().and_then(|text| text.parse().ok()).filter(|n| *n <= 100);
        if number.is_none() {
            let message = "`percentile` is no percentage".to_owned();
            reader.error(Code::E0108, node.span, message, "expected a whole number up to 100");
        }
        number.map(|number| Spanned::new(number, node.span))
    });
    let window = node.get("window").and_then(|node| {
        let text = reader.text(node, "`window`")?;
        spelling::word(reader, text, Window::ALL, Window::as_str)
    });
    (!entries.is_empty()).then_some(Count { span: node.span, fields, percentile, bounds, window })
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
