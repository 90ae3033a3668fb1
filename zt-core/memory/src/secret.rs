//! Secret bytes that own their place in the arena.
//!
//! In: bytes to copy. Out: [`SecretBuf::reveal`], the one way to them and easy to search for. Never: `Display`, `Clone`,
//! `PartialEq` or `Serialize`; each would be a way for the bytes to get somewhere else.

use std::error::Error;
use std::fmt;
use std::io;
use std::mem;

use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::arena::{self, Slot};
use crate::fork;

/// Secret bytes in protected memory: unprintable, overwritten on drop, empty in a forked child.
///
/// ```
/// let secret = zt_memory::SecretBuf::copy_of(b"zt-needle-example");
/// assert_eq!(secret.reveal().len(), 17);
/// assert_eq!(format!("{secret:?}"), "[secret bytes]");
/// ```
/// ```compile_fail,E0599
/// fn copy(secret: &zt_memory::SecretBuf) -> zt_memory::SecretBuf { secret.clone() }
/// ```
/// ```compile_fail,E0277
/// fn print(secret: &zt_memory::SecretBuf) -> String { format!("{secret}") }
/// ```
/// ```compile_fail,E0369
/// fn compare(a: &zt_memory::SecretBuf, b: &zt_memory::SecretBuf) -> bool { a == b }
/// ```
pub struct SecretBuf {
    place: Place,
    generation: u64,
}

enum Place {
    /// No bytes need no memory.
    Empty,
    Protected(Slot),
    Heap(Box<[u8]>),
}

impl SecretBuf {
    /// Copies `bytes`. The original stays the caller's to wipe.
    ///
    /// Without protected memory to be had the copy lies on the heap, and [`Status`](crate::Status) counts it.
    #[must_use]
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self::protected(bytes).unwrap_or_else(|why| Self {
            generation: fork::generation(),
            place: Place::Heap(arena::of_this_process().fall_back(bytes, &why)),
        })
    }

    /// Copies `bytes` into protected memory or not at all.
    ///
    /// # Errors
    /// [`NotProtected`] with the operating system's reason, most often a small `RLIMIT_MEMLOCK`.
    pub fn try_protected_copy_of(bytes: &[u8]) -> Result<Self, NotProtected> {
        Self::protected(bytes).map_err(NotProtected)
    }

    fn protected(bytes: &[u8]) -> io::Result<Self> {
        let generation = fork::generation();
        let place = if bytes.is_empty() {
            Place::Empty
        } else {
            Place::Protected(arena::of_this_process().store(bytes)?)
        };
        Ok(Self { place, generation })
    }

    /// The bytes themselves; none in a child that was forked after they were stored.
    ///
    /// A borrow that was taken before the fork stays readable in the child and shows zeros there, those of the heap
    /// excepted.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        if !self.is_of_this_process() {
            return &[];
        }
        match &self.place {
            Place::Empty => &[],
            Place::Protected(slot) => slot.bytes(),
            Place::Heap(bytes) => bytes,
        }
    }

    /// How many bytes [`reveal`](Self::reveal) shows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.reveal().len()
    }

    /// Whether it shows none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.reveal().is_empty()
    }

    /// Whether this process stored it. If not, a fork lies between, and the bytes must be fetched anew.
    #[must_use]
    pub fn is_of_this_process(&self) -> bool {
        self.generation == fork::generation()
    }

    /// Whether the bytes lie in protected memory. None need none.
    #[must_use]
    pub const fn is_protected(&self) -> bool {
        match self.place {
            Place::Empty | Place::Protected(_) => true,
            Place::Heap(_) => false,
        }
    }

    /// Overwrites the bytes at once. The buffer keeps its length and holds zeros.
    pub fn wipe(&mut self) {
        match &mut self.place {
            Place::Empty => {}
            Place::Protected(slot) => {
                // In a child there are only zeros in place of the slot.
                if self.generation == fork::generation() {
                    slot.wipe_bytes();
                }
            }
            // A child has its own copy of the parent's heap.
            Place::Heap(bytes) => bytes.zeroize(),
        }
    }
}

impl Drop for SecretBuf {
    fn drop(&mut self) {
        if !self.is_of_this_process() {
            // The arena is another here, and the parent's may be locked by a thread that does not exist.
            self.wipe();
            return;
        }
        match mem::replace(&mut self.place, Place::Empty) {
            Place::Empty => {}
            Place::Protected(slot) => arena::of_this_process().take_back(slot),
            Place::Heap(mut bytes) => {
                bytes.zeroize();
                arena::of_this_process().heap_was_freed();
            }
        }
    }
}

impl Zeroize for SecretBuf {
    fn zeroize(&mut self) {
        self.wipe();
    }
}

impl ZeroizeOnDrop for SecretBuf {}

impl fmt::Debug for SecretBuf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[secret bytes]")
    }
}

/// There is no protected memory for a secret.
#[derive(Debug)]
pub struct NotProtected(io::Error);

impl fmt::Display for NotProtected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "no protected memory for a secret: {}; raise the limit of locked memory (`ulimit -l`)",
            self.0
        )
    }
}

impl Error for NotProtected {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.0)
    }
}
