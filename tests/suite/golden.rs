//! Every rule under `rules/`, at every station: `ls snapshots/*/<rule>*` is its journey.
//!
//! A new rule needs no test code. The generated matchers are checked in under
//! `tests/generated/` beside the snapshots, because they are compiled there.

use std::collections::BTreeSet;
use std::fs;

use rulecast::backend::{Target, emit};
use rulecast::diagnostic::Diagnostics;
use rulecast::ir;

use crate::support::{lines, root, rules, snapshot};

#[test]
fn every_rule_at_every_station() {
    for loaded in rules() {
        let stem = &loaded.stem;
        snapshot("definition", stem, &loaded.definition().unwrap().print());
        snapshot("ir", stem, &ir::print(&loaded.rule));
        let targets = Target::of(&loaded.rule).into_iter();
        for target in targets.filter(|target| *target != Target::Native) {
            let mut found = Diagnostics::default();
            let artifacts = emit(target, &loaded.rule, stem, &mut found);
            assert!(found.is_empty(), "{stem}: {:?}", lines(found));
            for artifact in artifacts.expect("rules/ compile for every target") {
                snapshot(target.name(), &artifact.name, &artifact.text);
            }
        }
    }
}

#[test]
fn generated_matchers_are_fresh() {
    let mut wanted = BTreeSet::new();
    for loaded in rules() {
        let mut found = Diagnostics::default();
        let artifacts = emit(Target::Native, &loaded.rule, &loaded.stem, &mut found);
        for artifact in artifacts.expect("rules/ compile for every target") {
            let path = root().join("tests/generated").join(&artifact.name);
            let have = fs::read_to_string(&path).unwrap_or_default();
            if have != artifact.text && std::env::var_os("UPDATE_GENERATED").is_some() {
                fs::write(&path, &artifact.text).unwrap();
            } else if have != artifact.text {
                let same = have.lines().zip(artifact.text.lines()).take_while(|(a, b)| a == b);
                let line = same.count() + 1;
                panic!(
                    "{} is stale from line {line}; run the tests with UPDATE_GENERATED=1 and \
                     review the change",
                    path.display()
                );
            }
            wanted.insert(path);
        }
    }
    let entries = fs::read_dir(root().join("tests/generated")).unwrap();
    let have: BTreeSet<_> = entries.map(|entry| entry.unwrap().path()).collect();
    let stray: Vec<_> = have.difference(&wanted).collect();
    assert!(stray.is_empty(), "no rule makes these: {stray:?}");
}

#[test]
fn the_same_rules_give_the_same_bytes() {
    let emitted = || -> Vec<String> {
        let mut texts = Vec::new();
        for loaded in rules() {
            for target in &Target::of(&loaded.rule) {
                let mut found = Diagnostics::default();
                let artifacts = emit(*target, &loaded.rule, &loaded.stem, &mut found);
                texts.extend(artifacts.unwrap_or_default().into_iter().map(|a| a.text));
            }
        }
        texts
    };
    assert_eq!(emitted(), emitted());
}
