//! The Merkle tree over the records of one writer (RFC 6962 §2.1, RFC 9162 §2.1).
//!
//! In: the chain hash of each record, in order: 32 bytes, the data of a leaf. Out: the root at any size, and proofs that a
//! record is in the tree and that a tree is the beginning of a later one. [`Tree`] grows in logarithmic memory; a proof needs
//! all leaves. Never trusts a proof: the two verifications refuse what is too long, too short or of another size.

pub(super) use super::sha256::leaf;
use super::sha256::{Hash, node as parent, sha256};

/// A tree that grows: the roots of its perfect subtrees, largest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Tree {
    size: u64,
    peaks: Vec<Hash>,
}

impl Tree {
    /// A tree of `size` leaves with these peaks; `None` if a tree of that size has another number of them.
    pub(super) fn of(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        let expected = usize::try_from(size.count_ones()).ok()?;
        (peaks.len() == expected).then_some(Self { size, peaks })
    }

    /// Appends a leaf.
    pub(super) fn push(&mut self, record: &Hash) {
        self.push_leaf(leaf(record));
    }

    fn push_leaf(&mut self, leaf: Hash) {
        let mut node = leaf;
        // Each bit that carries is a perfect subtree which gets its right half.
        let mut carries = self.size.trailing_ones();
        while carries > 0 {
            if let Some(left) = self.peaks.pop() {
                node = parent(&left, &node);
            }
            carries -= 1;
        }
        self.peaks.push(node);
        self.size = self.size.saturating_add(1);
    }

    /// How many leaves.
    pub(super) const fn size(&self) -> u64 {
        self.size
    }

    /// The roots of its perfect subtrees, largest first: all that is needed to grow it further.
    pub(super) fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// The tree head.
    pub(super) fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return sha256(&[]);
        };
        peaks.fold(*last, |right, left| parent(left, &right))
    }
}

fn root(leaves: &[Hash]) -> Hash {
    let mut tree = Tree::default();
    leaves.iter().for_each(|leaf| tree.push_leaf(*leaf));
    tree.root()
}

/// The largest power of two that is smaller than `length`, which is at least 2.
const fn split(length: usize) -> usize {
    1 << (usize::BITS - 1 - (length - 1).leading_zeros())
}

/// The proof that leaf `index`, from 0, is in the tree of these leaf hashes; `None` if there is no such leaf.
pub(super) fn inclusion(leaves: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaves.len() {
        return None;
    }
    let (mut rest, mut index, mut path) = (leaves, index, Vec::new());
    while rest.len() > 1 {
        let at = split(rest.len());
        let (left, right) = rest.split_at(at);
        if index < at {
            path.push(root(right));
            rest = left;
        } else {
            path.push(root(left));
            rest = right;
            index -= at;
        }
    }
    path.reverse();
    Some(path)
}

/// The proof that the first `size` of these leaf hashes are a tree that this one continues; `None` if there are fewer, or
/// `size` is 0.
pub(super) fn consistency(leaves: &[Hash], size: usize) -> Option<Vec<Hash>> {
    if size == 0 || size > leaves.len() {
        return None;
    }
    let (mut rest, mut size, mut path, mut is_whole) = (leaves, size, Vec::new(), true);
    while size < rest.len() {
        let at = split(rest.len());
        let (left, right) = rest.split_at(at);
        if size <= at {
            path.push(root(right));
            rest = left;
        } else {
            path.push(root(left));
            rest = right;
            size -= at;
            is_whole = false;
        }
    }
    if !is_whole {
        path.push(root(rest));
    }
    path.reverse();
    Some(path)
}

/// Whether `path` proves that `data` is leaf `index` of the tree with this size and root (RFC 9162 §2.1.3.2).
pub(super) fn is_included(data: &[u8], index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut node) = (index, size - 1, leaf(data));
    for sibling in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            node = parent(sibling, &node);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            node = parent(&node, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && node == *root
}

/// Whether `path` proves that the tree with the second size and root begins with the first (RFC 9162 §2.1.4.2).
pub(super) fn is_consistent(first: (u64, &Hash), second: (u64, &Hash), path: &[Hash]) -> bool {
    let ((first, first_root), (second, second_root)) = (first, second);
    if first == 0 || first > second {
        return false;
    }
    if first == second {
        return path.is_empty() && first_root == second_root;
    }
    let mut path = path.iter();
    let start = if first.is_power_of_two() {
        Some(first_root)
    } else {
        path.next()
    };
    let Some(start) = start else { return false };
    let shift = (first - 1).trailing_ones();
    let (mut at, mut last) = ((first - 1) >> shift, (second - 1) >> shift);
    let (mut old, mut new) = (*start, *start);
    for sibling in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            old = parent(sibling, &old);
            new = parent(sibling, &new);
            while at & 1 == 0 && at != 0 {
                at >>= 1;
                last >>= 1;
            }
        } else {
            new = parent(&new, sibling);
        }
        at >>= 1;
        last >>= 1;
    }
    last == 0 && old == *first_root && new == *second_root
}

#[cfg(test)]
mod tests;
