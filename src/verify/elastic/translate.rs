//! The query that Kibana sends to Elasticsearch.
//!
//! In: a [`Kuery`]. Out: a [`Query`]. The comparison depends on whether the value is quoted, on
//! its wildcards and on the field's type: a keyword compares as a whole, text by words. Only for a
//! field that is a plain keyword in every index does Kibana send the wildcards unchanged; for any
//! other it writes a query string, which blanks split into alternatives.

use super::fields::{Field, Known, Type};
use super::glob::Glob;
use super::point::Side;
use super::query::{self, Query};
use crate::pattern::{Pattern, Token};
use crate::query::Error;
use crate::query::kuery::{Bound, Kuery, Literal, Values};

/// Translates a query of Kibana's language
pub(super) fn query(kuery: &Kuery, known: &Known) -> Result<Query, Error> {
    let many = |parts: &[Kuery]| {
        parts.iter().map(|part| query(part, known)).collect::<Result<Vec<_>, Error>>()
    };
    match kuery {
        Kuery::And(parts) => many(parts).map(Query::All),
        Kuery::Or(parts) => many(parts).map(Query::any),
        Kuery::Not(part) => query(part, known).map(Query::negate),
        Kuery::Field(name, Values::One(Literal::Plain(value)))
            if name.is_anything() && value.is_anything() =>
        {
            Ok(Query::All(Vec::new()))
        }
        Kuery::Field(name, values) => list(field(name, known)?, values),
        Kuery::Range(name, bound, limit) => {
            let side = match bound {
                Bound::Below => Side::To(false),
                Bound::AtMost => Side::To(true),
                Bound::Above => Side::From(false),
                Bound::AtLeast => Side::From(true),
            };
            let text = match limit {
                Literal::Quoted(text) => text.as_str(),
                Literal::Plain(pattern) => pattern.as_literal().ok_or_else(|| {
                    Error::new(format!("`{limit}` is no limit, for it has wildcards"))
                })?,
            };
            query::range(field(name, known)?, &[(side, text.to_owned())])
        }
        Kuery::Nested(name, _) => {
            Err(Error::new(format!("nested documents, as in `{name}`, are not judged here")))
        }
        Kuery::Anywhere(value) => Err(Error::new(format!(
            "the value `{value}` has no field, and all fields are not known here"
        ))),
    }
}

fn field<'k>(name: &Pattern, known: &'k Known) -> Result<&'k Field, Error> {
    let whole = name.as_literal();
    let open = || format!("which fields `{name}` stands for is not known here");
    known.named(whole.ok_or_else(|| Error::new(open()))?)
}

fn list(field: &Field, values: &Values) -> Result<Query, Error> {
    let many = |parts: &[Values]| {
        parts.iter().map(|part| list(field, part)).collect::<Result<Vec<_>, Error>>()
    };
    match values {
        Values::One(literal) => value(field, literal),
        Values::Any(parts) => many(parts).map(Query::any),
        Values::All(parts) => many(parts).map(Query::All),
        Values::Not(part) => list(field, part).map(Query::negate),
    }
}

fn value(field: &Field, literal: &Literal) -> Result<Query, Error> {
    let pattern = match literal {
        Literal::Quoted(text) => return query::analyse(field, text, true),
        Literal::Plain(pattern) if pattern.is_anything() => return Ok(query::exists(field)),
        Literal::Plain(pattern) => pattern,
    };
    match (pattern.as_literal(), field.kind) {
        (Some("null"), _) => {
            Err(Error::new(format!("`null` without quotes is no value of {}", field.name)))
        }
        (Some(text), _) => query::analyse(field, text, false),
        (None, Type::Keyword | Type::Lowercase) => query::wildcard(field, Glob::of(pattern), false),
        (None, Type::Wildcard | Type::Text) => query_string(field, pattern),
        (None, Type::Long | Type::Ip | Type::Date | Type::Boolean) => {
            query::wildcard(field, Glob::of(pattern), false)
        }
    }
}

/// A query string: blanks separate alternatives; adjacent pieces without wildcards stay together
fn query_string(field: &Field, pattern: &Pattern) -> Result<Query, Error> {
    let mut pieces: Vec<Vec<Token>> = vec![Vec::new()];
    for token in pattern.tokens() {
        let Token::Literal(text) = token else {
            pieces.iter_mut().rev().take(1).for_each(|piece| piece.push(token.clone()));
            continue;
        };
        for (at, part) in text.split([' ', '\t', '\n', '\r', '\u{3000}']).enumerate() {
            if at > 0 {
                pieces.push(Vec::new());
            }
            let part = Token::Literal(part.to_owned());
            pieces.iter_mut().rev().take(1).for_each(|piece| piece.push(part.clone()));
        }
    }
    let mut alternatives = Vec::new();
    let mut words: Vec<String> = Vec::new();
    for piece in pieces.into_iter().map(Pattern::of).filter(|piece| *piece != Pattern::default()) {
        match piece.as_literal() {
            Some("AND" | "OR" | "NOT") => {
                let message = format!("`{piece}` is an operator between the blanks of `{pattern}`");
                return Err(Error::new(message));
            }
            Some(word) => words.push(word.to_owned()),
            None => {
                alternatives.extend(together(field, &mut words)?);
                alternatives.push(match piece.is_anything() {
                    true => query::exists(field),
                    false => query::wildcard(field, Glob::of(&piece), false)?,
                });
            }
        }
    }
    alternatives.extend(together(field, &mut words)?);
    Ok(Query::any(alternatives))
}

fn together(field: &Field, words: &mut Vec<String>) -> Result<Option<Query>, Error> {
    let text = std::mem::take(words).join(" ");
    (!text.is_empty()).then(|| query::analyse(field, &text, false)).transpose()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::super::evaluate;
    use super::super::fields::Groups;
    use super::*;
    use crate::query::kuery::parse;

    fn fits(text: &str, name: &str, value: Value) -> bool {
        let query = query(&parse(text).unwrap(), &Known::default()).unwrap();
        evaluate::holds(&query, &json!({name: value}), Groups::named("others").unwrap())
    }

    #[test]
    fn a_keyword_is_whole_and_keeps_its_case() {
        let name = |query: &str, value: &str| fits(query, "process.name", json!(value));
        assert!(
            name("process.name:cmd.exe", "cmd.exe") && !name("process.name:cmd.exe", "CMD.exe")
        );
        assert!(name("process.name:\"a*\"", "a*") && !name("process.name:\"a*\"", "ab"));
        assert!(name("process.name:a?c*", "a?cd") && !name("process.name:a?c*", "abcd"));
        assert!(name("process.name:a b*", "a bc") && !name("process.name:a b*", "bc"));
        assert!(fits("process.name:true", "process.name", json!(true)));
    }

    #[test]
    fn text_is_words_without_case() {
        let line = |query: &str, value: &str| {
            fits(
                &format!("process.command_line.text:{query}"),
                "process.command_line",
                json!(value),
            )
        };
        assert!(!line("\"CMD /C dir\"", "x cmd.exe cmd  /c:dir"));
        assert!(line("\"CMD /C dir\"", "x \"cmd\" /c dir y") && line("net user", "NET view"));
        assert!(line("tomc*", "Tomcat9.exe") && !line("*9.exe", "Tomcat9.exe"));
        assert!(!line("\"...\"", "...") && line("*", "..."));
    }

    #[test]
    fn stars_of_a_long_value_are_split_at_blanks() {
        let line = |query: &str, value: &str| {
            fits(&format!("process.command_line:{query}"), "process.command_line", json!(value))
        };
        assert!(line("*who ami*", "ami") && line("*who ami*", "x who"));
        assert!(
            !line("*who ami*", "who am i") && line("a b *c", "a b") && line("*whoami*", "x whoami")
        );
        // This blank separates words in a query string, but not in Kibana's language.
        let operator = parse("process.command_line:*a OR\u{3000}b*").unwrap();
        assert!(query(&operator, &Known::default()).is_err());
    }

    #[test]
    fn lists_ask_the_document_and_missing_is_false() {
        let args = json!(["/c", "dir"]);
        assert!(fits("process.args:(\"/c\" and dir)", "process.args", args.clone()));
        assert!(fits("process.args:(* and not x)", "process.args", args.clone()));
        assert!(!fits("process.args:(/c and not dir)", "process.args", args));
        assert!(fits("not process.args:*", "process.args", json!([null])));
        assert!(fits("*:*", "process.args", json!(null)));
    }

    #[test]
    fn values_that_are_too_long_are_not_there() {
        let long = json!("a".repeat(1_025));
        assert!(!fits("process.args:a*", "process.args", long.clone()));
        assert!(!fits("process.args:*", "process.args", long.clone()));
        assert!(fits("process.command_line:a*", "process.command_line", long));
        assert!(fits("process.args:a*", "process.args", json!("a".repeat(1_024))));
    }

    #[test]
    fn ranges_compare_numbers_and_addresses() {
        assert!(fits("source.port >= 80", "source.port", json!("80")));
        assert!(!fits("source.port < \"80\"", "source.port", json!(80)));
        assert!(fits("source.ip:(\"10.0.0.0/8\" or \"::1\")", "source.ip", json!("10.0.0.1")));
        assert!(query(&parse("source.port >= 8*").unwrap(), &Known::default()).is_err());
    }
}
