//! When a rule of Sentinel runs, and which rows a run takes for new.

use rulecast::backend::Target;
use rulecast::workspace::Text;

/// The query and the package of a rule over started processes with these settings
fn emitted(target: Target, settings: &str) -> (String, String) {
    let name = target.name();
    let rule = format!(
        "title: Shell of an IIS Worker\n\
         id: 7c1f0c01-0001-4c00-8a00-000000000301\n\
         level: high\n\
         signals:\n  spawn:\n    event: process_creation\n    parents: w3wp.exe\n    \
           children: cmd.exe\n\
         targets: {{{name}: {{{settings}}}}}\n"
    );
    let artifacts = rulecast::compile(Text::new("rule.yml", rule), target).expect("no mistakes");
    let text = |end: &str| {
        let found = artifacts.iter().find(|artifact| artifact.path.ends_with(end));
        found.map(|artifact| artifact.text.clone()).unwrap_or_default()
    };
    (text(".kql"), text(".analytic.yaml"))
}

/// The filters of a query on the time of its rows
fn filters(query: &str) -> Vec<&str> {
    query.lines().filter(|line| line.contains("ago(")).collect()
}

#[test]
fn a_run_takes_what_has_arrived_since_the_run_before() {
    for (settings, span, period) in [
        ("", "1h", "70m"),
        ("delay: 1h", "1h", "2h"),
        ("frequency: 30m", "30m", "40m"),
        ("period: 2h", "1h", "2h"),
    ] {
        let (query, package) = emitted(Target::Sentinel, settings);
        let filter = format!("| where ingestion_time() > ago({span})");
        assert_eq!(filters(&query), [filter], "{settings}");
        assert!(package.contains(&format!("queryPeriod: {period}\n")), "{settings}: {package}");
    }
    let (query, _) = emitted(Target::Xdr, "frequency: 3h");
    assert_eq!(filters(&query), ["| where ingestion_time() > ago(3h)"]);
}

#[test]
fn rows_that_do_not_say_when_they_arrived_wait() {
    let (query, package) = emitted(Target::Asim, "delay: 20m");
    let waits = "| where TimeGenerated >= ago(80m) and TimeGenerated < ago(20m)";
    assert_eq!(filters(&query), [waits]);
    assert!(package.contains("queryPeriod: 80m\n"), "{package}");
}

#[test]
fn a_schedule_that_allows_no_delay_is_taken_as_it_is() {
    for settings in ["period: 1h", "kind: nrt"] {
        for target in [Target::Sentinel, Target::Asim] {
            let (query, _) = emitted(target, settings);
            assert_eq!(filters(&query), [""; 0], "{target:?} {settings}");
        }
    }
}
