//! What is known about one secret, as a state machine without I/O.
//!
//! In: the old state, an event (a fetch landed, time passed, somebody forgot, a rule changed) and the time. Out: the next
//! state. A TTL runs on the monotonic tick; `nbf` and `exp` are judged by the wall clock at every read, and `exp` by the
//! tick as well, so that a wall clock that is set back revives nothing.

use std::time::Duration;

use crate::clock::{Clock, Timestamp};

pub(super) use super::now::Now;
use super::request::Terms;
use super::spread::{LONGEST_TOLD, Spread};
use super::verdict::Verdict;
use super::{FetchError, Secret, Timing, VaultError};

/// What is known about a secret.
#[derive(Debug)]
pub(super) enum State {
    /// Nothing was asked yet.
    Absent,
    /// A value, and how its refreshes went.
    Held(Held),
    /// The vault said no, and is not asked again before the tick `until`.
    Negative { error: FetchError, until: Duration },
    /// The rules of the network no longer name its vault: nothing is served, nobody is asked.
    Forbidden(VaultError),
    /// There was a value; it is wiped.
    Dead(Cause),
}

/// A value, with the ages at which it changes. Fresh, then due for a refresh, then stale, then over.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) secret: Secret,
    fetched_at: Duration,
    /// Time that passed while the tick stood still: the machine slept.
    slept: Duration,
    pub(super) lifetime: Duration,
    refresh_after: Duration,
    max_stale: Duration,
    /// When `exp` comes.
    ends_after: Option<Duration>,
    pub(super) trouble: Option<Trouble>,
}

/// How it goes since the vault last answered.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub(super) error: FetchError,
    pub(super) failures: u32,
    /// The tick before which the vault is not asked again for this secret.
    retry_at: Duration,
    /// The tick of the first "there is none".
    missing_since: Option<Duration>,
}

/// A value for a reader.
#[derive(Debug)]
pub(super) struct Serving {
    pub(super) secret: Secret,
    /// Whether the vault should be asked for a newer one beside.
    pub(super) is_due: bool,
}

/// Why a value is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// Its time passed, as the reference or the vault set it.
    Over,
    /// The vault said that it is gone, disabled or no longer ours.
    Withdrawn,
    /// Somebody asked to forget it, or no table declares it any more.
    Forgotten,
}

impl Cause {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Over => "its time is over",
            Self::Withdrawn => "the vault withdrew it",
            Self::Forgotten => "it was to be forgotten",
        }
    }
}

/// What happens to a slot.
#[derive(Debug)]
pub(super) enum Event<'a> {
    /// A fetch for a reader with these terms came back.
    Landed(&'a Result<Secret, FetchError>, Terms),
    /// Time passed. A value that nobody reads is not kept beyond its TTL.
    Looked { is_idle: bool },
    /// So much time passed while the tick stood still.
    Slept(Duration),
    /// Forget everything.
    Forgotten,
    /// The rules of the network refuse the vault, or do not any more.
    Ruled(Option<&'a VaultError>),
    /// The tables now declare these terms: what is held is not kept for longer.
    Redeclared(Terms),
}

impl Held {
    pub(super) fn age(&self, tick: Duration) -> Duration {
        tick.saturating_sub(self.fetched_at)
            .saturating_add(self.slept)
    }

    /// The value, if a reader with these terms may have it. Asks for the wall clock only if the value has limits.
    pub(super) fn serve(
        &self,
        terms: &Terms,
        tick: Duration,
        wall: impl FnOnce() -> Timestamp,
    ) -> Option<Serving> {
        let age = self.age(tick);
        let validity = self.secret.validity();
        let is_valid = self.ends_after.is_none_or(|end| age < end)
            && (validity.is_timeless() || validity.holds(wall()));
        // A reader who keeps nothing takes nothing that is kept, in trouble neither.
        if !is_valid || terms.ttl.is_zero() || !self.secret.is_of_this_process() {
            return None;
        }
        let fresh = self.lifetime.min(terms.ttl);
        let may_ask = self
            .trouble
            .as_ref()
            .is_none_or(|trouble| trouble.retry_at <= tick);
        if age < fresh {
            return Some(Serving {
                secret: self.secret.share(),
                is_due: age >= self.refresh_after && may_ask,
            });
        }
        let limit = fresh.saturating_add(self.max_stale.min(terms.max_stale));
        let bridges = self.trouble.as_ref().is_some_and(Trouble::bridges);
        (bridges && age < limit).then(|| Serving {
            secret: self.secret.share_stale(age.saturating_sub(fresh)),
            is_due: may_ask,
        })
    }

    /// Whether it may still be served to somebody, now or once the vault fails to answer.
    fn is_worth_keeping(&self, now: Now, is_idle: bool) -> bool {
        let age = self.age(now.tick);
        let validity = self.secret.validity();
        let limit = if is_idle {
            self.lifetime
        } else {
            self.lifetime.saturating_add(self.max_stale)
        };
        age < limit
            && self.ends_after.is_none_or(|end| age < end)
            && (validity.is_timeless() || validity.holds(now.wall))
    }

    pub(super) fn is_stale(&self, tick: Duration) -> bool {
        self.age(tick) >= self.lifetime
    }

    pub(super) fn is_past_refresh(&self, tick: Duration) -> bool {
        self.age(tick) >= self.refresh_after
    }

    pub(super) fn is_due(&self, tick: Duration) -> bool {
        self.is_past_refresh(tick)
            && self
                .trouble
                .as_ref()
                .is_none_or(|trouble| trouble.retry_at <= tick)
    }

    /// Whether an answer says the same: which version, and when it may be used.
    fn is_as(&self, secret: &Secret) -> bool {
        self.secret.version() == secret.version() && self.secret.validity() == secret.validity()
    }

    fn under(&self, terms: &Terms, spread: Spread) -> Self {
        let lifetime = self.lifetime.min(terms.ttl);
        Self {
            lifetime,
            refresh_after: self.refresh_after.min(spread.refresh_after(lifetime)),
            max_stale: self.max_stale.min(terms.max_stale),
            ..self.with_trouble(self.trouble.clone())
        }
    }

    fn with_trouble(&self, trouble: Option<Trouble>) -> Self {
        Self {
            secret: self.secret.share(),
            trouble,
            ..*self
        }
    }
}

impl State {
    /// The state after `event` at `now`; `None` if it stays.
    pub(super) fn next(
        &self,
        event: &Event<'_>,
        now: Now,
        timing: &Timing,
        spread: Spread,
    ) -> Option<Self> {
        match event {
            Event::Ruled(Some(refused)) => Some(Self::Forbidden((*refused).clone())),
            Event::Ruled(None) => {
                matches!(self, Self::Forbidden(_)).then_some(Self::Dead(Cause::Forgotten))
            }
            Event::Forgotten => {
                let knows = matches!(self, Self::Held(_) | Self::Negative { .. });
                knows.then_some(Self::Dead(Cause::Forgotten))
            }
            Event::Looked { is_idle } => self.aged(now, *is_idle),
            Event::Redeclared(terms) => match self {
                Self::Held(_) if terms.ttl.is_zero() => Some(Self::Dead(Cause::Forgotten)),
                Self::Held(held) => Some(Self::Held(held.under(terms, spread))),
                Self::Absent | Self::Negative { .. } | Self::Forbidden(_) | Self::Dead(_) => None,
            },
            Event::Slept(slept) => match self {
                Self::Held(held) => Some(Self::Held(Held {
                    slept: held.slept.saturating_add(*slept),
                    ..held.with_trouble(held.trouble.clone())
                })),
                Self::Absent | Self::Negative { .. } | Self::Forbidden(_) | Self::Dead(_) => None,
            },
            Event::Landed(..) if matches!(self, Self::Forbidden(_)) => None,
            Event::Landed(Ok(secret), terms) => {
                Some(self.landed(secret, terms, now, timing, spread))
            }
            Event::Landed(Err(error), _) => self.failed(error, now, timing, spread),
        }
    }

    /// What is held, if anything is.
    pub(super) const fn held(&self) -> Option<&Held> {
        match self {
            Self::Held(held) => Some(held),
            Self::Absent | Self::Negative { .. } | Self::Forbidden(_) | Self::Dead(_) => None,
        }
    }

    /// The value, if it may be served to a reader with these terms.
    pub(super) fn serve(
        &self,
        terms: &Terms,
        tick: Duration,
        clock: &dyn Clock,
    ) -> Option<Serving> {
        match self {
            Self::Held(held) => held.serve(terms, tick, || clock.now()),
            Self::Absent | Self::Negative { .. } | Self::Forbidden(_) | Self::Dead(_) => None,
        }
    }

    /// The error to answer with, while the vault must not be asked.
    pub(super) fn refusal(&self, now: Now) -> Option<FetchError> {
        match self {
            Self::Negative { error, until } if now.tick < *until => Some(error.clone()),
            Self::Forbidden(error) => Some(FetchError::new(error.clone(), None)),
            Self::Absent | Self::Held(_) | Self::Negative { .. } | Self::Dead(_) => None,
        }
    }

    /// The same without what time has ended.
    fn aged(&self, now: Now, is_idle: bool) -> Option<Self> {
        match self {
            Self::Held(held) if !held.is_worth_keeping(now, is_idle) => {
                Some(Self::Dead(Cause::Over))
            }
            Self::Negative { until, .. } if *until <= now.tick => Some(Self::Absent),
            Self::Held(_)
            | Self::Absent
            | Self::Negative { .. }
            | Self::Forbidden(_)
            | Self::Dead(_) => None,
        }
    }

    fn landed(
        &self,
        secret: &Secret,
        terms: &Terms,
        now: Now,
        timing: &Timing,
        spread: Spread,
    ) -> Self {
        let left = secret.expires_at().map(|expires| {
            let left = expires.as_millis().saturating_sub(now.wall.as_millis());
            Duration::from_millis(u64::try_from(left).unwrap_or(0))
        });
        let until_margin = left.map_or(Duration::MAX, |left| {
            left.saturating_sub(timing.expiry_margin)
        });
        let lifetime = terms.ttl.min(until_margin);
        if lifetime.is_zero() {
            return self.unkept(secret, now);
        }
        Self::Held(Held {
            secret: secret.share(),
            fetched_at: now.tick,
            slept: Duration::ZERO,
            lifetime,
            refresh_after: spread.refresh_after(lifetime),
            max_stale: terms.max_stale,
            ends_after: left,
            trouble: None,
        })
    }

    /// After a good answer that nobody may keep. What is kept for other readers stays only if it is the same version with
    /// the same limits.
    fn unkept(&self, secret: &Secret, now: Now) -> Self {
        match self {
            Self::Held(held) if held.is_as(secret) => {
                let aged = self.aged(now, false);
                // The vault answers again: what has outlived its TTL is not bridged any more.
                aged.unwrap_or_else(|| Self::Held(held.with_trouble(None)))
            }
            Self::Held(_) => Self::Dead(Cause::Over),
            Self::Absent | Self::Negative { .. } => Self::Absent,
            Self::Forbidden(error) => Self::Forbidden(error.clone()),
            Self::Dead(cause) => Self::Dead(*cause),
        }
    }

    /// After a failure. A "no" ends what was known and is remembered for a moment; a vault that cannot answer ends nothing
    /// before its time, and neither is ever kept as a value.
    fn failed(
        &self,
        error: &FetchError,
        now: Now,
        timing: &Timing,
        spread: Spread,
    ) -> Option<Self> {
        let no = |pause: Duration| {
            if pause.is_zero() {
                return Some(Self::Dead(Cause::Withdrawn));
            }
            let (error, until) = (error.clone(), now.tick.saturating_add(pause));
            Some(Self::Negative { error, until })
        };
        let held = match self {
            Self::Held(held) if held.is_worth_keeping(now, false) => Some(held),
            Self::Held(_)
            | Self::Absent
            | Self::Negative { .. }
            | Self::Forbidden(_)
            | Self::Dead(_) => None,
        };
        match (Verdict::of(&error.error, now.wall, timing), held) {
            (Verdict::No(pause), _) | (Verdict::NotYet(pause), None) => no(pause),
            (Verdict::Missing, None) => no(timing.negative_ttl),
            (Verdict::Unknown(pause), None) if pause.is_zero() => self.aged(now, false),
            (Verdict::Unknown(pause), None) => no(pause),
            (Verdict::Missing, Some(held)) => {
                let first = held.trouble.as_ref().and_then(|known| known.missing_since);
                let first = first.unwrap_or(now.tick);
                let is_sure = now.tick.saturating_sub(first) >= timing.missing_grace;
                if is_sure || held.is_stale(now.tick) {
                    return no(timing.negative_ttl);
                }
                let mut trouble = Trouble::after(held, error, now, spread);
                trouble.missing_since = Some(first);
                trouble.retry_at = first.saturating_add(timing.missing_grace);
                Some(Self::Held(held.with_trouble(Some(trouble))))
            }
            (Verdict::Unknown(_) | Verdict::NotYet(_), Some(held)) => {
                let trouble = Trouble::after(held, error, now, spread);
                Some(Self::Held(held.with_trouble(Some(trouble))))
            }
        }
    }
}

impl Trouble {
    /// Whether a value may outlive its TTL for it: not where the vault has said that there is none.
    const fn bridges(&self) -> bool {
        self.missing_since.is_none()
    }

    fn after(held: &Held, error: &FetchError, now: Now, spread: Spread) -> Self {
        let failures = held
            .trouble
            .as_ref()
            .map_or(0, |known| known.failures)
            .saturating_add(1);
        let told = error.error.retry_in().unwrap_or_default().min(LONGEST_TOLD);
        Self {
            error: error.clone(),
            failures,
            retry_at: now.tick.saturating_add(spread.pause(failures).max(told)),
            missing_since: held.trouble.as_ref().and_then(|known| known.missing_since),
        }
    }
}
