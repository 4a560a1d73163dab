//! Functions of texts.
//!
//! In: values. Out: a text, a number or a list. A text in JSON counts as the text.

use serde_json::Value as Json;

use super::node::Function;
use super::value::Value;
use super::{Fault, Outcome, command_line};

pub(super) const FUNCTIONS: &[(&str, Function)] = &[
    ("parse_command_line", parse_command_line),
    ("parse_json", parse_json),
    ("replace_string", |values| {
        let [text, sought, rewrite] = [0, 1, 2].map(|at: usize| values[at].to_text());
        if sought.is_empty() {
            return Err(Fault::new("`replace_string` of the empty text"));
        }
        Ok(Value::text(text.replace(&*sought, &rewrite)))
    }),
    ("replace_strings", replace_strings),
    ("split", split),
    ("strcat", |values| {
        Ok(Value::text(values.iter().map(|value| value.to_text().to_string()).collect::<String>()))
    }),
    ("strcat_array", strcat_array),
    ("strlen", |values| Ok(Value::Long(values[0].to_text().chars().count() as i64))),
    ("substring", substring),
    ("todynamic", parse_json),
    ("tolower", |values| Ok(Value::text(&*super::term::fold(&values[0].to_text())))),
];

fn parse_command_line(values: &[Value]) -> Outcome {
    let (text, kind) = (values[0].to_text(), values[1].to_text());
    if &*kind != "windows" {
        return Err(Fault::new(format!("`parse_command_line` for {kind}")));
    }
    let arguments = command_line::arguments(&text);
    Ok(arguments.map_or(Value::Null, |arguments| Value::dynamic(arguments.into())))
}

/// What is no JSON is a text in JSON (Microsoft, "parse_json()")
fn parse_json(values: &[Value]) -> Outcome {
    if let Value::Dynamic(_) | Value::Null = values[0] {
        return Ok(values[0].clone());
    }
    let text = values[0].to_text();
    if text.is_empty() {
        return Ok(Value::Null);
    }
    let read = serde_json::from_str(&text);
    Ok(Value::dynamic(read.unwrap_or_else(|_| Json::String(text.to_string()))))
}

/// The first of the lookups goes first, and what it wrote is not looked at again (Microsoft,
/// "replace_strings()")
fn replace_strings(values: &[Value]) -> Outcome {
    let (Some(lookups), Some(rewrites)) = (values[1].list(), values[2].list()) else {
        return Err(Fault::new("`replace_strings` without lists"));
    };
    // Texts, each with whether it was written by a rewrite.
    let mut parts = vec![(values[0].to_text().to_string(), false)];
    for (at, lookup) in lookups.iter().enumerate() {
        let Some(lookup) = lookup.as_str().filter(|lookup| !lookup.is_empty()) else { continue };
        let rewrite = rewrites.get(at).and_then(Json::as_str).unwrap_or(lookup);
        let mut next = Vec::new();
        for (text, written) in parts {
            if written {
                next.push((text, written));
                continue;
            }
            for (number, piece) in text.split(lookup).enumerate() {
                if number > 0 {
                    next.push((rewrite.to_owned(), true));
                }
                next.push((piece.to_owned(), false));
            }
        }
        parts = next;
    }
    Ok(Value::text(parts.into_iter().map(|(text, _)| text).collect::<String>()))
}

fn split(values: &[Value]) -> Outcome {
    let (text, mark) = (values[0].to_text(), values[1].to_text());
    if mark.is_empty() {
        return Err(Fault::new("`split` at the empty text"));
    }
    let parts = text.split(&*mark).map(|part| Json::String(part.to_owned()));
    let parts: Vec<Json> = match values.get(2).map(|at| at.whole()) {
        None => parts.collect(),
        Some(at) => {
            let at = at.and_then(|at| usize::try_from(at).ok());
            at.and_then(|at| parts.clone().nth(at)).into_iter().collect()
        }
    };
    Ok(Value::dynamic(parts.into()))
}

fn strcat_array(values: &[Value]) -> Outcome {
    let mark = values[1].to_text();
    let items = values[0].list().into_iter().flatten();
    let texts: Vec<String> =
        items.map(|item| Value::dynamic(item.clone()).to_text().to_string()).collect();
    Ok(Value::text(texts.join(&mark)))
}

/// A start before the text counts from its end (Microsoft, "substring()")
fn substring(values: &[Value]) -> Outcome {
    let text = values[0].to_text();
    let Some(start) = values[1].whole() else { return Ok(Value::text("")) };
    let length = text.chars().count() as i64;
    let start = if start < 0 { (start + length).max(0) } else { start };
    let count = match values.get(2) {
        None => i64::MAX,
        Some(count) => count.whole().unwrap_or(0),
    };
    let skip = usize::try_from(start).unwrap_or(usize::MAX);
    let take = usize::try_from(count).unwrap_or(0);
    Ok(Value::text(text.chars().skip(skip).take(take).collect::<String>()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn lookups_go_in_their_order() {
        // Microsoft's examples.
        let replaced = |text: &str, lookups: Json, rewrites: Json| {
            replace_strings(&[Value::text(text), Value::dynamic(lookups), Value::dynamic(rewrites)])
                .unwrap()
        };
        let trick = "A magic trick can turn a cat into a dog";
        assert_eq!(
            replaced(trick, json!(["cat", "dog"]), json!(["dog", "pigeon"])),
            Value::text("A magic trick can turn a dog into a pigeon")
        );
        let this = "This is an example of using replace_strings()";
        assert_eq!(
            replaced(this, json!(["is", "This"]), json!(["was", "This"])),
            Value::text("Thwas was an example of using replace_strings()")
        );
        assert_eq!(
            replaced(this, json!(["This", "is"]), json!([12345, "was"])),
            Value::text("This was an example of using replace_strings()")
        );
        assert_eq!(
            replaced("&amp;lt; &lt;", json!(["&lt;", "&amp;"]), json!(["<", "&"])),
            Value::text("&lt; <")
        );
    }

    #[test]
    fn texts_are_split_and_cut() {
        let parts = |text: &str, mark: &str, at: Option<i64>| {
            let mut values = vec![Value::text(text), Value::text(mark)];
            values.extend(at.map(Value::Long));
            split(&values).unwrap()
        };
        assert_eq!(parts("aa_bb", "_", None), Value::dynamic(json!(["aa", "bb"])));
        assert_eq!(parts("aaa_bbb_ccc", "_", Some(1)), Value::dynamic(json!(["bbb"])));
        assert_eq!(parts("", "_", None), Value::dynamic(json!([""])));
        assert_eq!(parts("a__b", "_", None), Value::dynamic(json!(["a", "", "b"])));
        let cut = |start| substring(&[Value::text("123456"), Value::Long(start)]).unwrap();
        assert_eq!([cut(1), cut(-2), cut(9)], ["23456", "56", ""].map(Value::text));
    }

    #[test]
    fn a_text_that_is_no_json_stays_a_text() {
        let of = |text: &str| parse_json(&[Value::text(text)]).unwrap();
        assert_eq!(of("no JSON"), Value::dynamic(json!("no JSON")));
        assert_eq!(of(r#"{"a": 1}"#), Value::dynamic(json!({"a": 1})));
        assert_eq!(of(""), Value::Null);
    }
}
