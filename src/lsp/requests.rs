//! The answers to requests.
//!
//! In: a request, and what the server knows. Out: the answer as JSON; `null` where there is nothing to
//! say.

use lsp_server::{ErrorCode, Request};
use lsp_types::request::{
    CodeActionRequest, Completion, DocumentSymbolRequest, ExecuteCommand, FoldingRangeRequest,
    GotoDefinition, HoverRequest, PrepareRenameRequest, References, Rename, Request as _,
};
use lsp_types::{
    CodeAction, CodeActionKind, CodeActionParams, CompletionParams, DocumentSymbolParams,
    ExecuteCommandParams, FoldingRangeParams, GotoDefinitionParams, HoverParams, Location,
    ReferenceParams, RenameParams, TextDocumentPositionParams, TextEdit, Uri, WorkspaceEdit,
};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::names::{self, Named, Use};
use super::text::Document;
use super::{Open, Refusal, Server, check, complete, hover, name_of, preview, symbols, uri};

pub(super) fn answer(server: &Server, request: Request) -> Result<Value, Refusal> {
    let Request { method, params, .. } = request;
    let value = match method.as_str() {
        HoverRequest::METHOD => {
            let params: HoverParams = read(params)?;
            at(server, &params.text_document_position_params)
                .map(|(open, offset)| json!(hover::hover(&open.document, offset)))
        }
        Completion::METHOD => {
            let params: CompletionParams = read(params)?;
            at(server, &params.text_document_position)
                .map(|(open, offset)| json!(complete::items(&open.document, offset)))
        }
        GotoDefinition::METHOD => {
            let params: GotoDefinitionParams = read(params)?;
            at(server, &params.text_document_position_params)
                .map(|(open, offset)| json!(definitions(server, open, offset)))
        }
        References::METHOD => {
            let params: ReferenceParams = read(params)?;
            at(server, &params.text_document_position)
                .map(|(open, offset)| json!(references(open, offset)))
        }
        PrepareRenameRequest::METHOD => {
            let params: TextDocumentPositionParams = read(params)?;
            at(server, &params).and_then(|(open, offset)| {
                let uses = names::names(&open.document.source);
                let (one, _) = names::same(&uses, offset)?;
                (one.named != Named::Rule).then(|| json!(open.document.range(one.span)))
            })
        }
        Rename::METHOD => {
            let params: RenameParams = read(params)?;
            match at(server, &params.text_document_position) {
                Some((open, offset)) => rename(open, offset, &params.new_name)?,
                None => None,
            }
        }
        DocumentSymbolRequest::METHOD => {
            let params: DocumentSymbolParams = read(params)?;
            document(server, &params.text_document.uri)
                .map(|document| json!(symbols::symbols(document)))
        }
        FoldingRangeRequest::METHOD => {
            let params: FoldingRangeParams = read(params)?;
            document(server, &params.text_document.uri)
                .map(|document| json!(symbols::folds(document)))
        }
        CodeActionRequest::METHOD => {
            let params: CodeActionParams = read(params)?;
            server.open.get(&name_of(&params.text_document.uri)).map(|open| fixes(open, &params))
        }
        ExecuteCommand::METHOD => {
            let params: ExecuteCommandParams = read(params)?;
            Some(preview::run(server, &params)?)
        }
        other => return Err((ErrorCode::MethodNotFound, format!("there is no method `{other}`"))),
    };
    Ok(value.unwrap_or(Value::Null))
}

fn read<T: DeserializeOwned>(params: Value) -> Result<T, Refusal> {
    serde_json::from_value(params).map_err(|why| (ErrorCode::InvalidParams, why.to_string()))
}

fn document<'s>(server: &'s Server, uri: &Uri) -> Option<&'s Document> {
    server.open.get(&name_of(uri)).map(|open| &open.document)
}

/// The document of a place, and the offset in it
fn at<'s>(server: &'s Server, at: &TextDocumentPositionParams) -> Option<(&'s Open, usize)> {
    let open = server.open.get(&name_of(&at.text_document.uri))?;
    Some((open, open.document.offset(at.position)))
}

/// Where a name is given: in the document, or for a rule in any file
fn definitions(server: &Server, open: &Open, offset: usize) -> Vec<Location> {
    let uses = names::names(&open.document.source);
    let Some((one, same)) = names::same(&uses, offset) else { return Vec::new() };
    let given = same.into_iter().filter(|one| one.given);
    let here: Vec<Location> =
        given.map(|one| Location::new(open.uri.clone(), open.document.range(one.span))).collect();
    if !here.is_empty() || one.named != Named::Rule {
        return here;
    }
    let in_open =
        |other: &Open| Some(Location::new(other.uri.clone(), rule(&other.document, &one.name)?));
    let locations: Vec<Location> = server.open.values().filter_map(in_open).collect();
    if !locations.is_empty() {
        return locations;
    }
    let on_disk = |name: &str| {
        let document = Document::new(name, &server.folder.text(name)?, 0);
        let uri = uri::of(std::path::Path::new(name))?;
        Some(Location::new(uri, rule(&document, &one.name)?))
    };
    server.folder.giving(&one.name).filter_map(on_disk).collect()
}

/// The place where a text gives a name or an id to a rule
fn rule(document: &Document, name: &str) -> Option<lsp_types::Range> {
    let uses = names::names(&document.source);
    let is_it =
        |one: &&Use| one.named == Named::Rule && one.given && one.name.eq_ignore_ascii_case(name);
    uses.iter().find(is_it).map(|one| document.range(one.span))
}

fn references(open: &Open, offset: usize) -> Vec<Location> {
    let uses = names::names(&open.document.source);
    let Some((_, same)) = names::same(&uses, offset) else { return Vec::new() };
    let here = |one: &Use| Location::new(open.uri.clone(), open.document.range(one.span));
    same.into_iter().map(here).collect()
}

fn rename(open: &Open, offset: usize, new: &str) -> Result<Option<Value>, Refusal> {
    let uses = names::names(&open.document.source);
    let Some((one, same)) = names::same(&uses, offset) else { return Ok(None) };
    let refuse = |why: String| Err((ErrorCode::RequestFailed, why));
    if one.named == Named::Rule {
        return refuse("the name of a rule may be used in files that are not open".to_owned());
    }
    let new = new.trim_start_matches('$');
    if !names::is_allowed(one.named, new) {
        return refuse(format!(
            "`{new}` cannot be a name here: use lower-case letters, digits and `_`, starting with a letter"
        ));
    }
    let taken = |other: &Use| {
        (other.named, other.scope, other.name.as_str()) == (one.named, one.scope, new)
            && other.given
    };
    if new != one.name && uses.iter().any(taken) {
        return refuse(format!("`{new}` is a name already"));
    }
    let edit = |one: &Use| TextEdit::new(open.document.range(one.span), new.to_owned());
    let edits: Vec<TextEdit> = same.into_iter().map(edit).collect();
    Ok(Some(changes(&open.uri, &edits)))
}

/// Edits of one document; as JSON, for an address is no good key of a map
fn changes(uri: &Uri, edits: &[TextEdit]) -> Value {
    json!({ "changes": { uri.as_str(): edits } })
}

/// The fixes of findings at a place
fn fixes(open: &Open, params: &CodeActionParams) -> Value {
    let document = &open.document;
    let mut actions = Vec::new();
    for finding in &open.found {
        // A finding about an older text would edit the wrong place.
        let current = finding.source.text() == document.text();
        let Some(fix) = finding.fix.as_ref().filter(|_| current) else { continue };
        let range = document.range(finding.primary.span);
        if range.end < params.range.start || params.range.end < range.start {
            continue;
        }
        let edit = |(span, text): &(_, String)| TextEdit::new(document.range(*span), text.clone());
        let edits: Vec<TextEdit> = fix.edits.iter().map(edit).collect();
        let action = CodeAction {
            title: fix.title.clone(),
            kind: Some(CodeActionKind::QUICKFIX),
            diagnostics: Some(vec![check::shown(finding, &open.uri, document)]),
            is_preferred: Some(true),
            edit: Some(WorkspaceEdit::default()),
            ..CodeAction::default()
        };
        let mut action = json!(action);
        action["edit"] = changes(&open.uri, &edits);
        actions.push(action);
    }
    Value::Array(actions)
}
