//! The guard in force: everybody who connects asks the same place, and a change of the tables counts with the next request.
//!
//! In: a [`Guard`], then the next. Out: the one that counts now. Never: a lock, or a mixture of two guards.

use std::sync::Arc;

use arc_swap::ArcSwap;

use super::Guard;
use super::seen::Seen;

/// A [`Guard`] that is replaced when the tables change. A clone is the same place, not a copy: who holds one sees every
/// replacement, on any thread.
///
/// ```
/// use zt_core::identity::Cloud;
/// use zt_core::network::{Guard, LiveGuard};
///
/// let live = LiveGuard::new(Guard::new());
/// let asked_by_a_client = live.clone();
/// live.replace(Guard::for_identity(Cloud::Public));
/// assert!(asked_by_a_client.current().route("https://graph.microsoft.com/").is_ok());
/// ```
#[derive(Debug, Clone)]
pub struct LiveGuard(Arc<Place>);

#[derive(Debug)]
struct Place {
    guard: ArcSwap<Guard>,
    seen: Seen,
}

impl LiveGuard {
    /// With this guard in force.
    #[must_use]
    pub fn new(guard: Guard) -> Self {
        Self(Arc::new(Place {
            guard: ArcSwap::from_pointee(guard),
            seen: Seen::default(),
        }))
    }

    /// Puts the next guard in force. Requests that ask later are judged by it alone; an answer that is under way is judged by
    /// it when it arrives.
    pub fn replace(&self, next: Guard) {
        self.0.guard.store(Arc::new(next));
    }

    /// The guard in force.
    #[must_use]
    pub fn current(&self) -> Arc<Guard> {
        self.0.guard.load_full()
    }

    /// What clients behind it saw of their hosts.
    pub(crate) fn seen(&self) -> &Seen {
        &self.0.seen
    }
}

impl From<Guard> for LiveGuard {
    fn from(guard: Guard) -> Self {
        Self::new(guard)
    }
}
