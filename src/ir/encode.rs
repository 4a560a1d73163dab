//! Modifiers that change a value before it is compared: placeholders, dashes, encodings.
//!
//! In: a value and the modifiers of its key, in their order. Out: the texts that it stands for,
//! of which one must be there. Each modifier is spent here; no target knows of them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::test::Scope;
use crate::definition::pattern::{Pattern, Token};
use crate::definition::{Key, Modifier, Value};
use crate::diagnostic::{Code, Diagnostic};

/// A value on its way: text with wildcards, or bytes that an encoding has made
enum Stage {
    Text(Pattern),
    Bytes(Vec<u8>),
}

/// The most texts that one value may stand for
const MOST: usize = 3_125;

/// The most texts that the values of one rule may stand for together
const MOST_OF_A_RULE: usize = 100_000;

/// The characters that Windows programs take before an option
///
/// Source: SigmaHQ sigma-specification, modifiers appendix, `windash`.
const DASHES: [char; 5] = ['-', '/', '\u{2013}', '\u{2014}', '\u{2015}'];

/// Whether the modifier changes the value instead of saying how it is compared
pub(super) fn changes_text(modifier: Modifier) -> bool {
    use Modifier::{Base64, Base64Offset, Expand, Utf16, Utf16Be, Utf16Le, Wide, WinDash};
    const CHANGES: &[Modifier] =
        &[Expand, WinDash, Base64, Base64Offset, Wide, Utf16, Utf16Le, Utf16Be];
    CHANGES.contains(&modifier)
}

/// Whether it makes other bytes of the value
pub(super) fn encodes(modifier: Modifier) -> bool {
    changes_text(modifier) && !matches!(modifier, Modifier::Expand | Modifier::WinDash)
}

/// The texts that a value stands for; `None` when it cannot be one, which has been reported
pub(super) fn texts(scope: &mut Scope<'_>, key: &Key, value: &Value) -> Option<Vec<Pattern>> {
    let mut stages = vec![Stage::Text(value.pattern()?)];
    for modifier in key.modifiers.iter().map(|modifier| modifier.value) {
        let mut next = Vec::new();
        for stage in stages {
            next.extend(step(scope, modifier, stage, value)?);
            if next.len() > MOST {
                let message = format!("`{}` stands for more than {MOST} texts", value.written);
                scope.error(Code::E0219, value.span, message, "too many to write out");
                return None;
            }
        }
        stages = next;
    }
    let before = scope.texts;
    scope.texts += stages.len();
    if scope.texts > MOST_OF_A_RULE {
        if before <= MOST_OF_A_RULE {
            let message = format!("the values stand for more than {MOST_OF_A_RULE} texts");
            scope.error(Code::E0219, value.span, message, "from here on");
        }
        return None;
    }
    let mut texts = Vec::new();
    for stage in stages {
        match stage {
            Stage::Text(pattern) => texts.push(pattern),
            Stage::Bytes(bytes) => match String::from_utf8(bytes) {
                Ok(text) => texts.push(Pattern::literal(&text)),
                Err(_) => {
                    let message = format!("`{}` is no text in this encoding", value.written);
                    let label = "compares with nothing";
                    let found =
                        Diagnostic::new(Code::E0219, scope.source, value.span, message, label);
                    scope.report(found.help("Add `base64` or `base64offset` after the encoding."));
                    return None;
                }
            },
        }
    }
    Some(texts)
}

fn step(
    scope: &mut Scope<'_>,
    modifier: Modifier,
    stage: Stage,
    value: &Value,
) -> Option<Vec<Stage>> {
    if !changes_text(modifier) {
        return Some(vec![stage]);
    }
    match (modifier, stage) {
        (Modifier::Expand, Stage::Text(_)) => {
            let patterns = expanded(scope, value)?;
            Some(patterns.into_iter().map(Stage::Text).collect())
        }
        (Modifier::WinDash, Stage::Text(pattern)) => {
            Some(dashed(&pattern).into_iter().map(Stage::Text).collect())
        }
        (Modifier::Expand | Modifier::WinDash, Stage::Bytes(_)) => {
            let message = format!("`{}` after an encoding", modifier.name());
            scope.error(Code::E0219, value.span, message, "the value is bytes by then");
            None
        }
        (modifier, stage) => {
            let bytes = match stage {
                Stage::Bytes(bytes) => bytes,
                Stage::Text(pattern) => match pattern.as_literal() {
                    Some(text) => text.as_bytes().to_vec(),
                    None => {
                        let message = format!("`{}` with a wildcard", modifier.name());
                        let label = "a wildcard has no bytes";
                        scope.error(Code::E0219, value.span, message, label);
                        return None;
                    }
                },
            };
            encoded(scope, modifier, bytes, value)
        }
    }
}

fn encoded(
    scope: &mut Scope<'_>,
    modifier: Modifier,
    bytes: Vec<u8>,
    value: &Value,
) -> Option<Vec<Stage>> {
    let text = |text: String| Stage::Text(Pattern::literal(&text));
    if modifier == Modifier::Base64 {
        return Some(vec![text(STANDARD.encode(bytes))]);
    }
    if modifier == Modifier::Base64Offset {
        let texts: Vec<String> = (0..3).map(|shift| shifted(&bytes, shift)).collect();
        if texts.iter().any(String::is_empty) {
            let message = format!("`{}` is too short for `base64offset`", value.written);
            let label = "at some offset nothing of it is certain";
            scope.error(Code::E0219, value.span, message, label);
            return None;
        }
        return Some(texts.into_iter().map(text).collect());
    }
    let Ok(written) = std::str::from_utf8(&bytes) else {
        let message = format!("`{}` of bytes that are no text", modifier.name());
        scope.error(Code::E0219, value.span, message, "encoded before");
        return None;
    };
    let big = modifier == Modifier::Utf16Be;
    let units = written.encode_utf16();
    let bytes = units.flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() });
    let mark: &[u8] = if modifier == Modifier::Utf16 { &[0xff, 0xfe] } else { &[] };
    Some(vec![Stage::Bytes(mark.iter().copied().chain(bytes).collect())])
}

/// What base64 makes of the bytes after so many others, without the letters that depend on what
/// stands before and after
fn shifted(bytes: &[u8], shift: usize) -> String {
    let mut padded = vec![0; shift];
    padded.extend_from_slice(bytes);
    let encoded = STANDARD.encode(&padded);
    // Of a group of four letters, one, two or all depend on the bytes that are there.
    let start = [0, 2, 3][shift];
    let end = match padded.len() % 3 {
        0 => encoded.len(),
        1 => encoded.len() - 3,
        _ => encoded.len() - 2,
    };
    encoded.get(start..end).unwrap_or("").to_owned()
}

/// Every way to write the dashes that start a word
///
/// A dash inside a word is none: `a-b` stays. The specification does not say which dashes are
/// meant; this is what pySigma does.
fn dashed(pattern: &Pattern) -> Vec<Pattern> {
    let mut ways: Vec<Vec<Token>> = vec![Vec::new()];
    for token in pattern.tokens() {
        let Token::Literal(text) = token else {
            ways.iter_mut().for_each(|way| way.push(token.clone()));
            continue;
        };
        let texts = dashed_text(text, MOST / ways.len());
        let longer = |way: Vec<Token>| {
            texts.iter().map(move |text| {
                let text = Token::Literal(text.clone());
                way.iter().cloned().chain([text]).collect()
            })
        };
        ways = ways.into_iter().flat_map(longer).collect();
    }
    ways.into_iter().map(Pattern::of).collect()
}

/// The same of a text; as soon as there are more ways than `most`, the rest stays as it is
fn dashed_text(text: &str, most: usize) -> Vec<String> {
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let mut ways = vec![String::with_capacity(text.len())];
    let mut before = None;
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let starts_word = !before.is_some_and(word) && rest.peek().copied().is_some_and(word);
        before = Some(c);
        if !(DASHES.contains(&c) && starts_word && ways.len() <= most) {
            ways.iter_mut().for_each(|way| way.push(c));
            continue;
        }
        let longer = |way: String| DASHES.into_iter().map(move |dash| format!("{way}{dash}"));
        ways = ways.into_iter().flat_map(longer).collect();
    }
    ways
}

/// The value with every `%name%` replaced by each of that placeholder's values
fn expanded(scope: &mut Scope<'_>, value: &Value) -> Option<Vec<Pattern>> {
    let mut ways: Vec<Vec<Token>> = vec![Vec::new()];
    let mut found = false;
    for piece in pieces(&value.written) {
        let choices = match piece {
            Piece::Text(text) => vec![Pattern::read(&text).tokens().to_vec()],
            Piece::Placeholder(name) => {
                found = true;
                placeholder(scope, name, value)?
            }
        };
        if ways.len().saturating_mul(choices.len()) > MOST {
            let message = format!("`{}` stands for more than {MOST} texts", value.written);
            scope.error(Code::E0219, value.span, message, "too many to write out");
            return None;
        }
        let longer = |way: &Vec<Token>| {
            let way = way.clone();
            let with = |choice: &Vec<Token>| way.iter().chain(choice).cloned().collect();
            choices.iter().map(with).collect::<Vec<Vec<Token>>>()
        };
        ways = ways.iter().flat_map(longer).collect();
    }
    if !found {
        let message = format!("`expand` without a placeholder in `{}`", value.written);
        let label = "expected `%name%`";
        let found = Diagnostic::new(Code::E0218, scope.source, value.span, message, label);
        scope.report(found.help("A backslash before a placeholder is written `\\\\%name%`."));
        return None;
    }
    Some(ways.into_iter().map(Pattern::of).collect())
}

enum Piece<'t> {
    Text(String),
    Placeholder(&'t str),
}

/// `a%b%c` is text, a placeholder and text; `\%` is a plain percent sign, `\\%b%` a backslash before
/// a placeholder; every other escape is left to the text
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let tail = &rest[c.len_utf8()..];
        let name = (c == '%').then(|| tail.split_once('%')).flatten();
        match name {
            Some((name, after)) if is_name(name) => {
                pieces.push(Piece::Text(std::mem::take(&mut plain)));
                pieces.push(Piece::Placeholder(name));
                rest = after;
            }
            _ if c == '\\' && tail.starts_with('%') => {
                plain.push('%');
                rest = &tail[1..];
            }
            _ if c == '\\' && tail.starts_with('\\') => {
                plain.push_str("\\\\");
                rest = &tail[1..];
            }
            _ => {
                plain.push(c);
                rest = tail;
            }
        }
    }
    pieces.push(Piece::Text(plain));
    pieces
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c))
}

/// The values of a placeholder, as tokens
fn placeholder(scope: &mut Scope<'_>, name: &str, value: &Value) -> Option<Vec<Vec<Token>>> {
    let given = scope.placeholders.values(name);
    let listed = || {
        let list = scope.lists.iter().find(|list| list.name.value == name)?;
        scope.used.push(name.to_owned());
        Some(list.values.iter().filter_map(Value::pattern).collect())
    };
    let Some(patterns) = given.or_else(listed) else {
        let message = format!("nothing says what `%{name}%` stands for");
        let found = Diagnostic::new(Code::E0218, scope.source, value.span, message, "unresolved");
        scope.report(found.help("Give its values in a file: `--placeholders FILE`."));
        return None;
    };
    Some(patterns.into_iter().map(|pattern| pattern.tokens().to_vec()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ways(text: &str) -> Vec<String> {
        dashed(&Pattern::read(text)).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn only_a_dash_before_a_word_is_any_dash() {
        assert_eq!(ways("-c"), ["-c", "/c", "–c", "—c", "―c"]);
        assert_eq!(ways(" /a -b").len(), 25);
        assert_eq!(ways("a-b"), ["a-b"]);
        assert_eq!(ways("- "), ["- "]);
        assert_eq!(ways("*-x*").len(), 5);
    }

    #[test]
    fn base64_is_found_at_every_offset() {
        let text = b"/bin/bash";
        let shifts: Vec<String> = (0..3).map(|shift| shifted(text, shift)).collect();
        for before in 0..7 {
            for after in 0..4 {
                let whole = [vec![b'x'; before], text.to_vec(), vec![b'y'; after]].concat();
                let encoded = STANDARD.encode(whole);
                assert!(encoded.contains(&shifts[before % 3]), "{before} {after}");
            }
        }
    }

    #[test]
    fn a_percent_sign_can_be_escaped() {
        let read = |text| {
            let pieces = pieces(text).into_iter();
            pieces
                .map(|piece| match piece {
                    Piece::Text(text) => format!("[{text}]"),
                    Piece::Placeholder(name) => format!("<{name}>"),
                })
                .collect::<String>()
        };
        assert_eq!(read("a%b%c"), "[a]<b>[c]");
        assert_eq!(read(r"\%plain%name%"), "[%plain]<name>[]");
        assert_eq!(read(r"\\%name%"), r"[\\]<name>[]");
        assert_eq!(read("100%"), "[100%]");
        assert_eq!(read("% a %"), "[% a %]");
    }
}
