//! The doctor of private paths: names the cause of a broken one.
//!
//! In: a row of Network_Rules and what a probe [observed](Observed) of its host: lookups, the names of proxy variables, the
//! outcome of one request without a token. Out: a [`Diagnosis`] with one cause, its evidence and what to do. Pure; the
//! probe is an adapter. Never: a secret, a token, the value of a variable.

mod diagnosis;
mod judge;
mod observed;
#[cfg(test)]
mod tests;

pub use diagnosis::{Cause, Diagnosis};
pub use judge::diagnose;
pub use observed::{Lookup, Observed, Reached};

/// The zone that people make for vaults by mistake: the real one is `privatelink.vaultcore.azure.net`.
pub const WRONG_VAULT_ZONE: &str = "privatelink.vault.azure.net";
