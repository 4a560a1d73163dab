//! `plan --deployed`: what a target has is compared with what the rules make, field by field.

use serde_json::{Value, json};

use crate::folder::Folder;

fn rule(title: &str, id: u32, child: &str) -> String {
    format!(
        "title: {title}\nid: 7c0f5a53-8f0e-4c0e-8b54-2d0f2f8f9a{id:02}\ndate: 2026-11-29\nlevel: high\nsignals:\n  \
         shell:\n    event: process_creation\n    product: windows\n    children: [{child}]\n"
    )
}

/// Three rules, converted as they were deployed
fn project() -> Folder {
    let folder = Folder::new();
    for (at, title) in ["First", "Second", "Third"].into_iter().enumerate() {
        let text = rule(title, at as u32, &format!("{}.exe", title.to_lowercase()));
        folder.write(&format!("rules/{}.yml", title.to_lowercase()), &text);
    }
    assert_eq!(folder.run(&["convert", "-o", "build"]).code, Some(0));
    folder
}

/// An export of Kibana with the rules of the last output, as the server gives it
fn kibana(folder: &Folder) -> Vec<Value> {
    let all = ["first", "second", "third"].into_iter().flat_map(|name| {
        let text = folder.read(&format!("build/elastic/{name}.ndjson"));
        text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()).collect::<Vec<_>>()
    });
    let mut rules: Vec<Value> = all.collect();
    for rule in &mut rules {
        let more = json!({
            "id": "d0f5a0c4-5f9b-4f2c-8f1d-0c7e5c1e7a11", "created_at": "2026-11-01T00:00:00.000Z",
            "created_by": "elastic", "revision": 4, "version": 3, "enabled": true, "immutable": false,
            "actions": [], "to": "now", "output_index": ""
        });
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    }
    rules
}

fn lines(rules: &[Value]) -> String {
    let end = json!({"exported_count": rules.len(), "exported_rules_count": rules.len()});
    rules.iter().chain([&end]).map(|line| format!("{line}\n")).collect()
}

/// The steps of a plan, as `name step`
fn steps(folder: &Folder, arguments: &[&str]) -> (Vec<String>, Option<i32>) {
    let said =
        folder.run(&[&["plan", "--format", "json", "--deployed", "export"], arguments].concat());
    let plan: Value = serde_json::from_str(&said.out).unwrap_or_else(|_| panic!("{}", said.err));
    let rules = plan["rules"].as_array().unwrap().iter();
    let step = |one: &Value| {
        format!("{} {}", one["name"].as_str().unwrap(), one["step"].as_str().unwrap())
    };
    (rules.map(step).collect(), said.code)
}

#[test]
fn what_is_deployed_as_emitted_needs_nothing() {
    let folder = project();
    let mut rules = kibana(&folder);
    folder.write("export", &lines(&rules));
    let same = ["First same", "Second same", "Third same"].map(ToOwned::to_owned).to_vec();
    assert_eq!(steps(&folder, &[]), (same.clone(), Some(0)));
    // A rule of somebody else is none of ours.
    rules.push(json!({"rule_id": "other", "name": "Other", "query": "x"}));
    folder.write("export", &lines(&rules));
    assert_eq!(steps(&folder, &["--last", "build"]), (same, Some(0)));
    let said = folder.run(&["plan", "--deployed", "export"]).err;
    assert!(said.contains("3 same; 1 rule of others or without a definition"), "{said}");
}

#[test]
fn each_step_is_told_with_the_fields_that_differ() {
    let folder = project();
    let mut rules = kibana(&folder);
    // By hand on the target, by a change of the definition, by deleting one, and by a new one.
    rules[0]["risk_score"] = json!(99);
    folder.edit("rules/second.yml", "second.exe", "other.exe");
    std::fs::remove_file(folder.path("rules/third.yml")).unwrap();
    folder.write("rules/fourth.yml", &rule("Fourth", 4, "fourth.exe"));
    folder.write("export", &lines(&rules));
    let (told, code) = steps(&folder, &["--last", "build"]);
    assert_eq!(told, ["Fourth create", "Second update", "First drifted", "Third delete"]);
    assert_eq!(code, Some(1));
    // Without the last output, nobody can tell what was changed by hand, and what was ours.
    let (told, code) = steps(&folder, &[]);
    assert_eq!(told, ["Fourth create", "First differs", "Second differs"]);
    assert_eq!(code, Some(1));
    // The rules as they were tell it as well, without an output that somebody kept.
    for (at, title) in ["First", "Second", "Third"].into_iter().enumerate() {
        let text = rule(title, at as u32, &format!("{}.exe", title.to_lowercase()));
        folder.write(&format!("deployed/{}.yml", title.to_lowercase()), &text);
    }
    let (told, _) = steps(&folder, &["--against", "deployed"]);
    assert_eq!(told, ["Fourth create", "Second update", "First drifted", "Third delete"]);
    let said = folder.run(&["plan", "--deployed", "export", "--last", "build"]);
    for line in [
        "create   elastic  Fourth\n",
        "    risk_score, changed on the target:\n      - 99.0\n      + 73.0\n",
        "    query:\n",
    ] {
        assert!(said.out.contains(line), "{line}: {}", said.out);
    }
    let query: Vec<&str> = said.out.lines().filter(|line| line.contains(".exe")).collect();
    assert!(query[0].starts_with("      - ") && query[0].contains("second.exe"), "{query:?}");
    assert!(query[1].starts_with("      + ") && query[1].contains("other.exe"), "{query:?}");
    let wanted = "1 create, 1 update, 1 drifted, 1 delete, 0 same; 0 rules of others";
    assert!(said.err.contains(wanted), "{}", said.err);
}

#[test]
fn a_rule_with_an_error_is_not_deleted() {
    let folder = project();
    folder.write("export", &lines(&kibana(&folder)));
    folder.write("rules/third.yml", "title: [\n");
    let (told, code) = steps(&folder, &["--last", "build"]);
    assert_eq!(told, ["Third refused", "First same", "Second same"]);
    assert_eq!(code, Some(1));
    folder.write("deployed/third.yml", &rule("Third", 2, "third.exe"));
    assert_eq!(steps(&folder, &["--against", "deployed"]).0, told);
}

#[test]
fn exports_of_sentinel_are_read_in_each_form() {
    let folder = project();
    let resource = |name: &str| {
        let text = folder.read(&format!("build/sentinel/{name}.arm.json"));
        let template: Value = serde_json::from_str(&text).unwrap();
        template["resources"][0].clone()
    };
    let mut rules: Vec<Value> = ["first", "second", "third"].into_iter().map(resource).collect();
    // The service writes timespans and names of resources in its own way.
    rules[0]["properties"]["queryPeriod"] = match rules[0]["properties"]["queryPeriod"].as_str() {
        Some("P1D") => json!("PT24H"),
        Some(other) => json!(other),
        None => json!(null),
    };
    rules[0]["properties"]["lastModifiedUtc"] = json!("2026-11-29T00:00:00Z");
    let id = rules[0]["name"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    rules[0]["name"] = json!(id.trim_end_matches("')]").to_uppercase());
    let (whole, same) = (rules.clone(), ["First same", "Second same", "Third same"]);
    for document in [json!({"resources": whole}), json!({"value": whole}), json!(whole)] {
        folder.write("export", &format!("{document:#}"));
        assert_eq!(steps(&folder, &[]), (same.map(ToOwned::to_owned).to_vec(), Some(0)));
    }
    rules[1]["properties"]["severity"] = json!("Low");
    folder.write("export", &json!(rules).to_string());
    let said = folder.run(&["plan", "--deployed", "export", "--last", "build"]);
    assert_eq!(said.code, Some(1));
    let line = "severity, changed on the target:\n      - Low\n      + High\n";
    assert!(said.out.contains(line), "{}", said.out);
}

#[test]
fn what_is_no_export_ends_the_run() {
    let folder = project();
    for (text, words) in [
        ("nothing", "it is no export of Sentinel or Kibana"),
        ("", "it is no export"),
        ("{\"exported_count\": 0}\n", "the export holds no rule"),
    ] {
        folder.write("export", text);
        let said = folder.run(&["plan", "--deployed", "export"]);
        assert_eq!(said.code, Some(2), "{text}");
        assert!(said.err.contains(words), "{}", said.err);
    }
    folder.write("export", "{\"exported_count\": 0}\n");
    assert_eq!(steps(&folder, &["-t", "elastic"]).0.len(), 3, "an empty target needs all of them");
    folder.write("export", &lines(&kibana(&folder)));
    let said = folder.run(&["plan", "--deployed", "export", "--last", "rules"]);
    assert!(
        said.code == Some(2) && said.err.contains("has no rulecast-outputs.json"),
        "{}",
        said.err
    );
}
