//! The time that a miss or a refresh has, and how much of it our own queue took.
//!
//! In: when it must be over, and how long one call may take. Out: until when it waits at a gate, how long its next call may
//! take, and whether a call that came to nothing had less time than a call is promised: then the vault is not to blame.

use std::time::Duration;

use tokio::time::Instant;

use super::Timing;
use super::boarding::Purpose;

/// Before the same vault is asked again; and what is left of a fetch when waiting for a place ends, for a call in less time
/// would come to nothing.
pub(super) const BREATH: Duration = Duration::from_millis(100);

/// A wait that is shorter is none: the tasks of a busy executor wait so long for each other.
const NOTABLE: Duration = Duration::from_millis(10);

/// See the module.
#[derive(Debug, Clone, Copy)]
pub(super) struct Course {
    until: Instant,
    each: Duration,
    /// When the vault that is asked now must have answered.
    share: Instant,
    queued: Duration,
}

impl Course {
    /// The whole time, from now on.
    pub(super) fn new(purpose: Purpose, timing: &Timing) -> Self {
        let (whole, each) = match purpose {
            Purpose::Miss => (timing.miss_deadline, timing.attempt_deadline),
            // Nobody waits: the same vault is asked again by the schedule of failures, not at once.
            Purpose::Refresh => (timing.refresh_deadline, timing.refresh_deadline),
        };
        let until = Instant::now() + whole;
        Self {
            until,
            each,
            share: until,
            queued: Duration::ZERO,
        }
    }

    /// Whether no other call fits into what is left.
    pub(super) fn is_over(&self) -> bool {
        self.until.saturating_duration_since(Instant::now()) <= BREATH
    }

    /// The next call leaves time for another vault after it, or takes what there is.
    pub(super) fn turn(&mut self, another_follows: bool) {
        self.share = if another_follows {
            self.until.min(Instant::now() + self.each)
        } else {
            self.until
        };
    }

    /// When waiting at a gate ends.
    pub(super) fn boarding_ends(&self) -> Instant {
        self.share.checked_sub(BREATH).unwrap_or(self.share)
    }

    /// So much went by at a gate.
    pub(super) fn queued(&mut self, since: Instant) {
        self.queued += since.elapsed();
    }

    /// How long a call that begins now may take.
    pub(super) fn deadline(&self) -> Duration {
        let left = self.share.saturating_duration_since(Instant::now());
        self.each.min(left)
    }

    /// Whether a call that took so long was ended by its deadline, and had less time than a call is promised because it had
    /// to wait its turn.
    pub(super) fn was_cut(&self, deadline: Duration, took: Duration) -> bool {
        deadline < self.each && self.queued >= NOTABLE && took + NOTABLE >= deadline
    }
}
