//! Known words near a misspelt one.
//!
//! In: a word and the known words. Out: the known word that was probably meant, if any.

/// The known word that is at most two typing slips away; both have more than three letters
pub(crate) fn misspelt<'k>(
    word: &str,
    known: impl IntoIterator<Item = &'k str>,
) -> Option<&'k str> {
    if word.len() > LONGEST {
        return None;
    }
    let slips = |known: &&str| strsim::damerau_levenshtein(word, known);
    let near = known.into_iter().filter(|known| known.len() > 3).min_by_key(slips)?;
    (word.len() > 3 && slips(&near) <= 2).then_some(near)
}

/// The longest word that is compared with known words, in bytes
const LONGEST: usize = 200;
/// The most known words to compare: bounds the time for many wrong words against many known ones
const MOST: usize = 300;

/// The most similar known word, whatever the case, if its Jaro-Winkler similarity exceeds 0.8
pub(crate) fn nearest<'k>(word: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    if word.len() > LONGEST {
        return None;
    }
    let word = word.to_lowercase();
    let score = |known: &str| strsim::jaro_winkler(&word, &known.to_lowercase());
    let known = known.into_iter().filter(|known| known.len() <= LONGEST).take(MOST);
    let best = known.map(|k| (score(k), k)).max_by(|a, b| a.0.total_cmp(&b.0))?;
    (best.0 > 0.8).then_some(best.1)
}
