//! Texts and numbers as JSON writes them.
//!
//! In: bytes from a place on. Out: how far a string goes, what it stands for, or a number; `None` for what
//! is rare or wrong.

/// The number, when it is a short whole one as JSON writes them
pub(super) fn short(number: &str) -> Option<u64> {
    let digits = number.as_bytes();
    let is_short = (1..=18).contains(&digits.len()) && (digits[0] != b'0' || digits.len() == 1);
    if !is_short {
        return None;
    }
    digits.iter().try_fold(0_u64, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0'))
    })
}

/// The length of the escape that a text begins with
pub(super) fn escape(text: &[u8]) -> Option<usize> {
    match text {
        [_, b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't', ..] => Some(2),
        [_, b'u', digits @ ..] if digits.len() >= 4 => {
            if digits[..4].iter().all(u8::is_ascii_hexdigit) { Some(6) } else { None }
        }
        _ => None,
    }
}

/// The text that a string without its quotes stands for; its first escape is known
///
/// The escapes are valid, except that one by number may be half of a character.
pub(super) fn unescaped(text: &str, first: usize) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let (mut rest, mut next) = (text, Some(first));
    while let Some(at) = next {
        out.push_str(&rest[..at]);
        out.push(match rest.as_bytes().get(at + 1)? {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return serde_json::from_str(&format!("\"{text}\"")).ok(),
            other => char::from(*other),
        });
        rest = &rest[at + 2..];
        next = memchr::memchr(b'\\', rest.as_bytes());
    }
    out.push_str(rest);
    Some(out)
}

/// The first byte from a place that may not stand in a string as it is, or ends it
pub(super) fn special(bytes: &[u8], from: usize) -> usize {
    const ONES: u64 = u64::MAX / 255;
    // The lowest marked byte is right; above it a borrow may mark others.
    let zero = |word: u64| word.wrapping_sub(ONES) & !word;
    let (mut at, mut rest) = (from, &bytes[from..]);
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let word = u64::from_le_bytes(*word);
        let control = word.wrapping_sub(ONES * 0x20) & !word;
        let quote = zero(word ^ (ONES * 0x22));
        let backslash = zero(word ^ (ONES * 0x5c));
        let marked = (control | quote | backslash) & (ONES << 7);
        if marked != 0 {
            return at + marked.trailing_zeros() as usize / 8;
        }
        (at, rest) = (at + 8, after);
    }
    let is_special = |byte: &u8| *byte < 0x20 || *byte == b'"' || *byte == b'\\';
    at + rest.iter().position(is_special).unwrap_or(rest.len())
}
