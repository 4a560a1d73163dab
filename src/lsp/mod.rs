//! The language server: what an editor asks about rules.
//!
//! In: messages of the Language Server Protocol. Out: findings as the author types, with their fixes,
//! and answers about the word at the cursor. It stands on the same pipeline as the command line: what
//! it says about a text is what `check` says about it.
//!
//! INVARIANT: the server keeps open documents and the files of the folder, nothing else; a document
//! that is closed is dropped.

mod check;
mod complete;
mod folder;
mod hover;
mod names;
mod outline;
mod preview;
mod requests;
mod resolve;
mod symbols;
mod text;
mod uri;

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::PathBuf;
use std::sync::Arc;

use lsp_server::{Connection, ErrorCode, Message, Notification, Request, Response};
use lsp_types::notification::{
    DidChangeTextDocument, DidChangeWatchedFiles, DidCloseTextDocument, DidOpenTextDocument,
    DidSaveTextDocument, Notification as _, PublishDiagnostics,
};
use lsp_types::{
    CodeActionKind, CodeActionOptions, CodeActionProviderCapability, CompletionOptions,
    DidChangeTextDocumentParams, DidChangeWatchedFilesParams, DidCloseTextDocumentParams,
    DidOpenTextDocumentParams, DidSaveTextDocumentParams, ExecuteCommandOptions,
    FoldingRangeProviderCapability, HoverProviderCapability, InitializeParams, OneOf,
    PublishDiagnosticsParams, RenameOptions, ServerCapabilities, TextDocumentSyncCapability,
    TextDocumentSyncKind, Uri,
};
use serde::de::DeserializeOwned;

use crate::diagnostic::Diagnostic;
use crate::project;
use crate::source::SourceText;
use folder::Folder;
use text::Document;

/// Why the server ended early
pub type Failure = Box<dyn Error + Send + Sync>;

/// A document that the editor has open
#[derive(Debug)]
struct Open {
    uri: Uri,
    document: Document,
    /// The findings about the text as it was when they were made
    found: Vec<Diagnostic>,
}

/// What the server knows
#[derive(Debug, Default)]
struct Server {
    folder: Folder,
    /// Open documents by the name that findings have for them: the path, or the address
    open: BTreeMap<String, Open>,
    /// The open documents whose findings are out of date
    changed: BTreeSet<String>,
}

/// Answers an editor until it asks to end
///
/// # Errors
/// When a message is none of the protocol, or the connection breaks.
pub fn serve(connection: &Connection) -> Result<(), Failure> {
    let (id, params) = connection.initialize_start()?;
    let params: InitializeParams = serde_json::from_value(params)?;
    let about = serde_json::json!({
        "capabilities": capabilities(),
        "serverInfo": { "name": "rulecast", "version": env!("CARGO_PKG_VERSION") },
    });
    connection.initialize_finish(id, about)?;
    let root = root(&params);
    let folder = root.as_deref().map_or_else(Folder::default, Folder::open);
    let mut server = Server { folder, ..Server::default() };
    if watches(&params) {
        connection.sender.send(watch().into())?;
    }
    while let Ok(first) = connection.receiver.recv() {
        let mut next = Some(first);
        // While more is to come, only the last state of a document is worth a check.
        while let Some(message) = next {
            match message {
                Message::Request(request) => {
                    if connection.handle_shutdown(&request)? {
                        return Ok(());
                    }
                    connection.sender.send(server.answer(request).into())?;
                }
                Message::Notification(notification) => {
                    if let Some(published) = server.take(notification) {
                        connection.sender.send(published.into())?;
                    }
                }
                Message::Response(_) => {}
            }
            next = connection.receiver.try_recv().ok();
        }
        for published in server.check() {
            connection.sender.send(published.into())?;
        }
    }
    Ok(())
}

fn capabilities() -> ServerCapabilities {
    ServerCapabilities {
        text_document_sync: Some(TextDocumentSyncCapability::Kind(
            TextDocumentSyncKind::INCREMENTAL,
        )),
        hover_provider: Some(HoverProviderCapability::Simple(true)),
        completion_provider: Some(CompletionOptions {
            trigger_characters: Some(["|", "$", " ", "."].map(ToOwned::to_owned).to_vec()),
            ..CompletionOptions::default()
        }),
        definition_provider: Some(OneOf::Left(true)),
        references_provider: Some(OneOf::Left(true)),
        rename_provider: Some(OneOf::Right(RenameOptions {
            prepare_provider: Some(true),
            work_done_progress_options: lsp_types::WorkDoneProgressOptions::default(),
        })),
        document_symbol_provider: Some(OneOf::Left(true)),
        folding_range_provider: Some(FoldingRangeProviderCapability::Simple(true)),
        code_action_provider: Some(CodeActionProviderCapability::Options(CodeActionOptions {
            code_action_kinds: Some(vec![CodeActionKind::QUICKFIX]),
            ..CodeActionOptions::default()
        })),
        execute_command_provider: Some(ExecuteCommandOptions {
            commands: vec![preview::COMMAND.to_owned()],
            ..ExecuteCommandOptions::default()
        }),
        ..ServerCapabilities::default()
    }
}

/// Whether the editor can tell of changes on disk when it is asked to
fn watches(params: &InitializeParams) -> bool {
    let workspace = params.capabilities.workspace.as_ref();
    let files = workspace.and_then(|workspace| workspace.did_change_watched_files);
    files.and_then(|files| files.dynamic_registration).unwrap_or(false)
}

/// Asks the editor to tell of changes of rules on disk
fn watch() -> Request {
    let params = serde_json::json!({ "registrations": [{
        "id": "rules",
        "method": DidChangeWatchedFiles::METHOD,
        "registerOptions": { "watchers": [{ "globPattern": "**/*.{yml,yaml}" }] },
    }] });
    Request::new("watch".to_owned().into(), "client/registerCapability".to_owned(), params)
}

/// The folder that the editor has opened
fn root(params: &InitializeParams) -> Option<PathBuf> {
    let first = params.workspace_folders.as_ref().and_then(|folders| folders.first());
    // Older editors know one folder only.
    #[allow(deprecated)]
    let root = first.map(|folder| &folder.uri).or(params.root_uri.as_ref());
    uri::path(root?)
}

/// The name of a document in findings
fn name_of(uri: &Uri) -> String {
    uri::path(uri).map_or_else(|| uri.as_str().to_owned(), |path| project::display(&path))
}

impl Server {
    /// The texts of open documents
    fn texts(&self) -> BTreeMap<String, Arc<SourceText>> {
        let texts = self.open.iter();
        texts.map(|(name, open)| (name.clone(), Arc::clone(&open.document.source))).collect()
    }

    /// Takes a change of the editor's documents; returns what is to be sent at once
    fn take(&mut self, notification: Notification) -> Option<Notification> {
        let Notification { method, params } = notification;
        match method.as_str() {
            DidOpenTextDocument::METHOD => {
                let DidOpenTextDocumentParams { text_document: opened } = read(params)?;
                let name = name_of(&opened.uri);
                let document = Document::new(&name, &opened.text, opened.version);
                self.changed.insert(name.clone());
                self.open.insert(name, Open { uri: opened.uri, document, found: Vec::new() });
            }
            DidChangeTextDocument::METHOD => {
                let DidChangeTextDocumentParams { text_document, content_changes } = read(params)?;
                let name = name_of(&text_document.uri);
                let open = self.open.get_mut(&name)?;
                open.document.edit(&content_changes, text_document.version);
                self.changed.insert(name);
            }
            DidSaveTextDocument::METHOD => {
                let DidSaveTextDocumentParams { text_document, .. } = read(params)?;
                self.on_disk(&text_document.uri);
            }
            DidCloseTextDocument::METHOD => {
                let DidCloseTextDocumentParams { text_document } = read(params)?;
                let name = name_of(&text_document.uri);
                self.changed.remove(&name);
                self.open.remove(&name)?;
                self.on_disk(&text_document.uri);
                return Some(published(text_document.uri, Vec::new(), None));
            }
            DidChangeWatchedFiles::METHOD => {
                let DidChangeWatchedFilesParams { changes } = read(params)?;
                changes.iter().for_each(|change| self.on_disk(&change.uri));
            }
            _ => {}
        }
        None
    }

    /// A file has changed on disk: others may depend on it
    fn on_disk(&mut self, uri: &Uri) {
        if let Some(path) = uri::path(uri) {
            self.folder.refresh(&path);
            self.changed.extend(self.open.keys().cloned());
        }
    }

    /// Checks the documents that have changed
    fn check(&mut self) -> Vec<Notification> {
        let changed = std::mem::take(&mut self.changed);
        let mut all = Vec::new();
        let texts = self.texts();
        for name in changed {
            let findings = check::findings(&self.folder, &name, &texts);
            let Some(open) = self.open.get_mut(&name) else { continue };
            let shown = findings.iter().map(|one| check::shown(one, &open.uri, &open.document));
            let shown = shown.collect();
            all.push(published(open.uri.clone(), shown, Some(open.document.version)));
            open.found = findings;
        }
        all
    }

    fn answer(&self, request: Request) -> Response {
        let id = request.id.clone();
        match requests::answer(self, request) {
            Ok(value) => Response::new_ok(id, value),
            Err((code, why)) => Response::new_err(id, code as i32, why),
        }
    }
}

fn published(
    uri: Uri,
    diagnostics: Vec<lsp_types::Diagnostic>,
    version: Option<i32>,
) -> Notification {
    let params = PublishDiagnosticsParams { uri, diagnostics, version };
    Notification::new(PublishDiagnostics::METHOD.to_owned(), params)
}

/// The parameters of a notification; one that cannot be read is passed over, as the protocol asks
fn read<T: DeserializeOwned>(params: serde_json::Value) -> Option<T> {
    serde_json::from_value(params).ok()
}

/// Why a request has no answer
type Refusal = (ErrorCode, String);
