//! The code of a finding.
//!
//! In: the register. Out: [`Code`], with a title and an explanation each.

use std::fmt;

use super::Severity;
use super::register::register;

macro_rules! codes {
    ($($code:ident $title:literal $explanation:literal;)*) => {
        /// The code of a finding: a letter for the severity, and a number
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code { $(#[doc = $title] $code),* }

        impl Code {
            /// Every code, in order
            pub const ALL: &[Code] = &[$(Code::$code),*];

            /// The code as text, such as `E0101`
            pub fn as_str(self) -> &'static str {
                match self { $(Code::$code => stringify!($code)),* }
            }

            /// The subject of the finding in a few words, without a final period
            pub fn title(self) -> &'static str {
                match self { $(Code::$code => $title),* }
            }

            /// The reason for the finding and the way to resolve it, in sentences
            pub fn explanation(self) -> &'static str {
                match self { $(Code::$code => $explanation),* }
            }
        }
    };
}

register!(codes);

impl Code {
    /// Error or warning, by the letter of the code
    pub fn severity(self) -> Severity {
        if self.as_str().starts_with('W') { Severity::Warning } else { Severity::Error }
    }

    /// Finds a code by its text, in any letter case; `None` if no code has it
    pub fn named(text: &str) -> Option<Code> {
        Self::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_ascend_and_each_is_explained() {
        let names = || Code::ALL.iter().map(|code| &code.as_str()[1..]);
        assert!(names().is_sorted(), "{:?}", names().collect::<Vec<_>>());
        assert!(
            Code::ALL.iter().all(|c| !c.title().ends_with('.') && c.explanation().ends_with('.'))
        );
    }
}
