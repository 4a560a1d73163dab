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
}

/// The text behind hexadecimal digits
fn text(hex: &str) -> String {
    let bytes: Vec<u8> = (0..hex.len() / 2)
        .filter_map(|at| u8::from_str_radix(hex.get(at * 2..at * 2 + 2)?, 16).ok())
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

macro_rules! matcher {
    ($name:ident $(, $asks:ident)?) => {
        mod $name;
        impl $name::Event for Seen {
            fn any(&self, field: &str, test: &mut dyn FnMut(&str) -> bool) -> bool {
                self.values(field).is_some_and(|values| values.iter().any(|value| test(value)))
            }
            fn has(&self, field: &str) -> bool {
                self.values(field).is_some()
            }
            $(
                fn $asks(&self, pattern: &str, text: &str) -> bool {
                    self.found.iter().any(|(one, of)| one == pattern && of == text)
                }
            )?
        }
    };
}

macro_rules! ask {
    ($name:ident, $question:ident) => {
        $name::SIGNALS
            .iter()
            .map(|signal| match $question {
                Question::Table => format!(
                    "{:?}",
                    (
                        signal.name,
                        signal.title,
                        signal.event,
                        signal.log,
                        signal.product,
                        signal.new_terms,
                        signal.window
                    )
                ),
                Question::Event(seen) if (signal.matches)(seen) => (signal.level)(seen).to_owned(),
                Question::Event(_) => "-".to_owned(),
            })
            .collect()
    };
}

fn main() -> std::io::Result<()> {
    use std::io::Write;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for line in std::io::stdin().lines() {
        let line = line?;
        let cells: Vec<&str> = line.split(' ').collect();
        let matcher = cells[0].parse().unwrap_or(usize::MAX);
        let answer = match cells.get(1) {
            Some(&"?") => ask(matcher, Question::Table),
            _ => ask(matcher, Question::Event(&Seen::read(&cells[1..]))),
        };
        writeln!(out, "{}", answer.join("\t"))?;
    }
    out.flush()
}
