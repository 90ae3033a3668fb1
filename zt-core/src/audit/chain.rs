//! The hash chain: how one line is bound to the one before it.

use aws_lc_rs::digest::{Digest, SHA256, digest};

/// SHA-256 of a record and of everything before it.
pub(super) type Hash = [u8; 32];

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
    pub(super) fn append(self, fields: &str, out: &mut Vec<u8>) -> Self {
        let seq = self.seq.saturating_add(1);
        let number = seq.to_string();
        // What is hashed stands in one piece: one call of the library, and the hash before it makes room for the line's end.
        let mut hashed = Vec::with_capacity(32 + 8 + number.len() + fields.len());
        hashed.extend_from_slice(&self.hash);
        hashed.extend_from_slice(b"{\"seq\":");
        hashed.extend_from_slice(number.as_bytes());
        hashed.push(b',');
        hashed.extend_from_slice(fields.as_bytes());
        let hash = sha256(&hashed);
        out.extend_from_slice(hashed.get(32..).unwrap_or_default());
        out.extend_from_slice(MARK);
        out.extend(digits(&hash));
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

/// The hash of a record with this body after `previous`.
pub(super) fn hash(previous: &Hash, body: &[u8]) -> Hash {
    // One call over one piece costs half of what a context in two steps does, the copy included.
    sha256(&[previous.as_slice(), body].concat())
}

/// SHA-256 of plain bytes.
pub(super) fn sha256(bytes: &[u8]) -> Hash {
    array(&digest(&SHA256, bytes))
}

fn array(digest: &Digest) -> Hash {
    let mut hash = ZERO;
    for (to, from) in hash.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    hash
}

/// Lowercase hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    digits(bytes).map(char::from).collect()
}

fn digits(bytes: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let digit = |nibble: u8| {
        if nibble < 10 {
            b'0' + nibble
        } else {
            b'a' + nibble - 10
        }
    };
    bytes
        .iter()
        .flat_map(move |byte| [digit(byte >> 4), digit(byte & 15)])
}

/// Reads exactly 64 lowercase digits: were uppercase read too, a changed bit of a digit could go unseen.
pub(super) fn from_hex(digits: &[u8]) -> Option<Hash> {
    if digits.len() != 64 {
        return None;
    }
    let mut hash = ZERO;
    for (to, pair) in hash.iter_mut().zip(digits.chunks_exact(2)) {
        let [high, low] = pair else { return None };
        *to = (nibble(*high)? << 4) | nibble(*low)?;
    }
    Some(hash)
}

const fn nibble(digit: u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
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
    fn uppercase_digits_are_no_hash() {
        assert!(from_hex(&[b'a'; 64]).is_some());
        assert!(from_hex(&[b'A'; 64]).is_none());
        assert!(from_hex(&[b'0'; 63]).is_none());
    }
}
