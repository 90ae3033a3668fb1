//! The handlers that run around each fork, and what they count.
//!
//! Everything here is atomics and system calls: the child's handler runs where only async-signal-safe functions may.

mod hole;
mod unshared;

use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};

pub(crate) use hole::Hole;
pub use unshared::Unshared;

/// 0 until the handlers are registered.
static GENERATION: AtomicU64 = AtomicU64::new(0);

/// How many threads of this process are inside fork.
static FORKING: AtomicUsize = AtomicUsize::new(0);

/// How many forks ended in this process.
static FORKED: AtomicUsize = AtomicUsize::new(0);

/// Set when the handlers could not be registered, for good.
static BY_PROCESS_ID: AtomicBool = AtomicBool::new(false);

pub(super) fn generation() -> u64 {
    match GENERATION.load(Ordering::Acquire) {
        0 => unregistered(),
        generation => generation,
    }
}

/// Whether the handlers run.
pub(crate) fn is_watched() -> bool {
    generation();
    GENERATION.load(Ordering::Acquire) != 0
}

/// Registers the handlers, once. No lock guards this, for a fork could leave it locked: threads that race register
/// several times, and each fork then counts up by several.
#[cold]
fn unregistered() -> u64 {
    if BY_PROCESS_ID.load(Ordering::Acquire) {
        return by_process_id();
    }
    // SAFETY: the handlers do what a signal handler may, and the C library forgets them when this code is unloaded.
    let answer = unsafe { libc::pthread_atfork(Some(before), Some(in_parent), Some(in_child)) };
    if answer != 0 {
        BY_PROCESS_ID.store(true, Ordering::Release);
        return by_process_id();
    }
    let first = GENERATION.compare_exchange(0, 1, Ordering::AcqRel, Ordering::Acquire);
    first.map_or_else(|generation| generation, |_| 1)
}

/// Without memory for handlers: the process id, marked so that it is no counted number.
fn by_process_id() -> u64 {
    u64::from(process::id()) | (1 << 63)
}

extern "C" fn before() {
    FORKING.fetch_add(1, Ordering::SeqCst);
}

extern "C" fn in_parent() {
    FORKED.fetch_add(1, Ordering::SeqCst);
    FORKING.fetch_sub(1, Ordering::SeqCst);
}

extern "C" fn in_child() {
    FORKING.store(0, Ordering::SeqCst);
    Hole::fill_all();
    Unshared::close_all();
    GENERATION.fetch_add(1, Ordering::AcqRel);
}

/// Tells whether a fork may have happened between two moments.
pub(crate) struct Watch {
    forked: usize,
}

impl Watch {
    /// Begins to watch; not possible without handlers.
    pub(crate) fn begin() -> Option<Self> {
        is_watched().then(|| Self {
            forked: FORKED.load(Ordering::SeqCst),
        })
    }

    /// A fork that began before the watch has not ended, or has been counted since.
    pub(crate) fn saw_no_fork(&self) -> bool {
        FORKING.load(Ordering::SeqCst) == 0 && FORKED.load(Ordering::SeqCst) == self.forked
    }
}
