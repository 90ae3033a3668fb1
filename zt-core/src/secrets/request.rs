//! Which slot, where it is filled from, and how old a value may be.
//!
//! Defaults are those of the design; a reference sets its own times. A time to live counts on the monotonic tick.

use std::time::Duration;

use crate::id::PrincipalId;

use super::{SecretId, VaultUrl};

/// What makes a slot: the secret, the identity with which it is fetched, because a vault may answer one and refuse the
/// other, and the second vault, because what that gives is not for a row that does not name it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SlotKey {
    id: SecretId,
    identity: Option<PrincipalId>,
    fallback: Option<VaultUrl>,
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

    /// The second vault.
    #[must_use]
    pub const fn fallback(&self) -> Option<&VaultUrl> {
        self.fallback.as_ref()
    }
}

/// A row of Secret_References as the slots need it: which secret, where else it is, and how old it may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretRequest {
    key: SlotKey,
    ttl: Option<Duration>,
    max_stale: Option<Duration>,
}

impl SecretRequest {
    /// A request for `id` with the default times and the process's own identity.
    #[must_use]
    pub const fn new(id: SecretId) -> Self {
        Self {
            key: SlotKey {
                id,
                identity: None,
                fallback: None,
            },
            ttl: None,
            max_stale: None,
        }
    }

    /// How old a value may be that is served without asking the vault; zero keeps nothing.
    #[must_use]
    pub const fn with_ttl(mut self, ttl: Duration) -> Self {
        self.ttl = Some(ttl);
        self
    }

    /// For how long after its TTL a value may still be served while the vault cannot answer; zero for never.
    #[must_use]
    pub const fn with_max_stale(mut self, max_stale: Duration) -> Self {
        self.max_stale = Some(max_stale);
        self
    }

    /// The vault that is asked for the same name while the first one cannot answer.
    #[must_use]
    pub fn with_fallback(mut self, vault: VaultUrl) -> Self {
        self.key.fallback = Some(vault);
        self
    }

    /// The identity that fetches, if it is not the process's own.
    #[must_use]
    pub fn with_identity(mut self, identity: PrincipalId) -> Self {
        self.key.identity = Some(identity);
        self
    }

    /// One version of the same secret, whichever is the current one.
    #[must_use]
    pub(crate) fn at(mut self, version: super::SecretVersion) -> Self {
        self.key.id = self.key.id.at(version);
        // What is asked for by its version is immutable: the TTL of the reference is about the current one, but for "keep
        // nothing", which is about the bytes.
        self.ttl = self.ttl.filter(Duration::is_zero);
        self
    }

    /// The same without a second vault.
    #[must_use]
    pub(crate) fn alone(&self) -> Self {
        let mut alone = self.clone();
        alone.key.fallback = None;
        alone
    }

    /// The slot it belongs to.
    #[must_use]
    pub const fn key(&self) -> &SlotKey {
        &self.key
    }

    /// The second vault.
    #[must_use]
    pub const fn fallback(&self) -> Option<&VaultUrl> {
        self.key.fallback()
    }

    /// Whether both ask the same vaults, in the same order, for whichever version.
    pub(super) fn asks_as(&self, other: &Self) -> bool {
        self.key.id.vault() == other.key.id.vault() && self.fallback() == other.fallback()
    }

    /// What is asked for, vault by vault.
    pub(super) fn sources(&self) -> impl Iterator<Item = SecretId> {
        let id = self.key.id.clone();
        let second = self
            .fallback()
            .cloned()
            .map(|vault| id.clone().within(vault));
        std::iter::once(id).chain(second)
    }

    pub(crate) fn terms_under(&self, timing: &Timing) -> Terms {
        let ttl = self.ttl.unwrap_or_else(|| match self.key.id.version() {
            Some(_) => timing.pinned_ttl,
            None => timing.default_ttl,
        });
        Terms {
            ttl,
            max_stale: self.max_stale.unwrap_or(timing.max_stale),
        }
    }
}

/// How old a value may be for one reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Terms {
    /// Without asking the vault.
    pub(crate) ttl: Duration,
    /// So much more while the vault cannot answer.
    pub(crate) max_stale: Duration,
}

/// How long what is known stays true, and how long anybody waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Timing {
    /// For a reference that names no TTL: 15 minutes.
    pub default_ttl: Duration,
    /// The same for a pinned version, whose bytes cannot change: 24 hours.
    pub pinned_ttl: Duration,
    /// For a reference that does not say how long a value may outlive its TTL while the vault cannot answer: one hour.
    pub max_stale: Duration,
    /// How long before its `exp` a value is asked for again: 30 seconds.
    pub expiry_margin: Duration,
    /// For how long a "there is none" or a refusal is answered without asking again: 30 seconds. Zero asks each time,
    /// which suits a vault that is a file in the same machine.
    pub negative_ttl: Duration,
    /// The same for a secret that is switched off: 60 seconds.
    pub disabled_ttl: Duration,
    /// A value that is still held ends only with the second "there is none" at least this long after the first, because a
    /// secret that is being recovered is away for a moment: 5 seconds.
    pub missing_grace: Duration,
    /// Calls that one miss may make to a vault that stands alone: 2. With a second vault, each is called once.
    pub attempts: u32,
    /// When a miss must be over, all its calls together: 3 seconds.
    pub miss_deadline: Duration,
    /// When one call of a miss must be over: 1.5 seconds.
    pub attempt_deadline: Duration,
    /// When a refresh that nobody waits for must be over: 10 seconds.
    pub refresh_deadline: Duration,
    /// Whether a value that finds no room in locked memory is refused: false.
    pub must_be_locked: bool,
    /// What the spread of refreshes is made of. Processes have different ones, so that they do not all refresh at once.
    pub salt: u64,
}

impl Timing {
    /// For a vault that is a file of this machine: every "no" is asked again, one call is all, and a value never outlives
    /// its TTL, for the file is there or it is not.
    #[must_use]
    pub const fn local() -> Self {
        let mut local = Self::new();
        local.negative_ttl = Duration::ZERO;
        local.disabled_ttl = Duration::ZERO;
        local.missing_grace = Duration::ZERO;
        local.max_stale = Duration::ZERO;
        local.attempts = 1;
        local
    }

    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            default_ttl: Duration::from_secs(15 * 60),
            pinned_ttl: Duration::from_secs(24 * 60 * 60),
            max_stale: Duration::from_secs(60 * 60),
            expiry_margin: Duration::from_secs(30),
            negative_ttl: Duration::from_secs(30),
            disabled_ttl: Duration::from_secs(60),
            missing_grace: Duration::from_secs(5),
            attempts: 2,
            miss_deadline: Duration::from_secs(3),
            attempt_deadline: Duration::from_millis(1500),
            refresh_deadline: Duration::from_secs(10),
            must_be_locked: false,
            salt: 0,
        }
    }

    /// The same, spread by this salt.
    #[must_use]
    pub const fn salted(mut self, salt: u64) -> Self {
        self.salt = salt;
        self
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self::new()
    }
}
