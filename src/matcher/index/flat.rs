//! Flat text: the one spelling in which the index compares texts.
//!
//! In: a value of an event, or a text of a rule. Out: its flat text: letters folded, and every dash that
//! Windows programs take before an option written as `-`, the slash included. Two texts that are equal in
//! any comparison of a rule have one flat text, and a part of a text is a part of its flat text. Texts that
//! differ may have one flat text as well: the index asks for what is necessary, and the rule decides.
//!
//! INVARIANT: each character becomes one character whatever stands around it; all of the above follows.

use crate::pattern::fold;

/// The flat text, written into a buffer that is emptied first
pub(super) fn flatten(text: &str, into: &mut Vec<u8>) {
    into.clear();
    if text.is_ascii() {
        into.extend(text.bytes().map(|byte| flat_byte(byte.to_ascii_lowercase())));
        return;
    }
    let mut bytes = [0; 4];
    for c in text.chars() {
        into.extend_from_slice(flat(c).encode_utf8(&mut bytes).as_bytes());
    }
}

/// The flat text
pub(super) fn flattened(text: &str) -> Box<[u8]> {
    let mut flat = Vec::with_capacity(text.len());
    flatten(text, &mut flat);
    flat.into()
}

fn flat_byte(byte: u8) -> u8 {
    if byte == b'/' { b'-' } else { byte }
}

/// The character that stands for a character
pub(super) fn flat(c: char) -> char {
    match fold(c) {
        '/' | '\u{2013}' | '\u{2014}' | '\u{2015}' => '-',
        // A regular expression that ignores case takes these two for `k` and `s`; texts never do.
        '\u{212a}' => 'k',
        'ſ' => 's',
        folded => folded,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::pattern::fold_text;

    proptest! {
        #[test]
        fn flat_text_is_made_character_by_character(one in "[ -~äÄſK–]{0,9}", other in ".{0,9}") {
            let whole = flattened(&format!("{one}{other}"));
            prop_assert_eq!([flattened(&one), flattened(&other)].concat(), &*whole);
            prop_assert_eq!(flattened(&fold_text(&one)), flattened(&one));
        }
    }
}
