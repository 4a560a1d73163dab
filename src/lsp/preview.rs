//! The command `rulecast.preview`: what a document becomes on a target.
//!
//! In: the address of an open document and the name of a target. Out: the texts of its artifacts, with
//! their paths, and what is lost or refused.

use lsp_server::ErrorCode;
use lsp_types::{ExecuteCommandParams, Uri};
use serde_json::{Value, json};

use super::{Refusal, Server, name_of};
use crate::backend::Target;
use crate::definition::{Looked, nearest_name};
use crate::diagnostic::concise;
use crate::workspace::Kept;

/// The name of the command
pub(super) const COMMAND: &str = "rulecast.preview";

pub(super) fn run(server: &Server, params: &ExecuteCommandParams) -> Result<Value, Refusal> {
    let refuse = |why: String| (ErrorCode::InvalidParams, why);
    if params.command != COMMAND {
        return Err(refuse(format!("there is no command `{}`", params.command)));
    }
    let argument = |at: usize| params.arguments.get(at).and_then(Value::as_str);
    let (Some(uri), Some(target)) = (argument(0), argument(1)) else {
        return Err(refuse(format!("`{COMMAND}` takes an address and the name of a target")));
    };
    let uri: Uri = uri.parse().map_err(|_| refuse(format!("`{uri}` is no address")))?;
    let Some(target) = Target::named(target) else {
        let near = nearest_name(target, Target::ALL.iter().map(|one| one.name()));
        let near = near.map_or(String::new(), |near| format!("; did you mean `{near}`?"));
        return Err(refuse(format!("no target is called `{target}`{near}")));
    };
    let name = name_of(&uri);
    if !server.open.contains_key(&name) {
        return Err(refuse(format!("{} is not open", uri.as_str())));
    }
    let mut workspace = server.folder.workspace(&name, &server.texts());
    let (outputs, _) = workspace.outputs(&[target], Kept::Artifacts);
    let outputs = outputs.iter().map(|one| json!({ "path": one.path, "text": one.text }));
    let outputs: Vec<Value> = outputs.collect();
    let mut diagnostics = workspace.findings(Looked::InPart);
    diagnostics.retain(|one| one.source.name() == name);
    let findings: Vec<String> = diagnostics.iter().map(concise).collect();
    Ok(json!({ "target": target.name(), "outputs": outputs, "findings": findings }))
}
