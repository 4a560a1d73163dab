//! Parses the text of a query.
//!
//! In: text in EQL as current versions of Elasticsearch read it. Out: an [`Eql`]; the text of a
//! printed query gives the printed tree again. Comments are gone.
//!
//! Deliberately absent: pipes, samples, and conditions used as values. They are refused by name.
//! What types of fields and steps of a sequence must be, `bind` says.

use super::condition::condition;
use super::cursor::Cursor;
use super::lex::Token;
use super::tree::{Eql, EventQuery, FieldName, Sequence, Step};
use crate::query::Error;

/// The longest query that is read, in bytes
const MAX_LENGTH: usize = 1 << 20;
/// The most events that `with runs` asks for
pub const MOST_RUNS: u32 = 100;

/// Reads a query
///
/// # Errors
/// When Elasticsearch rejects the text, when the text is too long or too deep, and when it uses what
/// the tree leaves out.
pub fn parse(text: &str) -> Result<Eql, Error> {
    if text.len() > MAX_LENGTH {
        return Err(Error::new(format!("the query is longer than {MAX_LENGTH} bytes")));
    }
    let mut cursor = Cursor::of(text)?;
    for word in ["sample", "join"] {
        if cursor.is(word) {
            return Err(cursor.refuse(format!("`{word}` is not read here")));
        }
    }
    let query = match cursor.take("sequence") {
        true => Eql::Sequence(sequence(&mut cursor)?),
        false => Eql::Event(event(&mut cursor)?),
    };
    if cursor.is("|") {
        return Err(cursor.refuse("pipes are not read here; a rule sees all events that match"));
    }
    let ends = *cursor.look(0) == Token::End;
    if ends { Ok(query) } else { Err(cursor.expected("`and`, `or` or the end")) }
}

fn event(cursor: &mut Cursor<'_>) -> Result<EventQuery, Error> {
    let category = cursor.category()?;
    cursor.need("where")?;
    Ok(EventQuery { category, condition: condition(cursor)? })
}

fn sequence(cursor: &mut Cursor<'_>) -> Result<Sequence, Error> {
    let by = keys(cursor)?;
    let maxspan = if cursor.take("with") { Some(span(cursor)?) } else { None };
    if cursor.is("by") {
        return Err(cursor.refuse("`by` stands before `with`"));
    }
    let mut steps = Vec::new();
    while cursor.is("[") || cursor.is("![") {
        steps.push(step(cursor)?);
    }
    if steps.is_empty() {
        return Err(cursor.expected("`[`"));
    }
    let mut until = None;
    if cursor.take("until") {
        if !cursor.is("[") {
            return Err(cursor.expected("`[`"));
        }
        let end = step(cursor)?;
        if end.runs != 1 {
            return Err(cursor.refuse("the event of `until` has no runs"));
        }
        until = Some(end);
    }
    Ok(Sequence { by, maxspan, steps, until })
}

fn step(cursor: &mut Cursor<'_>) -> Result<Step, Error> {
    let absent = cursor.take("![");
    if !absent {
        cursor.need("[")?;
    }
    let query = event(cursor)?;
    cursor.need("]")?;
    let by = keys(cursor)?;
    let runs = if cursor.take("with") { runs(cursor)? } else { 1 };
    Ok(Step { absent, query, by, runs })
}

fn keys(cursor: &mut Cursor<'_>) -> Result<Vec<FieldName>, Error> {
    let mut keys = Vec::new();
    if cursor.take("by") {
        keys.push(cursor.field()?);
        while cursor.take(",") {
            keys.push(cursor.field()?);
        }
    }
    Ok(keys)
}

fn runs(cursor: &mut Cursor<'_>) -> Result<u32, Error> {
    cursor.need("runs")?;
    cursor.need("=")?;
    let runs = cursor.whole()?;
    match (1..=MOST_RUNS).contains(&runs) {
        true => Ok(runs),
        false => Err(cursor.refuse_before(1, format!("runs are 1 to {MOST_RUNS}"))),
    }
}

/// `maxspan=` and a time, in milliseconds
fn span(cursor: &mut Cursor<'_>) -> Result<u64, Error> {
    cursor.need("maxspan")?;
    cursor.need("=")?;
    let number: u64 = cursor.whole()?;
    let units = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
    let unit = units.into_iter().find(|(name, _)| cursor.take(name)).map(|(_, unit)| unit);
    let unit = unit.ok_or_else(|| cursor.expected("a unit: `ms`, `s`, `m`, `h` or `d`"))?;
    let span = number.checked_mul(unit).filter(|span| *span > 0);
    span.ok_or_else(|| cursor.refuse_before(2, "the time of `maxspan` is out of range"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        parse(text).map_or_else(|error| error.to_string(), |query| format!("reads as {query}"))
    }

    #[test]
    fn words_bind_in_their_order_and_chains_are_flat() {
        for (text, same) in [
            ("any where a or b and not c == 1 or d", "any where a or (b and not (c == 1)) or d"),
            ("any where a not in (1)", "any where not a in (1)"),
            ("any where a + 2 * -b % 3 > 1", "any where (a + ((2 * (0 - b)) % 3)) > 1"),
            ("any /* x */ where a : \"b\" // y", "any where a : (\"b\")"),
            ("\"process\" where `a`.b", "process where a . b"),
        ] {
            assert_eq!(parse(text), parse(same), "{text}");
            assert!(parse(text).is_ok(), "{}", refusal(text));
        }
        assert_ne!(parse("any where a and (b and c)"), parse("any where a and b and c"));
    }

    #[test]
    fn mistakes_have_a_place_and_human_words() {
        for (text, message) in [
            ("", "the query ends too early, expected a category of events or `any`"),
            ("process a", "`a` cannot stand here, expected `where`"),
            ("any where a = 1", "`=` compares nothing, write `==` or `:`"),
            ("any where a == 1 == 2", "`==` cannot stand here, expected `and`, `or` or the end"),
            ("any where a : 1", "`1` cannot stand here, expected a text"),
            ("any where a in (b)", "`b` cannot stand here, expected a constant"),
            ("any where a.in == 1", "`in` is a keyword; a name like it stands in backticks"),
            ("any where a[0] == 1", "a field has no numbered values"),
            ("any where (a > 1) == null", "a condition is used as a value, which is not read here"),
            ("any where a | head 5", "pipes are not read here; a rule sees all events that match"),
            ("any where child of [any where true]", "events of a process tree are not read here"),
            ("sample by a [any where true]", "`sample` is not read here"),
            ("sequence [any where a] with runs=101", "runs are 1 to 100"),
            ("sequence with maxspan=1.5m [a where b]", "expected a whole number"),
            ("sequence with maxspan=0s [a where b]", "the time of `maxspan` is out of range"),
            ("sequence with maxspan=5 [a where b]", "`[` cannot stand here, expected a unit"),
            ("sequence with maxspan=5s by a [a where b]", "`by` stands before `with`"),
            ("sequence [a where b] until ![a where b]", "`![` cannot stand here, expected `[`"),
            ("any where a > 1e999", "the number is out of range"),
        ] {
            assert!(refusal(text).starts_with(message), "{text}: {}", refusal(text));
        }
        let second_line = refusal("any where\n  a : ");
        assert_eq!(second_line, "the query ends too early, expected a text (line 2, column 7)");
    }

    #[test]
    fn deep_and_long_queries_are_refused_and_wide_ones_read() {
        for (open, close) in [("(", ")"), ("not ", ""), ("- ", ""), ("f(", ")")] {
            let deep = format!("any where {}a{}", open.repeat(90_000), close.repeat(90_000));
            assert!(refusal(&deep).contains("nests deeper than 50"), "{open}");
        }
        let chain = format!("any where {}a > 1", "a + ".repeat(90_000));
        assert!(refusal(&chain).contains("operations in one chain"));
        let wide = format!("any where {}a", "a and ".repeat(90_000));
        assert_eq!(parse(&wide).map(|query| query.fields().len()), Ok(90_001));
        assert!(refusal(&" ".repeat(2 << 20)).contains("longer than"));
    }
}
