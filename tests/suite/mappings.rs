//! Mappings: which one a rule takes, and those that users write.

use rulecast::backend::Target;
use rulecast::workspace::{Kept, Text, Workspace};

use crate::support::{lines, root};

const HEAD: &str = "title: A\nid: 5a1f0c01-0001-4c00-8a00-000000000119\ndate: 2026-11-28\n";

fn process(tests: &str, more: &str) -> String {
    format!("{HEAD}{more}signals:\n  one: {{event: process_creation, product: windows, {tests}}}\n")
}

/// The mapping that is taken for the only signal, and the first text
fn taken(workspace: &mut Workspace, target: Target) -> (String, String) {
    let rows = workspace.rows(&[target]);
    let [row] = &*rows else { panic!("{} rows", rows.len()) };
    let mapping = row.mappings.first().cloned().unwrap_or_default();
    drop(rows);
    let (outputs, _) = workspace.outputs(&[target], Kept::Artifacts);
    let text = outputs.first().map(|output| output.text.clone());
    (
        mapping.to_string(),
        text.unwrap_or_else(|| lines(std::mem::take(&mut workspace.diagnostics)).join("\n")),
    )
}

fn of(texts: &[(&str, &str)]) -> Workspace {
    let texts = texts.iter().map(|(name, text)| Text::new(*name, *text)).collect();
    Workspace::read(&rulecast::workspace::Sources { texts, placeholders: None })
}

#[test]
fn the_first_mapping_that_can_say_a_rule_is_taken() {
    let take = |tests: &str, more: &str, target| {
        taken(&mut of(&[("a.yml", &process(tests, more))]), target)
    };
    assert_eq!(take("Image: a.exe", "", Target::Sentinel).0, "defender");
    // Only Sysmon knows the working directory.
    let (mapping, query) = take(r"CurrentDirectory: 'C:\a\'", "", Target::Sentinel);
    assert_eq!(mapping, "windows");
    assert!(query.contains("Source == \"Microsoft-Windows-Sysmon\" and EventID == 1"), "{query}");
    let order = "targets: {sentinel: {mappings: [forwarded, defender]}}\n";
    assert_eq!(take("Image: a.exe", order, Target::Sentinel).0, "forwarded");
    assert_eq!(take("Image: a.exe", "", Target::Elastic).0, "ecs");
    assert_eq!(take("LogonGuid: a", "", Target::Elastic).0, "sysmon");
    let unknown = "targets: {sentinel: {mappings: [defendr]}}\n";
    let (_, found) = take("Image: a.exe", unknown, Target::Sentinel);
    assert!(found.contains("no mapping is called `defendr`"), "{found}");
}

#[test]
fn a_mapping_of_the_user_comes_first_and_may_extend_another() {
    let own = "mapping: own\nextends: defender\nschema:\n  Own_CL: {TimeGenerated: datetime, \
               ActionType: string, ProcessCommandLine: string, DeviceName: string, Line: string}\n\
               tables:\n  - table: Own_CL\n    events: process_creation\n    rows: Line != \"\"\n    \
               fields: {CommandLine: Line}\n    result: {CommandLine: Line}\n";
    let rule = process("CommandLine|contains: whoami", "");
    let (mapping, query) = taken(&mut of(&[("own.yml", own), ("a.yml", &rule)]), Target::Sentinel);
    assert_eq!(mapping, "own", "{query}");
    // Nothing says that a user's table is no parser, so its rows are waited for.
    let waits = "| where TimeGenerated >= ago(70m) and TimeGenerated < ago(10m)";
    let rows = format!("Own_CL\n{waits}\n| where Line != \"\"\n| where Line contains \"whoami\"");
    assert!(query.contains(&rows), "{query}");
    // What the user's table does not have is asked of the mapping that is extended.
    let image = process("Image: a.exe", "");
    let (mapping, query) = taken(&mut of(&[("own.yml", own), ("a.yml", &image)]), Target::Sentinel);
    assert_eq!(mapping, "own");
    assert!(query.contains("DeviceProcessEvents"), "{query}");
    let workspace = of(&[("own.yml", "mapping: windows\nplatforms: [sentinel]\ntables: []\n")]);
    let found = lines(workspace.diagnostics).join("\n");
    assert!(found.contains("another mapping is called `windows`"), "{found}");
    let workspace = of(&[("own.yml", "mapping: own\nextends: defendr\n")]);
    let found = lines(workspace.diagnostics).join("\n");
    assert!(found.contains("no mapping is called `defendr`"), "{found}");
}

#[test]
fn the_project_with_tables_of_its_own_is_proven() {
    let folder = root().join("tests/projects/own_tables");
    let texts = [
        "mappings/proxy_table.yml",
        "mappings/proxy_index.yml",
        "mappings/files.yml",
        "rules/files.yml",
        "rules/proxy_command.yml",
    ];
    let texts: Vec<(&str, String)> = texts
        .iter()
        .map(|name| (*name, std::fs::read_to_string(folder.join(name)).unwrap()))
        .collect();
    let texts: Vec<(&str, &str)> =
        texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    let mut workspace = of(&texts);
    assert!(!workspace.diagnostics.has_errors(), "{:?}", lines(workspace.diagnostics));
    let (outputs, refused) =
        workspace.outputs(&[Target::Sentinel, Target::Elastic], Kept::WithManifests);
    assert_eq!(refused, 0);
    let manifests = outputs.iter().filter(|output| output.path.ends_with(".manifest.json"));
    let mut tables: Vec<String> = Vec::new();
    for output in manifests {
        let manifest: serde_json::Value = serde_json::from_str(&output.text).unwrap();
        tables.push(manifest["signals"][0]["tables"][0].as_str().unwrap().to_owned());
    }
    tables.sort();
    assert_eq!(tables[..2], ["AcmeFileEvents_CL", "AcmeProxy_CL"]);
    assert_eq!(tables[2], "acme-proxy-*");
}
