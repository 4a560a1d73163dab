//! The findings about an open document.
//!
//! In: the folder, the open documents, and the name of one. Out: what `check` reports about that text,
//! and each finding as the protocol writes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use lsp_types::{DiagnosticRelatedInformation, DiagnosticSeverity, Location, NumberOrString, Uri};

use super::folder::Folder;
use super::text::Document;
use crate::definition::Looked;
use crate::diagnostic::{Diagnostic, Severity};
use crate::schema::kind_of;
use crate::source::SourceText;
use crate::workspace::run_samples;

/// The findings about a text, sorted by place
pub(super) fn findings(
    folder: &Folder,
    name: &str,
    open: &BTreeMap<String, Arc<SourceText>>,
) -> Vec<Diagnostic> {
    let Some(source) = open.get(name) else { return Vec::new() };
    // YAML of another tool is none of ours, unless it lies among the rules.
    if !folder.has(name) && !is_ours(source.text()) {
        return Vec::new();
    }
    let mut workspace = folder.workspace(name, open);
    workspace.refused_by(&[]);
    for loaded in &workspace.rules {
        run_samples(loaded, &mut workspace.diagnostics);
    }
    let mut findings = workspace.findings(Looked::Everywhere);
    findings.retain(|one| one.source.name() == name);
    findings
}

/// Whether some line gives the key of a document that rulecast reads
fn is_ours(text: &str) -> bool {
    let keys = text.lines().filter_map(|line| line.split_once(':'));
    kind_of(keys.map(|(key, _)| key.trim_start_matches(['{', ' ']))).is_some()
}

/// A finding as the protocol writes it
pub(super) fn shown(
    diagnostic: &Diagnostic,
    uri: &Uri,
    document: &Document,
) -> lsp_types::Diagnostic {
    let mut message = diagnostic.message.clone();
    let more =
        std::iter::once(&diagnostic.primary.text).chain(&diagnostic.notes).chain(&diagnostic.help);
    for line in more.filter(|line| !line.is_empty()) {
        message.push('\n');
        message.push_str(line);
    }
    let related = diagnostic.secondary.iter().map(|label| DiagnosticRelatedInformation {
        location: Location::new(uri.clone(), document.range(label.span)),
        message: label.text.clone(),
    });
    let related: Vec<_> = related.collect();
    lsp_types::Diagnostic {
        range: document.range(diagnostic.primary.span),
        severity: Some(match diagnostic.severity {
            Severity::Error => DiagnosticSeverity::ERROR,
            Severity::Warning => DiagnosticSeverity::WARNING,
        }),
        code: Some(NumberOrString::String(diagnostic.code.as_str().to_owned())),
        source: Some("rulecast".to_owned()),
        message,
        related_information: (!related.is_empty()).then_some(related),
        ..lsp_types::Diagnostic::default()
    }
}
