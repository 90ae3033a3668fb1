//! One secret's place in a mapping: its bytes, a canary behind them, and what is left of the block.

use std::ptr::NonNull;
use std::slice;

use zeroize::Zeroize;

use crate::os::Mapping;

/// Bytes behind each secret that nobody may change.
pub(crate) const CANARY: usize = 16;

/// Owns `room` bytes of a mapping alone. Whoever drops it without giving it back leaks them.
pub(crate) struct Slot {
    start: NonNull<u8>,
    len: usize,
    room: usize,
}

// SAFETY: the bytes belong to the slot and to no thread.
unsafe impl Send for Slot {}

// SAFETY: through a shared slot the bytes are only read.
unsafe impl Sync for Slot {}

impl Slot {
    /// `room` bytes at `offset`, the first `len` of them for the secret. The arena gives no byte to two slots, and keeps
    /// the mapping for as long as one of its slots is out.
    pub(super) fn new(mapping: &Mapping, offset: usize, room: usize, len: usize) -> Self {
        debug_assert!(offset + room <= mapping.len() && len + CANARY <= room);
        Self {
            // SAFETY: the arena's blocks end where the mapping does.
            start: unsafe { mapping.start().add(offset) },
            len,
            room,
        }
    }

    pub(super) fn address(&self) -> usize {
        self.start.addr().get()
    }

    pub(super) const fn room(&self) -> usize {
        self.room
    }

    /// The secret.
    pub(crate) const fn bytes(&self) -> &[u8] {
        // SAFETY: `start` is valid for `room` bytes, of which `len` is less, and a slot that is borrowed has no writer.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }

    /// The whole block.
    pub(super) const fn whole(&self) -> &[u8] {
        // SAFETY: as for `bytes`; the kernel filled the rest with zeros.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.room) }
    }

    pub(super) const fn whole_mut(&mut self) -> &mut [u8] {
        // SAFETY: as for `whole`, and the slot is borrowed for writing.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.room) }
    }

    pub(super) fn fill(&mut self, bytes: &[u8], canary: &[u8; CANARY]) {
        if let Some((secret, rest)) = self.whole_mut().split_at_mut_checked(bytes.len()) {
            secret.copy_from_slice(bytes);
            let behind = rest.iter_mut().zip(canary);
            behind.for_each(|(to, from)| *to = *from);
        }
    }

    pub(super) fn has_canary(&self, canary: &[u8; CANARY]) -> bool {
        let behind = self.whole().get(self.len..self.len + CANARY);
        behind == Some(canary.as_slice())
    }

    /// Overwrites the secret and leaves the canary.
    pub(crate) fn wipe_bytes(&mut self) {
        let len = self.len;
        if let Some(bytes) = self.whole_mut().get_mut(..len) {
            bytes.zeroize();
        }
    }

    /// Overwrites all of the block.
    pub(super) fn wipe_room(&mut self) {
        self.whole_mut().zeroize();
    }
}
