//! Key encryption keys in memory.

use std::collections::BTreeMap;
use std::sync::{PoisonError, RwLock};

use super::random_version;
use crate::adapters::key_wrap;
use crate::envelope::{DataKey, KeyError, KeyWrapper, WrappedKey};
use crate::port::BoxFuture;
use crate::secrets::{SecretBytes, SecretId, SecretName, SecretVersion, VaultError, VaultUrl};

/// The versions of one key, oldest first.
type Versions = Vec<(SecretVersion, SecretBytes)>;

/// A [`KeyWrapper`] in memory. It answers every vault URL for which a key was [`created`](Self::create_key).
#[derive(Debug, Default)]
pub struct MemoryKeys {
    keys: RwLock<BTreeMap<(VaultUrl, SecretName), Versions>>,
}

impl MemoryKeys {
    /// No keys.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes a new version of a key, which becomes the current one, and says which it is; older ones stay for unwrapping.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] if `id` is pinned to a version: the vault chooses it.
    pub fn create_key(&self, id: &SecretId) -> Result<SecretVersion, VaultError> {
        if id.version().is_some() {
            return Err(VaultError::invalid(
                "a new version cannot be chosen, the vault does",
            ));
        }
        let (version, bytes) = (random_version()?, key_wrap::random_key()?);
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        let versions = keys.entry((id.vault().clone(), id.name().clone()));
        versions.or_default().push((version, bytes));
        Ok(version)
    }

    fn with<T>(
        &self,
        id: &SecretId,
        version: Option<SecretVersion>,
        use_key: impl FnOnce(SecretVersion, &SecretBytes) -> Result<T, KeyError>,
    ) -> Result<T, KeyError> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let versions = keys.get(&(id.vault().clone(), id.name().clone()));
        let versions = versions.ok_or_else(|| KeyError::no_key(id))?;
        let found = match version {
            Some(pinned) => versions.iter().find(|(version, _)| *version == pinned),
            None => versions.last(),
        };
        let (version, key) = found.ok_or_else(|| KeyError::no_version(id, version))?;
        use_key(*version, key)
    }
}

impl KeyWrapper for MemoryKeys {
    fn wrap<'a>(
        &'a self,
        key: &'a SecretId,
        dek: &'a DataKey,
    ) -> BoxFuture<'a, Result<WrappedKey, KeyError>> {
        let wrap = |version, bytes: &SecretBytes| key_wrap::wrap(bytes, version, dek);
        Box::pin(async move { self.with(key, key.version(), wrap) })
    }

    fn unwrap<'a>(
        &'a self,
        key: &'a SecretId,
        wrapped: &'a WrappedKey,
    ) -> BoxFuture<'a, Result<DataKey, KeyError>> {
        let unwrap = |_, bytes: &SecretBytes| key_wrap::unwrap(bytes, key, wrapped);
        Box::pin(async move { self.with(key, Some(wrapped.version), unwrap) })
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests {
    use super::*;
    use crate::testing::key_contract::{self, SeedKey};

    impl SeedKey for MemoryKeys {
        fn create(&self, id: &SecretId) -> SecretVersion {
            self.create_key(id).unwrap()
        }
    }

    #[tokio::test]
    async fn keys_in_memory_keep_the_contract() {
        key_contract::run(&MemoryKeys::new()).await;
    }
}
