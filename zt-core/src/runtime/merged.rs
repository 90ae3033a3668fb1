//! Which statements of executors are in the log already.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use zt_memory::fork::Local;

/// So many are remembered; then the oldest is forgotten.
const MOST: usize = 65_536;

/// The most accounts of one grant, and the most acts in them: more than the tasks of an hour tell of, and little enough for a disk.
const MOST_CHAINS: usize = 65_536;
const MOST_ACTS: usize = 262_144;
/// Of so many grants it is remembered what room is left; then the oldest is forgotten.
const MOST_GRANTS: usize = 4_096;

/// The heads of the statements that this process merged: a head covers grant, chain and acts, so that no other statement is
/// taken for one of them. A forked child begins with none, as its log does.
#[derive(Debug, Default)]
pub(crate) struct Merges(Local<Mutex<Seen>>);

/// What was merged. Held over a whole merge: two of the same statements come one after the other.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    known: HashSet<String>,
    order: VecDeque<String>,
    rooms: HashMap<String, Room>,
    grants: VecDeque<String>,
}

/// How many accounts of a grant the log still takes: a worker signs nothing, and can make up as many as it likes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Room {
    chains: usize,
    acts: usize,
}

impl Room {
    pub(crate) const fn of(chains: usize, acts: usize) -> Self {
        Self { chains, acts }
    }

    /// Whether it takes another account, of so many acts; it takes it then.
    pub(crate) fn takes(&mut self, acts: usize) -> bool {
        let left = self.chains.checked_sub(1).zip(self.acts.checked_sub(acts));
        let Some((chains, acts)) = left else {
            return false;
        };
        *self = Self { chains, acts };
        true
    }
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

    /// What room there is for this grant.
    pub(crate) fn room(&self, grant: &str) -> Room {
        let full = Room::of(MOST_CHAINS, MOST_ACTS);
        self.rooms.get(grant).copied().unwrap_or(full)
    }

    /// What is left of it, once the accounts are on the disk.
    pub(crate) fn leave(&mut self, grant: &str, room: Room) {
        if self.rooms.insert(grant.to_owned(), room).is_some() {
            return;
        }
        self.grants.push_back(grant.to_owned());
        if self.grants.len() > MOST_GRANTS
            && let Some(oldest) = self.grants.pop_front()
        {
            self.rooms.remove(&oldest);
        }
    }
}
