//! Parts of a value: base name, extension, arguments.
//!
//! In: the text of a field. Out: the part that a [`Part`](crate::ir::Part) names. Base names and
//! arguments are defined here only; the generated matcher carries a copy, which a test compares.

use jiff::civil::{Date, DateTime};

use crate::ir::{Part, Subject, TimeUnit};
use crate::taxonomy::{FieldType, Product};

/// Whether some text that a subject names of a value passes the test
pub(crate) fn any(subject: &Subject, value: &str, mut test: impl FnMut(&str) -> bool) -> bool {
    match subject.part {
        Part::Whole => test(value),
        Part::Name if subject.field.kind() == FieldType::Account => test(account_name(value)),
        Part::Name => test(base_name(value)),
        Part::Extension => extension(value).is_some_and(test),
        Part::Argument(product) => arguments(value, product).iter().any(|argument| test(argument)),
        Part::Key => test(&format!("{value}\\")),
        Part::Time(unit) => time_unit(value, unit).is_some_and(|number| test(&number.to_string())),
    }
}

/// The text after the last `\` or `/`; the whole path when it has neither
pub fn base_name(path: &str) -> &str {
    path.rsplit(['\\', '/']).next().unwrap_or(path)
}

/// An account's name without its domain: the text after the last backslash
pub(super) fn account_name(account: &str) -> &str {
    account.rsplit('\\').next().unwrap_or(account)
}

/// The text after the last dot of the base name; `None` when it has no dot
pub(super) fn extension(path: &str) -> Option<&str> {
    base_name(path).rsplit_once('.').map(|(_, extension)| extension)
}

/// A unit of a date or date-time; `None` when the text is not a date, or lacks the unit
///
/// The date is taken as written: text after the time, such as a zone, is cut off.
pub(super) fn time_unit(text: &str, unit: TimeUnit) -> Option<i64> {
    let text = text.trim();
    let time = text.find(['T', ' ']);
    let end = time.and_then(|at| Some(at + text[at..].find(['Z', '+', '-'])?));
    let text = text[..end.unwrap_or(text.len())].trim_end();
    let (date, clock): (Date, Option<DateTime>) = match time {
        Some(_) => text.parse::<DateTime>().map(|both| (both.date(), Some(both))).ok()?,
        None => (text.parse().ok()?, None),
    };
    Some(match unit {
        TimeUnit::Minute => i64::from(clock?.minute()),
        TimeUnit::Hour => i64::from(clock?.hour()),
        TimeUnit::Day => i64::from(date.day()),
        TimeUnit::Week => i64::from(date.iso_week_date().week()),
        TimeUnit::Month => i64::from(date.month()),
        TimeUnit::Year => i64::from(date.year()),
    })
}

/// The arguments of a command line, the program first
///
/// Windows: by the rules of `CommandLineToArgvW`, applied to the program as well. Linux and macOS:
/// at white space, since the recorded line has lost the borders of the kernel's argument list.
pub fn arguments(command: &str, product: Product) -> Vec<String> {
    match product {
        Product::Windows => windows_arguments(command),
        Product::Linux | Product::Macos => {
            command.split_whitespace().map(ToOwned::to_owned).collect()
        }
    }
}

fn windows_arguments(command: &str) -> Vec<String> {
    let mut arguments = Vec::new();
    let mut rest = command.chars().peekable();
    loop {
        while rest.next_if(|c| matches!(c, ' ' | '\t')).is_some() {}
        if rest.peek().is_none() {
            return arguments;
        }
        let (mut argument, mut quoted, mut slashes) = (String::new(), false, 0);
        while let Some(c) = rest.next() {
            match c {
                '\\' => {
                    slashes += 1;
                    continue;
                }
                // Two backslashes mean one only before a quote.
                '"' if slashes % 2 == 1 => {
                    argument.extend(std::iter::repeat_n('\\', slashes / 2));
                    argument.push('"');
                }
                '"' => {
                    argument.extend(std::iter::repeat_n('\\', slashes / 2));
                    if quoted && rest.next_if_eq(&'"').is_some() {
                        argument.push('"');
                    }
                    quoted = !quoted;
                }
                ' ' | '\t' if !quoted => break,
                c => {
                    argument.extend(std::iter::repeat_n('\\', slashes));
                    argument.push(c);
                }
            }
            slashes = 0;
        }
        argument.extend(std::iter::repeat_n('\\', slashes));
        arguments.push(argument);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_extensions() {
        assert_eq!(base_name(r"C:\a/b.exe"), "b.exe");
        assert_eq!(base_name("bash"), "bash");
        assert_eq!(extension(r"C:\a.b\shell.php.JPG"), Some("JPG"));
        assert_eq!(extension(r"C:\a.b\shell"), None);
        assert_eq!(account_name(r"NT AUTHORITY\SYSTEM"), "SYSTEM");
    }

    #[test]
    fn a_date_is_read_as_it_is_written() {
        let of = |text| {
            use TimeUnit::{Day, Hour, Minute, Month, Week, Year};
            [Year, Month, Week, Day, Hour, Minute].map(|unit| time_unit(text, unit))
        };
        let all = [Some(2026), Some(11), Some(47), Some(21), Some(3), Some(4)];
        for text in ["2026-11-21 03:04:05.678", "2026-11-21T03:04:05Z", "2026-11-21T03:04:05+02:00"]
        {
            assert_eq!(of(text), all, "{text}");
        }
        assert_eq!(of("2026-11-21")[3..], [Some(21), None, None]);
        assert_eq!(of("1700000000"), [None; 6]);
        assert_eq!(of("3 o'clock"), [None; 6]);
    }

    #[test]
    fn windows_quotes_and_backslashes() {
        let split = |command| arguments(command, Product::Windows);
        assert_eq!(split(r#"cmd.exe /s /c "mode CON""#), ["cmd.exe", "/s", "/c", "mode CON"]);
        assert_eq!(split(r#"a "b\" c" d\\"#), ["a", r#"b" c"#, r"d\\"]);
        assert_eq!(split(r#""C:\x y\\" z"#), [r"C:\x y\", "z"]);
        assert_eq!(split(r#"a "" b"#), ["a", "", "b"]);
        assert_eq!(split("  "), Vec::<String>::new());
    }
}
