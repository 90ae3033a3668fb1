//! What a failure means for a value that is held, and for how long a "no" is believed: the failure table of the slots.

use std::time::Duration;

use crate::clock::Timestamp;

use super::{Timing, VaultError};

/// How long an identity that the vault does not take is not shown to it again.
const NO_IDENTITY: Duration = Duration::from_secs(10);
/// How long a vault whose path or answer is wrong is not asked again: no gate counts these, and readers in a loop would
/// ask as fast as it answers.
const NO_SENSE: Duration = Duration::from_secs(1);

/// What one failure says about the secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Nothing: the vault was not reached, or gave no answer that can be believed. What is held is served on; without a
    /// value nobody asks again for so long.
    Unknown(Duration),
    /// It is gone, switched off, over, or no longer ours. What is held ends, and the answer is believed for so long.
    No(Duration),
    /// There is none. Ends what is held when it is said twice: a secret that is being recovered is away for a moment.
    Missing,
    /// The newest version begins later, or was asked for in a wrong way. It replaces nothing; without a value it is believed
    /// for so long.
    NotYet(Duration),
}

impl Verdict {
    pub(crate) fn of(error: &VaultError, now: Timestamp, timing: &Timing) -> Self {
        match error {
            VaultError::NotFound { .. } | VaultError::NoVault { .. } => Self::Missing,
            VaultError::Denied { .. } | VaultError::Expired { .. } => Self::No(timing.negative_ttl),
            // A fault of the question says nothing about what is held.
            VaultError::Invalid { .. } => Self::NotYet(timing.negative_ttl),
            VaultError::Disabled { .. } => Self::No(timing.disabled_ttl),
            VaultError::NotYetValid { not_before, .. } => {
                let wait = not_before.as_millis().saturating_sub(now.as_millis());
                let wait = Duration::from_millis(u64::try_from(wait).unwrap_or(0));
                // Believed until then, but looked at now and then: whoever wrote the date may write another.
                Self::NotYet(wait.min(timing.default_ttl).min(longest(timing)))
            }
            // The gate holds the first two back, for every secret of the vault; a token may be there with the next call.
            VaultError::Unavailable { .. }
            | VaultError::Throttled { .. }
            | VaultError::TokenPending { .. } => Self::Unknown(Duration::ZERO),
            VaultError::Unauthenticated { .. } => {
                Self::Unknown(NO_IDENTITY.min(timing.negative_ttl))
            }
            VaultError::NetworkRefused { .. }
            | VaultError::Firewall { .. }
            | VaultError::Tls { .. }
            | VaultError::Integrity { .. }
            | VaultError::WrongKey { .. }
            | VaultError::Io { .. } => Self::Unknown(NO_SENSE.min(timing.negative_ttl)),
        }
    }
}

/// Where no "no" is remembered, a date is not either.
const fn longest(timing: &Timing) -> Duration {
    if timing.negative_ttl.is_zero() {
        Duration::ZERO
    } else {
        Duration::MAX
    }
}

/// Whether another call, here or at the second vault, may give what this one did not.
pub(crate) const fn is_worth_another(error: &VaultError) -> bool {
    match error {
        VaultError::Unavailable { .. }
        | VaultError::Throttled { .. }
        | VaultError::Firewall { .. }
        | VaultError::Tls { .. }
        | VaultError::NetworkRefused { .. }
        | VaultError::Integrity { .. }
        | VaultError::Io { .. } => true,
        VaultError::NotFound { .. }
        | VaultError::NoVault { .. }
        | VaultError::Disabled { .. }
        | VaultError::NotYetValid { .. }
        | VaultError::Expired { .. }
        | VaultError::Denied { .. }
        | VaultError::Unauthenticated { .. }
        // It would be as late for the second vault, which is no better than the first.
        | VaultError::TokenPending { .. }
        | VaultError::WrongKey { .. }
        | VaultError::Invalid { .. } => false,
    }
}

/// Whether the same vault may be asked again at once: what failed was the way, not the answer.
pub(super) const fn is_worth_repeating(error: &VaultError) -> bool {
    is_silence(error) || is_own(error)
}

/// Whether nothing came back, or nothing that means anything.
pub(super) const fn is_silence(error: &VaultError) -> bool {
    matches!(error, VaultError::Unavailable { retry_in: None, .. })
}

/// Whether the vault was not heard because our own identity was late: the same one is asked again, also where there is a
/// second.
pub(super) const fn is_own(error: &VaultError) -> bool {
    matches!(error, VaultError::TokenPending { .. })
}
