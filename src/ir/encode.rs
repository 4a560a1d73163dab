//! Modifiers that change a value before it is compared: placeholders, dashes, encodings.
//!
//! In: a value and the modifiers of its key, in their order. Out: the texts that the value stands
//! for, of which the field must fit one. No target sees these modifiers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::dash;
use super::scope::Scope;
use crate::definition::{Key, Modifier, Value};
use crate::diagnostic::{Code, Diagnostic};
use crate::pattern::{Pattern, Token};

/// A value between two modifiers: text with wildcards, or the bytes of an encoding
enum Stage {
    Text(Pattern),
    Bytes(Vec<u8>),
}

/// The most texts that one value may stand for
const MOST: usize = 3_125;

/// The most texts that the values of one rule may stand for together
const MOST_OF_A_RULE: usize = 100_000;

/// The most bytes that these texts may have together
const MOST_BYTES: usize = 16 << 20;

impl Stage {
    fn length(&self) -> usize {
        match self {
            Stage::Text(pattern) => length(pattern.tokens()),
            Stage::Bytes(bytes) => bytes.len(),
        }
    }
}

/// The bytes of a pattern; a wildcard has one
fn length(tokens: &[Token]) -> usize {
    let length = |token: &Token| match token {
        Token::Literal(text) => text.len(),
        Token::Any | Token::One => 1,
    };
    tokens.iter().map(length).sum()
}

/// Refuses a value that stands for too many texts, before they are made
fn bounded(scope: &mut Scope<'_>, value: &Value, texts: usize, bytes: usize) -> Option<()> {
    let most = match () {
        () if texts > MOST => format!("{MOST} texts"),
        () if bytes > MOST_BYTES => format!("{MOST_BYTES} bytes of text"),
        () => return Some(()),
    };
    let message = format!("`{}` stands for more than {most}", value.written);
    scope.error(Code::E0219, value.span, message, "too many to write out");
    None
}

/// Whether the modifier changes the value instead of saying how it is compared
pub(super) fn changes_text(modifier: Modifier) -> bool {
    use Modifier::{Base64, Base64Offset, Expand, Utf16, Utf16Be, Utf16Le, Wide, WinDash};
    const CHANGES: &[Modifier] =
        &[Expand, WinDash, Base64, Base64Offset, Wide, Utf16, Utf16Le, Utf16Be];
    CHANGES.contains(&modifier)
}

/// Whether the modifier encodes: it changes the text, but is not `expand` or `windash`
pub(super) fn encodes(modifier: Modifier) -> bool {
    changes_text(modifier) && !matches!(modifier, Modifier::Expand | Modifier::WinDash)
}

/// The texts that a value stands for; `None` after a reported error
pub(super) fn texts(scope: &mut Scope<'_>, key: &Key, value: &Value) -> Option<Vec<Pattern>> {
    let mut stages = vec![Stage::Text(value.pattern()?)];
    for modifier in key.modifiers.iter().map(|modifier| modifier.value) {
        let mut next = Vec::new();
        for stage in stages {
            next.extend(step(scope, modifier, stage, value)?);
            bounded(scope, value, next.len(), next.iter().map(Stage::length).sum())?;
        }
        stages = next;
    }
    let (before, bytes) = (scope.texts, scope.bytes);
    scope.texts += stages.len();
    scope.bytes += stages.iter().map(Stage::length).sum::<usize>();
    if scope.bytes > MOST_BYTES {
        if bytes <= MOST_BYTES {
            let message = format!("the values stand for more than {MOST_BYTES} bytes of text");
            scope.error(Code::E0219, value.span, message, "from here on");
        }
        return None;
    }
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
                    let diagnostic =
                        Diagnostic::new(Code::E0219, scope.source, value.span, message, label);
                    scope.report(
                        diagnostic.help("Add `base64` or `base64offset` after the encoding."),
                    );
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
            let (ways, longest) = dash::ways(&pattern);
            bounded(scope, value, ways, ways.saturating_mul(longest))?;
            Some(dash::dashed(&pattern).into_iter().map(Stage::Text).collect())
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

/// Base64 of the bytes at an offset, minus the characters that neighbouring bytes affect
fn shifted(bytes: &[u8], shift: usize) -> String {
    let mut padded = vec![0; shift];
    padded.extend_from_slice(bytes);
    let encoded = STANDARD.encode(&padded);
    // Four base64 letters encode three bytes; cut off the letters that a neighbouring byte affects.
    let start = [0, 2, 3][shift];
    let end = match padded.len() % 3 {
        0 => encoded.len(),
        1 => encoded.len() - 3,
        _ => encoded.len() - 2,
    };
    encoded.get(start..end).unwrap_or("").to_owned()
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
        let bytes = |all: &[Vec<Token>]| all.iter().map(|one| length(one)).sum::<usize>();
        let texts = ways.len().saturating_mul(choices.len());
        let lengths = (bytes(&ways).saturating_mul(choices.len()))
            .saturating_add(bytes(&choices).saturating_mul(ways.len()));
        bounded(scope, value, texts, lengths)?;
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
        let diagnostic = Diagnostic::new(Code::E0218, scope.source, value.span, message, label);
        scope.report(diagnostic.help("A backslash before a placeholder is written `\\\\%name%`."));
        return None;
    }
    Some(ways.into_iter().map(Pattern::of).collect())
}

enum Piece<'t> {
    Text(String),
    Placeholder(&'t str),
}

/// `a%b%c` is text, a placeholder and text; `\%` is a plain percent sign, `\\%b%` a backslash
/// before a placeholder; every other escape stays in the text
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
        let list = scope.named.get(name)?;
        scope.used.insert(name.to_owned());
        Some(list.values.iter().filter_map(Value::pattern).collect())
    };
    let Some(patterns) = given.or_else(listed) else {
        let message = format!("nothing says what `%{name}%` stands for");
        let diagnostic =
            Diagnostic::new(Code::E0218, scope.source, value.span, message, "unresolved");
        scope.report(diagnostic.help("Give its values in a file: `--placeholders FILE`."));
        return None;
    };
    Some(patterns.into_iter().map(|pattern| pattern.tokens().to_vec()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

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
