//! How well secrets are kept right now, for the monitor and the audit log. No address, no byte of a secret.

use std::fmt;

use crate::arena;

/// The kinds of memory, from the best to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Protection {
    /// memfd_secret(2): not even the kernel has a mapping of it.
    SecretMemory,
    /// Locked into memory, left out of core dumps and of forked children.
    LockedMemory,
    /// The ordinary heap, overwritten when it is freed.
    Heap,
}

impl Protection {
    /// The words that logs and metrics use.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SecretMemory => "secret memory",
            Self::LockedMemory => "locked memory",
            Self::Heap => "heap",
        }
    }
}

impl fmt::Display for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What the arena of this process holds and what went wrong so far. A forked child begins with a new one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Status {
    /// What the newest secret got. Before the first, what it would get.
    pub protection: Protection,
    /// How many protected regions are mapped.
    pub regions: usize,
    /// Their size without guard pages, which is what counts against `RLIMIT_MEMLOCK`.
    pub bytes_mapped: usize,
    /// How many secrets lie in them.
    pub slots_in_use: usize,
    /// How many secrets lie on the heap for want of protected memory.
    pub heap_in_use: usize,
    /// How many secrets ever had to.
    pub heap_fallbacks: u64,
    /// Why there was no protected memory the last time, in the operating system's words.
    pub last_fallback: Option<String>,
    /// How many secrets were written past their end. Each is a bug of who wrote.
    pub broken_canaries: u64,
}

/// The state of this process's arena. Maps its first region if there is none, to find out what the machine gives.
#[must_use]
pub fn status() -> Status {
    arena::of_this_process().status()
}
