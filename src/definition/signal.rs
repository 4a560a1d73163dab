//! Signals: a kind of event, tests that must hold, and exclusions.
//!
//! In: an entry of `signals:`, or the `logsource:` and `detection:` of a Sigma rule or filter. Out:
//! a [`Signal`]. Keys are split into name and modifiers; lowering checks whether the event has a
//! field of that name.

use super::key::Key;
use super::value::Values;
use super::vocabulary::Word;
use super::{Detection, Entry, Exclusion, LevelCase, Selection, Signal};
use super::{condition, key, keys, logsource, metadata, value};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Spanned;
use crate::taxonomy::{EventKind, Field};
use crate::yaml::{Kind, Node};
use crate::yaml::{Reader, nearest};

/// Reads an entry of `signals:`
pub(super) fn read(reader: &mut Reader<'_>, name: &Node, body: &Node) -> Option<Signal> {
    let name = identifier(reader, name, "a signal's name")?;
    let place = format!("signal `{}`", name.value);
    let entries = reader.map(body, &place);
    if entries.is_empty() {
        return None;
    }
    if body.get("event").is_none() {
        let near =
            entries.iter().find(|(k, _)| k.text().and_then(|k| nearest(k, ["event"])).is_some());
        match near {
            Some((key, _)) => reader.unknown_key(key, &place, &["event"]),
            None => reader.missing_key(name.span, &place, "event"),
        }
    }
    let title = body.get("title").and_then(|node| reader.text(node, "`title`"));
    let id = body.get("id").and_then(|node| own_id(reader, node));
    let event = body.get("event").and_then(|node| logsource::event(reader, node));
    let event = event.and_then(|(event, action)| without_action(reader, event, action));
    let product = body.get("product").and_then(|node| logsource::product(reader, node));
    let selection = selection_of(reader, tests(entries, "signal"));
    let detection = match (body.get("detection"), body.get("condition")) {
        (Some(detection), condition) => read_detection(reader, detection, condition, &[]),
        (None, Some(condition)) => {
            let message = "a `condition` without a `detection`".to_owned();
            reader.error(Code::E0111, condition.span, message, "names no selection");
            None
        }
        (None, None) => None,
    };
    if selection.entries.is_empty() && detection.is_none() && !reader.diagnostics.has_errors() {
        let message = format!("{place} has no test");
        reader.report(
            Diagnostic::new(Code::E0405, reader.source, name.span, message, "matches every event")
                .help("Add a key such as `children` or `Image|endswith`."),
        );
    }
    let exclusions = body.get("exclusions").map_or_else(Vec::new, |node| exclusions(reader, node));
    let levels = body.get("levels").map_or_else(Vec::new, |node| levels(reader, node));
    Some(Signal {
        name,
        id,
        title,
        event,
        log: None,
        logsource: None,
        action: None,
        product,
        selection,
        detection,
        exclusions,
        levels,
    })
}

/// Reads the one signal of a Sigma rule or filter
///
/// `own` names the keys beside the selections that are not selections, such as `rules`.
pub(super) fn read_sigma(
    reader: &mut Reader<'_>,
    document: &Node,
    detection: &Node,
    own: &[&str],
) -> Option<Signal> {
    let Some(logsource) = document.get("logsource") else {
        reader.missing_key(document.span, "the rule", "logsource");
        return None;
    };
    let place = logsource.span;
    let logsource = logsource::read(reader, logsource);
    let meant = logsource.as_ref().and_then(|logsource| logsource::meant(reader, logsource));
    let (event, log, action, product) = match meant {
        Some(meant) => (Some(meant.event), meant.log, meant.action, meant.product),
        None => (None, None, None, None),
    };
    Some(Signal {
        name: Spanned::new("rule".to_owned(), place),
        id: None,
        title: None,
        event,
        log,
        logsource,
        action,
        product,
        selection: Selection::default(),
        detection: read_detection(reader, detection, detection.get("condition"), own),
        exclusions: Vec::new(),
        levels: Vec::new(),
    })
}

/// Reads the id of a signal
fn own_id(reader: &mut Reader<'_>, node: &Node) -> Option<Spanned<String>> {
    let text = reader.text(node, "`id`")?;
    if let Ok(id) = uuid::Uuid::try_parse(&text.value) {
        return Some(Spanned::new(id.hyphenated().to_string(), text.span));
    }
    let message = format!("`{}` is not a UUID", text.value);
    let label = "expected 8-4-4-4-12 hex digits";
    let diagnostic = Diagnostic::new(Code::E0113, reader.source, text.span, message, label);
    reader.report(diagnostic.help(
        "A signal's `id` is that of its rule in Elastic. Where the log has a field `id`, test it \
         under `detection:`.",
    ));
    None
}

/// Reads a plain name, which is also valid in Kusto, in Rust and in a file name
pub(super) fn identifier(
    reader: &mut Reader<'_>,
    node: &Node,
    what: &str,
) -> Option<Spanned<String>> {
    let text = reader.key(node)?;
    let starts = text.starts_with(|c: char| c.is_ascii_lowercase());
    let goes_on = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    if starts && text.chars().all(goes_on) && text.len() <= 40 {
        return Some(Spanned::new(text.to_owned(), node.span));
    }
    let message = format!("`{text}` cannot be {what}");
    reader.report(
        Diagnostic::new(Code::E0115, reader.source, node.span, message, "not a plain name")
            .help("Use up to 40 lower-case letters, digits and `_`, starting with a letter."),
    );
    None
}

/// Refuses a Sigma category in `event:`: a definition writes the action apart, as `actions:`
fn without_action(
    reader: &mut Reader<'_>,
    event: Spanned<EventKind>,
    action: Option<&'static str>,
) -> Option<Spanned<EventKind>> {
    let (kind, Some(action)) = (&event.value, action) else { return Some(event) };
    // `file_event` stays: it is a file's creation in Sigma, but any event of a file here.
    if reader.source.slice(event.span).trim_matches(['\'', '"']) == kind.name() {
        return Some(event);
    }
    let message = "a category of Sigma in a definition".to_owned();
    let label = "says two things at once";
    let diagnostic = Diagnostic::new(Code::E0205, reader.source, event.span, message, label);
    reader.report(diagnostic.help(format!("Write `event: {kind}` and `actions: [{action}]`.")));
    None
}

fn selection(reader: &mut Reader<'_>, node: &Node, place: &str) -> Selection {
    let entries = reader.map(node, place);
    selection_of(reader, entries.iter())
}

/// The entries of a map that are tests: those with none of the keys of its own
fn tests<'n>(
    entries: &'n [(Node, Node)],
    place: &str,
) -> impl Iterator<Item = &'n (Node, Node)> + use<'n> {
    let own = keys::names(place);
    entries.iter().filter(move |(key, _)| !key.text().is_some_and(|key| own.contains(&key)))
}

fn selection_of<'n>(
    reader: &mut Reader<'_>,
    entries: impl Iterator<Item = &'n (Node, Node)>,
) -> Selection {
    let mut selection = Selection::default();
    for (name, node) in entries {
        let Some(key) = key::read(reader, name) else { continue };
        if let Some(setting) = misspelt_setting(&key.name.value, node) {
            reader.unknown_key(name, "a signal", &[setting]);
            continue;
        }
        let what = format!("`{}`", name.text().unwrap_or(""));
        let values = value::read(reader, node, &what);
        selection.entries.extend(values.map(|values| Entry { key, values }));
    }
    selection
}

/// The setting that was probably meant by an unknown key with a map or a list of maps
fn misspelt_setting(name: &str, node: &Node) -> Option<&'static str> {
    if name.is_empty() {
        return None;
    }
    let nested = match &node.kind {
        Kind::Map(entries) => !entries.iter().any(|(key, _)| key.text() == Some("not")),
        Kind::List(items) => items.iter().any(|item| matches!(item.kind, Kind::Map(_))),
        Kind::Scalar(..) => false,
    };
    let known = Word::named(name).is_some() || Field::named(name).is_some();
    if nested && !known { nearest(name, keys::names("signal").iter().copied()) } else { None }
}

fn exclusions(reader: &mut Reader<'_>, node: &Node) -> Vec<Exclusion> {
    let items = reader.list(node, "`exclusions`");
    let mut exclusions = Vec::new();
    for item in items {
        let entries = reader.map(item, "an exclusion");
        let note = item.get("note").and_then(|note| reader.text(note, "`note`"));
        let selection = selection_of(reader, tests(entries, "exclusion"));
        if selection.entries.is_empty() {
            if !entries.is_empty() && tests(entries, "exclusion").next().is_none() {
                reader.empty(item.span, "this exclusion");
            }
            continue;
        }
        exclusions.push(Exclusion { span: item.span, note, selection });
    }
    exclusions
}

fn levels(reader: &mut Reader<'_>, node: &Node) -> Vec<LevelCase> {
    let items = reader.list(node, "`levels`");
    let mut cases = Vec::new();
    for item in items {
        let entries = reader.map(item, "a level");
        let Some(level) = item.get("level") else {
            if !entries.is_empty() {
                reader.missing_key(item.span, "this case", "level");
            }
            continue;
        };
        let Some(level) = metadata::level(reader, level) else { continue };
        let selection = selection_of(reader, tests(entries, "level case"));
        cases.push(LevelCase { level, selection });
    }
    cases
}

fn read_detection(
    reader: &mut Reader<'_>,
    node: &Node,
    condition: Option<&Node>,
    own: &[&str],
) -> Option<Detection> {
    let entries = reader.map(node, "`detection`");
    let mut selections = Vec::new();
    for (name, body) in entries {
        let Some(text) = reader.key(name) else { continue };
        if keys::names("detection").contains(&text) || own.contains(&text) {
            continue;
        }
        if text == "timeframe" {
            let message = "`timeframe` is not supported".to_owned();
            let label = "belongs to the aggregations that Sigma gave up";
            reader.error(Code::E0204, name.span, message, label);
            continue;
        }
        let place = format!("selection `{text}`");
        let spanned = Spanned::new(text.to_owned(), name.span);
        let alternatives = alternatives(reader, body, &place);
        selections.push((spanned, alternatives));
    }
    let Some(condition) = condition.or_else(|| node.get("condition")) else {
        if !entries.is_empty() {
            let first = entries.first().map_or(node.span, |(key, _)| key.span);
            reader.missing_key(first, "`detection`", "condition");
        }
        return None;
    };
    let nodes = reader.one_or_many(condition, "the condition");
    let conditions: Vec<_> = nodes.iter().filter_map(|n| condition::read(reader, n)).collect();
    (!conditions.is_empty()).then_some(Detection { selections, conditions })
}

/// Reads a map of tests, keywords, or a list of both: alternatives, of which one must hold
fn alternatives(reader: &mut Reader<'_>, body: &Node, place: &str) -> Vec<Selection> {
    let items = match &body.kind {
        Kind::Map(_) => return vec![selection(reader, body, place)],
        Kind::Scalar(..) => return keywords(reader, std::slice::from_ref(body), place),
        Kind::List(_) => reader.list(body, place),
    };
    let mut out = Vec::new();
    for run in items.chunk_by(|a, b| is_scalar(a) && is_scalar(b)) {
        match run {
            [item] if !is_scalar(item) => out.push(selection(reader, item, place)),
            keyword => out.extend(keywords(reader, keyword, place)),
        }
    }
    out
}

fn is_scalar(node: &Node) -> bool {
    matches!(node.kind, Kind::Scalar(..))
}

/// Reads adjacent keywords as the values of one test over the whole event
fn keywords(reader: &mut Reader<'_>, nodes: &[Node], place: &str) -> Vec<Selection> {
    let items: Vec<_> = nodes.iter().filter_map(|node| value::one(reader, node, place)).collect();
    let Some(span) = items.iter().map(|item| item.span).reduce(crate::source::Span::cover) else {
        return Vec::new();
    };
    let values = Values { span, negated: false, items };
    vec![Selection { entries: vec![Entry { key: Key::keywords(span), values }] }]
}
