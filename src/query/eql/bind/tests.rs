//! One test for each kind of finding.

use super::*;
use crate::query::eql::parse;

/// The findings about a query on an index with a field of each type, named by it
fn findings(query: &str) -> String {
    let types = |name: &str| match name {
        "@timestamp" => Some(FieldType::Date),
        "keyword" | "constant_keyword" | "wildcard" | "text" | "match_only_text" | "long"
        | "float" | "boolean" | "ip" | "date" | "flattened" | "nested" | "geo_point" => {
            Some(FieldType::named(name))
        }
        "nested.keyword" => Some(FieldType::Keyword),
        _ => None,
    };
    let query = parse(query).unwrap_or_else(|why| panic!("{why}\n{query}"));
    let messages: Vec<String> = bind(&query, &types).iter().map(Finding::to_string).collect();
    messages.join("; ")
}

/// The findings about a condition
fn of(condition: &str) -> String {
    findings(&format!("any where {condition}"))
}

#[test]
fn what_elasticsearch_takes_has_no_finding() {
    for condition in [
        "keyword : \"a*\" and wildcard like~ (\"a\", \"b\") and constant_keyword regex \"a.\"",
        "keyword == \"a\" and keyword in (\"a\") and keyword > \"b\" and keyword in~ (\"a\")",
        "long >= 4 and float == 1.5 and long in (1, 2) and long + 1 > 2 and 4 < long",
        "boolean and boolean == false and not boolean != true and boolean in (true)",
        "ip == \"10.0.0.1\" and cidrMatch(ip, \"10.0.0.1/8\", \"fe80::/10\") and ip != null",
        "@timestamp > \"2026-01-01\" and keyword == null and ?nothing : \"a\" and ?nothing == 5",
        "startsWith~(keyword, \"a*\") and length(keyword) > 3 and string(long) : \"4*\"",
        "concat(keyword, \":\", long) == \"a:1\" and endsWith(keyword, \".exe\") and true",
        "substring(keyword, 0, 2) == \"ab\" and indexOf~(keyword, \"a\") == 0",
    ] {
        assert_eq!(of(condition), "", "{condition}");
    }
}

#[test]
fn an_unmapped_field_is_reported_once() {
    let message = "no index maps `a.b`; `?a.b` may be missing";
    assert_eq!(of("a.b == 1 or a.b : \"x\""), message);
    assert_eq!(findings("sequence by a.b [any where true] [any where true]"), message);
}

#[test]
fn fields_of_these_types_are_refused_everywhere() {
    for name in ["text", "match_only_text"] {
        let message = format!("`{name}` is a text field, whose words are stored and not its value");
        for test in [": \"a\"", "== null", "in (\"a\")"] {
            assert_eq!(of(&format!("{name} {test}")), message);
        }
    }
    assert_eq!(of("date > 5"), "`date` is a date, which rules do not test");
    assert_eq!(of("flattened == \"a\""), "`flattened` is flattened, and has no value of its own");
    assert_eq!(of("nested != null"), "`nested` is nested, which EQL does not look into");
    assert_eq!(
        of("nested.keyword == \"a\""),
        "`nested` is nested, so EQL does not see `nested.keyword`"
    );
    assert_eq!(of("geo_point == \"a\""), "`geo_point` has a type that EQL does not take");
}

#[test]
fn patterns_and_functions_of_texts_take_texts() {
    for name in ["long", "ip", "boolean", "float"] {
        for test in [": \"a\"", "like \"a*\"", "regex~ \"a\""] {
            let message = of(&format!("{name} {test}"));
            assert!(
                message.starts_with(&format!("patterns compare texts, `{name}`, ")),
                "{message}"
            );
        }
    }
    assert_eq!(of("startsWith(long, \"4\")"), "`startsWith` does not take `long`, a number");
}

#[test]
fn constants_have_the_kind_of_the_field() {
    assert_eq!(of("keyword == 5"), "`keyword`, a text, cannot be compared with the number `5`");
    assert_eq!(of("long in (1, \"2\")"), "`long`, a number, cannot be compared with the text `2`");
    assert_eq!(of("boolean > false"), "true and false have no order");
    assert_eq!(of("long in~ (1)"), "`in~` compares texts, `long`, a number, is none");
    assert_eq!(of("keyword + 1 > 2"), "`keyword`, a text, is no number to calculate with");
    assert_eq!(of("keyword"), "`keyword`, a text, alone is no condition");
    assert_eq!(
        of("keyword == wildcard"),
        "two values of an event cannot be compared, one side must be a constant"
    );
}

#[test]
fn addresses_are_compared_whole_or_with_networks() {
    assert_eq!(
        of("ip in (\"10.0.0.1\")"),
        "`ip`, an address, takes no list, write `==` or `cidrMatch`"
    );
    assert_eq!(
        of("ip == \"10.0.0.0/8\""),
        "`10.0.0.0/8` is no address; `cidrMatch` compares with networks"
    );
    assert_eq!(of("cidrMatch(ip, \"10.0.0.0/99\")"), "`10.0.0.0/99` is no network");
    assert_eq!(
        of("cidrMatch(ip, keyword)"),
        "`cidrMatch` compares with networks that are constants"
    );
    let message = of("cidrMatch(keyword, \"10.0.0.0/8\")");
    assert_eq!(message, "`cidrMatch` does not take `keyword`, a text");
}

#[test]
fn functions_are_known_by_name_and_number_of_arguments() {
    assert_eq!(of("match(keyword, \"a\")"), "there is no function `match`");
    assert_eq!(of("length~(keyword) > 1"), "`length` has no form with `~`");
    assert_eq!(of("length() > 1"), "`length` does not take 0 arguments");
    assert_eq!(
        of("endsWith~(keyword, \"\\\\cmd.exe\")"),
        "`endsWith` reads `\\cmd.exe` as a pattern, write `like` or `like~`"
    );
}

#[test]
fn regular_expressions_are_those_of_lucene() {
    assert_eq!(
        of("keyword regex (\"a\", \"a|\")"),
        "the regular expression `a|` is not Lucene's: an alternative is empty"
    );
}

#[test]
fn sequences_can_run() {
    let any = "[any where true]";
    for (query, message) in [
        (format!("by keyword {any} {any}"), ""),
        (format!("{any} with runs=2"), ""),
        (format!("with maxspan=1s {any} !{any}"), ""),
        (any.to_owned(), "a sequence has two steps at least, or one with two runs"),
        (format!("{any} !{any}"), "an event that must be absent needs `maxspan`"),
        (
            format!("with maxspan=1s !{any} !{any}"),
            "one step of a sequence must be an event that is there",
        ),
        (
            format!("by long {any} by keyword {any}"),
            "the steps have different numbers of keys after `by`: 2, 1",
        ),
        (
            format!("{any} by long {any} by long until {any}"),
            "the steps have different numbers of keys after `by`: 1, 1, 0",
        ),
    ] {
        assert_eq!(findings(&format!("sequence {query}")), message, "{query}");
    }
    let Ok(Eql::Sequence(mut sequence)) = parse("sequence [any where true] with runs=2") else {
        panic!("the query is a sequence");
    };
    sequence.steps[0].runs = 101;
    sequence.maxspan = Some(0);
    let mistakes = bind(&Eql::Sequence(sequence), &|_| None);
    let messages: Vec<String> = mistakes.iter().map(Finding::to_string).collect();
    assert_eq!(
        messages,
        ["a step has 101 runs, which are 1 to 100", "the time of `maxspan` is longer than nothing"]
    );
}
