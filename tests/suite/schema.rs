//! The JSON Schemas against the reader: what it takes they take, and they refuse what a schema can.

use std::fs;
use std::path::{Path, PathBuf};

use jsonschema::Validator;
use rulecast::schema::{self, Kind};
use serde::Deserialize;
use serde_json::Value;

use crate::support::root;

/// Mistakes that no schema can say, with the reason
const BEYOND: &[(&str, &str)] = &[
    ("E0104", "YAML readers of editors report a duplicate key themselves, or keep the last"),
    ("E0105", "anchors and aliases are gone when a schema sees the values"),
    ("E0119", "comments are no part of the values"),
    ("E0133", "scripts in Markdown and links"),
    ("E0207", "which modifiers go together"),
    ("E0208", "the type of the field that a word stands for"),
    ("E0209", "names that another part of the document defines"),
    ("E0210", "regular expressions are a language of their own"),
    ("E0211", "networks are a language of their own"),
    ("E0212", "what is a whole path"),
    ("E0218", "placeholders stand in another file"),
    ("E0219", "wildcards beside an encoding"),
    ("E0302", "names that another part of the document defines"),
    ("E0303", "names that another part of the document defines"),
    ("E0305", "brackets are counted by no regular expression"),
    ("E0401", "names that another part of the document defines"),
    ("E0402", "the fields of the signal that it names"),
    ("E0404", "names that another part of the document defines"),
    ("E0407", "names that another part of the document defines"),
    ("E0408", "names that another part of the document defines"),
    ("E0409", "the fields of the signal that it names"),
    ("E0410", "what each type of correlation needs"),
    ("E0411", "what a correlation needs"),
    ("E0412", "another document"),
    ("E0414", "names that another part of the document defines"),
];

/// Stages whose mistakes are those of targets, verdicts and files, which a document by itself does not show
const LATER: &[&str] = &["E05", "E06", "E07", "E08", "E09"];

/// The documents of a text as an editor reads them; `None` when it is no YAML
fn documents(text: &str) -> Option<Vec<Value>> {
    let documents = serde_yaml::Deserializer::from_str(text);
    documents.map(|document| Value::deserialize(document).ok()).collect()
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::new(schema).unwrap()
}

/// What the schema says against a file
fn wrong(any: &Validator, path: &Path) -> Vec<String> {
    let Ok(text) = fs::read_to_string(path) else { return vec!["not UTF-8".into()] };
    let Some(documents) = documents(&text) else { return vec!["not YAML".into()] };
    let documents = documents.iter().filter(|document| !document.is_null());
    let found = documents.flat_map(|document| any.iter_errors(document));
    found.map(|error| format!("{}: {error}", error.instance_path())).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let files = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    let files = files.map(|entry| entry.unwrap().into_path());
    files.filter(|path| path.extension().is_some_and(|end| end == "yml")).collect()
}

/// Whether several documents of a file are one rule, by `action:` of Sigma 1
fn is_joined(path: &Path) -> bool {
    fs::read_to_string(path).is_ok_and(|text| text.lines().any(|line| line.starts_with("action:")))
}

#[test]
fn every_rule_fits_its_schema() {
    let any = validator(&schema::any());
    let mut all = [files(&root().join("rules")), files(&root().join("tests/operators"))].concat();
    all.extend(files(&root().join("tests/specification")));
    all.extend(files(&root().join("tests/projects")));
    all.retain(|path| !path.to_string_lossy().contains("refused"));
    all.retain(|path| !path.ends_with("placeholders.yml") && !path.ends_with("lists.yml"));
    assert!(all.len() > 60, "{} files", all.len());
    let found = all.iter().map(|path| (path, wrong(&any, path)));
    let found: Vec<_> = found.filter(|(_, wrong)| !wrong.is_empty()).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_rule_of_the_corpus_fits_its_schema() {
    let Some(corpus) = crate::support::corpus("the rules of SigmaHQ against their schema") else {
        return;
    };
    let any = validator(&schema::any());
    // Every fourth rule: all of them take longer than the other tests together.
    let all = files(&corpus.join("data/sigma/rules")).into_iter().step_by(4);
    let all: Vec<PathBuf> = all.filter(|path| !is_joined(path)).collect();
    assert!(all.len() > 500, "{} files", all.len());
    let found = all.iter().map(|path| (path, wrong(&any, path)));
    let found: Vec<_> = found.filter(|(_, wrong)| !wrong.is_empty()).take(10).collect();
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn mistakes_that_a_schema_can_say_fail_it() {
    let any = validator(&schema::any());
    let (mut passed, mut too_strict) = (Vec::new(), Vec::new());
    for path in files(&root().join("tests/invalid")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let wrong = wrong(&any, &path);
        let later = LATER.iter().any(|stage| name.starts_with(stage));
        if name.starts_with('W') && !wrong.is_empty() && !is_joined(&path) {
            too_strict.push((name, wrong));
        } else if name.starts_with('E') && wrong.is_empty() && !later {
            passed.push(name[..5].to_owned());
        }
    }
    let beyond: Vec<&str> = BEYOND.iter().map(|(code, _)| *code).collect();
    assert_eq!(passed, beyond, "codes that pass, and those that a schema cannot say");
    assert!(too_strict.is_empty(), "{too_strict:#?}");
}

/// A day of TOML as its text, as editors give it to a schema
fn days_as_text(value: &mut Value) {
    match value {
        Value::Object(map) => {
            if let Some(day) = map.get("$__toml_private_datetime") {
                *value = day.clone();
            } else {
                map.values_mut().for_each(days_as_text);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(days_as_text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn settings_of_projects_fit_their_schema() {
    let project = validator(&schema::of(Kind::Project));
    let judge = |text: &str| {
        let mut value: Value = toml::from_str(text).unwrap();
        days_as_text(&mut value);
        project.iter_errors(&value).map(|error| error.to_string()).collect::<Vec<_>>()
    };
    for folder in ["own_tables", "two_tenants"] {
        let path = root().join("tests/projects").join(folder).join("rulecast.toml");
        let wrong = judge(&fs::read_to_string(&path).unwrap());
        assert!(wrong.is_empty(), "{}: {wrong:#?}", path.display());
    }
    assert_eq!(judge("rulez = ['rules']\n").len(), 1);
    assert_eq!(judge("[[loss]]\nnames = ['case']\nweight = 'nought'\nreason = 'x'\n").len(), 1);
}

#[test]
fn every_key_has_a_text() {
    for (place, key) in [("signals-signal", "exclusions"), ("detection-logsource", "category")] {
        let schema = schema::any();
        let text = &schema["$defs"][place]["properties"][key]["description"];
        assert!(
            text.as_str().is_some_and(|text| text.contains("```yaml")),
            "{place} {key}: {text}"
        );
    }
    let schema = schema::of(Kind::Definition);
    let parents = &schema["$defs"]["events-process_creation"]["properties"]["parents"];
    let text = parents["description"].as_str().unwrap();
    assert!(text.contains("- sentinel: ") && text.contains("- elastic: "), "{text}");
}
