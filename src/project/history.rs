//! The days on which the dates and the versions of rules changed, from git.
//!
//! In: the names of files of rules. Out: for each file the changes of its lines `modified:`, `version:` and
//! `date:`, the last first. One run of git reads the history of all files. A file that was renamed has the
//! history of its name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::revision::git;
use super::{Failure, absolute};

/// A day on which the date or the version of a rule changed
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dated {
    /// The day of the commit
    pub day: String,
    /// The lines that came, such as `modified: 2026-11-21`
    pub lines: Vec<String>,
    /// The first line of its message
    pub subject: String,
}

/// What begins the lines whose changes are read
const KEYS: [&str; 3] = ["modified:", "version:", "date:"];

/// Reads the history of files
///
/// # Errors
/// When git cannot tell it, as outside of a repository.
pub fn history(files: &BTreeSet<&str>) -> Result<BTreeMap<String, Vec<Dated>>, Failure> {
    let failed = |why: std::io::Error| Failure::new(format!("git: {why}"));
    let top = git(&["rev-parse", "--show-toplevel"]).map_err(failed)?;
    let top = PathBuf::from(String::from_utf8_lossy(&top).trim_end_matches(['\r', '\n']));
    let below = |file: &&str| -> Option<(String, String)> {
        let path = Path::new(file);
        let inner = absolute(path);
        let inner = match inner.strip_prefix(&top) {
            Ok(inner) => inner.to_owned(),
            Err(_) => path.canonicalize().ok()?.strip_prefix(&top).ok()?.to_owned(),
        };
        Some((super::display(&inner), (*file).to_owned()))
    };
    let names: BTreeMap<String, String> = files.iter().filter_map(below).collect();
    let log = git(&[
        "-c",
        "core.quotePath=false",
        "log",
        "--format=%x01%cs%x02%s",
        "--patch",
        "--unified=0",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--no-renames",
        "--no-prefix",
        "-G^(modified|version|date):",
        "--",
        ":(top,glob)**/*.yml",
        ":(top,glob)**/*.yaml",
    ]);
    Ok(read(&String::from_utf8_lossy(&log.map_err(failed)?), &names))
}

/// Reads the answer of git; `names` are the files by their paths in the repository
fn read(log: &str, names: &BTreeMap<String, String>) -> BTreeMap<String, Vec<Dated>> {
    let mut all: BTreeMap<String, Vec<Dated>> = BTreeMap::new();
    // A text of a rule cannot begin a commit: its lines begin with `+`, `-` or a blank.
    for commit in log.split("\n\u{1}").map(|one| one.trim_start_matches('\u{1}')) {
        let (head, patch) = commit.split_once('\n').unwrap_or((commit, ""));
        let Some((day, subject)) = head.split_once('\u{2}') else { continue };
        let (mut file, mut is_head) = (None, true);
        for line in patch.lines() {
            if line.starts_with("diff --git ") {
                (file, is_head) = (None, true);
            } else if line.starts_with("@@ ") {
                is_head = false;
            } else if let Some(name) = line.strip_prefix("+++ ").filter(|_| is_head) {
                file = names.get(name.trim_end_matches('\t'));
            } else if let (Some(file), Some(came)) = (file, line.strip_prefix('+'))
                && KEYS.iter().any(|key| came.starts_with(key))
            {
                add(all.entry(file.clone()).or_default(), (day, subject), came.trim_end());
            }
        }
    }
    all
}

fn add(changes: &mut Vec<Dated>, (day, subject): (&str, &str), line: &str) {
    match changes.last_mut() {
        Some(last) if last.day == day && last.subject == subject => {
            last.lines.push(line.to_owned())
        }
        _ => changes.push(Dated {
            day: day.to_owned(),
            lines: vec![line.to_owned()],
            subject: subject.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_that_came_are_read_by_file_and_commit() {
        let log = "\u{1}2026-11-21\u{2}Tune it\n\ndiff --git rules/a.yml rules/a.yml\n--- rules/a.yml\n+++ \
                   rules/a.yml\n@@ -3 +3 @@\n-modified: 2026-01-01\n+modified: 2026-11-21\n++++ x\n\
                   \n\u{1}2026-01-01\u{2}Add it\n\ndiff --git rules/a.yml rules/a.yml\n+++ rules/a.yml\n@@ -0,0 +1 \
                   @@\n+date: 2026-01-01\n+title: x\n";
        let names = BTreeMap::from([("rules/a.yml".to_owned(), "a.yml".to_owned())]);
        let all = read(log, &names);
        let said: Vec<_> = all["a.yml"].iter().map(|one| (&*one.day, &*one.lines[0])).collect();
        assert_eq!(
            said,
            [("2026-11-21", "modified: 2026-11-21"), ("2026-01-01", "date: 2026-01-01")]
        );
        assert_eq!(all["a.yml"][0].subject, "Tune it");
    }
}
