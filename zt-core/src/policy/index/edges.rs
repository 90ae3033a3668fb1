//! The edges of the trie: from a node by the name of a segment to the next node.
//!
//! One table with open addressing, names in one text: a step costs one place of the table and one of the text. The names
//! come from the tables alone, so whoever asks cannot crowd it.

use std::hash::BuildHasher as _;

use rustc_hash::{FxBuildHasher, FxHashMap};

use super::{NONE, TooMany, at, small};

/// A table that is at most half full.
#[derive(Default)]
pub(super) struct Edges {
    slots: Box<[Slot]>,
    names: Box<[u8]>,
}

#[derive(Clone, Copy)]
struct Slot {
    hash: u32,
    from: u32,
    /// `NONE` where the slot is free.
    to: u32,
    /// Where the name begins and ends in the text.
    name: (u32, u32),
}

const FREE: Slot = Slot {
    hash: 0,
    from: 0,
    to: NONE,
    name: (0, 0),
};

impl Edges {
    /// The table of these edges: from, name, to.
    pub(super) fn new(edges: &FxHashMap<(u32, &str), u32>) -> Result<Self, TooMany> {
        let mut names = Vec::new();
        let mut places: FxHashMap<&str, (u32, u32)> = FxHashMap::default();
        let mut slots = vec![FREE; (edges.len() * 2).next_power_of_two()];
        let mask = slots.len() - 1;
        for ((from, name), to) in edges {
            let place = match places.get(name) {
                Some(place) => *place,
                None => {
                    let start = small(names.len())?;
                    names.extend_from_slice(name.as_bytes());
                    let place = (start, small(names.len())?);
                    places.insert(name, place);
                    place
                }
            };
            let (mut slot, hash) = spot(*from, name.as_bytes(), mask);
            while slots.get(slot).is_some_and(|slot| slot.to != NONE) {
                slot = (slot + 1) & mask;
            }
            if let Some(free) = slots.get_mut(slot) {
                *free = Slot {
                    hash,
                    from: *from,
                    to: *to,
                    name: place,
                };
            }
        }
        Ok(Self {
            slots: Box::from(slots),
            names: Box::from(names),
        })
    }

    /// The node behind this edge.
    pub(super) fn find(&self, from: u32, name: &str) -> Option<u32> {
        let mask = self.slots.len().checked_sub(1)?;
        let name = name.as_bytes();
        let (mut place, hash) = spot(from, name, mask);
        loop {
            let slot = self.slots.get(place)?;
            if slot.to == NONE {
                return None;
            }
            let (start, end) = slot.name;
            if slot.hash == hash
                && slot.from == from
                && self.names.get(at(start)..at(end)) == Some(name)
            {
                return Some(slot.to);
            }
            place = (place + 1) & mask;
        }
    }
}

/// Where to begin to look, and what to compare first.
#[expect(
    clippy::cast_possible_truncation,
    reason = "any bits of a hash are a hash"
)]
fn spot(from: u32, name: &[u8], mask: usize) -> (usize, u32) {
    let hash = FxBuildHasher.hash_one((from, name));
    (hash as usize & mask, (hash >> 32) as u32)
}
