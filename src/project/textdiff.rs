//! How two texts differ, line by line.
//!
//! In: a text before and after. Out: the lines that went and came, or a unified diff as `git apply` takes it.
//! The crate `similar` compares; this is the one file that knows it.

use similar::{ChangeTag, TextDiff};

/// A line that one text has and the other has not
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The number of the line in its text, from 1
    pub line: usize,
    /// The line, without its line break
    pub text: String,
    /// Whether the text after has it
    pub is_new: bool,
}

/// The lines that differ, in order
pub fn edits(before: &str, after: &str) -> Vec<Edit> {
    let diff = TextDiff::from_lines(before, after);
    let edit = |change: similar::Change<&str>| {
        let (at, is_new) = match change.tag() {
            ChangeTag::Equal => return None,
            ChangeTag::Delete => (change.old_index(), false),
            ChangeTag::Insert => (change.new_index(), true),
        };
        let text = change.value().trim_end_matches(['\r', '\n']).to_owned();
        Some(Edit { line: at? + 1, text, is_new })
    };
    diff.iter_all_changes().filter_map(edit).collect()
}

/// The edits of a file as a unified diff; empty for the same text
pub fn unified(name: &str, before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    let diff = TextDiff::from_lines(before, after);
    let (old, new) = (format!("a/{name}"), format!("b/{name}"));
    diff.unified_diff().context_radius(3).header(&old, &new).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_differ_have_their_numbers() {
        let changed = edits("a\nb\nc\n", "a\nB\nc\nd\n");
        let told: Vec<_> = changed.iter().map(|one| (one.line, &*one.text, one.is_new)).collect();
        assert_eq!(told, [(2, "b", false), (2, "B", true), (4, "d", true)]);
        assert_eq!(unified("x", "a\n", "a\n"), "");
        assert_eq!(unified("x", "a\n", "b\n"), "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-a\n+b\n");
    }
}
