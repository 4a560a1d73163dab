//! The module of the native matchers.
//!
//! In: outputs. Out: `mod.rs` beside the matchers, which makes one crate's module of them.

use super::output::target_of;
use super::{Output, Workspace};
use crate::backend::Target;
use crate::backend::native::module;
use crate::backend::template::Failed;
use crate::ir::Rule;

impl Workspace {
    /// The module of the matchers among these outputs; `None` when its template has a mistake, which is reported
    ///
    /// It belongs to the rule of the first matcher.
    ///
    /// # Errors
    /// When there is no matcher, or a rule has taken the path.
    pub fn native_module(&mut self, outputs: &[Output]) -> Result<Option<Output>, String> {
        let folder = format!("{}/", Target::Native.name());
        let path = format!("{folder}mod.rs");
        let is_matcher = |output: &&Output| {
            target_of(&output.path) == Some(Target::Native) && output.path.ends_with(".rs")
        };
        let matchers: Vec<(usize, &str)> = outputs
            .iter()
            .filter(is_matcher)
            .filter_map(|output| Some((output.rule, output.path.strip_prefix(&folder)?)))
            .collect();
        let Some((first, _)) = matchers.first() else {
            return Err("no rule is emitted for native".to_owned());
        };
        if outputs.iter().any(|output| output.path == path) {
            return Err(format!("a rule writes {path} by itself: give its file another name"));
        }
        // INVARIANT: a rule that cannot be reduced is refused, and has no output.
        let emitted = matchers.iter().filter_map(|(rule, path)| {
            let rule = self.rules[*rule].rule.of_target(Target::Native.name()).ok()?;
            Some((rule, *path))
        });
        let emitted: Vec<(Rule, &str)> = emitted.collect();
        let of_rules: Vec<(&Rule, &str)> =
            emitted.iter().map(|(rule, path)| (rule, *path)).collect();
        match module(&of_rules, &self.policy.templates) {
            Ok(text) => Ok(Some(Output { path, text, ids: Vec::new(), rule: *first })),
            Err(Failed::Theirs(diagnostic)) => {
                self.diagnostics.push(*diagnostic);
                Ok(None)
            }
            Err(Failed::Ours(why)) => Err(format!("a template failed, which is a bug: {why}")),
        }
    }
}
