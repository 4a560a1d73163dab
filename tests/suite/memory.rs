//! What is judged over time: correlations against their plain meaning, terms kept between runs,
//! the process tree.

use std::collections::{BTreeMap, BTreeSet};

use rulecast::Rule;
use rulecast::matcher::{Engine, Memory, Options, Shortfall};
use serde_json::json;

use crate::support::rule;
use rulecast::verify::near::chance::Dice;

/// A definition of three signals and one correlation
fn correlated(correlation: &str) -> Rule {
    rule(&format!(
        "title: Together\nid: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01\nsignals:\n  \
         a: {{event: webserver, methods: A}}\n  b: {{event: webserver, methods: B}}\n  \
         c: {{event: webserver, methods: C}}\ncorrelations:\n  x: {correlation}\n"
    ))
}

/// Second, signal, host, client
type Request = (i64, usize, usize, usize);

const SIGNALS: [&str; 3] = ["A", "B", "C"];

/// When each group is reported, by the engine
fn judged(rule: &Rule, requests: &[Request]) -> BTreeSet<(String, i64)> {
    let engine = Engine::new(std::slice::from_ref(rule), &Options::default());
    let mut memory = Memory::default();
    let mut found = Vec::new();
    for (line, (second, signal, host, client)) in requests.iter().enumerate() {
        let time = jiff::Timestamp::from_second(1_700_000_000 + second).unwrap();
        let event = json!({
            "time": time.to_string(),
            "Computer": format!("Host{host}.example"),
            "cs-method": SIGNALS[*signal],
            "c-ip": format!("192.0.2.{client}"),
        });
        for matched in engine.judge(&event.to_string()).unwrap() {
            found.extend(memory.correlate(&engine, &matched, (0, line + 1)));
        }
    }
    found.extend(memory.finish(&engine));
    assert_eq!(memory.shortfall(), Shortfall::default());
    let one = |found: rulecast::matcher::Finding| {
        let group = found.together.group[0].1.clone();
        (group, found.together.time.as_second() - 1_700_000_000)
    };
    found.into_iter().map(one).collect()
}

/// The same by trying everything: `completes` sees the requests of a group up to a second
fn plainly(
    requests: &[Request],
    timespan: i64,
    completes: impl Fn(&[Request]) -> bool,
) -> BTreeSet<(String, i64)> {
    let mut groups: BTreeMap<usize, Vec<Request>> = BTreeMap::new();
    for request in requests {
        groups.entry(request.2).or_default().push(*request);
    }
    let mut reported = BTreeSet::new();
    for (host, requests) in groups {
        let seconds: BTreeSet<i64> = requests.iter().map(|request| request.0).collect();
        let mut last = i64::MIN / 2;
        for now in seconds {
            let window: Vec<Request> = requests
                .iter()
                .filter(|request| (now - timespan..=now).contains(&request.0))
                .copied()
                .collect();
            if completes(&window) && now - last > timespan {
                last = now;
                reported.insert((format!("host{host}"), now));
            }
        }
    }
    reported
}

fn random(dice: &mut Dice) -> Vec<Request> {
    let count = 5 + dice.roll(40);
    let request =
        |dice: &mut Dice| (dice.roll(90) as i64, dice.roll(3), dice.roll(2), dice.roll(5));
    (0..count).map(|_| request(dice)).collect()
}

/// Whether the signals occur in this order
fn ordered(window: &[Request], order: &[usize]) -> bool {
    let mut after = i64::MIN;
    for signal in order {
        let times = window.iter().filter(|request| request.1 == *signal).map(|request| request.0);
        match times.filter(|time| *time >= after).min() {
            Some(time) => after = time,
            None => return false,
        }
    }
    true
}

#[test]
fn correlations_are_what_trying_everything_says() {
    let mut dice = Dice(0x0dd0_5eed_1234_5678);
    let mut found = [0; 4];
    for _ in 0..400 {
        let requests = random(&mut dice);
        let distinct = |window: &[Request], of: fn(&Request) -> usize| {
            window.iter().map(of).collect::<BTreeSet<_>>().len()
        };
        let temporal =
            correlated("{type: temporal, signals: [a, b, c], group-by: [host], timespan: 10s}");
        let wanted = plainly(&requests, 10, |window| distinct(window, |r| r.1) == 3);
        assert_eq!(judged(&temporal, &requests), wanted, "{requests:?}");
        found[0] += wanted.len();
        let in_order = correlated(
            "{type: temporal_ordered, signals: [c, a, b], group-by: [host], timespan: 15s}",
        );
        // An event of the last signal completes the order.
        let wanted = plainly(&requests, 15, |window| {
            let now = window.iter().map(|request| request.0).max();
            let last = |r: &&Request| r.1 == 1 && Some(r.0) == now;
            window.iter().any(|r| last(&r)) && ordered(window, &[2, 0, 1])
        });
        assert_eq!(judged(&in_order, &requests), wanted, "{requests:?}");
        found[1] += wanted.len();
        let events = correlated(
            "{type: event_count, signals: [a, b], group-by: [host], timespan: 20s, \
             condition: {gte: 5}}",
        );
        let few: Vec<Request> = requests.iter().filter(|r| r.1 < 2).copied().collect();
        let wanted = plainly(&few, 20, |window| window.len() >= 5);
        assert_eq!(judged(&events, &requests), wanted, "{requests:?}");
        found[2] += wanted.len();
        let values = correlated(
            "{type: value_count, signals: [a, b, c], group-by: [host], timespan: 20s, \
             condition: {gt: 3, field: client}}",
        );
        let wanted = plainly(&requests, 20, |window| distinct(window, |r| r.3) > 3);
        assert_eq!(judged(&values, &requests), wanted, "{requests:?}");
        found[3] += wanted.len();
    }
    assert!(found.iter().all(|count| *count > 100), "too dull: {found:?}");
}

#[test]
fn what_is_rare_is_judged_by_the_last_timespan_of_a_group() {
    let rare = correlated(
        "{type: value_count, signals: [a], group-by: [host], timespan: 30s, \
         condition: {lte: 2, field: client}}",
    );
    let at = |second, client| (second, 0, 0, client);
    let few = [at(0, 1), at(1, 2), at(2, 3), at(40, 1), at(50, 2)];
    assert_eq!(judged(&rare, &few), BTreeSet::from([("host0".to_owned(), 40)]));
    let many = [at(40, 1), at(50, 2), at(60, 3)];
    assert_eq!(judged(&rare, &many), BTreeSet::new());
}

#[test]
fn memory_stays_bounded_and_says_what_it_lost() {
    let burst = correlated(
        "{type: event_count, signals: [a], group-by: [host], timespan: 1s, condition: {gte: 2}}",
    );
    let engine = Engine::new(std::slice::from_ref(&burst), &Options::default());
    let mut memory = Memory::default();
    let mut found = 0;
    let event = |second: i64| {
        let time = jiff::Timestamp::from_second(second).unwrap();
        json!({"time": time.to_string(), "Computer": "a", "cs-method": "A"})
    };
    // Pairs of events, a minute apart: none is ever out of reach of the other.
    for pair in 0..150_000 {
        for second in [pair * 60, pair * 60 + 1] {
            for matched in engine.judge(&event(second).to_string()).unwrap() {
                found += memory.correlate(&engine, &matched, (0, 1)).len();
            }
        }
    }
    assert!(found > 50_000, "only {found} were judged before the end");
    found += memory.finish(&engine).len();
    assert_eq!((found, memory.shortfall()), (150_000, Shortfall::default()));
    // One from long ago can no longer be placed.
    for matched in engine.judge(&event(0).to_string()).unwrap() {
        memory.correlate(&engine, &matched, (0, 1));
    }
    assert_eq!(memory.shortfall(), Shortfall { lost: 1, ..Shortfall::default() });
}

#[test]
fn the_grandparent_is_found_in_the_process_tree() {
    let rule = rule(
        "title: Tree\nid: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01\nsignals:\n  \
         s: {event: process_creation, grandparents: w3wp.exe}\n",
    );
    let engine = Engine::new(std::slice::from_ref(&rule), &Options::default());
    let found = |events: &[serde_json::Value]| {
        let mut memory = Memory::default();
        let last = events.iter().map(|event| engine.judge_value(event, None, &mut memory));
        last.last().unwrap().unwrap().len()
    };
    let shell = |id: u32, guid: Option<&str>| {
        let mut event = json!({
            "Computer": "Web01", "ProcessId": id, "Image": r"C:\x\cmd.exe",
            "ParentImage": r"C:\inetsrv\w3wp.exe",
        });
        event["ProcessGuid"] = json!(guid);
        event
    };
    let child = |id: u32, guid: Option<&str>, parent: &str| {
        let mut event = json!({
            "Computer": "web01", "ProcessId": 9, "ParentProcessId": id,
            "Image": r"C:\x\whoami.exe", "ParentImage": parent,
        });
        event["ParentProcessGuid"] = json!(guid);
        event
    };
    let cmd = r"C:\X\CMD.exe";
    assert_eq!(found(&[shell(4, None), child(4, None, cmd)]), 1, "by host and id");
    assert_eq!(found(&[shell(4, Some("{A}")), child(7, Some("{a}"), cmd)]), 1, "by GUID");
    assert_eq!(found(&[shell(4, Some("{A}")), child(4, None, cmd)]), 1, "one has no GUID");
    assert_eq!(found(&[shell(4, Some("{A}")), child(4, Some("{B}"), cmd)]), 0, "another GUID");
    assert_eq!(found(&[shell(4, None), child(4, None, r"C:\x\sh.exe")]), 0, "the id came again");
    assert_eq!(found(&[shell(4, None), child(5, None, cmd)]), 0, "another process");
    assert_eq!(found(&[child(4, None, cmd), shell(4, None)]), 0, "seen too late");
    let mut own = child(4, None, cmd);
    own["GrandparentImage"] = json!("w3wp.exe");
    assert_eq!(found(&[own]), 1, "the event says it by itself");
}

#[test]
fn signals_may_call_a_key_by_names_of_their_own() {
    let rule = rule(
        "title: Aliases\nid: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01\nsignals:\n  \
         request: {event: webserver, methods: POST}\n  \
         answer: {event: network_connection, processes: w3wp.exe}\ncorrelations:\n  \
         calls_back:\n    type: temporal\n    signals: [request, answer]\n    group-by: [peer]\n    \
         aliases: {peer: {request: c-ip, answer: DestinationIp}}\n    timespan: 5m\n",
    );
    let engine = Engine::new(std::slice::from_ref(&rule), &Options::default());
    let groups = |address: &str| {
        let mut memory = Memory::default();
        let request = json!({
            "time": "2026-01-01T00:00:00Z", "cs-method": "POST", "c-ip": "9.9.9.9",
        });
        let answer = json!({
            "time": "2026-01-01T00:04:00Z", "Image": "w3wp.exe", "DestinationIp": address,
        });
        for event in [answer, request] {
            for matched in engine.judge(&event.to_string()).unwrap() {
                memory.correlate(&engine, &matched, (0, 1));
            }
        }
        let found = memory.finish(&engine).into_iter();
        found.map(|found| found.together.group).collect::<Vec<_>>()
    };
    assert_eq!(groups("9.9.9.9"), [[("peer".to_owned(), "9.9.9.9".to_owned())]]);
    assert!(groups("9.9.9.10").is_empty());
    let mut found = rulecast::diagnostic::Diagnostics::default();
    let target = rulecast::backend::Target::Sentinel;
    let query = rulecast::backend::emit(target, &rule, "rule", &mut found).unwrap();
    assert!(
        query[0].text.contains("PeerKey = cIP") && query[0].text.contains("PeerKey = RemoteIP")
    );
}

#[test]
fn hostile_events_neither_multiply_nor_stop_the_clock() {
    let many = correlated(
        "{type: event_count, signals: [a], group-by: [host, user_name, page], \
         aliases: {user_name: {a: cs-username}}, timespan: 1h, condition: {gte: 2}}",
    );
    let engine = Engine::new(std::slice::from_ref(&many), &Options::default());
    let list = |prefix: &str| (0..400).map(|n| format!("{prefix}{n}")).collect::<Vec<_>>();
    let event = json!({
        "time": "2026-01-01T00:00:00Z", "cs-method": "A", "Computer": list("h"),
        "cs-username": list("u"), "cs-uri-stem": list("/p"),
    });
    let mut memory = Memory::default();
    for _ in 0..2 {
        for matched in engine.judge(&event.to_string()).unwrap() {
            memory.correlate(&engine, &matched, (0, 1));
        }
    }
    assert_eq!(memory.finish(&engine).len(), 1_000, "the first combinations count");

    // A clock of the year 9999 does not make every other event old.
    let now: jiff::Timestamp = "2026-06-01T00:00:00Z".parse().unwrap();
    let mut memory = Memory::default().until(now);
    for time in ["9999-01-01T00:00:00Z", "2026-01-01T00:00:00Z"] {
        let event = json!({
            "time": time, "cs-method": "A", "Computer": "h", "cs-username": "u", "cs-uri-stem": "/",
        });
        for matched in engine.judge(&event.to_string()).unwrap() {
            memory.correlate(&engine, &matched, (0, 1));
        }
    }
    assert_eq!(memory.shortfall(), Shortfall { untimed: 1, ..Shortfall::default() });
}

#[test]
fn the_time_of_an_event_is_the_best_it_has() {
    let pair = correlated("{type: temporal, signals: [a, b], group-by: [host], timespan: 5s}");
    let engine = Engine::new(std::slice::from_ref(&pair), &Options::default());
    let found = |first: &str, second: &str| {
        let mut memory = Memory::default();
        for (method, time) in [("A", first), ("B", second)] {
            let event = format!(r#"{{"cs-method":"{method}","Computer":"h",{time}}}"#);
            for matched in engine.judge(&event).unwrap() {
                memory.correlate(&engine, &matched, (0, 1));
            }
        }
        memory.finish(&engine).len()
    };
    let day = r#""date":"2026-01-01","time":"00:00:03""#;
    assert_eq!(found(day, r#""time":"2026-01-01 00:00:04""#), 1, "W3C logs have day and time");
    let sysmon = r#""Timestamp":"2020-01-01T00:00:00Z","UtcTime":"2026-01-01 00:00:01""#;
    assert_eq!(found(day, sysmon), 1, "whatever the order of the keys");
    assert_eq!(found(day, r#""UtcTime":"2026-01-01 00:00:01","time":null"#), 1, "null is no time");
}
