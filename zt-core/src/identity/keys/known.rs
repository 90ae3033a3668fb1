//! Every key that may sign for a profile, by `kid`: what a token is looked up in.

use std::collections::HashMap;
use std::sync::Arc;

use super::key::Key;
use super::set::KeySet;

/// Immutable; a change of any set makes a new one.
#[derive(Debug, Default)]
pub(in crate::identity) struct KnownKeys {
    by_kid: HashMap<Arc<str>, Vec<Arc<Key>>>,
    generation: u64,
}

impl KnownKeys {
    /// No keys, of a generation.
    pub(super) fn new(generation: u64) -> Self {
        Self {
            by_kid: HashMap::new(),
            generation,
        }
    }

    /// The keys of one set.
    pub(in crate::identity) fn of(set: &KeySet) -> Self {
        let mut known = Self::new(0);
        known.add(set);
        known
    }

    /// Adds a set. A tenant's v1.0 and v2.0 sets hold mostly the same keys, each bound to its own format.
    pub(super) fn add(&mut self, set: &KeySet) {
        for key in set.keys() {
            let same = self.by_kid.entry(Arc::clone(key.kid())).or_default();
            same.push(Arc::clone(key));
        }
    }

    /// Keys with this id, one for each tenant and format that it may sign for; empty if it is not known.
    pub(in crate::identity) fn find(&self, kid: &str) -> &[Arc<Key>] {
        self.by_kid.get(kid).map_or(&[], Vec::as_slice)
    }

    /// Rises when a key is gone or another one: what such a key signed is to be verified anew.
    pub(in crate::identity) const fn generation(&self) -> u64 {
        self.generation
    }
}
