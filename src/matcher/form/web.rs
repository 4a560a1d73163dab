//! The logs of web servers: W3C extended log format, and combined or common access logs.
//!
//! In: a line. Out: the request as an object in the names of Sigma's category `webserver`. A dash is no
//! value. IIS writes a blank in the name of a client as a plus sign.
//! Sources: W3C working draft WD-logfile-960323, Apache's `mod_log_config`, nginx' `log_format`.

use std::sync::Arc;

use jiff::fmt::strtime;

use super::table;
use super::{Converted, object};
use crate::taxonomy::EventKind;

/// What the directives of a log say
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::matcher) struct Fields {
    names: Vec<String>,
    software: String,
    /// Values are separated by commas, as Exchange writes them
    by_comma: bool,
}

/// Sigma's names for headers of requests
const HEADERS: &[(&str, &str)] = &[
    ("cs(User-Agent)", "cs-user-agent"),
    ("cs(Referer)", "cs-referer"),
    ("cs(Cookie)", "cs-cookie"),
    ("cs(Host)", "cs-host"),
];

/// Whether a line is a directive of W3C's
pub(super) fn is_directive(line: &[u8]) -> bool {
    ["#Software:", "#Version:", "#Fields:", "#Date:"]
        .iter()
        .any(|word| line.starts_with(word.as_bytes()))
}

/// What a directive adds to those before; `None` for a line that says nothing about fields
pub(super) fn read_directive(line: &[u8], before: Option<&Fields>) -> Option<Arc<Fields>> {
    let line = String::from_utf8_lossy(line);
    let mut fields = before.cloned().unwrap_or_default();
    if let Some(names) = line.strip_prefix("#Fields:") {
        fields.by_comma = !names.trim().contains(' ') && names.contains(',');
        let by = if fields.by_comma { ',' } else { ' ' };
        let names = names.trim().split(by).filter(|name| !name.is_empty());
        fields.names = names.map(ToOwned::to_owned).collect();
    } else {
        fields.software = line.strip_prefix("#Software:")?.trim().to_owned();
    }
    Some(Arc::new(fields))
}

/// A line of a W3C log as an object
pub(super) fn convert(line: &str, fields: Option<&Fields>) -> Result<Converted, String> {
    let fields = fields.filter(|fields| !fields.names.is_empty());
    let fields = fields.ok_or("no `#Fields:` stands before it")?;
    if fields.by_comma {
        return table::convert(line, b',', &fields.names);
    }
    let values: Vec<&str> = line.split_ascii_whitespace().collect();
    if values.len() != fields.names.len() {
        return Err(format!("it has {} values for {} fields", values.len(), fields.names.len()));
    }
    let named = fields.names.iter().map(String::as_str).zip(values);
    let mut named: Vec<(&str, String)> = named
        .filter(|(_, value)| *value != "-")
        .map(|(name, value)| match HEADERS.iter().find(|(header, _)| *header == name) {
            Some((_, name @ "cs-user-agent")) => (*name, value.replace('+', " ")),
            Some((_, name)) => (*name, value.to_owned()),
            None => (name, value.to_owned()),
        })
        .collect();
    add_uri(&mut named);
    let json = object(named.iter().map(|(name, value)| (*name, value.as_str())));
    Ok(Converted { json, kinds: fields.kinds() })
}

/// The path and query of the request, where only its parts are logged
fn add_uri(named: &mut Vec<(&str, String)>) {
    let of = |name: &str| named.iter().find(|(known, _)| *known == name).map(|(_, value)| value);
    let (None, Some(stem)) = (of("cs-uri"), of("cs-uri-stem")) else { return };
    let uri = of("cs-uri-query").map_or_else(|| stem.clone(), |query| format!("{stem}?{query}"));
    named.push(("cs-uri", uri));
}

impl Fields {
    fn kinds(&self) -> Vec<EventKind> {
        let has = |name: &str| self.names.iter().any(|known| known == name);
        let names: &[&str] = match &*self.software {
            software if software.contains("Internet Information Services") => {
                &["webserver", "windows/iis"]
            }
            software if software.contains("SGOS") => &["proxy"],
            _ if has("cs-method") && has("cs-uri-stem") => &["webserver"],
            _ => &[],
        };
        names.iter().filter_map(|name| EventKind::named(name)).collect()
    }
}

/// Whether a line is a request of an access log
pub(super) fn is_request(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_ok_and(|line| parts(line).is_some())
}

/// The parts of a line: client, account, time, request, status, bytes, referrer, agent
type Parts<'a> = (&'a str, &'a str, &'a str, String, &'a str, &'a str, String, String);

fn parts(line: &str) -> Option<Parts<'_>> {
    let (head, rest) = line.split_once(" [")?;
    let mut words = head.split(' ');
    // Some logs write the virtual host first.
    let (user, _, client) = (words.next_back()?, words.next_back()?, words.next_back()?);
    let (time, rest) = rest.split_once("] \"")?;
    let (request, rest) = quoted(rest)?;
    let mut words = rest.trim_start().splitn(3, ' ');
    let (status, bytes) = (words.next()?, words.next().unwrap_or("-"));
    let is_number = |text: &str| text == "-" || text.bytes().all(|byte| byte.is_ascii_digit());
    if status.len() != 3 || !is_number(status) || !is_number(bytes) {
        return None;
    }
    let rest = words.next().unwrap_or_default().trim_start();
    let (referrer, rest) = rest.strip_prefix('"').and_then(quoted).unwrap_or_default();
    let agent = rest.trim_start().strip_prefix('"').and_then(quoted).unwrap_or_default().0;
    Some((client, user, time, request, status, bytes, referrer, agent))
}

/// The text up to the closing quote, and what stands behind it
fn quoted(text: &str) -> Option<(String, &str)> {
    let (mut unquoted, mut is_escaped) = (String::new(), false);
    for (at, c) in text.char_indices() {
        match c {
            '"' if !is_escaped => return Some((unquoted, &text[at + 1..])),
            '\\' if !is_escaped => {
                is_escaped = true;
                continue;
            }
            '"' | '\\' => {}
            // `\x16` and its like stay as they are written.
            _ if is_escaped => unquoted.push('\\'),
            _ => {}
        }
        is_escaped = false;
        unquoted.push(c);
    }
    None
}

/// A line of an access log as an object
pub(super) fn request(line: &str) -> Result<Converted, String> {
    let no_request = || "no request of an access log".to_owned();
    let (client, user, time, request, status, bytes, referrer, agent) =
        parts(line).ok_or_else(no_request)?;
    let time = strtime::parse("%d/%b/%Y:%H:%M:%S %z", time).and_then(|time| time.to_timestamp());
    let time = time.map(|time| time.to_string()).unwrap_or_default();
    let mut words = request.splitn(3, ' ');
    let (method, uri) = match (words.next(), words.next()) {
        (Some(method), Some(uri)) => (method, uri),
        // Not a request of HTTP: all that the client sent.
        _ => ("", &*request),
    };
    let version = words.next().unwrap_or_default();
    let (stem, query) = uri.split_once('?').unwrap_or((uri, ""));
    let fields = [
        ("date-time", &*time),
        ("c-ip", client),
        ("cs-username", user),
        ("cs-method", method),
        ("cs-uri", uri),
        ("cs-uri-stem", stem),
        ("cs-uri-query", query),
        ("cs-version", version),
        ("sc-status", status),
        ("sc-bytes", bytes),
        ("cs-referer", &*referrer),
        ("cs-user-agent", &*agent),
    ];
    let json = object(fields.into_iter().filter(|(_, value)| !matches!(*value, "" | "-")));
    let kinds = ["webserver", "apache/access"].into_iter().filter_map(EventKind::named).collect();
    Ok(Converted { json, kinds })
}
