//! What is printed reads back as it was: by hand, as people lay it out, and for random trees.

use super::random::Dice;
use super::{Comparison, Condition, Eql, EventQuery, Matching, Value, parse};

fn read(text: &str) -> Eql {
    parse(text).unwrap_or_else(|why| panic!("{why}\n{text}"))
}

/// The text of a condition in a query without a category
fn printed(condition: Condition) -> String {
    Eql::Event(EventQuery { category: None, condition }).to_string()
}

fn is(field: &str, text: &str) -> Condition {
    Condition::Compare(Value::field(field), Comparison::Equal, Value::Text(text.to_owned()))
}

fn noted(text: &str, part: Condition) -> Condition {
    Condition::Noted(text.to_owned(), Box::new(part))
}

#[test]
fn the_goldens_print_as_they_are() {
    for text in [
        r#"sequence by host.id with maxspan=1m
  [web where data_stream.dataset in ("apache.access", "iis.access", "nginx.access") and
     http.request.method : "POST" and
     url.path : ("*.asp", "*.aspx", "*.ashx", "*.jsp", "*.php")]
  [process where event.type == "start" and
     process.parent.name : ("w3wp.exe", "httpd*", "nginx*", "php*", "tomcat*.exe", "apache2") and
     process.name : ("cmd.exe", "powershell.exe", "pwsh.exe", "whoami*", "sh", "bash", "dash")]"#,
        r#"process where host.os.type == "windows" and event.type == "start" and
  process.parent.name : (
    "w3wp.exe",
    "httpd.exe",
    "nginx.exe",
    "php.exe",
    "php-cgi.exe",
    "tomcat*.exe"
  ) and
  process.name : ("cmd.exe", "powershell.exe", "pwsh.exe", "whoami.exe") and
  not process.command_line : ("cmd.exe /c mode CON", "cmd.exe /s /c \"mode CON\"")"#,
    ] {
        assert_eq!(read(text).to_string(), text);
    }
}

#[test]
fn every_form_prints_as_it_is() {
    for text in [
        "any where true",
        r#""odd one" where not (not a == "x") or b == null"#,
        r#"process where process.name : "sh""#,
        r#"process where ?user.name == null and (a : "x" or (b : "y" and not c in ("z", 1)))"#,
        r#"process where a like "x" or b like~ ("x", "y") or c regex """\d""" or d regex~ "[0-9]""#,
        r#"process where a in~ ("x") and `b-c.d` == 1"#,
        "process where process.parent.interactive and length(a) > 6",
        r#"process where startsWith~(a, "x") and not cidrMatch(ip, "10.0.0.0/8", "fe80::/10")"#,
        "process where a + b * 2 >= (a + b) * 2 - (3 - -4) / 1.5",
        "process where (a + 1) in (2, -3, 1e+300, false, null) or 5 != a",
        "sequence\n  [any where true]\n  ![a where b] by c, ?d with runs=3\n  until [any where true] by e",
        "sequence with maxspan=90s\n  [any where true] with runs=100",
    ] {
        // Where lines end is the subject of other tests.
        let one_line = |text: &str| text.replace("\n  ", " ");
        assert_eq!(one_line(&read(text).to_string()), one_line(text));
    }
}

#[test]
fn long_groups_are_indented_in_their_brackets() {
    let pair = |n: u8| Condition::All(vec![is("file.path", &format!("{n}")), is("b", "c")]);
    let any = Condition::Any((0..4).map(pair).collect());
    let all = vec![is("host.os.type", "linux"), Condition::Not(Box::new(any)), is("a", "b")];
    assert_eq!(
        printed(Condition::All(all)),
        r#"any where host.os.type == "linux" and
  not (
    (file.path == "0" and b == "c") or
    (file.path == "1" and b == "c") or
    (file.path == "2" and b == "c") or
    (file.path == "3" and b == "c")
  ) and
  a == "b""#
    );
}

#[test]
fn comments_stand_above_their_parts_and_cannot_be_ended_from_inside() {
    let odd = noted("ends */ here\nor /* not", is("b", "x"));
    let not = Condition::Not(Box::new(noted("inside", is("c", "x"))));
    let either = Condition::Any(vec![noted("first", is("d", "x")), noted("second", is("e", "x"))]);
    let all = Condition::All(vec![is("a", "x"), odd, not, either]);
    let text = printed(all);
    assert_eq!(
        text,
        r#"any where a == "x" and

  /* ends * / here or / * not */
  b == "x" and

  /* inside */
  not c == "x" and
  (
    /* first */
    d == "x" or

    /* second */
    e == "x"
  )"#
    );
    let Eql::Event(EventQuery { condition: Condition::All(parts), .. }) = read(&text) else {
        panic!("{text}")
    };
    assert_eq!(parts.len(), 4);
    assert_eq!(printed(noted("why", is("a", "x"))), "any where\n  /* why */\n  a == \"x\"");
}

#[test]
fn spans_take_their_largest_unit() {
    for (from, to) in [("60s", "1m"), ("90s", "90s"), ("48h", "2d"), ("1500 ms", "1500ms")] {
        let query = read(&format!("sequence with maxspan={from} [any where true]"));
        assert!(query.to_string().starts_with(&format!("sequence with maxspan={to}\n")), "{from}");
    }
}

#[test]
fn odd_groups_have_a_meaning() {
    assert_eq!(printed(Condition::All(Vec::new())), "any where true");
    assert_eq!(printed(Condition::Any(Vec::new())), "any where false");
    assert_eq!(printed(Condition::All(vec![is("a", "x")])), "any where a == \"x\"");
    let none = Condition::Matches(Value::field("a"), Matching::Colon, Vec::new());
    assert_eq!(printed(Condition::Not(Box::new(none))), "any where not false");
}

#[test]
fn random_trees_read_back_as_they_were() {
    let mut dice = Dice(7);
    for _ in 0..4_000 {
        let query = dice.query();
        let text = query.to_string();
        assert_eq!(read(&text), query, "{text}");
        assert!(text.lines().all(|line| !line.ends_with(' ')), "{text}");
    }
}
