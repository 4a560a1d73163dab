//! The language server over the pipes of a child process, driven as an editor drives it.

use std::io::BufReader;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use lsp_server::{Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};

use crate::support::{folder, root};

/// An editor with one server
struct Editor {
    child: Child,
    input: Option<ChildStdin>,
    output: BufReader<ChildStdout>,
    requests: i32,
    version: i32,
    /// Notifications that came before an answer
    said: Vec<Notification>,
}

impl Editor {
    fn start(root: Option<&Path>) -> Editor {
        let mut child = Command::new(env!("CARGO_BIN_EXE_rulecast"))
            .args(["lsp", "--stdio"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let input = child.stdin.take();
        let output = BufReader::new(child.stdout.take().unwrap());
        let mut editor = Editor { child, input, output, requests: 0, version: 0, said: Vec::new() };
        let root = root.map(|root| format!("file://{}", root.display()));
        let about = editor.ask("initialize", json!({ "capabilities": {}, "rootUri": root }));
        assert_eq!(about["serverInfo"]["name"], "rulecast");
        editor.tell("initialized", json!({}));
        editor
    }

    fn send(&mut self, message: Message) {
        message.write(self.input.as_mut().unwrap()).unwrap();
    }

    fn receive(&mut self) -> Message {
        Message::read(&mut self.output).unwrap().expect("the server goes on")
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.send(Notification { method: method.to_owned(), params }.into());
    }

    fn response(&mut self, method: &str, params: Value) -> Response {
        self.requests += 1;
        let id = RequestId::from(self.requests);
        self.send(Request { id: id.clone(), method: method.to_owned(), params }.into());
        loop {
            match self.receive() {
                Message::Response(response) if response.id == id => return response,
                Message::Notification(notification) => self.said.push(notification),
                other @ (Message::Request(_) | Message::Response(_)) => panic!("{other:?}"),
            }
        }
    }

    fn ask(&mut self, method: &str, params: Value) -> Value {
        let response = self.response(method, params);
        serde_json::to_value(response).unwrap()["result"].take()
    }

    fn open(&mut self, uri: &str, text: &str) -> Vec<Value> {
        self.version += 1;
        let document =
            json!({ "uri": uri, "languageId": "yaml", "version": self.version, "text": text });
        self.tell("textDocument/didOpen", json!({ "textDocument": document }));
        self.diagnostics(uri)
    }

    /// Replaces a range, or with `null` the whole text
    fn change(&mut self, uri: &str, range: Value, text: &str) {
        self.version += 1;
        let change = if range.is_null() {
            json!({ "text": text })
        } else {
            json!({ "range": range, "text": text })
        };
        let document = json!({ "uri": uri, "version": self.version });
        let params = json!({ "textDocument": document, "contentChanges": [change] });
        self.tell("textDocument/didChange", params);
    }

    /// The findings about the last version of a document
    fn diagnostics(&mut self, uri: &str) -> Vec<Value> {
        loop {
            let next = match self.said.pop() {
                Some(notification) => Message::Notification(notification),
                None => self.receive(),
            };
            let Message::Notification(Notification { params, .. }) = next else {
                panic!("{next:?}");
            };
            if params["uri"] == uri && params["version"] == self.version {
                return params["diagnostics"].as_array().unwrap().clone();
            }
        }
    }

    fn at(&mut self, method: &str, uri: &str, line: u32, character: u32) -> Value {
        let position = json!({ "line": line, "character": character });
        self.ask(method, json!({ "textDocument": { "uri": uri }, "position": position }))
    }

    fn end(mut self) {
        assert_eq!(self.ask("shutdown", Value::Null), Value::Null);
        self.tell("exit", Value::Null);
        drop(self.input.take());
        assert!(self.child.wait().unwrap().success());
    }
}

fn codes(found: &[Value]) -> Vec<&str> {
    found.iter().map(|one| one["code"].as_str().unwrap()).collect()
}

fn labels(items: &Value) -> Vec<&str> {
    items.as_array().unwrap().iter().map(|item| item["label"].as_str().unwrap()).collect()
}

const URI: &str = "untitled:rule.yml";

/// An emoji in front of what is asked about: columns are units of UTF-16
const RULE: &str = "title: Shell of a web server 😀
id: 6f3a1d1e-58a7-4a7c-9d0e-0b8f5d3c2a10
date: 2026-11-21
attack: [T1505.003]
lists: {sérvers: [w3wp.exe], servers: [w3wp.exe, httpd.exe]}
signals:
  shell_spawn:
    event: process_creation
    parents: [\"😀\", $servers]
    CommandLine|contain: whoami
new_terms: {signal: shell_spawn, fields: [host, command_line], window: 7d}
";

#[test]
fn a_session_finds_fixes_and_explains() {
    let mut editor = Editor::start(None);
    let found = editor.open(URI, RULE);
    assert_eq!(codes(&found), ["E0115", "W0214", "E0202"]);
    let wrong =
        json!({ "start": { "line": 9, "character": 16 }, "end": { "line": 9, "character": 23 } });
    assert_eq!(found[2]["range"], wrong);
    let params = json!({
        "textDocument": { "uri": URI }, "range": wrong, "context": { "diagnostics": [] },
    });
    let actions = editor.ask("textDocument/codeAction", params);
    assert_eq!(actions[0]["edit"]["changes"][URI][0]["newText"], "contains");
    assert_eq!(actions[0]["title"], "change it to `contains`");

    editor.change(URI, wrong, "contains");
    let good =
        json!({ "start": { "line": 4, "character": 8 }, "end": { "line": 4, "character": 29 } });
    editor.change(URI, good, "");
    assert_eq!(codes(&editor.diagnostics(URI)), [""; 0]);

    let hover = editor.at("textDocument/hover", URI, 8, 5);
    let text = hover["contents"]["value"].as_str().unwrap();
    assert!(text.contains("InitiatingProcess") && text.contains("process.parent"), "{text}");
    let hover = editor.at("textDocument/hover", URI, 3, 10);
    assert!(hover["contents"]["value"].as_str().unwrap().contains("Web Shell"), "{hover}");
    let hover = editor.at("textDocument/hover", URI, 9, 17);
    assert!(hover["contents"]["value"].as_str().unwrap().contains("anywhere"), "{hover}");

    let definition = editor.at("textDocument/definition", URI, 8, 22);
    assert_eq!(definition[0]["range"]["start"], json!({ "line": 4, "character": 8 }));
    let params = json!({
        "textDocument": { "uri": URI }, "position": { "line": 10, "character": 21 }, "newName": "shell",
    });
    let edits = editor.ask("textDocument/rename", params)["changes"][URI].clone();
    let lines: Vec<u64> = edits
        .as_array()
        .unwrap()
        .iter()
        .map(|edit| edit["range"]["start"]["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [6, 10]);
    let params = json!({
        "textDocument": { "uri": URI }, "position": { "line": 10, "character": 21 }, "newName": "Not Good",
    });
    assert!(editor.response("textDocument/rename", params).response_result.is_err());
    editor.end();
}

#[test]
fn what_may_stand_at_a_place_is_offered() {
    let mut editor = Editor::start(None);
    let text = "title: a\nattack: [\nsignals:\n  one:\n    event: \n  two:\n    event: process_creation\n    \n    Image|\n    parents: $\nlists:\n  shells: [a]\n\n";
    editor.open(URI, text);
    let offered = editor.at("textDocument/completion", URI, 12, 0);
    assert!(labels(&offered).contains(&"tests") && !labels(&offered).contains(&"signals"));
    let offered = editor.at("textDocument/completion", URI, 1, 9);
    assert!(labels(&offered).contains(&"T1505.003"), "{offered}");
    let offered = editor.at("textDocument/completion", URI, 4, 11);
    assert!(labels(&offered).contains(&"windows/security"), "{offered}");
    let offered = editor.at("textDocument/completion", URI, 7, 4);
    let known = labels(&offered);
    for word in ["parents", "CommandLine", "exclusions"] {
        assert!(known.contains(&word), "{word} in {known:?}");
    }
    assert!(!known.contains(&"extensions"), "no word of files: {known:?}");
    let offered = editor.at("textDocument/completion", URI, 8, 10);
    assert!(labels(&offered).contains(&"endswith"), "{offered}");
    let offered = editor.at("textDocument/completion", URI, 9, 14);
    assert_eq!(labels(&offered), ["$shells"]);
    editor.end();
}

#[test]
fn symbols_folds_and_a_preview_are_answered() {
    let mut editor = Editor::start(None);
    let path = root().join("rules/webshell/web_shell_activity.yml");
    let text = std::fs::read_to_string(&path).unwrap();
    editor.open(URI, &text);
    let document = json!({ "textDocument": { "uri": URI } });
    let symbols = editor.ask("textDocument/documentSymbol", document.clone());
    let parts = symbols[0]["children"].as_array().unwrap();
    assert!(parts.iter().any(|part| part["name"] == "shell_spawn"), "{symbols}");
    let folds = editor.ask("textDocument/foldingRange", document);
    assert!(folds.as_array().unwrap().len() > 3, "{folds}");
    let command = |target| json!({ "command": "rulecast.preview", "arguments": [URI, target] });
    let shown = editor.ask("workspace/executeCommand", command("sentinel"));
    let queries = shown["outputs"].as_array().unwrap();
    assert!(
        queries.iter().any(|one| one["text"].as_str().unwrap().contains("DeviceProcessEvents"))
    );
    let refused = editor.response("workspace/executeCommand", command("sentinell"));
    assert!(refused.response_result.unwrap_err().message.contains("did you mean `sentinel`?"));
    assert!(editor.response("textDocument/unknown", Value::Null).response_result.is_err());
    editor.end();
}

#[test]
fn rules_of_other_files_are_known() {
    let folder = folder("lsp");
    std::fs::create_dir_all(folder.join("rules")).unwrap();
    let rule = "title: One rule of two\nid: 6f3a1d1e-58a7-4a7c-9d0e-0b8f5d3c2a12\nname: one_rule\nlogsource: {category: process_creation}\ndetection: {sel: {Image: a.exe}, condition: sel}\n";
    let path = folder.join("rules/proc_creation_one_rule.yml");
    std::fs::write(&path, rule).unwrap();
    let together = "title: Many of it\nid: 6f3a1d1e-58a7-4a7c-9d0e-0b8f5d3c2a13\ncorrelation:\n  type: event_count\n  rules: [one_rule]\n  group-by: [Computer]\n  timespan: 1h\n  condition: {gte: 10}\n";
    let other = folder.join("rules/many_of_one_rule.yml");
    std::fs::write(&other, together).unwrap();
    let mut editor = Editor::start(Some(&folder));
    let uri = format!("file://{}", other.display());
    let found = editor.open(&uri, together);
    assert!(!codes(&found).contains(&"E0407"), "{found:#?}");
    let place = editor.at("textDocument/definition", &uri, 4, 12);
    assert!(place[0]["uri"].as_str().unwrap().ends_with("proc_creation_one_rule.yml"), "{place}");
    assert_eq!(place[0]["range"]["start"]["line"], 2);
    // A change of the other file, still unsaved, is seen by the next check.
    let theirs = format!("file://{}", path.display());
    editor.open(&theirs, &rule.replace("one_rule", "first_rule"));
    editor.change(&uri, Value::Null, together);
    let found = editor.diagnostics(&uri);
    assert!(codes(&found).contains(&"E0407"), "{found:#?}");
    // Closed, it is as on disk again.
    editor.tell("textDocument/didClose", json!({ "textDocument": { "uri": theirs } }));
    editor.change(&uri, Value::Null, together);
    let found = editor.diagnostics(&uri);
    assert!(!codes(&found).contains(&"E0407"), "{found:#?}");
    editor.end();
    std::fs::remove_dir_all(folder).unwrap();
}

/// Numbers that are the same on every run
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % most.max(1)
    }
}

/// The place of an offset, counted apart from the server
fn place(text: &str, offset: usize) -> Value {
    let before = &text[..offset];
    let line = before.matches('\n').count();
    let start = before.rfind('\n').map_or(0, |at| at + 1);
    json!({ "line": line, "character": before[start..].encode_utf16().count() })
}

#[test]
fn thousands_of_edits_end_in_what_a_fresh_check_says() {
    let mut editor = Editor::start(None);
    let mut text = RULE.to_owned();
    editor.open(URI, &text);
    let words = [
        "\n",
        "  ",
        "- ",
        "a: ",
        "😀",
        "ä",
        "{",
        "]",
        "'",
        "|contains",
        "$servers",
        "---\n",
        "#",
        "\t",
        "* &x",
    ];
    let mut dice = Dice(7);
    for edit in 0..4_000 {
        let cut = |at: usize| (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap();
        let from = cut(dice.below(text.len() + 1));
        let to = cut((from + dice.below(6)).min(text.len())).max(from);
        let word = words[dice.below(words.len())];
        let range = json!({ "start": place(&text, from), "end": place(&text, to) });
        let mut next = text.clone();
        next.replace_range(from..to, word);
        // `\r` alone would be a line of its own to the editor; none is written.
        editor.change(URI, range, word);
        text = next;
        if edit % 200 == 199 {
            let ours = editor.diagnostics(URI);
            editor.tell("textDocument/didClose", json!({ "textDocument": { "uri": URI } }));
            let fresh = editor.open(URI, &text);
            assert_eq!(ours, fresh, "after {edit} edits:\n{text}");
            for method in
                ["textDocument/hover", "textDocument/completion", "textDocument/definition"]
            {
                let at = place(&text, cut_at(&text, dice.below(text.len())));
                let params = json!({ "textDocument": { "uri": URI }, "position": at });
                assert!(editor.response(method, params).response_result.is_ok());
            }
            if dice.below(4) == 0 || text.len() > 20_000 {
                text = RULE.to_owned();
                editor.change(URI, Value::Null, &text);
            }
        }
    }
    editor.end();
}

fn cut_at(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap()
}
