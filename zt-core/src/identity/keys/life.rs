//! How long fetched keys live: measured on both clocks, so that neither a suspended machine nor a wall clock set back makes
//! old keys young.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crate::clock::{Clock, Timestamp};

/// A moment on both clocks.
#[derive(Debug, Clone, Copy)]
pub(in crate::identity) struct Moment {
    pub(super) tick: Duration,
    pub(super) wall: Timestamp,
}

impl Moment {
    pub(in crate::identity) fn now(clock: &dyn Clock) -> Self {
        Self {
            tick: clock.elapsed(),
            wall: clock.now(),
        }
    }

    /// A moment that was read elsewhere.
    pub(in crate::identity) const fn at(tick: Duration, wall: Timestamp) -> Self {
        Self { tick, wall }
    }

    /// The monotonic tick.
    pub(in crate::identity) const fn tick(self) -> Duration {
        self.tick
    }

    /// The wall clock.
    pub(in crate::identity) const fn wall(self) -> Timestamp {
        self.wall
    }

    /// The time since `then`, by the clock that says more.
    pub(in crate::identity) fn since(self, then: Self) -> Duration {
        let by_tick = self.tick.saturating_sub(then.tick);
        let ms = self.wall.as_millis().saturating_sub(then.wall.as_millis());
        by_tick.max(Duration::from_millis(u64::try_from(ms).unwrap_or(0)))
    }
}

/// Until when the keys of a set may be used; shared by the set's keys, and put off by every good fetch.
#[derive(Debug, Default)]
pub(in crate::identity) struct Life {
    tick_ms: AtomicU64,
    wall_ms: AtomicI64,
}

impl Life {
    /// Ends `limit` after `then`.
    pub(super) fn put_off(&self, then: Moment, limit: Duration) {
        let tick = then.tick.saturating_add(limit).as_millis();
        let tick_ms = u64::try_from(tick).unwrap_or(u64::MAX);
        self.tick_ms.store(tick_ms, Ordering::Release);
        self.wall_ms
            .store(then.wall.after(limit).as_millis(), Ordering::Release);
    }

    pub(super) fn is_over(&self, now: Moment) -> bool {
        now.tick.as_millis() >= u128::from(self.tick_ms.load(Ordering::Acquire))
            || now.wall.as_millis() >= self.wall_ms.load(Ordering::Acquire)
    }
}
