//! What a new set does to the keys that are there.

use std::sync::Arc;
use std::time::Duration;

use super::super::key::Key;
use super::super::life::Moment;
use super::super::set::KeySet;
use super::{Change, GRACE, Ring};

impl Ring {
    /// Takes a new set. A key that it lacks stays until a second set, at least ten minutes later, lacks it too: one partial
    /// answer must not sign everybody out.
    pub(super) fn replace(&mut self, mut next: KeySet, now: Duration) -> Change {
        let mut change = Change::default();
        if !self.again && std::mem::take(&mut self.takes_all) {
            self.missing.clear();
            self.set_aside(&next, &mut change);
        }
        let old = self.set.take();
        let old_keys = || old.iter().flat_map(KeySet::keys);
        for key in old_keys() {
            match next.find(key.kid()) {
                Some(same) if same.is_same(key) => drop(self.missing.remove(key.kid())),
                Some(_) => {
                    self.missing.remove(key.kid());
                    change.dropped.push(Arc::clone(key.kid()));
                }
                None => self.keep_or_drop(key, &mut next, now, &mut change),
            }
        }
        for key in next.keys() {
            if !old_keys().any(|old| old.is_same(key)) {
                change.added.push(Arc::clone(key.kid()));
            }
        }
        self.set = Some(next);
        change
    }

    /// Drops every key that the next set does not list.
    fn set_aside(&mut self, next: &KeySet, change: &mut Change) {
        let own = self.set.iter().flat_map(KeySet::keys);
        let gone = own
            .map(|key| key.kid())
            .filter(|kid| next.find(kid).is_none());
        let gone: Vec<Arc<str>> = gone.map(Arc::clone).collect();
        self.drop_keys(&gone);
        change.dropped.extend(gone);
    }

    fn keep_or_drop(
        &mut self,
        key: &Arc<Key>,
        next: &mut KeySet,
        now: Duration,
        change: &mut Change,
    ) {
        let kid = key.kid();
        let since = *self.missing.entry(Arc::clone(kid)).or_insert(now);
        if now.saturating_sub(since) >= GRACE {
            self.missing.remove(kid);
            change.dropped.push(Arc::clone(kid));
        } else {
            next.keep(key);
        }
    }

    /// The set has not changed since it lacked these keys.
    pub(super) fn drop_missing(&mut self, now: Duration) -> Change {
        let gone = |since: &Duration| now.saturating_sub(*since) >= GRACE;
        let dropped: Vec<Arc<str>> = self
            .missing
            .iter()
            .filter(|(_, since)| gone(since))
            .map(|(kid, _)| Arc::clone(kid))
            .collect();
        self.drop_keys(&dropped);
        Change {
            added: Vec::new(),
            dropped,
        }
    }

    /// Drops at once what the newest set does not list, and makes a fetch due whose set counts alone.
    pub(in super::super) fn purge(&mut self, now: Moment) -> Change {
        self.due = now.tick;
        self.failures = 0;
        self.takes_all = true;
        self.again = self.fetching.is_some();
        self.etag = None;
        self.metadata = None;
        let dropped: Vec<Arc<str>> = self.missing.keys().map(Arc::clone).collect();
        self.drop_keys(&dropped);
        Change {
            added: Vec::new(),
            dropped,
        }
    }

    fn drop_keys(&mut self, kids: &[Arc<str>]) {
        for kid in kids {
            self.missing.remove(kid);
            if let Some(set) = &mut self.set {
                set.remove(kid);
            }
        }
    }
}
