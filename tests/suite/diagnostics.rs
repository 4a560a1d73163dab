//! One invalid file a code, and what is said about it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rulecast::definition::Looked;
use rulecast::diagnostic::{Code, Diagnostic, Severity};
use rulecast::workspace::{Text, Workspace, run_samples};

use crate::support::{root, snapshot};

fn examples() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("tests/invalid")).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

fn code_of(path: &Path) -> String {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    name.split('_').next().unwrap_or_default().to_owned()
}

#[test]
fn every_code_has_one_example() {
    let examples = examples();
    let have: Vec<String> = examples.iter().map(|path| code_of(path)).collect();
    let unique: BTreeSet<&String> = have.iter().collect();
    assert_eq!(unique.len(), have.len(), "two examples of one code");
    let all: BTreeSet<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    let have: BTreeSet<&str> = have.iter().map(String::as_str).collect();
    let missing: Vec<_> = all.difference(&have).collect();
    let stray: Vec<_> = have.difference(&all).collect();
    assert!(missing.is_empty() && stray.is_empty(), "missing {missing:?}, stray {stray:?}");
}

/// The id of the rule of W0811, and the one that it had when its signal was called `shell_spawn`
const ID_OF_THE_OLD_NAME: (&str, &str) =
    ("64525ca0-08f8-520b-8a40-070194d39494", "2314dbd9-ce68-5a77-8576-1d2486ea42b4");

/// The program's words about an example, as a user gets them
fn said(path: &Path, format: &str) -> String {
    let name = path.strip_prefix(root()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    command.current_dir(root()).args(["--format", format, "--color", "never", "--quiet"]);
    // An example is named by its code, which no Sigma rule is.
    if code_of(path) != "W0132" {
        command.args(["--ignore", "W0132"]);
    }
    let empty = std::env::temp_dir().join(format!("rulecast-empty-{}", std::process::id()));
    match code_of(path).as_str() {
        "E0702" => command.args(["scan", "rules", "-e"]).arg(name),
        "E0803" => {
            command.arg("convert").arg(name).args(["-t", "sentinel", "--check", "-o"]).arg(&empty)
        }
        "E0808" => command
            .args(["verify", "-t", "elastic", "--artifacts"])
            .arg(tampered(name, format, "elastic", ("powershell.exe", "pwsh.exe")))
            .arg(name),
        "E0809" => command
            .args(["verify", "-t", "xdr", "--artifacts"])
            .arg(tampered(name, format, "xdr", ("ProcessCommandLine", "RemotePort")))
            .arg(name),
        "W0811" => command
            .args(["convert", "-t", "elastic", "-o"])
            .arg(tampered(name, format, "elastic", ID_OF_THE_OLD_NAME))
            .arg(name),
        "E0813" => {
            let folder = tampered(name, format, "sentinel", ("", ""));
            let file = folder.join("sentinel/E0813_file_of_an_earlier_name.kql");
            fs::rename(&file, file.with_file_name("earlier_name.kql")).unwrap();
            let manifest = folder.join("rulecast-outputs.json");
            let text = fs::read_to_string(&manifest).unwrap();
            let text = text.replace("E0813_file_of_an_earlier_name.kql", "earlier_name.kql");
            fs::write(&manifest, text).unwrap();
            command.args(["convert", "-t", "sentinel", "--check", "-o"]).arg(folder).arg(name)
        }
        "W0812" => {
            let folder = tampered(name, format, "elastic", ("", ""));
            let file = folder.join("elastic/w0812_signal_that_was_renamed_command.toml");
            fs::rename(&file, file.with_file_name("shell_spawn.toml")).unwrap();
            // Such a file has no owner where rulecast had no manifest yet.
            fs::remove_file(folder.join("rulecast-outputs.json")).unwrap();
            command.args(["convert", "-t", "elastic", "-o"]).arg(folder).arg(name)
        }
        "E0814" => {
            let templates = name.join("templates");
            command.arg("convert").arg(name).args(["-t", "sentinel", "-o"]).arg(&empty);
            command.arg("--templates").arg(templates)
        }
        "W0810" => command.args(["check", "--config"]).arg(name),
        _ => command.arg("check").arg(name),
    };
    let output = command.output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8(text).unwrap();
    text.replace(&*empty.to_string_lossy(), "build")
        .replace(&*built(name, format).to_string_lossy(), "build")
}

fn built(rule: &Path, format: &str) -> PathBuf {
    let code = code_of(rule);
    std::env::temp_dir().join(format!("rulecast-tampered-{code}-{format}-{}", std::process::id()))
}

/// A folder with the rule converted, in which somebody has put one word for another
fn tampered(rule: &Path, format: &str, target: &str, (from, to): (&str, &str)) -> PathBuf {
    let folder = built(rule, format);
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    command.current_dir(root()).arg("convert").arg(rule).args(["-t", target, "-o"]).arg(&folder);
    assert!(command.output().unwrap().status.success());
    for entry in fs::read_dir(folder.join(target)).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text.replace(from, to)).unwrap();
    }
    folder
}

#[test]
fn every_example_shows_its_code() {
    let mut wrong = Vec::new();
    for path in examples() {
        let text = said(&path, "concise");
        if !text.contains(&format!("[{}]", code_of(&path))) {
            wrong.push(format!("{}:\n{text}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What `check` finds in a text that stands in a file of this name
fn checked(name: &str, text: &str) -> Vec<Diagnostic> {
    let mut workspace = Workspace::read(&Text::new(name, text).into());
    workspace.refused_by(&[]);
    for loaded in &workspace.rules {
        run_samples(loaded, &mut workspace.diagnostics);
    }
    workspace.findings(Looked::Everywhere)
}

#[test]
fn every_page_says_what_why_wrong_and_right_and_the_right_form_passes() {
    let mut told = BTreeSet::new();
    for path in examples() {
        let code = Code::named(&code_of(&path)).unwrap();
        let page = code.page().unwrap_or_else(|| panic!("{code} has no page"));
        let parts = [code.title(), code.explanation(), &page.wrong, &page.right];
        assert!(parts.iter().all(|part| !part.trim().is_empty()), "{code}");
        if page.told {
            told.insert(code.as_str());
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.matches(&page.wrong).count(), 1, "{code}: {}", page.wrong);
        let name = path.file_name().unwrap().to_string_lossy();
        let has = |found: &[Diagnostic]| found.iter().any(|one| one.code == code);
        assert!(has(&checked(&name, &text)), "{code}");
        let right = checked(&name, &text.replace(&page.wrong, &page.right));
        let wrong = right.iter().find(|one| one.code == code || one.severity == Severity::Error);
        assert!(wrong.is_none(), "{code}: {wrong:#?}");
    }
    // Findings about bytes, files and folders, which no text of one rule shows.
    let wanted = [
        "E0101", "E0106", "E0107", "E0305", "E0702", "E0803", "E0804", "E0808", "E0809", "E0813",
        "E0814", "W0132", "W0139", "W0807", "W0810", "W0811", "W0812",
    ];
    assert_eq!(told, BTreeSet::from(wanted));
}

#[test]
fn a_page_fits_into_eighty_columns() {
    let output = Command::new(env!("CARGO_BIN_EXE_rulecast")).args(["explain", "E0209"]).output();
    snapshot("cli", "explain_code", &String::from_utf8(output.unwrap().stdout).unwrap());
    for code in Code::ALL {
        let output =
            Command::new(env!("CARGO_BIN_EXE_rulecast")).args(["explain", code.as_str()]).output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        let page = text.split("\nWrong:\n").next().unwrap();
        assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
        assert!(text.contains("\nWrong:\n") && text.contains("\nRight:\n"), "{text}");
    }
}

#[test]
fn every_example_reads_well() {
    for path in examples() {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        snapshot("diagnostics", &name, &said(&path, "full"));
    }
}

#[test]
fn findings_are_json_and_sarif_too() {
    let example = examples().into_iter().find(|path| code_of(path) == "E0202").unwrap();
    let json: serde_json::Value = serde_json::from_str(&said(&example, "json")).unwrap();
    assert_eq!(json["findings"][0]["code"], "E0202");
    let sarif: serde_sarif::sarif::Sarif = serde_json::from_str(&said(&example, "sarif")).unwrap();
    let rule = sarif.runs[0].results.as_ref().unwrap()[0].rule_id.clone();
    assert_eq!(rule.as_deref(), Some("E0202"));
    assert!(said(&example, "github").starts_with("::error file=tests/invalid/"));
}
