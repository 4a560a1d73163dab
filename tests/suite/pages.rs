//! `report -o`: pages that are whole, that agree with the report, and in which nothing of a
//! rule or an event is markup. `.ci/pages.py` looks at them in a browser.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use percent_encoding::percent_decode_str;
use roxmltree::{Document, Node, ParsingOptions};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::hostile::{DOCUMENTS, PAYLOADS};
use crate::support::{folder, root};

/// Texts of pages by their paths
pub(crate) type Pages = BTreeMap<String, String>;

pub(crate) fn run(arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    command.env_remove("GITHUB_ACTIONS").current_dir(root());
    command.args(["--color", "never", "report"]).args(arguments).output().unwrap()
}

fn read(folder: &Path) -> Pages {
    let files = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    let files = files.filter(|entry| entry.file_type().is_file());
    let page = |entry: walkdir::DirEntry| {
        let path = entry.path().strip_prefix(folder).unwrap().to_string_lossy().replace('\\', "/");
        (path, fs::read_to_string(entry.path()).unwrap())
    };
    files.map(page).collect()
}

/// The pages of rules with these options
fn pages(name: &str, arguments: &[&str]) -> Pages {
    let folder = folder(&format!("pages-{name}"));
    let path = folder.to_str().unwrap();
    let made = run(&[arguments, &["-o", path]].concat());
    let said = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(made.status.code() != Some(2) && made.stdout.is_empty(), "{said}");
    read(&folder)
}

/// The pages of this project's rules, with what they find in events and against themselves
fn own() -> &'static Pages {
    static PAGES: OnceLock<Pages> = OnceLock::new();
    let events = ["-e", "tests/events/recorded.jsonl", "--field", "event", "--event-field", "kind"];
    let asked = ["rules", "--against", "rules", "--time-field", "time"];
    PAGES.get_or_init(|| pages("own", &[&asked[..], &events].concat()))
}

fn parsed<'t>(path: &str, text: &'t str) -> Document<'t> {
    let options = ParsingOptions { allow_dtd: true, ..ParsingOptions::default() };
    Document::parse_with_options(text, options).unwrap_or_else(|why| panic!("{path}: {why}"))
}

fn tags<'d>(document: &'d Document<'_>, name: &'static str) -> impl Iterator<Item = Node<'d, 'd>> {
    document.descendants().filter(move |node| node.has_tag_name(name))
}

fn words(node: Node<'_, '_>) -> String {
    node.descendants().filter(Node::is_text).filter_map(|node| node.text()).collect()
}

/// Every element that a page may have
const ELEMENTS: &str = "html head meta title style body a header p b nav ul li main h1 h2 h3 section article small \
    span div table caption thead tbody tr th td svg rect dl dt dd details summary code pre form label input select \
    option button output footer script br ins del";

/// What a page must be, whatever the rules are
pub(crate) fn check(path: &str, text: &str, all: &Pages) {
    let document = parsed(path, text);
    let names: BTreeSet<&str> = ELEMENTS.split_whitespace().collect();
    let mut ids = BTreeSet::new();
    for node in document.descendants().filter(Node::is_element) {
        assert!(names.contains(node.tag_name().name()), "{path}: <{}>", node.tag_name().name());
        for attribute in node.attributes() {
            let name = attribute.name();
            let runs =
                name.starts_with("on") || ["src", "style", "srcset", "action"].contains(&name);
            assert!(!runs, "{path}: {name}={}", attribute.value());
            assert!(
                name != "id" || ids.insert(attribute.value()),
                "{path}: id {}",
                attribute.value()
            );
        }
    }
    assert!(text.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"), "{path}");
    assert_eq!(tags(&document, "h1").count(), 1, "{path}");
    let levels = document.descendants().filter_map(|node| match node.tag_name().name() {
        "h1" => Some(1),
        "h2" => Some(2),
        "h3" => Some(3),
        _ => None,
    });
    levels.fold(0, |last, level| {
        assert!(level <= last + 1, "{path}: a heading of level {level} after one of {last}");
        level
    });
    for table in tags(&document, "table") {
        assert!(table.children().any(|node| node.has_tag_name("caption")), "{path}");
        let heads = table.descendants().filter(|node| node.has_tag_name("th"));
        assert!(
            heads.clone().count() > 0 && heads.clone().all(|th| th.has_attribute("scope")),
            "{path}"
        );
    }
    for field in tags(&document, "input").chain(tags(&document, "select")) {
        assert!(field.ancestors().any(|node| node.has_tag_name("label")), "{path}");
    }
    allowed(path, &document);
    tags(&document, "a")
        .for_each(|link| followed(path, link.attribute("href").unwrap(), &ids, all));
}

/// The policy allows the page's own style and script, and nothing is fetched
fn allowed(path: &str, document: &Document<'_>) {
    let policy = tags(document, "meta").find_map(|meta| {
        let is_policy = meta.attribute("http-equiv") == Some("Content-Security-Policy");
        is_policy.then(|| meta.attribute("content").unwrap())
    });
    let policy = policy.unwrap();
    assert!(policy.starts_with("default-src 'none'; "), "{path}: {policy}");
    let hash = |text: &str| format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)));
    let style = words(tags(document, "style").next().unwrap());
    assert!(policy.contains(&format!("style-src {}", hash(&style))), "{path}: {policy}");
    assert!(!style.contains("url(") && !style.contains("@import"), "{path}");
    let scripts: Vec<Node<'_, '_>> = tags(document, "script").collect();
    assert!(scripts.len() <= 1, "{path}");
    for script in scripts {
        // The browser's script is the text between the tags, with the marks of a CDATA section.
        let text = &document.input_text()[script.range()];
        let text = text.strip_prefix("<script>").unwrap().strip_suffix("</script>").unwrap();
        assert!(policy.contains(&format!("script-src {}", hash(text))), "{path}: {policy}");
    }
}

/// A link leads to the web, to a place of the page, or to another page and a place there
fn followed(path: &str, href: &str, ids: &BTreeSet<&str>, all: &Pages) {
    if href.starts_with("https://") || href.starts_with("http://") {
        return;
    }
    let (file, place) = href.split_once('#').unwrap_or((href, ""));
    let file = percent_decode_str(file).decode_utf8().unwrap();
    let mut parts: Vec<&str> = path.split('/').collect();
    parts.pop();
    for part in file.split('/') {
        match part {
            ".." => assert!(parts.pop().is_some(), "{path}: {href}"),
            part => parts.push(part),
        }
    }
    let target = if file.is_empty() { path.to_owned() } else { parts.join("/") };
    let text = all.get(&target).unwrap_or_else(|| panic!("{path}: no page {target} for {href}"));
    // `#sentinel=refused` asks the script of the page for rows.
    let is_there = match (place, place.contains('=')) {
        ("", _) => true,
        (_, true) => text.contains("<form class=\"find\""),
        (place, false) if target == path => ids.contains(place),
        (place, false) => text.contains(&format!(" id=\"{place}\"")),
    };
    assert!(is_there, "{path}: {href} leads nowhere");
}

#[test]
fn every_page_is_well_formed_and_needs_nothing_else() {
    let pages = own();
    for name in ["index.html", "attack.html", "changes.html", "events.html"] {
        assert!(pages.contains_key(name), "{name}");
    }
    assert_eq!(pages.keys().filter(|path| path.starts_with("rules/webshell/")).count(), 6);
    pages.iter().for_each(|(path, text)| check(path, text, pages));
}

#[test]
fn every_cell_says_what_the_report_says() {
    let report = run(&["rules", "--format", "json"]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    let index = parsed("index.html", &own()["index.html"]);
    let table =
        tags(&index, "table").find(|table| table.attribute("class") == Some("find sort")).unwrap();
    let rows = table.descendants().filter(|node| node.has_attribute("data-id"));
    let mut cells = 0;
    for (row, rule) in rows.clone().zip(report["rules"].as_array().unwrap()) {
        assert_eq!(row.attribute("data-id"), rule["id"].as_str());
        assert!(words(row).starts_with(rule["title"].as_str().unwrap()));
        for (target, cell) in rule["targets"].as_object().unwrap() {
            let shown =
                row.children().find(|node| node.attribute("data-t") == Some(target)).unwrap();
            assert_eq!(shown.attribute("data-o"), cell["outcome"].as_str(), "{rule}");
            for loss in cell["losses"].as_array().unwrap() {
                assert!(words(shown).contains(loss["name"].as_str().unwrap()), "{loss}");
            }
            cells += 1;
        }
    }
    assert_eq!((rows.count(), cells), (6, 27));
}

#[test]
fn a_page_of_a_rule_tells_meaning_artifacts_tests_and_notes() {
    let page = &own()["rules/webshell/web_shell_script_child.html"];
    let text = words(parsed("", page).root());
    let definition =
        fs::read_to_string(root().join("rules/webshell/web_shell_script_child.yml")).unwrap();
    assert!(text.contains(definition.trim_end()));
    let query =
        fs::read_to_string(root().join("snapshots/sentinel/web_shell_script_child.kql.snap"))
            .unwrap();
    let query = query.rsplit("---\n").next().unwrap().trim();
    assert!(text.contains(query), "{query}");
    for said in [
        "What it finds",
        "Requires",
        "False positives",
        "must match",
        ": match",
        "no match",
        "Not verified",
    ] {
        assert!(text.contains(said), "{said}");
    }
    // Nothing was verified, so no page says a verdict.
    assert!(own().values().all(|page| !page.contains("verify: ")));
}

#[test]
fn a_verdict_is_shown_when_it_was_computed() {
    let rule = "rules/webshell/web_shell_script_child.yml";
    let pages = pages("proof", &[rule, "-t", "elastic", "--proof"]);
    assert!(pages["index.html"].contains("verify: <span class=\"m good\">same</span>"));
    let page = pages.iter().find(|(path, _)| path.starts_with("rules/")).unwrap().1;
    assert!(page.contains("Verified: <span class=\"m good\">same</span>"), "{page}");
}

#[test]
fn the_same_rules_make_the_same_pages_and_pages_of_gone_rules_go() {
    let folder = folder("pages-twice");
    let path = folder.to_str().unwrap();
    assert!(run(&["rules", "-o", path]).status.success());
    let first = read(&folder);
    fs::write(folder.join("notes.html"), "<p>mine</p>").unwrap();
    let again = run(&["rules", "-o", path]);
    assert!(String::from_utf8_lossy(&again.stderr).starts_with("0 pages written to "), "{again:?}");
    let mut second = read(&folder);
    assert_eq!(second.remove("notes.html").as_deref(), Some("<p>mine</p>"));
    assert!(first == second);
    let fewer = run(&["rules/webshell/web_requests.yml", "-o", path]);
    assert!(
        String::from_utf8_lossy(&fewer.stderr).contains(" 5 of earlier runs removed"),
        "{fewer:?}"
    );
    assert!(folder.join("notes.html").exists());
}

#[test]
fn hostile_rules_and_events_are_only_text() {
    let folder = folder("pages-hostile");
    let rules = folder.join("a #1 100% 'x' & y");
    fs::create_dir_all(&rules).unwrap();
    let mut number = 0;
    for document in DOCUMENTS {
        for (place, ..) in document.places {
            for payload in PAYLOADS
                .iter()
                .chain(&["</script><script>alert(1)</script>", "javascript:alert(1)"])
            {
                let id = format!("{number:012x}");
                let text = document.with(place, payload).replace("6a7f6f0f4c01", &id);
                fs::write(rules.join(format!("n{number} <&'.yml")), text).unwrap();
                number += 1;
            }
        }
    }
    let events: Vec<String> = PAYLOADS
        .iter()
        .map(|payload| {
            let host = format!("{payload}</script>");
            json!({"CommandLine": "one", "Computer": host, "time": "2026-11-21T10:00:00Z"})
                .to_string()
        })
        .collect();
    fs::write(folder.join("<b>.jsonl"), events.join("\n")).unwrap();
    let (rules, events) = (rules.to_str().unwrap(), folder.join("<b>.jsonl"));
    let events =
        ["-e", events.to_str().unwrap(), "--event", "process_creation", "--time-field", "time"];
    let pages =
        pages("of-hostile", &[&[rules, "-t", "elastic", "-t", "native"][..], &events].concat());
    assert!(pages.len() > 1_000, "{}", pages.len());
    pages.iter().for_each(|(path, text)| check(path, text, &pages));
    let shown = pages["events.html"].contains("&lt;img src=x onerror=y&gt;&lt;/script&gt;");
    assert!(shown, "the hosts are shown");
}

#[test]
fn the_events_are_told_by_host_and_time_and_the_change_by_rule() {
    let before = folder("pages-before");
    let text = |child: &str| {
        format!(
            "title: Shell of a web server\nid: 0d0f2c5e-3f0a-4c57-9d0b-6a7f6f0f4c01\ndate: 2026-11-21\nsignals:\n  \
             shell:\n    event: process_creation\n    parents: [w3wp.exe]\n    children: [{child}]\n"
        )
    };
    let after = before.join("rules");
    fs::create_dir_all(&after).unwrap();
    fs::create_dir_all(before.join("old")).unwrap();
    fs::write(before.join("old/shell.yml"), text("cmd.exe, sh.exe")).unwrap();
    fs::write(after.join("shell.yml"), text("cmd.exe")).unwrap();
    let event = |host: &str, minute: u32, child: &str| {
        json!({"Computer": host, "UtcTime": format!("2026-11-21 10:{minute:02}:00"), "EventID": 1,
            "Channel": "Microsoft-Windows-Sysmon/Operational", "ParentImage": r"C:\w3wp.exe",
            "Image": format!(r"C:\{child}")})
        .to_string()
    };
    let lines = [
        event("web1", 0, "cmd.exe"),
        event("web2", 5, "cmd.exe"),
        event("web1", 9, "cmd.exe"),
        event("web1", 9, "sh.exe"),
    ];
    fs::write(before.join("events.jsonl"), lines.join("\n")).unwrap();
    let path = |name: &str| before.join(name).to_str().unwrap().to_owned();
    let (rules, old, events) = (path("rules"), path("old"), path("events.jsonl"));
    let pages = pages("against", &[&rules, "--against", &old, "-e", &events]);
    let text = words(parsed("events.html", &pages["events.html"]).root());
    assert!(text.contains("3 findings in 4 events of 1 file, on 2 hosts."), "{text}");
    assert!(pages["events.html"].contains(
        "aria-label=\"web1: 2 findings from 2026-11-21 10:00:00 to 2026-11-21 10:09:00\""
    ));
    let text = words(parsed("changes.html", &pages["changes.html"]).root());
    for said in [
        "1 rule changed.",
        "narrows",
        "neither modified nor version did",
        "events.jsonl:4",
        "found no longer",
        "-    children: [cmd.exe, sh.exe]",
    ] {
        assert!(text.contains(said), "{said}: {text}");
    }
}

/// The colours of the style by name, in light and in dark
fn colours() -> [BTreeMap<String, [f64; 3]>; 2] {
    let style = fs::read_to_string(root().join("templates/pages/style.css")).unwrap();
    let (light, dark) = style.split_once("prefers-color-scheme: dark").unwrap();
    [light, dark].map(|part| {
        let part = part.split_once(":root {").unwrap().1.split('}').next().unwrap();
        let colour = |one: &str| {
            let (name, value) = one.split_once(": #")?;
            let part = |at| f64::from(u8::from_str_radix(&value[at..at + 2], 16).unwrap()) / 255.0;
            Some((name.trim().to_owned(), [part(0), part(2), part(4)]))
        };
        part.split(';').filter_map(colour).collect()
    })
}

#[test]
fn every_text_stands_out_from_its_back() {
    let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
    let luminance =
        |c: [f64; 3]| 0.2126 * linear(c[0]) + 0.7152 * linear(c[1]) + 0.0722 * linear(c[2]);
    let mut pairs: Vec<(String, String)> = Vec::new();
    for text in ["text", "muted", "link"] {
        pairs.extend(["back", "surface"].map(|back| (format!("--{text}"), format!("--{back}"))));
    }
    for tone in ["good", "fair", "warn", "bad", "calm"] {
        pairs.push((format!("--{tone}"), format!("--{tone}-back")));
    }
    pairs.extend((1..=4).map(|shade| (format!("--on-s{shade}"), format!("--s{shade}"))));
    for (scheme, colours) in ["light", "dark"].iter().zip(colours()) {
        for (text, back) in &pairs {
            let [one, other] = [&colours[text], &colours[back]].map(|colour| luminance(*colour));
            let contrast = (one.max(other) + 0.05) / (one.min(other) + 0.05);
            assert!(contrast >= 4.5, "{text} on {back}, {scheme}: {contrast:.2}");
        }
    }
}
