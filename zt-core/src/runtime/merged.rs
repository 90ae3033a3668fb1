//! Which statements of executors are in the log already.

use std::collections::{HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use zt_memory::fork::Local;

/// So many are remembered; then the oldest is forgotten.
const MOST: usize = 65_536;

/// The heads of the statements that this process merged: a head covers grant, chain and acts, so that no other statement is
/// taken for one of them. A forked child begins with none, as its log does.
#[derive(Debug, Default)]
pub(crate) struct Merges(Local<Mutex<Seen>>);

/// What was merged. Held over a whole merge: two of the same statements come one after the other.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    known: HashSet<String>,
    order: VecDeque<String>,
}

impl Merges {
    /// Waits for the merge that is under way.
    pub(crate) fn hold(&self) -> MutexGuard<'_, Seen> {
        let seen = self.0.get_or_init(Mutex::default);
        seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// Whether this statement is in the log.
    pub(crate) fn has(&self, head: &str) -> bool {
        self.known.contains(head)
    }

    /// That it is on the disk.
    pub(crate) fn note(&mut self, head: &str) {
        if !self.known.insert(head.to_owned()) {
            return;
        }
        self.order.push_back(head.to_owned());
        if self.order.len() > MOST
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }
}
