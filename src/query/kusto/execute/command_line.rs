//! `parse_command_line(text, "windows")`.
//!
//! In: a command line. Out: its arguments, as Windows' C runtime parts them: blanks part arguments
//! outside quotes. 2n backslashes before a quote are n, and the quote opens or closes; 2n+1 are n and a
//! quote; two quotes inside quotes are one and close.
//!
//! Source: Microsoft, "parse_command_line()" and "Parsing C command-line arguments".

use std::iter::Peekable;
use std::str::Chars;

/// The arguments of a command line; `None` for an empty one, of which the result is null
pub(super) fn arguments(text: &str) -> Option<Vec<String>> {
    if text.is_empty() {
        return None;
    }
    let (mut arguments, mut part, mut quoted) = (Vec::new(), None::<String>, false);
    let mut rest = text.chars().peekable();
    while rest.peek().is_some() {
        let slashes = backslashes(&mut rest);
        match rest.next() {
            Some('"') => {
                let argument = part.get_or_insert_default();
                argument.extend(std::iter::repeat_n('\\', slashes / 2));
                if slashes % 2 == 1 {
                    argument.push('"');
                } else if quoted && rest.next_if_eq(&'"').is_some() {
                    argument.push('"');
                    quoted = false;
                } else {
                    quoted = !quoted;
                }
            }
            other => {
                if slashes > 0 {
                    part.get_or_insert_default().extend(std::iter::repeat_n('\\', slashes));
                }
                match other {
                    Some(' ' | '\t') if !quoted => arguments.extend(part.take()),
                    Some(sign) => part.get_or_insert_default().push(sign),
                    None => {}
                }
            }
        }
    }
    arguments.extend(part);
    Some(arguments)
}

fn backslashes(rest: &mut Peekable<Chars<'_>>) -> usize {
    std::iter::from_fn(|| rest.next_if_eq(&'\\')).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_those_of_the_documentation() {
        for (text, wanted) in [
            (r#"echo "hello world!" print$?"#, &["echo", "hello world!", "print$?"][..]),
            (r#"a "b c" d\\e"#, &["a", "b c", r"d\\e"]),
            (r#""ab\"c" \\ d"#, &["ab\"c", r"\\", "d"]),
            (r#"a\\\b d"e f"g h"#, &[r"a\\\b", "de fg", "h"]),
            (r#"a\\\"b c d"#, &[r#"a\"b"#, "c", "d"]),
            (r#"a\\"b c" d"#, &[r"a\b c", "d"]),
            (r#""""#, &[""]),
            (" x ", &["x"]),
        ] {
            assert_eq!(arguments(text).unwrap(), wanted, "{text}");
        }
        assert_eq!(arguments(""), None);
    }
}
