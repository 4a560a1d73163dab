//! Hashes: Sysmon's one text for several algorithms, and the field of each algorithm.
//!
//! In: `Hashes` as Sysmon writes it, `MD5=…,SHA256=…,IMPHASH=…`. Out: the field and hash of one
//! algorithm. A test of `Hashes` for one whole hash is a test of that algorithm's field.

use super::Field;

/// Sysmon's name of an algorithm, the number of digits of a hash, and the field of the hash
const ALGORITHMS: &[(&str, usize, &str)] = &[
    ("MD5", 32, "md5"),
    ("SHA1", 40, "sha1"),
    ("SHA256", 64, "sha256"),
    ("IMPHASH", 32, "Imphash"),
];

/// The fields that hold the hash of one algorithm
pub fn fields() -> impl Iterator<Item = Field> {
    ALGORITHMS.iter().filter_map(|(.., field)| Field::named(field))
}

/// Field and hash of `MD5=…` when the hash is whole; `None` for any other text
pub fn whole(text: &str) -> Option<(Field, &str)> {
    let (name, hash) = text.split_once('=')?;
    let named = |(known, ..): &&(&str, usize, &str)| known.eq_ignore_ascii_case(name);
    let (_, digits, field) = ALGORITHMS.iter().find(named)?;
    let whole = hash.len() == *digits && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
    whole.then_some((Field::named(field)?, hash))
}

/// The hash of the field's algorithm in a text of several; `None` when it is not there whole
pub fn of<'h>(field: &Field, hashes: &'h str) -> Option<&'h str> {
    let (name, digits, _) = ALGORITHMS.iter().find(|(.., known)| *known == field.name())?;
    let is_border = |head: &str| !head.ends_with(|c: char| c.is_ascii_alphanumeric());
    memchr::memchr_iter(b'=', hashes.as_bytes()).find_map(|at| {
        let start = at.checked_sub(name.len())?;
        let named = hashes.as_bytes()[start..at].eq_ignore_ascii_case(name.as_bytes());
        if !named {
            return None;
        }
        let hash = hashes.get(at + 1..at + 1 + digits)?;
        let whole = hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        (is_border(&hashes[..start]) && whole).then_some(hash)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_is_found_by_its_algorithm() {
        let md5 = "0123456789abcdef0123456789ABCDEF";
        let hashes = format!("SHA1=aa|MD5={md5}; IMPHASH={md5}");
        let field = |name| Field::named(name).unwrap();
        assert_eq!(of(&field("md5"), &hashes), Some(md5));
        assert_eq!(of(&field("Imphash"), &hashes), Some(md5));
        assert_eq!(of(&field("sha1"), &hashes), None);
        assert_eq!(of(&field("sha256"), &hashes), None);
        assert_eq!(whole(&format!("md5={md5}")), Some((field("md5"), md5)));
        assert_eq!(whole("MD5=0123"), None);
        assert_eq!(whole("MD5"), None);
    }
}
