//! Parts of a value: base name, extension, arguments.
//!
//! In: the text of a field. Out: the part a [`Part`](crate::ir::Part) names. This is the one
//! place that says what a base name or an argument is; the generated matcher carries a copy
//! that a test compares with it.

use crate::taxonomy::Product;

/// What follows the last `\` or `/`; all of it when there is none
pub(super) fn base_name(path: &str) -> &str {
    path.rsplit(['\\', '/']).next().unwrap_or(path)
}

/// What follows the last backslash: an account's name without its domain
pub(super) fn account_name(account: &str) -> &str {
    account.rsplit('\\').next().unwrap_or(account)
}

/// What follows the last dot of the base name; `None` when there is no dot
pub(super) fn extension(path: &str) -> Option<&str> {
    base_name(path).rsplit_once('.').map(|(_, extension)| extension)
}

/// The arguments of a command line, the program first
///
/// Windows: by the rules of `CommandLineToArgvW`, applied to the program as well. Elsewhere the
/// kernel has a list and the recorded line has lost its borders, so white space separates.
pub(super) fn arguments(command: &str, product: Product) -> Vec<String> {
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
                // Backslashes count double only before a quote.
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
    fn windows_quotes_and_backslashes() {
        let split = |command| arguments(command, Product::Windows);
        assert_eq!(split(r#"cmd.exe /s /c "mode CON""#), ["cmd.exe", "/s", "/c", "mode CON"]);
        assert_eq!(split(r#"a "b\" c" d\\"#), ["a", r#"b" c"#, r"d\\"]);
        assert_eq!(split(r#""C:\x y\\" z"#), [r"C:\x y\", "z"]);
        assert_eq!(split(r#"a "" b"#), ["a", "", "b"]);
        assert_eq!(split("  "), Vec::<String>::new());
    }
}
