//! `diff` and `test --changed`: each side is read as it was, with its own settings, and what targets get is
//! told beside what changed.

use crate::folder::Folder;
use crate::support::root;

const SHELL: &str = "title: Shell\nid: 7c0f5a53-8f0e-4c0e-8b54-2d0f2f8f9a01\ndate: 2026-11-29\nsignals:\n  shell:\n    \
                     event: process_creation\n    product: windows\n    children: [cmd.exe]\ntests:\n  - name: it starts\n    \
                     signal: shell\n    event: {Image: 'C:\\Windows\\cmd.exe'}\n    expect: match\n";

fn sigma(title: &str, id: u32, test: &str) -> String {
    format!(
        "title: {title}\nid: 7c0f5a53-8f0e-4c0e-8b54-2d0f2f8f9a{id:02}\nlogsource: {{category: process_creation, \
         product: windows}}\ndetection: {{one: {{{test}}}, condition: one}}\n"
    )
}

const FILTER: &str = "title: Jobs\nid: 7c0f5a53-8f0e-4c0e-8b54-2d0f2f8f9a90\nlogsource: {category: process_creation, \
                      product: windows}\nfilter:\n  rules: [7c0f5a53-8f0e-4c0e-8b54-2d0f2f8f9a02]\n  \
                      job: {User: job}\n  condition: not job\n";

/// A project with two rules, a filter for one of them and a list
fn project() -> Folder {
    let folder = Folder::new();
    folder.write(
        "rulecast.toml",
        "rules = [\"rules\"]\nfilters = [\"filters\"]\nplaceholders = \"lists.yml\"\n",
    );
    folder.write("rules/shell.yml", SHELL);
    folder.write(
        "rules/proc_creation_win_filtered.yml",
        &sigma("Filtered", 2, "Image|endswith: \\a.exe"),
    );
    folder.write(
        "rules/proc_creation_win_listed.yml",
        &sigma("Listed", 3, "User|expand: '%admins%'"),
    );
    folder.write("filters/jobs.yml", FILTER);
    folder.write("lists.yml", "admins: [alice]\n");
    folder.commit();
    folder
}

#[test]
fn a_revision_is_read_with_its_own_filters_lists_and_settings() {
    let folder = project();
    let said = folder.run(&["diff"]);
    assert_eq!((&*said.out, said.code), ("no rule changed\n", Some(0)), "{}", said.err);
    folder.edit("lists.yml", "alice", "alice, bob");
    folder.edit("filters/jobs.yml", "User: job", "User: [job, task]");
    let said = folder.run(&["diff"]);
    assert!(
        said.out.contains("Filtered: narrows (rules/proc_creation_win_filtered.yml)\n"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("Listed: widens (rules/proc_creation_win_listed.yml)\n"),
        "{}",
        said.out
    );
    assert!(!said.out.contains("Shell"), "{}", said.out);
    // The filter is not there any more, and with it its file.
    std::fs::remove_dir_all(folder.path("filters")).unwrap();
    folder.edit("rulecast.toml", "filters = [\"filters\"]\n", "");
    let said = folder.run(&["diff"]);
    assert!(said.out.contains("Filtered: widens"), "{}", said.out);
}

#[test]
fn a_setting_that_changes_artifacts_alone_is_told() {
    let folder = project();
    folder.edit("rulecast.toml", "rules = ", "targets.sentinel.frequency = \"30m\"\nrules = ");
    let said = folder.run(&["diff", "-t", "sentinel"]);
    assert_eq!(
        said.out.matches("unchanged, but targets get something else").count(),
        3,
        "{}",
        said.out
    );
    let line = "  sentinel: replaced shell.{analytic.yaml, arm.json, kql}\n";
    assert!(said.out.contains(line), "{}", said.out);
    assert_eq!(folder.run(&["diff", "-t", "native"]).out, "no rule changed\n");
}

#[test]
fn artifacts_ids_and_losses_are_told_beside_the_change() {
    let folder = project();
    folder.edit("rules/shell.yml", "  shell:\n", "  other:\n");
    folder.edit("rules/shell.yml", "signal: shell", "signal: other");
    folder.edit(
        "rules/shell.yml",
        "children: [cmd.exe]",
        "children: [cmd.exe]\n    grandparents: [w3wp.exe]",
    );
    let said = folder.run(&["diff"]);
    for line in [
        "  elastic: removed shell.ndjson, shell_shell.toml\n",
        "  elastic: exact -> refused\n",
        "  sentinel: replaced shell.{analytic.yaml, arm.json, hunting.yaml, kql}\n",
    ] {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
    assert!(said.out.contains("  elastic: id ") && said.out.contains(" is gone\n"), "{}", said.out);
    assert!(said.out.contains("  elastic: + loss ancestry (deny)\n"), "{}", said.out);
    let markdown = folder.run(&["diff", "--markdown"]);
    assert!(markdown.out.contains("\n- elastic: removed shell.ndjson"), "{}", markdown.out);
    let json = folder.run(&["diff", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    let targets = &json["rules"][0]["targets"];
    let removed = serde_json::json!(
        {"target": "elastic", "path": "elastic/shell.ndjson", "change": "removed"}
    );
    assert!(targets["artifacts"].as_array().unwrap().contains(&removed), "{targets}");
    assert_eq!(targets["outcomes"][0]["after"], "refused", "{targets}");
}

#[test]
fn a_renamed_signal_changes_an_id_and_a_renamed_file_does_not() {
    let folder = project();
    folder.edit("rules/shell.yml", "  shell:\n", "  other:\n");
    folder.edit("rules/shell.yml", "signal: shell", "signal: other");
    let said = folder.run(&["diff"]);
    let id = said.out.lines().find(|line| line.starts_with("  elastic: id ")).unwrap();
    assert!(id.contains(" -> "), "{id}");
    assert!(!said.out.contains("sentinel: id"), "{}", said.out);
    let folder = project();
    std::fs::rename(folder.path("rules/shell.yml"), folder.path("rules/moved.yml")).unwrap();
    let said = folder.run(&["diff"]);
    assert!(!said.out.contains(": id "), "{}", said.out);
    assert!(said.out.contains("elastic: created moved.ndjson, moved_shell.toml"), "{}", said.out);
    assert!(said.out.contains("elastic: removed shell.ndjson, shell_shell.toml"), "{}", said.out);
}

#[test]
fn tests_of_what_changed_are_run_alone() {
    let folder = project();
    let said = folder.run(&["test", "--changed", "HEAD"]);
    assert!(
        said.err.contains("0 of 3 rules changed since HEAD\n0 passed, 0 failed"),
        "{}",
        said.err
    );
    // Through a list.
    folder.edit("lists.yml", "alice", "bob");
    let said = folder.run(&["test", "--changed", "HEAD"]);
    assert!(
        said.err.contains("1 of 3 rules changed since HEAD\n0 passed, 0 failed, 1 rule without"),
        "{}",
        said.err
    );
    // In its text, even where only a test changed.
    folder.edit("rules/shell.yml", "it starts", "it begins");
    let said = folder.run(&["test", "--changed", "HEAD", "-v"]);
    assert!(
        said.err.contains("2 of 3 rules changed since HEAD\n1 passed, 0 failed"),
        "{}",
        said.err
    );
    assert_eq!(said.out, "ok  Shell: it begins\n");
    // A rule that is new, and a revision that is none.
    folder.write(
        "rules/new.yml",
        &SHELL.replace("9a01", "9a05").replace("title: Shell", "title: New"),
    );
    assert!(folder.run(&["test", "--changed", "HEAD"]).err.contains("3 of 4 rules changed"));
    let said = folder.run(&["test", "--changed", "nowhere"]);
    assert_eq!(said.code, Some(2));
    assert!(said.err.contains("no such file, folder or revision"), "{}", said.err);
}

#[test]
fn a_mapping_touches_the_rules_that_take_it() {
    let folder = Folder::new();
    let own = root().join("tests/projects/own_tables");
    for entry in walkdir::WalkDir::new(&own) {
        let path = entry.unwrap().into_path();
        if path.is_file() {
            let below = path.strip_prefix(&own).unwrap().to_string_lossy().into_owned();
            folder.write(&below, &std::fs::read_to_string(&path).unwrap());
        }
    }
    folder.commit();
    assert!(folder.run(&["test", "--changed", "HEAD"]).err.starts_with("0 of 2 rules changed"));
    folder.edit("mappings/proxy_table.yml", "rows: isnotempty(host_s)", "rows: isnotempty(path_s)");
    let said = folder.run(&["test", "--changed", "HEAD", "--verbose"]);
    assert!(said.err.starts_with("1 of 2 rules changed since HEAD\n"), "{}", said.err);
    let said = folder.run(&["diff"]);
    assert_eq!(
        said.out.matches("unchanged, but targets get something else").count(),
        1,
        "{}",
        said.out
    );
    assert!(said.out.contains("sentinel: replaced proxy_command.{"), "{}", said.out);
}

#[test]
fn junit_says_what_passed_and_what_did_not_and_reads_back() {
    let folder = project();
    let bad = "\n  - {name: 'a <b> & \"c\"', signal: shell, event: {Image: 'C:\\cmd.exe'}, expect: none}\n";
    folder.write("rules/shell.yml", &(SHELL.to_owned() + bad.trim_start_matches('\n')));
    folder.write("rules/wrong.yml", "title: [\n");
    let said = folder.run(&["test", "--format", "junit"]);
    assert_eq!(said.code, Some(1));
    assert!(said.err.contains("1 passed, 1 failed"), "{}", said.err);
    let document = roxmltree::Document::parse(&said.out).unwrap();
    let cases = document.descendants().filter(|node| node.has_tag_name("testcase"));
    let told: Vec<_> = cases
        .map(|case| {
            let inner = case.children().find(roxmltree::Node::is_element);
            (case.attribute("name").unwrap(), inner.map(|node| node.tag_name().name()))
        })
        .collect();
    assert_eq!(told[0], ("it starts", None));
    assert_eq!(told[1], ("a <b> & \"c\"", Some("failure")));
    assert!(told[2].0.starts_with("E0102 ") && told[2].1 == Some("error"), "{told:?}");
    assert_eq!(told.len(), 3);
    assert_eq!(said.out, folder.run(&["test", "--format", "junit"]).out, "the same bytes");
    assert_eq!(folder.run(&["check", "--format", "junit"]).code, Some(2));
}

#[test]
fn a_rule_under_another_title_finds_what_it_found() {
    let folder = project();
    folder.write(
        "events.jsonl",
        "{\"kind\": \"process_creation\", \"Image\": \"C:\\\\Windows\\\\cmd.exe\"}\n\
         {\"kind\": \"process_creation\", \"Image\": \"C:\\\\Windows\\\\sh.exe\"}\n",
    );
    folder.edit("rules/shell.yml", "title: Shell", "title: Command Shell");
    let diff = ["diff", "-e", "events.jsonl", "--event-field", "kind", "--format", "json"];
    let moved = |said: &str| {
        let all: serde_json::Value = serde_json::from_str(said).unwrap();
        let moved = all["events"].as_array().unwrap().iter();
        moved.map(|one| one["rule"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let said = folder.run(&diff);
    assert!(moved(&said.out).is_empty(), "{}{}", said.out, said.err);
    folder.edit("rules/shell.yml", "[cmd.exe]", "[cmd.exe, sh.exe]");
    assert_eq!(moved(&folder.run(&diff).out), ["Command Shell"]);
}

#[test]
fn events_are_tried_on_each_target_and_a_line_that_is_none_is_said() {
    let folder = project();
    // Defender has no such field: it refuses the rule from here on, and misses what it has found.
    let more = "children: [cmd.exe, at.exe]\n    CurrentDirectory: '*'";
    folder.edit("rules/shell.yml", "children: [cmd.exe]", more);
    let event = |program: &str| {
        format!(r#"{{"Image": "C:\\W\\{program}", "CurrentDirectory": "C:\\W\\"}}"#)
    };
    folder.write("events.jsonl", &format!("{}\n{}\n", event("cmd.exe"), event("at.exe")));
    let targets = ["diff", "-t", "xdr", "-t", "elastic"];
    let diff = [&targets[..], &["-e", "events.jsonl", "--event", "process_creation"]].concat();
    let said = folder.run(&diff);
    for line in [
        "  events.jsonl:1: found no longer by Shell: shell (on xdr, not on engine, elastic)\n",
        "  events.jsonl:2: found newly by Shell: shell (on engine, elastic, not on xdr)\n",
    ] {
        assert!(said.out.contains(line), "{line}: {}\n{}", said.out, said.err);
    }
    assert_eq!(said.code, Some(0), "{}", said.err);
    folder.write("events.jsonl", "no event\n");
    let said = folder.run(&diff);
    assert!(said.code == Some(1) && said.err.contains("events.jsonl:1"), "{}", said.err);
}
