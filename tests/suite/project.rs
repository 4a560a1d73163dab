//! The settings of a project: what losses and warnings weigh, and what a tenant has of its own.

use std::path::{Path, PathBuf};

use rulecast::backend::Target;
use rulecast::diagnostic::{Diagnostic, Diagnostics};
use rulecast::manifest::LossName;
use rulecast::project::{Config, Surroundings, load_with};
use rulecast::workspace::{Kept, Output, Workspace};

use crate::support::root;

fn tenants() -> PathBuf {
    root().join("tests/projects/two_tenants")
}

/// The findings about a settings file of this text, as `line: message`
fn findings(text: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rulecast.toml");
    std::fs::write(&file, text).unwrap();
    let mut found = Diagnostics::default();
    Config::find(Some(&file), &mut found).unwrap();
    let line = |one: &Diagnostic| one.source.line_column(one.primary.span.start).0;
    found.sorted().iter().map(|one| format!("{}: {}", line(one), one.message)).collect()
}

/// The findings begin with these texts, and there are no others
fn assert_each(found: &[String], wanted: &[&str]) {
    for wanted in wanted {
        assert!(found.iter().any(|one| one.starts_with(wanted)), "{wanted}: {found:#?}");
    }
    assert_eq!(found.len(), wanted.len(), "{found:#?}");
}

/// The rules of the two tenants, read as for one of them
fn load(overlay: Option<&str>) -> Workspace {
    let mut found = Diagnostics::default();
    let config = Config::find(Some(&tenants().join("rulecast.toml")), &mut found).unwrap();
    assert!(found.sorted().is_empty());
    let layers = config.layers(overlay).unwrap();
    let path = |written: &str| config.path(written);
    let filters = layers.iter().flat_map(|layer| &layer.filters).map(|one| path(&one.value));
    let lists = layers.iter().rev().find_map(|layer| layer.placeholders.as_ref());
    let surroundings = Surroundings {
        filters: filters.collect(),
        placeholders: lists.map(|one| path(&one.value)),
        ..Surroundings::default()
    };
    let rules: Vec<PathBuf> = config.rules.iter().map(|one| path(&one.value)).collect();
    let mut workspace = load_with(&rules, &surroundings).unwrap();
    config.apply(&layers, &mut workspace);
    workspace
}

fn text<'o>(outputs: &'o [Output], end: &str) -> &'o str {
    &outputs.iter().find(|output| output.path.ends_with(end)).unwrap().text
}

#[test]
fn a_mistake_in_the_settings_is_found_at_its_word() {
    let found = findings(
        "ruls = [\"rules\"]\n[targets.sentinel]\npriod = \"1d\"\nfrequency = \"7 years\"\n\
         [targets.sentinl]\n[[loss]]\nnames = [\"inbond\"]\nweight = \"not\"\nreason = \"x\"\n\
         [[check]]\ncodes = [\"E0101\"]\nweight = \"of\"\nreason = \"y\"\n",
    );
    let wanted = [
        "1: unknown key `ruls` in the settings",
        "3: sentinel has no setting `priod`",
        "4: `frequency` is not a timespan",
        "5: no target is called `sentinl`",
        "7: no loss is called `inbond`",
        "8: no weight is called `not`",
        "11: no warning begins with `E0101`",
        "12: no weight is called `of`",
    ];
    assert_each(&found, &wanted);
    assert!(findings("rules = [\n")[0].contains("not valid TOML"));
    assert_eq!(findings("[[loss]]\nnames = [\"case\"]\n").len(), 2, "weight and reason");
}

#[test]
fn a_tenant_has_its_own_exclusions_lists_and_indices() {
    let mut acme = load(Some("acme"));
    let (outputs, refused) = acme.outputs(&[Target::Sentinel, Target::Elastic], Kept::Artifacts);
    assert_eq!((refused, acme.rules.len()), (0, 2), "{:?}", acme.diagnostics.sorted());
    let query = text(&outputs, "shell_of_a_web_server.kql");
    assert!(query.contains("\"httpd.exe\"") && query.contains("release.ps1"), "{query}");
    assert!(text(&outputs, "shell_of_a_web_server.analytic.yaml").contains("queryFrequency: 30m"));
    let rule = text(&outputs, "shell_of_a_web_server_rule.toml");
    assert!(rule.contains("index = [\"winlogbeat-*\"]"), "{rule}");
    let mut globex = load(Some("globex"));
    let (outputs, _) = globex.outputs(&[Target::Elastic], Kept::Artifacts);
    assert!(outputs.iter().all(|output| !output.path.contains("script_in_a_share")), "disabled");
    let rule = text(&outputs, "shell_of_a_web_server_rule.toml");
    assert!(rule.contains("nginx.exe") && rule.contains("logs-endpoint"), "{rule}");
}

#[test]
fn a_decision_holds_for_its_files_until_its_last_day() {
    let mut common = load(None);
    common.outputs(&[Target::Elastic], Kept::Nothing);
    let actions = |workspace: &Workspace| {
        let losses = workspace.losses.iter();
        let actions = losses.filter(|((_, name, _), _)| *name == LossName::Actions);
        actions.map(|((_, _, weight), number)| (weight.name(), *number)).collect::<Vec<_>>()
    };
    assert_eq!(actions(&common), [("note", 1)]);
    let mut usual =
        load_with(&[tenants().join("rules/script_in_a_share.yml")], &Surroundings::default())
            .unwrap();
    usual.outputs(&[Target::Elastic], Kept::Nothing);
    assert_eq!(actions(&usual), [("warn", 1)]);
    // The decision of one tenant to deny `product` had its last day, which is told.
    let mut globex = load(Some("globex"));
    let (_, refused) = globex.outputs(&[Target::Sentinel], Kept::Nothing);
    assert_eq!(refused, 0);
    let found = globex.diagnostics.sorted();
    let ended: Vec<_> = found.iter().filter(|one| one.code.as_str() == "W0810").collect();
    assert_eq!(ended.len(), 1, "{found:?}");
    assert!(Path::new(ended[0].source.name()).ends_with("rulecast.toml"));
}

#[test]
fn an_unknown_overlay_is_named_with_the_known_ones() {
    let mut found = Diagnostics::default();
    let config = Config::find(Some(&tenants().join("rulecast.toml")), &mut found).unwrap();
    let why = config.layers(Some("acm")).unwrap_err().to_string();
    assert_eq!(why, "no overlay is called `acm`: there is acme, globex");
}

#[test]
fn a_workspace_says_which_entities_it_wants() {
    let found = findings(
        "[targets.sentinel.entities]\nAcount = \"none\"\nIP = \"no\"\nURL = {}\n\
         Host = {HostNam = \"DeviceName\"}\nFile = {Name = \"FileNam\"}\n\
         Account = {NTDomain = \"AccountDomain\"}\n[targets.xdr.entities]\nHost = \"none\"\n",
    );
    let wanted = [
        "2: sentinel has no setting `Acount`",
        "3: `IP` is neither `none` nor identifiers",
        "4: `URL` needs one of Url",
        "5: sentinel has no setting `HostNam`",
        "5: `Host` needs one of FullName, HostName, NetBiosName, AzureID, OMSAgentID",
        "6: no result has a column `FileNam`; did you mean `FileName`?",
        "7: `Account` needs one of FullName, Sid, Name, AadUserId, PUID, ObjectGuid",
        "8: xdr has no setting `entities`",
    ];
    assert_each(&found, &wanted);
    let settings = "entities = {Account = \"none\", Host = {HostName = \"DeviceName\"}}";
    let rule = shell_under(settings, "analytic.yaml");
    assert!(!rule.contains("entityType: Account"), "{rule}");
    assert!(rule.contains("- identifier: HostName\n        columnName: DeviceName"), "{rule}");
    assert!(rule.contains("entityType: Process"), "the others are as usual: {rule}");
}

#[test]
fn an_order_of_mappings_may_leave_the_rest_as_usual() {
    assert!(shell_under("mappings = [\"windows\", \"*\"]", "kql").contains("\nSecurityEvent"));
    assert!(shell_under("mappings = [\"cloud\", \"*\"]", "kql").contains("\nDeviceProcessEvents"));
    let found = findings("[targets.sentinel]\nmappings = [\"windows\", \"*\"]\n");
    assert!(found.is_empty(), "{found:?}");
}

/// An output for Sentinel of a rule about shells, under settings of a project for this target
fn shell_under(settings: &str, end: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (file, rule) = (folder.path().join("rulecast.toml"), folder.path().join("shell.yml"));
    std::fs::write(&file, format!("[targets.sentinel]\n{settings}\n")).unwrap();
    std::fs::write(&rule, crate::support::definition("pw", "children: cmd.exe")).unwrap();
    let mut found = Diagnostics::default();
    let config = Config::find(Some(&file), &mut found).unwrap();
    assert!(found.is_empty(), "{:?}", found.sorted());
    let mut workspace = load_with(&[rule], &Surroundings::default()).unwrap();
    config.apply(&config.layers(None).unwrap(), &mut workspace);
    let (outputs, _) = workspace.outputs(&[Target::Sentinel], Kept::Artifacts);
    text(&outputs, end).to_owned()
}
