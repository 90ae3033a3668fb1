//! SHA-256 (FIPS 180-4) of what the log hashes: a few short pieces for each record.
//!
//! In: bytes in memory. Out: their hash. The compression function is that of `sha2`, which uses the processor's instructions
//! where it has them; what is here is the padding. Why not the context of a general library, which zt has: the three
//! hashes of a record are some eight blocks, and beside them a context costs as much as three more.

use sha2::block_api::compress256;
use zt_memory::sha256::compress_four;

/// A hash.
pub(super) type Hash = [u8; 32];

const BLOCK: usize = 64;

/// FIPS 180-4 §5.3.3.
const START: [u32; 8] = [
    0x6a09_e667,
    0xbb67_ae85,
    0x3c6e_f372,
    0xa54f_f53a,
    0x510e_527f,
    0x9b05_688c,
    0x1f83_d9ab,
    0x5be0_cd19,
];

type Block = [u8; BLOCK];

/// The hash of these bytes.
pub(super) fn sha256(bytes: &[u8]) -> Hash {
    let mut state = START;
    let (blocks, rest) = bytes.as_chunks();
    let end = End::of(rest, bytes.len());
    compress256(&mut state, blocks);
    compress256(&mut state, end.blocks());
    text(&state)
}

/// The hash of a hash and of what stands behind it; they stand in two places, and nothing is copied but one block.
pub(super) fn chained(previous: &Hash, body: &[u8]) -> Hash {
    let Some(linked) = Linked::of(previous, body) else {
        return sha256(&[previous.as_slice(), body].concat());
    };
    let mut state = START;
    for blocks in linked.parts() {
        compress256(&mut state, blocks);
    }
    text(&state)
}

/// Four times that.
pub(super) fn chained_four(all: [(&Hash, &[u8]); 4]) -> [Hash; 4] {
    let linked = all.map(|(previous, body)| Linked::of(previous, body));
    let [Some(one), Some(two), Some(three), Some(four)] = &linked else {
        return all.map(|(previous, body)| chained(previous, body));
    };
    let [one, two, three, four] = [one, two, three, four].map(Linked::parts);
    let mut states = [START; 4];
    for (((one, two), three), four) in one.into_iter().zip(two).zip(three).zip(four) {
        compress_all(&mut states, [one, two, three, four]);
    }
    states.map(|state| text(&state))
}

/// The hash of a Merkle tree's leaf (RFC 6962 §2.1) whose data is a hash itself.
pub(super) fn leaf(record: &Hash) -> Hash {
    let mut state = START;
    compress256(&mut state, &[leaf_block(record)]);
    text(&state)
}

/// Four times that.
pub(super) fn leaf_four(records: &[Hash; 4]) -> [Hash; 4] {
    let [one, two, three, four] = records.each_ref().map(|record| [leaf_block(record)]);
    let mut states = [START; 4];
    compress_all(&mut states, [&one, &two, &three, &four]);
    states.map(|state| text(&state))
}

/// The hash of a Merkle tree's node.
pub(super) fn node(left: &Hash, right: &Hash) -> Hash {
    let mut state = START;
    compress256(&mut state, &node_blocks(left, right));
    text(&state)
}

/// Four times that.
pub(super) fn node_four(pairs: &[[Hash; 2]; 4]) -> [Hash; 4] {
    let [one, two, three, four] = pairs
        .each_ref()
        .map(|[left, right]| node_blocks(left, right));
    let mut states = [START; 4];
    compress_all(&mut states, [&one, &two, &three, &four]);
    states.map(|state| text(&state))
}

/// A hash and what stands behind it, as blocks.
struct Linked<'a> {
    first: [Block; 1],
    middle: &'a [Block],
    end: End,
}

impl<'a> Linked<'a> {
    /// `None` if they do not fill a block.
    fn of(previous: &Hash, body: &'a [u8]) -> Option<Self> {
        let (beside, rest) = body.split_first_chunk::<32>()?;
        let mut first = [[0; BLOCK]];
        let [head, tail] = first.as_flattened_mut().as_chunks_mut::<32>().0 else {
            return None;
        };
        (*head, *tail) = (*previous, *beside);
        let (middle, rest) = rest.as_chunks();
        Some(Self {
            first,
            middle,
            end: End::of(rest, previous.len() + body.len()),
        })
    }

    fn parts(&self) -> [&[Block]; 3] {
        [&self.first, self.middle, self.end.blocks()]
    }
}

/// What is left of a message, with its padding.
struct End {
    blocks: [Block; 2],
    is_long: bool,
}

impl End {
    /// Less than a block, of `length` bytes in all.
    fn of(rest: &[u8], length: usize) -> Self {
        let mut blocks = [[0; BLOCK]; 2];
        put(blocks.as_flattened_mut(), &[rest, &[0x80]]);
        // The bit behind the bytes, and eight bytes for their number.
        let is_long = rest.len() >= BLOCK - 8;
        let [first, second] = &mut blocks;
        put_length(if is_long { second } else { first }, length);
        Self { blocks, is_long }
    }

    fn blocks(&self) -> &[Block] {
        let [first, _] = &self.blocks;
        if self.is_long {
            &self.blocks
        } else {
            std::slice::from_ref(first)
        }
    }
}

fn leaf_block(record: &Hash) -> Block {
    let mut block = [0; BLOCK];
    put(&mut block, &[&[0], record, &[0x80]]);
    put_length(&mut block, 1 + record.len());
    block
}

fn node_blocks(left: &Hash, right: &Hash) -> [Block; 2] {
    let mut blocks = [[0; BLOCK]; 2];
    put(blocks.as_flattened_mut(), &[&[1], left, right, &[0x80]]);
    let [_, last] = &mut blocks;
    put_length(last, 1 + left.len() + right.len());
    blocks
}

/// Hashes all blocks of each.
fn compress_all(states: &mut [[u32; 8]; 4], blocks: [&[Block]; 4]) {
    let done = compress_four(states, blocks);
    for (state, blocks) in states.iter_mut().zip(blocks) {
        // A call for nothing costs as much as a tenth of a block.
        if let rest @ [_, ..] = blocks.get(done..).unwrap_or_default() {
            compress256(state, rest);
        }
    }
}

fn put(mut place: &mut [u8], parts: &[&[u8]]) {
    for part in parts {
        let Some((to, rest)) = place.split_at_mut_checked(part.len()) else {
            return;
        };
        to.copy_from_slice(part);
        place = rest;
    }
}

fn put_length(block: &mut Block, length: usize) {
    let bits = (length as u64).wrapping_mul(8);
    if let Some(place) = block.last_chunk_mut() {
        *place = bits.to_be_bytes();
    }
}

fn text(state: &[u32; 8]) -> Hash {
    let mut hash = [0; 32];
    for (to, word) in hash.as_chunks_mut().0.iter_mut().zip(state) {
        *to = word.to_be_bytes();
    }
    hash
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
    fn every_length_around_a_block_is_padded_as_another_library_pads_it() {
        let text: Vec<u8> = (0..=255).cycle().take(1000).collect();
        for length in 0..text.len() {
            let text = &text[..length];
            assert_eq!(sha256(text), other(&[text]), "{length}");
            assert_eq!(
                chained(&[7; 32], text),
                other(&[&[7; 32], text]),
                "{length}"
            );
        }
    }

    proptest! {
        #[test]
        fn four_at_once_are_four_one_by_one(
            hashes in any::<[Hash; 8]>(),
            bodies in prop::array::uniform4(prop::collection::vec(any::<u8>(), 0..400)),
        ) {
            let [a, b, c, d, ..] = &hashes;
            let all = [(a, 0), (b, 1), (c, 2), (d, 3)].map(|(hash, at)| (hash, bodies[at].as_slice()));
            let alone = all.map(|(hash, body)| other(&[hash, body]));
            prop_assert_eq!(chained_four(all), alone);
            prop_assert_eq!(leaf_four(&[*a, *b, *c, *d]), [a, b, c, d].map(leaf));
            let pairs = [0, 2, 4, 6].map(|at| [hashes[at], hashes[at + 1]]);
            prop_assert_eq!(node_four(&pairs), pairs.map(|[left, right]| node(&left, &right)));
        }

        #[test]
        fn leaves_and_nodes_are_those_of_another_library(left in any::<Hash>(), right in any::<Hash>()) {
            prop_assert_eq!(leaf(&left), other(&[&[0], &left]));
            prop_assert_eq!(node(&left, &right), other(&[&[1], &left, &right]));
        }
    }
}
