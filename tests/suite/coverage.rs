//! `test --coverage`: what no test is about.

use rulecast::workspace::{Part, tested_parts};

use crate::support::rule;

const TEXT: &str = "title: Three signals
id: 5b2f3a0e-8f1a-4c0e-9d7b-0a4c9b1a7f10
date: 2026-11-29
signals:
  shell:
    event: process_creation
    parents: [w3wp.exe]
    children: [cmd.exe]
    levels:
      - {level: critical, CommandLine|contains: whoami}
    exclusions:
      - {note: the nightly job, CommandLine: cmd /c job}
      - {note: another job, CommandLine: cmd /c other}
  page:
    event: webserver
    cs-method: POST
correlations:
  both:
    type: temporal
    signals: [shell, page]
    group-by: [host]
    timespan: 1m
";

fn untried(tests: &str) -> Vec<String> {
    let parts: Vec<Part> = tested_parts(&rule(&format!("{TEXT}tests:\n{tests}")));
    assert_eq!(parts.len(), 6, "{parts:?}");
    parts.into_iter().filter(|part| !part.is_tried).map(|part| part.what).collect()
}

#[test]
fn each_part_is_tried_by_an_event_that_shows_it() {
    let shell = "ParentImage: 'C:\\w3wp.exe', Image: 'C:\\cmd.exe'";
    let found = format!("  - {{name: a, signal: shell, event: {{{shell}}}}}\n");
    let mut left = untried(&found);
    left.sort();
    assert_eq!(
        left,
        [
            "correlation both",
            "exclusion \"another job\" of shell",
            "exclusion \"the nightly job\" of shell",
            "level critical of shell",
            "signal page",
        ]
    );
    // An event that another part decides about as well does not try an exclusion.
    let job = format!("{{{shell}, CommandLine: cmd /c job}}");
    let other = "{Image: 'C:\\a.exe', CommandLine: cmd /c other}";
    let more = format!(
        "{found}  - {{name: b, signal: shell, expect: none, event: {job}}}\n  \
         - {{name: c, signal: shell, expect: none, event: {other}}}\n  \
         - {{name: d, signal: shell, event: {{{shell}, CommandLine: whoami}}}}\n  \
         - {{name: e, signal: page, event: {{cs-method: POST}}}}\n"
    );
    let mut left = untried(&more);
    left.sort();
    assert_eq!(left, ["correlation both", "exclusion \"another job\" of shell"]);
}
