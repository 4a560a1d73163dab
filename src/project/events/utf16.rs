//! Reads UTF-16 as UTF-8.
//!
//! In: bytes of UTF-16, with or without a mark. Out: the same text in UTF-8; a surrogate without its other
//! half becomes U+FFFD, as everywhere.

use std::io::{self, BufRead, Read};

/// The order of the two bytes of a unit
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

/// A reader of UTF-16
pub(super) struct Utf16<R> {
    source: R,
    order: Order,
    /// The first byte of a unit
    half: Option<u8>,
    /// The first unit of a pair
    high: Option<u16>,
    /// Text that was not taken yet, and how much of it was
    text: Vec<u8>,
    taken: usize,
    is_first: bool,
}

impl<R: BufRead> Utf16<R> {
    pub(super) fn new(source: R, order: Order) -> Utf16<R> {
        let text = Vec::new();
        Utf16 { source, order, half: None, high: None, text, taken: 0, is_first: true }
    }

    fn unit(&mut self, unit: u16) {
        let units = self.high.take().into_iter().chain([unit]);
        for decoded in char::decode_utf16(units) {
            match decoded {
                // The mark at the beginning is no text.
                Ok('\u{feff}') if self.is_first => {}
                Ok(character) => {
                    self.text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                Err(alone) if alone.unpaired_surrogate() == unit && unit < 0xdc00 => {
                    self.high = Some(unit);
                }
                Err(_) => self.text.extend_from_slice("\u{fffd}".as_bytes()),
            }
            self.is_first = false;
        }
    }

    /// Decodes what the source has; false at its end
    fn fill(&mut self) -> io::Result<bool> {
        self.text.clear();
        self.taken = 0;
        let bytes = self.source.fill_buf()?.to_vec();
        self.source.consume(bytes.len());
        for byte in &bytes {
            match self.half.take() {
                None => self.half = Some(*byte),
                Some(first) => self.unit(match self.order {
                    Order::Little => u16::from_le_bytes([first, *byte]),
                    Order::Big => u16::from_be_bytes([first, *byte]),
                }),
            }
        }
        if bytes.is_empty() && (self.half.take().is_some() | self.high.take().is_some()) {
            self.text.extend_from_slice("\u{fffd}".as_bytes());
        }
        Ok(!bytes.is_empty())
    }
}

impl<R: BufRead> Read for Utf16<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.taken == self.text.len() {
            if !self.fill()? && self.text.is_empty() {
                return Ok(0);
            }
        }
        let number = (&self.text[self.taken..]).read(into)?;
        self.taken += number;
        Ok(number)
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufReader;

    use super::*;

    fn read(bytes: &[u8], order: Order) -> String {
        let mut text = String::new();
        // Three bytes at a time: no unit is whole in one read.
        let source = BufReader::with_capacity(3, bytes);
        Utf16::new(source, order).read_to_string(&mut text).unwrap();
        text
    }

    #[test]
    fn units_pairs_and_marks_are_decoded() {
        let text = "\u{feff}{\"a\":\"ä😀\"}\n";
        let units: Vec<u16> = text.encode_utf16().collect();
        let little: Vec<u8> = units.iter().flat_map(|unit| unit.to_le_bytes()).collect();
        let big: Vec<u8> = units.iter().flat_map(|unit| unit.to_be_bytes()).collect();
        assert_eq!(read(&little, Order::Little), &text[3..]);
        assert_eq!(read(&big, Order::Big), &text[3..]);
        let torn = [0x3d, 0xd8, b'a', 0, 0x3d, 0xd8, b'x'];
        assert_eq!(read(&torn, Order::Little), "\u{fffd}a\u{fffd}");
    }
}
