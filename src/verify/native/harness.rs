//! A program that asks generated matchers about events.
//!
//! In: a line for each question: the number of a matcher, then `?`, or the fields of an event. Texts are in
//! hexadecimal, cells are separated by spaces, `name:` has no value and `name:a,b` has two. `=pattern:text` says
//! that a regular expression is found in a text; any other is not. Out: a line for each question: the table of
//! signals, or for each signal its level, or `-` where the event does not fit.

/// What is asked of a matcher
enum Question<'q> {
    Table,
    Event(&'q Seen),
}

/// An event, and what regular expressions find in it
struct Seen {
    /// The fields of an event with their values; none for null
    fields: Vec<(String, Vec<String>)>,
    /// Regular expressions, each with a text in which it is found
    found: Vec<(String, String)>,
}

impl Seen {
    fn read(cells: &[&str]) -> Seen {
        let (found, fields): (Vec<&str>, Vec<&str>) =
            cells.iter().partition(|cell| cell.starts_with('='));
        let found = found.iter().map(|cell| {
            let (pattern, of) = cell[1..].split_once(':').unwrap_or_default();
            (text(pattern), text(of))
        });
        let fields = fields.iter().map(|cell| {
            let (name, values) = cell.split_once(':').unwrap_or((cell, ""));
            let values = values.split(',').filter(|_| !values.is_empty());
            // A value that is empty is written `-`.
            let values = values.map(|value| if value == "-" { String::new() } else { text(value) });
            (text(name), values.collect())
        });
        Seen { fields: fields.collect(), found: found.collect() }
    }

    fn values(&self, field: &str) -> Option<&[String]> {
        self.fields.iter().find(|(name, _)| name == field).map(|(_, values)| values.as_slice())
    }

    fn any_value(&self, field: &str, test: &mut dyn FnMut(&str) -> bool) -> bool {
        self.values(field).is_some_and(|values| values.iter().any(|value| test(value)))
    }

    fn holds(&self, pattern: &str, text: &str) -> bool {
        self.found.iter().any(|(one, of)| one == pattern && of == text)
    }
}

/// A row of a matcher's table of signals
type Told = (
    &'static str,
    &'static str,
    &'static str,
    Option<&'static str>,
    Option<&'static str>,
    &'static [&'static str],
    u32,
);

fn told(row: &Told) -> String {
    format!("{row:?}")
}

/// The text behind hexadecimal digits
fn text(hex: &str) -> String {
    let bytes: Vec<u8> = (0..hex.len() / 2)
        .filter_map(|at| u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok())
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

// What is written once for each matcher has no closure and no iterator: each would be compiled once for each.
macro_rules! matcher {
    ($name:ident $(, $asks:ident)?) => {
        mod $name;
        impl $name::Event for Seen {
            fn any(&self, field: &str, test: &mut dyn FnMut(&str) -> bool) -> bool {
                self.any_value(field, test)
            }
            fn has(&self, field: &str) -> bool {
                self.values(field).is_some()
            }
            $(
                fn $asks(&self, pattern: &str, text: &str) -> bool {
                    self.holds(pattern, text)
                }
            )?
        }
    };
}

macro_rules! ask {
    ($name:ident, $question:ident, $answer:ident) => {{
        let mut at = 0;
        while at < $name::SIGNALS.len() {
            let signal = &$name::SIGNALS[at];
            at += 1;
            let one = match $question {
                Question::Table => told(&(
                    signal.name,
                    signal.title,
                    signal.event,
                    signal.log,
                    signal.product,
                    signal.new_terms,
                    signal.window,
                )),
                Question::Event(seen) if (signal.matches)(seen) => String::from((signal.level)(seen)),
                Question::Event(_) => String::from("-"),
            };
            $answer.push(one);
        }
    }};
}

fn main() -> std::io::Result<()> {
    use std::io::Write;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lines() {
        let line = line?;
        let cells: Vec<&str> = line.split(' ').collect();
        let matcher = cells[0].parse().unwrap_or(usize::MAX);
        let mut answer = Vec::new();
        match cells.get(1) {
            Some(&"?") => ask(matcher, Question::Table, &mut answer),
            _ => ask(matcher, Question::Event(&Seen::read(&cells[1..])), &mut answer),
        }
        writeln!(out, "{}", answer.join("\t"))?;
    }
    out.flush()
}
