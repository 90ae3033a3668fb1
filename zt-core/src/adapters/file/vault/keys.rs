//! Key encryption keys in the vault file: made here, used here, never read out.
//!
//! In: the name of a key and a data key. Out: the data key wrapped under the newest version, or unwrapped under the one
//! that wrapped it. A key is 256 random bits, or of RSA where executors seal by its public half; each [`create_key`](LocalVault::create_key) adds a version, and all of them
//! stay, because what was sealed under one opens with it alone. Each use reads the file, as a fetch does.

use std::sync::Arc;

use super::entries::{Kind, Version};
use super::{LocalVault, no_choice};
use crate::adapters::key_wrap;
use crate::adapters::memory::random_version;
use crate::envelope::{DataKey, KeyError, KeyWrapper, PublicHalf, WrappedKey};
use crate::port::BoxFuture;
use crate::secrets::{SecretBytes, SecretId, SecretVersion, Validity, VaultError};

impl LocalVault {
    /// Makes a new version of a key, which becomes the current one, and says which it is; older ones stay for unwrapping.
    /// On disk when it returns.
    ///
    /// # Errors
    /// [`VaultError::Invalid`] if `id` is pinned to a version or a secret has the name; else as [`open`](Self::open).
    pub fn create_key(&self, id: &SecretId) -> Result<SecretVersion, VaultError> {
        self.add_key(id, key_wrap::random_key)
    }

    /// The same for a version of RSA with 3,072 bits, whose public half others may have to seal with. The versions of one key
    /// may be of both sorts.
    ///
    /// # Errors
    /// As [`create_key`](Self::create_key).
    pub fn create_rsa_key(&self, id: &SecretId) -> Result<SecretVersion, VaultError> {
        self.add_key(id, key_wrap::random_rsa_key)
    }

    fn add_key(
        &self,
        id: &SecretId,
        make: impl FnOnce() -> Result<SecretBytes, VaultError>,
    ) -> Result<SecretVersion, VaultError> {
        if id.version().is_some() {
            return Err(no_choice());
        }
        let (version, value) = (random_version()?, make()?);
        let _turn = self.file.lock()?;
        let mut entries = self.file.load_or_new()?;
        entries.push(
            id,
            Kind::Key,
            &Version {
                version,
                created: self.clock.now(),
                validity: Validity::ALWAYS,
                value,
            },
        )?;
        self.file.save(&entries)?;
        Ok(version)
    }

    /// Removes a key with all its versions, or only the one that `id` is pinned to. **What was sealed under it never opens
    /// again.**
    ///
    /// # Errors
    /// [`KeyError::NotFound`] if there is none; else as [`open`](Self::open).
    pub fn remove_key(&self, id: &SecretId) -> Result<(), KeyError> {
        let _turn = self.file.lock()?;
        let mut entries = self.file.load()?;
        if !entries.remove(id, Kind::Key) {
            return Err(KeyError::no_version(id, id.version()));
        }
        Ok(self.file.save(&entries)?)
    }

    /// The version of a key; the newest without one.
    async fn key(
        &self,
        id: &SecretId,
        version: Option<SecretVersion>,
    ) -> Result<Version, KeyError> {
        let (file, id) = (Arc::clone(&self.file), id.clone());
        self.readers.run(move || file.key(&id, version)).await
    }
}

impl KeyWrapper for LocalVault {
    /// Reads the file as a fetch does.
    fn wrap<'a>(
        &'a self,
        key: &'a SecretId,
        dek: &'a DataKey,
    ) -> BoxFuture<'a, Result<WrappedKey, KeyError>> {
        Box::pin(async move {
            let found = self.key(key, key.version()).await?;
            key_wrap::wrap(&found.value, found.version, dek)
        })
    }

    /// Reads the file as a fetch does.
    fn unwrap<'a>(
        &'a self,
        key: &'a SecretId,
        wrapped: &'a WrappedKey,
    ) -> BoxFuture<'a, Result<DataKey, KeyError>> {
        Box::pin(async move {
            let found = self.key(key, Some(wrapped.version)).await?;
            key_wrap::unwrap(&found.value, key, wrapped)
        })
    }

    fn public_half<'a>(
        &'a self,
        key: &'a SecretId,
    ) -> BoxFuture<'a, Result<Option<PublicHalf>, KeyError>> {
        Box::pin(async move {
            let found = self.key(key, key.version()).await?;
            let half = key_wrap::public_half(&found.value, found.version)?;
            Ok(half.map(|half| half.until(found.validity.expires)))
        })
    }
}

#[cfg(test)]
#[cfg(feature = "testing")]
mod tests {
    use tempfile::TempDir;

    use super::*;
    use crate::adapters::file::VaultKey;
    use crate::metadata::SecretKind;
    use std::time::Duration;

    use crate::secrets::{Attempt, AttemptId, SecretVault as _, SecretVersion};
    use crate::testing::key_contract::{self, SeedKey};

    impl SeedKey for LocalVault {
        fn create(&self, id: &SecretId) -> SecretVersion {
            self.create_key(id).unwrap()
        }
    }

    fn vault(folder: &TempDir) -> LocalVault {
        let key = VaultKey::key_file(folder.path().join("vault.key"));
        LocalVault::open(folder.path().join("vault.zt"), key).unwrap()
    }

    fn id(name: &str) -> SecretId {
        let vault = "https://kv.vault.azure.net".parse().unwrap();
        SecretId::new(vault, name.parse().unwrap())
    }

    #[tokio::test]
    async fn keys_of_the_local_vault_keep_the_contract() {
        let folder = TempDir::new().unwrap();
        key_contract::run(&vault(&folder)).await;
    }

    #[tokio::test]
    async fn a_key_is_never_read_as_a_secret() {
        let folder = TempDir::new().unwrap();
        let vault = vault(&folder);
        let version = vault.create_key(&id("kek")).unwrap();
        let attempt = Attempt::new(AttemptId::from_u128(1), Duration::from_secs(1));
        for asked in [id("kek"), id("KEK"), id("kek").at(version)] {
            let error = vault.fetch(&asked, &attempt).await.unwrap_err();
            assert!(matches!(error, VaultError::NotFound { .. }), "{error}");
        }
    }

    #[test]
    fn a_key_and_a_secret_cannot_share_a_name() {
        let folder = TempDir::new().unwrap();
        let vault = vault(&folder);
        let set = |name: &str| {
            vault.set(
                &id(name),
                b"zt-needle-value".to_vec().into(),
                Validity::ALWAYS,
            )
        };
        vault.create_key(&id("kek")).unwrap();
        set("secret").unwrap();
        let error = set("KEK").unwrap_err();
        assert_eq!(error.to_string(), "`KEK` is the name of a key");
        let error = vault.create_key(&id("Secret")).unwrap_err();
        assert_eq!(error.to_string(), "`Secret` is the name of a secret");
        assert!(vault.remove(&id("kek")).is_err());
        assert!(vault.remove_key(&id("secret")).is_err());
        let kinds: Vec<_> = vault
            .list()
            .unwrap()
            .iter()
            .map(|entry| entry.kind)
            .collect();
        assert_eq!(kinds, [SecretKind::Key, SecretKind::Secret]);
    }

    #[tokio::test]
    async fn every_version_of_a_key_stays_until_it_is_removed() {
        let folder = TempDir::new().unwrap();
        let vault = vault(&folder);
        let dek = DataKey::generate().unwrap();
        vault.create_key(&id("kek")).unwrap();
        let oldest = KeyWrapper::wrap(&vault, &id("kek"), &dek).await.unwrap();
        for _ in 0..20 {
            vault.create_key(&id("kek")).unwrap();
        }
        let opened = vault.unwrap(&id("kek"), &oldest).await.unwrap();
        assert!(opened.reveal() == dek.reveal());
        assert_eq!(vault.list().unwrap()[0].versions.len(), 21);

        vault.remove_key(&id("kek").at(oldest.version)).unwrap();
        let error = vault.unwrap(&id("kek"), &oldest).await.unwrap_err();
        assert!(matches!(error, KeyError::NotFound { .. }), "{error}");
        assert!(vault.wrap(&id("kek"), &dek).await.is_ok());
    }
}
