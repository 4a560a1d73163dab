//! Where in a document the cursor stands, found without reading the YAML.
//!
//! In: a text, which may be in the middle of a change, and an offset. Out: a [`Context`]: the keys
//! above the cursor, and whether a key or a value is written there. Lines and their indentation tell;
//! a flow collection is read on the line of the cursor only.

use super::text::Document;

/// The place of the cursor
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Context {
    /// The keys above, the outermost first
    pub(super) path: Vec<String>,
    /// The key of the value that is written; `None` where a key is written
    pub(super) key: Option<String>,
    /// The text of the key or value before the cursor
    pub(super) before: String,
    /// The lines of the YAML document that holds the cursor
    pub(super) lines: std::ops::Range<usize>,
}

/// A line that has a key, or is an item
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// The keys above
    pub(super) path: Vec<String>,
    /// Its key; empty for an item without one
    pub(super) key: String,
    /// Its value on the same line
    pub(super) value: String,
}

/// The place of an offset
pub(super) fn context(document: &Document, offset: usize) -> Context {
    let (line, start) = document.line_at(offset);
    let lines = around(document, line);
    let head = document.text().get(start..offset).unwrap_or("");
    let (indent, rest) = item(head);
    let mut path = above(document, line, lines.start, indent);
    let mut key = None;
    let mut before = rest.trim_start();
    if let Some((own, value)) = split(before) {
        key = Some(own.to_owned());
        before = value.trim_start();
    }
    // Each open bracket of a flow collection leads one level down.
    while let Some((bracket, inside)) = opened(before) {
        before = current(inside);
        if bracket == '{' {
            path.extend(key.take());
            if let Some((own, value)) = split(before) {
                key = Some(own.to_owned());
                before = value.trim_start();
            }
        }
    }
    Context { path, key, before: before.to_owned(), lines }
}

/// The lines of the YAML document around a line
fn around(document: &Document, line: usize) -> std::ops::Range<usize> {
    let is_end = |number: &usize| document.line(*number).starts_with("---");
    let start = (0..=line).rev().find(is_end).map_or(0, |number| number + 1);
    let end = (line + 1..document.line_count()).find(is_end).unwrap_or(document.line_count());
    start.min(line)..end
}

/// Every line of a document that has a key or is an item
pub(super) fn outline(document: &Document, lines: std::ops::Range<usize>) -> Vec<Line> {
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut all = Vec::new();
    for number in lines {
        let line = document.line(number).trim_end();
        if line.trim_start().starts_with('#') || line.trim().is_empty() {
            continue;
        }
        let (indent, rest) = item(line);
        open.retain(|(of, _)| *of < indent);
        let path = open.iter().map(|(_, key)| key.clone()).collect();
        let (key, value) = split(rest).unwrap_or(("", rest));
        all.push(Line { path, key: key.to_owned(), value: bare(value) });
        if !key.is_empty() {
            open.push((indent, key.to_owned()));
        }
    }
    all
}

/// A value without quotes and remark
fn bare(value: &str) -> String {
    let value = value.split(" #").next().unwrap_or("").trim();
    value.trim_matches(['\'', '"']).to_owned()
}

/// The keys above a line, the outermost first
fn above(document: &Document, line: usize, first: usize, indent: usize) -> Vec<String> {
    let mut path = Vec::new();
    let mut least = indent;
    for number in (first..line).rev() {
        let text = document.line(number).trim_end();
        if least == 0 {
            break;
        }
        if text.trim().is_empty() || text.trim_start().starts_with('#') {
            continue;
        }
        let (own, rest) = item(text);
        if own < least
            && let Some((key, _)) = split(rest)
        {
            path.push(key.to_owned());
            least = own;
        }
    }
    path.reverse();
    path
}

/// The column of what a line says, doubled, and that: behind the dashes of list items
///
/// An item without a key counts from its dash, half a level below a key in the same column: YAML lets
/// the items of a key stand there.
fn item(line: &str) -> (usize, &str) {
    let trimmed = line.trim_start_matches(' ');
    let dash = line.len() - trimmed.len();
    let mut rest = trimmed;
    while let Some(inner) = rest.strip_prefix('-').filter(|r| r.is_empty() || r.starts_with(' ')) {
        rest = inner.trim_start_matches(' ');
    }
    match split(rest) {
        None if rest.len() < trimmed.len() => (2 * dash + 1, rest),
        _ => (2 * (line.len() - rest.len()), rest),
    }
}

/// The key and the value of `key: value`
fn split(text: &str) -> Option<(&str, &str)> {
    if text.starts_with(['{', '[', '#']) {
        return None;
    }
    let (key, value) = match text.split_once(": ") {
        Some(parts) => parts,
        None => (text.trim_end().strip_suffix(':')?, ""),
    };
    Some((key.trim().trim_matches(['\'', '"']), value))
}

/// The last entry of an open collection: what stands behind its last comma
fn current(inside: &str) -> &str {
    let (mut depth, mut start) = (0usize, 0);
    for (at, c) in unquoted(inside) {
        match c {
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => start = at + 1,
            _ => {}
        }
    }
    inside[start..].trim_start()
}

/// The first bracket that is not closed again, and what stands behind it
fn opened(text: &str) -> Option<(char, &str)> {
    let mut open: Vec<(char, usize)> = Vec::new();
    for (at, c) in unquoted(text) {
        match c {
            '{' | '[' => open.push((c, at)),
            '}' | ']' => drop(open.pop()),
            _ => {}
        }
    }
    let (bracket, at) = *open.first()?;
    Some((bracket, &text[at + 1..]))
}

/// The characters outside of quotes, with their offsets
fn unquoted(text: &str) -> impl Iterator<Item = (usize, char)> {
    let mut quote = None;
    text.char_indices().filter(move |(_, c)| match quote {
        Some(of) if of == *c => {
            quote = None;
            false
        }
        Some(_) => false,
        None if matches!(c, '\'' | '"') => {
            quote = Some(*c);
            false
        }
        None => true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> (String, Option<String>, String) {
        let offset = text.find('^').unwrap();
        let document = Document::new("a.yml", &text.replace('^', ""), 1);
        let here = context(&document, offset);
        (here.path.join("/"), here.key, here.before)
    }

    #[test]
    fn the_keys_above_tell_the_place() {
        let text = "title: a\nsignals:\n  one:\n    event: process_creation\n    par^\n";
        assert_eq!(at(text), ("signals/one".into(), None, "par".into()));
        let text = "signals:\n  one:\n    event: proc^\n";
        assert_eq!(at(text), ("signals/one".into(), Some("event".into()), "proc".into()));
        let text = "attack:\n  - T15^\n";
        assert_eq!(at(text), ("attack".into(), None, "T15".into()));
        let text = "attack:\n- T15^\n";
        assert_eq!(at(text), ("attack".into(), None, "T15".into()));
        let text = "tests:\n  - name: a\n    sig^\n";
        assert_eq!(at(text), ("tests".into(), None, "sig".into()));
        let text = "tests:\n- name: a\n  signal: b^\n";
        assert_eq!(at(text), ("tests".into(), Some("signal".into()), "b".into()));
        assert_eq!(at("a: 1\nb^"), (String::new(), None, "b".into()));
    }

    #[test]
    fn brackets_on_the_line_lead_down() {
        let text = "signals:\n  one:\n    parents: [a, $we^\n";
        assert_eq!(at(text), ("signals/one".into(), Some("parents".into()), "$we".into()));
        let text = "new_terms: {signal: shell, fields: [host, us^\n";
        assert_eq!(at(text), ("new_terms".into(), Some("fields".into()), "us".into()));
        let text = "new_terms: {signal: shell, fi^\n";
        assert_eq!(at(text), ("new_terms".into(), None, "fi".into()));
    }

    #[test]
    fn documents_are_kept_apart() {
        let text = "title: a\nlists:\n  one: b\n---\ntitle: b\nsig^\n";
        assert_eq!(at(text), (String::new(), None, "sig".into()));
    }
}
