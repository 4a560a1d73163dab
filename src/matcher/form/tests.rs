//! One text of each form.

use serde_json::{Value, json};

use super::documents::Cut;
use super::*;

fn form(text: &str) -> Form {
    Form::of(text.as_bytes(), true, None).unwrap()
}

fn objects(text: &str) -> Vec<String> {
    let mut cut = Documents::default();
    let mut cuts = Vec::new();
    for byte in text.bytes() {
        cuts.extend(cut.take(byte, 100));
    }
    cuts.extend(cut.finish());
    let text = |cut| match cut {
        Cut::Record(bytes) => String::from_utf8(bytes).unwrap(),
        Cut::TooLong => "TOO LONG".to_owned(),
    };
    cuts.into_iter().map(text).collect()
}

fn converted(form: &Form, record: &str) -> Value {
    serde_json::from_str(&form.convert(record).unwrap().unwrap().json).unwrap()
}

#[test]
fn the_form_shows_at_the_beginning() {
    assert_eq!(form("{\"a\":1}\n{\"a\":2}\n"), Form::Lines);
    assert_eq!(form("\n  [{\"a\":1}]"), Form::Documents);
    assert_eq!(form("{\n  \"a\": 1\n}\n"), Form::Documents);
    assert_eq!(form("{\"Records\":[{\"a\":1}]}"), Form::Documents);
    assert_eq!(form("{\"a\": torn\n{\"a\":1}\n"), Form::Lines);
    assert_eq!(form("#Software: x\n"), Form::W3c(None));
    assert_eq!(
        form("1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 1"),
        Form::Access
    );
    assert_eq!(form("a,b\n1,2\n"), Form::Table(b',', None));
    assert_eq!(form("a\tb c\td\n1\t2\t3\n"), Form::Table(b'\t', None));
    assert_eq!(form("not json, really\n{\"a\":1}\n"), Form::Lines);
    assert_eq!(form("x\nx\n"), Form::Lines);
    assert_eq!(Form::of(b"{\"a\":", false, None), None, "the line has not arrived");
}

#[test]
fn csv_that_the_user_names_has_the_separator_of_its_header() {
    let csv = |text: &str, is_all| Form::of(text.as_bytes(), is_all, Some(TextForm::Csv));
    assert_eq!(csv("Image;CommandLine\na;b,c,d\n", false), Some(Form::Table(b';', None)));
    assert_eq!(csv("Image,CommandLine", true), Some(Form::Table(b',', None)));
    assert_eq!(csv("Image", true), Some(Form::Table(b',', None)));
    assert_eq!(csv("Image;Comm", false), None, "the header has not arrived");
}

#[test]
fn objects_are_found_wherever_they_stand() {
    let (a, b) = (r#"{"a":"}{\"["}"#, r#"{"b":[{"c":{}}]}"#);
    for text in [
        format!("{a}{b}"),
        format!("[{a},\n{b}]\n"),
        format!("[{a}]\n[{b}]\n"),
        format!("{{\"Records\" : [ {a} , {b} ], \"next\": \"]}}\", \"x\": {{}} }}"),
        format!("{{\"records\":[{a}]}}\n{{\"records\":[{b}]}}"),
        format!("{{\"took\":1,\"_shards\":{{}},\"hits\":{{\"max\":1,\"hits\":[{a},{b}]}}}}"),
        format!("{{\"Schema\":[{{\"x\":1}}],\"Results\":[{a},{b}]}}"),
        format!("{{\"@odata.context\":\"x\",\"value\":[{a},{b}]}}"),
    ] {
        assert_eq!(objects(&text), [a, b], "{text}");
    }
    // A list that is no list of events.
    let event = r#"{"id":1,"events":[{"x":1}]}"#;
    assert_eq!(objects(event), [event]);
}

#[test]
fn a_broken_object_does_not_take_the_next_one_with_it() {
    assert_eq!(objects("{\"a\": \"x\n{\"b\":1}\n"), ["{\"a\": \"x\n", "{\"b\":1}"]);
    assert_eq!(objects("junk\n{\"b\":1}"), ["junk", "{\"b\":1}"]);
    assert_eq!(
        objects(&format!("{{\"a\":\"{}\"}}{{\"b\":1}}", "x".repeat(200))),
        ["TOO LONG", "{\"b\":1}"]
    );
    assert_eq!(objects("{\"a\":1"), ["{\"a\":1"]);
    for torn in
        ["[{\"b\":1},", "[[{\"b\":1}]", "{\"Records\":[{\"b\":1}", "{\"Records\":[{\"b\":1}]"]
    {
        assert_eq!(objects(torn), ["{\"b\":1}", "["], "{torn}");
    }
    let nested = "[{\"Records\":[{\"b\":1}]},{\"Records\":[{\"b\":2}],\"x\":1}]";
    assert_eq!(objects(nested), ["{\"b\":1}", "{\"b\":2}"]);
}

#[test]
fn a_row_is_an_object_of_its_columns() {
    let names: Arc<[String]> = table::header(b"a,\"b c\",d\r", b',').into();
    let form = Form::Table(b',', Some(names));
    let row = converted(&form, "1,\"x, \"\"y\"\"\nz\",");
    assert_eq!(row, json!({"a": "1", "b c": "x, \"y\"\nz"}));
    let why = form.convert("1,2").err().unwrap();
    assert_eq!(why, "it has 2 values for 3 columns");
}

#[test]
fn requests_get_sigmas_names() {
    let fields = directive(b"#Software: Microsoft Internet Information Services 10.0", None);
    let fields = directive(
        b"#Fields: date time cs-method cs-uri-stem cs-uri-query cs(User-Agent) sc-status\r",
        fields.as_deref(),
    );
    let form = Form::W3c(fields);
    let line = "2026-01-01 00:00:01 GET /a.aspx x=1+2 curl/8+(x) 200";
    let request = form.convert(line).unwrap().unwrap();
    assert_eq!(
        request.kinds.iter().map(EventKind::name).collect::<Vec<_>>(),
        ["webserver", "windows/iis"]
    );
    let wanted = json!({
        "date": "2026-01-01", "time": "00:00:01", "cs-method": "GET", "cs-uri-stem": "/a.aspx",
        "cs-uri-query": "x=1+2", "cs-user-agent": "curl/8 (x)", "sc-status": "200", "cs-uri": "/a.aspx?x=1+2",
    });
    assert_eq!(serde_json::from_str::<Value>(&request.json).unwrap(), wanted);
    assert!(form.convert("too few").is_err());

    let line =
        r#"10.0.0.1 - bob [10/Oct/2026:13:55:36 -0700] "GET /a?b=\"c HTTP/1.0" 404 - "-" "x \x16""#;
    let wanted = json!({
        "c-ip": "10.0.0.1", "cs-username": "bob", "date-time": "2026-10-10T20:55:36Z", "cs-method": "GET",
        "cs-uri": "/a?b=\"c", "cs-uri-stem": "/a", "cs-uri-query": "b=\"c", "cs-version": "HTTP/1.0",
        "sc-status": "404", "cs-user-agent": "x \\x16",
    });
    assert_eq!(converted(&Form::Access, line), wanted);
    assert!(Form::Access.convert("no request").is_err());
}
