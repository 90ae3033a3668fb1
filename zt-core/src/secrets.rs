//! Secrets: unprintable values, the port to a vault, and the slots that keep what was fetched.
//!
//! In: a declared reference ([`SecretRequest`]). Out: a [`Secret`], whose bytes leave only through
//! [`Secret::reveal`]. Policy and audit stand above, in the session, and are asked on every read; nothing here knows
//! who is calling. This module does no I/O: vaults are adapters of [`SecretVault`].

mod boarding;
mod cache;
mod counters;
mod course;
mod declare;
mod error;
mod event;
mod flight;
mod gate;
mod health;
mod name;
mod now;
mod passage;
mod patience;
mod pinned;
mod request;
mod secret;
mod slot;
mod spread;
mod state;
mod sweep;
mod sync;
mod table;
mod vault;
mod verdict;
mod warm;

pub use cache::Secrets;
pub(crate) use cache::SlotHandle;
pub use counters::Counts;
pub use error::{FetchError, VaultError};
pub use event::{Delivery, SecretChange, SecretEvent};
pub use gate::{GateLimits, GateState};
pub use health::{GateHealth, SecretsHealth, SlotHealth, SlotState};
pub use name::{
    NotASecretName, NotASecretVersion, NotAVaultUrl, SecretId, SecretName, SecretVersion, VaultUrl,
};
pub(crate) use now::Now;
pub(crate) use passage::too_slow;
pub(crate) use patience::Telling;
pub(crate) use request::Terms;
pub use request::{SecretRequest, SlotKey, Timing};
pub use secret::{Secret, SecretBytes};
pub use vault::{Attempt, AttemptId, Fetched, SecretVault, Validity};
pub(crate) use verdict::{Verdict, is_worth_another};
pub use warm::Warmed;

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
