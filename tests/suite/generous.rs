//! Rules of others: whatever stands in their metadata, they read, and every query stays the same.

use std::fs;

use rayon::prelude::*;
use rulecast::backend::Target;
use rulecast::definition::Looked;
use rulecast::diagnostic::{Diagnostic, concise};
use rulecast::workspace::{Kept, Text, Workspace};

use crate::support::{corpus, root};

/// The metadata keys of a Sigma rule
const KEYS: &[&str] = &[
    "title",
    "id",
    "name",
    "status",
    "level",
    "description",
    "author",
    "date",
    "modified",
    "references",
    "tags",
    "falsepositives",
    "related",
    "license",
    "fields",
    "scope",
];

/// What stands under a damaged key
const DAMAGE: &[&str] = &[
    "",
    " ''",
    " []",
    " {}",
    " ~",
    " 123",
    " {a: b}",
    " [[a, b], {c: d}]",
    " [1, true, ~, '']",
    " Some <b>Words</b> & 31.12.2024",
    "\n  - attack.defense-evasion\n  - attack.t0859\n  - Tag Of Ours",
    "\n  - {id: 12, type: Derived}\n  - {type: similar}\n  - id: x",
];

/// The Sentinel queries of a text without their comments, and the findings about it
fn queries(name: &str, text: &str) -> (Vec<String>, Vec<Diagnostic>) {
    let mut workspace = Workspace::read(&Text::new(name, text).into());
    let (outputs, _) = workspace.outputs(&[Target::Sentinel], Kept::Artifacts);
    let queries = outputs.iter().filter(|output| output.path.ends_with(".kql"));
    let code = |text: &str| {
        // The title stands in a comment and in the column `Signal`.
        let named =
            |line: &str| line.starts_with("//") || line.trim_start().starts_with("Signal = ");
        let lines = text.lines().filter(|line| !named(line));
        lines.collect::<Vec<_>>().join("\n")
    };
    let queries = queries.map(|output| code(&output.text)).collect();
    (queries, workspace.diagnostics.sorted())
}

/// The findings, one a line
fn said(findings: &[Diagnostic]) -> String {
    findings.iter().map(concise).collect::<Vec<_>>().join("\n")
}

/// The text without a top-level key, and whether it has the key
fn without(text: &str, key: &str) -> (String, bool) {
    let mut inside = false;
    let mut found = false;
    let mut rest = String::new();
    for line in text.split_inclusive('\n') {
        let top = !line.starts_with([' ', '-', '#', '\n', '\r', '\t']);
        inside = if top { line.starts_with(&format!("{key}:")) } else { inside };
        found |= inside;
        if !inside {
            rest.push_str(line);
        }
    }
    (rest, found)
}

/// Damages every metadata key of a rule, in every way or in some ways that `turn` chooses; returns
/// what changed by it
fn damage(name: &str, text: &str, turn: Option<usize>) -> Vec<String> {
    let (right, _) = queries(name, text);
    assert!(!right.is_empty(), "{name} has a query");
    // A level is a column of the result; one that cannot be read is the middle one.
    let plain = |queries: &[String], key: &str| {
        let lines = queries.iter().flat_map(|query| query.lines());
        let lines = lines.filter(|line| key != "level" || !line.contains(" Level = "));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let mut wrong = Vec::new();
    for (at, key) in KEYS.iter().enumerate() {
        let (rest, found) = without(text, key);
        let other = [format!("{key}x"), key.to_uppercase(), key.trim_end_matches('s').to_owned()];
        let respelt = other
            .iter()
            .filter(|_| found)
            .map(|other| text.replacen(&format!("\n{key}:"), &format!("\n{other}:"), 1));
        let damaged = DAMAGE.iter().map(|damage| format!("{key}:{damage}\n{rest}"));
        let all: Vec<String> = damaged.chain(respelt).chain([rest.clone()]).collect();
        let chosen = match turn {
            None => all,
            Some(turn) => vec![all[(turn + at) % all.len()].clone()],
        };
        for damaged in chosen {
            let (now, findings) = queries(name, &damaged);
            let errors = findings.iter().filter(|one| one.code.as_str().starts_with('E'));
            let errors: Vec<Diagnostic> = errors.cloned().collect();
            if plain(&now, key) != plain(&right, key) || !errors.is_empty() {
                let head: String = damaged.chars().take(60).collect();
                wrong.push(format!("{name} {key}: {head:?}\n{}", said(&errors)));
            }
        }
    }
    wrong
}

#[test]
fn damaged_metadata_of_our_sigma_rules_changes_no_query() {
    let files = walkdir::WalkDir::new(root().join("tests/invalid")).sort_by_file_name().into_iter();
    // The examples of warnings convert.
    let files = files.filter_map(Result::ok);
    let files = files.filter(|file| file.file_name().to_string_lossy().starts_with('W'));
    let texts = files.filter_map(|file| {
        let text = fs::read_to_string(file.path()).ok()?;
        Some((file.file_name().to_string_lossy().into_owned(), text))
    });
    let sigma = texts.filter(|(_, text)| text.contains("\ndetection:") && !text.contains("\n---"));
    let sigma: Vec<_> = sigma.filter(|(name, text)| !queries(name, text).0.is_empty()).collect();
    assert!(sigma.len() > 2, "{} rules", sigma.len());
    let wrong: Vec<String> =
        sigma.par_iter().take(3).flat_map(|(name, text)| damage(name, text, None)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn damaged_metadata_of_200_rules_of_sigmahq_changes_no_query() {
    let name = "damaged_metadata_of_200_rules_of_sigmahq_changes_no_query";
    let Some(corpus) = corpus(name) else { return };
    let files = walkdir::WalkDir::new(corpus.join("data/sigma/rules")).sort_by_file_name();
    let files = files.into_iter().map(|entry| entry.unwrap().into_path());
    let files: Vec<_> =
        files.filter(|path| path.extension().is_some_and(|it| it == "yml")).collect();
    let texts = files
        .iter()
        .step_by(files.len() / 600 + 1)
        .map(|path| (path.to_string_lossy().into_owned(), fs::read_to_string(path).unwrap()));
    let with_query = |(name, text): &(String, String)| !queries(name, text).0.is_empty();
    let texts: Vec<_> = texts.filter(with_query).take(200).collect();
    assert_eq!(texts.len(), 200);
    let wrong = texts.par_iter().enumerate();
    let wrong = wrong.flat_map(|(turn, (name, text))| damage(name, text, Some(turn)));
    let wrong: Vec<String> = wrong.collect();
    assert!(wrong.is_empty(), "{} changed:\n{}", wrong.len(), wrong.join("\n"));
}

const RULE: &str = "title: Shell\nid: 5a1f0c01-0001-4c00-8a00-000000000115\nlogsource:\n  \
                    category: process_creation\n  product: windows\ndetection:\n  selection:\n    \
                    Image|endswith: '\\cmd.exe'\n  condition: selection\n";
const OTHER: &str = "title: File\nid: 5a1f0c01-0001-4c00-8a00-000000000116\nlogsource:\n  \
                     category: file_event\n  product: windows\ndetection:\n  selection:\n    \
                     TargetFilename|endswith: '.aspx'\n  condition: selection\n";

/// The titles of the rules that are left beside a filter, and the codes of the errors
fn left(rules: &str, condition: &str, id: &str) -> (Vec<String>, Vec<&'static str>) {
    let filter = format!(
        "title: Administrators\nid: {id}\nlogsource:\n  category: process_creation\n  product: \
         windows\nfilter:\n  rules: {rules}\n  selection:\n    User|startswith: adm_\n  \
         condition: {condition}\n"
    );
    let text = format!("{RULE}---\n{OTHER}---\n{filter}");
    let workspace = Workspace::read(&Text::new("filtered_rules.yml", text).into());
    let titles = workspace.rules.iter().map(|loaded| loaded.rule.metadata.title.value.clone());
    let titles = titles.collect();
    let codes = workspace.diagnostics.iter().map(|found| found.code.as_str());
    (titles, codes.filter(|code| code.starts_with('E')).collect())
}

#[test]
fn a_filter_with_an_error_refuses_its_rules() {
    let id = "[5a1f0c01-0001-4c00-8a00-000000000115]";
    let both = ["Shell", "File"].map(str::to_owned).to_vec();
    let file = ["File"].map(str::to_owned).to_vec();
    assert_eq!(left(id, "not selection", "adm-filter-1"), (both, vec![]));
    assert_eq!(left(id, "not selektion", "1"), (file.clone(), vec!["E0302", "E0414"]));
    assert_eq!(left("any", "not selektion", "1"), (file.clone(), vec!["E0302", "E0414"]));
    assert_eq!(left(id, "not (", "1"), (file, vec!["E0301", "E0414"]));
    // What the filter is for is not known.
    assert_eq!(left("{}", "not selection", "1").0, ["File"]);
    let (titles, codes) = left("any\n\tx", "not selection", "1");
    assert!(titles.is_empty() && codes.contains(&"E0414"), "{titles:?} {codes:?}");
}

#[test]
fn a_filter_for_other_events_refuses_the_rule_that_it_names() {
    let other = "[5a1f0c01-0001-4c00-8a00-000000000116]";
    assert_eq!(left(other, "not selection", "1"), (vec!["Shell".into()], vec!["E0412"]));
}

/// The titles, ids and Sentinel queries of the rules of a text without errors
fn rules(text: &str) -> Vec<(String, String)> {
    let mut workspace = Workspace::read(&Text::new("rules_of_others.yml", text).into());
    let (outputs, _) = workspace.outputs(&[Target::Sentinel], Kept::Artifacts);
    assert!(
        !workspace.diagnostics.has_errors(),
        "{text}\n{}",
        said(&workspace.findings(Looked::InPart))
    );
    let queries = outputs.iter().filter(|output| output.path.ends_with(".kql"));
    let ids =
        workspace.rules.iter().map(|one| one.rule.metadata.id.as_ref().unwrap().value.clone());
    ids.zip(queries.map(|output| output.text.clone())).collect()
}

#[test]
fn global_documents_lend_their_keys() {
    let global = "action: global\ntitle: Shell\nid: 5a1f0c01-0001-4c00-8a00-000000000115\n\
                  detection:\n  condition: selection\n";
    let body = |name: &str| {
        format!(
            "logsource:\n  category: process_creation\n  product: windows\ndetection:\n  \
             selection:\n    Image|endswith: '\\{name}'\n"
        )
    };
    let text = format!("{global}---\n{}---\n{}", body("cmd.exe"), body("sh.exe"));
    let both = rules(&text);
    assert_eq!(both[0], rules(RULE)[0]);
    assert!(both.len() == 2 && both[0].0 != both[1].0 && both[1].1.contains("sh.exe"));
    let repeated = format!(
        "{RULE}---\naction: repeat\ndetection:\n  selection:\n    Image|endswith: '\\sh.exe'\n"
    );
    assert_eq!(rules(&repeated)[1].1, both[1].1);
    let reset = format!("{global}level: high\n---\naction: reset\n---\n{RULE}");
    assert_eq!(rules(&reset), rules(RULE));
    // A filter for the shared id is for all of them.
    let filter = "---\ntitle: Administrators\nlogsource:\n  category: process_creation\nfilter:\n  \
                  rules: [5a1f0c01-0001-4c00-8a00-000000000115]\n  selection:\n    ParentImage: adm\n  \
                  condition: not selection\n";
    let filtered = rules(&format!("{text}---\naction: reset\n{filter}"));
    assert!(filtered.iter().all(|(_, query)| query.contains("adm")), "{filtered:?}");
    // A mistake in the shared keys refuses all that have them.
    let broken = text.replace("condition: selection", "condition: selection and");
    let workspace = Workspace::read(&Text::new("rules_of_others.yml", broken).into());
    assert!(workspace.rules.is_empty() && workspace.diagnostics.has_errors());
}

#[test]
fn anchors_aliases_and_merge_keys_are_written_out() {
    let plain = "title: Shell\nid: 5a1f0c01-0001-4c00-8a00-000000000115\nlogsource:\n  \
                 category: process_creation\ndetection:\n  one:\n    Image|endswith: ['\\a.exe', \
                 '\\b.exe']\n    ParentImage: x\n  two:\n    Image|endswith: ['\\a.exe', '\\b.exe']\n    \
                 ParentImage: y\n  condition: 1 of them\n";
    let short = "title: Shell\nid: 5a1f0c01-0001-4c00-8a00-000000000115\nlogsource:\n  \
                 category: process_creation\ndetection:\n  one: &one\n    Image|endswith: &names \
                 ['\\a.exe', '\\b.exe']\n    ParentImage: x\n  two:\n    <<: *one\n    ParentImage: y\n  \
                 condition: 1 of them\n";
    assert_eq!(rules(short), rules(plain));
    let alias = short.replace("<<: *one", "Image|endswith: *names");
    assert_eq!(rules(&alias), rules(plain));
    let mut bomb = String::from("title: x\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for level in 1..12 {
        let inner = vec![format!("*a{}", level - 1); 10].join(", ");
        bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
    }
    let mut deep = String::from("title: x\na0: &a0 [x]\n");
    for level in 1..5000 {
        deep.push_str(&format!("a{level}: &a{level} [*a{}]\n", level - 1));
    }
    for text in [bomb, deep, "title: x\na: &a [*a]\n".to_owned()] {
        let workspace = Workspace::read(&Text::new("bomb.yml", text).into());
        assert!(workspace.diagnostics.iter().any(|found| found.code.as_str() == "E0106"));
    }
    let ours = "title: x\nid: 5a1f0c01-0001-4c00-8a00-000000000115\nsignals:\n  a:\n    event: \
                process_creation\n    parents: &x [a.exe]\n    children: *x\n";
    let workspace = Workspace::read(&Text::new("ours.yml", ours).into());
    assert_eq!(workspace.diagnostics.iter().filter(|one| one.code.as_str() == "E0105").count(), 2);
}
