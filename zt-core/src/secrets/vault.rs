//! The port to a vault: one attempt to fetch one secret.
//!
//! In: a [`SecretId`]. Out: the value with what the vault says about it, or a [`VaultError`]. An adapter never retries,
//! never sleeps, never caches and never decides whether a value may be used: the slots do.
//! The contract suite of this port is `testing::vault_contract`.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use crate::clock::Timestamp;
use crate::port::BoxFuture;

use super::{SecretBytes, SecretId, SecretVersion, VaultError};

/// Where secrets live.
///
/// Called from many threads at once. The future may be dropped at any point, and then nothing must have happened.
pub trait SecretVault: fmt::Debug + Send + Sync {
    /// Fetches one version of one secret: the pinned one, else the newest. One attempt, within its deadline. A newest
    /// version that is disabled is an error, not a reason to answer with an older one.
    fn fetch<'a>(
        &'a self,
        id: &'a SecretId,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Fetched, VaultError>>;
}

/// One call to a vault: how long it may take, and the id by which the vault's log and ours name it.
///
/// ```
/// # use std::time::Duration;
/// # use zt_core::secrets::{Attempt, AttemptId};
/// let attempt = Attempt::new(AttemptId::from_u128(7), Duration::from_millis(1500));
/// assert_eq!(attempt.id.to_string(), "00000000-0000-0000-0000-000000000007");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attempt {
    /// What the vault is told as `x-ms-client-request-id`.
    pub id: AttemptId,
    /// When it must be over.
    pub deadline: Duration,
}

impl Attempt {
    /// An attempt of this id, over within `deadline`.
    #[must_use]
    pub const fn new(id: AttemptId, deadline: Duration) -> Self {
        Self { id, deadline }
    }
}

/// The id of one call: a GUID, which joins a record of the audit log to the record of the vault's own log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(u128);

impl AttemptId {
    /// From its 128 bits.
    #[must_use]
    pub const fn from_u128(bits: u128) -> Self {
        Self(bits)
    }
}

impl fmt::Display for AttemptId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0;
        write!(
            f,
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            bits >> 96,
            (bits >> 80) & 0xffff,
            (bits >> 64) & 0xffff,
            (bits >> 48) & 0xffff,
            bits & 0xffff_ffff_ffff
        )
    }
}

/// What a vault gave.
#[derive(Debug)]
#[non_exhaustive]
pub struct Fetched {
    /// The bytes.
    pub value: SecretBytes,
    /// Which version they are.
    pub version: SecretVersion,
    /// When they may be used.
    pub validity: Validity,
    /// How the path to the vault was proven, for the audit record: `local`, `memory`, `private_link`, `address`; `unproven`
    /// if not.
    pub path_proof: Cow<'static, str>,
    /// What else the audit record says of this call: who answered, under which id. Names are unique and never hold a value.
    pub details: Vec<(&'static str, String)>,
}

impl Fetched {
    /// A value without limits over an unproven path.
    #[must_use]
    pub const fn new(value: SecretBytes, version: SecretVersion) -> Self {
        Self {
            value,
            version,
            validity: Validity::ALWAYS,
            path_proof: Cow::Borrowed("unproven"),
            details: Vec::new(),
        }
    }

    /// The same with what the vault says about its validity.
    #[must_use]
    pub const fn with_validity(mut self, validity: Validity) -> Self {
        self.validity = validity;
        self
    }

    /// The same over a path proven like this.
    #[must_use]
    pub fn with_path_proof(mut self, proof: impl Into<Cow<'static, str>>) -> Self {
        self.path_proof = proof.into();
        self
    }

    /// The same with one more detail for the audit record.
    #[must_use]
    pub fn with_detail(mut self, name: &'static str, text: impl Into<String>) -> Self {
        self.details.push((name, text.into()));
        self
    }
}

/// When a version may be used: the attributes `enabled`, `nbf` and `exp` of Key Vault. Judged by the wall clock, at the
/// fetch and again at every read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Validity {
    /// Whether it may be used at all.
    pub enabled: bool,
    /// The first moment at which it may.
    pub not_before: Option<Timestamp>,
    /// The first moment at which it may no longer.
    pub expires: Option<Timestamp>,
}

impl Validity {
    /// Enabled, without limits.
    pub const ALWAYS: Self = Self {
        enabled: true,
        not_before: None,
        expires: None,
    };

    /// The same, switched off.
    #[must_use]
    pub const fn disabled(mut self) -> Self {
        self.enabled = false;
        self
    }

    /// The same from `at` on.
    #[must_use]
    pub const fn starting(mut self, at: Timestamp) -> Self {
        self.not_before = Some(at);
        self
    }

    /// The same until just before `at`.
    #[must_use]
    pub const fn ending(mut self, at: Timestamp) -> Self {
        self.expires = Some(at);
        self
    }

    /// Whether it may be used at `now`.
    ///
    /// # Errors
    /// [`VaultError::Disabled`], [`VaultError::NotYetValid`] or [`VaultError::Expired`], naming `id`.
    pub fn check(&self, id: &SecretId, now: Timestamp) -> Result<(), VaultError> {
        if !self.enabled {
            return Err(VaultError::disabled(id));
        }
        if let Some(not_before) = self.not_before.filter(|at| now < *at) {
            let id = id.clone();
            return Err(VaultError::NotYetValid { id, not_before });
        }
        if let Some(expires) = self.expires.filter(|at| *at <= now) {
            let id = id.clone();
            return Err(VaultError::Expired { id, expires });
        }
        Ok(())
    }

    /// Whether the wall clock has no say: nothing begins and nothing ends.
    pub(crate) const fn is_timeless(&self) -> bool {
        self.enabled && self.not_before.is_none() && self.expires.is_none()
    }

    pub(crate) fn holds(&self, now: Timestamp) -> bool {
        self.enabled
            && self.not_before.is_none_or(|at| at <= now)
            && self.expires.is_none_or(|at| now < at)
    }
}

impl Default for Validity {
    fn default() -> Self {
        Self::ALWAYS
    }
}
