//! What is known about one secret, as a state machine without I/O.
//!
//! In: the old state, an event (a fetch landed, somebody looked, somebody forgot) and the time. Out: the next state. A TTL
//! runs on the monotonic tick; `nbf` and `exp` are judged by the wall clock at every read.

use std::time::Duration;

use crate::clock::{Clock, Timestamp};

use super::{Secret, Timing, VaultError};

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) wall: Timestamp,
    pub(super) tick: Duration,
}

impl Now {
    pub(super) fn read(clock: &dyn Clock) -> Self {
        Self {
            wall: clock.now(),
            tick: clock.elapsed(),
        }
    }
}

/// What is known about a secret.
#[derive(Debug)]
pub(super) enum State {
    /// Nothing was asked yet.
    Absent,
    /// A value that may be served.
    Fresh(Lease),
    /// The vault said no, and is not asked again before the tick `until`.
    Negative { error: VaultError, until: Duration },
    /// There was a value; it is wiped.
    Dead(Cause),
}

/// A value and the span in which it may be served.
#[derive(Debug)]
pub(super) struct Lease {
    secret: Secret,
    fetched_at: Duration,
    fresh_until: Duration,
}

/// Why a value is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// Its TTL passed, or its time as the vault set it.
    Over,
    /// The vault said that it is gone, disabled or no longer ours.
    Withdrawn,
    /// Somebody asked to forget it, or no table declares it any more.
    Forgotten,
}

/// What happens to a slot.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// A fetch for a reader with this TTL came back.
    Landed(&'a Result<Secret, VaultError>, Duration),
    /// Time passed.
    Looked,
    /// Forget everything.
    Forgotten,
}

impl Lease {
    /// Whether a reader with this TTL may have the value. Asks for the wall clock only if the value has limits.
    fn serves(&self, ttl: Duration, tick: Duration, wall: impl FnOnce() -> Timestamp) -> bool {
        let validity = self.secret.validity();
        tick < self.fresh_until
            && tick.saturating_sub(self.fetched_at) < ttl
            && (validity.is_timeless() || validity.holds(wall()))
    }

    fn share(&self) -> Self {
        Self {
            secret: self.secret.share(),
            ..*self
        }
    }
}

impl State {
    /// The state after `event` at `now`.
    pub(super) fn next(&self, event: &Event<'_>, now: Now, timing: &Timing) -> Self {
        match event {
            Event::Forgotten => match self {
                Self::Absent => Self::Absent,
                Self::Fresh(_) | Self::Negative { .. } | Self::Dead(_) => {
                    Self::Dead(Cause::Forgotten)
                }
            },
            Event::Looked => self.aged(now),
            Event::Landed(Ok(secret), ttl) => {
                let lifetime = timing.lifetime(*ttl, secret.expires_at(), now.wall);
                if lifetime.is_zero() {
                    return self.unkept(secret, now);
                }
                Self::Fresh(Lease {
                    secret: secret.share(),
                    fetched_at: now.tick,
                    fresh_until: now.tick.saturating_add(lifetime),
                })
            }
            Event::Landed(Err(error), _) => self.failed(error, now, timing),
        }
    }

    /// The value, if it may be served to a reader with this TTL.
    pub(super) fn value(&self, ttl: Duration, clock: &dyn Clock) -> Option<&Secret> {
        match self {
            Self::Fresh(lease) if lease.serves(ttl, clock.elapsed(), || clock.now()) => {
                Some(&lease.secret)
            }
            Self::Fresh(_) | Self::Absent | Self::Negative { .. } | Self::Dead(_) => None,
        }
    }

    /// The error to answer with, while the vault must not be asked again.
    pub(super) fn refusal(&self, now: Now) -> Option<VaultError> {
        match self {
            Self::Negative { error, until } if now.tick < *until => Some(error.clone()),
            Self::Absent | Self::Fresh(_) | Self::Negative { .. } | Self::Dead(_) => None,
        }
    }

    /// The same without what time has ended.
    fn aged(&self, now: Now) -> Self {
        match self {
            Self::Absent => Self::Absent,
            Self::Fresh(lease) if lease.serves(Duration::MAX, now.tick, || now.wall) => {
                Self::Fresh(lease.share())
            }
            Self::Fresh(_) => Self::Dead(Cause::Over),
            Self::Negative { error, until } if now.tick < *until => Self::Negative {
                error: error.clone(),
                until: *until,
            },
            Self::Negative { .. } => Self::Absent,
            Self::Dead(cause) => Self::Dead(*cause),
        }
    }

    /// After a good answer that nobody may keep. What is kept for other readers stays only if it is the same version.
    fn unkept(&self, secret: &Secret, now: Now) -> Self {
        match self {
            Self::Fresh(lease) if lease.secret.version() == secret.version() => self.aged(now),
            Self::Fresh(_) => Self::Dead(Cause::Over),
            Self::Absent | Self::Negative { .. } => Self::Absent,
            Self::Dead(cause) => Self::Dead(*cause),
        }
    }

    /// After a failure: a "no" ends what was known and is remembered for a moment; a vault that cannot answer changes
    /// nothing, and neither is ever kept as a value.
    fn failed(&self, error: &VaultError, now: Now, timing: &Timing) -> Self {
        let pause = match error {
            VaultError::NotFound { .. }
            | VaultError::NoVault { .. }
            | VaultError::Disabled { .. }
            | VaultError::Expired { .. }
            | VaultError::Denied { .. }
            | VaultError::Invalid { .. } => timing.negative_ttl,
            VaultError::NotYetValid { not_before, .. } => {
                let wait = not_before.as_millis().saturating_sub(now.wall.as_millis());
                let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(0));
                timing.negative_ttl.min(wait)
            }
            VaultError::Unavailable { .. }
            | VaultError::Unauthenticated { .. }
            | VaultError::NetworkRefused { .. }
            | VaultError::Firewall { .. }
            | VaultError::Tls { .. }
            | VaultError::Throttled { .. }
            | VaultError::Integrity { .. }
            | VaultError::WrongKey { .. }
            | VaultError::Io { .. } => return self.aged(now),
        };
        if pause.is_zero() {
            return Self::Dead(Cause::Withdrawn);
        }
        Self::Negative {
            error: error.clone(),
            until: now.tick.saturating_add(pause),
        }
    }
}
