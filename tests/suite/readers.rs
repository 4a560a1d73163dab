//! Artifacts as pieces: what is text, and what is structure.
//!
//! Each format is read by its own parser first; of Kusto and Rust, whose parsers keep no comments,
//! the words are told from texts here.

use rulecast::Artifact;
use rulecast::source::is_unprintable;
use serde_json::Value;

/// A piece of an artifact
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// A key, word or sign
    Code(String),
    /// A scalar, literal or comment
    Text(String),
}

use Piece::{Code, Text};

/// The pieces of an artifact, by its own parser; what that says when it cannot
pub(crate) fn pieces(artifact: &Artifact) -> Result<Vec<Piece>, String> {
    let text = &artifact.text;
    if let Some(odd) = text.chars().find(|c| is_unprintable(*c) && *c != '\n') {
        return Err(format!("it holds {odd:?}"));
    }
    let mut out = Vec::new();
    let (_, extension) = artifact.name.rsplit_once('.').unwrap_or_default();
    match extension {
        "kql" => code(text, &mut out),
        "rs" => {
            syn::parse_file(text).map_err(|why| why.to_string())?;
            code(text, &mut out);
        }
        "yaml" | "yml" => {
            value(&serde_yaml::from_str(text).map_err(|why| why.to_string())?, "", &mut out);
        }
        "toml" => value(&toml::from_str(text).map_err(|why| why.to_string())?, "", &mut out),
        "json" => value(&serde_json::from_str(text).map_err(|why| why.to_string())?, "", &mut out),
        "ndjson" => {
            for line in text.lines() {
                value(&serde_json::from_str(line).map_err(|why| why.to_string())?, "", &mut out);
            }
        }
        other => return Err(format!("nobody reads .{other}")),
    }
    Ok(out)
}

fn value(of: &Value, key: &str, out: &mut Vec<Piece>) {
    match of {
        Value::Object(map) => {
            // Of a description of several lines a hunting query has both forms.
            for (key, inner) in map.iter().filter(|(key, _)| *key != "description-detailed") {
                out.push(Code(key.clone()));
                value(inner, key, out);
            }
            out.push(Code("}".to_owned()));
        }
        Value::Array(items) => {
            items.iter().for_each(|item| value(item, key, out));
            out.push(Code("]".to_owned()));
        }
        Value::String(text) if ["query", "queryText"].contains(&key) => code(text, out),
        Value::String(text) => out.push(Text(text.clone())),
        Value::Null | Value::Bool(_) | Value::Number(_) => out.push(Code(of.to_string())),
    }
}

/// Words, signs, literals and comments of Kusto, Kibana's language, EQL and Rust
fn code(text: &str, out: &mut Vec<Piece>) {
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = match c {
            '/' if rest.starts_with("//") => {
                let end = rest.find('\n').unwrap_or(rest.len());
                out.push(Text(rest[..end].to_owned()));
                end
            }
            '/' if rest.starts_with("/*") => {
                let end = rest.find("*/").map_or(rest.len(), |at| at + 2);
                out.push(Text(rest[2..end - 2].trim().to_owned()));
                end
            }
            '"' if rest.starts_with("\"\"\"") => {
                let end = rest[3..].find("\"\"\"").map_or(rest.len(), |at| at + 3);
                out.push(Text(rest[3..end].to_owned()));
                end + 3
            }
            '@' if rest.starts_with("@\"") => {
                let mut end = 2;
                while rest[end..].starts_with("\"\"") || !rest[end..].starts_with('"') {
                    end += if rest[end..].starts_with("\"\"") { 2 } else { after(&rest[end..]) };
                }
                out.push(Text(rest[2..end].replace("\"\"", "\"")));
                end + 1
            }
            '"' => {
                let mut end = 1;
                while !rest[end..].starts_with('"') {
                    end += if rest[end..].starts_with('\\') { 2 } else { after(&rest[end..]) };
                }
                out.push(Text(decoded(&rest[1..end])));
                end + 1
            }
            // A character of Rust; a lifetime has no second quote.
            '\'' if rest[1..].starts_with('\\') => rest[3..].find('\'').map_or(1, |at| at + 4),
            '\'' if rest[1 + after(&rest[1..])..].starts_with('\'') => after(&rest[1..]) + 2,
            c if c.is_whitespace() => c.len_utf8(),
            c if c.is_alphanumeric() || c == '_' => {
                let word = |c: char| c.is_alphanumeric() || c == '_';
                let end = rest.find(|c| !word(c)).unwrap_or(rest.len());
                out.push(Code(rest[..end].to_owned()));
                end
            }
            c => {
                out.push(Code(c.to_string()));
                c.len_utf8()
            }
        };
        rest = &rest[length..];
    }
}

fn after(text: &str) -> usize {
    text.chars().next().map_or(1, char::len_utf8)
}

/// What stands between quotes, with its escapes read
fn decoded(inner: &str) -> String {
    let mut out = String::new();
    let mut rest = inner;
    while let Some((before, after)) = rest.split_once('\\') {
        out.push_str(before);
        let kind = after.chars().next().unwrap_or_default();
        rest = &after[kind.len_utf8()..];
        let mut number = |length: usize| {
            let (digits, left) = rest.split_at(length);
            rest = left;
            u32::from_str_radix(digits.trim_matches(['{', '}', '\\', 'u']), 16).unwrap()
        };
        let c = match kind {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            '0' => '\0',
            'x' => char::from_u32(number(2)).unwrap(),
            'u' if after[1..].starts_with('{') => {
                char::from_u32(number(after[1..].find('}').unwrap() + 1)).unwrap()
            }
            'u' => {
                let first = number(4);
                // Two of JSON's make a character beyond the first plane.
                let units = match first {
                    0xd800..=0xdbff => vec![first as u16, number(6) as u16],
                    _ => vec![first as u16],
                };
                char::decode_utf16(units).next().unwrap().unwrap()
            }
            'U' => char::from_u32(number(8)).unwrap(),
            other => other,
        };
        out.push(c);
    }
    out + rest
}
