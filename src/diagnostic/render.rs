//! Shows a finding to a person in the layout of rustc.
//!
//! In: one [`Diagnostic`]. Out: text for a terminal, without a final newline. Only this file
//! uses the snippet crate. Places far from the primary place are named in a note, not drawn; very
//! long lines and remarks are shortened. The formats for machines are complete.
//!
//! INVARIANT: no span panics, however wrong, and no character of the user's text controls the
//! terminal or changes the text direction.

use std::ops::Range;

use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};

use super::concise::remark;
use super::json::within;
use super::{Diagnostic, Fix, Severity};
use crate::source::{SourceText, Span, is_unprintable};

/// Width of the window of columns in which marks are drawn
///
/// The snippet crate shows all the text between two marks.
const COLUMNS: usize = 240;
/// The longest line in a diff, in bytes; the snippet crate does not shorten diffs
const DIFF_LINE: usize = 1_000;
/// The distance from the primary place, in bytes, within which other places are drawn
///
/// Together with `ASIDE` it bounds the text given to the snippet crate: the time for a finding
/// depends on the text shown, not on the size of the file.
const FAR: usize = 3_000;
/// Bytes of a very long line that are kept before the first mark and after the last
const ASIDE: usize = 600;

/// The finding with its source lines, in the layout of rustc; coloured if `color` is set
pub fn full(diagnostic: &Diagnostic, color: bool) -> String {
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    let (group, cut) = finding(diagnostic);
    let mut report = vec![group];
    report.extend(diagnostic.fix.as_ref().map(|fix| change(&diagnostic.source, fix)));
    let text = renderer.render(&report);
    match cut {
        0 => text,
        cut => with_column(&text, diagnostic, cut),
    }
}

/// Corrects the column of the primary place in the rendered text
///
/// The snippet crate counts columns from the point where the line was cut.
fn with_column(text: &str, diagnostic: &Diagnostic, cut: usize) -> String {
    let source = &diagnostic.source;
    let (line, column) = source.line_column(within(source, diagnostic.primary.span).start);
    let path = remark(source.name());
    let counted = format!("{path}:{line}:{}", column.saturating_sub(cut));
    // The first line is the message; the place comes after it.
    let (message, rest) = text.split_once('\n').unwrap_or((text, ""));
    format!("{message}\n{}", rest.replacen(&counted, &format!("{path}:{line}:{column}"), 1))
}

/// The finding, and the number of characters cut from the start of the primary place's line
fn finding(diagnostic: &Diagnostic) -> (Group<'static>, usize) {
    let source = &diagnostic.source;
    let (marks, far) = marks(diagnostic);
    let first = marks.iter().map(|(_, range, _)| range.start).min().unwrap_or(0);
    let last = marks.iter().map(|(_, range, _)| range.end).max().unwrap_or(0);
    let shown = around(source, first..last);
    let (place, start) = (within(source, diagnostic.primary.span).start, shown.start as u32);
    let ((line, _), (cut_line, column)) = (source.line_column(place), source.line_column(start));
    let cut = if line == cut_line { column - 1 } else { 0 };
    let annotations = marks.into_iter().map(|(kind, range, text)| {
        let label = (!text.is_empty()).then_some(text);
        kind.span(range.start - shown.start..range.end - shown.start).label(label)
    });
    let notes = far.into_iter().chain(diagnostic.notes.iter().map(|note| remark(note)));
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(remark(&diagnostic.message)).id(diagnostic.code.as_str());
    let excerpt = excerpt(source, &shown).annotations(annotations);
    let group = title
        .element(excerpt)
        .elements(notes.map(|note| Level::NOTE.message(note)))
        .elements(diagnostic.help.iter().map(|help| Level::HELP.message(remark(help))));
    (group, cut)
}

/// A kind of mark, the range to draw it at, and its label
type Mark = (AnnotationKind, Range<usize>, String);

/// The marks of a finding, and a note for every place too far away to be drawn
fn marks(diagnostic: &Diagnostic) -> (Vec<Mark>, Vec<String>) {
    let source = &diagnostic.source;
    // The window starts at column 1 if the primary place is near the start of its line.
    let home = source.line_column(diagnostic.primary.span.start).1;
    let left = if home < COLUMNS { 1 } else { home - COLUMNS / 4 };
    let columns = left..left + COLUMNS;
    let near = |span: Span| span.start.abs_diff(diagnostic.primary.span.start) as usize <= FAR;

    let (mut marks, mut far) = (Vec::new(), Vec::new());
    let secondary = diagnostic.secondary.iter().map(|label| (AnnotationKind::Context, label));
    let primary = std::iter::once((AnnotationKind::Primary, &diagnostic.primary));
    for (kind, label) in primary.chain(secondary) {
        let text = remark(&label.text);
        match drawable(source, label.span, &columns).filter(|_| near(label.span)) {
            Some(range) => marks.push((kind, range, text)),
            None => {
                let (line, column) = source.line_column(label.span.start);
                far.push(format!("{text} (line {line}, column {column})").trim_start().to_owned());
            }
        }
    }
    (marks, far)
}

/// The part of a span to draw: all of it, or its first line up to the last of `columns`
///
/// `None` if the span does not begin within `columns`.
fn drawable(source: &SourceText, span: Span, columns: &Range<usize>) -> Option<Range<usize>> {
    let span = within(source, span);
    let (start, column) = (span.range().start, source.line_column(span.start).1);
    let text = source.slice(span);
    // Leaves out the blank lines at the end of a YAML block's span.
    let text = if text.trim().is_empty() { text } else { text.trim_end() };
    let end = source.line_column((start + text.len()) as u32).1;
    let length = if text.len() <= FAR && columns.contains(&end) {
        text.len()
    } else {
        let line = text.lines().next().unwrap_or_default();
        line.chars().take(columns.end.saturating_sub(column)).map(char::len_utf8).sum()
    };
    columns.contains(&column).then_some(start..start + length)
}

/// The fix as a diff; only its title if the edits are unordered or the diff would be too long
fn change(source: &SourceText, fix: &Fix) -> Group<'static> {
    let title = Level::HELP.secondary_title(remark(&fix.title));
    let text = source.text();
    let edits: Vec<(Range<usize>, &str)> =
        fix.edits.iter().map(|(span, new)| (within(source, *span).range(), new.as_str())).collect();
    let (Some((first, _)), Some((last, _))) = (edits.first(), edits.last()) else {
        return Group::with_title(title);
    };
    let ordered = edits.windows(2).all(|pair| pair[0].0.end <= pair[1].0.start);
    if !ordered || last.end - first.start > FAR {
        return Group::with_title(title);
    }
    let lines = source.lines(first.start..last.end);
    let long = |text: &str| text.lines().any(|line| line.len() > DIFF_LINE);
    let too_long = lines.len() > FAR + 2 * DIFF_LINE || long(&text[lines.clone()]);
    if too_long || edits.iter().any(|(_, new)| long(new)) {
        return Group::with_title(title);
    }
    let excerpt = excerpt(source, &lines);
    title.element(excerpt.patches(edits.into_iter().map(|(range, new)| {
        Patch::new(range.start - lines.start..range.end - lines.start, visible(new))
    })))
}

/// The whole lines that a range touches, cut to [`ASIDE`] bytes on either side of the range
fn around(source: &SourceText, range: Range<usize>) -> Range<usize> {
    let (text, lines) = (source.text(), source.lines(range.clone()));
    let between = |mut at: usize| {
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    };
    let start = lines.start.max(between(range.start.saturating_sub(ASIDE)));
    let end = lines.end.min(between((range.end + ASIDE).min(text.len())));
    start..end
}

fn excerpt<T: Clone>(source: &SourceText, lines: &Range<usize>) -> Snippet<'static, T> {
    // The snippet crate has no line after the last newline. One newline more gives the end of the
    // file the same line and column as in the other formats.
    Snippet::source(visible(&source.text()[lines.clone()]) + "\n")
        .path(remark(source.name()))
        .line_start(source.line_column(lines.start as u32).0)
}

/// Replaces unprintable characters by others of the same number of bytes, so that spans stay valid
fn visible(text: &str) -> String {
    text.chars()
        .map(|c| match c.len_utf8() {
            2 if is_unprintable(c) => '¿',
            3 if is_unprintable(c) => '\u{fffd}',
            4 if is_unprintable(c) => '\u{1f6ab}',
            // The snippet crate itself replaces ASCII control characters by their symbols.
            _ => c,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::diagnostic::{Code, concise};

    fn about(text: &str, start: u32, end: u32) -> Diagnostic {
        let source = Arc::new(SourceText::new("a.yml", text));
        Diagnostic::new(Code::ALL[0], &source, Span { start, end }, "unknown key", "here")
    }

    fn title(finding: &Diagnostic) -> String {
        format!("{}[{}]: unknown key", finding.severity.as_str(), finding.code.as_str())
    }

    #[test]
    fn a_finding_shows_marks_notes_help_and_the_fix_as_a_diff() {
        let finding = about("x: 1\nab: 2\n", 5, 7).also(Span::new(0, 1), "known").note("why");
        let finding = finding.help("how").replace(Span::new(5, 7), "x");
        let expected = r"
 --> a.yml:2:1
  |
1 | x: 1
  | - known
2 | ab: 2
  | ^^ here
  |
  = note: why
  = help: how
help: change it to `x`
  |
2 - ab: 2
2 + x: 2
  |";
        assert_eq!(full(&finding, false), title(&finding) + expected);
    }

    #[test]
    fn the_short_form_has_the_label_only_when_there_is_one() {
        let mut finding = about("ab: 1", 0, 2);
        assert_eq!(concise(&finding), format!("a.yml:1:1: {} (here)", title(&finding)));
        finding.primary.text.clear();
        assert_eq!(concise(&finding), format!("a.yml:1:1: {}", title(&finding)));
    }

    #[test]
    fn a_span_past_the_end_does_not_panic_and_has_one_place_in_both_forms() {
        for (text, place) in [("", "1:1"), ("a", "1:2"), ("a\n", "2:1"), ("a\r\n", "2:1")] {
            let finding =
                about(text, 98, 99).also(Span::new(1, 99), "").replace(Span::new(1, 9), "");
            assert!(full(&finding, false).contains(&format!("a.yml:{place}\n")));
            assert!(concise(&finding).starts_with(&format!("a.yml:{place}: ")));
        }
    }

    #[test]
    fn a_line_of_a_megabyte_is_not_printed_whole() {
        let text = format!("{}ab{}", "x ".repeat(250_000), "ä ".repeat(250_000));
        let finding = about(&text, 500_000, 900_000).also(Span::new(0, 1), "first");
        let shown = full(&finding.replace(Span::new(0, 1), "y"), false);
        assert!(shown.len() < 2_000 && shown.contains("note: first (line 1, column 1)"), "{shown}");
    }

    #[test]
    fn a_long_line_without_its_ends_looks_as_it_does_whole() {
        let text = format!("a: 1\n{}: [{}]\n", "b ".repeat(700), "ä, ".repeat(900));
        let place = text.find('[').unwrap() as u32 + 301;
        let finding = about(&text, place, place + 2).also(Span::new(place - 30, place - 28), "x");
        let shown = full(&finding, false);
        let column = text[5..place as usize].chars().count() + 1;
        assert!(shown.contains(&format!("\n --> a.yml:2:{column}\n  |\n2 | ... ")), "{shown}");
        assert!(shown.contains(" ...\n  |  ") && shown.ends_with("^ here"), "{shown}");
    }

    #[test]
    fn a_place_far_above_is_told_in_words() {
        let text = format!("a: 1\n{}b: 2\n", "c: 3\n".repeat(5_000));
        let finding = about(&text, 25_005, 25_006).also(Span::new(0, 1), "first");
        let shown = full(&finding, false);
        assert!(shown.len() < 200 && shown.contains("note: first (line 1, column 1)"), "{shown}");
    }

    #[test]
    fn no_text_controls_the_terminal_whatever_the_spans() {
        let pieces: Vec<char> =
            "a: \n\r\tä漢\0\u{1b}\u{85}\u{200d}\u{202e}\u{fffe}\u{e0041}".chars().collect();
        let mut state = 1_u32;
        let mut random = |below: usize| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as usize % below
        };
        for _ in 0..2_000 {
            let length = random(40);
            let text: String = (0..length).map(|_| pieces[random(pieces.len())]).collect();
            let mut offset = || random(text.len() + 3) as u32;
            let [start, end, a, b, c, d] = [(); 6].map(|()| offset());
            let mut finding = about(&text, start, end).also(Span::new(a, b), &text).note(&text);
            let edits = vec![(Span::new(a, b), text.clone()), (Span::new(c, d), text)];
            finding.fix = Some(Fix { title: "a\n".to_owned(), edits });
            let shown = full(&finding, false) + &concise(&finding);
            assert!(!shown.contains(|c| is_unprintable(c) && c != '\n'), "{shown:?}");
        }
    }
}
