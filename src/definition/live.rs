//! Text that the reader's program may run or load: scripts, tags, links to code.
//!
//! In: a text of the metadata, which some targets show as Markdown or HTML. Out: the ranges of live
//! markup, and the text with that markup made inert. Prose stays unchanged: `a < b`,
//! `<IP address>`, and everything in a code span or a fenced block.
//!
//! INVARIANT: where Markdown may disagree about what is code, nothing counts as code.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use crate::source::is_unprintable;

/// Schemes that run code, even with blanks after the colon
const SCRIPTS: &[&str] = &["javascript", "livescript", "mocha", "vbscript", "wscript"];
/// Schemes that open data of the reader's machine or of the text itself
///
/// They are words of prose too, so they count only without a blank after the colon.
const LOCAL: &[&str] = &[
    "about",
    "blob",
    "chrome",
    "data",
    "file",
    "filesystem",
    "jar",
    "mhtml",
    "mk",
    "ms-its",
    "res",
    "resource",
    "search-ms",
    "shell",
    "view-source",
];

/// A tag that runs or loads something by itself or by an attribute, or a link of any kind
///
/// Group `link` is the start of a link, an image, a link definition or an autolink; group
/// `target` is its address.
static MARKUP: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let tag = r"<(?:!--|!doctype\b|!\[cdata\[|/?(?:script|style|iframe|frameset|embed|applet|svg|math|noscript|marquee|xmp|plaintext)(?:[\s/>]|$))";
    let attribute = r#"<[a-z][^\s/<>]*[\s/](?:[^<>]*?[\s/"'])?(?:on[a-z]+|href|src|srcdoc|srcset|xlink:href|action|formaction|style|data|content|http-equiv|background|poster|ping|codebase|archive)\s*="#;
    let link = r"(?P<link>\]\(\s*|\]:\s*|<)<?(?P<target>[^\s()\[\]<>]+)";
    Regex::new(&format!("(?i)(?:{tag}|{attribute})|{link}")).ok()
});

/// The dangerous scheme of a reference, one of [`SCRIPTS`] or [`LOCAL`]; `None` for a safe one
///
/// Sees through percent and character escapes, backslashes and invisible characters.
pub(super) fn scheme(reference: &str) -> Option<&'static str> {
    let plain = entities(&percent(reference));
    let seen = |c: &char| !(is_unprintable(*c) || *c == '\\');
    let plain: String = plain.trim_start().chars().filter(seen).collect();
    let (scheme, rest) = plain.trim_start().split_once(':')?;
    let local = if rest.starts_with(|c: char| !c.is_whitespace()) { LOCAL } else { &[] };
    let mut known = SCRIPTS.iter().chain(local).copied();
    known.find(|known| scheme.trim_end().eq_ignore_ascii_case(known))
}

/// Whether a reference is an address with a scheme other than `http` and `https`
pub(super) fn is_foreign(reference: &str) -> bool {
    let scheme = reference.split_once("://").map(|(scheme, _)| scheme.trim_start());
    scheme.is_some_and(|scheme| {
        let word = |c: char| c.is_ascii_alphanumeric() || "+-.".contains(c);
        let web = ["http", "https"].iter().any(|web| scheme.eq_ignore_ascii_case(web));
        !scheme.is_empty() && scheme.chars().all(word) && !web
    })
}

/// The text with its live tags and links escaped: `&lt;` opens no tag, `]\(` no link
pub(crate) fn inert(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for range in live(text) {
        out.push_str(&text[from..range.start]);
        let opened = &text[range.clone()];
        match opened.strip_prefix(']') {
            Some(rest) => out.extend(["]\\", &rest.replace('<', "&lt;")]),
            None => out.extend(["&lt;", opened.strip_prefix('<').unwrap_or(opened)]),
        }
        from = range.end;
    }
    out.push_str(&text[from..]);
    out
}

/// The reference, with `not a link: ` before it if its scheme is dangerous
pub(crate) fn inert_reference(reference: &str) -> String {
    match scheme(reference) {
        // A scheme holds no blank, so the result has no scheme.
        Some(_) => format!("not a link: {}", reference.trim_start()),
        None => reference.to_owned(),
    }
}

/// The ranges of tags and links that run or load something, outside code
pub(super) fn live(text: &str) -> Vec<Range<usize>> {
    let Some(markup) = MARKUP.as_ref() else { return Vec::new() };
    let ranges = markup.captures_iter(text).filter_map(|captures| {
        if captures.name("link").is_some() && scheme(captures.name("target")?.as_str()).is_none() {
            return None;
        }
        captures.get(0).map(|all| all.range())
    });
    let ranges: Vec<Range<usize>> = ranges.collect();
    if ranges.is_empty() {
        return ranges;
    }
    let code = code(text);
    let dead = |at: usize| code.iter().any(|code| code.contains(&at));
    ranges.into_iter().filter(|range| !dead(range.start)).collect()
}

/// The ranges of code spans and fenced blocks
///
/// After a line that Markdown may read in two ways, no span counts until the next blank line.
fn code(text: &str) -> Vec<Range<usize>> {
    let mut code = Vec::new();
    let mut fence: Option<(&str, usize)> = None;
    let mut sure = true;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        let bare = line.trim_end().trim_start_matches(' ');
        let indent = line.len() - line.trim_start_matches(' ').len();
        let mark = bare.len() - bare.trim_start_matches(['`', '~']).len();
        let (mark, rest) = bare.split_at(mark);
        let whole = mark.starts_with("```") && !mark.contains('~')
            || mark.starts_with("~~~") && !mark.contains('`');
        match fence {
            Some((open, begun)) => {
                let closes = whole && indent < 4 && rest.is_empty() && mark.starts_with(open);
                if closes {
                    code.push(begun..start);
                    fence = None;
                }
            }
            None if whole && indent < 4 && !rest.contains('`') => fence = Some((mark, at)),
            None if bare.is_empty() => sure = true,
            None if sure => sure = spans(line, start, &mut code),
            None => {}
        }
    }
    code.extend(fence.map(|(_, begun)| begun.min(text.len())..text.len()));
    code
}

/// Adds the code spans of a line to `code`
///
/// Returns `false` if a run of backticks stays open or may belong to a tag.
fn spans(line: &str, start: usize, code: &mut Vec<Range<usize>>) -> bool {
    let bytes = line.as_bytes();
    let run = |from: usize| bytes[from..].iter().take_while(|byte| **byte == b'`').count();
    let mut at = 0;
    while at < bytes.len() {
        match bytes[at] {
            b'\\' => at += 2,
            b'<' if bytes.get(at + 1).is_some_and(|next| !b" =\n".contains(next)) => {
                let tag = line[at..].split('>').next().unwrap_or_default();
                if tag.contains('`') || tag.len() == line.len() - at {
                    return false;
                }
                at += tag.len();
            }
            b'`' => {
                let length = run(at);
                let mut close = at + length;
                while close < bytes.len() && (bytes[close] != b'`' || run(close) != length) {
                    close += run(close).max(1);
                }
                if close >= bytes.len() {
                    return false;
                }
                code.push(start + at..start + close);
                at = close + length;
            }
            _ => at += 1,
        }
    }
    true
}

/// Decodes percent escapes of ASCII characters, such as `%6a`
fn percent(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let byte = after.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match byte.filter(u8::is_ascii) {
            Some(byte) => {
                out.push(char::from(byte));
                rest = &after[2..];
            }
            None => {
                out.push('%');
                rest = after;
            }
        }
    }
    out + rest
}

/// Decodes `&#106;`, `&#x6a;` and the named entities that can disguise a scheme
fn entities(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let named = [("colon;", ":"), ("Tab;", ""), ("NewLine;", ""), ("shy;", ""), ("zwj;", "")];
        let named = named.iter().find(|(name, _)| after.starts_with(name));
        let number = after.strip_prefix('#').and_then(|number| {
            let (digits, radix) = match number.strip_prefix(['x', 'X']) {
                Some(digits) => (digits, 16),
                None => (number, 10),
            };
            let end = digits.find(|c: char| !c.is_digit(radix)).unwrap_or(digits.len());
            let c = char::from_u32(u32::from_str_radix(&digits[..end], radix).ok()?)?;
            Some((c, digits[end..].strip_prefix(';').unwrap_or(&digits[end..])))
        });
        match (named, number) {
            (Some((name, is)), _) => {
                out.push_str(is);
                rest = &after[name.len()..];
            }
            (None, Some((c, left))) => {
                out.push(c);
                rest = left;
            }
            (None, None) => {
                out.push('&');
                rest = after;
            }
        }
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_and_code_stay_as_they_are() {
        for text in [
            "a < b, c<d and e > f",
            r"C:\Users\<USER>\x of <IP address> or <YOUR-BUCKET-NAME>",
            "see <https://example.org> and [x](https://example.org/a?data=1)",
            "`<script>` and ``a ` <img src=x>``",
            "```html\n<script>\n```\nafter",
            "note: data: file: of a table; [1]: see below",
        ] {
            assert_eq!(inert(text), text);
        }
    }

    #[test]
    fn tags_and_links_are_dead() {
        for (text, dead) in [
            ("x <script>y</script>", "x &lt;script>y&lt;/script>"),
            ("<img/src=x onerror=a()>", "&lt;img/src=x onerror=a()>"),
            ("<x id='a'onclick=b>", "&lt;x id='a'onclick=b>"),
            ("<!-- x", "&lt;!-- x"),
            ("[x](javascript:a)", r"[x]\(javascript:a)"),
            ("![x]( <DATA:text/html,a>)", r"![x]\( &lt;DATA:text/html,a>)"),
            ("[x](java&Tab;script&#58;a)", r"[x]\(java&Tab;script&#58;a)"),
            ("[x]: vbscript:a", r"[x]\: vbscript:a"),
            ("<javascript:a>", "&lt;javascript:a>"),
            // Markdown does not read these as code.
            ("\\`<script>`", "\\`&lt;script>`"),
            ("`a\nb` <script> `c`", "`a\nb` &lt;script> `c`"),
            ("<b title='`'><script>`", "<b title='`'>&lt;script>`"),
            ("    ```\n\n<script>", "    ```\n\n&lt;script>"),
        ] {
            assert_eq!(inert(text), dead);
            assert!(live(dead).is_empty(), "{dead}");
        }
    }

    #[test]
    fn schemes_are_known_in_every_dress() {
        for text in [
            "javascript:a",
            " \u{1}JavaScript :a",
            "java\tscript:a",
            "data&colon;x",
            "%6aavascript:a",
            "&#x6A;avascript&#58a",
            "file:///etc/passwd",
            "vb\u{200b}script:x",
        ] {
            assert!(scheme(text).is_some(), "{text}");
            assert_eq!(scheme(&inert_reference(text)), None, "{text}");
        }
        for text in ["https://a/javascript:x", "Internal Research", "Metadata: x", "C:\\data:x"] {
            assert!(scheme(text).is_none() && !is_foreign(text), "{text}");
        }
        assert!(is_foreign("ftp://a") && is_foreign(" SMB://a") && !is_foreign("see HTTPS://a"));
    }
}
