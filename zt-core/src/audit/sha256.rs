//! SHA-256 (FIPS 180-4) of what the log hashes: a few short pieces for each record.
//!
//! In: bytes in memory. Out: their hash. By `sha2`, which uses the processor's instructions where it has them: for pieces this
//! short a context of the library that zt has for the rest of its cryptography costs as much as some of the blocks.

use sha2::{Digest as _, Sha256};

/// A hash.
pub(super) type Hash = [u8; 32];

/// The hash of these bytes.
pub(super) fn sha256(bytes: &[u8]) -> Hash {
    of(&[bytes])
}

/// The hash of a hash and of what stands behind it.
pub(super) fn chained(previous: &Hash, body: &[u8]) -> Hash {
    of(&[previous, body])
}

/// The hash of a Merkle tree's leaf (RFC 6962 §2.1).
pub(super) fn leaf(data: &[u8]) -> Hash {
    of(&[&[0], data])
}

/// The hash of a Merkle tree's node.
pub(super) fn node(left: &Hash, right: &Hash) -> Hash {
    of(&[&[1], left, right])
}

fn of(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::digest::{SHA256, digest};
    use proptest::prelude::*;

    use super::*;

    fn other(parts: &[&[u8]]) -> Hash {
        let hash = digest(&SHA256, &parts.concat());
        hash.as_ref().try_into().unwrap()
    }

    #[test]
    fn every_length_around_a_block_has_the_hash_of_another_library() {
        let text: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for length in 0..text.len() {
            let text = &text[..length];
            let linked = other(&[&[7; 32], text]);
            assert_eq!(sha256(text), other(&[text]), "{length}");
            assert_eq!(chained(&[7; 32], text), linked, "{length}");
        }
    }

    proptest! {
        #[test]
        fn leaves_and_nodes_are_those_of_another_library(left in any::<Hash>(), right in any::<Hash>()) {
            prop_assert_eq!(leaf(&left), other(&[&[0], &left]));
            prop_assert_eq!(node(&left, &right), other(&[&[1], &left, &right]));
        }
    }
}
