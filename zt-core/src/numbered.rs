//! A shared value that is replaced now and then, and the number of its edition: whoever rests on the value learns from one
//! atomic load whether it is still the one, and need not hold it for that.
//!
//! Read the number before the value: then an equal number later says that the value has not been replaced since. A
//! replacement that is under way may still show the old number, as if it came a moment later; once [`Numbered::store`]
//! has returned, nobody sees it any more.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::{ArcSwapAny, Guard, RefCnt};

/// The value, for many readers and few writers.
pub(crate) struct Numbered<T: RefCnt> {
    value: ArcSwapAny<T>,
    edition: AtomicU64,
}

/// One of the values that a [`Numbered`] has had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Edition(u64);

impl<T: RefCnt> Numbered<T> {
    pub(crate) fn new(first: T) -> Self {
        Self {
            value: ArcSwapAny::new(first),
            edition: AtomicU64::new(0),
        }
    }

    /// The number of the value that [`load`](Self::load) gives now, or of one before it.
    pub(crate) fn edition(&self) -> Edition {
        Edition(self.edition.load(Ordering::Acquire))
    }

    pub(crate) fn load(&self) -> Guard<T> {
        self.value.load()
    }

    pub(crate) fn load_full(&self) -> T {
        self.value.load_full()
    }

    pub(crate) fn store(&self, next: T) {
        self.value.store(next);
        self.edition.fetch_add(1, Ordering::AcqRel);
    }
}

impl<T: RefCnt> fmt::Debug for Numbered<T>
where
    T::Base: fmt::Debug,
    T: fmt::Debug,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.value, f)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;

    #[test]
    fn each_replacement_has_a_number_of_its_own() {
        let value = Numbered::new(Arc::new(1));
        let first = value.edition();
        assert_eq!((*value.load_full(), value.edition()), (1, first));
        value.store(Arc::new(2));
        let second = value.edition();
        assert_ne!(first, second);
        // The same value again is a replacement too.
        value.store(value.load_full());
        assert_ne!(second, value.edition());
    }

    #[test]
    fn an_edition_that_still_counts_has_not_been_replaced() {
        let value = Numbered::new(Arc::new(0_u64));
        let stored = AtomicU64::new(0);
        thread::scope(|scope| {
            scope.spawn(|| {
                for next in 1..=20_000 {
                    value.store(Arc::new(next));
                    stored.store(next, Ordering::Release);
                }
            });
            scope.spawn(|| {
                while stored.load(Ordering::Acquire) < 20_000 {
                    let edition = value.edition();
                    let seen = **value.load();
                    let done = stored.load(Ordering::Acquire);
                    // What was stored for good before the look must show in the number.
                    if value.edition() == edition {
                        assert!(seen >= done, "{seen} counts, {done} is stored");
                    }
                }
            });
        });
    }
}
