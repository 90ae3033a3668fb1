//! Places for secrets in protected memory: hands them out, wipes and takes them back, and counts.
//!
//! In: bytes. Out: a [`Slot`] that owns its place. Blocks are powers of two from 64 bytes to 32 KiB and share regions,
//! so that a thousand keys take a hundred KiB of locked memory and not a page each; what is larger gets a mapping of its
//! own. Regions grow with what is stored, from 16 KiB on, and an empty one is given back when there is another.
//! Bookkeeping lies on the heap: an overrun of a secret reaches none of it.

mod blocks;
mod slot;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub(crate) use slot::Slot;

use crate::fork::Local;
use crate::os::{Mapping, page_size};
use crate::status::{Protection, Status};
use blocks::Blocks;
use slot::CANARY;

/// A larger block would waste up to half of itself, of memory that is scarce.
const LARGEST_BLOCK: usize = 32 * 1024;

/// A limit of 64 KiB, the default of many containers, has room for four.
const SMALLEST_REGION: usize = 16 * 1024;

const LARGEST_REGION: usize = 256 * 1024;

static ARENA: Local<Arena> = Local::new();

/// The arena of this process; a forked child begins with an empty one.
pub(crate) fn of_this_process() -> &'static Arena {
    ARENA.get_or_init(Arena::new)
}

pub(crate) struct Arena {
    state: Mutex<State>,
    canary: [u8; CANARY],
}

/// A mapping that many blocks share.
struct Region {
    mapping: Mapping,
    blocks: Blocks,
}

#[derive(Default)]
struct State {
    /// By address.
    regions: BTreeMap<usize, Region>,
    /// Mappings of one secret each, by address.
    large: BTreeMap<usize, Mapping>,
    slots_in_use: usize,
    heap_in_use: usize,
    heap_fallbacks: u64,
    last_fallback: Option<String>,
    broken_canaries: u64,
    newest: Option<Protection>,
}

impl Arena {
    fn new() -> Self {
        // Keys of the standard library's hash maps come from the operating system. What is hashed does not show them.
        let random = RandomState::new();
        let halves = [random.hash_one(0_u8), random.hash_one(1_u8)];
        let mut canary = [0; CANARY];
        for (byte, from) in canary
            .iter_mut()
            .zip(halves.map(u64::to_ne_bytes).as_flattened())
        {
            *byte = *from;
        }
        Self {
            state: Mutex::default(),
            canary,
        }
    }

    /// Copies `bytes` into a slot.
    pub(crate) fn store(&self, bytes: &[u8]) -> io::Result<Slot> {
        let needed = bytes.len().saturating_add(CANARY);
        let mut slot = self.state().slot(needed, bytes.len())?;
        slot.fill(bytes, &self.canary);
        Ok(slot)
    }

    /// Wipes the slot and frees its place.
    pub(crate) fn take_back(&self, mut slot: Slot) {
        let is_broken = !slot.has_canary(&self.canary);
        slot.wipe_room();
        let mut state = self.state();
        state.broken_canaries += u64::from(is_broken);
        state.free(&slot);
    }

    /// Copies `bytes` to the heap, because of `why`.
    pub(crate) fn fall_back(&self, bytes: &[u8], why: &io::Error) -> Box<[u8]> {
        let mut state = self.state();
        state.heap_in_use += 1;
        state.heap_fallbacks += 1;
        state.last_fallback = Some(why.to_string());
        state.newest = Some(Protection::Heap);
        Box::from(bytes)
    }

    pub(crate) fn heap_was_freed(&self) {
        let mut state = self.state();
        state.heap_in_use = state.heap_in_use.saturating_sub(1);
    }

    pub(crate) fn status(&self) -> Status {
        let mut state = self.state();
        if state.newest.is_none() {
            // The outcome is the answer; a region that came of it serves the first secret.
            let outcome = state.grow(0);
            state.newest = Some(outcome.unwrap_or_else(|why| {
                state.last_fallback = Some(why.to_string());
                Protection::Heap
            }));
        }
        let regions = state.regions.values().map(|region| &region.mapping);
        let mappings = regions.chain(state.large.values());
        Status {
            protection: state.newest.unwrap_or(Protection::Heap),
            regions: state.regions.len() + state.large.len(),
            bytes_mapped: mappings.map(Mapping::len).sum(),
            slots_in_use: state.slots_in_use,
            heap_in_use: state.heap_in_use,
            heap_fallbacks: state.heap_fallbacks,
            last_fallback: state.last_fallback.clone(),
            broken_canaries: state.broken_canaries,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A slot of at least `needed` bytes that holds `len`.
    fn slot(&mut self, needed: usize, len: usize) -> io::Result<Slot> {
        let slot = if needed > LARGEST_BLOCK {
            self.large(needed, len)?
        } else {
            self.block(needed, len)?
        };
        self.slots_in_use += 1;
        Ok(slot)
    }

    fn large(&mut self, needed: usize, len: usize) -> io::Result<Slot> {
        let mapping = Mapping::new(needed)?;
        let slot = Slot::new(&mapping, 0, mapping.len(), len);
        self.newest = Some(mapping.protection());
        self.large.insert(slot.address(), mapping);
        Ok(slot)
    }

    fn block(&mut self, needed: usize, len: usize) -> io::Result<Slot> {
        let room = blocks::size_for(needed);
        if let Some(slot) = self.free_block(room, len) {
            return Ok(slot);
        }
        self.grow(room)?;
        let slot = self.free_block(room, len);
        slot.ok_or_else(|| io::Error::other("a new region has no room"))
    }

    fn free_block(&mut self, room: usize, len: usize) -> Option<Slot> {
        let (region, offset) = self.regions.values_mut().find_map(|region| {
            let offset = region.blocks.take(room)?;
            Some((region, offset))
        })?;
        self.newest = Some(region.mapping.protection());
        Some(Slot::new(&region.mapping, offset, room, len))
    }

    /// Maps one more region with at least `room` bytes: a quarter of what there is, less if there is less to be had.
    fn grow(&mut self, room: usize) -> io::Result<Protection> {
        let mapped: usize = self
            .regions
            .values()
            .map(|region| region.mapping.len())
            .sum();
        let least = room.max(page_size());
        let quarter = (mapped / 4 + 1).next_power_of_two();
        let mut size = quarter.clamp(SMALLEST_REGION, LARGEST_REGION).max(least);
        let mapping = loop {
            match Mapping::new(size) {
                Ok(mapping) => break mapping,
                Err(why) if size / 2 < least => return Err(why),
                Err(_) => size /= 2,
            }
        };
        let (protection, blocks) = (mapping.protection(), Blocks::new(size));
        let region = Region { mapping, blocks };
        self.regions.insert(region.mapping.address(), region);
        Ok(protection)
    }

    fn free(&mut self, slot: &Slot) {
        self.slots_in_use = self.slots_in_use.saturating_sub(1);
        if self.large.remove(&slot.address()).is_some() {
            return;
        }
        let below = self.regions.range_mut(..=slot.address()).next_back();
        let Some((address, region)) = below else {
            return;
        };
        let address = *address;
        region
            .blocks
            .give_back(slot.address() - address, slot.room());
        if region.blocks.is_unused() && self.has_another_unused(address) {
            self.regions.remove(&address);
        }
    }

    /// One empty region stays: a secret that comes and goes would map and unmap it each time.
    fn has_another_unused(&self, address: usize) -> bool {
        let mut others = self.regions.iter().filter(|(other, _)| **other != address);
        others.any(|(_, region)| region.blocks.is_unused())
    }
}
