//! The program as its users meet it: help, commands of the README, and what goes wrong.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use rulecast::backend::Target;
use rulecast::workspace::Text;

use crate::support::{folder, root, snapshot};

fn rulecast(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    command.current_dir(root()).args(["--color", "never"]).args(arguments);
    for own in ["GITHUB_ACTIONS", "RULECAST_CONFIG", "RULECAST_OVERLAY"] {
        command.env_remove(own);
    }
    command.env("COLUMNS", "100").output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn the_commands_of_the_readme_do_what_it_says() {
    trycmd::TestCases::new()
        // In a step of GitHub's, bodies stand between stop-commands.
        .env("GITHUB_ACTIONS", "false")
        .register_bin("rulecast", trycmd::cargo::cargo_bin!("rulecast"))
        .case("README.md");
}

#[test]
fn the_sessions_of_a_newcomer_a_tuner_a_hunter_and_a_reviewer_run() {
    trycmd::TestCases::new()
        .env("GITHUB_ACTIONS", "false")
        .register_bin("rulecast", trycmd::cargo::cargo_bin!("rulecast"))
        .case("tests/sessions/*.md");
}

/// The first block of the README in this language
fn block(language: &str) -> String {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let start = readme.find(&format!("```{language}\n")).unwrap() + language.len() + 4;
    let end = start + readme[start..].find("```").unwrap();
    readme[start..end].to_owned()
}

#[test]
fn the_definition_of_the_readme_becomes_the_query_beside_it() {
    let text = Text::new("readme.yml", block("yaml"));
    let outputs = rulecast::compile(text, Target::Sentinel).unwrap();
    assert_eq!(outputs[0].text, block("kusto"));
    let text = Text::new("readme.yml", block("yaml"));
    let outputs = rulecast::compile(text, Target::Elastic).unwrap();
    let rule: toml::Table = outputs[0].text.parse().unwrap();
    assert_eq!(rule["rule"]["query"].as_str(), Some(&*block("eql")));
}

#[test]
fn a_mistake_in_the_settings_ends_the_run_with_its_fix() {
    let file = folder("settings").join("rulecast.toml");
    fs::write(&file, "ruls = [\"rules\"]\n").unwrap();
    let output = rulecast(&["check", "--config", file.to_str().unwrap(), "rules"]);
    let text = err(&output);
    assert_eq!(output.status.code(), Some(2), "{text}");
    for said in
        ["error[E0110]: unknown key `ruls`", "1 | ruls = [\"rules\"]", "help: change it to `rules`"]
    {
        assert!(text.contains(said), "{said}: {text}");
    }
}

#[test]
fn help_teaches() {
    let verbs = [
        "",
        "check",
        "convert",
        "report",
        "test",
        "scan",
        "show",
        "explain",
        "diff",
        "plan",
        "tune",
        "new",
        "list",
        "schema",
        "lsp",
        "completions",
        "man",
    ];
    for verb in verbs {
        let arguments: Vec<&str> = [verb, "--help"].into_iter().filter(|a| !a.is_empty()).collect();
        let output = rulecast(&arguments);
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(text.contains("Example:"), "{text}");
        let name = if verb.is_empty() { "help" } else { verb };
        snapshot("cli", name, &text);
    }
    for what in [
        "fields",
        "targets",
        "codes",
        "events",
        "modifiers",
        "losses",
        "operators",
        "settings",
        "templates",
    ] {
        let output = rulecast(&["list", what]);
        snapshot("cli", &format!("list_{what}"), &String::from_utf8(output.stdout).unwrap());
    }
}

#[test]
fn the_manual_and_the_version_say_what_there_is() {
    let manual = out(&rulecast(&["man"]));
    assert!(
        manual.contains(".TH rulecast 1") && manual.contains("rulecast\\-convert(1)"),
        "{manual}"
    );
    assert!(out(&rulecast(&["man", "convert"])).contains("\\-\\-templates"));
    let version = out(&rulecast(&["--version"]));
    for said in [
        "rulecast ",
        "\nMITRE ATT&CK Enterprise ",
        "\nSigma specification ",
        "\nElastic Common Schema ",
    ] {
        assert!(version.contains(said), "{said}: {version}");
    }
    assert_eq!(out(&rulecast(&["-V"])).lines().count(), 1);
}

#[test]
fn what_could_not_run_ends_with_two() {
    let empty = folder("empty");
    let file = empty.join("file");
    fs::write(&file, "in the way").unwrap();
    let (empty, file) = (empty.to_string_lossy().into_owned(), file.to_string_lossy().into_owned());
    for (arguments, words) in [
        (vec!["check", empty.as_str()], "no rule files"),
        (vec!["check", "no/such/path"], "no such file or folder"),
        (vec!["convert", "rules", "-o", file.as_str()], "cannot"),
        (vec!["scan", "rules", "-e", "no/such.jsonl"], "cannot read"),
        (vec!["explain", "E9999"], "no code"),
        (vec!["convert", "rules", "-t", "splunk"], "expected sentinel, asim, xdr, elastic, native"),
        (vec!["man", "chek"], "did you mean `check`?"),
        (vec!["show", "template", "elastic/rule"], "did you mean `elastic/rule.toml`?"),
        (
            vec!["check", "rules", "--format", "csv"],
            "for `rulecast report` and `rulecast scan` only",
        ),
        (vec!["report", "rules", "--format", "table"], "for `rulecast scan` only"),
    ] {
        let output = rulecast(&arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(err(&output).contains(words), "{arguments:?}: {}", err(&output));
    }
    assert_eq!(fs::read_to_string(&file).unwrap(), "in the way");
}

#[test]
fn converting_twice_writes_once_and_check_sees_a_change() {
    let build = folder("build");
    let path = build.to_string_lossy().into_owned();
    assert_eq!(rulecast(&["convert", "rules", "-o", &path]).status.code(), Some(0));
    let again = rulecast(&["convert", "rules", "-o", &path]);
    assert!(err(&again).contains(" 0 files written"), "{}", err(&again));
    let fresh = rulecast(&["convert", "rules", "-o", &path, "--check"]);
    assert_eq!(fresh.status.code(), Some(0), "{}", err(&fresh));
    let query = build.join("sentinel/webshell/web_shell_activity.kql");
    let text = fs::read_to_string(&query).unwrap();
    fs::write(&query, text.replace("cmd.exe", "command.com")).unwrap();
    let stale = rulecast(&["convert", "rules", "-o", &path, "--check"]);
    assert_eq!(stale.status.code(), Some(1));
    let told = String::from_utf8(stale.stdout).unwrap();
    assert!(told.contains("E0803"), "{told}");
    let leftovers = walkdir::WalkDir::new(&build).into_iter().map(Result::unwrap);
    let leftovers = leftovers.filter(|e| e.file_name().to_string_lossy().starts_with(".rulecast"));
    assert_eq!(leftovers.count(), 0);
    fs::remove_dir_all(build).unwrap();
}

#[test]
fn one_bad_rule_does_not_hide_another() {
    let rules = folder("mixed");
    fs::write(rules.join("bad.yml"), "title: [\n").unwrap();
    fs::copy(root().join("rules/webshell/web_shell_activity.yml"), rules.join("good.yml")).unwrap();
    let build = rules.join("build");
    let (rules_path, build_path) = (rules.to_string_lossy(), build.to_string_lossy());
    let output = rulecast(&["convert", &rules_path, "-o", &build_path]);
    assert_eq!(output.status.code(), Some(1));
    assert!(err(&output).contains("1 rule left out"));
    assert!(String::from_utf8_lossy(&output.stdout).contains("E0102"));
    assert!(build.join("elastic/good.ndjson").exists());
    fs::remove_dir_all(rules).unwrap();
}

#[test]
fn scan_reads_standard_input_and_gzip_and_can_fail_on_a_match() {
    let event = br#"{"Computer":"web1","ParentImage":"w3wp.exe","Image":"cmd.exe","CommandLine":"cmd /c ver"}"#;
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    let rule = "rules/webshell/web_shell_activity.yml";
    command.current_dir(root()).args(["scan", rule, "-e", "-", "--fail-on-match"]);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(event).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let hit: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(hit["signal"], "shell_spawn");
    assert_eq!(hit["fields"]["Image"][0], "cmd.exe");
    let folder = folder("gzip");
    let path = folder.join("events.jsonl.gz");
    let file = fs::File::create(&path).unwrap();
    let mut gzip = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
    gzip.write_all(event).unwrap();
    gzip.finish().unwrap();
    let output = rulecast(&["scan", "rules", "-e", &path.to_string_lossy()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stdout.ends_with(b"\n") && !output.stdout.is_empty());
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn verify_judges_what_is_written_and_the_events_it_is_given() {
    let build = folder("verify");
    let path = build.to_string_lossy().into_owned();
    let rule = "rules/webshell/web_shell_script_child.yml";
    let converted = rulecast(&["convert", rule, "-o", &path]);
    assert_eq!(converted.status.code(), Some(0), "{}", err(&converted));
    let events = ["-e", "tests/events/recorded.jsonl", "--field", "event", "--event-field", "kind"];
    let judged = ["verify", rule, "-t", "elastic", "-t", "sentinel", "--artifacts", &path];
    let judged = [&judged[..], &events].concat();
    let same = rulecast(&judged);
    assert_eq!(same.status.code(), Some(0), "{}", err(&same));
    assert_eq!(out(&same).matches("  same ").count(), 2, "{}", out(&same));
    let looked_at = |text: &str| -> usize {
        let line = text.lines().find(|line| line.contains("elastic")).unwrap();
        line.split_whitespace().nth(3).unwrap().parse().unwrap()
    };
    let own = rulecast(&["verify", rule, "-t", "elastic"]);
    assert!(looked_at(&out(&same)) > looked_at(&out(&own)) + 20, "{}", out(&same));

    // Which of the two forms was changed cannot be told; the import is what is executed.
    let import = build.join("elastic/webshell/web_shell_script_child.ndjson");
    let text = fs::read_to_string(&import).unwrap();
    fs::write(&import, text.replacen("event.type:start", "event.type:end", 1)).unwrap();
    let query = build.join("sentinel/webshell/web_shell_script_child.kql");
    let text = fs::read_to_string(&query).unwrap();
    fs::write(&query, text.replacen("ProcessCommandLine", "ProcessLine", 1)).unwrap();
    let broken = rulecast(&judged);
    assert_eq!(broken.status.code(), Some(1));
    assert_eq!(out(&broken).matches("  broken ").count(), 2, "{}", out(&broken));
    assert!(err(&broken).contains("E0809") && err(&broken).contains("ProcessLine"));
    fs::remove_dir_all(&build).unwrap();
    let gone = rulecast(&judged);
    assert_eq!(gone.status.code(), Some(1));
    assert!(out(&gone).contains("it cannot be read"), "{}", out(&gone));
}

/// Rules of every outcome on the two targets
fn reported() -> PathBuf {
    let rules = folder("report");
    let rule = |number: u32, title: &str, test: &str| {
        let text = format!(
            "title: {title}\nid: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c{number:02}\ndate: 2026-11-21\nlogsource: \
             {{category: process_creation, product: windows}}\ndetection: {{one: {{{test}}}, condition: one}}\n"
        );
        fs::write(rules.join(format!("rule_{number}.yml")), text).unwrap();
    };
    rule(1, "plain", "Image|endswith: \\a.exe");
    rule(2, "'a, \"b\"'", "GrandparentImage|endswith: \\a.exe, Nowhere: b");
    rule(3, "'=1+1'", "CommandLine|contains: abc, User: ''");
    fs::write(rules.join("rule_4.yml"), "title: [\n").unwrap();
    rules
}

#[test]
fn a_report_says_what_becomes_of_each_rule_on_each_target() {
    let rules = reported();
    let path = rules.to_string_lossy().into_owned();
    let report = |format: &str| {
        let output =
            rulecast(&["report", &path, "-t", "elastic", "-t", "sentinel", "--format", format]);
        assert_eq!(output.status.code(), Some(1), "{}", err(&output));
        assert!(err(&output).contains("E0102"), "what is not in the table: {}", err(&output));
        assert!(err(&output).contains("1 rule with errors not reported on"), "{}", err(&output));
        assert!(!err(&output).contains("E0501"), "what is in the table: {}", err(&output));
        out(&output).replace(&*path, "rules").replace('\r', "")
    };
    for (format, name) in [("full", "report_full"), ("csv", "report_csv"), ("json", "report_json")]
    {
        snapshot("cli", name, &report(format));
    }
    let json: serde_json::Value = serde_json::from_str(&report("json")).unwrap();
    assert_eq!(json["rules"][1]["targets"]["elastic"]["outcome"], "refused");
    assert_eq!(json["unread"], 1);
    fs::remove_dir_all(rules).unwrap();
}

#[test]
fn a_report_without_refusals_ends_with_zero_and_takes_the_options_of_convert() {
    let rule = "rules/webshell/web_shell_script_child.yml";
    let output = rulecast(&["report", rule, "-t", "sentinel", "-t", "sentinel"]);
    assert_eq!(output.status.code(), Some(0), "{}", err(&output));
    assert!(out(&output).starts_with("sentinel "), "{}", out(&output));
    assert_eq!(err(&output), "");
    let mapped = rulecast(&["report", rule, "-t", "sentinel", "--mapping", "asim"]);
    assert!(out(&mapped).contains("asim: "), "{}", out(&mapped));
    let nowhere = rulecast(&["report", rule, "--mapping", "nowhere"]);
    assert_eq!(nowhere.status.code(), Some(2));
    let strict = rulecast(&["report", rule, "-t", "elastic", "--fail-on", "warning"]);
    assert_eq!(strict.status.code(), Some(0), "notes are no warnings: {}", err(&strict));
}

#[test]
fn verify_gives_evidence_that_names_what_was_judged() {
    let file = "rules/webshell/web_shell_command_alert.yml";
    let output = rulecast(&["-q", "verify", file, "-t", "sentinel", "--format", "json"]);
    let text = out(&output);
    let line: serde_json::Value = serde_json::from_str(text.lines().next().unwrap()).unwrap();
    let digest = |text: &str| rulecast::project::Digest::of("", text).sha256;
    let written = fs::read_to_string(root().join(file)).unwrap();
    assert_eq!(line["file_sha256"], digest(&written));
    assert_eq!((&line["verdict"], &line["rulecast"]), (&"same".into(), &"0.1.0".into()), "{line}");
    assert!(line["executed"]["matched"].as_u64().is_some_and(|all| all > 10), "{line}");
    let folder = folder("evidence");
    let place = folder.to_str().unwrap();
    rulecast(&["-q", "convert", file, "-t", "sentinel", "-o", place]);
    let artifacts = line["artifacts"].as_array().unwrap();
    assert_eq!(artifacts.len(), 4, "{line}");
    for artifact in artifacts {
        let path = folder.join("sentinel/webshell").join(artifact["name"].as_str().unwrap());
        assert_eq!(artifact["sha256"], digest(&fs::read_to_string(path).unwrap()), "{artifact}");
    }
}
