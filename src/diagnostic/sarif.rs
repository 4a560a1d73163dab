//! Writes findings as SARIF 2.1.0, which code scanning services read.
//!
//! In: the findings of a run. Out: one log with one run. The same findings give the same bytes on
//! every machine: the log holds no date, and no directory beyond the paths that the user gave.
//!
//! INVARIANT: a finding keeps its fingerprint when lines above it come or go.

use serde_json::{Map, Value, json};
use uuid::Uuid;

use super::json::{Place, print};
use super::{Code, Diagnostic, Fix, Label};
use crate::source::{SourceText, Span};

/// The findings as a SARIF log
pub fn sarif(diagnostics: &[Diagnostic]) -> String {
    let mut codes: Vec<Code> = diagnostics.iter().map(|diagnostic| diagnostic.code).collect();
    codes.sort_by_key(|code| code.as_str());
    codes.dedup();
    let rules: Vec<Value> = codes.iter().map(|code| rule(*code)).collect();
    let results: Vec<Value> = diagnostics
        .iter()
        .map(|diagnostic| {
            result(diagnostic, codes.iter().position(|code| *code == diagnostic.code))
        })
        .collect();
    let driver =
        json!({ "name": "rulecast", "version": env!("CARGO_PKG_VERSION"), "rules": rules });
    print(&json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    }))
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.as_str(),
        "shortDescription": { "text": code.title() },
        "fullDescription": { "text": code.explanation() },
        "help": { "text": code.explanation() },
        "defaultConfiguration": { "level": code.severity().as_str() },
    })
}

fn result(diagnostic: &Diagnostic, rule: Option<usize>) -> Value {
    let source = &diagnostic.source;
    let help = diagnostic.help.as_ref().map(|help| format!(". Help: {help}")).unwrap_or_default();
    let related = diagnostic.secondary.iter().map(|label| location(source, label));
    // The schema requires at least one replacement in a fix.
    let fixes = diagnostic.fix.iter().filter(|fix| !fix.edits.is_empty());
    json!({
        "ruleId": diagnostic.code.as_str(),
        "ruleIndex": rule,
        "level": diagnostic.severity.as_str(),
        "message": { "text": format!("{}{help}", diagnostic.message) },
        "locations": [location(source, &diagnostic.primary)],
        "relatedLocations": related.collect::<Vec<_>>(),
        "fixes": fixes.map(|fix| change(source, fix)).collect::<Vec<_>>(),
        "partialFingerprints": { "rulecast/v1": fingerprint(diagnostic) },
    })
}

fn location(source: &SourceText, label: &Label) -> Value {
    let mut location = Map::new();
    let physical =
        json!({ "artifactLocation": file(source), "region": region(source, label.span) });
    location.insert("physicalLocation".to_owned(), physical);
    if !label.text.is_empty() {
        location.insert("message".to_owned(), json!({ "text": label.text }));
    }
    Value::Object(location)
}

fn region(source: &SourceText, span: Span) -> Value {
    let place = Place::of(source, span);
    json!({
        "startLine": place.line,
        "startColumn": place.column,
        "endLine": place.end_line,
        "endColumn": place.end_column,
        "byteOffset": place.start,
        "byteLength": place.end - place.start,
    })
}

fn change(source: &SourceText, fix: &Fix) -> Value {
    let replacements = fix.edits.iter().map(|(span, text)| {
        json!({ "deletedRegion": region(source, *span), "insertedContent": { "text": text } })
    });
    json!({
        "description": { "text": fix.title },
        "artifactChanges": [{
            "artifactLocation": file(source),
            "replacements": replacements.collect::<Vec<_>>(),
        }],
    })
}

/// The file as a URI relative to `SRCROOT`, or as a `file:` URI if the user gave an absolute path
fn file(source: &SourceText) -> Value {
    let name = source.name();
    match name.as_bytes() {
        [b'/', ..] | [_, b':', b'/', ..] => {
            json!({ "uri": format!("file:///{}", percent_encoded(name.trim_start_matches('/'))) })
        }
        _ => json!({ "uri": percent_encoded(name), "uriBaseId": "SRCROOT" }),
    }
}

fn percent_encoded(path: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte);
    path.bytes()
        .map(|byte| if plain(byte) { char::from(byte).into() } else { format!("%{byte:02X}") })
        .collect()
}

/// Identifies the finding by its code, file, marked text and message, not by its line
fn fingerprint(diagnostic: &Diagnostic) -> String {
    let Diagnostic { code, source, primary, message, .. } = diagnostic;
    let name = [code.as_str(), source.name(), source.slice(primary.span), message].join("\0");
    Uuid::new_v5(&Uuid::NAMESPACE_OID, name.as_bytes()).to_string()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use serde_sarif::sarif::Sarif;

    use super::*;

    fn about(name: &str, text: &str, word: &str) -> Diagnostic {
        let source = Arc::new(SourceText::new(name, text));
        let start = text.find(word).unwrap() as u32;
        let span = Span::new(start, start + word.len() as u32);
        Diagnostic::new(Code::ALL[0], &source, span, "unknown field", "not a field")
    }

    fn log(diagnostics: &[Diagnostic]) -> Value {
        serde_json::from_str(&sarif(diagnostics)).unwrap()
    }

    fn fingerprint_of(diagnostic: &Diagnostic) -> Value {
        let log = log(std::slice::from_ref(diagnostic));
        log["runs"][0]["results"][0]["partialFingerprints"]["rulecast/v1"].clone()
    }

    #[test]
    fn sarif_reads_back_into_the_schema_types() {
        let finding = about("a.yml", "ä: öö\n", "öö");
        let finding = finding.also(Span::new(0, 2), "").help("look").replace(Span::new(0, 2), "b");
        let log: Sarif = serde_json::from_value(log(&[finding])).unwrap();
        let results = log.runs[0].results.as_ref().unwrap();
        assert_eq!(results[0].message.text.as_deref(), Some("unknown field. Help: look"));
        assert_eq!(results[0].fixes.as_ref().unwrap().len(), 1);
        assert_eq!(results[0].related_locations.as_ref().unwrap().len(), 1);
    }

    #[test]
    fn rules_are_distinct_sorted_and_pointed_at() {
        let mut findings = vec![about("a.yml", "a: b", "b"); 3];
        let (low, high) = (Code::ALL[0], Code::ALL[1]);
        let (low, high) = if low.as_str() < high.as_str() { (low, high) } else { (high, low) };
        findings[0].code = high;
        findings[1].code = low;
        findings[2].code = high;
        let run = log(&findings)["runs"][0].clone();
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        let ids: Vec<&Value> = rules.iter().map(|rule| &rule["id"]).collect();
        assert_eq!(ids, [low.as_str(), high.as_str()]);
        assert_eq!(
            [0, 1, 2].map(|i| run["results"][i]["ruleIndex"].as_u64()),
            [Some(1), Some(0), Some(1)]
        );
    }

    #[test]
    fn a_region_counts_characters_and_bytes() {
        let source = SourceText::new("a.yml", "x: 1\nä: öö\n");
        let expected = json!({
            "startLine": 2, "startColumn": 4, "endLine": 2, "endColumn": 6,
            "byteOffset": 9, "byteLength": 4,
        });
        assert_eq!(region(&source, Span::new(9, 13)), expected);
    }

    #[test]
    fn a_fingerprint_survives_a_line_above_and_not_another_word() {
        let before = fingerprint_of(&about("a.yml", "a: b\n", "b"));
        assert_eq!(before, fingerprint_of(&about("a.yml", "# new\n\na: b\n", "b")));
        assert_ne!(before, fingerprint_of(&about("a.yml", "a: c\n", "c")));
        assert_ne!(before, fingerprint_of(&about("b.yml", "a: b\n", "b")));
    }

    #[test]
    fn a_path_is_percent_encoded_below_the_root() {
        let source = SourceText::new("rules/ä b%:c.yml", "");
        let expected = json!({ "uri": "rules/%C3%A4%20b%25%3Ac.yml", "uriBaseId": "SRCROOT" });
        assert_eq!(file(&source), expected);
    }

    #[test]
    fn an_absolute_path_has_no_base() {
        assert_eq!(file(&SourceText::new("/a/b.yml", "")), json!({ "uri": "file:///a/b.yml" }));
    }

    #[test]
    fn a_fix_without_edits_is_left_out() {
        let mut finding = about("a.yml", "a: b", "b");
        finding.fix = Some(Fix { title: "think".to_owned(), edits: Vec::new() });
        assert_eq!(result(&finding, None)["fixes"], json!([]));
    }
}
