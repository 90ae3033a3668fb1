//! For how long our own identity kept the calls of one vault waiting.
//!
//! In: when a token is asked for and when that is over. Out: the time so far in which somebody waited for one; who asks twice
//! knows how much of their own time it was. Of a vault's client the first call goes alone, and later ones share its token: all
//! of them wait while one asks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// See the module.
#[derive(Debug, Default)]
pub(super) struct OwnTime(Mutex<Spent>);

#[derive(Debug, Default)]
struct Spent {
    /// Up to the last moment at which nobody asked.
    past: Duration,
    asking: usize,
    since: Option<Instant>,
}

/// A question under way. However it ends, its time does.
pub(super) struct Asking(Arc<OwnTime>);

impl OwnTime {
    pub(super) fn ask(self: &Arc<Self>) -> Asking {
        let mut spent = self.lock();
        spent.asking += 1;
        if spent.since.is_none() {
            spent.since = Some(Instant::now());
        }
        Asking(Arc::clone(self))
    }

    pub(super) fn total(&self) -> Duration {
        let spent = self.lock();
        let current = spent.since.map(|since| since.elapsed());
        spent.past.saturating_add(current.unwrap_or_default())
    }

    /// A panic cannot leave it half changed in a way that matters: it is a measure.
    fn lock(&self) -> MutexGuard<'_, Spent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Asking {
    fn drop(&mut self) {
        let mut spent = self.0.lock();
        spent.asking = spent.asking.saturating_sub(1);
        if spent.asking == 0
            && let Some(since) = spent.since.take()
        {
            spent.past = spent.past.saturating_add(since.elapsed());
        }
    }
}
