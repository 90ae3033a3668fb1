//! The hash chain: how one line is bound to the one before it.

use super::json::{decimal, digit};
/// Also of a record and of everything before it.
pub(super) use super::sha256::{Hash, chained as hash, sha256};

/// What stands before a writer's first record.
pub(super) const ZERO: Hash = [0; 32];

/// What stands between a record's fields and its hash.
const MARK: &[u8] = b",\"hash\":\"";

/// What closes a record.
const END: &[u8] = b"\"}";

/// The newest record of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) seq: u64,
    pub(super) hash: Hash,
}

impl Link {
    /// Before the first record.
    pub(super) const START: Self = Self { seq: 0, hash: ZERO };

    /// Appends to `out` the line of the next record, whose fields without braces and `seq` are `fields`.
    pub(super) fn append(self, fields: impl AsRef<[u8]>, out: &mut Vec<u8>) -> Self {
        let seq = self.seq.saturating_add(1);
        let start = out.len();
        out.extend_from_slice(b"{\"seq\":");
        out.extend_from_slice(decimal(seq, &mut [0; 20]).as_bytes());
        out.push(b',');
        out.extend_from_slice(fields.as_ref());
        let hash = hash(&self.hash, out.get(start..).unwrap_or_default());
        out.extend_from_slice(MARK);
        out.extend_from_slice(&digits(&hash));
        out.extend_from_slice(END);
        out.push(b'\n');
        Self { seq, hash }
    }
}

/// A line split into what is hashed and the hash it claims.
#[derive(Debug)]
pub(super) struct Frame<'a> {
    pub(super) body: &'a [u8],
    pub(super) hash: Hash,
}

impl<'a> Frame<'a> {
    /// Splits a line without its newline; `None` if it does not end as a record ends.
    pub(super) fn parse(line: &'a [u8]) -> Option<Self> {
        let text = line.strip_suffix(END)?;
        let (rest, digits) = text.split_at_checked(text.len().checked_sub(64)?)?;
        Some(Self {
            body: rest.strip_suffix(MARK)?,
            hash: from_hex(digits)?,
        })
    }
}

/// Lowercase hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(digit).map(char::from).collect()
}

/// The same of a hash. Without a branch in it, so that the compiler takes many digits at a time.
fn digits(hash: &Hash) -> [u8; 64] {
    let mut digits = [0; 64];
    for (pair, byte) in digits.as_chunks_mut().0.iter_mut().zip(hash) {
        *pair = [digit(byte >> 4), digit(byte & 15)];
    }
    digits
}

/// Reads exactly 64 lowercase digits: were uppercase read too, a changed bit of a digit could go unseen.
pub(super) fn from_hex(digits: &[u8]) -> Option<Hash> {
    let digits: &[u8; 64] = digits.try_into().ok()?;
    let mut nibbles = [0; 64];
    let mut seen = 0;
    for (to, digit) in nibbles.iter_mut().zip(digits) {
        *to = nibble(*digit);
        seen |= *to;
    }
    let mut hash = ZERO;
    for (to, pair) in hash.iter_mut().zip(nibbles.as_chunks().0) {
        let both = u16::from_le_bytes(*pair);
        let [_, byte] = ((both << 12) | both).to_le_bytes();
        *to = byte;
    }
    (seen <= 15).then_some(hash)
}

/// The value of a digit; all bits where it is none.
const fn nibble(digit: u8) -> u8 {
    let number = digit.wrapping_sub(b'0');
    let letter = digit.wrapping_sub(b'a');
    if number < 10 {
        number
    } else if letter < 6 {
        letter + 10
    } else {
        u8::MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_splits_into_what_it_was_made_of() {
        let mut line = Vec::new();
        let link = Link::START.append("\"kind\":\"admin\"", &mut line);
        assert_eq!(line.pop(), Some(b'\n'));
        let frame = Frame::parse(&line).unwrap();
        assert_eq!(frame.body, b"{\"seq\":1,\"kind\":\"admin\"");
        assert_eq!(frame.hash, link.hash);
        assert_eq!(frame.hash, hash(&ZERO, frame.body));
    }

    #[test]
    fn a_hash_reads_back() {
        for byte in 0..=255_u8 {
            let hash = [byte; 32];
            let text = hex(&hash);
            assert_eq!(text, format!("{byte:02x}").repeat(32));
            assert_eq!(digits(&hash), text.as_bytes());
            assert_eq!(from_hex(text.as_bytes()), Some(hash));
            let is_digit = matches!(byte, b'0'..=b'9' | b'a'..=b'f');
            for at in [0, 1, 63] {
                let mut text = [b'7'; 64];
                text[at] = byte;
                assert_eq!(from_hex(&text).is_some(), is_digit, "{byte} {at}");
            }
        }
    }

    #[test]
    fn uppercase_digits_are_no_hash() {
        assert!(from_hex(&[b'a'; 64]).is_some());
        assert!(from_hex(&[b'A'; 64]).is_none());
        assert!(from_hex(&[b'0'; 63]).is_none());
    }
}
