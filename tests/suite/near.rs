//! Events near each literal of a signal, that fulfil what stands around it.
//!
//! In: a signal as meant. Out: for each value of each test, an event in which that test decides, with
//! the value itself and values beside it: letter case flipped, an end cut or grown, a border moved,
//! empty, missing, beyond ASCII. Whether an event matches is for the engine and the target to say.
//!
//! Without chance: the same rule gives the same events.

use std::collections::BTreeSet;

use rulecast::ir::{Expr, Op, Part, Relation, Signal, Test};
use rulecast::taxonomy::{EventKind, Field, FieldType, Product};
use serde_json::{Map, Value, json};

use crate::values::{WHOLE, variants};

/// What a test is to be given: nothing takes the field away
type Assigned<'t> = (&'t Test, Option<String>);

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
            let first = events.len();
            for variants in variants(test) {
                for value in variants {
                    let mut event = made(signal);
                    let mut given: Vec<&Assigned<'_>> = around.iter().collect();
                    let this = (test, value);
                    given.push(&this);
                    given.sort_by_key(|(one, _)| {
                        let this = std::ptr::eq(*one, test) && is_whole(one);
                        (this, at_the_end(one), !is_whole(one))
                    });
                    for (one, value) in given {
                        assign(&mut event, one, value.as_deref());
                    }
                    settle(&mut event);
                    // The key itself, and not a value of it
                    for word in ["created", "renamed"] {
                        let mut made = event.clone();
                        if made.remove("RegistryValue").is_some() {
                            made.remove("RegistryData");
                            made.insert("Action".to_owned(), json!(word));
                            events.push(Value::Object(made));
                        }
                    }
                    events.push(Value::Object(event));
                }
            }
            // The same on another host
            if let Some(mut elsewhere) = events.get(first).cloned() {
                elsewhere["Computer"] = json!("web02");
                events.push(elsewhere);
            }
        }
    }
    let mut seen = BTreeSet::new();
    events.retain(|event| seen.insert(event.to_string()));
    events
}

/// Whether a test is about the end of a value: what others put there stands before
fn at_the_end(test: &Test) -> bool {
    let part = matches!(test.subject.part, Part::Name | Part::Extension);
    part || matches!(test.op, Op::Text(Relation::Ends, ..))
}

/// Whether a test is about a whole value: nothing that others put there stays
fn is_whole(test: &Test) -> bool {
    test.subject.part == Part::Whole && matches!(test.op, Op::Text(Relation::Equals, ..))
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
            let first = || variants(test).into_iter().flatten().next().flatten();
            match (wanted, &test.op) {
                (true, _) => given.push((test, first())),
                // An event has most fields, and not what is in none.
                (false, Op::Exists) => given.push((test, None)),
                (false, _) => {}
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
    let path = if linux { "/opt/app/tool" } else { r"C:\Lab\tool.exe" };
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

/// Makes programs those of the operating system that the path of a file shows
fn settle(event: &mut Map<String, Value>) {
    let text = |name: &str| event.get(name).and_then(Value::as_str);
    if text("TargetFilename").is_some_and(|path| path.starts_with('/'))
        && let Some(name) = text("Image").and_then(|path| path.strip_prefix(r"C:\Lab\"))
    {
        let image = format!("/opt/app/{name}");
        event.insert("Image".to_owned(), json!(image));
    }
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
        (Part::Argument(_), ..) if value.is_empty() => format!("{before} \"\""),
        (Part::Argument(_), ..) => format!("{before} {}", value.replace('"', "\\\"")),
        (_, _, Op::Segments(_)) if field.kind() == FieldType::Key => {
            let hive = if value.starts_with('\\') { r"HKEY_LOCAL_MACHINE\A" } else { "" };
            format!("{hive}{}", value.trim_end_matches('\\'))
        }
        (_, _, Op::Segments(_)) => {
            let value = if before.starts_with("/opt/") {
                value.replace('\\', "/")
            } else {
                value.to_owned()
            };
            // Below what another test asks for.
            let above = match folder {
                _ if !value.starts_with(['\\', '/']) => "",
                r"C:\Lab\" | "/opt/app/" if separator == '\\' => "C:",
                r"C:\Lab\" | "/opt/app/" => "",
                _ => folder.strip_suffix(&value[..1]).unwrap_or(folder),
            };
            format!("{above}{value}{name}")
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
