//! The tree against the vectors of Certificate Transparency and against its own definition, word for word.

use proptest::prelude::*;

use super::super::chain::{from_hex, hex};
use super::*;

/// The leaves of the reference implementation's test tree.
const LEAVES: [&[u8]; 8] = [
    b"",
    b"\x00",
    b"\x10",
    b"\x20\x21",
    b"\x30\x31",
    b"\x40\x41\x42\x43",
    b"\x50\x51\x52\x53\x54\x55\x56\x57",
    b"\x60\x61\x62\x63\x64\x65\x66\x67\x68\x69\x6a\x6b\x6c\x6d\x6e\x6f",
];

const ROOTS: [&str; 8] = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

fn ct() -> Vec<Hash> {
    LEAVES.iter().map(|data| leaf(data)).collect()
}

fn hexes(path: &[Hash]) -> Vec<String> {
    path.iter().map(|hash| hex(hash)).collect()
}

#[test]
fn the_roots_of_the_reference_tree_come_out() {
    let mut tree = Tree::default();
    assert_eq!(
        hex(&tree.root()),
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    );
    for (leaf, root) in ct().into_iter().zip(ROOTS) {
        tree.push_leaf(leaf);
        assert_eq!(hex(&tree.root()), root);
        let again = Tree::of(tree.size(), tree.peaks().to_vec());
        assert_eq!(again, Some(tree.clone()));
        assert_eq!(
            Tree::of(tree.size() + 2, tree.peaks().to_vec()).is_some(),
            (tree.size() + 2).count_ones() == tree.size().count_ones()
        );
    }
}

#[test]
fn the_proofs_of_the_reference_tree_come_out() {
    let leaves = ct();
    let first = inclusion(&leaves, 0).unwrap();
    let expected = [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ];
    assert_eq!(hexes(&first), expected);
    assert_eq!(hexes(&consistency(&leaves, 1).unwrap()), expected);
    let expected = [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ];
    assert_eq!(hexes(&consistency(&leaves, 6).unwrap()), expected);
    let expected = [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ];
    assert_eq!(hexes(&consistency(&leaves[..5], 2).unwrap()), expected);
}

/// RFC 6962 §2.1, as it is written.
fn mth(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => sha256(&[]),
        [leaf] => *leaf,
        _ => {
            let at = split(leaves.len());
            parent(&mth(&leaves[..at]), &mth(&leaves[at..]))
        }
    }
}

/// RFC 6962 §2.1.1.
fn path(m: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let at = split(leaves.len());
    let (mut path, other) = if m < at {
        (path(m, &leaves[..at]), mth(&leaves[at..]))
    } else {
        (path(m - at, &leaves[at..]), mth(&leaves[..at]))
    };
    path.push(other);
    path
}

/// RFC 6962 §2.1.2.
fn subproof(m: usize, leaves: &[Hash], is_whole: bool) -> Vec<Hash> {
    if m == leaves.len() {
        return if is_whole {
            Vec::new()
        } else {
            vec![mth(leaves)]
        };
    }
    let at = split(leaves.len());
    let (mut path, other) = if m <= at {
        (subproof(m, &leaves[..at], is_whole), mth(&leaves[at..]))
    } else {
        (subproof(m - at, &leaves[at..], false), mth(&leaves[..at]))
    };
    path.push(other);
    path
}

fn leaves(count: usize) -> Vec<Hash> {
    (0..count).map(|at| leaf(&at.to_be_bytes())).collect()
}

fn size(leaves: &[Hash]) -> u64 {
    leaves.len() as u64
}

#[test]
fn every_proof_of_small_trees_holds_and_fits_nothing_else() {
    for count in 1..=24_usize {
        let all = leaves(count);
        let whole = mth(&all);
        assert_eq!(root(&all), whole);
        for index in 0..count {
            let proof = inclusion(&all, index).unwrap();
            assert_eq!(proof, path(index, &all));
            let data = index.to_be_bytes();
            let holds = |data: &[u8], index, size, proof: &[Hash], root: &Hash| {
                is_included(data, index, size, proof, root)
            };
            let (at, length) = (index as u64, count as u64);
            assert!(holds(&data, at, length, &proof, &whole));
            assert!(!holds(b"other", at, length, &proof, &whole));
            for other in (0..=length).filter(|other| *other != at) {
                assert!(
                    !holds(&data, other, length, &proof, &whole),
                    "{count} {index} {other}"
                );
            }
            refuse_spoilt(&proof, |proof| holds(&data, at, length, proof, &whole));
            assert!(!holds(&data, at, 0, &proof, &whole));
            assert!(!holds(&data, at, length, &proof, &sha256(b"another root")));
        }
        assert!(inclusion(&all, count).is_none());
    }
}

#[test]
fn every_consistency_proof_of_small_trees_holds_and_fits_nothing_else() {
    for count in 1..=24_usize {
        let all = leaves(count);
        let whole = mth(&all);
        for first in 1..=count {
            let before = mth(&all[..first]);
            let proof = consistency(&all, first).unwrap();
            assert_eq!(proof, subproof(first, &all, true));
            let (m, n) = (first as u64, count as u64);
            let holds = |m, n, proof: &[Hash]| is_consistent((m, &before), (n, &whole), proof);
            assert!(holds(m, n, &proof), "{first} {count}");
            refuse_spoilt(&proof, |proof| holds(m, n, proof));
            let other = sha256(b"another root");
            assert!(!is_consistent((m, &other), (n, &whole), &proof));
            assert!(!is_consistent((m, &before), (n, &other), &proof));
            assert!(!holds(0, n, &proof) && !holds(n + 1, n, &proof));
        }
        assert!(consistency(&all, 0).is_none() && consistency(&all, count + 1).is_none());
    }
}

/// Every changed, removed, repeated, added or swapped hash makes a proof none.
fn refuse_spoilt(proof: &[Hash], holds: impl Fn(&[Hash]) -> bool) {
    for at in 0..proof.len() {
        let mut changed = proof.to_vec();
        changed[at][at % 32] ^= 1 << (at % 8);
        assert!(!holds(&changed));
        let mut shorter = proof.to_vec();
        shorter.remove(at);
        assert!(!holds(&shorter));
        let mut longer = proof.to_vec();
        longer.insert(at, proof[at]);
        assert!(!holds(&longer));
        if at > 0 {
            let mut swapped = proof.to_vec();
            swapped.swap(at - 1, at);
            assert!(!holds(&swapped));
        }
    }
    let mut longer = proof.to_vec();
    longer.push([7; 32]);
    assert!(!holds(&longer));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn large_trees_keep_to_the_definition(count in 1_usize..3000, index in any::<prop::sample::Index>()) {
        let all = leaves(count);
        let mut tree = Tree::default();
        all.iter().for_each(|leaf| tree.push_leaf(*leaf));
        prop_assert_eq!(tree.root(), mth(&all));
        let at = index.index(count);
        let proof = inclusion(&all, at).unwrap();
        prop_assert_eq!(&proof, &path(at, &all));
        prop_assert!(is_included(&at.to_be_bytes(), at as u64, size(&all), &proof, &tree.root()));
        let before = mth(&all[..=at]);
        let proof = consistency(&all, at + 1).unwrap();
        prop_assert_eq!(&proof, &subproof(at + 1, &all, true));
        let holds = is_consistent((at as u64 + 1, &before), (size(&all), &tree.root()), &proof);
        prop_assert!(holds);
    }
}

#[test]
fn a_leaf_is_no_node() {
    let both = [leaf(b"a"), leaf(b"b")].concat();
    assert_ne!(leaf(&both), root(&[leaf(b"a"), leaf(b"b")]));
    assert!(from_hex(hex(&leaf(b"")).as_bytes()).is_some());
}
