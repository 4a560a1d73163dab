//! `tune`: an exclusion that is offered silences its event and hides what it says.

use rulecast::backend::Policy;
use rulecast::matcher::{Engine, Memory, Options};
use rulecast::workspace::{Text, Tuner, Workspace};
use serde_json::{Value, json};

use crate::support::definition;

/// Whether a definition finds an event of process creation
fn finds(text: &str, event: &Value) -> bool {
    let mut read = Workspace::read(&Text::new("rule.yml", text.to_owned()).into());
    let rule = read.rules.pop().unwrap().rule;
    let kind = rule.signals[0].kind.clone();
    let engine = Engine::new([rule], &Options::default());
    !engine.judge_value(event, Some(&kind), &mut Memory::default()).unwrap().is_empty()
}

#[test]
fn an_exclusion_pasted_into_the_definition_does_what_it_says() {
    let text = definition("pw", "parents: [w3wp.exe]\nchildren: [cmd.exe]");
    let of = |line: &str, user: &str| {
        json!({
            "ParentImage": "C:\\Windows\\w3wp.exe", "Image": "C:\\Windows\\cmd.exe",
            "CommandLine": line, "User": user, "ProcessId": 7,
        })
    };
    let event = of("cmd /c 'dir' C:\\*.* ?", "IIS\\shop");
    let others = [of("cmd /c whoami", "IIS\\shop"), of("cmd /c 'dir' C:\\*.* ?", "IIS\\other")];
    let read = Workspace::read(&Text::new("rule.yml", text.clone()).into());
    let kind = read.rules[0].rule.signals[0].kind.clone();
    let known = (&event, Some(&kind));
    let mut tuner = Tuner::new(&read.rules[0], 0, known, &Policy::default()).unwrap();
    for other in &others {
        tuner.observe(other, Some(&kind)).unwrap();
    }
    assert_eq!(tuner.found, 2);
    let exclusions = tuner.finish();
    assert!(exclusions.len() > 4, "{exclusions:?}");
    assert_eq!(exclusions[0].hides, 0);
    for one in &exclusions {
        let yaml: String = one.yaml.lines().map(|line| format!("      {line}\n")).collect();
        let pasted = format!("{}    exclusions:\n{yaml}", text.trim_end().to_owned() + "\n");
        assert!(!finds(&pasted, &event), "{pasted}");
        let hidden = others.iter().filter(|other| !finds(&pasted, other)).count();
        assert_eq!(one.hides, hidden, "{pasted}");
        assert!(!one.yaml.contains("ProcessId"), "{}", one.yaml);
    }
    // An event that the rule does not find needs no exclusion.
    let other = json!({"Image": "C:\\a.exe"});
    assert!(Tuner::new(&read.rules[0], 0, (&other, Some(&kind)), &Policy::default()).is_none());
}

#[test]
fn what_would_fail_a_test_of_the_rule_is_named() {
    let event = r"{ParentImage: 'C:\w3wp.exe', Image: 'C:\cmd.exe', CommandLine: cmd /c dir}";
    let text = definition("pw", "parents: [w3wp.exe]\nchildren: [cmd.exe]")
        + &format!("tests:\n  - name: IIS lists files\n    signal: only\n    event: {event}\n");
    let read = Workspace::read(&Text::new("rule.yml", text).into());
    let kind = read.rules[0].rule.signals[0].kind.clone();
    let tune = |event: &Value| {
        let known = (event, Some(&kind));
        Tuner::new(&read.rules[0], 0, known, &Policy::default()).unwrap().finish()
    };
    let tested: Value = serde_yaml::from_str(event).unwrap();
    let all = tune(&tested);
    assert!(all.len() > 2 && all.iter().all(|one| one.failing == ["IIS lists files"]), "{all:?}");
    let mut other = tested.clone();
    other["CommandLine"] = json!("cmd /c ver");
    // The line is that of this event alone; the programs are those of the test as well.
    let (with_line, without): (Vec<_>, Vec<_>) =
        tune(&other).into_iter().partition(|one| one.yaml.contains("CommandLine"));
    assert!(!with_line.is_empty() && with_line.iter().all(|one| one.failing.is_empty()));
    assert!(!without.is_empty() && without.iter().all(|one| !one.failing.is_empty()));
}
