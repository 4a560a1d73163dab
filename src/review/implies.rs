//! Whether every event that fits one expression fits another.
//!
//! In: two expressions. Out: true only where that is certain. False says nothing: the procedure is sound and
//! not complete. It takes expressions apart and compares tests of the same subject, value by value.

use crate::ir::{Case, Expr, Numbers, Op, Relation, Test, TextTest};
use crate::pattern::{Pattern, Token, fold_text};
use crate::taxonomy::Field;

/// Whether `narrow` fits only events that `wide` fits
pub(super) fn implies(narrow: &Expr, wide: &Expr) -> bool {
    if narrow == wide {
        return true;
    }
    match (narrow, wide) {
        (_, Expr::All(parts)) => parts.iter().all(|part| implies(narrow, part)),
        (Expr::Any(parts), _) => parts.iter().all(|part| implies(part, wide)),
        (_, Expr::Not(part)) if denies(narrow, part) => true,
        (Expr::Not(narrow), Expr::Not(wide)) => implies(wide, narrow),
        // The negation of a choice is that none of it holds.
        (Expr::Not(part), _) if matches!(&**part, Expr::Any(_)) => {
            let Expr::Any(parts) = &**part else { return false };
            parts.iter().any(|part| implies(&Expr::Not(Box::new(part.clone())), wide))
        }
        (Expr::All(parts), Expr::Any(choices)) => {
            choices.iter().any(|choice| implies(narrow, choice))
                || parts.iter().any(|part| implies(part, wide))
        }
        (Expr::All(parts), _) => parts.iter().any(|part| implies(part, wide)),
        (Expr::Test(test), Expr::Any(choices)) => {
            choices.iter().any(|choice| implies(narrow, choice))
                || singles(test).is_some_and(|all| all.iter().all(|one| implies(one, wide)))
        }
        (Expr::Not(_), Expr::Any(choices)) => choices.iter().any(|choice| implies(narrow, choice)),
        (Expr::Test(narrow), Expr::Test(wide)) => test_implies(narrow, wide),
        (Expr::Not(_), Expr::Test(_)) | (Expr::Test(_), Expr::Not(_)) => false,
    }
}

/// Whether nothing that fits an expression fits any of several choices, or all of several parts
fn denies(narrow: &Expr, part: &Expr) -> bool {
    let without = |part: &Expr| implies(narrow, &Expr::Not(Box::new(part.clone())));
    match part {
        Expr::Any(parts) => parts.iter().all(without),
        Expr::All(parts) => parts.iter().any(without),
        Expr::Test(_) | Expr::Not(_) => false,
    }
}

/// A test for each value of a test of text, which are its alternatives; `None` for one value or another test
fn singles(test: &Test) -> Option<Vec<Expr>> {
    let text = test.op.as_text().filter(|text| text.values.len() > 1)?;
    let one = |value: &Pattern| {
        Expr::Test(Test { op: Op::Text(text.with(vec![value.clone()])), ..test.clone() })
    };
    Some(text.values.iter().map(one).collect())
}

fn test_implies(narrow: &Test, wide: &Test) -> bool {
    let same_field = narrow.subject.field == wide.subject.field;
    if matches!(wide.op, Op::Exists) && same_field && narrow.subject.field != Field::EVERY {
        // Each other comparison needs a value.
        return !matches!(narrow.op, Op::Null);
    }
    if narrow.subject != wide.subject {
        return false;
    }
    match (&narrow.op, &wide.op) {
        (Op::Text(narrow), Op::Text(wide)) => {
            let alike = (narrow.relation, narrow.case) == (wide.relation, wide.case);
            let covered = |value| {
                alike && wide.values.contains(value)
                    || wide.values.iter().any(|other| covers((wide, other), (narrow, value)))
            };
            narrow.values.iter().all(covered)
        }
        (Op::Regex(narrow), Op::Regex(wide)) => narrow.iter().all(|one| wide.contains(one)),
        (Op::Segments(narrow), Op::Segments(wide)) => narrow.iter().all(|one| wide.contains(one)),
        (Op::Networks(narrow), Op::Networks(wide)) => {
            narrow.iter().all(|one| wide.iter().any(|other| other.contains(one)))
        }
        (Op::Numbers(narrow), Op::Numbers(wide)) => {
            narrow.iter().all(|one| wide.iter().any(|other| within(one, other)))
        }
        _ => narrow.op == wide.op,
    }
}

fn within(narrow: &Numbers, wide: &Numbers) -> bool {
    let is_plain = |one: &Numbers| !one.open && one.fraction.is_none();
    narrow == wide
        || is_plain(narrow) && is_plain(wide) && wide.from <= narrow.from && narrow.to <= wide.to
}

/// A character of a text, or what stands for some
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Symbol {
    Is(char),
    One,
    Any,
}

/// Whether every text that fits the second pattern fits the first
fn covers((wide, value): (&TextTest, &Pattern), (narrow, other): (&TextTest, &Pattern)) -> bool {
    if wide.case == Case::Sensitive && narrow.case == Case::Insensitive {
        return false;
    }
    let symbols = |test: &TextTest, value: &Pattern| {
        let folded = match wide.case {
            Case::Insensitive => value.map_literals(fold_text),
            Case::Sensitive => value.clone(),
        };
        symbols(test.relation, &folded)
    };
    fits(&symbols(wide, value), &symbols(narrow, other))
}

fn symbols(relation: Relation, value: &Pattern) -> Vec<Symbol> {
    let mut all = Vec::new();
    if matches!(relation, Relation::Ends | Relation::Contains) {
        all.push(Symbol::Any);
    }
    for token in value.tokens() {
        match token {
            Token::Literal(text) => all.extend(text.chars().map(Symbol::Is)),
            Token::One => all.push(Symbol::One),
            Token::Any => all.push(Symbol::Any),
        }
    }
    if matches!(relation, Relation::Starts | Relation::Contains) {
        all.push(Symbol::Any);
    }
    all
}

/// Whether a pattern takes all that another stands for: only its own wildcards take wildcards
fn fits(pattern: &[Symbol], text: &[Symbol]) -> bool {
    // `row[at]`: whether the pattern so far takes the first `at` symbols.
    let mut row: Vec<bool> = std::iter::once(true).chain(text.iter().map(|_| false)).collect();
    for symbol in pattern {
        let mut next = vec![false; row.len()];
        next[0] = row[0] && *symbol == Symbol::Any;
        for (at, other) in text.iter().enumerate() {
            next[at + 1] = match symbol {
                Symbol::Any => row[at + 1] || next[at],
                Symbol::One => row[at] && *other != Symbol::Any,
                Symbol::Is(_) => row[at] && symbol == other,
            };
        }
        row = next;
    }
    row.last().copied().unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn test(relation: Relation, case: Case, values: &[&str]) -> TextTest {
        let values = values.iter().map(|value| Pattern::read(value)).collect();
        TextTest { relation, values, case }
    }

    #[test]
    fn a_pattern_takes_what_its_wildcards_take() {
        use Case::{Insensitive, Sensitive};
        use Relation::{Contains, Ends, Equals, Starts, Wildcard};
        let table = [
            (Contains, "cmd", Equals, "a cmd b", true),
            (Contains, "cmd", Contains, "cmd.exe", true),
            (Contains, "cmd.exe", Contains, "cmd", false),
            (Ends, ".exe", Wildcard, "tomcat*.exe", true),
            (Wildcard, "tomcat*.exe", Equals, "tomcat9.exe", true),
            (Wildcard, "tomcat?.exe", Wildcard, "tomcat*.exe", false),
            (Wildcard, "tomcat*.exe", Wildcard, "tomcat?.exe", true),
            (Starts, "c:\\", Starts, "C:\\Windows", true),
            (Equals, "a", Starts, "a", false),
        ];
        for (wide, value, narrow, other, expected) in table {
            let (wide, narrow) =
                (test(wide, Insensitive, &[value]), test(narrow, Insensitive, &[other]));
            let covered = covers((&wide, &wide.values[0]), (&narrow, &narrow.values[0]));
            assert_eq!(covered, expected, "{value} takes {other}");
        }
        let (cased, free) =
            (test(Contains, Sensitive, &["Cmd"]), test(Contains, Insensitive, &["Cmd"]));
        assert!(covers((&free, &free.values[0]), (&cased, &cased.values[0])));
        assert!(!covers((&cased, &cased.values[0]), (&free, &free.values[0])));
    }
}
