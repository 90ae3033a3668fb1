//! Which slot, how old a value may be, and how long a "no" is believed.
//!
//! Defaults are those of the design; a reference sets its own TTL. A TTL counts on the monotonic tick.

use std::time::Duration;

use crate::clock::Timestamp;
use crate::id::PrincipalId;

use super::SecretId;

/// What makes a slot: the secret, and the identity with which it is fetched, because a vault may answer one and refuse
/// the other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SlotKey {
    id: SecretId,
    identity: Option<PrincipalId>,
}

impl SlotKey {
    /// The secret.
    #[must_use]
    pub const fn id(&self) -> &SecretId {
        &self.id
    }

    /// The identity that fetches; `None` is the process's own.
    #[must_use]
    pub const fn identity(&self) -> Option<&PrincipalId> {
        self.identity.as_ref()
    }
}

/// A row of Secret_References as the slots need it: which secret, and how old it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRequest {
    key: SlotKey,
    ttl: Option<Duration>,
}

impl SecretRequest {
    /// A request for `id` with the default TTL and the process's own identity.
    #[must_use]
    pub const fn new(id: SecretId) -> Self {
        Self {
            key: SlotKey { id, identity: None },
            ttl: None,
        }
    }

    /// How old a value may be that is served without asking the vault; zero keeps nothing.
    #[must_use]
    pub const fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// The identity that fetches, if it is not the process's own.
    #[must_use]
    pub fn with_identity(mut self, identity: PrincipalId) -> Self {
        self.key.identity = Some(identity);
        self
    }

    /// The slot it belongs to.
    #[must_use]
    pub const fn key(&self) -> &SlotKey {
        &self.key
    }

    pub(crate) fn ttl_under(&self, timing: &Timing) -> Duration {
        self.ttl.unwrap_or_else(|| match self.key.id.version() {
            Some(_) => timing.pinned_ttl,
            None => timing.default_ttl,
        })
    }
}

/// How long what is known stays true.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// For a reference that names no TTL: 15 minutes.
    pub default_ttl: Duration,
    /// The same for a pinned version, whose bytes cannot change: 24 hours.
    pub pinned_ttl: Duration,
    /// How long before its `exp` a value is asked for again: 30 seconds.
    pub expiry_margin: Duration,
    /// For how long a "there is none" or a refusal is answered without asking again: 30 seconds. Zero asks each time,
    /// which suits a vault that is a file in the same machine.
    pub negative_ttl: Duration,
}

impl Timing {
    /// Asks the vault again after every "no".
    #[must_use]
    pub const fn without_negative(mut self) -> Self {
        self.negative_ttl = Duration::ZERO;
        self
    }

    /// For how long a value may stay in its slot: `min(ttl, exp - now - margin)`.
    pub(super) fn lifetime(
        &self,
        ttl: Duration,
        expires: Option<Timestamp>,
        now: Timestamp,
    ) -> Duration {
        let Some(expires) = expires else { return ttl };
        let left = expires.as_millis().saturating_sub(now.as_millis());
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        ttl.min(left.saturating_sub(self.expiry_margin))
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self {
            default_ttl: Duration::from_secs(15 * 60),
            pinned_ttl: Duration::from_secs(24 * 60 * 60),
            expiry_margin: Duration::from_secs(30),
            negative_ttl: Duration::from_secs(30),
        }
    }
}
