//! The YAML tree reads what `serde_yaml` reads.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rulecast::diagnostic::Diagnostics;
use rulecast::source::SourceText;
use rulecast::yaml;
use serde::Deserialize;
use serde_yaml::Value;

use crate::support::{corpus, root};

/// Compares the two readings; false when the file is refused
fn agrees(path: &Path) -> bool {
    let text = fs::read_to_string(path).unwrap();
    let source = Arc::new(SourceText::new(path.to_string_lossy(), text.as_str()));
    let mut found = Diagnostics::default();
    let nodes = yaml::parse(&source, &mut found);
    if found.has_errors() {
        return false;
    }
    let theirs: Vec<Value> = serde_yaml::Deserializer::from_str(&text)
        .map(|document| Value::deserialize(document).unwrap())
        .collect();
    let ours: Vec<Value> = nodes.iter().map(|node| Value::deserialize(node).unwrap()).collect();
    assert_eq!(ours, theirs, "{}", path.display());
    true
}

fn files(folder: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    let files = walkdir::WalkDir::new(folder).sort_by_file_name().into_iter();
    let files = files.map(|entry| entry.unwrap().into_path());
    files.filter(|path| path.extension().is_some_and(|extension| extension == "yml"))
}

#[test]
fn rules_read_the_same() {
    assert!(files(&root().join("rules")).all(|path| agrees(&path)));
}

#[test]
fn odd_scalars_read_the_same() {
    let folder = std::env::temp_dir().join(format!("rulecast-oracle-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("odd.yml");
    let text = "a: [1, -1, 1.5, 0x1F, 0o17, 0b11, 00429, '1', \"x\\ty\", ~, null, true, True, .5, 1e3]\n\
                b: >\n  folded\n  text\n\n  more\nc: |-\n  kept\n   as it is\nd: 'it''s'\ne: plain # comment\n\
                f: yes\ng: 2024-01-01\nh: 18446744073709551615\ni: -.inf\n";
    fs::write(&path, text).unwrap();
    assert!(agrees(&path));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn sigma_rules_read_the_same() {
    let Some(corpus) = corpus("sigma_rules_read_the_same") else { return };
    let (mut read, mut refused) = (0, 0);
    for path in files(&corpus.join("data/sigma/rules")) {
        if agrees(&path) { read += 1 } else { refused += 1 }
    }
    assert!(read > 2_000 && refused == 0, "{read} read, {refused} refused");
}
