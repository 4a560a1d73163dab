//! Suppressions: `# allow[W0213]: reason` lets a warning stand.
//!
//! In: the comments of a file. Out: [`Suppressions`], each of one code on one line, and an error
//! for every malformed suppression. A comment after YAML text applies to its own line. A comment
//! on a line of its own, or a stack of such lines, applies to the line below.
//!
//! INVARIANT: an error is never suppressed.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::nearest_name;
use crate::diagnostic::{Code, Diagnostic, Diagnostics, Severity};
use crate::source::{SourceText, Span, Spanned};

/// The warnings that comments allow, by file, line and code
#[derive(Debug, Clone, Default)]
pub struct Suppressions(Vec<Suppression>);

/// One code that a comment suppresses on one line
#[derive(Debug, Clone)]
struct Suppression {
    source: Arc<SourceText>,
    code: Spanned<Code>,
    /// The number of the line whose warnings it allows
    line: usize,
    /// The comment to delete if this is unused; `None` when it names other codes as well
    comment: Option<Span>,
}

/// Whether the run made every check
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Looked {
    /// Every check was made: a suppression without its warning is unused
    Everywhere,
    /// Some checks were skipped: a suppression without its warning may still be needed
    InPart,
}

impl Suppressions {
    /// Reads the suppressions of a file
    pub fn read(source: &Arc<SourceText>, diagnostics: &mut Diagnostics) -> Self {
        if !may_hold_one(source.text()) {
            return Suppressions::default();
        }
        let mut suppressions = Vec::new();
        // Last comment first: stacked comment lines all apply to the line below the stack.
        let mut below: Option<(usize, usize)> = None;
        for span in crate::yaml::comments(source).into_iter().rev() {
            let (own, _) = source.line_column(span.start);
            let head = &source.text()[..span.start as usize];
            let alone = head[head.rfind('\n').map_or(0, |at| at + 1)..].trim().is_empty();
            let about = match below {
                _ if !alone => own,
                Some((line, about)) if line == own + 1 => about,
                _ => own + 1,
            };
            if alone {
                below = Some((own, about));
            }
            suppressions.extend(read(source, span, alone, about, diagnostics));
        }
        Suppressions(suppressions)
    }

    /// Adds the suppressions of another file
    pub fn extend(&mut self, other: Suppressions) {
        self.0.extend(other.0);
    }

    /// Removes the suppressed warnings and reports unused suppressions
    pub fn apply(&self, diagnostics: &mut Diagnostics, looked: Looked) {
        if self.0.is_empty() {
            return;
        }
        let mut by_place: HashMap<(&str, usize, Code), Vec<usize>> = HashMap::new();
        for (at, one) in self.0.iter().enumerate() {
            by_place.entry((one.source.name(), one.line, one.code.value)).or_default().push(at);
        }
        let mut used = vec![false; self.0.len()];
        let mut refused: HashSet<String> = HashSet::new();
        diagnostics.retain(|diagnostic| {
            if diagnostic.severity == Severity::Error {
                refused.insert(diagnostic.source.name().to_owned());
                return true;
            }
            let (line, _) = diagnostic.source.line_column(diagnostic.primary.span.start);
            let mine = by_place.get(&(diagnostic.source.name(), line, diagnostic.code));
            mine.into_iter().flatten().for_each(|at| used[*at] = true);
            mine.is_none()
        });
        if looked == Looked::InPart {
            return;
        }
        for (one, used) in self.0.iter().zip(used) {
            // After an error, later stations skip the rule, so its warnings may be missing.
            if !used && !refused.contains(one.source.name()) && !across_files(one.code.value) {
                diagnostics.push(unused(one));
            }
        }
    }
}

/// Whether a warning depends on the other files of the run
fn across_files(code: Code) -> bool {
    matches!(code, Code::W0806 | Code::W0807)
}

fn unused(one: &Suppression) -> Diagnostic {
    let message = format!("unused suppression of `{}`", one.code.value);
    let label = format!("no such warning on line {}", one.line);
    let diagnostic = Diagnostic::new(Code::W0120, &one.source, one.code.span, message, label);
    match one.comment {
        Some(comment) => diagnostic.delete(comment),
        None => diagnostic.help("Take the code out of the comment."),
    }
}

/// Whether the text may hold a suppression; only then are its comments read, by a second parse
fn may_hold_one(text: &str) -> bool {
    // Leaves out the first letter of `allow`, which may be a capital.
    let mut words = text.match_indices("llow");
    words.any(|(at, word)| text[at + word.len()..].trim_start_matches([' ', '\t']).starts_with('['))
}

/// The suppressions in a comment; empty for an ordinary comment
fn read(
    source: &Arc<SourceText>,
    comment: Span,
    alone: bool,
    line: usize,
    diagnostics: &mut Diagnostics,
) -> Vec<Suppression> {
    let text = source.slice(comment);
    let Some(list) = after_allow(text) else { return Vec::new() };
    let wrong = |span: Span, message: String, label: &str| {
        let diagnostic = Diagnostic::new(Code::E0119, source, span, message, label);
        diagnostic.help("Write `# allow[W0213]: reason`.")
    };
    let Some((codes, rest)) = text[list..].split_once(']') else {
        let message = "a suppression without its codes".to_owned();
        diagnostics.push(wrong(comment, message, "the bracket stays open"));
        return Vec::new();
    };
    let reason = rest.trim_start().strip_prefix(':').unwrap_or_default().trim();
    if reason.is_empty() {
        let message = "a suppression without a reason".to_owned();
        diagnostics.push(wrong(comment, message, "why may the warning stand?"));
    }
    let only = !codes.contains(',');
    let delete = only.then(|| with_blanks(source, comment, alone));
    let mut suppressions = Vec::new();
    let mut at = comment.start as usize + list;
    for written in codes.split(',') {
        let start = at + written.len() - written.trim_start().len();
        at += written.len() + 1;
        let name = written.trim();
        let span = Span::new(start as u32, (start + name.len()) as u32);
        match Code::named(name) {
            Some(code) if code.severity() == Severity::Warning => suppressions.push(Suppression {
                source: Arc::clone(source),
                code: Spanned::new(code, span),
                line,
                comment: delete,
            }),
            Some(code) => {
                let message = format!("`{code}` cannot be suppressed");
                diagnostics.push(wrong(span, message, "errors refuse the rule"));
            }
            None => {
                let diagnostic = wrong(span, format!("no code is called `{name}`"), "unknown");
                let warnings = Code::ALL.iter().filter(|c| c.severity() == Severity::Warning);
                diagnostics.push(match nearest_name(name, warnings.map(|code| code.as_str())) {
                    Some(near) => diagnostic.replace(span, near),
                    None => diagnostic,
                });
            }
        }
    }
    suppressions
}

/// The offset of the list of codes in a comment that starts with `allow[`
fn after_allow(comment: &str) -> Option<usize> {
    let words = comment.trim_start_matches('#').trim_start();
    let (allow, rest) = words.split_at_checked("allow".len())?;
    let list = rest.trim_start().strip_prefix('[')?;
    allow.eq_ignore_ascii_case("allow").then(|| comment.len() - list.len())
}

/// The span to delete: the comment's whole line if it stands alone, else it and blanks before it
fn with_blanks(source: &SourceText, comment: Span, alone: bool) -> Span {
    let text = source.text();
    let (start, end) = (comment.start as usize, comment.end as usize);
    let blanks = start - text[..start].trim_end_matches([' ', '\t']).len();
    let line_break = match alone {
        true => text[end..].find('\n').map_or(0, |at| at + 1),
        false => 0,
    };
    Span::new((start - blanks) as u32, (end + line_break) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RULE: &str = "\
# allow[W0213]: one
# an ordinary remark
# allow[W0304, W0215]: two
a: 1
b: '# allow[W0213]: text' # allow[w0221]: three

# allow[W0222]: nothing below

c: 1
";

    fn lines(text: &str) -> (Vec<(Code, usize)>, usize) {
        let source = Arc::new(SourceText::new("a.yml", text));
        let mut diagnostics = Diagnostics::default();
        let all = Suppressions::read(&source, &mut diagnostics);
        let mut lines: Vec<_> = all.0.iter().map(|one| (one.code.value, one.line)).collect();
        lines.sort_unstable();
        (lines, diagnostics.len())
    }

    #[test]
    fn a_comment_is_about_its_line_or_the_next() {
        let wanted = [(Code::W0213, 4), (Code::W0215, 4), (Code::W0304, 4), (Code::W0221, 5)];
        let (mut allowed, wrong) = lines(RULE);
        allowed.sort_by_key(|(code, line)| (*line, *code));
        assert_eq!((&allowed[..4], allowed[4], wrong), (&wanted[..], (Code::W0222, 8), 0));
    }

    #[test]
    fn a_suppression_says_which_and_why() {
        for text in [
            "# allow[W0213]\na: 1\n",
            "# allow[W0213]:\na: 1\n",
            "# Allow [E0201]: why\na: 1\n",
            "# allow[]: why\na: 1\n",
            "# allow[W0213: why\na: 1\n",
            "# allow[W9999]: why\na: 1\n",
        ] {
            assert_eq!(lines(text).1, 1, "{text}");
        }
        assert_eq!(lines("# allowed [by hand]\na: 1 # allowlist[0]\n"), (Vec::new(), 0));
    }
}
