//! The member names of one object, each at most once.

use std::borrow::Cow;
use std::collections::HashSet;

/// The names seen so far. A few dozen are compared one by one, behind a filter that lets hardly any comparison happen; what has
/// more is hashed, so that nobody's choice of names costs more than their number.
#[derive(Debug)]
pub(super) struct Names<'a> {
    few: Vec<Cow<'a, str>>,
    filter: u64,
    many: HashSet<Cow<'a, str>>,
}

const FEW: usize = 48;

impl<'a> Names<'a> {
    /// None yet.
    pub(super) fn new() -> Self {
        Self {
            few: Vec::with_capacity(FEW),
            filter: 0,
            many: HashSet::new(),
        }
    }

    /// Takes a name; `false` if it was there already.
    #[expect(clippy::ptr_arg, reason = "it is kept as it is, borrowed or owned")]
    pub(super) fn take(&mut self, name: &Cow<'a, str>) -> bool {
        if !self.many.is_empty() {
            return self.many.insert(Cow::clone(name));
        }
        let bit = 1_u64 << (mark(name) & 63);
        if self.filter & bit != 0 && self.few.iter().any(|known| known == name) {
            return false;
        }
        self.filter |= bit;
        self.few.push(Cow::clone(name));
        if self.few.len() > FEW {
            self.many.extend(self.few.drain(..));
        }
        true
    }
}

/// Spreads names over 64 marks; equal names have equal marks. Length, both ends and the middle tell the claims of tokens apart.
fn mark(name: &str) -> u32 {
    let bytes = name.as_bytes();
    let byte = |at: usize| bytes.get(at).map_or(0, |byte| u32::from(*byte));
    let length = u32::try_from(bytes.len() & 0xff).unwrap_or(0);
    let ends = byte(0) | byte(bytes.len().wrapping_sub(1)) << 8;
    let mark = ends | byte(bytes.len() / 2) << 16 | length << 24;
    mark.wrapping_mul(0x9e37_79b1) >> 26
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_taken_once_however_many_there_are() {
        let texts: Vec<String> = (0..1000).map(|n| format!("claim-{n}")).collect();
        let mut names = Names::new();
        for (at, text) in texts.iter().enumerate() {
            assert!(names.take(&Cow::Borrowed(text)), "{text}");
            for known in texts.iter().take(at + 1).rev().take(3) {
                assert!(!names.take(&Cow::Owned(known.clone())), "{known}");
            }
        }
        assert!(texts.iter().all(|text| !names.take(&Cow::Borrowed(text))));
    }
}
