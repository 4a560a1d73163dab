//! Documents: the top level of a rule file.
//!
//! In: a [`SourceText`]. Out: a [`Definition`] for every document that is a definition, a Sigma
//! rule, a Sigma correlation or a Sigma filter. Every mistake is reported. A document with
//! mistakes is still returned, so that later rooms report further mistakes in the same run.

use std::sync::Arc;

use super::{Correlation, Definition, Form, List, NewTerms, Sample, Signal};
use super::{
    action, correlation, dangerous, filter, keys, metadata, sample, signal, target, value,
};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::SourceText;
use crate::yaml::{self, Node};
use crate::yaml::{Reader, nearest};

/// Reads every document of a file; documents of mappings are left out
pub fn parse(source: &Arc<SourceText>, diagnostics: &mut Diagnostics) -> Vec<Definition> {
    parse_with(source, diagnostics, &mut |_, _| {})
}

/// Reads every document of a file, and gives documents of mappings to `mapping`
pub(crate) fn parse_with(
    source: &Arc<SourceText>,
    diagnostics: &mut Diagnostics,
    mapping: &mut dyn FnMut(&Node, &mut Diagnostics),
) -> Vec<Definition> {
    let documents = yaml::documents(source, diagnostics);
    let mut reader = Reader { source, diagnostics, has_lists: true, lenient: false };
    if documents.iter().all(|one| one.node.is_null()) && !reader.diagnostics.has_errors() {
        let span = crate::source::Span::new(0, 0);
        reader.error(Code::E0109, span, "the file holds no rule".into(), "nothing here");
    }
    let parts = action::expand(&mut reader, documents);
    let mut definitions = Vec::new();
    for part in parts.iter().filter(|part| !part.node.is_null()) {
        match part.node.get("mapping") {
            Some(_) => mapping(&part.node, reader.diagnostics),
            None => definitions.extend(read(&mut reader, part)),
        }
    }
    definitions
}

fn read(reader: &mut Reader<'_>, part: &action::Part) -> Option<Definition> {
    let document = &part.node;
    let entries = reader.map(document, "a rule");
    if entries.is_empty() {
        return None;
    }
    let (form, own) = match () {
        () if document.get("signals").is_some() => (Form::Definition, "definition"),
        () if document.get("detection").is_some() => (Form::Sigma, "sigma"),
        () if document.get("correlation").is_some() => {
            (Form::Correlation, "sigma correlation document")
        }
        () if document.get("filter").is_some() => (Form::Filter, "sigma filter document"),
        () => {
            unknown_kind(reader, entries);
            return None;
        }
    };
    reader.has_lists = form == Form::Definition;
    if form == Form::Definition {
        yaml::refuse_shorthand(reader.source, &part.shorthand, reader.diagnostics);
    }
    check_keys(reader, document, entries, (form, keys::names(own)));
    let metadata = metadata_of(reader, part, form);
    let sigma = |reader: &mut Reader<'_>, key, own| {
        let detection = document.get(key);
        let signal = detection.and_then(|node| signal::read_sigma(reader, document, node, own));
        signal.into_iter().collect()
    };
    let signals = match form {
        Form::Definition => document.get("signals").map_or_else(Vec::new, |n| signals(reader, n)),
        Form::Sigma => sigma(reader, "detection", &[]),
        Form::Filter => sigma(reader, "filter", keys::names("filter")),
        Form::Correlation => Vec::new(),
    };
    let correlations = match (document.get("correlations"), document.get("correlation")) {
        (Some(node), _) => correlations(reader, node),
        (None, Some(body)) => {
            let name = metadata.name.as_ref();
            correlation::read_sigma(reader, document, body, name).into_iter().collect()
        }
        (None, None) => Vec::new(),
    };
    let definition = Definition {
        source: Arc::clone(reader.source),
        span: document.span,
        shared: part.shared.clone(),
        form,
        metadata: Arc::new(metadata),
        lists: document.get("lists").map_or_else(Vec::new, |node| lists(reader, node)),
        signals,
        new_terms: document.get("new_terms").and_then(|node| new_terms(reader, node)),
        correlations,
        filter: document.get("filter").and_then(|node| filter::read(reader, node)),
        targets: document.get("targets").map_or_else(Vec::new, |node| target::read(reader, node)),
        tests: document.get("tests").map_or_else(Vec::new, |node| tests(reader, node)),
    };
    dangerous::report(reader, &definition);
    Some(definition)
}

/// Reads the metadata; in a Sigma document a mistake there is only a warning
fn metadata_of(reader: &mut Reader<'_>, part: &action::Part, form: Form) -> metadata::Metadata {
    reader.lenient = form != Form::Definition;
    let mut metadata = metadata::read(reader, &part.node);
    metadata.family.clone_from(&part.family);
    reader.lenient = false;
    if form == Form::Definition {
        metadata.version = metadata::version(reader, &part.node);
    }
    if form == Form::Definition && part.node.get("id").is_none() {
        reader.missing_key(part.node.span, "the rule", "id");
    }
    metadata
}

/// Reports keys that a document of this form does not have
fn check_keys(
    reader: &mut Reader<'_>,
    document: &Node,
    entries: &[(Node, Node)],
    (form, own): (Form, &[&str]),
) {
    let version: &[&str] =
        if form == Form::Definition { keys::names("definition metadata") } else { &[] };
    let known = keys::names("metadata").iter().chain(own).chain(version);
    let known: Vec<&str> = known.copied().collect();
    let sigma: Vec<&str> = known.iter().chain(keys::names("sigma metadata")).copied().collect();
    for (key, _) in entries {
        let text = key.text().unwrap_or_default();
        match form {
            Form::Definition if matches!(text, "detection" | "logsource") => {
                let message = format!("`{text}` beside `signals`");
                let label = "stands in a signal, or in a Sigma rule";
                reader.error(Code::E0110, key.span, message, label);
            }
            Form::Definition if !known.contains(&text) => {
                reader.unknown_key(key, "the rule", &known);
            }
            Form::Definition => {}
            // A definition's key would have no effect in a Sigma document, so it is unknown.
            Form::Sigma | Form::Correlation | Form::Filter
                if keys::names("definition").contains(&text) && !sigma.contains(&text) =>
            {
                reader.unknown_key(key, "this document", &sigma);
            }
            Form::Sigma | Form::Correlation | Form::Filter => {
                let deciding: &[&str] = if form == Form::Correlation { &["generate"] } else { &[] };
                if !metadata::other_spelling(reader, document, key) {
                    reader.custom_key(key, "the rule", (&sigma, deciding));
                }
            }
        }
    }
}

/// Reports a document of no known kind, at a misspelt `signals`, `detection` or the like if any
fn unknown_kind(reader: &mut Reader<'_>, entries: &[(Node, Node)]) {
    let near = |(key, _): &(Node, Node)| {
        let text = key.text().unwrap_or_default();
        Some((
            key.span,
            nearest(text, ["signals", "detection", "correlation", "filter", "mapping"])?,
        ))
    };
    let misspelt = entries.iter().find_map(near);
    let first = entries.first().map_or(crate::source::Span::default(), |(key, _)| key.span);
    let span = misspelt.map_or(first, |(span, _)| span);
    let message = "neither a definition nor a Sigma rule";
    let diagnostic = Diagnostic::new(Code::E0116, reader.source, span, message, "of which kind?")
        .help(
            "A definition has `signals:`; Sigma's documents have `detection:`, `correlation:` or \
             `filter:`; a mapping has `mapping:`.",
        );
    reader.report(match misspelt {
        Some((span, word)) => diagnostic.replace(span, word),
        None => diagnostic,
    });
}

fn signals(reader: &mut Reader<'_>, node: &Node) -> Vec<Signal> {
    let entries = reader.map(node, "`signals`");
    entries.iter().filter_map(|(name, body)| signal::read(reader, name, body)).collect()
}

fn lists(reader: &mut Reader<'_>, node: &Node) -> Vec<List> {
    let entries = reader.map(node, "`lists`");
    let mut lists = Vec::new();
    for (name, body) in entries {
        // Keeps a bad name: without it, every `$name` would be reported as undefined too.
        let name = match (signal::identifier(reader, name, "a list's name"), name.text()) {
            (Some(good), _) => good,
            (None, Some(bad)) => crate::source::Spanned::new(bad.to_owned(), name.span),
            (None, None) => continue,
        };
        let values = value::list(reader, body, &format!("list `{}`", name.value));
        lists.push(List { name, values });
    }
    lists
}

fn new_terms(reader: &mut Reader<'_>, node: &Node) -> Option<NewTerms> {
    if reader.known_keys(node, "`new_terms`", keys::names("new_terms")).is_empty() {
        return None;
    }
    for key in keys::needed("new_terms") {
        if node.get(key).is_none() {
            reader.missing_key(node.span, "`new_terms`", key);
        }
    }
    let signal = reader.text(node.get("signal")?, "`signal`")?;
    let fields = reader.texts(node.get("fields")?, "`fields`");
    let window = reader.text(node.get("window")?, "`window`")?;
    Some(NewTerms { span: node.span, signal, fields, window })
}

fn correlations(reader: &mut Reader<'_>, node: &Node) -> Vec<Correlation> {
    let entries = reader.map(node, "`correlations`");
    entries.iter().filter_map(|(name, body)| correlation::read(reader, name, body)).collect()
}

fn tests(reader: &mut Reader<'_>, node: &Node) -> Vec<Sample> {
    let items = reader.list(node, "`tests`");
    items.iter().filter_map(|item| sample::read(reader, item)).collect()
}
