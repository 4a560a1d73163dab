//! The values of a document.
//!
//! In: a document as it was sent, with nested objects, dotted keys, or both. Out: the values at
//! the path of a field. Lists are flattened, since a field in Elasticsearch has values, not lists.

use serde_json::Value;

/// The values at a path, without null
pub(in crate::verify) fn leaves<'d>(document: &'d Value, path: &str) -> Vec<&'d Value> {
    let mut leaves = Vec::new();
    collect(document, path, &mut leaves);
    leaves
}

fn collect<'d>(value: &'d Value, path: &str, leaves: &mut Vec<&'d Value>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, path, leaves)),
        Value::Object(map) => {
            let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
            for end in ends.filter(|_| !path.is_empty()) {
                if let Some(inner) = map.get(&path[..end]) {
                    collect(inner, path.get(end + 1..).unwrap_or_default(), leaves);
                }
            }
        }
        Value::Null => {}
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            if path.is_empty() {
                leaves.push(value);
            }
        }
    }
}

/// Removes all values at a path
pub(super) fn remove(document: &mut Value, path: &str) {
    match document {
        Value::Array(items) => items.iter_mut().for_each(|item| remove(item, path)),
        Value::Object(map) => {
            map.remove(path);
            for (end, _) in path.match_indices('.') {
                if let Some(inner) = map.get_mut(&path[..end]) {
                    remove(inner, &path[end + 1..]);
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A value as the text of a keyword
pub(in crate::verify) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            value.to_string()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn nested_dotted_and_listed_values_are_all_found() {
        let document = json!({
            "a": [{"b.c": "1", "b": {"c": ["2", null, ["3"]]}}, {"b": "no"}],
            "a.b": {"c": 4},
            "a.b.c": {"d": "no"},
        });
        assert_eq!(leaves(&document, "a.b.c"), [&json!("2"), &json!("3"), &json!("1"), &json!(4)]);
        assert!(leaves(&document, "a.b.c.e").is_empty());
        let mut document = document;
        remove(&mut document, "a.b.c");
        assert!(
            leaves(&document, "a.b.c").is_empty() && leaves(&document, "a.b") == [&json!("no")]
        );
    }
}
