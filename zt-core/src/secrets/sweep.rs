//! What happens once a second whether anybody reads or not: values that are over are wiped, values that are read are
//! refreshed before they are, and a machine that slept finds its values as old as they are.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Timestamp;

use super::counters::count;
use super::state::{Now, State};
use super::table::Declared;
use super::{SecretVersion, Secrets};

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
            if let Some(start) = declared.slot.again(&*self.crew.clock) {
                let _may_have_no_runtime = self.launch(&declared, &declared.request, start);
            } else if !declared.slot.is_idle(now.tick) {
                self.refresh_beside(&declared);
            }
            self.report_near_end(&declared, now.wall);
        }
    }

    /// How much longer the wall clock says that the time since the last jump was. Short sleeps add up until they count.
    fn slept(&self, now: Now) -> Duration {
        let before = self.anchor.load_full();
        let is_set_back = now.wall.as_millis().saturating_sub(before.wall.as_millis())
            < i64::try_from(now.tick.saturating_sub(before.tick).as_millis()).unwrap_or(i64::MAX);
        let slept = now.slept_since(*before);
        if slept.is_zero() && !is_set_back {
            return slept;
        }
        // Of two sweeps at once, one counts.
        let seen = self.anchor.compare_and_swap(&before, Arc::new(now));
        if Arc::ptr_eq(&seen, &before) {
            slept
        } else {
            Duration::ZERO
        }
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
