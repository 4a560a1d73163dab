//! Checks the names that must tell rules apart: ids, titles, file names.
//!
//! In: the rules and the heads of all documents of a run. Out: an error for each repeated id, and a
//! workspace without repeated ids; warnings for titles and file names. For the warnings, refused
//! rules count as well, so that fixing one rule brings no new warning about another.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use super::Workspace;
use crate::definition::{Definition, Form};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{SourceText, Span, Spanned};

/// The names of a document, for comparison
pub(super) struct Head {
    source: Arc<SourceText>,
    form: Form,
    /// Its first line
    span: Span,
    /// Its title, when it has one
    title: Option<Spanned<String>>,
    /// The name of its file
    file: String,
}

impl Head {
    pub(super) fn of(definition: &Definition) -> Head {
        let title = &definition.metadata.title;
        let start = definition.span.start;
        let line = definition.source.slice(definition.span).lines().next().map_or(0, str::len);
        Head {
            source: Arc::clone(&definition.source),
            form: definition.form,
            span: Span::new(start, start + line as u32),
            // A title with the span of the whole document stands in for a missing title.
            title: (title.span != definition.span).then(|| title.clone()),
            file: definition.source.name().rsplit('/').next().unwrap_or_default().to_owned(),
        }
    }
}

/// Refuses every rule with an id, its own or that of a signal, that stands before it already
pub(super) fn refuse_repeated_ids(workspace: &mut Workspace) {
    let mut seen: HashMap<&str, (&SourceText, Span)> = HashMap::new();
    let mut repeated: HashMap<usize, Vec<Diagnostic>> = HashMap::new();
    for (at, loaded) in workspace.rules.iter().enumerate() {
        let rule = &loaded.rule;
        let of_signals = rule.signals.iter().filter_map(|signal| signal.id.as_ref());
        let ids = rule.metadata.id.iter().map(|id| ("rule", id));
        for (what, id) in ids.chain(of_signals.map(|id| ("signal", id))) {
            let (first, span) = match seen.entry(&id.value) {
                Entry::Occupied(first) => *first.get(),
                Entry::Vacant(free) => {
                    free.insert((&rule.source, id.span));
                    continue;
                }
            };
            let message = format!("{what} id `{}` is used twice", id.value);
            let diagnostic = Diagnostic::new(Code::E0801, &rule.source, id.span, message, "again")
                .note(first_used(first, span))
                .help(format!("Give this {what} an id of its own."));
            repeated.entry(at).or_default().push(diagnostic);
        }
    }
    let mut at = 0;
    workspace.rules.retain(|_| {
        let diagnostics = repeated.remove(&at);
        at += 1;
        let kept = diagnostics.is_none();
        workspace.refused += usize::from(!kept);
        diagnostics
            .into_iter()
            .flatten()
            .for_each(|diagnostic| workspace.diagnostics.push(diagnostic));
        kept
    });
}

/// Reports repeated titles and file names, and file names outside of Sigma's convention
pub(super) fn check(heads: &[Head], diagnostics: &mut Diagnostics) {
    let mut titles: HashMap<&str, &Head> = HashMap::new();
    let mut files: HashMap<&str, &Head> = HashMap::new();
    let mut before: Option<&str> = None;
    for head in heads {
        if let Some(title) = &head.title {
            let first = *titles.entry(&title.value).or_insert(head);
            // Documents that share their title by `action: global` have it from one place.
            let at = |head: &Head| {
                (head.source.name().to_owned(), head.title.as_ref().map(|it| it.span))
            };
            if !std::ptr::eq(first, head) && at(first) != at(head) {
                let message = format!("title `{}` is used twice", title.value);
                let diagnostic =
                    Diagnostic::new(Code::W0806, &head.source, title.span, message, "again");
                let there = first.title.as_ref().map_or(first.span, |title| title.span);
                diagnostics.push(diagnostic.note(first_used(&first.source, there)));
            }
        }
        // Documents of one file share its name.
        if before.replace(head.source.name()) == Some(head.source.name()) {
            continue;
        }
        if head.form == Form::Sigma {
            file_name(head, diagnostics);
        }
        let first = *files.entry(&head.file).or_insert(head);
        if !std::ptr::eq(first, head) {
            let message = format!("another rule file is called `{}`", head.file);
            let label = "in this file";
            let diagnostic = Diagnostic::new(Code::W0807, &head.source, head.span, message, label);
            diagnostics.push(diagnostic.note(format!("the first one is {}", first.source.name())));
        }
    }
}

fn first_used(source: &SourceText, span: Span) -> String {
    format!("first used at {}:{}", source.name(), source.line_column(span.start).0)
}

/// Checks a file name by Sigma's convention: `proc_creation_win_whoami.yml`
fn file_name(head: &Head, diagnostics: &mut Diagnostics) {
    let name = &head.file;
    let length = name.chars().count();
    let stem = name.rsplit_once('.').map_or(name.as_str(), |(stem, _)| stem);
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let why = match stem.chars().find(|c| !plain(*c)) {
        Some(other) => format!("file name `{name}` holds `{other}`"),
        None if length < 10 => format!("file name `{name}` has only {length} characters"),
        None if length > 90 => format!("file name `{name}` has {length} characters"),
        None => return,
    };
    let diagnostic = Diagnostic::new(Code::W0132, &head.source, head.span, why, "in this file");
    diagnostics.push(diagnostic.help(
        "Sigma's have 10 to 90 characters: lower-case letters, digits and `_`, with the extension.",
    ));
}
