//! Texts inside a value, found by their rarest window.
//!
//! In: texts, then a value; all of them flat. Out: the numbers of the texts that the value holds. A window
//! is `N` bytes that follow each other. The value is looked at once, whatever the number of texts: a table
//! of bits says whether a window may be one of a text, and few windows of a value are.

use std::collections::HashMap;

use super::found::Found;

/// The sizes of a table, in bits as powers of two: the largest still stays in the nearest caches
const SIZES: std::ops::RangeInclusive<u32> = 10..=18;

/// Bits of a table for each window: of sixteen windows of a value, one is compared in vain
const SPARSE: usize = 16;

/// Texts by the number of their rarest window
#[derive(Debug, Default)]
pub(super) struct Windows<const N: usize> {
    /// A bit for each window of `texts`; made by [`Windows::close`]
    bits: Vec<u64>,
    /// The size of the table, as a power of two
    size: u32,
    texts: HashMap<u32, Vec<Text>, foldhash::fast::RandomState>,
}

/// A text, and where its rarest window is
#[derive(Debug)]
struct Text {
    number: u32,
    before: u32,
    text: Box<[u8]>,
}

/// How often windows are seen, as far as known
#[derive(Debug)]
pub(super) struct Rarity(Vec<u32>);

/// What values often hold; of other windows, events tell
const OFTEN: &[u8] = b"c:\\windows\\system32\\ c:\\program files\\ (x86)\\ c:\\users\\ appdata\\local\\temp\\ \
    microsoft\\ .exe .dll .exe\" -c - programdata\\ software\\microsoft\\windows\\currentversion\\ powershell cmd.exe \
    http:-- https:-- .com windowspowershell\\v1.0\\ syswow64\\ hklm\\ system\\currentcontrolset\\services\\ \\\\ --";

impl Rarity {
    /// The size of its table, as a power of two; windows that share a place count as one
    const SIZE: u32 = 16;

    /// Of the windows of texts that are often seen
    pub(super) fn known() -> Rarity {
        let mut rarity = Rarity(vec![0; 1 << Self::SIZE]);
        rarity.see(OFTEN);
        rarity
    }

    /// Counts the windows of a value
    pub(super) fn see(&mut self, text: &[u8]) {
        text.windows(4).for_each(|window| self.0[bit(number(window), Self::SIZE)] += 1);
        text.windows(2).for_each(|window| self.0[bit(number(window), Self::SIZE)] += 1);
    }

    fn of(&self, window: &[u8]) -> u32 {
        self.0[bit(number(window), Self::SIZE)]
    }
}

impl<const N: usize> Windows<N> {
    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Adds a text of at least `N` bytes
    pub(super) fn add(&mut self, fact: u32, text: &[u8], rarity: &Rarity) {
        let windows = text.windows(N).enumerate();
        // Of windows alike, the one with the fewest texts: each of them is compared.
        let crowd = |window: &[u8]| self.texts.get(&number(window)).map_or(0, Vec::len);
        let rarest = windows.min_by_key(|(_, window)| (rarity.of(window), crowd(window)));
        let Some((before, window)) = rarest else { return };
        let window = number(window);
        let before = u32::try_from(before).unwrap_or(u32::MAX);
        let text = Text { number: fact, before, text: text.into() };
        self.texts.entry(window).or_default().push(text);
    }

    /// Makes the table of bits, after the last text
    pub(super) fn close(&mut self) {
        let wanted = (self.texts.len() * SPARSE).next_power_of_two().trailing_zeros();
        self.size = wanted.clamp(*SIZES.start(), *SIZES.end());
        self.bits = vec![0; (1 << self.size) / 64];
        let mut windows: Vec<u32> = self.texts.keys().copied().collect();
        windows.sort_unstable();
        for window in windows {
            let bit = bit(window, self.size);
            self.bits[bit / 64] |= 1 << (bit % 64);
        }
    }

    /// Adds the texts that the value holds
    pub(super) fn find(&self, value: &[u8], found: &mut Found) {
        if self.texts.is_empty() {
            return;
        }
        let bits = &*self.bits;
        for (at, window) in value.windows(N).enumerate() {
            let window = number(window);
            let bit = bit(window, self.size);
            if bits[bit / 64] >> (bit % 64) & 1 == 1 {
                self.compare(window, at, value, found);
            }
        }
    }

    #[cold]
    fn compare(&self, window: u32, at: usize, value: &[u8], found: &mut Found) {
        for text in self.texts.get(&window).map_or(&[][..], Vec::as_slice) {
            let Some(start) = at.checked_sub(text.before as usize) else { continue };
            if !found.has(text.number) && value[start..].starts_with(&text.text) {
                found.add(text.number);
            }
        }
    }
}

/// The number of a window of up to four bytes
fn number(window: &[u8]) -> u32 {
    match window {
        [a, b, c, d] => u32::from_le_bytes([*a, *b, *c, *d]),
        [a, b] => u32::from_le_bytes([*a, *b, 0, 0]),
        other => other.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)),
    }
}

/// The bit of a window in a table of this size; windows may share one
fn bit(window: u32, size: u32) -> usize {
    // The high bits of the product depend on all bits of the window (Fibonacci hashing).
    (window.wrapping_mul(0x9E37_79B1) >> (32 - size)) as usize
}
