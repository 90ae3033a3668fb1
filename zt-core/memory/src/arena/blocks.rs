//! Which parts of a region are free: a buddy allocator over offsets. It touches no memory of the region.
//!
//! Source: Knuth, The Art of Computer Programming, volume 1, section 2.5, "the buddy system".

use std::collections::BTreeSet;

/// A key of 32 bytes and its canary fit.
const SMALLEST: usize = 64;

/// The block that holds `needed` bytes.
pub(super) fn size_for(needed: usize) -> usize {
    needed.max(SMALLEST).next_power_of_two()
}

/// The free blocks of one region.
#[derive(Debug)]
pub(super) struct Blocks {
    size: usize,
    /// Offsets of free blocks; of index `i` are those of `SMALLEST << i` bytes. The last is the whole region.
    free: Vec<BTreeSet<usize>>,
}

impl Blocks {
    /// A region of `size` bytes, a power of two, all of it free.
    pub(super) fn new(size: usize) -> Self {
        let mut free = vec![BTreeSet::new(); index_of(size) + 1];
        if let Some(whole) = free.last_mut() {
            whole.insert(0);
        }
        Self { size, free }
    }

    /// Takes a block of `size`, which came from [`size_for`]: where it begins.
    pub(super) fn take(&mut self, size: usize) -> Option<usize> {
        let wanted = index_of(size);
        let larger = self.free.iter_mut().enumerate().skip(wanted);
        let (found, offset) = larger
            .filter_map(|(index, free)| Some((index, free.pop_first()?)))
            .next()?;
        // What is left of a larger block is free in halves, each half as large as the one before.
        for index in (wanted..found).rev() {
            if let Some(free) = self.free.get_mut(index) {
                free.insert(offset + (SMALLEST << index));
            }
        }
        Some(offset)
    }

    /// Frees the block, and joins it with its other half for as long as that is free too.
    pub(super) fn give_back(&mut self, mut offset: usize, size: usize) {
        let (mut index, mut size) = (index_of(size), size);
        while size < self.size {
            let buddy = offset ^ size;
            let Some(free) = self.free.get_mut(index) else {
                return;
            };
            if !free.remove(&buddy) {
                break;
            }
            offset = offset.min(buddy);
            (index, size) = (index + 1, size * 2);
        }
        if let Some(free) = self.free.get_mut(index) {
            free.insert(offset);
        }
    }

    /// Whether all of it is free.
    pub(super) fn is_unused(&self) -> bool {
        self.free.last().is_some_and(|whole| !whole.is_empty())
    }

    /// Every free block as offset and size.
    #[cfg(test)]
    pub(super) fn free(&self) -> impl Iterator<Item = (usize, usize)> {
        let levels = self.free.iter().enumerate();
        levels.flat_map(|(index, free)| free.iter().map(move |offset| (*offset, SMALLEST << index)))
    }
}

fn index_of(size: usize) -> usize {
    let powers = size
        .trailing_zeros()
        .saturating_sub(SMALLEST.trailing_zeros());
    usize::try_from(powers).unwrap_or(0)
}
