//! The end of a fetch, which comes whatever becomes of its task.

use std::sync::Weak;

use super::cache::KeyCache;
use super::fetch::{FetchError, Fetched};

/// Ends a fetch, also where its task panics, is dropped or never runs: nobody waits for what is lost.
pub(super) struct Ending {
    cache: Weak<KeyCache>,
    at: usize,
    number: u64,
    /// Whether it is the fetch that ends, or the patience of those who wait.
    is_fetch: bool,
}

impl Ending {
    pub(super) fn new(cache: &Weak<KeyCache>, at: usize, number: u64, is_fetch: bool) -> Self {
        Self {
            cache: Weak::clone(cache),
            at,
            number,
            is_fetch,
        }
    }

    pub(super) fn with(self, fetched: Result<Fetched, FetchError>) {
        if let Some(cache) = self.cache.upgrade() {
            cache.finish(self.at, self.number, fetched);
        }
    }
}

impl Drop for Ending {
    fn drop(&mut self) {
        let Some(cache) = self.cache.upgrade() else {
            return;
        };
        if self.is_fetch {
            // Nothing, if it has ended before.
            cache.finish(self.at, self.number, Err(FetchError::Lost));
        } else {
            cache.end(self.at, self.number);
        }
    }
}
