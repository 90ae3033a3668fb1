//! Secrets: unprintable values, the port to a vault, and the slots that keep what was fetched.
//!
//! In: a declared reference ([`SecretRequest`]). Out: a [`Secret`], whose bytes leave only through
//! [`Secret::reveal`]. Policy and audit stand above, in the session, and are asked on every read; nothing here knows
//! who is calling. This module does no I/O: vaults are adapters of [`SecretVault`].

mod cache;
mod error;
mod name;
mod request;
mod secret;
mod slot;
mod state;
mod vault;

pub use cache::{Counts, Secrets};
pub use error::{FetchError, VaultError};
pub use name::{
    NotASecretName, NotASecretVersion, NotAVaultUrl, SecretId, SecretName, SecretVersion, VaultUrl,
};
pub use request::{SecretRequest, SlotKey, Timing};
pub use secret::{Secret, SecretBytes};
pub use vault::{Attempt, AttemptId, Fetched, SecretVault, Validity};

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests;
