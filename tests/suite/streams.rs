//! Events on the way in: from a file, a pipe or standard input, whole, torn or without end, none is
//! lost and none is read twice.

#![cfg(unix)]

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::{TempDir, tempdir};

const RULE: &str = "title: Shell of an IIS worker\nid: 6f3a1d1e-58a7-4a7c-9d0e-0b8f5d3c2a10\n\
                    date: 2026-01-01\nlevel: high\nsignals:\n  s:\n    event: process_creation\n    \
                    parents: [w3wp.exe]\n    children: [cmd.exe]\n";

fn event(number: usize) -> String {
    let pad = "x".repeat(200);
    format!(r#"{{"Image":"C:\\cmd.exe","ParentImage":"C:\\w3wp.exe","n":{number},"pad":"{pad}"}}"#)
        + "\n"
}

fn events(count: usize) -> String {
    (0..count).map(event).collect()
}

fn folder() -> TempDir {
    let folder = tempdir().unwrap();
    fs::write(folder.path().join("rule.yml"), RULE).unwrap();
    folder
}

fn scan(folder: &Path, events: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    command.current_dir(folder).args(["scan", "rule.yml", "-e", events]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
    command
}

/// Runs a command and writes this to its standard input
fn fed(mut command: Command, input: &[u8]) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(move || stdin.write_all(input).unwrap());
        child.wait_with_output().unwrap()
    })
}

/// What was printed, without the name of the file
fn lines(output: &Output, file: &str) -> String {
    String::from_utf8_lossy(&output.stdout).replace(&format!("\"file\":\"{file}\""), "")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn gzipped(text: &str) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(text.as_bytes()).unwrap();
    out.finish().unwrap()
}

fn signal(child: &Child, name: &str) {
    let done = Command::new("kill").args([name, &child.id().to_string()]).status().unwrap();
    assert!(done.success());
}

#[test]
fn every_way_in_gives_the_same() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let text = events(400);
    fs::write(at("file"), &text).unwrap();
    fs::write(at("file.gz"), gzipped(&text)).unwrap();
    let wanted = scan(folder.path(), "file").output().unwrap();
    let wanted = lines(&wanted, "file");
    assert_eq!(wanted.lines().count(), 400);

    assert_eq!(lines(&scan(folder.path(), "file.gz").output().unwrap(), "file.gz"), wanted);
    for way in ["-", "/dev/stdin"] {
        let found = fed(scan(folder.path(), way), text.as_bytes());
        assert_eq!(lines(&found, way), wanted, "{way}");
        let found = fed(scan(folder.path(), way), &gzipped(&text));
        assert_eq!(lines(&found, way), wanted, "gzip by {way}");
    }
    assert!(Command::new("mkfifo").arg(at("fifo")).status().unwrap().success());
    let child = scan(folder.path(), "fifo").spawn().unwrap();
    let mut fifo = File::options().write(true).open(at("fifo")).unwrap();
    // One byte first: what tells gzip from text must wait for the second.
    fifo.write_all(&text.as_bytes()[..1]).unwrap();
    fifo.flush().unwrap();
    fifo.write_all(&text.as_bytes()[1..]).unwrap();
    drop(fifo);
    assert_eq!(lines(&child.wait_with_output().unwrap(), "fifo"), wanted);
}

#[test]
fn verify_reads_a_pipe_whole() {
    let folder = folder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_rulecast"));
    command.current_dir(folder.path()).args(["verify", "rule.yml", "-t", "elastic", "-e"]);
    command.arg("/dev/stdin").stdout(Stdio::piped()).stderr(Stdio::piped());
    let found = fed(command, events(1_000).as_bytes());
    let out = String::from_utf8_lossy(&found.stdout).into_owned();
    // Events near the rule's literals are judged besides.
    let number = |word: &str| {
        let before = out.split(&format!(" {word}")).next().unwrap_or_default();
        before.rsplit(' ').next().and_then(|number| number.parse::<usize>().ok()).unwrap_or(0)
    };
    assert!(number("matched") >= 1_000 && number("events") > number("matched"), "{out}");
}

#[test]
fn a_slow_stream_gives_its_hits_as_its_lines_come() {
    let folder = folder();
    let mut child = scan(folder.path(), "-").stdin(Stdio::piped()).spawn().unwrap();
    let (mut stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut stdout = BufReader::new(stdout);
    for number in 0..3 {
        stdin.write_all(event(number).as_bytes()).unwrap();
        let mut line = String::new();
        // Would wait for ever if the scan waited for more lines.
        stdout.read_line(&mut line).unwrap();
        assert!(line.contains(&format!("\"line\":{}", number + 1)), "{line}");
    }
    drop(stdin);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_signal_ends_a_scan_in_order() {
    for (name, code) in [("-INT", 130), ("-TERM", 143), ("-HUP", 129)] {
        let folder = folder();
        let rule = RULE
            .replace("signals:", "new_terms: {signal: s, fields: [Image], window: 1d}\nsignals:");
        fs::write(folder.path().join("rule.yml"), rule).unwrap();
        let mut command = scan(folder.path(), "-");
        command.args(["--state", "state"]).stdin(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(event(1).as_bytes()).unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.contains("\"new\":true"), "{line}");
        signal(&child, name);
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(said(&output).contains("1 event, 1 rule: 1 match"), "{}", said(&output));
        let state = fs::read_to_string(folder.path().join("state")).unwrap();
        assert!(state.contains(r#""seen":[["#), "{state}");
    }
}

#[test]
fn a_signal_leaves_whole_lines_whole_objects_and_a_page() {
    for (form, shows) in [
        (&["--format", "csv"][..], ",Shell of an IIS worker,"),
        (&["--format", "table"], "  Shell of"),
        (&["--summary", "--format", "json"], "\"hits\": 1,"),
        (&["--html", "page.html"], "\"line\":1"),
    ] {
        let folder = folder();
        let mut command = scan(folder.path(), "-");
        let child = command.args(form).args(["--fail-on-match"]).stdin(Stdio::piped());
        let mut child = child.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        stdin.write_all(event(1).as_bytes()).unwrap();
        stdin.write_all(&event(2).as_bytes()[..40]).unwrap();
        std::thread::sleep(Duration::from_millis(1_500));
        signal(&child, "-INT");
        let output = child.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(130), "{form:?}: {}", said(&output));
        let out = String::from_utf8_lossy(&output.stdout);
        assert!(out.ends_with('\n') && out.contains(shows), "{form:?}: {out}");
        if form[0] == "--summary" {
            assert!(serde_json::from_str::<serde_json::Value>(&out).is_ok(), "{out}");
        }
        if form[0] == "--html" {
            let page = fs::read_to_string(folder.path().join("page.html")).unwrap();
            assert!(page.contains("1 finding in 1 event of 1 file"), "{page}");
            assert!(page.ends_with("</html>\n"), "{page}");
        }
    }
}

#[test]
fn of_a_torn_file_all_that_can_be_read_is_judged() {
    let folder = folder();
    let whole = gzipped(&events(3_000));
    fs::write(folder.path().join("torn.gz"), &whole[..whole.len() - 20]).unwrap();
    fs::write(folder.path().join("next"), events(1)).unwrap();
    let mut command = scan(folder.path(), "torn.gz");
    let output = command.args(["-e", "next"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("cannot read torn.gz:"), "{}", said(&output));
    let found = String::from_utf8_lossy(&output.stdout);
    let torn = found.lines().filter(|line| line.contains("torn.gz")).count();
    assert!((2_900..3_000).contains(&torn), "{torn}");
    assert!(found.lines().any(|line| line.contains("\"file\":\"next\"")));
}

#[test]
fn a_line_above_the_limit_is_told_and_passed_over() {
    let folder = folder();
    let text = format!("{}{{\"pad\":\"{}\"}}\n{}", event(1), "x".repeat(5_000), event(2));
    fs::write(folder.path().join("long"), text).unwrap();
    let output = scan(folder.path(), "long").args(["--max-line", "4K"]).output().unwrap();
    assert_eq!(lines(&output, "long").lines().count(), 2);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("it has more than 4096 bytes"), "{}", said(&output));
    assert!(said(&output).contains("long:2"), "{}", said(&output));
    let output = scan(folder.path(), "long").args(["--max-line", "4X"]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}

/// The most memory that a run of a bomb may take, in KiB; half of what a bomb would take if its
/// lines were kept
const MOST_MEMORY: u64 = 150 << 10;

#[test]
#[cfg(target_os = "linux")]
fn a_bomb_does_not_fill_the_memory() {
    let folder = folder();
    let bombs = [("one_line", "x".repeat(1 << 20), 300), ("many_lines", "x\n".repeat(1 << 19), 6)];
    for (name, piece, times) in bombs {
        let path = folder.path().join(name);
        let mut out = GzEncoder::new(File::create(&path).unwrap(), Compression::fast());
        for _ in 0..times {
            out.write_all(piece.as_bytes()).unwrap();
        }
        out.finish().unwrap();
        let mut child = scan(folder.path(), name).spawn().unwrap();
        let mut most = 0;
        while child.try_wait().unwrap().is_none() {
            let status = fs::read_to_string(format!("/proc/{}/status", child.id()));
            let status = status.unwrap_or_default();
            let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
            let peak = peak.and_then(|peak| peak.trim().trim_end_matches(" kB").parse().ok());
            most = most.max(peak.unwrap_or(0));
            std::thread::sleep(Duration::from_millis(5));
        }
        assert!(most > 0 && most < MOST_MEMORY, "{name}: {most} KiB");
        assert!(said(&child.wait_with_output().unwrap()).contains("this line is no event"));
    }
}
