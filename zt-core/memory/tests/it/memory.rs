//! Looks for a needle in all memory of this process.

use std::fs::{self, File};
use std::hash::{BuildHasher, RandomState};
use std::os::unix::fs::FileExt;

use zeroize::{Zeroize, Zeroizing};

/// Bytes are kept under this mask, so that the needle itself stands nowhere but where a test put it.
const MASK: u8 = 0xa5;

/// Heaps keep their lists in the first bytes of what was freed, and would hide that the rest is still there.
pub(crate) const BEFORE: usize = 64;

/// A text that no other memory holds.
pub(crate) struct Needle(Vec<u8>);

impl Needle {
    pub(crate) fn new() -> Self {
        let mut masked: Vec<u8> = b"zt-needle-".iter().map(|byte| byte ^ MASK).collect();
        let random = RandomState::new().hash_one(0_u8);
        masked.extend(random.to_ne_bytes().map(|byte| (byte | 0x80) ^ MASK));
        masked.extend(
            random
                .rotate_left(7)
                .to_ne_bytes()
                .map(|byte| (byte | 0x80) ^ MASK),
        );
        Self(masked)
    }

    /// The text behind [`BEFORE`] other bytes, wiped when the test lets go of it.
    pub(crate) fn text(&self) -> Zeroizing<Vec<u8>> {
        let mut text = Zeroizing::new(Vec::with_capacity(BEFORE + self.0.len()));
        text.extend([b'.'; BEFORE]);
        text.extend(self.0.iter().map(|byte| byte ^ MASK));
        text
    }

    /// Whether these bytes end in the text.
    pub(crate) fn ends(&self, bytes: &[u8]) -> bool {
        bytes.get(BEFORE..).is_some_and(|text| self.is(text))
    }

    fn is(&self, bytes: &[u8]) -> bool {
        bytes.len() == self.0.len() && bytes.iter().zip(&self.0).all(|(a, b)| *a ^ MASK == *b)
    }

    /// Every address where the text stands, as /proc/self/mem shows the memory of this process.
    pub(crate) fn places(&self) -> Vec<usize> {
        let maps = fs::read_to_string("/proc/self/maps").unwrap();
        let memory = File::open("/proc/self/mem").unwrap();
        let mut window = vec![0; 1 << 18];
        let own = window.as_ptr().addr()..window.as_ptr().addr() + window.len();
        let mut places = Vec::new();
        for (start, end) in maps.lines().filter_map(readable) {
            let mut at = start;
            while at < end {
                let size = window.len().min(end - at);
                let part = &mut window[..size];
                // Refused for secret memory and for the kernel's own pages.
                let Ok(read) = memory.read_at(part, at as u64) else {
                    break;
                };
                places.extend(self.offsets(&part[..read]).map(|offset| at + offset));
                if read < size || at + size == end {
                    break;
                }
                at += size - self.0.len();
            }
        }
        window.zeroize();
        places.retain(|place| !own.contains(place));
        places.dedup();
        places
    }

    fn offsets<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
        let first = self.0[0] ^ MASK;
        let begins = bytes
            .iter()
            .enumerate()
            .filter(move |(_, byte)| **byte == first);
        begins.filter_map(|(at, _)| {
            let found = bytes.get(at..at + self.0.len())?;
            self.is(found).then_some(at)
        })
    }
}

/// Start and end of a line of /proc/self/maps, if the process may read there.
fn readable(line: &str) -> Option<(usize, usize)> {
    let (range, rest) = line.split_once(' ')?;
    let (start, end) = range.split_once('-')?;
    let address = |text| usize::from_str_radix(text, 16).ok();
    rest.starts_with('r')
        .then_some((address(start)?, address(end)?))
}
