//! Which slots there are: those that the tables declare, in the process that is running.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::Guard;

use super::slot::Slot;
use super::state::Now;
use super::table::{Declared, Table};
use super::{SecretId, SecretRequest, Secrets, SlotKey, VaultError};

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
        refused: impl Fn(&SecretId) -> Option<VaultError>,
    ) {
        let requests: Vec<SecretRequest> = requests.into_iter().collect();
        let now = Now::read(&*self.crew.clock);
        let salt = self.crew.timing.salt;
        let _current = self.table();
        let old = self
            .table
            .rcu(|old| old.next(&requests, salt, self.limits, now.tick));
        let new = self.table.load_full();
        let (were, are) = (by_slot(&old), by_slot(&new));
        for (slot, declared) in &are {
            self.judge(declared, were.get(slot).copied(), now, &refused);
        }
        for (slot, declared) in &were {
            match are.get(slot) {
                Some(kept) if Arc::ptr_eq(kept, declared) => {}
                Some(kept) => {
                    declared.leave();
                    let terms = kept.request.terms_under(&self.crew.timing);
                    kept.slot.redeclare(terms, now, &self.crew.timing);
                }
                None => {
                    declared.leave();
                    declared.slot.forget(now, &self.crew.timing);
                    self.crew.counters.past(declared.slot.hits());
                }
            }
        }
        self.judge_versions(&new, now, &refused);
    }

    /// What a slot may go on with under the row that it has now.
    fn judge(
        &self,
        declared: &Declared,
        before: Option<&Arc<Declared>>,
        now: Now,
        refused: &impl Fn(&SecretId) -> Option<VaultError>,
    ) {
        let slot = &declared.slot;
        let by_rule = refused(declared.request.key().id());
        slot.rule(by_rule.as_ref(), now, &self.crew.timing);
        if before.is_some_and(|before| !before.request.asks_as(&declared.request))
            || declared.request.sources().any(|id| refused(&id).is_some())
        {
            slot.divert();
        }
        if is_strange(declared, &declared.request, refused) {
            slot.forget(now, &self.crew.timing);
        }
    }

    /// Versions are readable as long as their secret is declared.
    fn judge_versions(
        &self,
        new: &Table,
        now: Now,
        refused: &impl Fn(&SecretId) -> Option<VaultError>,
    ) {
        for (key, version) in &new.versions {
            let is_declared = |own: &SlotKey| {
                own.id().name() == key.id().name()
                    && own.id().vault() == key.id().vault()
                    && own.identity() == key.identity()
            };
            // It asks whom its row names now: one that was made for another row is made anew.
            let mut rows = new.declared.iter().filter(|(own, _)| is_declared(own));
            let is_current = rows.any(|(_, row)| row.request.asks_as(&version.request))
                && !is_strange(&version, &version.request, refused);
            if is_current {
                let by_rule = refused(version.request.key().id());
                version.slot.rule(by_rule.as_ref(), now, &self.crew.timing);
                if version.request.sources().any(|id| refused(&id).is_some()) {
                    version.slot.divert();
                }
            } else {
                version.leave();
                version.slot.forget(now, &self.crew.timing);
                new.versions.invalidate(&*key);
            }
        }
    }

    /// The table of this process: a forked child begins with empty slots. The parent's table is left alone, for dropping it
    /// could wait for a thread that is not there.
    pub(super) fn table(&self) -> Guard<Arc<Table>> {
        let table = self.table.load();
        if table.is_of_this_process() {
            return table;
        }
        self.begin_anew();
        self.table.load()
    }

    #[cold]
    fn begin_anew(&self) {
        let now = self.crew.clock.elapsed();
        // Siblings refresh at other moments than each other.
        let salt = self.crew.timing.salt ^ u64::from(std::process::id());
        let limits = self.limits;
        let old = self.table.rcu(|old| match old.is_of_this_process() {
            true => Arc::clone(old),
            false => Arc::new(old.reborn(salt, limits, now, &self.crew.counters)),
        });
        if !old.is_of_this_process() {
            Box::leak(Box::new(old));
        }
    }
}

/// The declared ones by their slot, which may pass from one row to another.
fn by_slot(table: &Table) -> HashMap<*const Slot, &Arc<Declared>> {
    let declared = table.declared.values();
    declared
        .map(|declared| (Arc::as_ptr(&declared.slot), declared))
        .collect()
}

/// Whether what is held came from a vault that the request does not name any more, or that the rules refuse: it ends with that
/// vault's row, or with its name in the reference.
fn is_strange(
    declared: &Declared,
    request: &SecretRequest,
    refused: &impl Fn(&SecretId) -> Option<VaultError>,
) -> bool {
    declared.slot.origin().is_some_and(|origin| {
        let source = request.sources().find(|id| *id.vault() == origin);
        source.is_none_or(|source| refused(&source).is_some())
    })
}
