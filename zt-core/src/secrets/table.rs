//! The slots and gates of one process: one slot for each declared secret, one gate for each vault.
//!
//! Immutable but for what the slots and gates keep inside; a reload and a fork make a new one. Slots of versions that nobody
//! declared stand in a bounded cache beside, by their key; it owns no bytes, the slots do.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use moka::sync::Cache;
use tokio::sync::Semaphore;

use crate::process;

use super::counters::Counters;
use super::gate::{Gate, GateLimits};
use super::slot::Slot;
use super::spread::Spread;
use super::{SecretRequest, SlotKey, VaultUrl};

/// Slots of single versions at a time.
const MOST_VERSIONS: u64 = 1_000;
/// A version that nobody asked for in so long is wiped.
const IDLE_VERSION: Duration = Duration::from_secs(60 * 60);

pub(super) struct Table {
    process: u64,
    pub(super) declared: HashMap<SlotKey, Arc<Declared>>,
    pub(super) gates: HashMap<VaultUrl, Arc<Gatekeeper>>,
    pub(super) versions: Cache<SlotKey, Arc<Declared>>,
}

/// A slot and what its table says of it.
#[derive(Debug)]
pub(super) struct Declared {
    pub(super) slot: Arc<Slot>,
    pub(super) request: SecretRequest,
    process: u64,
    /// Another one took its place, or no table declares it any more: whoever kept it looks it up again.
    is_gone: AtomicBool,
}

/// A gate and the room behind it.
#[derive(Debug)]
pub(super) struct Gatekeeper {
    gate: Mutex<Gate>,
    pub(super) room: Semaphore,
}

impl Table {
    /// With counters that take over the hits of the single versions which leave.
    pub(super) fn empty(counters: &Arc<Counters>) -> Self {
        let counters = Arc::clone(counters);
        Self {
            process: process::generation(),
            declared: HashMap::new(),
            gates: HashMap::new(),
            versions: Cache::builder()
                .max_capacity(MOST_VERSIONS)
                .time_to_idle(IDLE_VERSION)
                // No "forget" reaches it any more.
                .eviction_listener(move |_, version: Arc<Declared>, _| {
                    version.leave();
                    counters.past(version.slot.hits());
                })
                .build(),
        }
    }

    /// The table of these requests. What is declared as before keeps its slot; vaults keep their gates.
    pub(super) fn next(
        &self,
        requests: &[SecretRequest],
        salt: u64,
        limits: GateLimits,
        now: Duration,
    ) -> Self {
        let mut declared: HashMap<SlotKey, Arc<Declared>> = HashMap::with_capacity(requests.len());
        let mut orphans = self.orphans(requests);
        let mut gates = HashMap::new();
        for request in requests {
            let vaults = [Some(request.key().id().vault()), request.fallback()];
            for vault in vaults.into_iter().flatten() {
                let kept = || self.gates.get(vault).map(Arc::clone);
                let gate = || kept().unwrap_or_else(|| Arc::new(Gatekeeper::new(limits, now)));
                let _gate = gates.entry(vault.clone()).or_insert_with(gate);
            }
            // Rows that name one secret and the same second vault twice share its slot; the first row's times drive its
            // refreshes.
            declared.entry(request.key().clone()).or_insert_with(|| {
                let kept = self.declared.get(request.key()).map(Arc::clone);
                match kept.or_else(|| orphans.remove(request.alone().key())) {
                    Some(kept) if kept.request == *request => kept,
                    Some(kept) => Arc::new(Declared::with(Arc::clone(&kept.slot), request)),
                    None => Arc::new(Declared::new(request, salt)),
                }
            });
        }
        Self {
            process: self.process,
            declared,
            gates,
            versions: self.versions.clone(),
        }
    }

    /// What these requests do not name any more, without its second vault: a row that is given another one keeps its value.
    fn orphans(&self, requests: &[SecretRequest]) -> HashMap<SlotKey, Arc<Declared>> {
        let named: HashSet<&SlotKey> = requests.iter().map(SecretRequest::key).collect();
        let orphans = self.declared.iter().filter(|(key, _)| !named.contains(key));
        orphans
            .map(|(_, own)| (own.request.alone().key().clone(), Arc::clone(own)))
            .collect()
    }

    /// The same declarations with nothing known: what a forked child begins with.
    pub(super) fn reborn(
        &self,
        salt: u64,
        limits: GateLimits,
        now: Duration,
        counters: &Arc<Counters>,
    ) -> Self {
        let requests: Vec<SecretRequest> = self
            .declared
            .values()
            .map(|declared| declared.request.clone())
            .collect();
        let born = Self::empty(counters).next(&requests, salt, limits, now);
        for (key, declared) in &born.declared {
            let old = self.declared.get(key);
            if let Some(refused) = old.and_then(|old| old.slot.forbidden()) {
                declared.slot.refuse(&refused);
            }
        }
        born
    }

    pub(super) fn is_of_this_process(&self) -> bool {
        self.process == process::generation()
    }

    /// The slot of a request: a declared one, or that of a single version of a declared secret.
    pub(super) fn find(&self, key: &SlotKey) -> Option<Arc<Declared>> {
        let declared = self.declared.get(key).map(Arc::clone);
        declared.or_else(|| self.versions.get(key))
    }

    /// The slot of one version, made if need be.
    pub(super) fn version(&self, request: &SecretRequest, salt: u64) -> Arc<Declared> {
        self.find(request.key()).unwrap_or_else(|| {
            let make = || Arc::new(Declared::new(request, salt));
            self.versions.get_with_by_ref(request.key(), make)
        })
    }

    pub(super) fn all(&self) -> impl Iterator<Item = Arc<Declared>> {
        let declared = self.declared.values().map(Arc::clone);
        declared.chain(self.versions.iter().map(|(_, version)| version))
    }
}

impl Declared {
    fn new(request: &SecretRequest, salt: u64) -> Self {
        let slot = Slot::new(Spread::of(request.key(), salt));
        Self::with(Arc::new(slot), request)
    }

    fn with(slot: Arc<Slot>, request: &SecretRequest) -> Self {
        Self {
            slot,
            request: request.clone(),
            process: process::generation(),
            is_gone: AtomicBool::new(false),
        }
    }

    /// Whether whoever kept it may go on.
    pub(super) fn is_current(&self) -> bool {
        !self.is_gone.load(Ordering::Acquire) && self.process == process::generation()
    }

    pub(super) fn leave(&self) {
        self.is_gone.store(true, Ordering::Release);
    }
}

impl Gatekeeper {
    fn new(limits: GateLimits, now: Duration) -> Self {
        Self {
            gate: Mutex::new(Gate::new(limits, now)),
            room: Semaphore::new(limits.concurrent),
        }
    }

    /// Held for a few instructions, never over a wait.
    pub(super) fn gate(&self) -> MutexGuard<'_, Gate> {
        self.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
