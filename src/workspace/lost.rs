//! Filters that were lost with their text.
//!
//! In: texts that are no YAML, or no text at all, and in which a filter stood. Out: the rules for
//! which it may be meant are refused, with a finding: without it they would report what it is there
//! to leave out.

use std::sync::Arc;

use crate::definition::{Definition, Form};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::Rule;
use crate::source::{SourceText, Span};

/// Refuses the rules that a lost filter mentions by id or name, or all rules if it mentions none
pub(super) fn refuse(
    texts: &[Arc<SourceText>],
    definitions: &[&Definition],
    rules: &mut [Option<Rule>],
    diagnostics: &mut Diagnostics,
) {
    for source in texts {
        let text = source.text();
        let mentioned = |at: &usize| {
            let metadata = &definitions[*at].metadata;
            [&metadata.id, &metadata.name, &metadata.family]
                .into_iter()
                .flatten()
                .any(|one| text.contains(&one.value))
        };
        // A filter for any rule may hold the id of another rule elsewhere.
        let for_any = text.split(|c: char| !c.is_alphanumeric()).any(|word| word == "any");
        let named: Vec<usize> = (0..definitions.len()).filter(mentioned).collect();
        let all = || (0..definitions.len()).collect();
        let meant: Vec<usize> = if named.is_empty() || for_any { all() } else { named };
        let is_filter = |at: usize| definitions[at].form == Form::Filter;
        let mut refused = 0;
        for at in meant.into_iter().filter(|at| !is_filter(*at)) {
            refused += usize::from(rules[at].take().is_some());
        }
        if refused > 0 {
            let rules = if refused == 1 { "1 rule is" } else { &format!("{refused} rules are") };
            let message = format!("a filter here cannot be read, so {rules} refused");
            let label = "would report what it leaves out";
            diagnostics.push(Diagnostic::new(Code::E0414, source, Span::new(0, 0), message, label));
        }
    }
}
