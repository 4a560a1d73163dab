//! Sigma's specification, sentence by sentence: `tests/specification/` holds a rule with samples for
//! each, and the rules that the specification says are none.

use std::collections::BTreeSet;
use std::fs;

use rulecast::definition::Expectation;
use rulecast::diagnostic::{Diagnostics, Severity};
use rulecast::project;
use rulecast::workspace::run_samples;

use crate::support::{lines, root};

#[test]
fn every_sample_of_the_specification_does_what_it_says() {
    let mut folder = project::load(&[root().join("tests/specification")]).unwrap();
    let refused = |name: &str| name.contains("/refused/");
    folder.rules.retain(|loaded| !refused(loaded.rule.source.name()));
    let mut found = Diagnostics::default();
    let mut samples = 0;
    for loaded in &folder.rules {
        samples += run_samples(loaded, &mut found).len();
        let title = &loaded.rule.metadata.title.value;
        let expected: BTreeSet<bool> =
            loaded.rule.tests.iter().map(|test| test.expect == Expectation::NoMatch).collect();
        assert_eq!(expected.len(), 2, "{title}: only one side is tried");
    }
    let errors = folder.diagnostics.iter().filter(|found| found.severity == Severity::Error);
    let errors: Vec<_> =
        errors.filter(|found| !refused(found.source.name())).map(|found| &found.message).collect();
    assert!(errors.is_empty(), "{errors:?}");
    assert!(found.is_empty(), "{}", lines(found).join("\n"));
    assert!(samples > 800, "{samples}");
}

#[test]
fn what_the_specification_forbids_is_refused() {
    for entry in fs::read_dir(root().join("tests/specification/refused")).unwrap() {
        let path = entry.unwrap().path();
        let read = project::load(std::slice::from_ref(&path)).unwrap();
        assert!(read.rules.is_empty(), "{} is read", path.display());
        assert!(read.diagnostics.has_errors());
    }
}

/// Every rule names the sentence that decides it, or says that there is none.
#[test]
fn every_rule_names_its_sentence() {
    for entry in fs::read_dir(root().join("tests/specification")).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            continue;
        }
        for document in fs::read_to_string(&path).unwrap().split("\n---\n") {
            let head: Vec<&str> =
                document.lines().take_while(|line| line.starts_with('#')).collect();
            let named = ["# R ", "# M ", "# C ", "# F ", "# silent; "];
            let named = head.iter().any(|line| named.iter().any(|mark| line.starts_with(mark)));
            assert!(named, "{}: {:?}", path.display(), document.lines().next());
        }
    }
}
