//! Tests of the elements of a list: arguments of a command line, files of an alert.
//!
//! In: a list, and patterns of which one element must fit one. Out: tests of one text that holds all
//! elements, with U+001F before, between and after them: `has "\x1f/run\x1f"` finds a whole element. An
//! element that holds U+001F itself counts as two. A command line is taken apart once a row: its arguments
//! become a column ahead of the first step that tests them.

use std::collections::BTreeSet;

use super::cost::LONG_CHAIN;
use crate::backend::expression::{self, Around};
use crate::ir::{Case, Part, Relation, Signal, TextTest};
use crate::mapping::{Holds, Table};
use crate::pattern::{Pattern, Token, has_wide_case};
use crate::query::kusto::{Expression, Item, Operator, Step};
use crate::taxonomy::Product;

/// Whether some argument of a command line passes the test
pub(super) fn of(command_line: &Expression, product: Product, text: &TextTest) -> Expression {
    test(&arguments(command_line, product), text)
}

/// Whether some element of a list passes the test
pub(super) fn elements(list: &Expression, text: &TextTest) -> Expression {
    test(&Elements::of(list.clone()), text)
}

/// Elements as one text
struct Elements {
    text: Expression,
    /// The list, when it may have elements without text; without elements it gives the text of one such
    list: Option<Expression>,
}

impl Elements {
    fn of(list: Expression) -> Elements {
        let border = Expression::unit_separator;
        let inside = Expression::call("strcat_array", [list.clone(), border()]);
        let text = Expression::call("strcat", [border(), inside, border()]);
        Elements { text, list: Some(list) }
    }
}

/// The arguments of a command line: as Windows splits it, or its words
fn arguments(command_line: &Expression, product: Product) -> Elements {
    let line = command_line.clone();
    match product {
        Product::Windows => {
            let windows = Expression::text("windows");
            Elements::of(Expression::call("parse_command_line", [line, windows]))
        }
        Product::Linux | Product::Macos => {
            let blank = || Expression::text(" ");
            let padded = Expression::call("strcat", [blank(), line, blank()]);
            let blanks = Expression::text(r"\s+");
            let text = [padded, blanks, Expression::unit_separator()];
            Elements { text: Expression::call("replace_regex", text), list: None }
        }
    }
}

/// The cheapest tests of the text of all elements, of which one holds where some element passes
fn test(elements: &Elements, text: &TextTest) -> Expression {
    let joined = &elements.text;
    let bordered = text.values.iter().map(|value| (value, bordered(value, text.relation)));
    let (mut whole, mut loose, mut patterns) = (Vec::new(), Vec::new(), Vec::new());
    let mut has_empty = false;
    for (value, bordered) in bordered {
        let is_empty = value.literals().next().is_none();
        has_empty |= is_empty;
        let is_hard = |needle: &str| is_empty || text.folds() && has_wide_case(needle);
        match bordered.as_literal().filter(|needle| !is_hard(needle)) {
            Some(needle) if is_whole(needle) => whole.push(needle.to_owned()),
            Some(needle) => loose.push(needle.to_owned()),
            None if bordered.tokens().is_empty() && elements.list.is_none() => {
                patterns.push(Pattern::of([Token::One]));
            }
            None => patterns.push(bordered),
        }
    }
    if loose.len() > LONG_CHAIN {
        patterns.extend(loose.drain(..).map(|needle| Pattern::literal(&needle)));
    }
    let one = |operator: &str, needle: &String| {
        joined.clone().compare(operator, Expression::text(needle))
    };
    let mut tests = Vec::new();
    match (&*whole, text.case) {
        ([_, _, ..], Case::Insensitive) => {
            let needles = whole.iter().map(|needle| Expression::text(needle)).collect();
            tests.push(joined.clone().one_of("has_any", needles));
        }
        (_, Case::Insensitive) => tests.extend(whole.iter().map(|needle| one("has", needle))),
        (_, Case::Sensitive) => tests.extend(whole.iter().map(|needle| one("has_cs", needle))),
    }
    let contains = if text.folds() { "contains" } else { "contains_cs" };
    tests.extend(loose.iter().map(|needle| one(contains, needle)));
    if !patterns.is_empty() {
        let written = expression::regex(&patterns, text.case, Around::Elements);
        let matches = joined.clone().compare("matches regex", Expression::text(&written));
        // An empty list gives the same text as a list of one empty element.
        let list = elements.list.clone().filter(|_| has_empty);
        let is_filled = list.map(|list| {
            let count = Expression::call("array_length", [list]);
            let count = Expression::call("coalesce", [count, Expression::number(0)]);
            count.compare(">", Expression::number(0))
        });
        tests.push(Expression::all(is_filled.into_iter().chain([matches])));
    }
    Expression::any(tests)
}

/// The steps, with the arguments that they test in columns of their own
///
/// The tests beside those of arguments stay ahead, so that few command lines are taken apart.
pub(super) fn in_columns(table: &Table, signal: &Signal, mut steps: Vec<Step>) -> Vec<Step> {
    let subjects = signal.tests().map(|test| &test.subject);
    let tested = subjects.filter_map(|subject| match subject.part {
        Part::Argument(product) => Some((&subject.field, product)),
        Part::Whole | Part::Name | Part::Extension | Part::Key | Part::Time(_) => None,
    });
    for (field, product) in tested.collect::<BTreeSet<_>>() {
        let Some(column) = table.column(field, Holds::Whole) else { continue };
        let name = format!("{}Arguments", field.name());
        let arguments = arguments(&column.value, product).text;
        let tests = |step: &Step| step.clone().replaced(&arguments, &Expression::name(&name));
        let Some(first) = steps.iter().position(|step| tests(step) != *step) else { continue };
        let mut rest = steps.split_off(first).into_iter().map(|step| tests(&step));
        let (ahead, step) = parted(rest.next(), &name);
        steps.extend(ahead);
        steps.push(Step::extend([Item::named(&name, arguments.clone())]));
        steps.extend(step.into_iter().chain(rest));
    }
    steps
}

/// The tests of a filter that do not name the column, and those that do
fn parted(step: Option<Step>, name: &str) -> (Option<Step>, Option<Step>) {
    // An exclusion is under one comment.
    let bare = step.as_ref().filter(|step| step.comments.is_empty());
    let Some(Operator::Where(test)) = bare.map(|step| &step.operator) else {
        return (None, step);
    };
    let names = |test: &&Expression| {
        let mut names = BTreeSet::new();
        test.collect_names(&mut names);
        names.contains(name)
    };
    let (of_arguments, ahead): (Vec<&Expression>, Vec<&Expression>) =
        test.conjuncts().into_iter().partition(names);
    let filter = |tests: Vec<&Expression>| {
        let all = Expression::all(tests.iter().map(|test| (*test).clone()));
        (!tests.is_empty()).then(|| Step::filter(all))
    };
    (filter(ahead), filter(of_arguments))
}

/// The pattern that the text of all elements contains where one element fits
fn bordered(value: &Pattern, relation: Relation) -> Pattern {
    let (tokens, starts_open) = match value.tokens() {
        [Token::Any, tokens @ ..] => (tokens, true),
        tokens => (tokens, false),
    };
    let (tokens, ends_open) = match tokens {
        [tokens @ .., Token::Any] => (tokens, true),
        tokens => (tokens, false),
    };
    let border = |is_open: bool| (!is_open).then(|| Token::Literal(BORDER.to_owned()));
    let starts_open = starts_open || matches!(relation, Relation::Ends | Relation::Contains);
    let ends_open = ends_open || matches!(relation, Relation::Starts | Relation::Contains);
    let inside = tokens.iter().cloned();
    Pattern::of(border(starts_open).into_iter().chain(inside).chain(border(ends_open)))
}

/// What stands around each element
const BORDER: &str = "\u{1f}";

/// Whether `has` finds the needle wherever the text contains it: its ends are no letters or digits, and it
/// has some
fn is_whole(needle: &str) -> bool {
    let is_inner = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let mut chars = needle.chars();
    !is_inner(chars.next())
        && !is_inner(chars.next_back())
        && needle.contains(char::is_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::query::kusto::print_expression;

    #[test]
    fn an_element_stands_between_two_borders() {
        let list = Expression::name("List");
        let of = |relation, case, values: &[&str]| {
            let values = values.iter().map(|value| Pattern::read(value)).collect();
            let test = elements(&list, &TextTest { relation, values, case });
            print_expression(
                &test.replaced(&Elements::of(list.clone()).text, &Expression::name("All")),
            )
        };
        use Case::{Insensitive, Sensitive};
        use Relation::{Contains, Ends, Equals, Starts, Wildcard};
        assert_eq!(of(Equals, Insensitive, &["/run"]), r#"All has "\x1f/run\x1f""#);
        assert_eq!(of(Equals, Sensitive, &["a"]), r#"All has_cs "\x1fa\x1f""#);
        assert_eq!(of(Equals, Insensitive, &["/"]), r#"All contains "\x1f/\x1f""#);
        assert_eq!(
            of(Starts, Insensitive, &["/u:", "/p="]),
            r#"All has_any ("\x1f/u:", "\x1f/p=")"#
        );
        assert_eq!(of(Starts, Sensitive, &["-enc"]), r#"All contains_cs "\x1f-enc""#);
        assert_eq!(of(Ends, Insensitive, &["exe"]), r#"All contains "exe\x1f""#);
        assert_eq!(of(Contains, Insensitive, &["'b'"]), r#"All has "'b'""#);
        assert_eq!(
            of(Wildcard, Insensitive, &["*a?"]),
            r#"All matches regex @"(?is)a[^\x1f]\x1f""#
        );
        let none = r#"coalesce(array_length(List), 0) > 0 and All matches regex @"(?is)\x1f\x1f""#;
        assert_eq!(of(Equals, Insensitive, &[""]), none);
        assert_eq!(
            of(Equals, Insensitive, &["é"]),
            r#"All matches regex @"(?s)(?i-u:\x1f)[éÉ](?i-u:\x1f)""#
        );
    }
}
