//! What the slots have done since the process began, as numbers.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// What a [`Secrets`](super::Secrets) has done since it was made. Each number only grows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Counts {
    /// Reads served from a slot.
    pub hits: u64,
    /// Of these, values that had outlived their TTL because the vault could not answer.
    pub stale: u64,
    /// Reads that had to wait for the vault or were refused.
    pub misses: u64,
    /// Reads answered by a "no" that was still believed.
    pub negative: u64,
    /// Calls to the vaults.
    pub fetches: u64,
    /// Fetches that gave no usable value.
    pub failures: u64,
    /// Refreshes ahead that gave one.
    pub refreshes: u64,
    /// Calls to a second vault.
    pub failovers: u64,
    /// Fetches that a closed gate turned away without a call.
    pub turned_away: u64,
    /// How often a gate closed: by a pause that the vault asked for, or because it did not answer.
    pub closings: u64,
    /// Values that came close to their `exp`: at 30 days, 7 days and 1 day before, each once for a version.
    pub near_expiry: u64,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) stale: AtomicU64,
    pub(super) misses: AtomicU64,
    pub(super) negative: AtomicU64,
    pub(super) fetches: AtomicU64,
    pub(super) failures: AtomicU64,
    pub(super) refreshes: AtomicU64,
    pub(super) failovers: AtomicU64,
    pub(super) turned_away: AtomicU64,
    pub(super) closings: AtomicU64,
    pub(super) near_expiry: AtomicU64,
    /// Hits of slots that are gone, added by whoever lets go of one.
    past_hits: AtomicU64,
    /// The most hits that anybody was told: a slot that is just leaving is in neither sum.
    told_hits: AtomicU64,
}

/// Statistics order nothing: relaxed.
pub(super) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    /// Takes over the hits of a slot that is gone.
    pub(super) fn past(&self, hits: u64) {
        self.past_hits.fetch_add(hits, Ordering::Relaxed);
    }

    /// The numbers, with the hits that the slots counted.
    pub(super) fn read(&self, hits: u64) -> Counts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let hits = hits.saturating_add(read(&self.past_hits));
        Counts {
            hits: hits.max(self.told_hits.fetch_max(hits, Ordering::Relaxed)),
            stale: read(&self.stale),
            misses: read(&self.misses),
            negative: read(&self.negative),
            fetches: read(&self.fetches),
            failures: read(&self.failures),
            refreshes: read(&self.refreshes),
            failovers: read(&self.failovers),
            turned_away: read(&self.turned_away),
            closings: read(&self.closings),
            near_expiry: read(&self.near_expiry),
        }
    }
}
