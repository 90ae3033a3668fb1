//! What the tables declare, and what becomes of slots that they declare no more or otherwise.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::state::Now;
use super::{SecretRequest, Secrets, SlotKey, VaultError};

impl Secrets {
    /// Makes these the declared set. A slot that stays declared keeps its value; one that does not is wiped.
    ///
    /// Call it with the requests of a new snapshot just before that snapshot is put in place: its readers then find every
    /// slot.
    pub fn declare(&self, requests: impl IntoIterator<Item = SecretRequest>) {
        self.declare_where(requests, |_| None);
    }

    /// The same, with a word on each vault: whether the rules of the network refuse it. What a rule refuses is not served,
    /// however fresh it is.
    pub(crate) fn declare_where(
        &self,
        requests: impl IntoIterator<Item = SecretRequest>,
        refused: impl Fn(&SecretRequest) -> Option<VaultError>,
    ) {
        let requests: Vec<SecretRequest> = requests.into_iter().collect();
        let now = Now::read(&*self.crew.clock);
        let salt = self.crew.timing.salt;
        let _current = self.table();
        let old = self
            .table
            .rcu(|old| old.next(&requests, salt, self.limits, now.tick));
        let new = self.table.load_full();
        for declared in new.declared.values() {
            let refused = refused(&declared.request);
            let slot = &declared.slot;
            slot.rule(refused.as_ref(), now, &self.crew.timing);
        }
        for (key, declared) in &old.declared {
            match new.declared.get(key) {
                Some(kept) if Arc::ptr_eq(kept, declared) => {}
                Some(kept) => {
                    declared.leave();
                    let terms = kept.request.terms_under(&self.crew.timing);
                    kept.slot.redeclare(terms, now, &self.crew.timing);
                }
                None => {
                    declared.leave();
                    declared.slot.forget(now, &self.crew.timing);
                    self.crew
                        .counters
                        .past_hits
                        .fetch_add(declared.slot.hits(), Ordering::Relaxed);
                }
            }
        }
        // Versions are readable as long as their secret is declared.
        for (key, version) in &new.versions {
            let is_declared = |own: &SlotKey| {
                own.id().name() == key.id().name()
                    && own.id().vault() == key.id().vault()
                    && own.identity() == key.identity()
            };
            if new.declared.keys().any(is_declared) {
                let refused = refused(&version.request);
                version.slot.rule(refused.as_ref(), now, &self.crew.timing);
            } else {
                version.leave();
                version.slot.forget(now, &self.crew.timing);
                new.versions.invalidate(&*key);
            }
        }
    }
}
