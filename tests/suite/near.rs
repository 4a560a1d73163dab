//! Events near each literal of a signal, that fulfil what stands around it.
//!
//! In: a signal as meant. Out: for each value of each test, an event in which that test decides, with
//! the value itself and values beside it: letter case flipped, an end cut or grown, a border moved,
//! empty, missing, beyond ASCII. Whether an event matches is for the engine and the target to say.
//!
//! Without chance: the same rule gives the same events.

use rulecast::definition::pattern::{Pattern, Token};
use rulecast::ir::{Expr, Op, Part, Relation, Signal, Test};
use rulecast::taxonomy::{EventKind, Field, FieldType, Product};
use serde_json::{Map, Value, json};

/// What a test is to be given: nothing takes the field away
type Assigned<'t> = (&'t Test, Option<String>);

/// Literals of a test that get every variant; the others get the literal and a few
const THOROUGH: usize = 300;

/// What begins so is the whole value: what stands there already is not kept
const WHOLE: char = '\u{0}';

/// The events of a signal
pub(crate) fn events(signal: &Signal) -> Vec<Value> {
    let whole = signal.expr();
    let cases: Vec<Expr> =
        signal.cases.iter().map(|(_, case)| Expr::All(vec![whole.clone(), case.clone()])).collect();
    let mut events = unsaid(signal, &whole);
    for expr in std::iter::once(&whole).chain(&cases) {
        for test in expr.tests() {
            let mut around = Vec::new();
            fulfil(expr, true, test, &mut around);
            around.retain(|(one, _)| !std::ptr::eq(*one, test));
            for variants in variants(test) {
                for value in variants {
                    let mut event = made(signal);
                    for (one, value) in around.iter().chain([&(test, value)]) {
                        assign(&mut event, one, value.as_deref());
                    }
                    // The key itself, and not a value of it
                    let mut made = event.clone();
                    if made.remove("RegistryValue").is_some() {
                        made.remove("RegistryData");
                        made.insert("Action".to_owned(), json!("created"));
                        events.push(Value::Object(made));
                    }
                    events.push(Value::Object(event));
                }
            }
        }
    }
    events
}

/// What a rule need not say: what happened to a file or a key, and who opened a connection
fn unsaid(signal: &Signal, expr: &Expr) -> Vec<Value> {
    let (field, words): (&str, &[&str]) = match signal.kind {
        EventKind::FileEvent | EventKind::RegistryEvent => {
            ("Action", &["created", "modified", "renamed", "deleted"])
        }
        EventKind::NetworkConnection => ("Initiated", &["true", "false"]),
        EventKind::ProcessCreation
        | EventKind::Webserver
        | EventKind::SecurityAlert
        | EventKind::Log(_) => return Vec::new(),
    };
    let mut events = Vec::new();
    for test in expr.tests() {
        let mut given = Vec::new();
        fulfil(expr, true, test, &mut given);
        for word in words {
            let mut event = made(signal);
            given.iter().for_each(|(one, value)| assign(&mut event, one, value.as_deref()));
            event.insert(field.to_owned(), json!(word));
            events.push(Value::Object(event));
        }
    }
    events
}

fn holds(expr: &Expr, test: &Test) -> bool {
    expr.tests().into_iter().any(|one| std::ptr::eq(one, test))
}

/// Gives tests values so that the expression holds, or does not, as `through` decides
fn fulfil<'t>(expr: &'t Expr, wanted: bool, through: &Test, given: &mut Vec<Assigned<'t>>) {
    let (parts, all) = match expr {
        Expr::Test(test) => {
            if wanted {
                given.push((test, variants(test).into_iter().flatten().next().flatten()));
            }
            return;
        }
        Expr::Not(part) => return fulfil(part, !wanted, through, given),
        Expr::All(parts) => (parts, true),
        Expr::Any(parts) => (parts, false),
    };
    // Every part counts, or one of them is enough.
    let every = all == wanted;
    let way = parts.iter().find(|part| holds(part, through));
    for part in parts {
        match way {
            // The others are to leave the decision to it.
            Some(way) if !std::ptr::eq(way, part) => fulfil(part, all, through, given),
            Some(_) => fulfil(part, wanted, through, given),
            None if every => fulfil(part, wanted, through, given),
            None => {}
        }
    }
    if let (None, false, Some(first)) = (way, every, parts.first()) {
        fulfil(first, wanted, through, given);
    }
}

/// An event that no rule is about
fn made(signal: &Signal) -> Map<String, Value> {
    let linux = signal.product == Some(Product::Linux);
    let path = if linux { "/opt/app/tool" } else { r"C:\Temp\tool.exe" };
    let account = if linux { "worker" } else { r"CONTOSO\worker" };
    let event = match signal.kind {
        EventKind::ProcessCreation => json!({
            "Image": path, "ParentImage": path, "CommandLine": path, "User": account,
        }),
        EventKind::FileEvent => json!({
            "Image": path, "TargetFilename": path, "User": account, "Action": "created",
        }),
        EventKind::NetworkConnection => json!({"Image": path, "User": account}),
        EventKind::RegistryEvent => json!({
            "Image": path, "User": account, "Action": "modified",
            "RegistryKey": r"HKEY_LOCAL_MACHINE\SOFTWARE\Tool", "RegistryValue": "Path",
            "RegistryData": "1",
        }),
        EventKind::Webserver => json!({"cs-uri-stem": "/shop/index.html", "cs-method": "GET"}),
        EventKind::SecurityAlert | EventKind::Log(_) => json!({}),
    };
    let mut fields = event.as_object().cloned().unwrap_or_default();
    fields.insert("Computer".to_owned(), json!("web01"));
    fields
}

/// Puts a value where a test looks, beside what other tests have put there
fn assign(event: &mut Map<String, Value>, test: &Test, value: Option<&str>) {
    let field = test.subject.field;
    if let Op::Same(_, other, _) = &test.op {
        let same = event.get(other.name()).cloned().unwrap_or_else(|| json!("same"));
        event.insert(other.name().to_owned(), same.clone());
        event.insert(field.name().to_owned(), value.map_or(same, |value| json!(value)));
        return;
    }
    // What Sysmon writes as one says it all.
    let apart: &[&str] = match field.name() {
        "TargetObject" => &["RegistryKey", "RegistryValue", "RegistryData"],
        "Details" => &["RegistryData"],
        _ => &[],
    };
    apart.iter().for_each(|name| drop(event.remove(*name)));
    let Some(value) = value else {
        event.remove(field.name());
        return;
    };
    if matches!(test.op, Op::Exists | Op::Null)
        && event.contains_key(field.name())
        && !value.is_empty()
    {
        return;
    }
    let before = event.get(field.name()).and_then(Value::as_str).unwrap_or_default().to_owned();
    event.insert(field.name().to_owned(), json!(composed(field, test, &before, value)));
}

fn composed(field: Field, test: &Test, before: &str, value: &str) -> String {
    let separator = if before.starts_with('/') { '/' } else { '\\' };
    let name_at = before.rfind(['\\', '/']).map_or(0, |at| at + 1);
    let (folder, name) = before.split_at(name_at);
    if let Some(whole) = value.strip_prefix(WHOLE) {
        return whole.to_owned();
    }
    match (test.subject.part, field.kind(), &test.op) {
        (Part::Name, ..) => format!("{folder}{value}"),
        (Part::Extension, ..) => {
            let stem = name.split('.').next().unwrap_or_default();
            format!("{folder}{stem}.{value}")
        }
        (Part::Argument(_), ..) => format!("{before} {value}"),
        (_, _, Op::Segments(_)) if field.kind() == FieldType::Key => {
            let hive = if value.starts_with('/') { r"HKEY_LOCAL_MACHINE\A" } else { "" };
            format!("{hive}{}", value.trim_end_matches('/').replace('/', "\\"))
        }
        (_, _, Op::Segments(_)) => {
            let drive = if separator == '\\' && value.starts_with(['\\', '/']) { "C:" } else { "" };
            format!("{drive}{value}{name}")
        }
        (_, FieldType::Path, Op::Text(Relation::Ends | Relation::Contains, ..)) => {
            let between = if value.starts_with(['\\', '/']) { "" } else { "\\" };
            format!("{before}{between}{value}")
        }
        (_, _, Op::Text(Relation::Starts, ..)) => {
            format!("{value}9{}", before.trim_start_matches("C:"))
        }
        (_, _, Op::Text(Relation::Ends, ..)) => format!("{before}{value}"),
        (_, FieldType::Command | FieldType::Text, Op::Text(Relation::Contains, ..)) => {
            format!("{before} {value} ")
        }
        _ => value.to_owned(),
    }
}

// ------------------------------------------------------------------------------------------ values

const ADDRESSES: [&str; 16] = [
    "8.8.8.8",
    "10.0.0.0",
    "11.0.0.0",
    "172.15.255.255",
    "172.16.0.0",
    "172.32.0.0",
    "192.168.0.1",
    "100.63.255.255",
    "100.64.0.1",
    "127.0.0.1",
    "169.254.1.1",
    "224.0.0.1",
    "2606:4700::1111",
    "::ffff:10.0.0.1",
    "fe80::1",
    "::1",
];

/// For each value of a test, what to try; the value itself first
fn variants(test: &Test) -> Vec<Vec<Option<String>>> {
    let some = |text: &str| Some(text.to_owned());
    match &test.op {
        Op::Text(relation, patterns, _) => {
            let texts = patterns.iter().enumerate();
            let near = texts.map(|(at, pattern)| near_text(pattern, *relation, at < THOROUGH));
            near.map(|near| with_places(near, test.subject.part)).collect()
        }
        Op::Segments(patterns) => {
            let texts = patterns.iter().enumerate();
            let runs = texts.flat_map(|(at, run)| {
                test.subject.part.spellings(run).into_iter().map(move |run| (at, run))
            });
            runs.map(|(at, run)| near_text(&run, Relation::Contains, at < THOROUGH)).collect()
        }
        Op::Networks(networks) => networks
            .iter()
            .map(|network| {
                let (first, last) =
                    (network.network().to_string(), network.broadcast().to_string());
                let beside = match network {
                    ipnet::IpNet::V4(network) => {
                        let beside = u32::from(network.broadcast()).wrapping_add(1);
                        std::net::Ipv4Addr::from(beside).to_string()
                    }
                    ipnet::IpNet::V6(network) => {
                        let beside = u128::from(network.broadcast()).wrapping_add(1);
                        std::net::Ipv6Addr::from(beside).to_string()
                    }
                };
                [first, last, beside].map(Some).into_iter().chain([None]).collect()
            })
            .collect(),
        Op::Public => vec![ADDRESSES.iter().map(|address| some(address)).chain([None]).collect()],
        Op::Numbers(ranges) => ranges
            .iter()
            .map(|range| {
                let (from, to) = (range.from.max(0), range.to.min(i64::from(u32::MAX)));
                let beside = [from, to, from.saturating_sub(1), to.saturating_add(1)];
                beside.map(|number| Some(number.to_string())).into_iter().chain([None]).collect()
            })
            .collect(),
        Op::Exists => vec![vec![some(present(test.subject.field)), None, some("")]],
        Op::Null => vec![vec![None, some(present(test.subject.field)), some("")]],
        Op::Same(..) => vec![vec![None, some("other")]],
        // What fits an expression is in the samples of the rules.
        Op::Regex(_) => Vec::new(),
    }
}

/// Names and extensions alone, and in folders of either kind
fn with_places(mut near: Vec<Option<String>>, part: Part) -> Vec<Option<String>> {
    let folders: &[&str] = match part {
        Part::Name => &["", "x/y/", "x\\y\\", "/"],
        Part::Extension => &["x.", "x/y.z.", "x\\y.", "x.y/z.", "x.y\\"],
        Part::Whole | Part::Argument(_) | Part::Key | Part::Time(_) => &[],
    };
    let texts: Vec<String> = near.iter().take(2).flatten().cloned().collect();
    for (folder, text) in folders.iter().flat_map(|f| texts.iter().map(move |text| (f, text))) {
        near.push(Some(format!("{WHOLE}{folder}{text}")));
    }
    near
}

/// Some value of a field
fn present(field: Field) -> &'static str {
    match field.kind() {
        FieldType::Number => "4444",
        FieldType::Address => "8.8.8.8",
        FieldType::Path => r"C:\Temp\there.exe",
        FieldType::Account => r"CONTOSO\there",
        FieldType::Action => "created",
        FieldType::Key => r"HKEY_LOCAL_MACHINE\SOFTWARE\There",
        FieldType::Text | FieldType::Command | FieldType::Any => "there",
    }
}

fn near_text(pattern: &Pattern, relation: Relation, thorough: bool) -> Vec<Option<String>> {
    let filled = |any: &str, one: &str| -> String {
        let tokens = pattern.tokens().iter();
        tokens
            .map(|token| match token {
                Token::Literal(text) => text.clone(),
                Token::Any => any.to_owned(),
                Token::One => one.to_owned(),
            })
            .collect()
    };
    let text = filled("x9", "8");
    let flipped: String =
        text.chars()
            .map(|c| {
                if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() }
            })
            .collect();
    let mut near = vec![text.clone(), flipped];
    if pattern.as_literal().is_none() {
        near.extend([filled("", "8"), filled("x9", ""), filled("x9", "88"), filled("a/b\\c", "/")]);
    }
    if thorough {
        let mut shorter = text.chars();
        shorter.next();
        let tail = shorter.as_str().to_owned();
        let mut shorter = text.chars();
        shorter.next_back();
        let head = shorter.as_str().to_owned();
        near.extend([format!("{text}x"), format!("x{text}"), format!("x{text}x"), head, tail]);
        near.extend([format!("{text} x"), format!("x {text}"), format!("x-{text}")]);
        near.extend([format!("é{text}"), format!("{text} "), text.replace(['\\', '/'], "")]);
        if relation == Relation::Equals {
            near.extend([String::new(), "-".to_owned(), text.replace('.', "9")]);
        }
    }
    let mut seen = std::collections::BTreeSet::new();
    near.retain(|text| seen.insert(text.clone()));
    near.into_iter().map(Some).chain(thorough.then_some(None)).collect()
}
