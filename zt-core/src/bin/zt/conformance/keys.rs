//! The contract of keys, on keys of a scratch vault: those that wrap data keys, and the one that vouches for the audit log.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anstream::println;
use zt_core::adapters::azure::{KeyVaultKeyWriter, KeyVaultKeys, NewKey};
use zt_core::audit::CheckpointSigner;
use zt_core::envelope::{DataKey, KeyError, KeyWrapper, WrappedKey};
use zt_core::port::BoxFuture;
use zt_core::secrets::{SecretId, SecretName, SecretVersion, VaultError};
use zt_core::testing::key_contract::{self, SeedKey};
use zt_core::testing::signer_contract;
use zt_core::text::shown;

use super::scratch::{self, Scratch};

/// Keys whose every name is the suite's, behind a prefix; the suite's two vaults are one here.
#[derive(Debug)]
pub(super) struct Keys<'a> {
    inner: KeyVaultKeys,
    scratch: &'a Scratch,
    made: Mutex<Vec<SecretName>>,
}

/// What the audit key is called in this run.
const AUDIT_KEY: &str = "checkpoints";

impl<'a> Keys<'a> {
    pub(super) const fn new(inner: KeyVaultKeys, scratch: &'a Scratch) -> Self {
        Self {
            inner,
            scratch,
            made: Mutex::new(Vec::new()),
        }
    }

    /// Makes a key, wraps and unwraps with it, and switches it off.
    pub(super) async fn try_out(&self) -> Result<(), KeyError> {
        let name = self.scratch.name("first")?;
        let version = self.make(&name, NewKey::Rsa2048).await?;
        let id = SecretId::new(self.scratch.vault().clone(), name.clone());
        let Some(dek) = DataKey::copy_of(&[7; DataKey::LEN]) else {
            return Err(VaultError::invalid("the suite made no data key").into());
        };
        let wrapped = self.inner.wrap(&id, &dek).await?;
        drop(self.inner.unwrap(&id, &wrapped).await?);
        let writer = self.inner.writer(self.scratch.vault())?;
        let attempt = self.scratch.attempt();
        Ok(writer.enable(&name, version, false, &attempt).await?)
    }

    pub(super) fn check_all(&self) -> bool {
        let holds = |name, check| self.scratch.holds(name, check);
        [
            holds(
                "a wrapped data key unwraps, and does not show",
                Box::pin(key_contract::what_is_wrapped_unwraps(self)),
            ),
            holds(
                "a missing key is not found",
                Box::pin(key_contract::a_missing_key_is_not_found(self)),
            ),
            holds(
                "a missing version is not found",
                Box::pin(key_contract::a_missing_version_is_not_found(self)),
            ),
            holds(
                "the newest version wraps, and old ones unwrap",
                Box::pin(key_contract::the_newest_version_wraps_and_old_ones_unwrap(
                    self,
                )),
            ),
            holds(
                "a pinned version wraps, and any unwraps",
                Box::pin(key_contract::a_pinned_version_wraps_and_any_unwraps(self)),
            ),
            holds(
                "two names are two keys",
                Box::pin(key_contract::vaults_do_not_share_keys(self)),
            ),
            holds(
                "names of keys ignore case",
                Box::pin(key_contract::names_ignore_case(self)),
            ),
            holds(
                "a changed data key does not unwrap",
                Box::pin(key_contract::what_was_changed_does_not_unwrap(self)),
            ),
            holds(
                "what another key wrapped does not unwrap",
                Box::pin(key_contract::what_another_key_wrapped_does_not_unwrap(self)),
            ),
            holds(
                "a version that is switched off is refused",
                Box::pin(key_contract::a_version_that_is_switched_off_is_refused(
                    self,
                )),
            ),
            holds(
                "a key that signs wraps nothing, and one that wraps signs nothing",
                Box::pin(self.each_kind_does_its_own()),
            ),
        ]
        .iter()
        .all(|passed| *passed)
    }

    /// The audit key: its signatures, its rotation, its end.
    pub(super) fn check_audit_key(
        &self,
        signer: impl FnOnce(SecretId) -> zt_core::Result<Arc<dyn CheckpointSigner>>,
    ) -> zt_core::Result<bool> {
        let name = self.scratch.name(AUDIT_KEY)?;
        let newest = Mutex::new(self.scratch.wait(self.make(&name, NewKey::P256))?);
        let signer = signer(SecretId::new(self.scratch.vault().clone(), name.clone()))?;
        let signer = signer.as_ref();
        let rotate = || {
            let made = self.scratch.wait(self.make(&name, NewKey::P256));
            *newest.lock().unwrap_or_else(PoisonError::into_inner) = done(made);
        };
        let disable = || {
            let version = *newest.lock().unwrap_or_else(PoisonError::into_inner);
            self.switch_off(&name, version);
        };
        let holds = |name, check| self.scratch.holds(name, check);
        Ok([
            holds(
                "a signature of the audit key verifies here",
                Box::pin(async { signer_contract::a_signature_verifies(signer) }),
            ),
            holds(
                "no other message and no changed signature verifies",
                Box::pin(async { signer_contract::nothing_else_verifies(signer) }),
            ),
            holds(
                "after a rotation what signs is what was told",
                Box::pin(async { signer_contract::what_signs_is_what_was_told(signer, rotate) }),
            ),
            holds(
                "an audit key that is switched off signs nothing",
                Box::pin(async {
                    signer_contract::what_is_switched_off_signs_nothing(signer, disable);
                }),
            ),
        ]
        .iter()
        .all(|passed| *passed))
    }

    #[expect(clippy::panic, reason = "the suite's way to say that a check fails")]
    async fn each_kind_does_its_own(&self) {
        let (signs, wraps) = (done(self.named("signs")), done(self.named("wraps")));
        done(self.make(signs.name(), NewKey::P256).await);
        done(self.make(wraps.name(), NewKey::Rsa2048).await);
        let Some(dek) = DataKey::copy_of(&[7; DataKey::LEN]) else {
            panic!("a data key has {} bytes", DataKey::LEN);
        };
        match self.inner.wrap(&signs, &dek).await {
            Err(KeyError::Vault(VaultError::Invalid { .. })) => {}
            other => panic!("{signs} gave {other:?}"),
        }
        let attempt = self.scratch.attempt();
        match self.inner.sign(&wraps, &[7; 32], &attempt).await {
            Err(KeyError::Vault(VaultError::Invalid { .. })) => {}
            other => panic!("{wraps} gave {other:?}"),
        }
    }

    fn named(&self, of: &str) -> Result<SecretId, VaultError> {
        let vault = self.scratch.vault().clone();
        Ok(SecretId::new(vault, self.scratch.name(of)?))
    }

    async fn make(&self, name: &SecretName, kind: NewKey) -> Result<SecretVersion, VaultError> {
        let writer = self.inner.writer(self.scratch.vault())?;
        let version = writer.create(name, kind, &self.scratch.attempt()).await?;
        let mut made = self.made();
        if !made.contains(name) {
            made.push(name.clone());
        }
        Ok(version)
    }

    fn switch_off(&self, name: &SecretName, version: SecretVersion) {
        let switching = async {
            let writer = self.inner.writer(self.scratch.vault())?;
            let attempt = self.scratch.attempt();
            writer.enable(name, version, false, &attempt).await
        };
        done(self.scratch.wait(switching));
    }

    /// Deletes what was made, and says what it could not.
    pub(super) async fn clean_up(&self, purge: bool) -> bool {
        let names = std::mem::take(&mut *self.made());
        let writer = match self.inner.writer(self.scratch.vault()) {
            Ok(writer) => writer,
            Err(why) => {
                println!("no key was deleted: {why}");
                return names.is_empty();
            }
        };
        let mut left = 0_usize;
        for name in &names {
            if let Err(why) = writer.delete(name, &self.scratch.attempt()).await {
                println!("key {name} is left: {}", shown(&why.to_string()));
                left += 1;
                continue;
            }
            if purge && let Err(why) = self.purge(&writer, name).await {
                println!("key {name} is not purged: {}", shown(&why.to_string()));
                left += 1;
            }
        }
        println!("{} keys were made, {left} are left", names.len());
        left == 0
    }

    async fn purge(&self, writer: &KeyVaultKeyWriter, name: &SecretName) -> Result<(), VaultError> {
        let purge = async || writer.purge(name, &self.scratch.attempt()).await;
        scratch::purged(purge).await
    }

    fn made(&self) -> MutexGuard<'_, Vec<SecretName>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The suite looks for the key that it asked for.
fn named_as_asked(error: KeyError, asked: &SecretId, here: &SecretId) -> KeyError {
    if let KeyError::NotFound { id, .. } = &error
        && id.name() == here.name()
    {
        return KeyError::no_version(asked, id.version());
    }
    error
}

#[expect(clippy::panic, reason = "the suite's way to say that a check fails")]
fn done<T>(outcome: Result<T, VaultError>) -> T {
    match outcome {
        Ok(done) => done,
        Err(why) => panic!("the vault does not do what the suite needs: {why}"),
    }
}

impl KeyWrapper for Keys<'_> {
    fn wrap<'a>(
        &'a self,
        key: &'a SecretId,
        dek: &'a DataKey,
    ) -> BoxFuture<'a, Result<WrappedKey, KeyError>> {
        Box::pin(async move {
            let here = self.scratch.here(key)?;
            let wrapped = self.inner.wrap(&here, dek).await;
            wrapped.map_err(|error| named_as_asked(error, key, &here))
        })
    }

    fn unwrap<'a>(
        &'a self,
        key: &'a SecretId,
        wrapped: &'a WrappedKey,
    ) -> BoxFuture<'a, Result<DataKey, KeyError>> {
        Box::pin(async move {
            let here = self.scratch.here(key)?;
            let unwrapped = self.inner.unwrap(&here, wrapped).await;
            unwrapped.map_err(|error| named_as_asked(error, key, &here))
        })
    }
}

impl SeedKey for Keys<'_> {
    fn create(&self, id: &SecretId) -> SecretVersion {
        let here = done(self.scratch.here(id));
        done(self.scratch.wait(self.make(here.name(), NewKey::Rsa2048)))
    }

    fn disable(&self, id: &SecretId, version: SecretVersion) -> bool {
        let here = done(self.scratch.here(id));
        self.switch_off(here.name(), version);
        true
    }
}
