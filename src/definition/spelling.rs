//! Words, dates and ids, as the language wants them and as people write them.
//!
//! In: the text of a metadata value. Out: the value. What a definition may not write is an error.
//! In a Sigma document it is a warning with the edit, and a value that can mean one thing only is
//! read all the same; any other is left out.

use crate::diagnostic::{Code, Diagnostic};
use crate::source::{Spanned, visible};
use crate::yaml::{Reader, nearest};

/// Finds a word of an enumeration; reports an unknown word with the nearest known one
pub(super) fn word<T: Copy>(
    reader: &mut Reader<'_>,
    text: Spanned<String>,
    all: &[T],
    name: impl Fn(T) -> &'static str,
) -> Option<Spanned<T>> {
    if let Some(meant) = all.iter().find(|one| name(**one) == text.value) {
        return Some(Spanned::new(*meant, text.span));
    }
    let same = |one: &&T| name(**one).eq_ignore_ascii_case(text.value.trim());
    if let Some(meant) = all.iter().find(same).filter(|_| reader.lenient) {
        respelt(reader, &text, name(*meant));
        return Some(Spanned::new(*meant, text.span));
    }
    let known: Vec<&str> = all.iter().map(|one| name(*one)).collect();
    let message = format!("`{}` is not one of {}", text.value, known.join(", "));
    let code = if reader.lenient { Code::W0135 } else { Code::E0112 };
    let diagnostic = Diagnostic::new(code, reader.source, text.span, message, "unknown word");
    reader.report(match nearest(&text.value, known.iter().copied()) {
        Some(near) => diagnostic.replace(text.span, near),
        None => diagnostic,
    });
    None
}

/// Reads an id: a UUID, and in a Sigma document any text in one line
///
/// `must` tells whether an id that is no UUID deserves a warning there.
pub(super) fn id(
    reader: &mut Reader<'_>,
    text: Spanned<String>,
    must: bool,
) -> Option<Spanned<String>> {
    /// The longest id that is no UUID, in bytes
    const LONGEST: usize = 200;
    if let Ok(id) = uuid::Uuid::try_parse(&text.value) {
        return Some(Spanned::new(id.hyphenated().to_string(), text.span));
    }
    let message = format!("`{}` is not a UUID", text.value);
    let label = "expected 8-4-4-4-12 hex digits";
    if !reader.lenient {
        reader.error(Code::E0113, text.span, message, label);
        return None;
    }
    if text.value.len() > LONGEST || text.value != visible(&text.value) {
        reader.left_out(text.span, message, label);
        return None;
    }
    if must {
        let diagnostic = Diagnostic::new(Code::W0137, reader.source, text.span, message, label);
        reader.report(diagnostic.help("Give it a random UUID, and keep that for ever."));
    }
    Some(text)
}

/// Reads a date, `2024-01-31` or Sigma's older `2024/01/31`; reports an invalid one
pub(super) fn date(reader: &mut Reader<'_>, text: Spanned<String>) -> Option<Spanned<String>> {
    if !reader.lenient {
        let day = text.value.replace('/', "-").parse::<jiff::civil::Date>();
        if day.is_err() {
            let message = format!("`{}` is not a date", text.value);
            reader.error(Code::E0114, text.span, message, "expected YYYY-MM-DD");
        }
        return day.ok().map(|day| Spanned::new(day.to_string(), text.span));
    }
    let Some(day) = day(&text.value) else {
        let message = format!("`{}` is not one date only", text.value);
        reader.left_out(text.span, message, "expected YYYY-MM-DD");
        return None;
    };
    if day != text.value {
        respelt(reader, &text, &day);
    }
    Some(Spanned::new(day, text.span))
}

fn respelt(reader: &mut Reader<'_>, text: &Spanned<String>, right: &str) {
    let message = format!("`{}` is written `{right}`", text.value);
    let label = "read as if it were";
    let diagnostic = Diagnostic::new(Code::W0136, reader.source, text.span, message, label);
    reader.report(diagnostic.replace(text.span, right));
}

/// The one day that a text can mean, as `YYYY-MM-DD`
///
/// With a year in front the month follows, unless no month has that number. Dots stand after the
/// day. Of two numbers with slashes before a year, either may be the day if both can be a month.
fn day(text: &str) -> Option<String> {
    let text = text.trim();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let digits = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit());
    let is_year = |word: &str| word.len() == 4 && digits(word);
    let (year, one, other) = match *words {
        // The time of a timestamp, as in `2024-01-31T10:00:00Z`, does not count.
        [year, one, other, ..] if is_year(year) => (year, one, other.split(['T', 't']).next()?),
        [one, other, year, ..] if is_year(year) => (year, one, other),
        [packed] if packed.len() == 8 && digits(packed) => {
            (&packed[..4], &packed[4..6], &packed[6..])
        }
        _ => return None,
    };
    let month = |word: &str| {
        const MONTHS: &[&str] =
            &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
        let start = word.get(..3)?.to_ascii_lowercase();
        MONTHS.iter().position(|name| *name == start).map(|at| at as i8 + 1)
    };
    let date = |month: i8, day: &str| {
        let day = day.trim_end_matches(char::is_alphabetic).parse().ok()?;
        jiff::civil::Date::new(year.parse().ok()?, month, day).ok()
    };
    let numbered = |month: &str, day: &str| date(month.parse().ok()?, day);
    let meant = match (month(one), month(other)) {
        (Some(month), _) => date(month, other),
        (_, Some(month)) => date(month, one),
        (None, None) => match (numbered(one, other), numbered(other, one)) {
            (first, second) if first == second => first,
            (Some(only), None) | (None, Some(only)) => Some(only),
            (first, _) if text.starts_with(year) => first,
            (_, second) if text.contains('.') => second,
            _ => None,
        },
    };
    meant.map(|day| day.to_string())
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn a_date_in_another_order_is_read_where_it_means_one_day() {
        for text in [
            "2024-01-31",
            "2024/01/31",
            "2024/1/31",
            "2024-31-01",
            "2024.01.31",
            "31.01.2024",
            "31/01/2024",
            "01/31/2024",
            "20240131",
            "2024-01-31T10:00:00Z",
            "2024-01-31 10:00:00",
            "31 January 2024",
            "Jan 31st, 2024",
        ] {
            assert_eq!(day(text).as_deref(), Some("2024-01-31"), "{text}");
        }
        assert_eq!(day("2024-1-5").as_deref(), Some("2024-01-05"));
        assert_eq!(day("05.01.2024").as_deref(), Some("2024-01-05"));
        assert_eq!(day("05/05/2024").as_deref(), Some("2024-05-05"));
    }

    #[test]
    fn a_date_that_could_be_two_days_is_none() {
        for text in ["05/01/2024", "2024", "soon", "2024-13-32", "31-01-24", ""] {
            assert_eq!(day(text), None, "{text}");
        }
    }
}
