//! Ports in memory, for tests and for embedding zt where nothing may touch a disk.

mod alerts;
mod audit_sink;
mod keys;
mod reference;

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use aws_lc_rs::rand;

use crate::port::BoxFuture;
use crate::secrets::{
    Attempt, Fetched, SecretBytes, SecretId, SecretName, SecretVault, SecretVersion, Validity,
    VaultError, VaultUrl,
};

pub use alerts::MemoryAlerts;
pub use audit_sink::MemoryAuditSink;
pub use keys::MemoryKeys;
pub use reference::MemoryReference;

/// A [`SecretVault`] in memory. It answers every vault URL for which something was [`set`](Self::set); path proof `memory`.
#[derive(Debug, Default)]
pub struct MemoryVault {
    entries: RwLock<BTreeMap<(VaultUrl, SecretName), Vec<Version>>>,
}

#[derive(Debug)]
struct Version {
    version: SecretVersion,
    validity: Validity,
    value: SecretBytes,
}

impl MemoryVault {
    /// An empty vault.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Writes a new version, which becomes the current one, and says which it is.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] if `id` is pinned to a version: the vault chooses it.
    pub fn set(
        &self,
        id: &SecretId,
        value: SecretBytes,
        validity: Validity,
    ) -> Result<SecretVersion, VaultError> {
        if id.version().is_some() {
            return Err(VaultError::invalid(
                "a new version cannot be chosen, the vault does",
            ));
        }
        let version = random_version()?;
        let key = (id.vault().clone(), id.name().clone());
        let mut entries = self.entries.write().unwrap_or_else(PoisonError::into_inner);
        entries.entry(key).or_default().push(Version {
            version,
            validity,
            value,
        });
        Ok(version)
    }

    fn read(&self, id: &SecretId) -> Result<Fetched, VaultError> {
        let key = (id.vault().clone(), id.name().clone());
        let entries = self.entries.read().unwrap_or_else(PoisonError::into_inner);
        let versions = entries.get(&key).ok_or_else(|| VaultError::not_found(id))?;
        let found = match id.version() {
            Some(pinned) => versions.iter().find(|entry| entry.version == pinned),
            None => versions.last(),
        };
        let found = found.ok_or_else(|| VaultError::not_found(id))?;
        if !found.validity.enabled {
            return Err(VaultError::disabled(id));
        }
        let value = SecretBytes::copy_of(found.value.reveal());
        Ok(Fetched::new(value, found.version)
            .with_validity(found.validity)
            .with_path_proof("memory"))
    }
}

impl SecretVault for MemoryVault {
    fn fetch<'a>(
        &'a self,
        id: &'a SecretId,
        _attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Fetched, VaultError>> {
        Box::pin(async move { self.read(id) })
    }
}

/// 128 random bits, as Key Vault's own versions are.
pub(crate) fn random_version() -> Result<SecretVersion, VaultError> {
    let mut bits = [0; 16];
    rand::fill(&mut bits)
        .map_err(|_| VaultError::unavailable("the system gave no random bytes", None))?;
    Ok(SecretVersion::from_u128(u128::from_be_bytes(bits)))
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests {
    use super::*;
    use crate::testing::vault_contract::{self, Seed};

    impl Seed for MemoryVault {
        fn put(&self, id: &SecretId, value: &[u8], validity: Validity) -> SecretVersion {
            self.set(id, SecretBytes::copy_of(value), validity).unwrap()
        }
    }

    #[tokio::test]
    async fn the_memory_vault_keeps_the_contract() {
        vault_contract::run(&MemoryVault::new()).await;
    }
}
