//! String literals of Kusto.
//!
//! In: any text. Out: a literal for exactly this text.
//!
//! INVARIANT: no literal holds a line break or an invisible character.

use crate::source::{is_unprintable, quoted};

/// Placeholders in a hunting query (Microsoft, Azure Sentinel repository)
const TIMES: [&str; 2] = ["{{StartTimeISO}}", "{{EndTimeISO}}"];

/// A Kusto string literal for exactly this text
///
/// Verbatim (`@"…"`) when there is a backslash and nothing that needs an escape; any other
/// unknown escape is a syntax error in Kusto, so control characters are written as `\uXXXX`.
///
/// The hunting page of Sentinel replaces [`TIMES`] anywhere in a query, so their first brace is
/// escaped.
pub(crate) fn quote(text: &str) -> String {
    let filled = TIMES.iter().any(|time| text.contains(time));
    let escaped = filled || text.chars().any(is_unprintable);
    if text.contains('\\') && !escaped {
        return format!("@\"{}\"", text.replace('"', "\"\""));
    }
    let literal = quoted(text, |c| match c {
        '\n' => "\\n".to_owned(),
        '\r' => "\\r".to_owned(),
        '\t' => "\\t".to_owned(),
        // Two digits, as Microsoft's parser reads them.
        c if c.is_ascii_control() => format!("\\x{:02x}", u32::from(c)),
        c if u32::from(c) > 0xffff => format!("\\U{:08x}", u32::from(c)),
        c => format!("\\u{:04x}", u32::from(c)),
    });
    TIMES.iter().fold(literal, |text, time| text.replace(time, &time.replacen('{', "\\u007b", 1)))
}

/// A text inside `dynamic`, which holds JSON
pub(super) fn json(text: &str) -> String {
    quoted(text, |c| {
        c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_hold_quotes_backslashes_and_controls() {
        assert_eq!(quote("cmd.exe"), r#""cmd.exe""#);
        assert_eq!(quote(r#"cmd /c "mode CON""#), r#""cmd /c \"mode CON\"""#);
        assert_eq!(quote(r"\inetpub\"), r#"@"\inetpub\""#);
        assert_eq!(quote(r#"C:\a "b""#), r#"@"C:\a ""b""""#);
        assert_eq!(quote("a\\\n"), r#""a\\\n""#);
        assert_eq!(quote("\u{1f}drop"), r#""\x1fdrop""#);
        assert_eq!(quote("\u{202e}"), r#""\u202e""#);
        assert_eq!(quote("\\{{StartTimeISO}}"), r#""\\\u007b{StartTimeISO}}""#);
        assert_eq!(quote("\u{1fffe}"), r#""\U0001fffe""#);
        assert_eq!(json("\u{1fffe}"), r#""\ud83f\udffe""#);
    }
}
