//! What happens once a second whether anybody reads or not: values that are over are wiped, values that are read are
//! refreshed before they are, and a machine that slept finds its values as old as they are.

use std::time::Duration;

use crate::clock::Timestamp;

use super::counters::count;
use super::state::{Now, State};
use super::table::Declared;
use super::{SecretVersion, Secrets};

/// The wall clock may drift from the tick by so much between two sweeps: more is a machine that slept, or a clock that was
/// set. Either way a value is taken to be as old as the wall clock says, never younger.
const DRIFT: Duration = Duration::from_secs(5);

/// How long before its `exp` a value is reported, once each for a version.
const NEAR: [Duration; 3] = [
    Duration::from_secs(24 * 60 * 60),
    Duration::from_secs(7 * 24 * 60 * 60),
    Duration::from_secs(30 * 24 * 60 * 60),
];

/// The last report of a slot: a version, and how near its end was.
pub(super) type Reported = Option<(SecretVersion, usize)>;

impl Secrets {
    /// Wipes the values whose time is over, and refreshes those that are due and were read within two TTLs. Worth calling
    /// about once a second. Without an executor of its own ([`on`](Self::on)) it must be called within a tokio runtime to
    /// refresh anything.
    pub fn sweep(&self) {
        let now = Now::read(&*self.crew.clock);
        let slept = self.slept(now);
        let table = self.table();
        table.versions.run_pending_tasks();
        for declared in table.all() {
            declared.slot.age(now, &self.crew.timing, slept);
            if !declared.slot.is_idle(now.tick) {
                self.refresh_beside(&declared);
            }
            self.report_near_end(&declared, now.wall);
        }
    }

    /// How much longer the wall clock says that the time since the last sweep was.
    fn slept(&self, now: Now) -> Duration {
        let tick = u64::try_from(now.tick.as_millis()).unwrap_or(u64::MAX);
        let before = self
            .swept_at
            .swap(std::sync::Arc::new(Some((now.wall.as_millis(), tick))));
        let Some((wall_before, tick_before)) = *before else {
            return Duration::ZERO;
        };
        let wall = now.wall.as_millis().saturating_sub(wall_before);
        let wall = Duration::from_millis(u64::try_from(wall).unwrap_or(0));
        let ticked = Duration::from_millis(tick.saturating_sub(tick_before));
        let drift = wall.saturating_sub(ticked);
        if drift > DRIFT { drift } else { Duration::ZERO }
    }

    fn report_near_end(&self, declared: &Declared, wall: Timestamp) {
        let held = declared.slot.look(|state, _| match state {
            State::Held(held) => held
                .secret
                .expires_at()
                .map(|expires| (held.secret.version(), expires)),
            State::Absent | State::Negative { .. } | State::Forbidden(_) | State::Dead(_) => None,
        });
        let Some((version, expires)) = held else {
            return;
        };
        let left = expires.as_millis().saturating_sub(wall.as_millis());
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        let Some(level) = NEAR.iter().position(|near| left < *near) else {
            return;
        };
        if declared.slot.reports((version, level)) {
            count(&self.crew.counters.near_expiry);
            let id = declared.request.key().id();
            tracing::warn!(target: "zt::secrets", secret = %id, %version, %expires, "a secret is about to expire");
        }
    }
}
