//! The plain reader agrees with `serde_json` wherever it is sure.

use proptest::prelude::*;
use serde::Deserialize;
use serde_json::Value;

use super::*;

fn plain(text: &str) -> Option<Value> {
    let mut plain = Plain::of(text);
    let value = Value::deserialize(&mut plain).ok()?;
    plain.is_at_end().then_some(value)
}

fn skipped(text: &str) -> bool {
    let mut plain = Plain::of(text);
    IgnoredAny::deserialize(&mut plain).is_ok() && plain.is_at_end()
}

fn agree(text: &str) {
    let read = serde_json::from_str::<Value>(text);
    if let Some(value) = plain(text) {
        assert_eq!(Some(value), read.ok(), "{text}");
    }
    if skipped(text) {
        assert!(serde_json::from_str::<IgnoredAny>(text).is_ok(), "{text}");
    }
}

#[test]
fn what_is_common_is_read_here() {
    for text in [
        r#"{"a":"b","c":[1,-2,0,1.5,1e3,true,null,{"d":[]}],"e\"\\":"\u00e4\n ä"}"#,
        r#" { "a" : 1 , "b" : [ "C:\\x" , {} ] } "#,
        r#"{"a":18446744073709551615,"b":-9223372036854775808}"#,
    ] {
        assert_eq!(plain(text), serde_json::from_str(text).ok(), "{text}");
        assert!(plain(text).is_some() && skipped(text), "{text}");
    }
}

#[test]
fn what_is_no_json_is_not_taken_for_it() {
    for text in [
        "",
        "{",
        "{}}",
        "{,}",
        r#"{"a"}"#,
        r#"{"a":}"#,
        r#"{"a":1,}"#,
        "[1,]",
        "[1 2]",
        "01",
        "-",
        "-01",
        "1.",
        "+1",
        "tru",
        "truex",
        r#""\x""#,
        "\"\u{1}\"",
        r#""\ud800""#,
        r#""\u12g4""#,
        r#"{"a":1 "b":2}"#,
        "1e999",
        "\"a",
    ] {
        agree(text);
    }
    agree(&"[".repeat(200));
    agree(&format!("{}{}", "[".repeat(200), "]".repeat(200)));
}

proptest! {
    #[test]
    fn reads_what_serde_json_reads(text in r#"[\[\]{},:"a\\u0-9eE.+\-tn \x01ä]{0,24}"#) {
        agree(&text);
        agree(&format!("{{\"a\":\"{text}\"}}"));
        agree(&format!("{{\"a\":{text}}}"));
        agree(&format!("[{text}]"));
    }
}
