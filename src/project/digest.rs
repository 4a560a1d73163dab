//! What names a text beyond doubt.
//!
//! In: the text of a rule or of an artifact. Out: its SHA-256, by which evidence that is kept with a release
//! says which text was judged.

use sha2::{Digest as _, Sha256};

/// A text by its digest
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digest {
    /// The name of its file
    pub name: String,
    /// The SHA-256 of its text, in hexadecimal
    pub sha256: String,
}

impl Digest {
    /// The digest of a text under a name
    pub fn of(name: &str, text: &str) -> Digest {
        let bytes = Sha256::digest(text.as_bytes());
        let sha256 = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        Digest { name: name.to_owned(), sha256 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_other_tools() {
        // The example of FIPS 180-2, appendix B.1.
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of("abc", "abc").sha256, expected);
    }
}
