//! Both clocks at one moment, and what they say of a machine that slept in between.

use std::time::Duration;

use crate::clock::{Clock, Timestamp};

/// The wall clock may drift from the tick by so much: more is a machine that slept, or a clock that was set. Either way a
/// value is taken to be as old as the wall clock says, never younger.
const DRIFT: Duration = Duration::from_secs(5);

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Now {
    pub(crate) wall: Timestamp,
    pub(crate) tick: Duration,
}

impl Now {
    pub(crate) fn read(clock: &dyn Clock) -> Self {
        Self {
            wall: clock.now(),
            tick: clock.elapsed(),
        }
    }

    /// How much longer than the tick the wall clock says that the time since `before` was, if that is more than drift.
    pub(crate) fn slept_since(self, before: Self) -> Duration {
        let wall = self
            .wall
            .as_millis()
            .saturating_sub(before.wall.as_millis());
        let wall = Duration::from_millis(u64::try_from(wall).unwrap_or(0));
        let slept = wall.saturating_sub(self.tick.saturating_sub(before.tick));
        if slept > DRIFT { slept } else { Duration::ZERO }
    }
}
