//! Words, as the analysers of Elasticsearch make them.
//!
//! In: text, and the [`Analyser`] of its field. Out: its words in lower case. To the standard
//! analyser a word is a run of letters and digits, joined by `_`, by `.`, `:` or an apostrophe
//! between letters, and by `.`, `,`, `;` or an apostrophe between digits. An ideograph is a word of
//! its own. Source: Unicode Standard Annex 29, "Word Boundary Rules", as far as log data needs it;
//! scripts without blanks (Thai, Khmer) are deliberately absent. The analyser of PowerShell scripts
//! is that of the field files of Elastic's Windows integration.

use super::glob::lower;

/// The longest word, in characters; the rest of a longer word becomes the next word
const LONGEST: usize = 255;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Letter,
    Digit,
    Joiner,
    Ideograph,
    Other,
}

/// How a field cuts text into words
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Analyser {
    /// The standard analyser
    Standard,
    /// The analyser of PowerShell scripts
    Script,
}

/// The words of a text, in order
pub(super) fn words(text: &str, analyser: Analyser) -> Vec<String> {
    match analyser {
        Analyser::Standard => standard(text),
        Analyser::Script => script(text),
    }
}

/// Runs of ASCII letters, digits, `_` and `-`: the pattern `[\W&&[^-]]+` separates words
fn script(text: &str) -> Vec<String> {
    let separates = |c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '-');
    let words = text.split(separates).filter(|word| !word.is_empty());
    words.map(str::to_ascii_lowercase).collect()
}

fn standard(text: &str) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let class_at = |at: Option<usize>| at.and_then(|at| characters.get(at)).map(|c| class(*c));
    let mut words: Vec<Vec<char>> = Vec::new();
    let mut word = Vec::new();
    for (at, c) in characters.iter().enumerate() {
        match class(*c) {
            Class::Letter | Class::Digit | Class::Joiner => word.push(*c),
            Class::Ideograph => {
                words.extend([std::mem::take(&mut word), vec![*c]]);
            }
            Class::Other => {
                let around = (class_at(at.checked_sub(1)), class_at(Some(at + 1)));
                let joins = match around {
                    (Some(Class::Letter), Some(Class::Letter)) => ".'’:·․".contains(*c),
                    (Some(Class::Digit), Some(Class::Digit)) => ".,;'’".contains(*c),
                    _ => false,
                };
                if joins {
                    word.push(*c);
                } else {
                    words.push(std::mem::take(&mut word));
                }
            }
        }
    }
    words.push(word);
    let spoken = words.into_iter().filter(|word| word.iter().any(|c| c.is_alphanumeric()));
    let pieces = spoken.flat_map(|word| word.chunks(LONGEST).map(Vec::from).collect::<Vec<_>>());
    pieces.map(|word| word.into_iter().map(lower).collect()).collect()
}

fn class(c: char) -> Class {
    match c {
        '_' => Class::Joiner,
        '\u{3040}'..='\u{309f}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' => {
            Class::Ideograph
        }
        '\u{20000}'..='\u{3ffff}' => Class::Ideograph,
        c if c.is_alphabetic() => Class::Letter,
        c if c.is_numeric() => Class::Digit,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        super::words(text, Analyser::Standard)
    }

    #[test]
    fn a_script_is_cut_at_all_but_letters_digits_and_hyphens() {
        assert_eq!(script("New-Object Net.Web_1;"), ["new-object", "net", "web_1"]);
        assert_eq!(script("$a=-1 é"), ["a", "-1"]);
    }

    #[test]
    fn words_are_those_of_the_standard_analyser() {
        assert_eq!(words("cmd.exe /c C:\\Windows"), ["cmd.exe", "c", "c", "windows"]);
        assert_eq!(words("queue:work foo_bar"), ["queue:work", "foo_bar"]);
        assert_eq!(
            words("tomcat9.exe 1.2,3 it's a.1"),
            ["tomcat9", "exe", "1.2,3", "it's", "a", "1"]
        );
        assert_eq!(words("日本 __ ..."), ["日", "本"]);
        assert_eq!(words("ÄRGER Kelvin \u{212a}"), ["ärger", "kelvin", "k"]);
    }

    #[test]
    fn a_very_long_word_is_cut() {
        let lengths: Vec<usize> = words(&"a".repeat(300)).iter().map(String::len).collect();
        assert_eq!(lengths, [255, 45]);
    }
}
