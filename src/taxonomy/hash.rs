//! Hashes: Sysmon's one text for several algorithms, and the field of each algorithm.
//!
//! In: `Hashes` as Sysmon writes it, `MD5=…,SHA256=…,IMPHASH=…`. Out: the hash of each
//! algorithm and its field. A test of `Hashes` for one whole hash is a test of that algorithm's field.

use std::ops::Range;

use super::Field;

/// Sysmon's name of an algorithm, the number of digits of a hash, and the field of the hash
const ALGORITHMS: &[(&str, usize, &str)] = &[
    ("MD5", 32, "md5"),
    ("SHA1", 40, "sha1"),
    ("SHA256", 64, "sha256"),
    ("IMPHASH", 32, "Imphash"),
];

/// Field and hash of `MD5=…` when the hash is whole; `None` for any other text
pub fn whole(text: &str) -> Option<(Field, &str)> {
    let (name, hash) = text.split_once('=')?;
    let named = |(known, ..): &&(&str, usize, &str)| known.eq_ignore_ascii_case(name);
    let (_, digits, field) = ALGORITHMS.iter().find(named)?;
    let whole = hash.len() == *digits && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then_some((Field::named(field)?, hash))
}

/// An algorithm, by its place in the table
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Algorithm(usize);

impl Algorithm {
    /// The algorithm whose hashes the field holds; `None` for any other field
    pub fn of(field: &Field) -> Option<Algorithm> {
        ALGORITHMS.iter().position(|(.., known)| *known == field.name()).map(Algorithm)
    }
}

/// Where the hash of each algorithm is in a text of several; `None` when it is not there whole
#[derive(Debug, Default)]
pub struct Hashes([Option<Range<usize>>; ALGORITHMS.len()]);

impl Hashes {
    /// Finds the hashes in a text such as `MD5=…,SHA256=…`
    pub fn of(text: &str) -> Hashes {
        let (bytes, mut found) = (text.as_bytes(), Hashes::default());
        for at in memchr::memchr_iter(b'=', bytes) {
            let letters = bytes[..at].iter().rev().take_while(|byte| byte.is_ascii_alphanumeric());
            let name = &bytes[at - letters.count()..at];
            let named =
                |(known, ..): &(&str, usize, &str)| known.as_bytes().eq_ignore_ascii_case(name);
            let Some(algorithm) = ALGORITHMS.iter().position(named) else { continue };
            let place = at + 1..at + 1 + ALGORITHMS[algorithm].1;
            // All digits are looked at, which is faster than to stop at the first that is none.
            let is_hash =
                |hash: &[u8]| hash.iter().fold(true, |is, byte| is & byte.is_ascii_hexdigit());
            if found.0[algorithm].is_none() && bytes.get(place.clone()).is_some_and(is_hash) {
                found.0[algorithm] = Some(place);
            }
        }
        found
    }

    /// Where the hash of this algorithm is
    pub fn place(&self, Algorithm(algorithm): Algorithm) -> Option<Range<usize>> {
        self.0[algorithm].clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_found_by_its_algorithm() {
        let md5 = "0123456789abcdef0123456789ABCDEF";
        let hashes = format!("SHA1=aa|MD5={md5}; IMPHASH={md5}");
        let field = |name| Field::named(name).unwrap();
        let of = |name, hashes: &'static str| {
            let place = Hashes::of(hashes).place(Algorithm::of(&field(name)).unwrap());
            place.map(|place| &hashes[place])
        };
        let hashes: &str = hashes.leak();
        assert_eq!(of("md5", hashes), Some(md5));
        assert_eq!(of("Imphash", hashes), Some(md5));
        assert_eq!(of("sha1", hashes), None);
        assert_eq!(of("sha256", hashes), None);
        assert_eq!(of("md5", "XMD5=0123456789abcdef0123456789ABCDEF"), None);
        assert_eq!(of("md5", "MD5=0123456789abcdef0123456789ABCDE\u{e9}"), None);
        assert_eq!(whole(&format!("md5={md5}")), Some((field("md5"), md5)));
        assert_eq!(whole("MD5=0123"), None);
        assert_eq!(whole("MD5"), None);
    }
}
