//! The contract of vaults, on secrets of a scratch vault.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anstream::println;
use zt_core::adapters::azure::{KeyVaultSecrets, KeyVaultWriter};
use zt_core::port::BoxFuture;
use zt_core::secrets::{
    Attempt, Fetched, SecretBytes, SecretId, SecretName, SecretVault, SecretVersion, Validity,
    VaultError,
};
use zt_core::testing::vault_contract::{self, Seed};
use zt_core::text::shown;

use super::scratch::{self, Scratch};

/// A vault whose every name is the suite's, behind a prefix; the suite's two vaults are one here.
#[derive(Debug)]
pub(super) struct Secrets<'a> {
    inner: KeyVaultSecrets,
    scratch: &'a Scratch,
    written: Mutex<Vec<SecretName>>,
}

impl<'a> Secrets<'a> {
    pub(super) const fn new(inner: KeyVaultSecrets, scratch: &'a Scratch) -> Self {
        Self {
            inner,
            scratch,
            written: Mutex::new(Vec::new()),
        }
    }

    /// Writes a secret and reads it.
    pub(super) async fn try_out(&self) -> Result<(), VaultError> {
        let name = self.scratch.name("first")?;
        let value = SecretBytes::copy_of(b"nobody's");
        let writer = self.inner.writer(self.scratch.vault())?;
        let attempt = self.scratch.attempt();
        let _version = writer
            .set(&name, &value, Validity::ALWAYS, &attempt)
            .await?;
        self.written().push(name.clone());
        let id = SecretId::new(self.scratch.vault().clone(), name);
        self.inner
            .fetch(&id, &self.scratch.attempt())
            .await
            .map(drop)
    }

    pub(super) fn check_all(&self) -> bool {
        let holds = |name, check| self.scratch.holds(name, check);
        [
            holds(
                "an existing secret is found",
                Box::pin(vault_contract::an_existing_secret_is_found(self)),
            ),
            holds(
                "a missing secret is not found",
                Box::pin(vault_contract::a_missing_secret_is_not_found(self)),
            ),
            holds(
                "two names are two secrets",
                Box::pin(vault_contract::vaults_do_not_share_names(self)),
            ),
            holds(
                "names ignore case",
                Box::pin(vault_contract::names_ignore_case(self)),
            ),
            holds(
                "versions stay readable",
                Box::pin(vault_contract::versions_stay_readable(self)),
            ),
            holds(
                "any text comes back",
                Box::pin(vault_contract::any_bytes_come_back(self)),
            ),
            holds(
                "a disabled secret is refused",
                Box::pin(vault_contract::a_disabled_secret_is_refused(self)),
            ),
            holds(
                "the span of validity is told",
                Box::pin(vault_contract::the_span_of_validity_is_told(self)),
            ),
            holds(
                "readers do not disturb each other",
                Box::pin(vault_contract::readers_do_not_disturb_each_other(self)),
            ),
        ]
        .iter()
        .all(|passed| *passed)
    }

    /// Deletes what was written, and says what it could not.
    pub(super) async fn clean_up(&self, purge: bool) -> bool {
        let names = std::mem::take(&mut *self.written());
        let writer = match self.inner.writer(self.scratch.vault()) {
            Ok(writer) => writer,
            Err(why) => {
                println!("no secret was deleted: {why}");
                return names.is_empty();
            }
        };
        let mut left = 0_usize;
        for name in &names {
            if let Err(why) = writer.delete(name, &self.scratch.attempt()).await {
                println!("{name} is left: {}", shown(&why.to_string()));
                left += 1;
                continue;
            }
            if purge && let Err(why) = self.purge(&writer, name).await {
                println!("{name} is not purged: {}", shown(&why.to_string()));
                left += 1;
            }
        }
        println!("{} secrets were written, {left} are left", names.len());
        left == 0
    }

    async fn purge(&self, writer: &KeyVaultWriter, name: &SecretName) -> Result<(), VaultError> {
        let purge = async || writer.purge(name, &self.scratch.attempt()).await;
        scratch::purged(purge).await
    }

    fn written(&self) -> MutexGuard<'_, Vec<SecretName>> {
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SecretVault for Secrets<'_> {
    fn fetch<'a>(
        &'a self,
        id: &'a SecretId,
        _attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Fetched, VaultError>> {
        Box::pin(async move {
            let here = self.scratch.here(id)?;
            let fetched = self.inner.fetch(&here, &self.scratch.attempt()).await;
            // The suite looks for the name that it asked for.
            fetched.map_err(|error| {
                if matches!(error, VaultError::NotFound { .. }) {
                    VaultError::not_found(id)
                } else {
                    error
                }
            })
        })
    }
}

impl Seed for Secrets<'_> {
    #[expect(clippy::panic, reason = "the suite's way to say that a check fails")]
    fn put(&self, id: &SecretId, value: &[u8], validity: Validity) -> SecretVersion {
        let write = async {
            let here = self.scratch.here(id)?;
            let writer = self.inner.writer(self.scratch.vault())?;
            let value = SecretBytes::copy_of(value);
            let attempt = self.scratch.attempt();
            let version = writer.set(here.name(), &value, validity, &attempt).await?;
            let mut names = self.written();
            if !names.contains(here.name()) {
                names.push(here.name().clone());
            }
            Ok::<_, VaultError>(version)
        };
        match self.scratch.wait(write) {
            Ok(version) => version,
            Err(why) => panic!("the vault takes no secret: {why}"),
        }
    }

    fn takes_bytes(&self) -> bool {
        false
    }
}
