//! `diff`: what it says of a change is true of events.

use std::collections::BTreeSet;
use std::slice::from_ref;

use rulecast::Rule;
use rulecast::backend::{Policy, Target};
use rulecast::ir::{Clause, Expr, Op, Relation, Role};
use rulecast::matcher::{Engine, Memory, Options};
use rulecast::project::OnTargets;
use rulecast::review::{Change, Effect, Fate, compare};
use rulecast::verify::Example;
use rulecast::verify::near::chance::Dice;
use rulecast::workspace::{Loaded, Sources, Text, Workspace};

use crate::support::rules;
use crate::trials::near;

fn read(text: &str) -> Vec<Loaded> {
    let read = Workspace::read(&Text::new("a_rule.yml", text.to_owned()).into());
    assert_eq!(read.rules.len(), 1, "{text}");
    read.rules
}

const HEAD: &str = "title: A shell\nid: 7c0f5a53-8f0e-4c0e-8b54-2d0f2f8f9a11\ndate: 2026-11-29\n";

/// A definition with these tests
fn of(tests: &str) -> String {
    let tests: String = tests.lines().map(|line| format!("    {line}\n")).collect();
    format!("{HEAD}signals:\n  shell:\n    event: process_creation\n{tests}")
}

fn change(before: &str, after: &str) -> Option<Change> {
    compare(&read(before), &read(after)).into_iter().next()
}

#[test]
fn each_change_of_a_definition_is_told_by_what_it_does() {
    use Effect::{Narrows, Same, Undecided, Widens};
    let base = "parents: [w3wp.exe, httpd]\nCommandLine|contains: [whoami, net user]";
    let table: &[(&str, Effect, &str)] = &[
        (
            "parents: [w3wp.exe, httpd, nginx]\nCommandLine|contains: [whoami, net user]",
            Widens,
            "+ ParentImage.name equals \"nginx\"",
        ),
        (
            "parents: [w3wp.exe]\nCommandLine|contains: [whoami, net user]",
            Narrows,
            "- ParentImage.name equals \"httpd\"",
        ),
        ("parents: [httpd, w3wp.exe]\nCommandLine|contains: [net user, whoami]", Same, ""),
        ("parents: [w3wp.exe, httpd]", Widens, "CommandLine is gone"),
        (
            "parents: [w3wp.exe, httpd]\nCommandLine|contains: [whoami, net user]\nexclusions:\n  - {note: a job, User: job}",
            Narrows,
            "exclusion \"a job\" is new",
        ),
        ("parents: [w3wp.exe, httpd]\nCommandLine|contains|all: [whoami, net user]", Narrows, ""),
        ("parents: [w3wp.exe, httpd*]\nCommandLine|contains: [whoami, net user]", Widens, ""),
        ("parents: [w3wp.exe, httpd]\nCommandLine|contains: [who, net user]", Widens, ""),
        ("parents: [w3wp.exe, httpd]\nCommandLine|contains: [whoami /all, net user]", Narrows, ""),
        ("parents: [w3wp.exe, httpd]\nCommandLine|cased|contains: [whoami, net user]", Narrows, ""),
        ("parents: [w3wp.exe, nginx]\nCommandLine|contains: [whoami, net user]", Undecided, ""),
        ("parents: [w3wp.exe, httpd]\nCommandLine|startswith: [whoami, net user]", Narrows, ""),
        ("parents: [w3wp.exe, httpd]\nCommandLine|exists: true", Widens, ""),
    ];
    for (after, effect, line) in table {
        let found = change(&of(base), &of(after));
        if *effect == Same {
            assert!(found.is_some_and(|found| found.fate == Fate::Reformatted), "{after}");
            continue;
        }
        let found = found.unwrap();
        assert_eq!(found.fate, Fate::Changed(*effect), "{after}: {found:?}");
        assert!(found.is_undated, "{after}");
        assert!(found.lines.iter().any(|one| one.contains(line)), "{after}: {:?}", found.lines);
        events_move_as_said(&of(base), &of(after), *effect);
    }
}

/// Tries events near the literals of both definitions: some move, and only as the effect says; ids stay
fn events_move_as_said(before: &str, after: &str, effect: Effect) {
    let sides = [before, after].map(read);
    let events: Vec<Example> =
        sides.iter().flat_map(|side| near(&side[0].rule, &mut Dice(11), 40)).collect();
    let matched = sides.each_ref().map(|side| {
        let engine = Engine::new([side[0].rule.clone()], &Options::default());
        let signals = |example: &Example| -> BTreeSet<String> {
            let kind = example.kind.as_ref();
            let all = engine.judge_value(&example.event, kind, &mut Memory::default()).unwrap();
            all.iter().map(|one| side[0].rule.signals[one.signal].name.clone()).collect()
        };
        events.iter().map(signals).collect::<Vec<_>>()
    });
    let (mut newly, mut no_longer) = (0, 0);
    for (before, after) in matched[0].iter().zip(&matched[1]) {
        newly += after.difference(before).count();
        no_longer += before.difference(after).count();
    }
    let is_right = match effect {
        Effect::Same => newly == 0 && no_longer == 0,
        Effect::Widens => newly > 0 && no_longer == 0,
        Effect::Narrows => newly == 0 && no_longer > 0,
        // New terms and correlations are no matter of one event.
        Effect::Undecided => true,
    };
    assert!(is_right, "{effect:?}: {newly} newly, {no_longer} no longer: {after}");
    // Another signal, another correlation or new terms may need another rule there; the rest keeps its id.
    let kept = ids(before).intersection(&ids(after)).count();
    assert!(kept > 0, "{after}");
    if sides[0][0].rule.signals.len() == sides[1][0].rule.signals.len() {
        assert_eq!(ids(before), ids(after), "{after}");
    }
}

/// The ids by which targets know what comes of a definition
fn ids(text: &str) -> BTreeSet<String> {
    let workspace = Workspace::read(&Text::new("a_rule.yml", text.to_owned()).into());
    let emitted = workspace.emitted(&[Target::Sentinel, Target::Elastic]);
    emitted.into_iter().flat_map(|one| one.outputs).flat_map(|output| output.ids).collect()
}

#[test]
fn the_same_meaning_in_other_words_is_told_as_such() {
    let sigma = |detection: &str| {
        format!(
            "title: A shell\nid: 7c0f5a53-8f0e-4c0e-8b54-2d0f2f8f9a11\nlogsource:\n  category: \
             process_creation\ndetection:\n{detection}"
        )
    };
    let a = "  a: {Image|endswith: \\a.exe}\n  b: {User: x}\n";
    let before = sigma(&format!("{a}  condition: not (a or b)\n"));
    let after = sigma(&format!("{a}  condition: not a and not b\n"));
    let found = change(&before, &after).unwrap();
    assert!(matches!(found.fate, Fate::Changed(Effect::Same) | Fate::Reformatted), "{found:?}");
    // A new title and a new level are no change of what is found.
    let base = of("children: cmd.exe");
    let found = change(&base, &base.replace("A shell", "The shell")).unwrap();
    assert_eq!((found.fate, found.is_undated), (Fate::Changed(Effect::Same), false));
    assert!(found.lines.contains(&"title A shell -> The shell".to_owned()), "{:?}", found.lines);
    assert!(change(&base, &base).is_none());
    let found = change(&base, &format!("# a comment\n{base}")).unwrap();
    assert_eq!(found.fate, Fate::Reformatted);
    let renamed = base.replace("  shell:\n", "  other:\n");
    let found = change(&base, &renamed).unwrap();
    assert_eq!(found.fate, Fate::Changed(Effect::Same));
    assert!(found.lines[0].starts_with("signal shell is called other now"), "{:?}", found.lines);
    assert_eq!(compare(&[], &read(&base))[0].fate, Fate::Added);
    assert_eq!(compare(&read(&base), &[])[0].fate, Fate::Removed);
}

/// A definition with these lines in its signal, and these behind its signals
fn with(signal: &str, more: &str) -> String {
    of(format!("children: [cmd.exe, whoami.exe]\n{signal}").trim_end()) + more
}

#[test]
fn changes_beyond_a_value_are_told_by_what_they_do() {
    use Effect::{Narrows, Same, Undecided, Widens};
    let exclusion = |tests: &str| with(&format!("exclusions:\n  - {{note: a job, {tests}}}"), "");
    let terms = |window: &str| {
        with(
            "",
            &format!(
                "new_terms: {{signal: shell, fields: [host, command_line], window: {window}}}\n"
            ),
        )
    };
    let burst = |timespan: &str, least: u32| {
        let more = format!(
            "correlations:\n  burst:\n    type: event_count\n    signals: [shell]\n    group-by: [host]\n    \
             timespan: {timespan}\n    condition: {{gte: {least}}}\n"
        );
        with("", &more)
    };
    let other = "  other:\n    event: process_creation\n    children: nc.exe\n";
    let plain = with("", "");
    let list = plain
        .replace("signals:\n", "lists:\n  shells: [cmd.exe, whoami.exe]\nsignals:\n")
        .replace("[cmd.exe, whoami.exe]\n", "$shells\n")
        .replacen("shells: $shells", "shells: [cmd.exe, whoami.exe]", 1);
    let table = [
        (
            exclusion("User: job"),
            exclusion("User: job, CommandLine: whoami"),
            Widens,
            "exclusion \"a job\"",
        ),
        (exclusion("User: job"), exclusion("User: [job, task]"), Narrows, "+ User equals \"task\""),
        (exclusion("User: job"), plain.clone(), Widens, "exclusion \"a job\" is gone"),
        (terms("7d"), terms("3d"), Undecided, "new terms "),
        (plain.clone(), terms("7d"), Undecided, "new terms none -> "),
        (burst("1m", 3), burst("5m", 3), Undecided, "correlation burst: "),
        (burst("1m", 3), burst("1m", 9), Undecided, "correlation burst: "),
        (plain.clone(), with("", other), Widens, "signal other is new"),
        (with("", other), plain.clone(), Narrows, "signal other is gone"),
        (plain.clone(), with("product: windows", ""), Undecided, "shell: events "),
        (
            plain.clone(),
            plain.replace("signals:", "level: low\nsignals:"),
            Same,
            "level none -> low",
        ),
        (
            plain.clone(),
            plain.replace("signals:", "tags: [tlp.clear]\nsignals:"),
            Same,
            "tags + tlp.clear",
        ),
    ];
    for (before, after, effect, line) in table {
        let found = change(&before, &after).unwrap();
        assert_eq!(found.fate, Fate::Changed(effect), "{after}: {found:?}");
        assert!(found.lines.iter().any(|one| one.contains(line)), "{line}: {:?}", found.lines);
        assert_eq!(found.is_undated, effect != Same, "{after}");
        events_move_as_said(&before, &after, effect);
    }
    let found = change(&plain, &list).unwrap();
    assert!(matches!(found.fate, Fate::Changed(Same) | Fate::Reformatted), "{found:?}");
}

#[test]
fn a_filter_that_comes_narrows_the_rules_that_it_names() {
    let rule = "title: Shell\nid: 7c0f5a53-8f0e-4c0e-8b54-2d0f2f8f9a02\nlogsource: {category: process_creation, \
                product: windows}\ndetection: {one: {Image|endswith: \\cmd.exe}, condition: one}\n";
    let filter = "title: Jobs\nid: 7c0f5a53-8f0e-4c0e-8b54-2d0f2f8f9a90\nlogsource: {category: process_creation, \
                  product: windows}\nfilter:\n  rules: [7c0f5a53-8f0e-4c0e-8b54-2d0f2f8f9a02]\n  \
                  job: {User: job}\n  condition: not job\n";
    let read = |texts: &[&str]| {
        let texts = texts.iter().enumerate();
        let texts = texts.map(|(at, text)| Text::new(format!("rule_{at}.yml"), *text)).collect();
        Workspace::read(&Sources { texts, placeholders: None }).rules
    };
    let (alone, filtered) = (read(&[rule]), read(&[rule, filter]));
    assert_eq!(compare(&alone, &filtered)[0].fate, Fate::Changed(Effect::Narrows));
    assert_eq!(compare(&filtered, &alone)[0].fate, Fate::Changed(Effect::Widens));
}

/// Changes of one signal: a clause less, a part less, a value less, another relation, a part negated
fn changed(rule: &Rule, signal: usize, dice: &mut Dice) -> Rule {
    let mut rule = rule.clone();
    let clauses = &mut rule.signals[signal].clauses;
    let at = dice.roll(clauses.len());
    match dice.roll(6) {
        0 if clauses.len() > 1 => drop(clauses.remove(at)),
        1 => {
            let copy = Clause { role: Role::Exclude, ..clauses[at].clone() };
            clauses.push(copy);
        }
        _ => alter(&mut clauses[at].expr, dice),
    }
    rule
}

fn alter(expr: &mut Expr, dice: &mut Dice) {
    match expr {
        Expr::All(parts) | Expr::Any(parts) if !parts.is_empty() => {
            let at = dice.roll(parts.len());
            match dice.roll(4) {
                0 => drop(parts.remove(at)),
                _ => alter(&mut parts[at], dice),
            }
        }
        Expr::Not(part) => alter(part, dice),
        Expr::Test(test) => {
            let Op::Text(text) = &mut test.op else { return };
            if dice.roll(2) == 0 && text.values.len() > 1 {
                let mut values = text.values.to_vec();
                values.remove(dice.roll(values.len()));
                *text = text.with(values);
            } else if text.relation != Relation::Wildcard {
                let all = [Relation::Equals, Relation::Starts, Relation::Ends, Relation::Contains];
                text.relation = all[dice.roll(4)];
            }
        }
        Expr::All(_) | Expr::Any(_) => {}
    }
}

#[test]
fn where_a_rule_is_said_to_narrow_no_event_matches_newly() {
    let mut dice = Dice(23);
    let (mut told, mut moved) = ([0; 4], 0);
    for loaded in rules() {
        let events = near(&loaded.rule, &mut Dice(3), 30);
        for turn in 0..30 {
            let signal = turn % loaded.rule.signals.len();
            let rule = changed(&loaded.rule, signal, &mut dice);
            // Correlations and new terms are told apart from what signals find.
            let [before, after] = [loaded.rule.clone(), rule].map(|mut rule| {
                rule.correlations.clear();
                rule.new_terms = None;
                Loaded { rule, ..loaded.clone() }
            });
            let changes = compare(from_ref(&before), from_ref(&after));
            let effect = match changes.first().map(|change| &change.fate) {
                Some(Fate::Changed(effect)) => *effect,
                _ => Effect::Same,
            };
            told[effect as usize] += 1;
            let engines =
                [before.rule, after.rule].map(|rule| Engine::new([rule], &Options::default()));
            for example in &events {
                let [before, after] = engines.each_ref().map(|engine| {
                    let kind = example.kind.as_ref();
                    let all = engine.judge_value(&example.event, kind, &mut Memory::default());
                    all.unwrap().iter().any(|one| one.signal == signal)
                });
                let what = || format!("{}: {}: {changes:?}", loaded.stem, example.event);
                match (before, after) {
                    (false, true) => {
                        assert!(matches!(effect, Effect::Widens | Effect::Undecided), "{}", what());
                    }
                    (true, false) => {
                        assert!(
                            matches!(effect, Effect::Narrows | Effect::Undecided),
                            "{}",
                            what()
                        );
                    }
                    _ => continue,
                }
                moved += 1;
            }
        }
    }
    assert!(told[1] > 20 && told[2] > 20 && moved > 200, "{told:?}, {moved} verdicts changed");
}

/// The matches of a rule on every target that has a judge, by target, signal and event; and where nothing is said
fn on_targets(loaded: &Loaded, examples: &[Example]) -> BTreeSet<(&'static str, String, usize)> {
    let policy = Policy::default();
    let targets = [Target::Sentinel, Target::Asim, Target::Xdr, Target::Elastic];
    let emitted = OnTargets::of(&[loaded], &policy, &targets);
    let mut sights = emitted.sights();
    let seen = sights.see(examples).into_iter();
    let seen = seen.map(|one| (one.target.name(), one.signal.to_owned(), one.example)).collect();
    assert!(sights.unseen().is_empty(), "{}: {:?}", loaded.stem, sights.unseen()[0].why);
    seen
}

#[test]
fn where_a_rule_is_said_to_narrow_no_target_finds_more() {
    let mut dice = Dice(47);
    let (mut told, mut fewer, mut targets) = ([0; 4], 0, BTreeSet::new());
    for loaded in rules() {
        let events = near(&loaded.rule, &mut Dice(5), 12);
        let step = events.len() / 300 + 1;
        let events: Vec<Example> = events.into_iter().step_by(step).collect();
        let mut before = loaded.clone();
        before.rule.correlations.clear();
        before.rule.new_terms = None;
        let known = on_targets(&before, &events);
        for turn in 0..8 {
            let signal = turn % before.rule.signals.len();
            let rule = changed(&before.rule, signal, &mut dice);
            let after = Loaded { rule, ..before.clone() };
            let changes = compare(from_ref(&before), from_ref(&after));
            let effect = match changes.first().map(|change| &change.fate) {
                Some(Fate::Changed(effect)) => *effect,
                _ => Effect::Same,
            };
            told[effect as usize] += 1;
            if !matches!(effect, Effect::Narrows | Effect::Same) {
                continue;
            }
            let now = on_targets(&after, &events);
            if let Some((target, signal, at)) = now.difference(&known).next() {
                let event = &events[*at].event;
                panic!("{}: {target} finds {event} newly by {signal}: {changes:?}", loaded.stem);
            }
            fewer += known.difference(&now).count();
            targets.extend(now.iter().map(|(target, ..)| *target));
        }
    }
    assert!(told[2] > 4 && fewer > 20 && targets.len() == 4, "{told:?}, {fewer}, {targets:?}");
}
