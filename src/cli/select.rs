//! Which warnings are reported: `--select` and `--ignore`.
//!
//! In: codes and prefixes of codes, such as `W0213,W03`. Out: whether a finding is reported. Errors
//! are always reported: they refuse the rule, and a run that hides the reason would look clean.

use crate::definition::nearest_name;
use crate::diagnostic::{Code, Diagnostic, Severity};

/// Codes or prefixes of codes, in capitals
#[derive(Debug, Clone)]
pub(super) struct Codes(Vec<String>);

impl Codes {
    fn hold(&self, code: Code) -> bool {
        self.0.iter().any(|beginning| code.as_str().starts_with(beginning.as_str()))
    }
}

/// Whether a finding is reported; `--ignore` wins over `--select`
pub(super) fn reported(diagnostic: &Diagnostic, select: &[Codes], ignore: &[Codes]) -> bool {
    let held = |codes: &[Codes]| codes.iter().any(|codes| codes.hold(diagnostic.code));
    // An empty environment variable counts as no selection.
    let selects = select.iter().any(|codes| !codes.0.is_empty());
    diagnostic.severity == Severity::Error || ((!selects || held(select)) && !held(ignore))
}

/// Reads the value of `--select`
pub(super) fn codes(text: &str) -> Result<Codes, String> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    words.map(beginning).collect::<Result<_, _>>().map(Codes)
}

/// Reads the value of `--ignore`; refuses the codes of errors
pub(super) fn warnings(text: &str) -> Result<Codes, String> {
    let codes = codes(text)?;
    match codes.0.iter().find(|beginning| !beginning.starts_with('W')) {
        Some(error) => {
            Err(format!("{error}: errors refuse the rule; only warnings can be ignored"))
        }
        None => Ok(codes),
    }
}

fn beginning(word: &str) -> Result<String, String> {
    let capitals = word.to_ascii_uppercase();
    let names = || Code::ALL.iter().map(|code| code.as_str());
    if names().any(|name| name.starts_with(&capitals)) {
        return Ok(capitals);
    }
    // Suggest codes with the longest common prefix: the number is wrong more often than the stage.
    let shared =
        |name: &str| name.bytes().zip(capitals.bytes()).take_while(|(a, b)| a == b).count();
    let most = names().map(shared).max();
    let hint = match nearest_name(word, names().filter(|name| Some(shared(name)) == most)) {
        Some(near) => format!("did you mean {near}?"),
        None => "`rulecast list codes` shows them all".to_owned(),
    };
    Err(format!("no code begins with `{word}`; {hint}"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::source::{SourceText, Span};

    fn says(code: Code, select: &[&str], ignore: &[&str]) -> bool {
        let source = Arc::new(SourceText::new("a.yml", ""));
        let diagnostic = Diagnostic::new(code, &source, Span::default(), "", "");
        let select: Vec<_> = select.iter().map(|text| codes(text).unwrap()).collect();
        let ignore: Vec<_> = ignore.iter().map(|text| warnings(text).unwrap()).collect();
        reported(&diagnostic, &select, &ignore)
    }

    #[test]
    fn warnings_go_by_their_beginning_and_errors_stay() {
        assert!(says(Code::W0213, &["W02"], &[]));
        assert!(!says(Code::W0304, &["W02,w0213"], &[]));
        assert!(says(Code::W0304, &["W02", "W03"], &[]));
        assert!(!says(Code::W0213, &["W02"], &["w0213"]));
        assert!(says(Code::W0213, &[""], &[""]));
        assert!(says(Code::E0201, &["W02"], &["W"]));
    }

    #[test]
    fn what_cannot_be_is_refused_with_a_reason() {
        assert!(warnings("W0213,E0201").unwrap_err().starts_with("E0201: errors refuse"));
        assert!(codes("W0299").unwrap_err().contains("`W0299`; did you mean W02"));
        assert!(codes("X").unwrap_err().ends_with("shows them all"));
    }
}
