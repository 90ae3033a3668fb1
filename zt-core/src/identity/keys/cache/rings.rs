//! The rings of one process, and what a forked child begins with.
//!
//! A ring stands behind a lock, and who waits for a fetch behind another: a thread of the parent may hold either while it
//! forks. So each process has rings of its own. A child makes its from what the last fetch left beside them, without a lock:
//! the keys that its parent knew serve on for as long as they would have there. What is known of all sets is made from the same:
//! a fork between a ring's change and the next publication leaves no child with two answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::{ArcSwap, ArcSwapOption};
use tokio::sync::watch;

use super::super::known::KnownKeys;
use super::super::life::Moment;
use super::super::ring::{Legacy, Ring};
use super::saving::Saving;
use crate::id::Guid;
use crate::identity::caller::TokenVersion;

/// A tenant and format, and what is left of the last fetch.
pub(super) struct Place {
    pub(super) tenant: Guid,
    pub(super) version: TokenVersion,
    legacy: ArcSwapOption<Legacy>,
}

/// See the module.
pub(super) struct Rings {
    live: Vec<Live>,
    pub(super) known: ArcSwap<KnownKeys>,
    /// Held while what is known of all sets is made anew, so that two changes do not overwrite each other.
    making: Mutex<()>,
}

pub(super) struct Live {
    ring: Mutex<Ring>,
    /// The number of the last fetch that nobody waits for any more: over, or too slow.
    pub(super) ended: watch::Sender<u64>,
    pub(super) saving: Arc<Saving>,
}

impl Place {
    pub(super) fn new(ring: &Ring) -> Self {
        Self {
            tenant: ring.tenant(),
            version: ring.version(),
            legacy: ArcSwapOption::new(ring.legacy().map(Arc::new)),
        }
    }

    /// What the ring would leave now.
    pub(super) fn bequeath(&self, ring: &Ring) {
        self.legacy.store(ring.legacy().map(Arc::new));
    }

    #[cfg(test)]
    #[cfg(feature = "testing")]
    pub(super) fn forked(&self) -> Self {
        Self {
            tenant: self.tenant,
            version: self.version,
            legacy: ArcSwapOption::new(self.legacy.load_full()),
        }
    }
}

impl Rings {
    /// Those of a process that has none yet; what they know is of this generation.
    pub(super) fn of(places: &[Place], now: Moment, generation: u64) -> Self {
        let live = places.iter().map(|place| {
            let mut ring = Ring::new(place.tenant, place.version, now);
            if let Some(legacy) = &*place.legacy.load() {
                ring.inherit(legacy);
            }
            Live::new(ring)
        });
        let rings = Self {
            live: live.collect(),
            known: ArcSwap::default(),
            making: Mutex::default(),
        };
        rings.publish(generation);
        rings
    }

    /// Puts what all rings know into force, with `making` held where others may do the same.
    pub(super) fn publish(&self, generation: u64) {
        let mut all = KnownKeys::new(generation);
        for live in self.iter() {
            if let Some(set) = live.ring().set() {
                all.add(set);
            }
        }
        self.known.store(Arc::new(all));
    }

    pub(super) fn iter(&self) -> std::slice::Iter<'_, Live> {
        self.live.iter()
    }

    pub(super) fn get(&self, at: usize) -> Option<&Live> {
        self.live.get(at)
    }

    pub(super) fn making(&self) -> MutexGuard<'_, ()> {
        self.making.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    fn new(ring: Ring) -> Self {
        let (ended, _) = watch::channel(0);
        Self {
            ring: Mutex::new(ring),
            ended,
            saving: Arc::default(),
        }
    }

    pub(super) fn ring(&self) -> MutexGuard<'_, Ring> {
        // A ring is whole after every statement that can panic.
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
